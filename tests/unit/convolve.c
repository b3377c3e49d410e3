/* convolve.c: tests of ir/ops/convolve.c: tiles against plain sums, and overflow. */
#include "ir/ops/ops.h"
#include "unit.h"

enum { MOST = 11 };

static void
tiles(void **state)
{
    double a[MOST], panel[MOST * NASHC_TILE], acc[NASHC_TILE];
    int64_t ia[MOST], ipanel[MOST * NASHC_TILE], iacc[NASHC_TILE];

    (void)state;
    for (int i = 0; i < MOST; i++)
        ia[i] = (int64_t)(a[i] = i * 37 % 11 - 5);
    for (int i = 0; i < MOST * NASHC_TILE; i++)
        ipanel[i] = (int64_t)(panel[i] = i * 29 % 17 - 8);
    for (int64_t k = 0; k <= MOST; k++) {
        ops_dot_f64(a, panel, k, acc);
        assert_true(ops_dot_i64(ia, ipanel, k, iacc));
        for (int p = 0; p < NASHC_TILE; p++) {
            int64_t want = 0;
            for (int64_t i = 0; i < k; i++)
                want += ia[i] * ipanel[i * NASHC_TILE + p];
            assert_true(acc[p] == (double)want && iacc[p] == want);
        }
    }
}

static void
overflow(void **state)
{
    int64_t a[2] = {INT64_MAX / 2, INT64_MAX / 2}, panel[2 * NASHC_TILE] = {0}, acc[NASHC_TILE];

    (void)state;
    panel[3] = 2;
    assert_true(ops_dot_i64(a, panel, 2, acc));
    panel[NASHC_TILE + 3] = 1;
    assert_false(ops_dot_i64(a, panel, 2, acc));
    panel[3] = 3;
    assert_false(ops_dot_i64(a, panel, 1, acc));
}

/* The executor reports what does not fit the result type, instead of wrapping around. */
static void
overflow_is_reported(void **state)
{
    nashc_module *m = unit_parse(*state, "graph @main(%x: i64[1]) -> (%y) {\n"
                                         "%y: u63[1] = nn.mul(%x, %x)\n}\n");
    const nashc_graph *g = nashc_module_main(m);
    nashc_buf in, out;
    const nashc_buf *pin[] = {&in};

    assert_true(nashc_buf_alloc(&in, nashc_value_type(nashc_graph_input(g, 0))));
    nashc_buf_set_int(&in, 0, INT64_MAX / 2);
    assert_int_equal(nashc_run_module(m, pin, &out, nashc_ctx_diag(*state)), NASHC_EINPUT);
    unit_expect_message(*state, "does not fit its type");
    nashc_buf_free(&in);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tiles), cmocka_unit_test(overflow),
                                       UNIT(overflow_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
