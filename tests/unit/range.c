/* range.c: tests of ir/ops/range.c: exact intervals, and all of int64 where they overflow. */
#include "ir/ops/ops.h"
#include "unit.h"

static void
expect(ops_interval r, int64_t lo, int64_t hi)
{
    assert_true(r.lo == lo && r.hi == hi);
}

static void
checked_arithmetic(void **state)
{
    static const int64_t v[] = {0,          1,         -1,         2,
                                -2,         INT64_MAX, INT64_MIN,  INT64_MAX / 2,
                                INT32_MAX,  INT32_MIN, 3037000499, 3037000500,
                                -3037000500};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(v); i++)
        for (size_t k = 0; k < NASHC_COUNT(v); k++) {
            int64_t got = 7, want = 0;
            bool fits = !__builtin_mul_overflow(v[i], v[k], &want);
            assert_int_equal(ops_mul(v[i], v[k], &got), fits);
            assert_true(got == (fits ? want : 7));
            got = 7;
            fits = !__builtin_add_overflow(v[i], v[k], &want);
            assert_int_equal(ops_add(v[i], v[k], &got), fits);
            assert_true(got == (fits ? want : 7));
        }
}

static void
intervals(void **state)
{
    ops_interval a = {-3, 5}, b = {-2, 4};

    (void)state;
    expect(ops_interval_add(a, b), -5, 9);
    expect(ops_interval_mul(a, b), -12, 20);
    expect(ops_interval_mul((ops_interval){-3, -1}, (ops_interval){-4, -2}), 2, 12);
    expect(ops_interval_times(a, 3), -9, 15);
    expect(ops_interval_times(a, 0), 0, 0);
    expect(ops_interval_hull(a, (ops_interval){6, 7}), -3, 7);
    expect(ops_interval_mul((ops_interval){0, INT64_MAX}, (ops_interval){0, 2}), INT64_MIN,
           INT64_MAX);
    expect(ops_interval_add((ops_interval){INT64_MIN, 0}, (ops_interval){-1, 0}), INT64_MIN,
           INT64_MAX);
}

static void
sums(void **state)
{
    static const int64_t w[] = {3, -2, 0, 5, -7, 1};
    nashc_type t = nashc_type_int(8);
    const int64_t dim = 6;

    (void)state;
    t = nashc_type_shaped(t, 1, &dim);
    nashc_tensor *c = nashc_tensor_from_i64(&t, w);
    assert_non_null(c);
    nashc_sums s = {0};
    nashc_sums_add(&s, nashc_tensor_buf(c), 0, 1, 6);
    assert_true(s.pos == 9 && s.neg == -9 && !s.overflow);
    expect(ops_sums_range(&s, (ops_interval){0, 15}), -135, 135);
    expect(ops_sums_range(&s, (ops_interval){-1, 2}), -27, 27);
    s = (nashc_sums){0};
    nashc_sums_add(&s, nashc_tensor_buf(c), 1, 2, 3);
    assert_true(s.pos == 6 && s.neg == -2);
    expect(ops_sums_range(&s, (ops_interval){0, INT64_MAX}), INT64_MIN, INT64_MAX);
    nashc_tensor_unref(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checked_arithmetic),
                                       cmocka_unit_test(intervals), cmocka_unit_test(sums)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
