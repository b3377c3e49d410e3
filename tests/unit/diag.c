/* diag.c: tests of core/diag.c. */
#include "unit.h"

static void
shapes_of_messages(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_loc at = {.file = "t.nashir", .line = 9, .col = 12};
    assert_int_equal(nashc_error(d, &at, "bad %d", 7), NASHC_EINPUT);
    nashc_caret(d, "abc def", 4, 3);
    nashc_note(d, "why");
    nashc_help(d, "do this");
    assert_string_equal(nashc_diag_text(d, 0),
                        "t.nashir:9:12: error: bad 7\n    abc def\n        ^~~\n"
                        "  note: why\n  help: do this");
    nashc_loc node = {.file = "n.onnx", .name = "Conv_3"};
    assert_int_equal(nashc_unsup(d, &node, "no"), NASHC_EUNSUP);
    assert_string_equal(nashc_diag_text(d, 1), "n.onnx: error: node \"Conv_3\": no");
    assert_int_equal(nashc_bug(d, NULL, "broken"), NASHC_EBUG);
    assert_int_equal(nashc_usage(d, "%s", "x"), NASHC_EUSAGE);
    assert_string_equal(nashc_diag_text(d, 3), "nashc: error: x");
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), 4);
}

static void
null_diag_is_silent(void **state)
{
    nashc_type t = nashc_type_f32();
    (void)state;
    assert_int_equal(nashc_error(NULL, NULL, "x %s", nashc_type_str(NULL, &t)), NASHC_EINPUT);
    nashc_note(NULL, "x");
    nashc_warning(NULL, NULL, "f", "x");
    assert_string_equal(nashc_quote(NULL, "x"), "");
}

static void
warnings_follow_options(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_warning(d, NULL, "unused-scale", "w1");
    assert_string_equal(nashc_diag_text(d, 0), "nashc: warning: w1 [-Wunused-scale]");
    nashc_diag_warn_option(d, "no-unused-scale");
    nashc_warning(d, NULL, "unused-scale", "w2");
    nashc_note(d, "belongs to what is muted");
    assert_int_equal(nashc_diag_count(d, NASHC_NOTE), 1);
    assert_null(strstr(nashc_diag_text(d, 0), "muted"));
    nashc_diag_warn_option(d, "unused-scale");
    nashc_diag_warn_option(d, "error");
    nashc_warning(d, NULL, "unused-scale", "w3");
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), 1);
    nashc_diag_warn_option(d, "no-error=unused-scale");
    nashc_warning(d, NULL, "unused-scale", "w4");
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), 1);
    assert_int_equal(nashc_diag_warn_option(d, ""), NASHC_EUSAGE);
}

/* What goes on behind a warning asks in the end whether it was an error. */
static void
failed_warnings(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_warning(d, NULL, "unused-scale", "w1");
    nashc_error(d, NULL, "that is no warning");
    assert_false(nashc_diag_warning_failed(d));
    nashc_diag_warn_option(d, "error=unused-scale");
    int before = nashc_diag_count(d, NASHC_NOTE);
    nashc_warning(d, NULL, "unused-scale", "w2");
    assert_string_equal(nashc_diag_text(d, before), "nashc: error: w2 [-Werror=unused-scale]");
    assert_true(nashc_diag_warning_failed(d));
    nashc_diag_truncate(d, before);
    assert_false(nashc_diag_warning_failed(d));
}

static void
quoting(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    char longer[400];
    assert_string_equal(nashc_quote(d, "a\"b\\\n\x01"), "a\\\"b\\\\\\x0a\\x01");
    assert_string_equal(nashc_quote(d, "\xc3\xa9\xff\xc0\xaf"), "\xc3\xa9\\xff\\xc0\\xaf");
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    const char *q = nashc_quote(d, longer);
    assert_int_equal(strlen(q), 203);
    assert_string_equal(q + 200, "...");
}

static void
nearest(void **state)
{
    static const char *const names[] = {"nn.maxpool", "nn.avgpool", "q.quant", "nn.max_pool", NULL};
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_string_equal(nashc_nearest(d, "nn.maxpol", names),
                        "did you mean \"nn.maxpool\" or \"nn.max_pool\"?");
    assert_string_equal(nashc_nearest(d, "Q.QUNAT", names), "did you mean \"q.quant\"?");
    assert_string_equal(nashc_nearest(d, "zzzzzz", names), "");
    assert_string_equal(nashc_nearest(d, "", names), "");
}

static void
truncate_takes_back(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_error(d, NULL, "a");
    int n = nashc_diag_count(d, NASHC_NOTE);
    nashc_error(d, NULL, "b");
    nashc_diag_truncate(d, n);
    nashc_note(d, "of b");
    assert_int_equal(nashc_diag_count(d, NASHC_NOTE), 1);
    assert_string_equal(nashc_diag_text(d, 0), "nashc: error: a");
}

static void
collect(void *user, nashc_severity severity, const char *text)
{
    (void)severity;
    strcat(user, text);
}

static void
json_lines(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    char text[1000] = "";
    nashc_loc at = {.file = "f", .line = 2};
    nashc_diag_set_sink(d, collect, text, true);
    nashc_warning(d, &at, "w", "x\xff\"");
    nashc_help(d, "h");
    nashc_diag_flush(d);
    nashc_diag_flush(d);
    assert_string_equal(text, "{\"severity\":\"warning\",\"file\":\"f\",\"line\":2,"
                              "\"message\":\"x\\\\xff\\\\\\\"\",\"flag\":\"w\","
                              "\"notes\":[{\"kind\":\"help\",\"text\":\"h\"}]}");
}

static void
exit_codes(void **state)
{
    (void)state;
    assert_int_equal(nashc_status_exit(NASHC_OK), 0);
    assert_int_equal(nashc_status_exit(NASHC_EINPUT), 1);
    assert_int_equal(nashc_status_exit(NASHC_EUNSUP), 1);
    assert_int_equal(nashc_status_exit(NASHC_EUSAGE), 2);
    assert_int_equal(nashc_status_exit(NASHC_EMISMATCH), 3);
    assert_int_equal(nashc_status_exit(NASHC_EIO), 4);
    assert_int_equal(nashc_status_exit(NASHC_EBUG), 70);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(shapes_of_messages),
        cmocka_unit_test(null_diag_is_silent),
        UNIT(warnings_follow_options),
        UNIT(failed_warnings),
        UNIT(quoting),
        UNIT(nearest),
        UNIT(truncate_takes_back),
        UNIT(json_lines),
        cmocka_unit_test(exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
