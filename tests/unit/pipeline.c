/* pipeline.c: tests of core/host/pipeline.c and extra.c: the grammar, where the caret stands,
 * options that a named pipeline hands on, and extra passes. */
#include "core/host/host.h"
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
static const nashc_param inner_params[] = {
    {.name = "n", .def = "2", .domain = "0..9", .help = "h", .kind = NASHC_P_INT},
    {.name = "text", .def = "", .help = "h", .kind = NASHC_P_STRING},
    {.name = "must", .def = "", .help = "h", .kind = NASHC_P_STRING},
    {.name = "on", .def = "false", .help = "h", .kind = NASHC_P_BOOL},
    {0}};
static const nashc_pipeline unit_inner = {NASHC_DESC(nashc_pipeline), .name = "unit-inner",
                                          .help = "h",
                                          .text = "unit-a(n=$n;text=$text;on=$on),if<on>(unit-b),"
                                                  "if<must>(unit-needy(must=$must),unit-b)",
                                          .options = inner_params};
static const nashc_pipeline unit_outer = {NASHC_DESC(nashc_pipeline), .name = "unit-outer",
                                          .help = "h", .options = inner_params,
                                          .text = "repeat<2>(unit-inner(n=$n;text=$text)),unit-b"};
static const nashc_pipeline unit_wrong = {NASHC_DESC(nashc_pipeline), .name = "unit-wrong",
                                          .help = "h", .options = inner_params,
                                          .text = "unit-a(n=$m)"};
static const nashc_pipeline unit_typo = {NASHC_DESC(nashc_pipeline), .name = "unit-typo",
                                         .help = "h", .options = inner_params,
                                         .text = "if<must>(unit-needy(mist=$must))"};
static const nashc_param hard_params[] = {{.name = "key", .help = "h", .kind = NASHC_P_STRING},
                                          {0}};
static const nashc_pipeline unit_hard = {NASHC_DESC(nashc_pipeline), .name = "unit-hard",
                                         .help = "h", .options = hard_params,
                                         .text = "unit-a(text=$key)"};
/* From a plugin of before pipelines had options: what follows its size is not read. */
static const nashc_pipeline unit_old = {.struct_size = offsetof(nashc_pipeline, options),
                                        .name = "without-options",
                                        .help = "h",
                                        .text = "unit-a",
                                        .options = (const nashc_param *)16};
static const nashc_pass *const passes[] = {&unit_a, &unit_b, &unit_needy, NULL};
static const nashc_pipeline *const pipelines[] = {&unit_line,  &unit_loop,  &unit_inner,
                                                  &unit_outer, &unit_wrong, &unit_typo,
                                                  &unit_hard,  &unit_old,   NULL};
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
        "unit-inner,unit-inner()",
        "unit-inner(n=7;text=\"a;b)\";on)",
        "unit-inner(must=3),without-options",
        "unit-outer(n=1)",
        "unit-a(text=$x)", /* literal outside of the text of a pipeline */
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
        {"unit-inner(m=1)", "-passes:1:12: error: unknown option \"m\""},
        {"unit-inner(n=10)", "-passes:1:14: error: option \"n\": 10"},
        {"unit-inner<2>", "pipeline \"unit-inner\" takes no count"},
        {"unit-inner(=1)", "expected the name of an option of pipeline \"unit-inner\""},
        {"unit-inner(must=x)", "pipeline unit-inner:1:"},
        {"unit-wrong", "pipeline unit-wrong:1:11: error: pipeline \"unit-wrong\" has no option "
                       "\"m\""},
        {"unit-typo", "unknown option \"mist\""},
        {"unit-hard", "-passes:1:1: error: option \"key\" is required"},
        {"without-options(x=1)", "pipeline \"without-options\" takes no options"},
        {"if<on>(unit-a)", "\"if\" asks for an option of the named pipeline it stands in"},
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

/* The tree as text: names with their options, nothing for combinators but their brackets. */
static void
flatten(const nashc_item *it, char *out, size_t size)
{
    for (; it; it = it->next) {
        size_t n = strlen(out);
        if (it->kind == NASHC_I_PASS)
            snprintf(out + n, size - n, "%s{%s} ", it->name, it->opt_text);
        flatten(it->child, out, size);
    }
}

static void
expect_passes(nashc_ctx *c, const char *text, const char *const *extra, const char *want)
{
    char got[1000] = "";
    nashc_arena *a = nashc_arena_create();
    nashc_item *root = NULL;
    nashc_diag *d = nashc_ctx_diag(c);
    if (nashc_pipeline_parse(c, a, NULL, text, &root, d) != NASHC_OK ||
        nashc_pipeline_extend(c, a, root, extra, d) != NASHC_OK)
        fail_msg("%s: %s", text, nashc_diag_text(d, 0));
    flatten(root, got, sizeof got);
    assert_string_equal(got, want);
    nashc_arena_free(a);
}

static void
options_are_handed_on(void **state)
{
    expect_passes(*state, "unit-inner", NULL, "unit-a{n=2;on=false} ");
    expect_passes(*state, "unit-inner(n=7;on)", NULL, "unit-a{n=7;on=true} unit-b{} ");
    expect_passes(*state, "unit-inner(text=)", NULL, "unit-a{n=2;on=false} ");
    expect_passes(*state, "unit-inner(must=3)", NULL,
                  "unit-a{n=2;on=false} unit-needy{must=3} unit-b{} ");
    expect_passes(*state, "unit-outer(n=5;text=x)", NULL, "unit-a{n=5;text=x;on=false} unit-b{} ");
}

/* Values reach the pass byte for byte, and their text parses to the same again. */
static void
values_are_kept(void **state)
{
    static const char *const values[] = {"plain", "a b",  "x;y)", "[1,(2)]", "FIXED<16,6>",
                                         "$n",    " pad", "#1",   "a,b",     "("};
    nashc_diag *d = nashc_ctx_diag(*state);
    for (size_t i = 0; i < NASHC_COUNT(values); i++) {
        nashc_arena *a = nashc_arena_create();
        nashc_item *root = NULL, *again = NULL;
        const char *text = nashc_arena_printf(a, "unit-hard(key=\"%s\")", values[i]);
        assert_int_equal(nashc_pipeline_parse(*state, a, NULL, text, &root, d), NASHC_OK);
        const nashc_item *it = root->child->child;
        assert_string_equal(nashc_opts_str(it->opts, "text"), values[i]);
        text = nashc_arena_printf(a, "unit-a(%s)", it->opt_text);
        assert_int_equal(nashc_pipeline_parse(*state, a, NULL, text, &again, d), NASHC_OK);
        assert_string_equal(nashc_opts_str(again->child->opts, "text"), values[i]);
        nashc_arena_free(a);
    }
}

static void
extra_passes(void **state)
{
    static const char *const after[] = {"after:unit-a=unit-b", NULL};
    static const char *const order[] = {
        "after:UnitA=unit-a(n=3)", "before:unit-a=unit-a(n=1)",   "after:unit-a=unit-a(n=4),unit-b",
        "before:unit-line=unit-b", "after:unit-line=unit-a(n=9)", NULL};
    static const char *const nothing[] = {"after:unit-a=", NULL};
    expect_passes(*state, "unit-a,unit-a(n=2)", after, "unit-a{} unit-b{} unit-a{n=2} unit-b{} ");
    expect_passes(*state, "repeat<2>(try(unit-line))", order,
                  "unit-b{} unit-a{n=1} unit-a{} unit-a{n=3} unit-a{n=4} unit-b{} unit-b{} "
                  "unit-a{n=9} ");
    expect_passes(*state, "unit-a", nothing, "unit-a{} ");
    expect_passes(*state, "unit-a", NULL, "unit-a{} ");
}

static void
extra_refused(void **state)
{
    static const struct {
        const char *extra, *message;
    } bad[] = {
        {"unit-a=unit-b", "expected before:NAME=PASSES or after:NAME=PASSES"},
        {"after:unit-b", "expected before:NAME=PASSES or after:NAME=PASSES"},
        {"after:=unit-b", "expected before:NAME=PASSES or after:NAME=PASSES"},
        {"after:unit-c=unit-b", "the pipeline has no \"unit-c\"; did you mean \"unit-a\""},
        {"after:unit-needy=unit-b", "the pipeline has no \"unit-needy\""},
        {"after:try=unit-b", "the pipeline has no \"try\""},
        {"before:unit-a=unit-c", "extra passes before unit-a:1:1: error: unknown pass \"unit-c\""},
    };
    nashc_diag *d = nashc_ctx_diag(*state);
    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        const char *const list[] = {bad[i].extra, NULL};
        nashc_pm_options o = {.struct_size = sizeof o, .extra_passes = list};
        nashc_diag_truncate(d, 0);
        assert_int_equal(nashc_check_pipeline_opts(*state, "try(unit-line)", &o, d), NASHC_EUSAGE);
        unit_expect_message(*state, bad[i].message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepted, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(refused, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(options_are_handed_on, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(values_are_kept, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(extra_passes, setup, unit_teardown),
        cmocka_unit_test_setup_teardown(extra_refused, setup, unit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
