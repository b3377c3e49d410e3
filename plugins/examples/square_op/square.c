/* square.c: a plugin with a new operator, the pass that introduces it, and its way into hardware.
 *
 *     nn.mul(x, x)    ==>    square.square(x)    ==>    hw.add_streams(x, x) func=mul
 *
 *   cc -shared -fPIC square.c -o square.so $(pkg-config --cflags --libs nashc)
 *   nashc opt --load-plugin=./square.so -passes=use-square --check-each model.nashir -o -
 *
 * The operator says its type (infer) and its meaning (eval); with these two the verifier, the
 * reference executor, --check-each and the text form work on it like on any built-in one.
 * Valid C11 and C++17.
 */
#include <nashc/lower.h>
#include <nashc/plugin.h>
#include <nashc/rewrite.h>

static nashc_status
square_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t big;

    *out = *x;
    if (!nashc_type_is_int(x))
        return NASHC_OK;
    big = -x->lo > x->hi ? -x->lo : x->hi;
    if (big >= (int64_t)1 << 31)
        return nashc_node_error(d, n, "the square of %s does not fit 64 bits",
                                nashc_type_str(d, x));
    nashc_type_set_range(out, 0, big * big);
    return NASHC_OK;
}

static nashc_status
square_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);

    (void)n;
    if (nashc_type_is_int(&y->type)) {
        for (int64_t i = 0; i < y->n; i++)
            nashc_buf_set_int(y, i, nashc_buf_get_int(x, i) * nashc_buf_get_int(x, i));
    } else {
        for (int64_t i = 0; i < y->n; i++)
            nashc_buf_set(y, i, nashc_buf_get(x, i) * nashc_buf_get(x, i));
    }
    return NASHC_OK;
}

static const nashc_op square_op = {
    NASHC_DESC(nashc_op),
    .flags = NASHC_OP_ELTWISE,
    .name = "square.square",
    .help = "x * x, element by element",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = NULL,
    .verify = NULL,
    .infer = square_infer,
    .eval = square_eval,
};

/* Terminates: every rewrite removes an nn.mul. */
static bool
use_square(nashc_rw *rw, nashc_node *mul)
{
    nashc_value *x = nashc_node_in(mul, 0);

    if (nashc_node_in(mul, 1) != x)
        return nashc_rw_miss(rw, mul, "the operands are different tensors");
    nashc_rw_replace(rw, nashc_node_out(mul, 0), nashc_rw_op(rw, "square.square", &x, 1));
    return true;
}

static const nashc_pattern use_square_pattern = {"nn.mul", use_square};
static const nashc_pattern *const use_square_patterns[] = {&use_square_pattern, NULL};

static const nashc_pass use_square_pass = {
    NASHC_DESC(nashc_pass),
    .flags = 0,
    .name = "use-square",
    .alias = "UseSquare",
    .help = "turn products of a tensor with itself into squares",
    .options = NULL,
    .stats = NULL,
    .needs = NULL,
    .gives = NULL,
    .patterns = use_square_patterns,
};

/* As a layer: the product of two streams, which are one here. */
static const char *
why_not_square(const nashc_node *n, nashc_arena *a)
{
    (void)a;
    return nashc_type_is_int(nashc_value_type(nashc_node_in(n, 0)))
               ? NULL
               : "its input is not an integer tensor";
}

static nashc_status
convert_square(nashc_lower *l, nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0);
    nashc_value *in[2] = {x, x};

    return nashc_lower_put(l, n, 0, nashc_lower_op(l, "hw.add_streams", in, 2, "func=mul"));
}

static const nashc_lower_rule square_rule = {
    NASHC_DESC(nashc_lower_rule),
    .flags = 0,
    .why_not = why_not_square,
    .convert = convert_square,
};
static const nashc_impl square_to_hw = NASHC_IMPL_TO_HW("square.square", &square_rule);

static const nashc_op *const square_ops[] = {&square_op, NULL};
static const nashc_pass *const square_passes[] = {&use_square_pass, NULL};
static const nashc_impl *const square_impls[] = {&square_to_hw, NULL};

static const nashc_plugin square = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "square",
    .version = "1.0",
    .help = "a squaring operator, its pass and its lowering rule",
    .ops = square_ops,
    .passes = square_passes,
    .pipelines = NULL,
    .frontends = NULL,
    .backends = NULL,
    .executors = NULL,
    .impls = square_impls,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &square;
}
