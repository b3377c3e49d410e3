/* mincost.c: tests of core/base/mincost.c against all small integers. */
#include "core/base/mincost.h"
#include "core/base/rng.h"
#include "unit.h"

static int64_t
price(const nashc_distance *e, uint32_t m, const int64_t *x)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < m; i++) {
        if (x[e[i].to] - x[e[i].from] < e[i].lag)
            return INT64_MAX;
        sum += e[i].cost * (x[e[i].to] - x[e[i].from]);
    }
    return sum;
}

/* The least price with all x in 0 .. most, x[0] anywhere in it. */
static int64_t
cheapest(const nashc_distance *e, uint32_t m, uint32_t n, int64_t most)
{
    int64_t best = INT64_MAX, x[6] = {0};

    for (;;) {
        int64_t p = price(e, m, x);
        uint32_t k = 0;
        best = p < best ? p : best;
        while (k < n && x[k]++ == most)
            x[k++] = 0;
        if (k == n)
            return best;
    }
}

/* Acyclic networks with lags of both signs and parallel edges. */
static void
against_all(void **state)
{
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 7);
    for (int round = 0; round < 300; round++) {
        uint32_t n = 2 + (uint32_t)nashc_rng_range(&r, 0, 3), m = 0;
        nashc_distance e[12];
        int64_t x[6];
        for (uint32_t want = 1 + (uint32_t)nashc_rng_range(&r, 0, 7); m < want; m++) {
            uint32_t from = (uint32_t)nashc_rng_range(&r, 0, n - 2);
            e[m] = (nashc_distance){from, (uint32_t)nashc_rng_range(&r, from + 1, n - 1),
                                    nashc_rng_range(&r, -2, 3), nashc_rng_range(&r, 0, 9)};
        }
        assert_true(nashc_mincost(n, e, m, x));
        assert_true(price(e, m, x) == cheapest(e, m, n, 9));
    }
}

/* Both ends of a cycle hold each other: within its slack, or not at all. */
static void
cycles(void **state)
{
    nashc_distance e[] = {{0, 1, 3, 5}, {1, 0, -4, 0}, {1, 2, 1, 1}};
    int64_t x[3];

    (void)state;
    assert_true(nashc_mincost(3, e, 3, x));
    assert_int_equal(x[1] - x[0], 3);
    assert_int_equal(x[2] - x[1], 1);
    e[1].lag = -2;
    assert_false(nashc_mincost(3, e, 3, x));
}

/* The branch that must wait does so where it is narrowest. */
static void
narrow_edge(void **state)
{
    nashc_distance e[] = {{0, 1, 1, 8}, {1, 3, 1, 2}, {0, 2, 50, 8}, {2, 3, 50, 8}};
    int64_t x[4];

    (void)state;
    assert_true(nashc_mincost(4, e, 4, x));
    assert_int_equal(x[1] - x[0], 1);
    assert_int_equal(x[3] - x[1], 99);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(against_all), UNIT(cycles), UNIT(narrow_edge)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
