/* tensor.c: tests of ir/tensor.c. */
#include "ir/impl.h"
#include "support.h"
#include <math.h>

static nashc_tensor *
ints(const char *type, const int64_t *v)
{
    nashc_type t = type_of(type);
    nashc_tensor *x = nashc_tensor_from_i64(&t, v);

    assert_non_null(x);
    return x;
}

static void
values_must_belong(void **state)
{
    nashc_type u2 = type_of("u2[2]"), f32 = type_of("f32[2]"), mini = type_of("fl3.2.3[2]");
    nashc_tensor *t;

    (void)state;
    assert_null(nashc_tensor_from_i64(&u2, (int64_t[]){3, 4}));
    assert_null(nashc_tensor_from_f64(&u2, (double[]){0.5, 1}));
    assert_null(nashc_tensor_from_f64(&mini, (double[]){0.3, 1}));
    t = nashc_tensor_from_f64(&f32, (double[]){0.1, 1});
    assert_true(nashc_tensor_get(t, 0) == (double)0.1f);
    nashc_tensor_unref(t);
    nashc_tensor_unref(NULL);
}

/* The hash is a format: blob files of former versions must stay readable. */
static void
hash_is_pinned(void **state)
{
    nashc_tensor *a = ints("i16[2,2]", (int64_t[]){1, -2, 3, 4}),
                 *b = ints("i16<-2..4>[2,2]", (int64_t[]){1, -2, 3, 4}),
                 *c = ints("i16[4]", (int64_t[]){1, -2, 3, 4});
    /* sha256("i16[2,2]\0" 0100 feff 0300 0400) */
    static const uint8_t want[32] = {0x25, 0x24, 0x02, 0x2b, 0x15, 0xd2, 0x9c, 0x9a,
                                     0x94, 0xda, 0xb7, 0xce, 0xf9, 0xf3, 0x79, 0x40,
                                     0x29, 0xae, 0x76, 0x43, 0x15, 0x14, 0x16, 0x35,
                                     0x04, 0x41, 0x95, 0x54, 0x07, 0xaa, 0x1b, 0x7b};

    (void)state;
    assert_memory_equal(nashc_tensor_hash(a), want, 32);
    assert_memory_equal(nashc_tensor_hash(a), nashc_tensor_hash(b), 32);
    assert_memory_not_equal(nashc_tensor_hash(a), nashc_tensor_hash(c), 32);
    nashc_tensor_unref(a);
    nashc_tensor_unref(b);
    nashc_tensor_unref(c);
}

static void
views_share_the_store(void **state)
{
    nashc_tensor *a = ints("i8[2,3]", (int64_t[]){1, 2, 3, 4, 5, 6}), *b, *c;

    (void)state;
    b = nashc_tensor_reshaped(a, 1, (int64_t[]){6});
    assert_ptr_equal(nashc_tensor_data(a), nashc_tensor_data(b));
    assert_null(nashc_tensor_reshaped(a, 1, (int64_t[]){5}));
    assert_null(nashc_tensor_reshaped(a, 9, (int64_t[9]){1, 1, 1, 1, 1, 1, 1, 2, 3}));
    nashc_tensor_unref(a);
    assert_int_equal(nashc_tensor_get_int(b, 5), 6);
    c = nashc_tensor_ref(b);
    nashc_tensor_unref(b);
    assert_int_equal(nashc_tensor_get_int(c, 0), 1);
    nashc_tensor_unref(c);
}

static void
transposes(void **state)
{
    int64_t v[24];
    nashc_tensor *a, *b;

    (void)state;
    for (int i = 0; i < 24; i++)
        v[i] = i;
    a = ints("u8[2,3,4]", v);
    b = nashc_tensor_transposed(a, (int[]){2, 0, 1});
    assert_int_equal(nashc_tensor_type(b)->dim[0], 4);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                assert_int_equal(nashc_tensor_get_int(b, k * 6 + i * 3 + j), i * 12 + j * 4 + k);
    assert_null(nashc_tensor_transposed(a, (int[]){2, 0, 3}));
    assert_null(nashc_tensor_transposed(a, (int[]){0, 0, 0}));
    nashc_tensor_unref(a);
    nashc_tensor_unref(b);
}

static void
per_channel(void **state)
{
    static const struct {
        const char *t, *x;
        bool yes;
    } rows[] = {{"u8[]", "u8[1,4,5,5]", true},         {"u8[1,1,1,1]", "u8[4]", true},
                {"u8[1,4,1,1]", "u8[1,4,5,5]", true},  {"u8[4,1,1]", "u8[1,4,5,5]", true},
                {"u8[4]", "u8[1,5,5,4]NHWC", true},    {"u8[4]", "u8[1,4,5,4]", false},
                {"u8[1,3,1,1]", "u8[1,4,5,5]", false}, {"u8[2,4,1,1]", "u8[2,4,5,5]", false},
                {"u8[10]", "u8[1,10]", true},          {"u8[3,1,4,1,1]", "u8[1,4,5,5]", false}};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type t = type_of(rows[i].t), x = type_of(rows[i].x);
        int64_t v[32] = {0};
        nashc_tensor *c = nashc_tensor_from_i64(&t, v);
        if (nashc_tensor_is_per_channel(c, &x) != rows[i].yes)
            fail_msg("%s against %s", rows[i].t, rows[i].x);
        nashc_tensor_unref(c);
    }
}

static void
questions(void **state)
{
    nashc_type t = type_of("f32[3]");
    nashc_tensor *a = nashc_tensor_from_f64(&t, (double[]){1, 2, NAN}),
                 *b = nashc_tensor_from_f64(&t, (double[]){1, -2, INFINITY}),
                 *c = nashc_tensor_from_f64(&t, (double[]){2, 2, 2});
    double lo, hi;

    (void)state;
    assert_false(nashc_tensor_all_ge(a, 0)); /* NaN is not */
    assert_true(nashc_tensor_all_ge(c, 2));
    assert_true(nashc_tensor_all_eq(c, 2));
    assert_false(nashc_tensor_all_integral(b));
    assert_true(nashc_tensor_all_integral(c));
    assert_false(nashc_tensor_all_finite(b));
    nashc_tensor_min_max(a, &lo, &hi);
    assert_true(lo == 1 && hi == 2);
    nashc_tensor_min_max(b, &lo, &hi);
    assert_true(lo == -2 && isinf(hi));
    nashc_tensor_unref(a);
    nashc_tensor_unref(b);
    nashc_tensor_unref(c);
}

static void
equal_constants_are_one(void **state)
{
    nashc_module *m = nashc_module_create(*state);
    nashc_graph *g = nashc_module_add_graph(m, "main");
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(*state));
    int64_t v[3] = {1, 2, 3};
    nashc_value *x = nashc_build_const(b, "x", ints("u8[3]", v)),
                *y = nashc_build_const(b, "y", ints("u8[3]", v)),
                *z = nashc_build_const(b, "z", ints("u8<0..3>[3]", v)),
                *w = nashc_build_const(b, "w", ints("u8[1,3]", v));

    assert_ptr_equal(nashc_value_const(x), nashc_value_const(y));
    assert_ptr_not_equal(nashc_value_const(x), nashc_value_const(z));
    assert_ptr_not_equal(nashc_value_const(x), nashc_value_const(w));
    for (int i = 0; i < 500; i++) {
        int64_t k = i % 100;
        assert_non_null(nashc_build_const(b, NULL, ints("u8[]", &k)));
    }
    assert_int_equal(m->n_tensors, 103);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_must_belong),    cmocka_unit_test(hash_is_pinned),
        cmocka_unit_test(views_share_the_store), cmocka_unit_test(transposes),
        cmocka_unit_test(per_channel),           cmocka_unit_test(questions),
        CTX_TEST(equal_constants_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
