/* label_select.c: hw.label_select to nashc_label_select. */
#include "model.h"

static nashc_status
emit_select(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t labels = nashc_node_int(n, "labels");

    (void)d;
    nashc_vlog_core(v, "nashc_label_select");
    nashc_vlog_int(v, "LABELS", labels ? labels : x->rank ? x->dim[x->rank - 1] : 1);
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe"));
    nashc_vlog_int(v, "TOP_K", nashc_node_int(n, "k"));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x)); /* bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_label_select =
    NASHC_IMPL_VERILOG("hw.label_select", emit_select);

/* --- model --------------------------------------------------------------------------------------
 */

/* Steps for one row: all reads, and k writes of which the first goes with the last read. */
static nashc_status
select_timing(const nashc_node *n, nashc_timing *out)
{
    uint64_t rows = (uint64_t)model_out(n, 0)->dim[0], k = (uint64_t)nashc_node_int(n, "k");
    uint64_t reads = beats_in(n) / rows, period = reads + k - 1;

    *out = (nashc_timing){.steps = rows * period, .latency = 2, .depth = 2, .arg = {reads, period}};
    return NASHC_OK;
}

static void
select_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t at = i % t->arg[1];

    *reads = at < t->arg[0];
    *writes = at + 1 >= t->arg[0];
}

static uint64_t
select_cycles(const nashc_node *n)
{
    nashc_timing t;

    select_timing(n, &t);
    return t.steps;
}

/* Best of a beat in a tree, or one candidate after the other through the list. */
static nashc_status
select_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = model_in(n, 0)->bits, index = model_out(n, 0)->bits, one = bits + index;
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe"), k = (uint64_t)nashc_node_int(n, "k");
    uint64_t held = k == 1 ? 1 : pe, compared, tree;
    nashc_timing t;
    nashc_cost c = {COST_START};

    select_timing(n, &t);
    compared = k == 1 ? pe - 1 + (t.arg[0] > 1) : pe * k;
    tree = k == 1 ? pe - 1 : 0;
    if (t.arg[0] == 1 && k == 1)
        one = index; /* the value of the only beat is not kept */
    cost_counter(&c, t.arg[0]);
    cost_counter(&c, k);
    uint64_t candidate = bits + index;
    COST_LUTS(&c, COST_SELECT, (double)(compared * bits),
              (double)(k == 1 ? 0 : compared * candidate), t.arg[0] > 1 ? (double)index : 0,
              (double)(tree * candidate));
    c.ff += (t.arg[0] > 1 ? index + 2 : 0) + held * one + (k > 1) + k * (one + (k > 1));
    cost_pipe(&c, 2, 1, index);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .cycles = select_cycles, .timing = select_timing,
    .step = select_step,           .cost = select_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_label_select = MODEL("hw.label_select", model);
