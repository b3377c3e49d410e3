/* memplan.c: tests of plugins/llvm/memplan.c: what lives together lies apart, and memory is reused.
 */
#include "plugins/llvm/memplan.h"
#include "unit.h"

static bool
together(const cpu_lease *a, const cpu_lease *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static bool
apart(const cpu_lease *a, const cpu_lease *b)
{
    return a->offset + a->size <= b->offset || b->offset + b->size <= a->offset;
}

static void
a_chain_needs_two_places(void **state)
{
    cpu_lease l[6] = {{0}};
    size_t total;

    (void)state;
    for (int i = 0; i < 6; i++) /* each is written in a step and read in the next */
        l[i] = (cpu_lease){1000, 0, i, i + 1};
    assert_true(cpu_memplan(l, 6, &total));
    assert_int_equal(total, 2 * 1024);
    for (int i = 0; i + 1 < 6; i++)
        assert_true(apart(&l[i], &l[i + 1]));
}

static void
nothing_overlaps(void **state)
{
    enum { N = 60 };
    cpu_lease l[N];
    uint32_t seed = 1;
    size_t total, sum = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        l[i] = (cpu_lease){seed >> 20, 0, (int)(seed >> 8 & 31), 0};
        l[i].last = l[i].first + (int)(seed >> 16 & 7);
        sum += l[i].size;
    }
    assert_true(cpu_memplan(l, N, &total));
    assert_true(total < sum);
    for (int i = 0; i < N; i++) {
        assert_int_equal(l[i].offset % CPU_ALIGN, 0);
        assert_true(l[i].offset + l[i].size <= total);
        for (int k = 0; k < i; k++)
            assert_true(!together(&l[i], &l[k]) || apart(&l[i], &l[k]));
    }
}

static void
nothing_at_all(void **state)
{
    size_t total = 7;

    (void)state;
    assert_true(cpu_memplan(NULL, 0, &total));
    assert_int_equal(total, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_needs_two_places),
        cmocka_unit_test(nothing_overlaps),
        cmocka_unit_test(nothing_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
