/* str.c: tests of core/base/str.c and of reading strings back. */
#include "core/base/str.h"
#include "core/base/attr.h"
#include "support.h"

static void
grows_and_is_terminated(void **state)
{
    nashc_str s = {0};
    size_t n;
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        nashc_str_printf(&s, "%d,", i);
    nashc_str_int(&s, INT64_MIN);
    text = nashc_str_take(&s, &n);
    assert_int_equal(strlen(text), n);
    assert_non_null(strstr(text, ",999,-9223372036854775808"));
    nashc_mem_free(text);
    text = nashc_str_take(&s, &n);
    assert_string_equal(text, "");
    nashc_mem_free(text);
}

static void
quoting_reads_back(void **state)
{
    static const char *const texts[] = {"",
                                        "plain",
                                        "a\"b\\c",
                                        "line\nnext\ttab",
                                        "\x01\x7f",
                                        "\xc3\xa4\xe2\x82\xac",
                                        "\xff\xfe broken \xc3",
                                        "\xed\xa0\x80 surrogate",
                                        "\xf0\x9f\x98\x80"};
    nashc_arena *a = nashc_arena_create();

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(texts); i++) {
        char err[NASHC_ATTR_ERR];
        nashc_str s = {0};
        const char *at, *back;
        nashc_str_quoted(&s, texts[i]);
        for (const char *p = s.data; *p; p++)
            assert_true((unsigned char)*p >= 0x20);
        at = s.data;
        assert_int_equal(nashc_string_parse(&at, a, &back, err), NASHC_OK);
        assert_int_equal(*at, 0);
        assert_string_equal(back, texts[i]);
        nashc_str_free(&s);
    }
    nashc_arena_free(a);
}

static void
broken_strings_are_refused(void **state)
{
    static const char *const texts[] = {"x",         "\"open", "\"a\\q\"", "\"\\x0\"",
                                        "\"\\x00\"", "\"\\",   "\"a\nb\"", "\"\\xg0\""};
    nashc_arena *a = nashc_arena_create();

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(texts); i++) {
        char err[NASHC_ATTR_ERR];
        const char *at = texts[i], *back;
        assert_int_equal(nashc_string_parse(&at, a, &back, err), NASHC_EINPUT);
        assert_true(at >= texts[i] && at <= texts[i] + strlen(texts[i]));
    }
    nashc_arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_is_terminated),
        cmocka_unit_test(quoting_reads_back),
        cmocka_unit_test(broken_strings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
