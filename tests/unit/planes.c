/* planes.c: tests of plugins/llvm/planes.c: products by popcounts of bit planes are the products.
 */
#include "plugins/llvm/planes.h"
#include "unit.h"

#define ROW 12

/* Sum of x w as the kernel finds it: Horner over the terms, then factor and constant. */
static int64_t
by_popcounts(const cpu_code *xc, const cpu_weight_code *wc, const int64_t *x, const int64_t *w)
{
    cpu_term t[CPU_MAX_TERMS];
    int n = cpu_terms_of(xc, wc, t);
    int64_t acc = 0, sum = 0, ones = 0, factor, constant;

    for (int k = 0; k < n; k++) {
        for (int i = 0; i < ROW; i++) {
            bool u = (x[i] - xc->lo) / xc->step >> t[k].x & 1, v = cpu_weight_bit(wc, w[i], t[k].w);
            acc += wc->exclusive ? u != v : u && v;
        }
        if (k + 1 < n) {
            assert_int_equal(t[k].worth % t[k + 1].worth, 0);
            acc *= t[k].worth / t[k + 1].worth;
        }
    }
    for (int i = 0; i < ROW; i++) {
        sum += w[i];
        ones += cpu_weight_bit(wc, w[i], 0);
    }
    cpu_terms_affine(xc, wc, sum, ones, &factor, &constant);
    return acc * t[n - 1].worth * factor + constant;
}

/* All pairs of an activation type and a set of weights. */
static void
check(int64_t lo, int64_t hi, bool bipolar, const int64_t *values, int n_values)
{
    cpu_code xc = cpu_code_of(lo, hi, bipolar);
    uint32_t seed = 5;

    assert_true(xc.planes > 0);
    for (int round = 0; round < 50; round++) {
        int64_t x[ROW], w[ROW], want = 0;
        for (int i = 0; i < ROW; i++) {
            seed = seed * 1664525u + 1013904223u;
            x[i] = bipolar ? (seed >> 9 & 1 ? 1 : -1) : lo + (int64_t)(seed >> 8) % (hi - lo + 1);
            w[i] = values[(seed >> 20) % (uint32_t)n_values];
            want += x[i] * w[i];
        }
        cpu_weight_code wc = cpu_weight_code_of(w, ROW);
        assert_true(wc.planes > 0);
        assert_int_equal(by_popcounts(&xc, &wc, x, w), want);
    }
}

static void
products(void **state)
{
    static const int64_t bip[] = {-1, 1}, scaled[] = {-6, 6}, ter[] = {-1, 0, 1}, zero[] = {0};
    static const int64_t two[] = {-2, -1, 0, 1}, odd[] = {-3, -1, 1, 3}, pos[] = {0, 1, 2, 3};
    static const struct set {
        const int64_t *v;
        int n;
    } sets[] = {{bip, 2}, {scaled, 2}, {ter, 3}, {zero, 1}, {two, 4}, {odd, 4}, {pos, 4}};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(sets); i++) {
        check(-1, 1, true, sets[i].v, sets[i].n);
        check(-1, 1, false, sets[i].v, sets[i].n);
        check(0, 1, false, sets[i].v, sets[i].n);
        check(0, 3, false, sets[i].v, sets[i].n);
        check(-2, 1, false, sets[i].v, sets[i].n);
        check(-8, 7, false, sets[i].v, sets[i].n);
        check(2, 3, false, sets[i].v, sets[i].n);
        check(-3, -2, false, sets[i].v, sets[i].n);
    }
}

static void
codes(void **state)
{
    static const int64_t bip[] = {-1, 1, 1}, wide[] = {-8, 9};

    (void)state;
    assert_int_equal(cpu_code_of(-1, 1, true).planes, 1);
    assert_int_equal(cpu_code_of(-1, 1, false).planes, 2);
    assert_int_equal(cpu_code_of(0, 15, false).planes, 4);
    assert_int_equal(cpu_code_of(0, 16, false).planes, 0);
    assert_int_equal(cpu_code_of(INT64_MIN, INT64_MAX, false).planes, 0);
    assert_true(cpu_weight_code_of(bip, 3).exclusive);
    assert_int_equal(cpu_weight_code_of(wide, 2).planes, 0);
    assert_int_equal(cpu_code_of(5, 7, false).lo, 0); /* a border of zeros has a code */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
