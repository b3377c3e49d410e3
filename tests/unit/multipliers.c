/* multipliers.c: tests of passes/integer/multipliers.c: order of the candidates, exclusions. */
#include "passes/integer/multipliers.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "support.h"

static int64_t
gcd(int64_t a, int64_t b)
{
    return b == 0 ? llabs(a) : gcd(b, a % b);
}

static int64_t
gcd_of(const int64_t *m, int n)
{
    int64_t g = 0;
    for (int k = 0; k < n; k++)
        g = gcd(g, m[k]);
    return g;
}

/* Lets the search find m for scales: each wrong candidate is answered by a difference d of integers
 * up to 9 that the scales give a positive sum and the candidate does not. Returns how many it took.
 */
static int
search_for(const double *scale, const int64_t *right, int n, int64_t *m)
{
    si_multipliers *search = si_multipliers_create(scale, n, true);
    int64_t work = 0;
    int tries = 0;
    assert_non_null(search);
    for (;; tries++) {
        assert_true(si_multipliers_next(search, m, &work));
        int64_t d[SI_MAX_TERMS] = {0}, at = 0, all = 1;
        for (int k = 0; k < n; k++)
            all *= 19;
        for (; at < all; at++) {
            int64_t rest = at, real = 0, got = 0;
            for (int k = 0; k < n; k++, rest /= 19) {
                d[k] = rest % 19 - 9;
                real += right[k] * d[k];
                got += m[k] * d[k];
            }
            if (real > 0 && got <= 0)
                break;
        }
        if (at == all)
            break;
        assert_true(si_multipliers_exclude(search, d));
    }
    si_multipliers_free(search);
    return tries;
}

static void
two_scales_become_the_simplest_fraction(void **state)
{
    nashc_rng rng;
    (void)state;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 500; round++) {
        int64_t right[2] = {nashc_rng_range(&rng, 1, 9), nashc_rng_range(&rng, 1, 9)}, m[2];
        double scale[2] = {(double)right[0] * 0.37, (double)right[1] * 0.37};
        int64_t g = gcd(right[0], right[1]);
        search_for(scale, right, 2, m);
        assert_int_equal(m[0], right[0] / g); /* all differences up to 9 leave no simpler one */
        assert_int_equal(m[1], right[1] / g);
    }
}

static void
signs_of_scales_are_kept(void **state)
{
    int64_t m[3];
    (void)state;
    search_for((double[]){-1.5, 1.0}, (int64_t[]){-3, 2}, 2, m);
    assert_int_equal(m[0], -3);
    assert_int_equal(m[1], 2);
    search_for((double[]){0, -1.0, 2.0}, (int64_t[]){0, -1, 2}, 3, m);
    assert_int_equal(m[0], 0);
    assert_int_equal(m[1], -1);
    assert_int_equal(m[2], 2);
}

static void
three_scales_are_found(void **state)
{
    nashc_rng rng;
    (void)state;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < 20; round++) {
        int64_t right[3], m[3];
        double scale[3];
        for (int k = 0; k < 3; k++) {
            right[k] = nashc_rng_range(&rng, 1, 12);
            scale[k] = (double)right[k] * 1.7;
        }
        search_for(scale, right, 3, m);
        for (int64_t at = 0; at < 19 * 19 * 19; at++) { /* no worse than the scales themselves */
            int64_t d[3] = {at % 19 - 9, at / 19 % 19 - 9, at / 361 - 9};
            int64_t real = right[0] * d[0] + right[1] * d[1] + right[2] * d[2];
            int64_t got = m[0] * d[0] + m[1] * d[1] + m[2] * d[2];
            assert_true(real <= 0 || got > 0);
        }
    }
}

/* What was excluded never comes again, and every candidate has a positive sum with all of it. */
static void
excluded_differences_hold_for_all_that_follow(void **state)
{
    double scale[3] = {1.0, 1.618, 2.718};
    int64_t d[40][SI_MAX_TERMS] = {{0}}, m[3], work = 0;
    int n = 0;
    nashc_rng rng;
    si_multipliers *search = si_multipliers_create(scale, 3, true);
    (void)state;
    nashc_rng_seed(&rng, 3);
    while (n < 40 && si_multipliers_next(search, m, &work)) {
        for (int i = 0; i < n; i++)
            assert_true(m[0] * d[i][0] + m[1] * d[i][1] + m[2] * d[i][2] > 0);
        double sum;
        do { /* any difference that the scales allow */
            sum = 0;
            for (int k = 0; k < 3; k++) {
                d[n][k] = nashc_rng_range(&rng, -200, 200);
                sum += scale[k] * (double)d[n][k];
            }
        } while (!(sum > 0.01));
        assert_true(si_multipliers_exclude(search, d[n++]));
    }
    assert_int_equal(n, 40);
    assert_true(work > 0);
    si_multipliers_free(search);
}

/* Bounds that leave no ratio between them end the search. */
static void
contradictions_end_the_search(void **state)
{
    int64_t m[2], work = 0;
    (void)state;
    si_multipliers *search = si_multipliers_create((double[]){1, 1}, 2, true);
    assert_true(si_multipliers_next(search, m, &work));
    assert_true(m[0] == 1 && m[1] == 1);
    assert_true(si_multipliers_exclude(search, (int64_t[SI_MAX_TERMS]){1, -1})); /* a > b */
    assert_true(si_multipliers_next(search, m, &work));
    assert_true(m[0] > m[1]);
    assert_true(si_multipliers_exclude(search, (int64_t[SI_MAX_TERMS]){-1, 1})); /* a < b */
    assert_false(si_multipliers_next(search, m, &work));
    si_multipliers_free(search);
}

/* Without help: no candidate twice, none with a common factor; they come near to the scales. */
static void
candidates_without_help(void **state)
{
    static const double scale[][3] = {{1, 1.618033, 0}, {1, 1.618033, 2.718281}, {3, 0.001, -0.5}};
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        static int64_t seen[2000][3];
        int n = 0, k_n = scale[s][2] == 0 ? 2 : 3;
        int64_t work = 0, largest = 0;
        double nearest = INFINITY;
        si_multipliers *search = si_multipliers_create(scale[s], k_n, false);
        while (n < 2000 && si_multipliers_next(search, seen[n], &work)) {
            const int64_t *m = seen[n];
            int64_t most = 0;
            double off = 0;
            assert_true(k_n == 2 || gcd_of(m, k_n) == 1); /* all small fractions are tried */
            for (int k = 0; k < k_n; k++) {
                most = llabs(m[k]) > most ? llabs(m[k]) : most;
                off = fmax(off, fabs((double)m[k] / (double)m[0] - scale[s][k] / scale[s][0]));
            }
            largest = most > largest ? most : largest;
            nearest = fmin(nearest, off);
            for (int i = 0; k_n == 3 && i < n; i++)
                assert_memory_not_equal(seen[i], m, 3 * sizeof(*m));
            n++;
        }
        assert_true(n > 20 && n < 2000); /* they end */
        assert_true(largest < (int64_t)1 << 21);
        assert_true(nearest < 1e-5);
        si_multipliers_free(search);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_scales_become_the_simplest_fraction),
        cmocka_unit_test(signs_of_scales_are_kept),
        cmocka_unit_test(three_scales_are_found),
        cmocka_unit_test(excluded_differences_hold_for_all_that_follow),
        cmocka_unit_test(contradictions_end_the_search),
        cmocka_unit_test(candidates_without_help),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
