/* num.c: tests of core/base/num.c: shortest text, exact reading, no locale. */
#include "core/base/num.h"
#include "core/base/rng.h"
#include "support.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

static void
check_f64(double v)
{
    char text[NASHC_NUM_MAX];
    const char *s = nashc_num_print_f64(v, text);
    double back;

    assert_true(nashc_num_parse_f64(&s, &back));
    assert_int_equal(*s, 0);
    assert_memory_equal(&back, &v, sizeof(v));
}

static void
check_f32(float v)
{
    char text[NASHC_NUM_MAX];
    const char *s = nashc_num_print_f32(v, text);
    float back;

    assert_true(nashc_num_parse_f32(&s, &back));
    assert_int_equal(*s, 0);
    assert_memory_equal(&back, &v, sizeof(v));
}

static void
texts_read_back_to_the_same_bits(void **state)
{
    static const double special[] = {0,         -0.0,         1,        -1,       0.1,
                                     1e-5,      DBL_MAX,      DBL_MIN,  5e-324,   1e22,
                                     1e23,      123456789012, 1.0 / 3,  INFINITY, -INFINITY,
                                     999999999, 1000000000,   1e9 + 0.5};
    nashc_rng rng;

    (void)state;
    nashc_rng_seed(&rng, 3);
    for (size_t i = 0; i < NASHC_COUNT(special); i++) {
        check_f64(special[i]);
        check_f32((float)special[i]);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = nashc_rng_u64(&rng);
        uint32_t low = (uint32_t)bits;
        double d;
        float f;
        memcpy(&d, &bits, 8);
        memcpy(&f, &low, 4);
        if (!isnan(d))
            check_f64(d);
        if (!isnan(f))
            check_f32(f);
    }
}

static void
texts_are_short(void **state)
{
    static const struct {
        double v;
        const char *text;
    } rows[] = {{0.1, "0.1"},
                {1, "1"},
                {-0.0, "-0"},
                {1e-5, "1e-05"},
                {0.125, "0.125"},
                {1e22, "1e+22"},
                {100000, "100000"},
                {NAN, "nan"},
                {5e-324, "5e-324"},
                {0.3, "0.3"},
                {0.1 + 0.2, "0.30000000000000004"}};
    char text[NASHC_NUM_MAX];

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        assert_string_equal(nashc_num_print_f64(rows[i].v, text), rows[i].text);
    assert_string_equal(nashc_num_print_f32(0.1f, text), "0.1");
    assert_string_equal(nashc_num_print_f32(16777216.0f, text), "16777216");
}

/* No text of fewer digits may read back to the same number. */
static void
texts_are_shortest(void **state)
{
    nashc_rng rng;

    (void)state;
    nashc_rng_seed(&rng, 4);
    for (int i = 0; i < 3000; i++) {
        double v = (nashc_rng_unit(&rng) - 0.5) * pow(10, (double)nashc_rng_range(&rng, -20, 20));
        char text[NASHC_NUM_MAX], shorter[350];
        int digits = 0;
        if (i % 2)
            v = round(v * 1e4) / 1e4;
        if (v == 0 || fabs(v) >= 1e9)
            continue;
        for (const char *s = nashc_num_print_f64(v, text); *s && *s != 'e'; s++)
            digits += *s >= '0' && *s <= '9' && (digits || *s != '0');
        if (v == round(v) || digits < 2)
            continue;
        snprintf(shorter, sizeof(shorter), "%.*g", digits - 1, v);
        assert_true(strtod(shorter, NULL) != v);
    }
}

static void
malformed_numbers_are_refused(void **state)
{
    static const char *const bad[] = {"",     "-",        "+",    ".",     "e5",  "1e", "1e+",
                                      "0x10", "infinity", "nanx", "1e999", "--1", "abc"};
    double d = 7;
    float f = 7;
    int64_t i = 7;

    (void)state;
    for (size_t k = 0; k < NASHC_COUNT(bad); k++) {
        const char *s = bad[k];
        bool whole = nashc_num_parse_f64(&s, &d) && !*s;
        assert_false(whole);
    }
    for (const char *s = "9223372036854775808"; s;) {
        assert_false(nashc_num_parse_int(&s, &i));
        break;
    }
    for (const char *s = "-9223372036854775808"; s;) {
        assert_true(nashc_num_parse_int(&s, &i));
        assert_true(i == INT64_MIN);
        break;
    }
    for (const char *s = "1e39"; s;) {
        assert_false(nashc_num_parse_f32(&s, &f));
        break;
    }
}

static void
locale_does_not_matter(void **state)
{
    const char *s = "2.5,3";
    char text[NASHC_NUM_MAX];
    double v;

    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE") &&
        !setlocale(LC_ALL, "fr_FR.UTF-8"))
        print_message("# no locale with a decimal comma is installed\n");
    assert_true(nashc_num_parse_f64(&s, &v));
    assert_true(v == 2.5);
    assert_string_equal(s, ",3");
    assert_string_equal(nashc_num_print_f64(0.5, text), "0.5");
    setlocale(LC_ALL, "C");
}

static void
small_floats_round_to_even(void **state)
{
    (void)state;
    assert_true(nashc_num_round_f16(65519) == 65504);
    assert_true(isinf(nashc_num_round_f16(65520)));
    assert_true(nashc_num_round_f16(1 + 0x1p-11) == 1);
    assert_true(nashc_num_round_f16(1 + 3 * 0x1p-11) == 1 + 0x1p-9);
    assert_true(nashc_num_round_f16(0x1p-25) == 0);
    assert_true(nashc_num_round_f16(0x1p-24) == 0x1p-24);
    assert_true(nashc_num_round_mini(1000, 4, 3, 7) == 480); /* (2 - 1/8) * 2^8 */
    assert_true(nashc_num_round_mini(-1000, 4, 3, 7) == -480);
    assert_true(nashc_num_round_mini(1.0625, 4, 3, 7) == 1);
    assert_true(nashc_num_round_mini(1.1875, 4, 3, 7) == 1.25);
    assert_true(nashc_num_round_mini(0x1p-10, 4, 3, 7) == 0); /* half the smallest: to even */
    assert_true(nashc_num_round_mini(0x1p-9, 4, 3, 7) == 0x1p-9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_read_back_to_the_same_bits),
        cmocka_unit_test(texts_are_short),
        cmocka_unit_test(texts_are_shortest),
        cmocka_unit_test(malformed_numbers_are_refused),
        cmocka_unit_test(locale_does_not_matter),
        cmocka_unit_test(small_floats_round_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
