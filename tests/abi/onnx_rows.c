/* onnx_rows.c: a plugin of onnx.sh with ONNX operators of its own domain.
 *
 * As it is: two IR operators with 1:1 rows, and rows whose function makes several nodes. With
 * SECOND it brings one of these rows once more, with OVERRIDE on purpose; with BAD=ROW a row that
 * must be refused. Valid C11 and C++17.
 */
#include <nashc/nashc.h>

#ifndef SECOND
#define SECOND 0
#endif
#ifndef OVERRIDE
#define OVERRIDE 0
#endif

static const nashc_param scale_attrs[] = {
    {"gain", "2", NULL, "factor", NASHC_P_FLOAT, 0, {NULL}},
    {"negate", "false", NULL, "change the sign", NASHC_P_BOOL, 0, {NULL}},
    {"shift", "0", NULL, "added at the end", NASHC_P_INT, 0, {NULL}},
    {"mode", "plain", "plain|fancy", "of no effect", NASHC_P_ENUM, 0, {NULL}},
    {"note", "", NULL, "of no effect", NASHC_P_STRING, 0, {NULL}},
    {"taps", "[]", NULL, "of no effect", NASHC_P_INTS, 0, {NULL}},
    {"levels", "[]", NULL, "of no effect", NASHC_P_FLOATS, 0, {NULL}},
    {NULL, NULL, NULL, NULL, 0, 0, {NULL}},
};

static nashc_status
as_operand(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    (void)d;
    for (int k = 0; k < nashc_node_n_out(n); k++)
        out[k] = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

static nashc_status
scale_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);
    double gain = nashc_attr_float(n, 0) * (nashc_attr_bool(n, 1) ? -1 : 1);

    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set(y, i, gain * nashc_buf_get(x, i) + (double)nashc_attr_int(n, 2));
    return NASHC_OK;
}

static nashc_status
halves_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);

    for (int k = 0; k < nashc_node_n_out(n); k++)
        for (int64_t i = 0; i < x->n; i++)
            nashc_buf_set(nashc_eval_out(e, k), i, nashc_buf_get(x, i) / 2);
    return NASHC_OK;
}

static const nashc_op scale_op = {
    NASHC_DESC(nashc_op),
    .flags = NASHC_OP_ELTWISE,
    .name = "example.scale2",
    .help = "gain * x + shift",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = scale_attrs,
    .verify = NULL,
    .infer = as_operand,
    .eval = scale_eval,
};
static const nashc_op halves_op = {
    NASHC_DESC(nashc_op),   .flags = 0,          .name = "example.halves",
    .help = "x / 2, twice", .min_in = 1,         .max_in = 1,
    .min_out = 2,           .max_out = 2,        .attrs = NULL,
    .verify = NULL,         .infer = as_operand, .eval = halves_eval,
};

/* x + x, and the sign changed where the attribute says so; from version 3 on by a product. */
static nashc_status
read_twice(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0), *y;
    int64_t sign = nashc_onnx_attr_int(r, "sign", 1);

    if (!x)
        return nashc_onnx_status(r);
    if (sign != 1 && sign != -1)
        return nashc_onnx_error(r, "sign is %d, expected 1 or -1", (int)sign);
    if (nashc_onnx_version(r) >= 3)
        y = nashc_onnx_op2(r, "nn.mul", x, nashc_onnx_f32(r, 2));
    else
        y = nashc_onnx_op2(r, "nn.add", x, x);
    if (sign < 0)
        y = nashc_onnx_op1(r, "nn.neg", y, NULL);
    return nashc_onnx_set(r, 0, y, nashc_onnx_in_elem(r, 0));
}

/* Wrong on purpose: sets nothing. */
static nashc_status
read_forgets(nashc_onnx_in *r)
{
    (void)r;
    return NASHC_OK;
}

static const nashc_onnx_row rows[] = {
#if defined(BAD)
    BAD,
#elif SECOND
    {"com.example", "Twice", 1, NULL, "sign-:i", 1, 1, 1, 0, read_twice, {NULL}},
#else
    {"com.example",
     "Scale2",
     2,
     "example.scale2",
     "factor>gain:f negate:i shift:i mode:s note:s taps:I levels:F",
     1,
     1,
     1,
     0,
     NULL,
     {NULL}},
    {"com.example", "Halves", 1, "example.halves", "", 1, 1, 2, 0, NULL, {NULL}},
    {"com.example", "Twice", 1, NULL, "sign-:i", 1, 1, 1, 0, read_twice, {NULL}},
    {"com.example", "Twice", 3, NULL, "sign-:i", 1, 1, 1, 0, read_twice, {NULL}},
    {"com.example", "Forgets", 1, NULL, "", 1, 1, 1, 0, read_forgets, {NULL}},
    {"com.example",
     "Loop",
     1,
     NULL,
     "is a loop of its own",
     0,
     -1,
     1,
     NASHC_ONNX_REFUSE,
     NULL,
     {NULL}},
#endif
    {NULL, NULL, 0, NULL, NULL, 0, 0, 0, 0, NULL, {NULL}},
};

#if SECOND || defined(BAD)
#define TABLE "com.example.second"
#else
#define TABLE "com.example"
#endif
static const nashc_impl table = {
    NASHC_DESC(nashc_impl),
    .flags = OVERRIDE ? NASHC_F_OVERRIDE : 0,
    .iface = "onnx",
    .op = TABLE,
    .fn = NULL,
    .rule = rows,
};
static const nashc_impl checked = NASHC_IMPL_ONNX(TABLE, rows);

static const nashc_op *const ops[] = {&scale_op, &halves_op, NULL};
static const nashc_op *const no_ops[] = {NULL};
static const nashc_impl *const flagged[] = {&table, NULL}, *const plain[] = {&checked, NULL};

static const nashc_plugin plugin = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = TABLE,
    .version = "1.0",
    .help = "ONNX operators of its own",
    .ops = SECOND ? no_ops : ops,
    .passes = NULL,
    .pipelines = NULL,
    .frontends = NULL,
    .backends = NULL,
    .executors = NULL,
    .impls = OVERRIDE ? flagged : plain,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
