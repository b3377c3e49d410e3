/* threshold.c: thresholds, requantisers, tables and selections as layers.
 *
 *     q.multithreshold        hw.thresholding, before hw.channelwise if the count is scaled
 *     q.requant               hw.requant
 *     q.lut                   hw.lut
 *     nn.argmax, nn.topk      hw.label_select; the one largest value hw.pool
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

/* Positions behind a channel in the row-major order. Where there are several, a layer with a row of
 * parameters a channel gets a row a position instead: the channel of row i is i / positions. */
static int64_t
positions(const nashc_type *t)
{
    int64_t inner = 1;

    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    return inner;
}

#define MAX_ROWS (1 << 16) /* of parameters that are repeated so */

static bool
can_repeat(const nashc_type *t, int64_t columns)
{
    int64_t rows = nashc_type_channels(t) * positions(t);

    return positions(t) == 1 || (rows <= MAX_ROWS && rows * columns <= 16 * MAX_ROWS);
}

/* Each of `rows` rows `times` times in a row. */
static int64_t *
repeat_rows(nashc_lower *l, const int64_t *v, int64_t rows, int64_t columns, int64_t times)
{
    int64_t *out = NASHC_NEW_N(nashc_lower_arena(l), int64_t, rows * times * columns);

    for (int64_t r = 0; out && r < rows * times; r++)
        memcpy(out + r * columns, v + r / times * columns, sizeof *out * (size_t)columns);
    return out;
}

const char *
lower_why_not_thresholds(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *x = nashc_node_in(n, 0), *t = nashc_node_in(n, 1),
                      *dir = nashc_node_in(n, 2);

    (void)a;
    if (!lower_is_int(x))
        return "its input is not an integer tensor";
    if (!t || !nashc_value_const(t) || (dir && !nashc_value_const(dir)))
        return "its thresholds are not constant";
    const nashc_type *tt = nashc_value_type(t), *xt = nashc_value_type(x);
    if (tt->rank != 2 || !nashc_tensor_all_finite(nashc_value_const(t)))
        return "its thresholds are not a matrix of finite numbers";
    if ((tt->dim[0] > 1 || dir) && !can_repeat(xt, tt->dim[1]))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

static nashc_status
convert_thresholds(nashc_lower *l, nashc_node *n)
{
    const nashc_type *xt = nashc_value_type(nashc_node_in(n, 0));
    nashc_value *x = nashc_lower_in(l, n, 0);
    const nashc_type *st = nashc_value_type(x);
    int64_t channels = nashc_type_channels(xt);
    int64_t times = positions(xt);
    lower_thresholds s;

    nashc_status status = lower_prepare_thresholds(n, NULL, 0, channels, st->lo, st->hi,
                                                   nashc_lower_arena(l), &s, nashc_lower_diag(l));
    if (status != NASHC_OK)
        return status;
    if (times > 1 && (s.rows > 1 || s.dir)) {
        s.t = s.rows > 1 ? repeat_rows(l, s.t, s.rows, s.n, times) : s.t;
        s.dir = s.dir ? repeat_rows(l, s.dir, channels, 1, times) : NULL;
        channels *= times;
        s.rows = s.rows > 1 ? channels : 1;
        if (!s.t)
            return nashc_enomem(nashc_lower_diag(l));
    }
    if (s.dir && channels == 1) { /* a direction a column */
        channels = st->dim[st->rank - 1];
        s.dir = repeat_rows(l, s.dir, 1, 1, channels);
        if (!s.dir)
            return nashc_enomem(nashc_lower_diag(l));
    }
    if (s.dir && s.rows == 1 && channels != st->dim[st->rank - 1]) {
        int64_t *t =
            NASHC_NEW_N(nashc_lower_arena(l), int64_t, channels * s.n); /* a row a channel again */
        if (!t)
            return nashc_enomem(nashc_lower_diag(l));
        for (int64_t i = 0; i < channels * s.n; i++)
            t[i] = s.t[i % s.n];
        s.t = t;
        s.rows = channels;
    }
    nashc_value *in[3] = {x, nashc_lower_matrix(l, s.t, s.rows, s.n, NULL),
                          lower_directions(l, &s, channels)};
    x = nashc_lower_op(l, "hw.thresholding", in, in[2] ? 3 : 2, "%s", lower_thresholds_text(l, &s));
    return nashc_lower_put(l, n, 0, lower_put_affine(l, x, &s));
}

/* --- the others ---------------------------------------------------------------------------------
 */

/* The stream of operand 0 of n, bipolar elements as the integers -1 and +1. */
static nashc_value *
integers(nashc_lower *l, const nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0);

    return nashc_value_type(x)->kind == NASHC_K_BIP
               ? lower_put_channelwise(l, x, "add", &(int64_t){0}, 1)
               : x;
}

static const char *
why_not_requant(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *m = nashc_value_type(nashc_node_in(n, 1));
    const nashc_type *b = nashc_value_type(nashc_node_in(n, 2));

    (void)a;
    if (nashc_node_int(n, "qmin") < INT32_MIN || nashc_node_int(n, "qmax") > INT32_MAX)
        return "a bound of its result exceeds 32 bits";
    if ((m->dim[0] > 1 || b->dim[0] > 1) && !can_repeat(x, 2))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

/* A constant vector of q.requant as one column, a row for each of `rows` channels, each repeated.
 */
static nashc_value *
column(nashc_lower *l, const nashc_value *v, int64_t rows, int64_t times)
{
    const nashc_tensor *t = nashc_value_const(v);
    int64_t n = nashc_tensor_count(t),
            *out = NASHC_NEW_N(nashc_lower_arena(l), int64_t, rows * times);

    for (int64_t i = 0; out && i < rows * times; i++)
        out[i] = nashc_tensor_get_int(t, n == 1 ? 0 : i / times);
    return out ? nashc_lower_matrix(l, out, rows * times, 1, NULL) : NULL;
}

static nashc_status
convert_requant(nashc_lower *l, nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    nashc_value *m = nashc_node_in(n, 1), *a = nashc_node_in(n, 2);
    bool one = nashc_value_type(m)->dim[0] == 1 && nashc_value_type(a)->dim[0] == 1;
    int64_t rows = one ? 1 : nashc_type_channels(x), times = one ? 1 : positions(x);
    nashc_value *in[3] = {integers(l, n), column(l, m, rows, times), column(l, a, rows, times)};

    if (!in[0] || !in[1] || !in[2])
        return nashc_enomem(nashc_lower_diag(l));
    return nashc_lower_put(l, n, 0,
                           nashc_lower_op(l, "hw.requant", in, 3,
                                          "shift=%" PRId64 " qmin=%" PRId64 " qmax=%" PRId64
                                          " ties_even=%s",
                                          nashc_node_int(n, "shift"), nashc_node_int(n, "qmin"),
                                          nashc_node_int(n, "qmax"),
                                          nashc_node_int(n, "ties_even") ? "true" : "false"));
}

static const char *
why_not_lut(const nashc_node *n, nashc_arena *a)
{
    const nashc_value *t = nashc_node_in(n, 1);

    (void)a;
    if (!lower_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    if (!lower_is_int(t) || !nashc_value_const(t) || nashc_value_type(t)->rank != 2)
        return "its table is not a constant integer matrix";
    if (nashc_value_type(t)->dim[0] > 1 &&
        !can_repeat(nashc_value_type(nashc_node_in(n, 0)), nashc_value_type(t)->dim[1]))
        return "its channels are not the innermost dimension of the stream, which is too long";
    return NULL;
}

static nashc_status
convert_lut(nashc_lower *l, nashc_node *n)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t);
    nashc_value *x = integers(l, n);

    if (!x)
        return nashc_lower_status(l);
    const nashc_type *st = nashc_value_type(x);
    int64_t first = nashc_node_int(n, "lo"), rows = tt->dim[0], last = first + tt->dim[1] - 1;
    int64_t lo = st->lo < first ? st->lo : first,
            columns = (st->hi > last ? st->hi : last) - lo + 1;
    int64_t times = rows > 1 ? positions(nashc_value_type(nashc_node_in(n, 0))) : 1;
    int64_t *v = NASHC_NEW_N(nashc_lower_arena(l), int64_t, rows * columns);

    /* The stream's type may be wider than what the tensor holds: entries that are never read. */
    for (int64_t i = 0; v && i < rows * columns; i++) {
        int64_t e = i % columns + lo;
        e = e < first ? first : e > last ? last : e;
        v[i] = nashc_tensor_get_int(t, i / columns * tt->dim[1] + e - first);
    }
    v = v ? repeat_rows(l, v, rows, columns, times) : NULL;
    if (!v)
        return nashc_enomem(nashc_lower_diag(l));
    nashc_value *in[2] = {x, nashc_lower_matrix(l, v, rows * times, columns, tt)};
    return nashc_lower_put(l, n, 0, nashc_lower_op(l, "hw.lut", in, 2, "lo=%" PRId64, lo));
}

/* The axis that nn.argmax or nn.topk n looks along. */
static int
axis_of(const nashc_node *n)
{
    int axis = (int)nashc_node_int(n, "axis");

    return axis < 0 ? axis + nashc_value_type(nashc_node_in(n, 0))->rank : axis;
}

static const char *
why_not_select(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    bool topk = nashc_node_is(n, "nn.topk");

    (void)a;
    if (!lower_is_int(nashc_node_in(n, 0)))
        return "its input is not an integer tensor";
    for (int i = axis_of(n) + 1; i < x->rank; i++)
        if (x->dim[i] != 1)
            return "it does not run along the innermost dimension";
    if (topk && nashc_node_int(n, "k") > 1 && nashc_value_n_uses(nashc_node_out(n, 0)) > 0)
        return "its values are read, the layer gives indices only";
    if (!topk && nashc_node_bool(n, "select_last"))
        return "it takes the last of equal elements";
    return NULL;
}

/* The smallest elements are the largest of -x. */
static nashc_status
convert_select(nashc_lower *l, nashc_node *n)
{
    int64_t labels = nashc_value_type(nashc_node_in(n, 0))->dim[axis_of(n)];
    int64_t window[3] = {labels, 1, 1}, minus = -1;
    nashc_value *x = nashc_lower_in(l, n, 0);
    bool topk = nashc_node_is(n, "nn.topk");
    bool least = topk && !nashc_node_bool(n, "largest");
    nashc_status s = NASHC_OK;

    if (topk && nashc_value_n_uses(nashc_node_out(n, 0)) > 0)
        s = nashc_lower_put(l, n, 0, lower_put_pool(l, x, least ? "min" : "max", window, 1));
    x = least ? lower_put_channelwise(l, x, "mul", &minus, 1) : x;
    if (s != NASHC_OK || !x)
        return s != NASHC_OK ? s : nashc_lower_status(l);
    return nashc_lower_put(
        l, n, topk,
        nashc_lower_op(l, "hw.label_select", &x, 1, "k=%" PRId64 " labels=%" PRId64,
                       topk ? nashc_node_int(n, "k") : 1, lower_columns(x, labels)));
}

static const nashc_lower_rule thresholds_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = lower_why_not_thresholds,
    .convert = convert_thresholds,
};

const nashc_impl nashc_impl_to_hw_q_multithreshold =
    NASHC_IMPL_TO_HW("q.multithreshold", &thresholds_rule);

static const nashc_lower_rule requant_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_requant,
    .convert = convert_requant,
};

const nashc_impl nashc_impl_to_hw_q_requant = NASHC_IMPL_TO_HW("q.requant", &requant_rule);

static const nashc_lower_rule lut_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_lut,
    .convert = convert_lut,
};

const nashc_impl nashc_impl_to_hw_q_lut = NASHC_IMPL_TO_HW("q.lut", &lut_rule);

static const nashc_lower_rule select_rule = {
    NASHC_DESC(nashc_lower_rule),
    .why_not = why_not_select,
    .convert = convert_select,
};

const nashc_impl nashc_impl_to_hw_nn_argmax = NASHC_IMPL_TO_HW("nn.argmax", &select_rule);
const nashc_impl nashc_impl_to_hw_nn_topk = NASHC_IMPL_TO_HW("nn.topk", &select_rule);
