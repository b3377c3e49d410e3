/* products.c: tests of passes/integer/products.c: sums of products against plain loops. */
#include "passes/integer/products.h"

#include <math.h>

#include "core/base/rng.h"
#include "job.h"

enum { PLAIN, BY_TAP, TRANSPOSED, TRANSPOSED_LAST, KINDS };

/* Weights of 2 groups, with 2 outputs, 3 channels and 4 taps in each. */
#define GROUPS 2
#define INNER  2
#define CHANS  3
#define TAPS   4
#define COUNT  (GROUPS * INNER * CHANS * TAPS)

static si_products
products_of(int kind)
{
    bool transposed = kind >= TRANSPOSED;
    si_products p = {.outputs = GROUPS * INNER,
                     .terms = CHANS * TAPS,
                     .w_o = CHANS * TAPS,
                     .w_k = 1,
                     .group_size = INNER,
                     .per_group = CHANS,
                     .taps = TAPS,
                     .by_tap = kind == BY_TAP,
                     .transposed = transposed,
                     .last = kind == TRANSPOSED_LAST};
    p.axis = kind == TRANSPOSED ? 1 : kind == TRANSPOSED_LAST ? 2 : 0;
    return p;
}

static nashc_type
weight_type(int kind)
{
    static const int64_t dim[KINDS][3] = {{GROUPS * INNER, CHANS, TAPS},
                                          {GROUPS * INNER, TAPS, CHANS},
                                          {GROUPS * CHANS, INNER, TAPS},
                                          {GROUPS * CHANS, TAPS, INNER}};
    return nashc_type_shaped(nashc_type_int(8), 3, dim[kind]);
}

/* Where the weight of output o for channel c of its group and a tap lies. */
static int64_t
at(int kind, int64_t o, int64_t c, int64_t tap)
{
    int64_t group = o / INNER, j = o % INNER;
    return kind == PLAIN        ? (o * CHANS + c) * TAPS + tap
           : kind == BY_TAP     ? (o * TAPS + tap) * CHANS + c
           : kind == TRANSPOSED ? ((group * CHANS + c) * INNER + j) * TAPS + tap
                                : ((group * CHANS + c) * TAPS + tap) * INNER + j;
}

typedef struct layer {
    int kind;
    int64_t w[COUNT];
    si_products p;
    nashc_tensor *codes;
    si_array w_scale, x_scale;
    si_coded coded;
} layer;

/* A layer with random weights; scales of x are one, or multiples of one by channel. */
static void
make(si_job *job, nashc_rng *rng, int kind, bool by_channel, layer *out)
{
    nashc_type t = weight_type(kind);
    int64_t n = GROUPS * CHANS;
    *out = (layer){.kind = kind, .p = products_of(kind)};
    for (int i = 0; i < COUNT; i++)
        out->w[i] = nashc_rng_range(rng, -8, 7);
    out->codes = si_int_tensor(job, &t, out->w);
    out->w_scale = si_scalar(job, 0.25);
    out->x_scale = si_scalar(job, 0.3);
    if (by_channel) {
        assert_true(si_shape_array(job, &out->x_scale, 1, &n));
        for (int64_t c = 0; c < n; c++)
            out->x_scale.v[c] = 0.3 * (double)nashc_rng_range(rng, 1, 5);
    }
    assert_non_null(out->codes);
    assert_true(
        si_code_weights(job, NULL, &out->p, out->codes, &out->w_scale, &out->x_scale, &out->coded));
}

static double
number(const si_array *a, int64_t c)
{
    return a->v[a->n == 1 ? 0 : c];
}

/* The sum of an output as the model has it equals scale times the one of integers. */
static void
integers_stand_for_the_sums(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 80; round++) {
        layer l;
        int64_t x[GROUPS * CHANS][TAPS];
        make(job, &rng, round % KINDS, round / KINDS % 2, &l);
        for (int64_t k = 0; k < GROUPS * CHANS * TAPS; k++)
            x[k / TAPS][k % TAPS] = nashc_rng_range(&rng, -20, 20);
        for (int64_t o = 0; o < l.p.outputs; o++) {
            double real = 0;
            int64_t sum = 0;
            for (int64_t k = 0; k < CHANS * TAPS; k++) {
                int64_t c = o / INNER * CHANS + k / TAPS, i = at(l.kind, o, k / TAPS, k % TAPS);
                real += 0.25 * (double)l.w[i] * number(&l.x_scale, c) * (double)x[c][k % TAPS];
                sum += l.coded.code[i] * x[c][k % TAPS];
            }
            assert_true(fabs(real - l.coded.scale[o] * (double)sum) < 1e-9);
        }
        si_drop_coded(&l.coded);
    }
}

/* Every output reaches both ends of its interval, and leaves it never. */
static void
intervals_are_exact(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < 80; round++) {
        layer l;
        double least[GROUPS * INNER], most[GROUPS * INNER];
        int64_t n = round % 3 ? GROUPS * CHANS : 1;
        bool zero = round % 2; /* terms may be missing */
        si_array lo, hi;
        make(job, &rng, round % KINDS, false, &l);
        assert_true(si_shape_array(job, &lo, 1, &n) && si_shape_array(job, &hi, 1, &n));
        for (int64_t c = 0; c < n; c++) {
            lo.v[c] = (double)nashc_rng_range(&rng, -9, 9);
            hi.v[c] = lo.v[c] + (double)nashc_rng_range(&rng, 0, 9);
        }
        si_intervals(&l.p, &l.coded, &lo, &hi, zero, least, most);
        for (int64_t o = 0; o < l.p.outputs; o++) {
            double a = 0, b = 0;
            for (int64_t k = 0; k < CHANS * TAPS; k++) {
                int64_t c = o / INNER * CHANS + k / TAPS;
                double w = (double)l.w[at(l.kind, o, k / TAPS, k % TAPS)];
                double p = w * number(&lo, c), q = w * number(&hi, c);
                a += zero ? fmin(0, fmin(p, q)) : fmin(p, q);
                b += zero ? fmax(0, fmax(p, q)) : fmax(p, q);
            }
            assert_true(least[o] == a && most[o] == b);
        }
        si_drop_coded(&l.coded);
    }
}

/* What the offsets of x add is what the weights make of them. */
static void
offsets_go_through_the_weights(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 3);
    for (int round = 0; round < 40; round++) {
        layer l;
        double out[GROUPS * INNER];
        int64_t n = GROUPS * CHANS;
        si_array bias;
        make(job, &rng, round % KINDS, true, &l);
        assert_true(si_shape_array(job, &bias, 1, &n));
        for (int64_t c = 0; c < n; c++) /* zero points of whole steps, and others */
            bias.v[c] = round % 2 ? 3 * l.x_scale.v[c] : (double)nashc_rng_range(&rng, -50, 50) / 7;
        si_offsets(&l.p, &l.coded, l.codes, &l.w_scale, &l.x_scale, &bias, out);
        for (int64_t o = 0; o < l.p.outputs; o++) {
            double wanted = 0;
            for (int64_t k = 0; k < CHANS * TAPS; k++)
                wanted += 0.25 * (double)l.w[at(l.kind, o, k / TAPS, k % TAPS)] *
                          bias.v[o / INNER * CHANS + k / TAPS];
            assert_true(fabs(out[o] - wanted) < 1e-9);
        }
        si_drop_coded(&l.coded);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(integers_stand_for_the_sums),
        JOB_TEST(intervals_are_exact),
        JOB_TEST(offsets_go_through_the_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
