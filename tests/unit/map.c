/* map.c: tests of core/base/map.c against a plain array. */
#include "core/base/map.h"
#include "core/base/rng.h"
#include "support.h"

#define N 2000

static void
agrees_with_an_array(void **state)
{
    static char key[N][8];
    static int there[N];
    nashc_map m = {0};
    nashc_rng rng;
    size_t live = 0;

    (void)state;
    nashc_rng_seed(&rng, 1);
    for (int i = 0; i < N; i++)
        snprintf(key[i], sizeof(key[i]), "k%d", i);
    for (int step = 0; step < 50000; step++) {
        int i = (int)nashc_rng_range(&rng, 0, N - 1);
        if (nashc_rng_range(&rng, 0, 2)) {
            assert_true(nashc_map_put(&m, key[i], &there[i]));
            live += !there[i];
            there[i] = 1;
        } else {
            assert_ptr_equal(nashc_map_del(&m, key[i]), there[i] ? &there[i] : NULL);
            live -= (size_t)there[i];
            there[i] = 0;
        }
        assert_int_equal(m.n_live, live);
    }
    for (int i = 0; i < N; i++)
        assert_ptr_equal(nashc_map_get(&m, key[i]), there[i] ? &there[i] : NULL);
    nashc_map_free(&m);
}

static void
keeps_order_of_insertion(void **state)
{
    static char key[100][8];
    nashc_map m = {0};
    int at = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key[i], sizeof(key[i]), "%d", i * 7919 % 1000);
        assert_true(nashc_map_put(&m, key[i], key[i]));
    }
    for (int i = 0; i < 100; i += 2)
        nashc_map_del(&m, key[i]);
    for (size_t e = 0; e < m.n_entry; e++)
        if (m.entry[e].key)
            assert_ptr_equal(m.entry[e].value, key[2 * at++ + 1]);
    assert_int_equal(at, 50);
    nashc_map_free(&m);
}

static void
addresses_are_not_text(void **state)
{
    char a[] = "same", b[] = "same";
    nashc_map m = {.by_address = true};

    (void)state;
    assert_true(nashc_map_put(&m, a, a));
    assert_null(nashc_map_get(&m, b));
    assert_true(nashc_map_put(&m, b, b));
    assert_ptr_equal(nashc_map_get(&m, a), a);
    assert_int_equal(m.n_live, 2);
    nashc_map_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(keeps_order_of_insertion),
        cmocka_unit_test(addresses_are_not_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
