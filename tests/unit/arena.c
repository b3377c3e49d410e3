/* arena.c: tests of core/base/arena.c and size.c. */
#include "support.h"

static void
memory_is_zeroed_aligned_and_disjoint(void **state)
{
    nashc_arena *a = nashc_arena_create();
    unsigned char *p[300];

    (void)state;
    for (int i = 0; i < 300; i++) {
        size_t n = (size_t)(i * 37 % 1000) + (i % 50 == 0 ? 700000 : 0);
        p[i] = nashc_arena_alloc(a, n);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(p[i][k], 0);
        memset(p[i], i + 1, n);
    }
    for (int i = 0; i < 300; i++)
        if (i * 37 % 1000)
            assert_int_equal(p[i][0], (unsigned char)(i + 1));
    nashc_arena_free(a);
}

static void
huge_requests_fail(void **state)
{
    nashc_arena *a = nashc_arena_create();

    (void)state;
    assert_null(nashc_arena_alloc(a, SIZE_MAX));
    assert_null(nashc_arena_alloc(a, SIZE_MAX - 8));
    assert_non_null(nashc_arena_alloc(a, 0));
    nashc_arena_free(a);
}

static void
text_is_formatted(void **state)
{
    nashc_arena *a = nashc_arena_create();

    (void)state;
    assert_string_equal(nashc_arena_printf(a, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(nashc_arena_strdup(a, ""), "");
    nashc_arena_free(a);
}

static void
sizes_do_not_wrap(void **state)
{
    int64_t v = 5;

    (void)state;
    assert_true(nashc_mul_size(3, 4, &v) && v == 12);
    assert_true(nashc_mul_size(0, INT64_MAX, &v) && v == 0);
    assert_false(nashc_mul_size(INT64_MAX, 2, &v));
    assert_false(nashc_mul_size(-1, 2, &v));
    assert_true(nashc_add_size(1, 2, &v) && v == 3);
    assert_false(nashc_add_size(INT64_MAX, 1, &v));
    assert_false(nashc_add_size(-1, 1, &v));
    assert_int_equal(v, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_disjoint),
        cmocka_unit_test(huge_requests_fail),
        cmocka_unit_test(text_is_formatted),
        cmocka_unit_test(sizes_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
