/* insert_dwc.c: converters where the ends of a stream disagree on the elements a beat.
 *
 *     a -- 8 lanes | 4 lanes -- b     ==>     a -- hw.dwc lanes_in=8 lanes_out=4 -- b
 */
#include "hw.h"

/* Lanes that n reads on operand i. */
static nashc_status
lanes_read(const nashc_node *n, const nashc_value *v, int64_t *lanes, nashc_diag *d)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];
    int k = 0;
    nashc_status s = nashc_node_op(n)->hw->streams(n, in, out, d);

    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *o = nashc_node_in(n, i);
        if (!o || nashc_value_const(o))
            continue;
        if (o == v)
            *lanes = in[k].lanes;
        k++;
    }
    return NASHC_OK;
}

static nashc_status
convert(nashc_run *r, nashc_build *b, nashc_value *v)
{
    nashc_diag *d = nashc_run_diag(r);
    nashc_node *reader = nashc_value_one_user(v);
    nashc_stream from;
    int64_t lanes = 0;
    nashc_status s;
    nashc_value *w;

    if (!reader || nashc_node_is(reader, "hw.dwc"))
        return NASHC_OK;
    if ((s = nashc_flow_stream(v, &from, d)) != NASHC_OK ||
        (s = lanes_read(reader, v, &lanes, d)) != NASHC_OK)
        return s;
    if (lanes == from.lanes || !nashc_run_edit(r, "insert a converter", reader))
        return NASHC_OK;
    nashc_stat(r, 0, 1);
    return hw_splice(b, v, "hw.dwc",
                     nashc_arena_printf(nashc_run_arena(r),
                                        "lanes_in=%" PRId64 " lanes_out=%" PRId64, from.lanes,
                                        lanes),
                     &w);
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), nashc_run_diag(r));
    nashc_status s = f ? nashc_flow_check(f, false, nashc_run_diag(r)) : NASHC_EINPUT;

    if (s != NASHC_OK)
        return s;
    nashc_build *b = nashc_run_build(r, f);
    NASHC_EACH_NODE(f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK; i++)
            s = convert(r, b, nashc_node_out(n, i));
    }
    return s;
}

const nashc_pass nashc_pass_insert_dwc = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "insert-dwc",
    .alias = "InsertDWC",
    .help = "put a data width converter where stream widths differ",
    .stats = (const char *const[]){"converters", NULL},
    .needs = "hw-only",
    .run = run,
};
