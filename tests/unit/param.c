/* param.c: tests of core/param.c. */
#include "unit.h"

static const nashc_param schema[] = {
    {.name = "n", .def = "3", .domain = "0..9", .help = "h", .kind = NASHC_P_INT},
    {.name = "on", .def = "false", .help = "h", .kind = NASHC_P_BOOL},
    {.name = "x", .def = "0.5", .help = "h", .kind = NASHC_P_FLOAT},
    {.name = "mode", .def = "floor", .domain = "floor|ceil", .help = "h", .kind = NASHC_P_ENUM},
    {.name = "list", .def = "[]", .help = "h", .kind = NASHC_P_INTS},
    {.name = "file", .help = "h", .kind = NASHC_P_PATH},
    {.name = "many", .def = "", .help = "h", .kind = NASHC_P_STRING, .flags = NASHC_P_REPEAT},
    {0},
};

static void
defaults_and_values(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = nashc_opts_create(a, schema);
    int n;
    assert_int_equal(nashc_opts_int(o, "n"), 3);
    assert_false(nashc_opts_bool(o, "on"));
    assert_true(nashc_opts_float(o, "x") == 0.5);
    assert_string_equal(nashc_opts_str(o, "mode"), "floor");
    assert_false(nashc_opts_given(o, "n"));
    assert_int_equal(nashc_opts_check(o, NULL, d), NASHC_EUSAGE);
    unit_expect_message(*state, "option \"file\" is required");
    assert_int_equal(nashc_opts_set(o, "n", "9", NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_set(o, "on", "yes", NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_set(o, "mode", "ceil", NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_set(o, "list", "1,2,3", NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_set(o, "file", "a b", NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_check(o, NULL, d), NASHC_OK);
    assert_int_equal(nashc_opts_int(o, "n"), 9);
    assert_true(nashc_opts_bool(o, "on"));
    assert_string_equal(nashc_opts_str(o, "mode"), "ceil");
    const int64_t *list = nashc_opts_ints(o, "list", &n);
    assert_int_equal(n, 3);
    assert_int_equal(list[2], 3);
    assert_string_equal(nashc_opts_str(o, "file"), "a b");
    assert_true(nashc_opts_given(o, "n"));
    nashc_arena_free(a);
}

static void
repeated(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = nashc_opts_create(a, schema);
    assert_int_equal(nashc_opts_n(o, "many"), 0);
    nashc_opts_set(o, "many", "a=1", NULL, d);
    nashc_opts_set(o, "many", "", NULL, d);
    nashc_opts_set(o, "many", "c", NULL, d);
    assert_int_equal(nashc_opts_n(o, "many"), 3);
    assert_string_equal(nashc_opts_str_at(o, "many", 0), "a=1");
    assert_string_equal(nashc_opts_str_at(o, "many", 1), "");
    assert_string_equal(nashc_opts_str_at(o, "many", 2), "c");
    assert_string_equal(nashc_opts_str_at(o, "many", 3), "");
    nashc_arena_free(a);
}

static void
refusals(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = nashc_opts_create(a, schema);
    static const char *const bad[][2] = {{"n", "10"},     {"n", "x"},     {"n", ""},
                                         {"on", "maybe"}, {"mode", "up"}, {"list", "1,,2"},
                                         {"x", "1.5z"}};
    for (size_t i = 0; i < NASHC_COUNT(bad); i++)
        assert_int_equal(nashc_opts_set(o, bad[i][0], bad[i][1], NULL, d), NASHC_EUSAGE);
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), (int)NASHC_COUNT(bad));
    assert_int_equal(nashc_opts_int(o, "n"), 3);
    nashc_diag_truncate(d, 0);
    assert_int_equal(nashc_opts_set(o, "mdoe", "up", NULL, d), NASHC_EUSAGE);
    unit_expect_message(*state, "unknown option \"mdoe\"; did you mean \"mode\"?");
    nashc_arena_free(a);
}

static void
empty_schema(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = nashc_opts_create(a, NULL);
    assert_non_null(o);
    assert_int_equal(nashc_opts_check(o, NULL, NULL), NASHC_OK);
    assert_int_equal(nashc_opts_set(o, "x", "1", NULL, nashc_ctx_diag(*state)), NASHC_EUSAGE);
    assert_int_equal(nashc_opts_int(NULL, "x"), 0);
    nashc_arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(defaults_and_values), UNIT(repeated), UNIT(refusals),
                                       UNIT(empty_schema)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
