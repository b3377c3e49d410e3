/* concat.c: two streams that take turns: hw.concat(a, b) and its inverse hw.split(x).
 *
 *     hw.concat   na elements of a, then nb of b, again and again
 *     hw.split    na elements to the first result, then nb to the second, again and again
 *
 * parts = [na,nb], one round: the channel counts along the channels, larger chunks along another
 * axis. A step a beat moves it from or to the one whose turn it is. hardware.md B.13.
 */
#include "ir/ops/ops.h"
#include "layer.h"

enum { T_PE, T_PARTS, T_CHANNELS }; /* of both */

#define TURN_ATTRS                                                                                 \
    ATTR(INT, "pe", "1", "1..", "elements a beat"),                                                \
        ATTR(INTS, "parts", NULL, "len=2;1..2147483648", "elements of either in a round")

static int64_t
count_of(const nashc_node *n, int i)
{
    return nashc_type_count(ops_type(n, i));
}

static const int64_t *
parts(const nashc_node *n)
{
    int count; /* 2 */

    return nashc_attr_ints(n, T_PARTS, &count);
}

/* *out, the element of a result of count of them, becomes its type: rows of so many columns, where
 * those are 0 of part elements. */
static nashc_status
matrix(const nashc_node *n, int64_t count, int64_t columns, int64_t part, nashc_type *out,
       nashc_diag *d)
{
    nashc_type elem = *out;

    if (columns == 0)
        columns = part;
    if (count % columns != 0)
        return nashc_node_error(
            d, n, "channels=%" PRId64 " does not divide the %" PRId64 " elements of a result",
            columns, count);
    *out = hw_matrix_type(&elem, count / columns, columns);
    return ops_check_shape(n, out, d);
}

static nashc_status
turns_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t pe = nashc_attr_int(n, T_PE);
    nashc_status s = hw_check_divides(n, "pe", pe, parts(n)[0], d);

    return s != NASHC_OK ? s : hw_check_divides(n, "pe", pe, parts(n)[1], d);
}

static uint64_t
turns_cycles(const nashc_node *n)
{
    int64_t count = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        count += count_of(n, i);
    return (uint64_t)(count / nashc_attr_int(n, T_PE));
}

/* Is step i the second's? */
static bool
second(const nashc_node *n, uint64_t i)
{
    uint64_t pe = (uint64_t)nashc_attr_int(n, T_PE);
    uint64_t a = (uint64_t)parts(n)[0] / pe, b = (uint64_t)parts(n)[1] / pe;

    return i % (a + b) >= a;
}

static bool
turns_fold(const nashc_node *n, int64_t k, char *text)
{
    int64_t a = parts(n)[0], b = parts(n)[1];

    while (b > 0) { /* pe divides both: the divisors of their gcd */
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return hw_fold_pe(a, k, text);
}

/* The counter of nashc_turns, and what a lane of so many bits costs. */
static nashc_status
turns_cost(const nashc_node *n, uint64_t lut, uint64_t ff, const nashc_device *dev, nashc_cost *out)
{
    uint64_t pe = (uint64_t)nashc_attr_int(n, T_PE), a = (uint64_t)parts(n)[0] / pe;
    uint64_t b = (uint64_t)parts(n)[1] / pe, counter = (uint64_t)hw_clog2(a > b ? a : b);

    *out = (nashc_cost){.lut = 8 + 2 * counter + pe * lut,
                        .ff = 5 + counter + pe * ff,
                        .bram_efficiency = 1,
                        .uram_efficiency = 1};
    if (dev && dev->lut_inputs == 4)
        out->lut = out->lut * 8 / 5;
    return NASHC_OK;
}

/* --- concat --------------------------------------------------------------------------------------
 */

static const nashc_param concat_attrs[] = {
    TURN_ATTRS,
    ATTR(INT, "channels", "0", "0..2147483648", "columns of the result, 0: those of a round"),
    {0},
};

static nashc_status
concat_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t na = parts(n)[0], nb = parts(n)[1];
    nashc_status s;

    for (int i = 0; i < 2; i++)
        if ((s = hw_check_stream(n, i, d)) != NASHC_OK)
            return s;
    int64_t a = count_of(n, 0), b = count_of(n, 1);
    if (a % na != 0 || b % nb != 0 || a / na != b / nb)
        return nashc_node_error(
            d, n, "%s and %s are not as many parts of %" PRId64 " and %" PRId64 " elements",
            nashc_type_str(d, ops_type(n, 0)), nashc_type_str(d, ops_type(n, 1)), na, nb);
    *out = *ops_type(n, 0);
    ops_hull_elem(n, out);
    return matrix(n, a + b, nashc_attr_int(n, T_CHANNELS), na + nb, out, d);
}

static nashc_status
concat_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *a = nashc_eval_in(e, 0), *b = nashc_eval_in(e, 1);
    int64_t na = parts(n)[0], nb = parts(n)[1];
    nashc_buf *y = nashc_eval_out(e, 0);

    for (int64_t i = 0; i < y->n; i++) {
        int64_t round = i / (na + nb), at = i % (na + nb);
        if (at < na)
            ops_copy(y, i, a, round * na + at);
        else
            ops_copy(y, i, b, round * nb + at - na);
    }
    return NASHC_OK;
}

static nashc_status
concat_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int64_t pe = nashc_attr_int(n, T_PE);

    (void)d;
    for (int i = 0; i < 2; i++)
        in[i] = hw_stream(ops_type(n, i), pe, count_of(n, i));
    out[0] = hw_stream(y, pe, nashc_type_count(y));
    return NASHC_OK;
}

static nashc_status
concat_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = nashc_value_type(nashc_node_out(n, 0))->bits;

    return turns_cost(n, 2 * bits, 3 * bits, dev, out);
}

static nashc_status
concat_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = turns_cycles(n), .latency = 1, .depth = 2};
    return NASHC_OK;
}

static void
concat_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = second(n, i) ? 2 : 1;
    *writes = 1;
}

static const char *
concat_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingConcat_hls";
}

static const nashc_hw concat_hw = {
    NASHC_DESC(nashc_hw), .streams = concat_streams, .cycles = turns_cycles,
    .cost = concat_cost,  .timing = concat_timing,   .step = concat_step,
    .fold = turns_fold,   .layer_kind = concat_kind,
};

const nashc_op nashc_op_hw_concat = {
    NASHC_DESC(nashc_op),
    .name = "hw.concat",
    .help = "layer that joins two streams part by part",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = concat_attrs,
    .verify = turns_verify,
    .infer = concat_infer,
    .eval = concat_eval,
    .hw = &concat_hw,
};

/* --- split ---------------------------------------------------------------------------------------
 */

static const nashc_param split_attrs[] = {
    TURN_ATTRS,
    ATTR(INTS, "channels", "[0,0]", "len=2;0..2147483648",
         "columns of the results, 0: those of a round"),
    {0},
};

static nashc_status
split_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t round = parts(n)[0] + parts(n)[1];
    nashc_status s = hw_check_stream(n, 0, d);
    int count;
    const int64_t *channels = nashc_attr_ints(n, T_CHANNELS, &count);

    if (s != NASHC_OK)
        return s;
    if (count_of(n, 0) % round != 0)
        return nashc_node_error(d, n,
                                "%s is not whole rounds of %" PRId64 " and %" PRId64 " elements",
                                nashc_type_str(d, ops_type(n, 0)), parts(n)[0], parts(n)[1]);
    for (int i = 0; i < 2 && s == NASHC_OK; i++) {
        out[i] = *ops_type(n, 0);
        s = matrix(n, count_of(n, 0) / round * parts(n)[i], channels[i], parts(n)[i], &out[i], d);
    }
    return s;
}

static nashc_status
split_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    int64_t round = parts(n)[0] + parts(n)[1], start = 0;

    for (int k = 0; k < 2; k++) {
        nashc_buf *y = nashc_eval_out(e, k);
        int64_t part = parts(n)[k];
        for (int64_t i = 0; i < y->n; i++)
            ops_copy(y, i, x, i / part * round + start + i % part);
        start += part;
    }
    return NASHC_OK;
}

static nashc_status
split_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    const nashc_type *x = ops_type(n, 0);
    int64_t pe = nashc_attr_int(n, T_PE);

    (void)d;
    in[0] = hw_stream(x, pe, count_of(n, 0));
    for (int k = 0; k < 2; k++)
        out[k] = hw_stream(x, pe, nashc_type_count(nashc_value_type(nashc_node_out(n, k))));
    return NASHC_OK;
}

static nashc_status
split_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = ops_type(n, 0)->bits;

    return turns_cost(n, 2 * bits, 4 * bits, dev, out);
}

static nashc_status
split_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){.steps = turns_cycles(n), .latency = 0, .depth = 2};
    return NASHC_OK;
}

static void
split_step(const nashc_node *n, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = 1;
    *writes = second(n, i) ? 2 : 1;
}

static const char *
split_kind(const nashc_node *n)
{
    (void)n;
    return "StreamingSplit_hls";
}

static const nashc_hw split_hw = {
    NASHC_DESC(nashc_hw), .streams = split_streams, .cycles = turns_cycles,
    .cost = split_cost,   .timing = split_timing,   .step = split_step,
    .fold = turns_fold,   .layer_kind = split_kind,
};

const nashc_op nashc_op_hw_split = {
    NASHC_DESC(nashc_op),
    .name = "hw.split",
    .help = "layer that deals the parts of a stream out to two",
    .min_in = 1,
    .max_in = 1,
    .min_out = 2,
    .max_out = 2,
    .attrs = split_attrs,
    .verify = turns_verify,
    .infer = split_infer,
    .eval = split_eval,
    .hw = &split_hw,
};
