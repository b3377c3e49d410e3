/* prefix_sum.c: a plugin that takes an operator all the way from an ONNX file to its own hardware.
 *
 *     y[r][c] = x[r][0] + x[r][1] + .. + x[r][c]        along the last axis
 *
 *   cc -shared -fPIC prefix_sum.c -o prefix_sum.so $(pkg-config --cflags --libs nashc)
 *   nashc compile --load-plugin=./prefix_sum.so model.onnx -o design
 *
 * In the order of the flow, each a descriptor and a line in a list at the end of this file:
 *
 *     com.example::PrefixSum  --row of the interface onnx-->  example.prefix_sum
 *     its meaning             nashc_op: infer, eval
 *     on integers             rule of the interface scaled-integer
 *     as a layer              rule of the interface to-hw  -->  example.prefix_sum_layer
 *     the layer               nashc_op with nashc_hw: streams, meaning
 *     its Verilog             emitter of the interface verilog, which brings its own module
 *     its cycles and cost     model of the interface verilog.model
 *     a pass                  absorb-prefix-sum-into-matmul, for --extra-passes=after:streamline=..
 *
 * docs/plugins.md walks through it. Valid C11 and C++17.
 */
#include <nashc/integer.h>
#include <nashc/lower.h>
#include <nashc/model.h>
#include <nashc/onnx.h>
#include <nashc/plugin.h>
#include <nashc/rewrite.h>
#include <nashc/verilog.h>

/* Elements along the last axis of operand 0. */
static int64_t
columns_of(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    return x->rank > 0 ? x->dim[x->rank - 1] : 1;
}

/* --- from ONNX: one to one, nothing to do but to name both ------------------------------------ */

static const nashc_onnx_row onnx_rows[] = {
    {"com.example", "PrefixSum", 1, "example.prefix_sum", "", 1, 1, 1, 0, NULL, {NULL, NULL}},
    {NULL, NULL, 0, NULL, NULL, 0, 0, 0, 0, NULL, {NULL, NULL}},
};
static const nashc_impl onnx_table = NASHC_IMPL_ONNX("com.example", onnx_rows);

/* --- the operator: types and meaning -----------------------------------------------------------
 */

/* The interval of a sum of 1 to count elements of type x, as an element of *out. */
static nashc_status
sum_range(const nashc_node *n, const nashc_type *x, int64_t count, nashc_type *out, nashc_diag *d)
{
    int64_t lo = x->lo < 0 ? -x->lo : x->lo, hi = x->hi < 0 ? -x->hi : x->hi, most;

    if (!nashc_mul_size(lo > hi ? lo : hi, count, &most) || most >= (int64_t)1 << 62)
        return nashc_node_error(d, n, "%" PRId64 " elements of %s add up to more than 62 bits",
                                count, nashc_type_str(d, x));
    nashc_type_set_range(out, x->lo < 0 ? x->lo * count : x->lo, x->hi > 0 ? x->hi * count : x->hi);
    return NASHC_OK;
}

static nashc_status
prefix_sum_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    *out = *x;
    return nashc_type_is_int(x) ? sum_range(n, x, columns_of(n), out, d) : NASHC_OK;
}

/* Rows of so many columns: the meaning of the operator and of its layer. */
static void
add_up(const nashc_buf *x, nashc_buf *y, int64_t columns)
{
    bool whole = nashc_type_is_int(&y->type);
    int64_t sum = 0;
    double real = 0;

    for (int64_t i = 0; i < y->n; i++) {
        if (i % columns == 0) {
            sum = 0;
            real = 0;
        }
        if (whole) {
            sum += nashc_buf_get_int(x, i);
            nashc_buf_set_int(y, i, sum);
        } else {
            real += nashc_buf_get(x, i);
            nashc_buf_set(y, i, real);
        }
    }
}

static nashc_status
prefix_sum_eval(nashc_eval *e, const nashc_node *n)
{
    add_up(nashc_eval_in(e, 0), nashc_eval_out(e, 0), columns_of(n));
    return NASHC_OK;
}

static const nashc_op prefix_sum_op = {
    NASHC_DESC(nashc_op),
    .flags = 0,
    .name = "example.prefix_sum",
    .help = "sums of the elements up to each one, along the last axis",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = NULL,
    .verify = NULL,
    .infer = prefix_sum_infer,
    .eval = prefix_sum_eval,
    .hw = NULL,
};

/* --- on integers: y = scale * prefix_sum(i) + prefix_sum(bias) ---------------------------------
 */

/* The bias of each element, added up as the elements are. */
static const nashc_integer_array *
summed_bias(nashc_integer_walk *walk, const nashc_integer_array *bias, const nashc_type *t,
            int64_t columns)
{
    int64_t count = nashc_type_count(t);
    double *b = NASHC_NEW_N(nashc_integer_arena(walk), double, count);

    for (int64_t i = 0; b && i < count; i++)
        b[i] = nashc_integer_at(bias, t, i) + (i % columns ? b[i - 1] : 0);
    return b ? nashc_integer_by_element(walk, t, b) : NULL;
}

static bool
rebuild_prefix_sum(nashc_integer_walk *walk, nashc_node *n)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));
    nashc_integer_form *x = nashc_integer_affine(walk, nashc_node_in(n, 0));

    if (!x)
        return nashc_integer_no(walk, "its operand is not on a grid of integers");
    if (nashc_integer_varies(nashc_integer_scale(x), t, t->rank - 1))
        return nashc_integer_no(walk, "elements that are added have different scales");
    nashc_value *i = nashc_integer_of(x);
    nashc_node *sum = nashc_integer_like(walk, n, &i, 1);
    return nashc_integer_anchor(
        walk, nashc_node_out(n, 0), sum ? nashc_node_out(sum, 0) : NULL, nashc_integer_scale(x),
        summed_bias(walk, nashc_integer_bias(x), t, columns_of(n)), NULL, NULL);
}

static const nashc_integer_rule integer_rule = {
    NASHC_DESC(nashc_integer_rule),
    .flags = 0,
    .rebuild = rebuild_prefix_sum,
    .growth = NULL,
};
static const nashc_impl integer_impl =
    NASHC_IMPL_SCALED_INTEGER("example.prefix_sum", &integer_rule);

/* --- a pass: x -- prefix_sum -- matmul w  ==>  x -- matmul w', row i of w' the sum of rows i.. of
 * w
 *
 * Terminates: every rewrite removes a prefix sum.
 */
static bool
absorb_prefix_sum(nashc_rw *rw, nashc_node *matmul)
{
    nashc_node *sum = nashc_value_def_by(nashc_node_in(matmul, 0), "example.prefix_sum");
    const nashc_tensor *w = nashc_value_const(nashc_node_in(matmul, 1));

    if (!sum)
        return false;
    if (!nashc_value_one_use(nashc_node_out(sum, 0)))
        return nashc_rw_miss(rw, sum, "something else reads its result");
    if (!w || nashc_tensor_type(w)->rank != 2 || !nashc_type_is_int(nashc_tensor_type(w)))
        return nashc_rw_miss(rw, matmul, "its weights are no constant matrix of integers");
    const nashc_type *t = nashc_tensor_type(w);
    int64_t count = nashc_tensor_count(w), lo = 0, hi = 0;
    int64_t *v = NASHC_NEW_N(nashc_rw_arena(rw), int64_t, count);
    for (int64_t i = count - 1; v && i >= 0; i--) { /* from the last row up */
        v[i] = nashc_tensor_get_int(w, i) + (i + t->dim[1] < count ? v[i + t->dim[1]] : 0);
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    nashc_type wide = nashc_type_shaped(nashc_type_for_range(lo, hi), 2, t->dim);
    nashc_value *in[2] = {nashc_node_in(sum, 0),
                          v ? nashc_rw_const(rw, nashc_tensor_from_i64(&wide, v)) : NULL};
    nashc_rw_replace(rw, nashc_node_out(matmul, 0), nashc_rw_op(rw, "nn.matmul", in, 2));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.matmul", absorb_prefix_sum};
static const nashc_pattern *const absorb_patterns[] = {&absorb_pattern, NULL};

static const nashc_pass absorb_pass = {
    NASHC_DESC(nashc_pass),
    .flags = 0,
    .name = "absorb-prefix-sum-into-matmul",
    .alias = NULL,
    .help = "sum the rows of constant integer weights instead of the elements in front of them",
    .options = NULL,
    .stats = NULL,
    .needs = NULL,
    .gives = NULL,
    .patterns = absorb_patterns,
    .run = NULL,
};

/* --- the layer as an operator: an element a beat, rows of so many columns --------------------- */

enum { L_CHANNELS };

static const nashc_param layer_attrs[] = {
    {"channels", NULL, "1..", "elements of a row", NASHC_P_INT, 0, {NULL}},
    {NULL, NULL, NULL, NULL, 0, 0, {NULL}},
};

static nashc_status
layer_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t channels = nashc_attr_int(n, L_CHANNELS);

    *out = *x;
    if (nashc_type_count(x) % channels != 0)
        return nashc_node_error(d, n, "channels=%" PRId64 " does not divide the elements of %s",
                                channels, nashc_type_str(d, x));
    return sum_range(n, x, channels, out, d);
}

static nashc_status
layer_eval(nashc_eval *e, const nashc_node *n)
{
    add_up(nashc_eval_in(e, 0), nashc_eval_out(e, 0), nashc_attr_int(n, L_CHANNELS));
    return NASHC_OK;
}

static nashc_stream
one_lane(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    nashc_stream s;

    s.elem = nashc_type_shaped(*t, 0, NULL);
    s.lanes = 1;
    s.beats = nashc_type_count(t);
    s.width = t->bits;
    return s;
}

static nashc_status
layer_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    (void)d;
    in[0] = one_lane(nashc_node_in(n, 0));
    out[0] = one_lane(nashc_node_out(n, 0));
    return NASHC_OK;
}

static const nashc_hw layer_hw = {
    NASHC_DESC(nashc_hw), .flags = 0, .streams = layer_streams, .fold = NULL, .layer_kind = NULL,
};

static const nashc_op layer_op = {
    NASHC_DESC(nashc_op),
    .flags = 0,
    .name = "example.prefix_sum_layer",
    .help = "layer that adds up the elements of each row",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = layer_attrs,
    .verify = NULL,
    .infer = layer_infer,
    .eval = layer_eval,
    .hw = &layer_hw,
};

/* --- lowering: the operator becomes the layer --------------------------------------------------
 */

static const char *
why_not_prefix_sum(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return nashc_type_is_int(nashc_value_type(nashc_node_in(n, 0)))
               ? NULL
               : "its input is not an integer tensor";
}

static nashc_status
convert_prefix_sum(nashc_lower *l, nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0);

    return nashc_lower_put(
        l, n, 0,
        nashc_lower_op(l, "example.prefix_sum_layer", &x, 1, "channels=%" PRId64, columns_of(n)));
}

static const nashc_lower_rule lower_rule = {
    NASHC_DESC(nashc_lower_rule),
    .flags = 0,
    .why_not = why_not_prefix_sum,
    .convert = convert_prefix_sum,
};
static const nashc_impl lower_impl = NASHC_IMPL_TO_HW("example.prefix_sum", &lower_rule);

/* --- Verilog: the module, and how a layer sets its parameters ----------------------------------
 */

/* One register between input and skid, after docs/timing.md; nashc_pipe is the library's. */
static const char module_text[] =
    "// example_prefix_sum.v: y = sum of the elements of a row up to here.\n"
    "// Throughput 1 element/cycle, LATENCY 1. An adder of OUT_W bits; C >= 1.\n"
    "`default_nettype none\n"
    "module example_prefix_sum #(\n"
    "    parameter C        = 4,             // elements of a row\n"
    "    parameter XW       = 4,             // bits per input\n"
    "    parameter X_SIGNED = 0,\n"
    "    parameter OUT_W    = 6              // bits per output\n"
    ") (\n"
    "    input  wire             clk,\n"
    "    input  wire             rst_n,\n"
    "    input  wire [XW-1:0]    s_tdata,\n"
    "    input  wire             s_tvalid,\n"
    "    output wire             s_tready,\n"
    "    output wire [OUT_W-1:0] m_tdata,\n"
    "    output wire             m_tvalid,\n"
    "    input  wire             m_tready\n"
    ");\n"
    "    localparam CW = C > 1 ? $clog2(C) : 1;\n"
    "    localparam [CW-1:0] LAST = C - 1;\n"
    "    wire             en;\n"
    "    wire             fire = en && s_tvalid;\n"
    "    reg  [CW-1:0]    at_q;              // column of the next element\n"
    "    reg  [OUT_W-1:0] sum_q;\n"
    "    wire             sign = X_SIGNED != 0 && s_tdata[XW-1];\n"
    "    wire [OUT_W-1:0] x;\n"
    "    generate\n"
    "        if (OUT_W > XW) begin : g_wider\n"
    "            assign x = {{(OUT_W-XW){sign}}, s_tdata};\n"
    "        end else begin : g_same\n"
    "            assign x = s_tdata[OUT_W-1:0];\n"
    "        end\n"
    "    endgenerate\n"
    "    assign s_tready = en;\n"
    "\n"
    "    always @(posedge clk) if (fire) sum_q <= at_q == {CW{1'b0}} ? x : sum_q + x;\n"
    "    always @(posedge clk) begin\n"
    "        if (!rst_n) at_q <= {CW{1'b0}};\n"
    "        else if (fire) at_q <= at_q == LAST ? {CW{1'b0}} : at_q + 1'b1;\n"
    "    end\n"
    "\n"
    "    nashc_pipe #(.W(OUT_W), .LATENCY(1)) u_pipe (\n"
    "        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(sum_q),\n"
    "        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)\n"
    "    );\n"
    "endmodule\n"
    "`default_nettype wire\n";

static nashc_status
emit_layer(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    if (x->kind == NASHC_K_BIP)
        return nashc_node_unsup(d, n, "bipolar elements cannot be added up here");
    nashc_vlog_core(v, "example_prefix_sum");
    nashc_vlog_int(v, "C", nashc_attr_int(n, L_CHANNELS));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", nashc_type_is_signed(x));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
    nashc_vlog_module(v, "example_prefix_sum", module_text);
    return NASHC_OK;
}

static const nashc_impl verilog_impl = NASHC_IMPL_VERILOG("example.prefix_sum_layer", emit_layer);

/* --- its cycles and its cost: a step a beat, one stage -----------------------------------------
 */

static uint64_t
layer_cycles(const nashc_node *n)
{
    return (uint64_t)nashc_type_count(nashc_value_type(nashc_node_in(n, 0)));
}

static nashc_status
layer_timing(const nashc_node *n, nashc_timing *out)
{
    out->steps = layer_cycles(n);
    out->latency = 1;
    out->depth = 2;
    out->kind = 0;
    return NASHC_OK;
}

static void
layer_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)t;
    (void)i;
    *reads = *writes = 1;
}

/* The adder, the counter and the skid buffer. */
static nashc_status
layer_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = nashc_value_type(nashc_node_out(n, 0))->bits;

    (void)dev;
    out->lut = 12 + 2 * bits;
    out->ff = 10 + 3 * bits;
    out->bram_efficiency = out->uram_efficiency = 1;
    return NASHC_OK;
}

static const nashc_layer_model layer_model = {
    NASHC_DESC(nashc_layer_model),
    .flags = 0,
    .cycles = layer_cycles,
    .timing = layer_timing,
    .step = layer_step,
    .ring = NULL,
    .cost = layer_cost,
};
static const nashc_impl model_impl =
    NASHC_IMPL_MODEL("verilog.model", "example.prefix_sum_layer", layer_model);

/* --- the lists ----------------------------------------------------------------------------------
 */

static const nashc_op *const all_ops[] = {&prefix_sum_op, &layer_op, NULL};
static const nashc_pass *const all_passes[] = {&absorb_pass, NULL};
static const nashc_impl *const all_impls[] = {&onnx_table,   &integer_impl, &lower_impl,
                                              &verilog_impl, &model_impl,   NULL};

static const nashc_plugin prefix_sum = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "prefix-sum",
    .version = "1.0",
    .help = "prefix sums from ONNX to Verilog",
    .ops = all_ops,
    .passes = all_passes,
    .pipelines = NULL,
    .frontends = NULL,
    .backends = NULL,
    .executors = NULL,
    .impls = all_impls,
    .commands = NULL,
    .devices = NULL,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &prefix_sum;
}
