/* set_input_datatype.c: the user's word that a float input holds integers times a scale.
 *
 *     x     ==>     quant(x; S, codes) -- mul S -- add B
 *
 * The graph is unchanged for inputs on the grid S * integer + B. A fixed point type is an integer
 * times its step.
 */
#include "passes/graph/graft.h"
#include <string.h>

static const nashc_param set_input_datatype_options[] = {
    {.name = "datatype",
     .help = "QONNX or IR name of the element, UINT8 or FIXED<16,6>",
     .kind = NASHC_P_STRING},
    {.name = "scale", .def = "1", .help = "value of one integer step", .kind = NASHC_P_FLOAT},
    {.name = "bias", .def = "0", .help = "value of integer 0", .kind = NASHC_P_FLOAT},
    {.name = "input",
     .def = "",
     .help = "name of the input; empty: all float inputs",
     .kind = NASHC_P_STRING},
    {0},
};

static void
insert(nashc_build *b, nashc_value *x, const nashc_type *t, double scale, double bias)
{
    nashc_value *from = x;
    bool bip = t->kind == NASHC_K_BIP;
    /* built first and swapped in afterwards: x must not read itself */
    nashc_value *hold = nashc_build_op(b, "nn.identity", &x, 1, NULL);
    if (!hold)
        return;
    nashc_value_replace(x, hold);
    nashc_node_set_in(nashc_value_def(hold), 0, x);
    if (bias != 0)
        from = nashc_build_op(b, "nn.sub", (nashc_value *[]){x, nashc_build_f64(b, bias)}, 2, NULL);
    nashc_value *in[3] = {from, nashc_build_f64(b, scale), nashc_build_f32(b, 0)};
    nashc_value *q =
        bip ? nashc_build_op(b, "q.bipolar_quant", in, 2, "codes=true")
            : nashc_build_op(b, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 " codes=true",
                             t->lo, t->hi);
    nashc_value *y =
        nashc_build_op(b, "nn.mul", (nashc_value *[]){q, nashc_build_f64(b, scale)}, 2, NULL);
    if (bias != 0)
        y = nashc_build_op(b, "nn.add", (nashc_value *[]){y, nashc_build_f64(b, bias)}, 2, NULL);
    if (!y)
        return;
    nashc_value_replace(hold, y);
    nashc_node_erase(nashc_value_def(hold), false);
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    nashc_diag *d = nashc_run_diag(r);
    const char *name = nashc_opts_str(o, "datatype"), *only = nashc_opts_str(o, "input"), *s = name;
    double scale = nashc_opts_float(o, "scale"), bias = nashc_opts_float(o, "bias");
    nashc_build *b = nashc_run_build(r, g);
    nashc_type t = {0};
    int found = 0;

    if (!b)
        return nashc_enomem(d);
    if (graft_is_called(g)) /* its inputs are results inside of the model */
        return NASHC_OK;
    if (!nashc_type_from_finn_name(name, &t) && !(nashc_type_parse(&s, &t) && !*s))
        return nashc_usage(d,
                           "unknown datatype %s: expected a name such as UINT8, INT4 or "
                           "FIXED<16,6>",
                           nashc_quote(d, name));
    if (nashc_type_is_float(&t))
        return NASHC_OK;
    if (!(scale > 0))
        return nashc_usage(d, "the scale of an input must be positive");
    if (t.bits > 24)
        return nashc_usage(d, "datatype %s has more than the 24 bits that a float input can hold",
                           nashc_quote(d, name));
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        nashc_value *x = nashc_graph_input(g, i);
        if (*only && strcmp(only, nashc_value_name(x)) != 0)
            continue;
        found++;
        if (!nashc_type_is_float(nashc_value_type(x)) || !nashc_run_edit(r, "input type", NULL))
            continue;
        nashc_build_before(b, nashc_graph_first(g));
        insert(b, x, &t, scale * nashc_type_ulp(&t), bias);
    }
    if (*only && !found)
        return nashc_usage(d, "the graph has no input %s", nashc_quote(d, only));
    return nashc_build_status(b);
}

const nashc_pass nashc_pass_set_input_datatype = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "set-input-datatype",
    .alias = "set-input-type",
    .help = "declare that a float input holds integers of a type, times a scale",
    .options = set_input_datatype_options,
    .run = run,
};
