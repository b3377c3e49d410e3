/* pipeline.c: tests of core/pipeline.c: the grammar, and where the caret stands. */
#include "unit.h"

static nashc_status
do_nothing(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_OK;
}

static const nashc_param params[] = {
    {.name = "n", .def = "1", .domain = "0..9", .help = "h", .kind = NASHC_P_INT},
    {.name = "text", .def = "", .help = "h", .kind = NASHC_P_STRING},
    {.name = "on", .def = "false", .help = "h", .kind = NASHC_P_BOOL},
    {0}};
static const nashc_pass unit_a = {NASHC_DESC(nashc_pass), .name = "unit-a",
                                  .alias = "UnitA",       .help = "h",
                                  .options = params,      .run = do_nothing};
static const nashc_pass unit_b = {NASHC_DESC(nashc_pass), .name = "unit-b", .help = "h",
                                  .run = do_nothing};
static const nashc_param needy_params[] = {{.name = "must", .help = "h", .kind = NASHC_P_INT}, {0}};
static const nashc_pass unit_needy = {NASHC_DESC(nashc_pass), .name = "unit-needy", .help = "h",
                                      .options = needy_params, .run = do_nothing};
static const nashc_pipeline unit_line = {NASHC_DESC(nashc_pipeline), .name = "unit-line",
                                         .help = "h", .text = "unit-a,unit-b"};
static const nashc_pipeline unit_loop = {NASHC_DESC(nashc_pipeline), .name = "unit-loop",
                                         .help = "h", .text = "unit-a,unit-loop"};
static const nashc_pass *const passes[] = {&unit_a, &unit_b, &unit_needy, NULL};
static const nashc_pipeline *const pipelines[] = {&unit_line, &unit_loop, NULL};
static const nashc_plugin plugin = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "unit",
                                    .version = "1",           .help = "h",      .passes = passes,
                                    .pipelines = pipelines};

static int
setup(void **state)
{
    nashc_ctx *c = nashc_ctx_create();
    *state = c;
    return c && nashc_register(c, &plugin, "unit.so", nashc_ctx_diag(c)) == NASHC_OK ? 0 : -1;
}

static void
accepted(void **state)
{
    static const char *const good[] = {
        "",
        " ",
        "unit-a",
        "unit-a , unit-b",
        "UnitA",
        "unit-a()",
        "unit-a(n=3)",
        "unit-a(n=3;text=a b;on)",
        "unit-a(text=FIXED<16,6>;n=2)",
        "unit-a(text=\"x;y)\")",
        "unit-a(text=[1,(2)])",
        "repeat<4>(unit-a,unit-b)",
        "fixpoint(unit-a)",
        "fixpoint<7>(repeat<2>(try(unit-b)),unit-line)",
        "unit-line,unit-needy(must=1)",
        "# words\nunit-a, # more\nunit-b\n",
    };
    nashc_diag *d = nashc_ctx_diag(*state);
    for (size_t i = 0; i < NASHC_COUNT(good); i++)
        if (nashc_check_pipeline(*state, good[i], d) != NASHC_OK)
            fail_msg("%s: %s", good[i], nashc_diag_text(d, 0));
}

static void
refused(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"unit-c", "-passes:1:1: error: unknown pass \"unit-c\"; did you mean \"unit-a\" or "
                   "\"unit-b\"?\n    unit-c\n    ^~~~~~"},
        {"unit-a,unit-a(n=10)", "-passes:1:17: error: option \"n\": 10"},
        {"unit-a(m=1)", "-passes:1:8: error: unknown option \"m\""},
        {"unit-b(n=1)", "-passes:1:8: error: unknown option \"n\": there are none"},
        {"unit-a(n=1", "expected \";\" or \")\""},
        {"unit-a(=1)", "expected the name of an option"},
        {"unit-a,", "-passes:1:8: error: expected a pass behind \",\""},
        {",unit-a", "-passes:1:1: error: expected a pass, found \",\""},
        {"unit-a unit-b", "-passes:1:8: error: expected \",\" before \"u\""},
        {"unit-a)", "expected \",\" before \")\""},
        {"repeat(unit-a)", "\"repeat\" needs a count"},
        {"repeat<0>(unit-a)", "expected a count from 1"},
        {"repeat<99999999999999999999>(unit-a)", "expected a count from 1"},
        {"try<2>(unit-a)", "takes no count"},
        {"fixpoint", "\"fixpoint\" needs passes"},
        {"fixpoint(unit-a", "expected \")\" at the end"},
        {"unit-a<3>", "takes no count"},
        {"unit-line(n=1)", "takes no options"},
        {"unit-loop", "contains itself"},
        {"unit-needy", "option \"must\" is required"},
        {"@", "expected a file name"},
        {"@/nonexistent/file", "cannot open"},
        {"unit-a\nunit-b", "-passes:2:1: error: expected \",\""},
    };
    nashc_diag *d = nashc_ctx_diag(*state);
    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        nashc_diag_truncate(d, 0);
        assert_int_not_equal(nashc_check_pipeline(*state, bad[i].text, d), NASHC_OK);
        unit_expect_message(*state, bad[i].message);
    }
}

static void
nesting_is_bounded(void **state)
{
    char text[2000] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "try(");
    assert_int_not_equal(nashc_check_pipeline(*state, text, nashc_ctx_diag(*state)), NASHC_OK);
    unit_expect_message(*state, "nested deeper");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepted, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refused, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
