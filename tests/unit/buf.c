/* buf.c: tests of ir/buf.c: storage of elements, rounding, faults, exact comparison. */
#include "core/base/rng.h"
#include "support.h"
#include <math.h>

static nashc_buf
one(const char *type, double v)
{
    nashc_type t = type_of(type);
    nashc_buf b;

    assert_true(nashc_buf_alloc(&b, &t));
    nashc_buf_set(&b, 0, v);
    return b;
}

static void
cells_are_the_smallest(void **state)
{
    static const struct {
        const char *type;
        nashc_cell cell;
    } rows[] = {{"bip[]", NASHC_I8},    {"u1[]", NASHC_U8},     {"i8[]", NASHC_I8},
                {"i9[]", NASHC_I16},    {"u16[]", NASHC_U16},   {"u17[]", NASHC_U32},
                {"i33[]", NASHC_I64},   {"u64[]", NASHC_U64},   {"fx16.6[]", NASHC_I16},
                {"ufx8.2[]", NASHC_U8}, {"f16[]", NASHC_FLOAT}, {"fl4.3.7[]", NASHC_FLOAT},
                {"f32[]", NASHC_FLOAT}, {"f64[]", NASHC_DOUBLE}};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type t = type_of(rows[i].type);
        assert_int_equal(nashc_type_cell(&t), rows[i].cell);
    }
}

static void
every_element_of_small_types_is_kept(void **state)
{
    static const char *const types[] = {"u1[]",  "bip[]",   "ter[]",     "i4[]",      "u8[]",
                                        "i12[]", "fx8.4[]", "ufx6.-2[]", "fl3.2.3[]", "f16[]"};

    (void)state;
    for (size_t k = 0; k < NASHC_COUNT(types); k++) {
        nashc_buf b = one(types[k], 0);
        nashc_type t = b.type;
        double ulp = nashc_type_ulp(&t);
        for (int m = -5000; m <= 5000; m++) {
            double v = m * ulp;
            b.fault = false;
            nashc_buf_set(&b, 0, v);
            if (!nashc_type_is_float(&t))
                assert_int_equal(!b.fault, nashc_type_holds(&t, v));
            if (nashc_type_holds(&t, v))
                assert_true(nashc_buf_get(&b, 0) == v);
        }
        nashc_buf_free(&b);
    }
}

static void
values_outside_set_fault_and_change_nothing(void **state)
{
    nashc_buf b = one("i4<-7..7>[]", 3);

    (void)state;
    nashc_buf_set(&b, 0, -8);
    assert_true(b.fault);
    assert_int_equal(nashc_buf_get_int(&b, 0), 3);
    b.fault = false;
    nashc_buf_set_int(&b, 0, 8);
    assert_true(b.fault);
    b.fault = false;
    nashc_buf_set(&b, 0, 2.5);
    assert_true(b.fault);
    b.fault = false;
    nashc_buf_set(&b, 0, NAN);
    assert_true(b.fault);
    nashc_buf_free(&b);
}

static void
wide_buffers_do_not_round(void **state)
{
    nashc_type t = type_of("f32[1]");
    double cell[1];
    nashc_buf b = {.type = t, .n = 1, .data = cell, .cell = NASHC_DOUBLE};

    (void)state;
    nashc_buf_set(&b, 0, 0.1);
    assert_true(nashc_buf_get(&b, 0) == 0.1);
    b = one("f32[1]", 0.1);
    assert_true(nashc_buf_get(&b, 0) == (double)0.1f);
    nashc_buf_free(&b);
}

static int
cmp(const char *ta, double a, const char *tb, double b)
{
    nashc_buf x = one(ta, a), y = one(tb, b);
    int c = nashc_buf_cmp(&x, 0, &y, 0);

    assert_false(x.fault || y.fault);
    if (!isnan(a) && !isnan(b))
        assert_int_equal(nashc_buf_cmp(&y, 0, &x, 0), -c);
    nashc_buf_free(&x);
    nashc_buf_free(&y);
    return c;
}

static void
comparison_is_exact(void **state)
{
    nashc_type wide = type_of("i64[]");
    nashc_buf a, b;

    (void)state;
    assert_int_equal(cmp("u2[]", 3, "i13[]", 3), 0);
    assert_int_equal(cmp("u2[]", 3, "f32[]", 3.5), -1);
    assert_int_equal(cmp("fx8.4[]", 0.5, "f64[]", 0.5), 0);
    assert_int_equal(cmp("fx8.4[]", -0.5, "ufx8.2[]", 0.25), -1);
    assert_int_equal(cmp("f64[]", INFINITY, "i64[]", 5), 1);
    assert_int_equal(cmp("f64[]", -INFINITY, "i64[]", 5), -1);
    assert_int_equal(cmp("f64[]", NAN, "i64[]", 5), -1);
    assert_int_equal(cmp("f64[]", NAN, "i8[]", 5), -1);
    assert_int_equal(cmp("f64[]", 0, "i64[]", 0), 0);
    assert_int_equal(cmp("f64[]", -0x1p63, "i64[]", -0x1p63), 0);
    assert_true(nashc_buf_alloc(&a, &wide));
    nashc_buf_set_int(&a, 0, INT64_MAX); /* as a double it would be 2^63 */
    b = one("f64[]", 0x1p63);
    assert_int_equal(nashc_buf_cmp(&a, 0, &b, 0), -1);
    nashc_buf_set(&b, 0, 9007199254740992.0);
    nashc_buf_set_int(&a, 0, 9007199254740993); /* 2^53 + 1 */
    assert_int_equal(nashc_buf_cmp(&a, 0, &b, 0), 1);
    assert_int_equal(nashc_buf_cmp(&b, 0, &a, 0), -1);
    nashc_buf_free(&a);
    nashc_buf_free(&b);
}

static void
channels_of_both_layouts(void **state)
{
    nashc_type c = type_of("u8[2,3,2,2]"), l = type_of("u8[2,2,2,3]NHWC"), v = type_of("u8[5]");
    nashc_buf b = {.type = c};

    (void)state;
    assert_int_equal(nashc_buf_channel(&b, 0), 0);
    assert_int_equal(nashc_buf_channel(&b, 4), 1);
    assert_int_equal(nashc_buf_channel(&b, 12), 0);
    b.type = l;
    assert_int_equal(nashc_buf_channel(&b, 4), 1);
    b.type = v;
    assert_int_equal(nashc_buf_channel(&b, 3), 3);
    b.type = type_of("u8[]");
    assert_int_equal(nashc_buf_channel(&b, 0), 0);
}

static void
what_is_too_large_is_refused(void **state)
{
    nashc_type t = type_of("f64[2147483648]"), u = type_of("f32[?]");
    nashc_buf b;

    (void)state;
    assert_false(nashc_buf_alloc(&b, &t));
    assert_false(nashc_buf_alloc(&b, &u));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_the_smallest),
        cmocka_unit_test(every_element_of_small_types_is_kept),
        cmocka_unit_test(values_outside_set_fault_and_change_nothing),
        cmocka_unit_test(wide_buffers_do_not_round),
        cmocka_unit_test(comparison_is_exact),
        cmocka_unit_test(channels_of_both_layouts),
        cmocka_unit_test(what_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
