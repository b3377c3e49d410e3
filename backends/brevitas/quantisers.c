/* quantisers.c: quantisers of activations, and the truncation behind a mean. */
#include "brevitas.h"
#include <math.h>
#include <string.h>

int
brev_bits(int64_t lo, int64_t hi, bool *sign, bool *narrow)
{
    *sign = lo < 0;
    *narrow = lo == -hi;
    for (int bits = 1; bits <= 32; bits++) {
        int64_t top = ((int64_t)1 << (bits - *sign)) - 1;
        if (hi == top && (lo == 0 || *narrow || lo == -top - 1))
            return bits;
    }
    return 0;
}

/* Weights' quantisers are said by their layer. */
static bool
of_weights(const nashc_node *n)
{
    return nashc_value_const(nashc_node_in(n, 0)) != NULL;
}

const nashc_node *
brev_module_of(const brev *b, const nashc_node *n)
{
    if (!nashc_node_is(n, "q.quant"))
        return n;
    NASHC_EACH_NODE(b->g, first)
    {
        if (first == n)
            break;
        if (nashc_node_is(first, "q.quant") && nashc_node_in(first, 1) == nashc_node_in(n, 1))
            return first;
    }
    return n;
}

static bool
is_fixed(const brev *b, const nashc_node *n)
{
    return !b->trained[nashc_value_id(nashc_node_in(n, 0))];
}

static nashc_status
quant_check(brev *b, const nashc_node *n)
{
    const nashc_value *scale = nashc_node_in(n, 1), *zero = nashc_node_in(n, 2);
    const nashc_node *first = brev_module_of(b, n);
    bool sign, narrow;

    if (of_weights(n))
        return NASHC_OK;
    if (!nashc_value_const(scale) || nashc_tensor_count(nashc_value_const(scale)) != 1)
        return brev_refuse(b, n, "its scale is not one constant");
    if (zero && (!nashc_value_const(zero) || brev_scalar(zero) != 0.0))
        return brev_refuse(b, n, "its zero point is not 0");
    if (strcmp(nashc_node_str(n, "rounding"), "round") != 0 ||
        !brev_bits(nashc_node_int(n, "qmin"), nashc_node_int(n, "qmax"), &sign, &narrow))
        return brev_refuse(b, n, "its codes are of no integer type with rounding to nearest");
    if (nashc_node_int(n, "qmin") != nashc_node_int(first, "qmin") ||
        nashc_node_int(n, "qmax") != nashc_node_int(first, "qmax") ||
        is_fixed(b, n) != is_fixed(b, first))
        return brev_refuse(b, n, "its scale is shared by a quantiser of another range");
    return NASHC_OK;
}

static void
quant_module(brev *b, const nashc_node *n)
{
    int64_t lo = nashc_node_int(n, "qmin"), hi = nashc_node_int(n, "qmax");
    bool sign, narrow, fixed = is_fixed(b, n);
    int bits = brev_bits(lo, hi, &sign, &narrow);
    /* Brevitas divides the threshold by the code of its end, a full range by that of the lower. */
    double threshold = brev_scalar(nashc_node_in(n, 1)) * (double)(-lo > hi ? -lo : hi);

    nashc_out_printf(b->f, "qnn.QuantIdentity(act_quant=%s%sAct, bit_width=%d",
                     fixed ? "Fixed" : "", sign ? "Signed" : "Unsigned", bits);
    if (sign)
        nashc_out_printf(b->f, ", min_val=%.9g, narrow_range=%s", -threshold,
                         narrow ? "True" : "False");
    nashc_out_printf(b->f, ", max_val=%.9g, return_quant_tensor=True)", threshold);
}

static void
quant_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "self.%s(%s)", brev_module(b, brev_module_of(b, n)), brev_in(b, n, 0));
}

/* NAME.v for the scale NAME.scale, as `nashc train` has it. */
static void
quant_table(brev *b, const nashc_node *n)
{
    const char *scale = nashc_value_name(nashc_node_in(n, 1));
    size_t len = strlen(scale);

    if (is_fixed(b, n))
        return;
    if (len > 6 && strcmp(scale + len - 6, ".scale") == 0)
        len -= 6;
    nashc_out_printf(b->f, "        \"%.*s.v\": (\"%s.@\", False),\n", (int)len, scale,
                     brev_module(b, n));
}

/* --- signs ----------------------------------------------------------------------------------- */

static nashc_status
sign_check(brev *b, const nashc_node *n)
{
    if (of_weights(n))
        return NASHC_OK;
    if (!nashc_value_const(nashc_node_in(n, 1)) ||
        nashc_tensor_count(nashc_value_const(nashc_node_in(n, 1))) != 1)
        return brev_refuse(b, n, "its scale is not one constant");
    return NASHC_OK;
}

static void
sign_module(brev *b, const nashc_node *n)
{
    nashc_out_printf(
        b->f, "qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst, scaling_init=%.9g)",
        brev_scalar(nashc_node_in(n, 1)));
}

static void
sign_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "self.%s(%s)", brev_module(b, n), brev_in(b, n, 0));
}

/* --- truncation ------------------------------------------------------------------------------ */

/* The mean of codes that it cuts: one module with it in Brevitas. */
static const nashc_node *
pool_of(const nashc_node *n)
{
    const nashc_node *pool = nashc_value_def_by(nashc_node_in(n, 0), "nn.avgpool");

    return pool && nashc_value_one_use(nashc_node_in(n, 0)) &&
                   nashc_value_def_by(nashc_node_in(pool, 0), "q.quant")
               ? pool
               : NULL;
}

static nashc_status
trunc_check(brev *b, const nashc_node *n)
{
    if (!pool_of(n) || strcmp(nashc_node_str(n, "rounding"), "floor") != 0 ||
        nashc_node_bool(n, "signed") || !nashc_node_in(n, 3))
        return brev_refuse(b, n,
                           "only the floor of an average pool of unsigned codes is known, with a "
                           "scale of its own");
    return NASHC_OK;
}

static void
trunc_module(brev *b, const nashc_node *n)
{
    int k;
    const int64_t *kernel = nashc_node_ints(pool_of(n), "kernel", &k);

    nashc_out_printf(b->f, "qnn.TruncAvgPool2d(%s, trunc_quant=TruncTo8bit, bit_width=%" PRId64 ")",
                     brev_tuple(b, kernel, k), nashc_node_int(n, "out_bits"));
}

static void
trunc_call(brev *b, const nashc_node *n)
{
    nashc_out_printf(b->f, "self.%s(%s)", brev_module(b, n),
                     b->name[nashc_value_id(nashc_node_in(pool_of(n), 0))]);
}

/* --- which nodes are modules ----------------------------------------------------------------- */

bool
brev_is_part(const nashc_node *n)
{
    const nashc_node *user = nashc_value_one_user(nashc_node_out(n, 0));

    if (nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant"))
        return of_weights(n);
    return nashc_node_is(n, "nn.avgpool") && user && nashc_node_is(user, "q.trunc") &&
           pool_of(user) == n;
}

/* NAME for NAME.weight and NAME.scale. */
const char *
brev_module_name(brev *b, const nashc_node *n)
{
    static const char *const ends[] = {".weight", ".scale"};
    const nashc_node *q = brev_weights(n, 1);
    bool trunc = nashc_node_is(n, "q.trunc");
    const char *name =
        trunc ? "trunc" : nashc_value_name(q ? nashc_node_in(q, 0) : nashc_node_in(n, 1));
    size_t len = strlen(name);

    for (size_t i = 0; i < NASHC_COUNT(ends); i++) {
        size_t k = strlen(ends[i]);
        if (len > k && strcmp(name + len - k, ends[i]) == 0)
            return nashc_arena_printf(b->a, "%.*s", (int)(len - k), name);
    }
    return name;
}

const brev_emitter brev_quantisers[] = {
    {"q.quant", quant_check, quant_module, quant_call, quant_table},
    {"q.bipolar_quant", sign_check, sign_module, sign_call, NULL},
    {"q.trunc", trunc_check, trunc_module, trunc_call, NULL},
    {0},
};
