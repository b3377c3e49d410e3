/* sums.c: tests of ir/sums.c: least and greatest values of weighted sums. */
#include "unit.h"

static nashc_tensor *
weights(nashc_type elem, const int64_t *w, int64_t n)
{
    nashc_type t = nashc_type_shaped(elem, 1, &n);
    nashc_tensor *c = nashc_tensor_from_i64(&t, w);

    assert_non_null(c);
    return c;
}

static void
expect(const nashc_sums *s, int64_t lo, int64_t hi, int64_t least, int64_t most)
{
    int64_t a = 0, b = 0;

    assert_true(nashc_sums_range(s, lo, hi, &a, &b));
    assert_true(a == least && b == most);
}

/* Both ends are reached: what brute force over the corners finds. */
static void
corners(void **state)
{
    static const int64_t w[] = {3, -2, 0, 5, -7, 1};
    int64_t least = INT64_MAX, most = INT64_MIN;
    nashc_tensor *c = weights(nashc_type_int(8), w, 6);
    nashc_sums s = {0};

    (void)state;
    for (unsigned set = 0; set < 64; set++) {
        int64_t sum = 0;
        for (int k = 0; k < 6; k++)
            sum += w[k] * (set >> k & 1 ? 11 : -4);
        least = sum < least ? sum : least;
        most = sum > most ? sum : most;
    }
    nashc_sums_add(&s, nashc_tensor_buf(c), 0, 1, 6);
    expect(&s, -4, 11, least, most);
    nashc_tensor_unref(c);
}

/* Parts of one sum, a stride, and the three ways in which elements are stored. */
static void
parts_and_cells(void **state)
{
    static const int64_t w[] = {100, -100, 7, -3, 0, 20};
    const nashc_type elems[] = {nashc_type_int(8), nashc_type_int(16), nashc_type_int(32),
                                nashc_type_int(60)};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(elems); i++) {
        nashc_tensor *c = weights(elems[i], w, 6);
        nashc_sums s = {0};
        nashc_sums_add(&s, nashc_tensor_buf(c), 0, 2, 3);
        assert_true(s.pos == 107 && s.neg == 0);
        nashc_sums_add(&s, nashc_tensor_buf(c), 1, 2, 3);
        assert_true(s.pos == 127 && s.neg == -103 && !s.overflow);
        expect(&s, 0, 1, -103, 127);
        nashc_tensor_unref(c);
    }
}

/* Columns as sums with a stride, in all ways of storing, the last part narrower. */
static void
columns(void **state)
{
    enum { ROWS = 5, COLUMNS = NASHC_SUMS_COLUMNS + 3 };
    const nashc_type elems[] = {nashc_type_int(8),  nashc_type_uint(8),  nashc_type_int(16),
                                nashc_type_int(32), nashc_type_uint(16), nashc_type_int(60)};
    int64_t w[ROWS * COLUMNS];

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(elems); i++) {
        bool is_signed = elems[i].kind == NASHC_K_INT && nashc_type_is_signed(&elems[i]);
        for (int k = 0; k < ROWS * COLUMNS; k++)
            w[k] = k * 37 % 201 - (is_signed ? 100 : 0);
        nashc_tensor *c = weights(elems[i], w, ROWS * COLUMNS);
        nashc_sums s[COLUMNS] = {{0}};
        nashc_sums_columns(s, nashc_tensor_buf(c), ROWS, COLUMNS, 0, NASHC_SUMS_COLUMNS);
        nashc_sums_columns(s + NASHC_SUMS_COLUMNS, nashc_tensor_buf(c), ROWS, COLUMNS,
                           NASHC_SUMS_COLUMNS, 3);
        for (int k = 0; k < COLUMNS; k++) {
            nashc_sums one = {0};
            nashc_sums_add(&one, nashc_tensor_buf(c), k, COLUMNS, ROWS);
            assert_true(s[k].pos == one.pos && s[k].neg == one.neg && s[k].pos > 0);
        }
        nashc_tensor_unref(c);
    }
}

/* More rows than have sums of 32 bits. */
static void
tall(void **state)
{
    enum { ROWS = 70000 };
    static int64_t w[2 * ROWS];

    (void)state;
    for (int k = 0; k < 2 * ROWS; k++)
        w[k] = 65535 - k % 2;
    nashc_type t = nashc_type_shaped(nashc_type_uint(16), 2, (const int64_t[]){ROWS, 2});
    nashc_tensor *c = nashc_tensor_from_i64(&t, w);
    nashc_sums s[2] = {{0}};
    nashc_sums_columns(s, nashc_tensor_buf(c), ROWS, 2, 0, 2);
    assert_true(s[0].pos == INT64_C(65535) * ROWS && s[0].neg == 0);
    assert_true(s[1].pos == INT64_C(65534) * ROWS && s[1].neg == 0);
    nashc_tensor_unref(c);
}

static void
bipolar(void **state)
{
    static const int64_t w[] = {1, -1, -1};
    nashc_tensor *c = weights(nashc_type_bip(), w, 3);
    nashc_sums s = {0};

    (void)state;
    nashc_sums_add(&s, nashc_tensor_buf(c), 0, 1, 3);
    expect(&s, -1, 1, -3, 3);
    nashc_tensor_unref(c);
}

static void
overflow(void **state)
{
    const int64_t big[] = {INT64_MAX, 1}, one[] = {INT64_MAX / 2, -2};
    int64_t a = 5, b = 6;
    nashc_sums s = {0};

    (void)state;
    nashc_sums_add_i64(&s, big, 1, 2); /* of the weights */
    assert_true(s.overflow);
    assert_false(nashc_sums_range(&s, 0, 1, &a, &b));
    s = (nashc_sums){0};
    nashc_sums_add_i64(&s, one, 1, 2);
    assert_false(s.overflow);
    assert_false(nashc_sums_range(&s, 0, 4, &a, &b));              /* of a product */
    assert_false(nashc_sums_range(&s, -INT64_MAX / 4, 2, &a, &b)); /* of both */
    assert_true(a == 5 && b == 6);
    expect(&s, -1, 1, -(INT64_MAX / 2) - 2, INT64_MAX / 2 + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corners), cmocka_unit_test(parts_and_cells),
                                       cmocka_unit_test(columns), cmocka_unit_test(tall),
                                       cmocka_unit_test(bipolar), cmocka_unit_test(overflow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
