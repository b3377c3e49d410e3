/* type.c: tests of ir/type.c and ir/type_text.c. */
#include "core/base/rng.h"
#include "support.h"
#include <math.h>

static void
text_is_canonical(void **state)
{
    static const char *const texts[] = {"u1[]",
                                        "i64[1,2,3]",
                                        "u64[]",
                                        "bip[16,3,3,1]",
                                        "ter[2]",
                                        "i4<-7..7>[10,784]",
                                        "u2[1,7,7,16]NHWC",
                                        "u3[1,2,3]NWC",
                                        "fx16.6[4]",
                                        "ufx8.-2[]",
                                        "fx8.-3<-5..5>[1]",
                                        "f16[1]",
                                        "f32[?,3,8,8]",
                                        "f64[]",
                                        "fl4.3.7[2,2]",
                                        "none[1]",
                                        "u4[0]",
                                        "u3<0..4>[1,2,3,4,5,6,7,8]"};
    char text[NASHC_TYPE_STR_MAX];

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(texts); i++) {
        nashc_type t = type_of(texts[i]);
        assert_string_equal(nashc_type_print(&t, text, sizeof(text)), texts[i]);
    }
    nashc_type t = type_of("u4<0..15>[1,2,3,4]NCHW"); /* both are the default */
    assert_string_equal(nashc_type_print(&t, text, sizeof(text)), "u4[1,2,3,4]");
    assert_string_equal(nashc_type_print(&t, text, 4), "u4[");
}

static void
malformed_types_are_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "i",
                                        "i0[]",
                                        "i65[]",
                                        "u99999999999[]",
                                        "f33[]",
                                        "x4[]",
                                        "i4<[]",
                                        "i4<8..9>[]",
                                        "i4<1..0>[]",
                                        "u4<-1..3>[]",
                                        "f32<0..1>[]",
                                        "i4[1,]",
                                        "i4[,1]",
                                        "i4[-1]",
                                        "i4[1",
                                        "i4[1,2,3,4,5,6,7,8,9]",
                                        "fx4.4[]",
                                        "fx4[]",
                                        "fx4.[]",
                                        "fl9.3.7[]",
                                        "fl4.24.7[]",
                                        "fl8.3.0[]",
                                        "i4[1,2]NHWC",
                                        "i4[]x",
                                        "i4[99999999999]",
                                        "I4[]"};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(texts); i++) {
        nashc_type t = type_of("u7[3]"), same = t;
        const char *s = texts[i];
        if (nashc_type_parse(&s, &t))
            fail_msg("accepted: %s", texts[i]);
        assert_ptr_equal(s, texts[i]);
        assert_true(nashc_type_eq(&t, &same));
    }
}

static void
limits_and_ranges(void **state)
{
    static const struct {
        int64_t lo, hi;
        const char *text;
    } rows[] = {{0, 0, "u1<0..0>[]"},    {0, 1, "u1[]"},
                {0, 3, "u2[]"},          {0, 4, "u3<0..4>[]"},
                {-1, 0, "i1[]"},         {-1, 1, "i2<-1..1>[]"},
                {-8, 7, "i4[]"},         {-9, 7, "i5<-9..7>[]"},
                {-8, 8, "i5<-8..8>[]"},  {INT64_MIN, INT64_MAX, "i64[]"},
                {0, INT64_MAX, "u63[]"}, {5, 6, "u3<5..6>[]"}};
    char text[NASHC_TYPE_STR_MAX];
    int64_t lo, hi;

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type t = nashc_type_for_range(rows[i].lo, rows[i].hi);
        assert_string_equal(nashc_type_print(&t, text, sizeof(text)), rows[i].text);
    }
    nashc_type t = nashc_type_uint(64);
    assert_true(nashc_type_limits(&t, &lo, &hi) && lo == 0 && hi == INT64_MAX);
    assert_int_equal(nashc_type_int(0).kind, NASHC_K_NONE);
    assert_int_equal(nashc_type_uint(65).kind, NASHC_K_NONE);
    t = nashc_type_f32();
    assert_false(nashc_type_limits(&t, &lo, &hi));
}

static void
counts_and_channels(void **state)
{
    nashc_type a = type_of("u2[1,16,7,5]"), b = type_of("u2[1,7,5,16]NHWC"), c = type_of("u2[]"),
               d = type_of("u2[9]"), e = type_of("u2[?,3]"), f = type_of("u2[65536,65536,2]");

    (void)state;
    assert_int_equal(nashc_type_count(&a), 560);
    assert_int_equal(nashc_type_channels(&a), 16);
    assert_int_equal(nashc_type_channel_axis(&b), 3);
    assert_int_equal(nashc_type_channels(&b), 16);
    assert_int_equal(nashc_type_count(&c), 1);
    assert_int_equal(nashc_type_channel_axis(&c), -1);
    assert_int_equal(nashc_type_channels(&c), 1);
    assert_int_equal(nashc_type_channel_axis(&d), 0);
    assert_int_equal(nashc_type_count(&e), -1);
    assert_false(nashc_type_is_static(&e));
    assert_int_equal(nashc_type_count(&f), -1);
}

static void
membership(void **state)
{
    static const struct {
        const char *type;
        double v;
        bool holds;
    } rows[] = {{"i4[]", -8, true},
                {"i4[]", 8, false},
                {"i4<-7..7>[]", -8, false},
                {"i4[]", 0.5, false},
                {"bip[]", 0, false},
                {"bip[]", -1, true},
                {"ter[]", 0, true},
                {"fx8.4[]", 0.0625, true},
                {"fx8.4[]", 0.03125, false},
                {"fx8.4[]", 8, false},
                {"ufx8.-2[]", 0x1p-10, true},
                {"f32[]", 0.1, false},
                {"f32[]", 0.5, true},
                {"f64[]", 0.1, true},
                {"f16[]", 65504, true},
                {"f16[]", 65505, false},
                {"fl4.3.7[]", 480, true},
                {"fl4.3.7[]", 481, false},
                {"fl4.3.7[]", INFINITY, false},
                {"i64[]", 0x1p63, false},
                {"i64[]", -0x1p63, true},
                {"u8[]", NAN, false},
                {"f32[]", NAN, true},
                {"f32[]", 1e300, false}};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type t = type_of(rows[i].type);
        if (nashc_type_holds(&t, rows[i].v) != rows[i].holds)
            fail_msg("%s: %g", rows[i].type, rows[i].v);
    }
}

static void
broadcasting(void **state)
{
    static const struct {
        const char *a, *b, *out; /* out NULL: they do not fit */
    } rows[] = {{"u1[1,4,1,1]", "u1[2,4,3,3]", "u1[2,4,3,3]"},
                {"u1[]", "u1[2,3]", "u1[2,3]"},
                {"u1[3]", "u1[2,1]", "u1[2,3]"},
                {"u1[2,3]", "u1[2,4]", NULL},
                {"u1[1,5,5,2]NHWC", "u1[2]", "u1[1,5,5,2]NHWC"},
                {"u1[2]", "u1[1,5,5,2]NHWC", "u1[1,5,5,2]NHWC"},
                {"u1[1,1,1,2]", "u1[1,5,5,2]NHWC", "u1[1,5,5,2]NHWC"},
                {"u1[?,3]", "u1[1,3]", "u1[?,3]"},
                {"u1[0]", "u1[1]", "u1[0]"}};

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type a = type_of(rows[i].a), b = type_of(rows[i].b), out = type_of("u1[]"), want;
        bool fits = nashc_type_broadcast(&a, &b, &out);
        assert_int_equal(fits, rows[i].out != NULL);
        if (!fits)
            continue;
        want = type_of(rows[i].out);
        assert_true(nashc_type_same_shape(&out, &want));
    }
}

static void
finn_names(void **state)
{
    static const char *const rows[][2] = {{"INT4", "i4[]"},
                                          {"UINT8", "u8[]"},
                                          {"BINARY", "u1[]"},
                                          {"BIPOLAR", "bip[]"},
                                          {"TERNARY", "ter[]"},
                                          {"FIXED<16,6>", "fx16.6[]"},
                                          {"UFIXED<8,-2>", "ufx8.-2[]"},
                                          {"FLOAT<4,3,7>", "fl4.3.7[]"},
                                          {"FLOAT<4,3,0>", "fl4.3.0[]"},
                                          {"FLOAT32", "f32[]"},
                                          {"FLOAT16", "f16[]"}};
    static const char *const bad[] = {
        "",           "INT",      "INT0",      "INT65",          "UINT4x",
        "FIXED<4,4>", "FIXED<4>", "FLOAT<4>",  "FLOAT<4,3,7,1>", "SCALEDINT<8>",
        "int4",       "FLOAT33",  "FIXED<16,6"};
    char text[64];

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        nashc_type t = {0}, want = type_of(rows[i][1]);
        assert_true(nashc_type_from_finn_name(rows[i][0], &t));
        assert_true(nashc_type_eq(&t, &want));
        assert_string_equal(nashc_type_finn_name(&t, text, sizeof(text)), rows[i][0]);
    }
    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        nashc_type t = {0};
        assert_false(nashc_type_from_finn_name(bad[i], &t));
    }
    nashc_type t = type_of("f32[2,3]");
    assert_true(nashc_type_from_finn_name("FIXED< 16 , 6 >", &t));
    assert_string_equal(nashc_type_print(&t, text, sizeof(text)), "fx16.6[2,3]");
    assert_true(nashc_type_from_finn_name("FLOAT<4,3>", &t));
    assert_string_equal(nashc_type_print(&t, text, sizeof(text)), "fl4.3.7[2,3]");
    assert_true(nashc_type_from_finn_name("UINT1", &t));
}

/* Any text: no crash, and what is accepted prints to something that parses to the same type. */
static void
random_text(void **state)
{
    static const char alphabet[] = "iubtfxlrepn<>..,[]0123456789?-NHWC ";
    nashc_rng rng;

    (void)state;
    nashc_rng_seed(&rng, 9);
    for (int i = 0; i < 200000; i++) {
        char text[16], out[NASHC_TYPE_STR_MAX];
        int n = (int)nashc_rng_range(&rng, 0, 15);
        const char *s = text;
        nashc_type t, u;
        for (int k = 0; k < n; k++)
            text[k] = alphabet[nashc_rng_range(&rng, 0, sizeof(alphabet) - 2)];
        text[n] = 0;
        if (!nashc_type_parse(&s, &t))
            continue;
        s = nashc_type_print(&t, out, sizeof(out));
        assert_true(nashc_type_parse(&s, &u) && !*s && nashc_type_eq(&t, &u));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_canonical), cmocka_unit_test(malformed_types_are_refused),
        cmocka_unit_test(limits_and_ranges), cmocka_unit_test(counts_and_channels),
        cmocka_unit_test(membership),        cmocka_unit_test(broadcasting),
        cmocka_unit_test(finn_names),        cmocka_unit_test(random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
