/* rng.c: tests of core/base/rng.c. */
#include "core/base/rng.h"
#include "support.h"

static void
same_seed_same_numbers(void **state)
{
    nashc_rng a, b;

    (void)state;
    nashc_rng_seed(&a, 42);
    nashc_rng_seed(&b, 42);
    for (int i = 0; i < 100; i++)
        assert_true(nashc_rng_u64(&a) == nashc_rng_u64(&b));
    nashc_rng_seed(&a, 0); /* first output of xoshiro256** from splitmix64(0) */
    assert_true(nashc_rng_u64(&a) == UINT64_C(0x99ec5f36cb75f2b4));
}

static void
ranges_are_closed_and_even(void **state)
{
    int count[7] = {0};
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 1);
    for (int i = 0; i < 70000; i++)
        count[nashc_rng_range(&r, -3, 3) + 3]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500);
    assert_int_equal(nashc_rng_range(&r, 5, 5), 5);
    nashc_rng_range(&r, INT64_MIN, INT64_MAX);
    for (int i = 0; i < 1000; i++) {
        double u = nashc_rng_unit(&r);
        assert_true(u >= 0 && u < 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(ranges_are_closed_and_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
