/* quantize_graph.c
 *
 *     x -- op     ==>     x -- quant(s, z) -- op          (side=input; operand `index`)
 *     op -- y     ==>     op -- quant(s, z) -- y          (side=output; result `index`)
 *
 * at every node of the ops listed, or at the node called `node`, unless a quantiser is there
 * already. All readers of a result get the quantised one. Changes values on purpose.
 */
#include "passes/support/match.h"
#include <math.h>
#include <string.h>

static nashc_value *
quantised(nashc_run *r, nashc_build *b, nashc_value *v)
{
    const nashc_opts *o = nashc_run_opts(r);
    int64_t bits = nashc_opts_int(o, "bits"), sgn = nashc_opts_bool(o, "signed");
    int64_t top = INT64_C(1) << (bits - sgn), narrow = nashc_opts_bool(o, "narrow");
    nashc_value *in[] = {v, nashc_build_f32(b, (float)nashc_opts_float(o, "scale")),
                         nashc_build_f32(b, (float)nashc_opts_float(o, "zero-point"))};

    return nashc_build_op(b, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 " rounding=%s",
                          sgn ? narrow - top : 0, sgn ? top - 1 : top - 1 - narrow,
                          nashc_opts_str(o, "rounding"));
}

static bool
is_quantiser(const nashc_node *n)
{
    return n && !strncmp(nashc_node_opname(n), "q.", 2);
}

static nashc_status
quantize(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    const char *ops = nashc_opts_str(o, "ops"), *name = nashc_opts_str(o, "node");
    int i = (int)nashc_opts_int(o, "index");
    bool input = !strcmp(nashc_opts_str(o, "side"), "input");
    nashc_build *b = nashc_run_build(r, g);
    double scale = nashc_opts_float(o, "scale"), zero = nashc_opts_float(o, "zero-point");

    if (!((float)scale > 0) || isinf((float)scale))
        return nashc_usage(nashc_run_diag(r), "quantize-graph: scale %g is not positive and finite",
                           scale);
    if (!isfinite((float)zero))
        return nashc_usage(nashc_run_diag(r), "quantize-graph: zero-point %g is not finite", zero);
    NASHC_EACH_NODE(g, n)
    {
        const char *own = nashc_node_loc(n)->name;
        if (*name ? !own || strcmp(own, name) : !match_listed(ops, nashc_node_opname(n)))
            continue;
        nashc_value *v = input                     ? nashc_node_in(n, i)
                         : i < nashc_node_n_out(n) ? nashc_node_out(n, i)
                                                   : NULL;
        const nashc_node *user = v && !input ? nashc_value_one_user(v) : NULL;
        if (!v || is_quantiser(input ? nashc_value_def(v) : user)) {
            nashc_run_miss(r, n, v ? "a quantiser is there already" : "there is no such value");
            continue;
        }
        if (!nashc_run_edit(r, "quantize", n))
            break;
        nashc_build_before(b, input ? n : nashc_node_next(n));
        nashc_build_loc(b, nashc_node_loc(n));
        nashc_value *q = quantised(r, b, v);
        if (!q)
            return nashc_build_status(b);
        if (input) {
            nashc_node_set_in(n, i, q);
        } else {
            nashc_value_replace(v, q);
            nashc_node_set_in(nashc_value_def(q), 0, v);
        }
    }
    return nashc_graph_infer(g, nashc_run_diag(r));
}

static const nashc_param quantize_options[] = {
    {.name = "ops", .def = "", .help = "ops to quantise at", .kind = NASHC_P_STRING},
    {.name = "node", .def = "", .help = "name of one node instead", .kind = NASHC_P_STRING},
    {.name = "side",
     .def = "input",
     .domain = "input|output",
     .help = "in front of the node, or behind it",
     .kind = NASHC_P_ENUM},
    {.name = "index", .def = "0", .domain = "0..7", .help = "which", .kind = NASHC_P_INT},
    {.name = "scale", .def = NULL, .help = "scale of the quantiser", .kind = NASHC_P_FLOAT},
    {.name = "zero-point", .def = "0", .help = "its zero point", .kind = NASHC_P_FLOAT},
    {.name = "bits", .def = "8", .domain = "1..32", .help = "its width", .kind = NASHC_P_INT},
    {.name = "signed", .def = "true", .help = "codes with a sign", .kind = NASHC_P_BOOL},
    {.name = "narrow", .def = "false", .help = "one code less", .kind = NASHC_P_BOOL},
    {.name = "rounding",
     .def = "round",
     .domain = "round|ceil|floor|up|down|half_up|half_down|dpu",
     .help = "its rounding",
     .kind = NASHC_P_ENUM},
    {0},
};

const nashc_pass nashc_pass_quantize_graph = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "quantize-graph",
    .alias = "QuantizeGraph",
    .help = "insert quantisers at ops or at a node (changes values)",
    .options = quantize_options,
    .run = quantize,
};
