/* sum_search.c: tests of passes/integer/sum_search.c: codes of all combinations against brute
 * force. */
#include "passes/integer/sum_search.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "job.h"

/* The function behind the sum, by variant: a stair, rising or falling, or a wave. */
typedef struct behind {
    double slope, offset;
    int64_t code_max;
    bool wave;
} behind;

static int64_t
code_of(const behind *b, double v)
{
    double code = b->wave ? 2 + 2 * sin(b->slope * v) : b->slope * v + b->offset;
    return (int64_t)fmin(fmax(nearbyint(code), 0), (double)b->code_max);
}

static bool
eval(void *self, const int64_t *variant, int64_t n_variants, int64_t points, const double *x,
     bool real, int64_t *code)
{
    const behind *b = self;
    assert_true(real); /* a sum has no integer yet */
    for (int64_t k = 0; k < points * n_variants; k++) {
        int64_t i = k % n_variants;
        code[k] = code_of(&b[variant ? variant[i] : i], x[k]);
    }
    return true;
}

static bool
no_guess(const void *self, int64_t variant, double code, double *x)
{
    (void)self;
    (void)variant;
    (void)code;
    (void)x;
    return false;
}

/* i + j, or (i + j) * factor + offset + k */
static si_sum_order
order_of(int n_leaf)
{
    if (n_leaf == 2)
        return (si_sum_order){.n_term = 2, .n_left = 1, .is_leaf = {true, true}};
    return (si_sum_order){.n_term = 4, .n_left = 3, .is_leaf = {true, true, false, true}};
}

static si_summands
random_summands(nashc_rng *rng, int n_leaf)
{
    si_summands s = {.n_leaf = n_leaf, .n_inner = n_leaf == 3};
    s.inner[0][0] = (double)nashc_rng_range(rng, 1, 30) / 7;
    s.inner[0][1] = (double)nashc_rng_range(rng, -9, 9) / 3;
    for (int k = 0; k < n_leaf; k++) {
        double scale = (double)(nashc_rng_range(rng, 1, 200) - 40) / 97;
        s.leaf[k] = (si_leaf){.lo = nashc_rng_range(rng, -9, 3),
                              .n = nashc_rng_range(rng, 2, 9),
                              .step = nashc_rng_range(rng, 1, 2),
                              .scale = scale == 0 ? 0.5 : scale,
                              .bias = (double)nashc_rng_range(rng, -9, 9) / 11};
        s.leaf[k].scale_in_sum = s.leaf[k].scale * (n_leaf == 3 && k < 2 ? s.inner[0][0] : 1);
    }
    return s;
}

static double
value_of(const si_summands *s, const int64_t *i)
{
    double v[3];
    for (int k = 0; k < s->n_leaf; k++)
        v[k] = s->leaf[k].scale * (double)i[k] + s->leaf[k].bias;
    return s->n_leaf == 2 ? v[0] + v[1] : (s->inner[0][0] * (v[0] + v[1]) + s->inner[0][1]) + v[2];
}

/* Every combination of integers has the code of its real value. */
static void
all_codes_are_right(const behind *b, const si_summands *s, const si_thresholds *found,
                    const int64_t *m, int64_t n)
{
    int64_t all = 1;
    for (int k = 0; k < s->n_leaf; k++)
        all *= s->leaf[k].n;
    for (int64_t c = 0; c < all; c++) {
        int64_t i[3], u = 0, rest = c;
        for (int k = 0; k < s->n_leaf; k++) {
            i[k] = s->leaf[k].lo + s->leaf[k].step * (rest % s->leaf[k].n);
            rest /= s->leaf[k].n;
            u += m[k * n] * i[k];
        }
        assert_true(u >= found->lo && u <= found->hi);
        assert_int_equal(si_thresholds_code(found, u), code_of(b, value_of(s, i)));
    }
}

/* Searches for n variants; returns how many were found, all of them or none. */
static int64_t
search(si_job *job, behind *b, const si_summands *s, int64_t n, bool rises)
{
    si_function f = {.n = n, .self = b, .eval = eval, .guess = no_guess};
    si_sum_order order = order_of(s->n_leaf);
    int64_t *m = calloc((size_t)(n * s->n_leaf), sizeof(*m));
    si_thresholds *found = si_thresholds_of_sum(job, &f, &order, s, rises, m);
    for (int64_t i = 0; found && i < n; i++)
        all_codes_are_right(&b[i], &s[i], &found[i], m + i, n);
    if (found)
        si_thresholds_free(found, n);
    free(m);
    return found ? n : 0;
}

static behind
random_stair(nashc_rng *rng)
{
    return (behind){.slope = (double)(nashc_rng_range(rng, 1, 60) - 20) / 10,
                    .offset = (double)nashc_rng_range(rng, -20, 20) / 4,
                    .code_max = nashc_rng_range(rng, 1, 15)};
}

/* Rising and falling stairs, of two tensors and of three with a factor in between. */
static void
stairs_behind_sums(void **state)
{
    nashc_rng rng;
    int64_t found = 0;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 400; round++) {
        si_summands s = random_summands(&rng, round % 2 ? 3 : 2);
        behind b = random_stair(&rng);
        found += search(*state, &b, &s, 1, true);
    }
    assert_true(found > 390); /* a tie of the doubles has no multipliers */
}

/* Halves that lie on the steps, which go to the even code, up or down. */
static void
ties_of_dyadic_scales(void **state)
{
    nashc_rng rng;
    int64_t found = 0;
    nashc_rng_seed(&rng, 5);
    for (int round = 0; round < 100; round++) {
        si_summands s = random_summands(&rng, 2);
        behind b = {.slope = round % 2 ? 1 : -1, .offset = 4, .code_max = 9};
        for (int k = 0; k < 2; k++) {
            s.leaf[k].bias = 0;
            s.leaf[k].scale = (double)nashc_rng_range(&rng, 1, 3) / 2;
            s.leaf[k].scale_in_sum = s.leaf[k].scale;
        }
        found += search(*state, &b, &s, 1, true);
    }
    assert_int_equal(found, 100);
}

static void
variants_with_multipliers_of_their_own(void **state)
{
    nashc_rng rng;
    int64_t found = 0;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < 50; round++) {
        si_summands s[4];
        behind b[4];
        for (int i = 0; i < 4; i++) {
            s[i] = random_summands(&rng, 2);
            b[i] = random_stair(&rng);
        }
        if (round % 2) /* the same scales: one set of multipliers for all of them */
            s[1] = s[2] = s[3] = s[0];
        found += search(*state, b, s, 4, true);
    }
    assert_true(found > 4 * 45);
}

static void
waves_become_tables(void **state)
{
    nashc_rng rng;
    int64_t found = 0;
    nashc_rng_seed(&rng, 3);
    for (int round = 0; round < 100; round++) {
        si_summands s = random_summands(&rng, 2);
        behind b = {.wave = round % 4 != 0, .slope = 1.3, .code_max = 4};
        found += search(*state, &b, &s, 1, false); /* every fourth one rises after all */
    }
    assert_true(found > 90);
}

/* The multipliers are the smallest: 2 i + 3 j of scales 0.2 and 0.3 needs no more. */
static void
related_scales_keep_small_multipliers(void **state)
{
    si_summands s = {.n_leaf = 2};
    behind b = {.slope = 10, .code_max = 60};
    int64_t m[2];
    s.leaf[0] = (si_leaf){.n = 13, .step = 1, .scale = 0.2, .scale_in_sum = 0.2};
    s.leaf[1] = (si_leaf){.n = 13, .step = 1, .scale = 0.3, .scale_in_sum = 0.3};
    si_function f = {.n = 1, .self = &b, .eval = eval, .guess = no_guess};
    si_sum_order order = order_of(2);
    si_thresholds *found = si_thresholds_of_sum(*state, &f, &order, &s, true, m);
    assert_non_null(found);
    assert_int_equal(m[0], 2);
    assert_int_equal(m[1], 3);
    si_thresholds_free(found, 1);
}

static void
too_many_combinations_are_refused(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 4);
    si_summands s = random_summands(&rng, 3);
    behind b = {.slope = 1, .code_max = 3};
    s.leaf[0].n = s.leaf[1].n = 1 << 11; /* 2^22 in the left operand */
    assert_int_equal(search(job, &b, &s, 1, true), 0);
    s = random_summands(&rng, 2);
    b.wave = true;
    s.leaf[0].n = s.leaf[1].n = 1 << 11; /* of each alone few, but 2^22 pairs for a table */
    assert_int_equal(search(job, &b, &s, 1, false), 0);
    assert_int_equal(job->status, NASHC_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(stairs_behind_sums),
        JOB_TEST(ties_of_dyadic_scales),
        JOB_TEST(variants_with_multipliers_of_their_own),
        JOB_TEST(waves_become_tables),
        JOB_TEST(related_scales_keep_small_multipliers),
        JOB_TEST(too_many_combinations_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
