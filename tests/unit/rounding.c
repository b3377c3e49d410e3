/* rounding.c: tests of ir/ops/rounding.c: the rows of docs/quantisers.md, ties, signs, last bits.
 */
#include "ir/ops/ops.h"
#include "unit.h"

static void
table(void **state)
{
    static const struct {
        double u, want[8]; /* round ceil floor up down half_up half_down dpu */
    } rows[] = {
        {5.5, {6, 6, 5, 6, 5, 6, 5, 6}},          {2.5, {2, 3, 2, 3, 2, 3, 2, 2}},
        {1.6, {2, 2, 1, 2, 1, 2, 2, 2}},          {1.1, {1, 2, 1, 2, 1, 1, 1, 1}},
        {-1.1, {-1, -1, -2, -2, -1, -1, -1, -1}}, {-1.6, {-2, -1, -2, -2, -1, -2, -2, -2}},
        {-2.5, {-2, -2, -3, -3, -2, -3, -2, -2}}, {-5.5, {-6, -5, -6, -6, -5, -6, -5, -5}},
        {-1.5, {-2, -1, -2, -2, -1, -2, -1, -1}}, {0, {0, 0, 0, 0, 0, 0, 0, 0}},
        {-0.5, {0, 0, -1, -1, 0, -1, 0, 0}},      {7, {7, 7, 7, 7, 7, 7, 7, 7}},
    };

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        for (int mode = 0; mode < 8; mode++)
            assert_true(ops_round((ops_rounding)mode, rows[i].u) == rows[i].want[mode]);
}

static void
last_bits(void **state)
{
    (void)state; /* adding 1/2 would carry */
    assert_true(ops_round(NASHC_R_HALF_UP, 0x1.fffffffffffffp-2) == 0);
    assert_true(ops_round(NASHC_R_HALF_DOWN, 0x1.0000000000001p-1) == 1);
    assert_true(ops_round(NASHC_R_HALF_UP, 0x1.fffffffffffffp52) == 0x1.fffffffffffffp52);
    assert_true(ops_round(NASHC_R_UP, 0x1p-1074) == 1);
    assert_true(ops_round(NASHC_R_CEIL, -0x1p-1074) == 0);
}

static void
sign(void **state)
{
    (void)state;
    assert_true(ops_round(NASHC_R_SIGN, 0.0) == 1);
    assert_true(ops_round(NASHC_R_SIGN, -0.0) == 1);
    assert_true(ops_round(NASHC_R_SIGN, -0x1p-1074) == -1);
    assert_true(isnan(ops_round(NASHC_R_SIGN, NAN)));
}

static void
extremes(void **state)
{
    (void)state;
    for (int mode = 0; mode < 8; mode++) {
        assert_true(ops_round((ops_rounding)mode, INFINITY) == INFINITY);
        assert_true(ops_round((ops_rounding)mode, -1e300) == -1e300);
        assert_true(isnan(ops_round((ops_rounding)mode, NAN)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(last_bits),
                                       cmocka_unit_test(sign), cmocka_unit_test(extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
