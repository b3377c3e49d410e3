/* pm.c: tests of core/pm.c: passes are transactions. */
#include "unit.h"
#include <unistd.h>

static int n_runs;

/* Renames output 0 step by step: x, xx, xxx ... up to 5 letters. */
static nashc_status
grow_name(nashc_run *r, nashc_graph *g)
{
    nashc_value *v = nashc_graph_output(g, 0);
    char name[16];
    n_runs++;
    if (strlen(nashc_value_name(v)) >= 5 || !nashc_run_edit(r, "rename", nashc_value_def(v)))
        return NASHC_OK;
    snprintf(name, sizeof name, "%sx", nashc_value_name(v));
    nashc_value_set_name(v, name);
    return NASHC_OK;
}

static nashc_status
break_and_fail(nashc_run *r, nashc_graph *g)
{
    nashc_value_set_name(nashc_graph_output(g, 0), "broken");
    return nashc_error(nashc_run_diag(r), NULL, "refused on purpose");
}

static nashc_status
fail_silently(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_EINPUT;
}

/* nn.relu becomes nn.neg: another function. */
static nashc_status
change_meaning(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);
    NASHC_EACH_NODE(g, n)
    {
        if (!nashc_node_is(n, "nn.relu"))
            continue;
        nashc_build_before(b, n);
        nashc_value *x = nashc_node_in(n, 0);
        nashc_value *y = nashc_build_op(b, "nn.neg", &x, 1, NULL);
        nashc_value_replace(nashc_node_out(n, 0), y);
        nashc_node_erase(n, false);
    }
    return NASHC_OK;
}

static nashc_status
bad_builder(nashc_run *r, nashc_graph *g)
{
    nashc_build *b = nashc_run_build(r, g);
    nashc_build_op(b, "nn.relu", (nashc_value *[]){NULL}, 1, NULL);
    return NASHC_OK; /* the failure is sticky and found by the pass manager */
}

#define PASS(id, text, f)                                                                          \
    static const nashc_pass id = {NASHC_DESC(nashc_pass), .name = text, .help = "h", .run = f}
PASS(pass_grow, "unit-grow", grow_name);
PASS(pass_fail, "unit-fail", break_and_fail);
PASS(pass_silent, "unit-silent", fail_silently);
PASS(pass_change, "unit-change", change_meaning);
PASS(pass_builder, "unit-builder", bad_builder);
static const nashc_pass pass_stage = {NASHC_DESC(nashc_pass), .name = "unit-stage", .help = "h",
                                      .needs = "hw-only", .run = grow_name};
static const nashc_pass *const passes[] = {&pass_grow,    &pass_fail,  &pass_silent, &pass_change,
                                           &pass_builder, &pass_stage, NULL};
static const nashc_plugin plugin = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "unit",
                                    .version = "1",           .help = "h",      .passes = passes};

static const char graph_text[] = "nashc 1\n"
                                 "graph @main(%a: f32[1,4]) -> (out=%x) {\n"
                                 "  %x: f32[1,4] = nn.relu(%a)\n"
                                 "}\n";

static int
setup(void **state)
{
    nashc_ctx *c = nashc_ctx_create();
    *state = c;
    n_runs = 0;
    return c && nashc_register(c, &plugin, "unit.so", nashc_ctx_diag(c)) == NASHC_OK ? 0 : -1;
}

static nashc_status
run(nashc_ctx *c, nashc_module **m, const char *passes_text, const nashc_pm_options *o)
{
    return nashc_run_pipeline(m, passes_text, o, nashc_ctx_diag(c));
}

static void
failure_has_no_effect(void **state)
{
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "unit-grow,unit-fail,unit-grow", NULL), NASHC_EINPUT);
    unit_expect_message(*state, "refused on purpose\n  note: in pass \"unit-fail\"");
    unit_expect_text(m, "%xx:", true);
    unit_expect_text(m, "broken", false);
    nashc_module_free(m);
}

static void
combinators(void **state)
{
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "repeat<2>(unit-grow)", NULL), NASHC_OK);
    unit_expect_text(m, "%xxx:", true);
    assert_int_equal(run(*state, &m, "try(unit-grow,unit-fail)", NULL), NASHC_OK);
    unit_expect_text(m, "%xxx:", true);
    assert_int_equal(nashc_diag_count(nashc_ctx_diag(*state), NASHC_NOTE), 0);
    n_runs = 0;
    assert_int_equal(run(*state, &m, "fixpoint(unit-grow)", NULL), NASHC_OK);
    unit_expect_text(m, "%xxxxx:", true);
    assert_int_equal(n_runs, 3);
    nashc_module_free(m);
    m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "fixpoint<2>(unit-grow)", NULL), NASHC_EUNSUP);
    unit_expect_message(*state, "still changes after 2 rounds");
    nashc_module_free(m);
}

static void
bisect(void **state)
{
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = 1};
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "unit-grow,unit-grow,unit-grow", &o), NASHC_OK);
    unit_expect_text(m, "%xx:", true);
    unit_expect_message(*state, "stopped after 1 edits");
    nashc_module_free(m);
}

static void
check_each_finds_wrong_passes(void **state)
{
    nashc_pm_options o = {
        .struct_size = sizeof o, .bisect_limit = -1, .check_each = 2, .verify_each = 3, .seed = 1};
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "unit-grow,unit-change", &o), NASHC_EMISMATCH);
    unit_expect_message(*state, "\"unit-change\" changed the result: output \"out\"");
    unit_expect_text(m, "nn.relu", true);
    nashc_module_free(m);
}

static void
no_failure_without_a_message(void **state)
{
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "unit-silent", NULL), NASHC_EINPUT);
    unit_expect_message(*state, "no message");
    nashc_diag_truncate(nashc_ctx_diag(*state), 0);
    assert_int_not_equal(run(*state, &m, "unit-builder", NULL), NASHC_OK);
    assert_true(nashc_diag_count(nashc_ctx_diag(*state), NASHC_ERROR) > 0);
    nashc_module_free(m);
}

static void
stages(void **state)
{
    nashc_module *m = unit_parse(*state, graph_text);
    assert_int_equal(run(*state, &m, "unit-grow,unit-stage", NULL), NASHC_EINPUT);
    unit_expect_message(*state, "pass \"unit-stage\" needs a graph that is hw-only");
    assert_int_equal(n_runs, 0);
    nashc_module_free(m);
}

static void
repro_file(void **state)
{
    char path[] = "/tmp/nashc-unit-XXXXXX";
    assert_int_not_equal(close(mkstemp(path)), -1);
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1, .repro = path};
    nashc_module *m = unit_parse(*state, graph_text), *again = NULL;
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_int_equal(run(*state, &m, "unit-grow,try(unit-grow),unit-fail,unit-grow", &o),
                     NASHC_EINPUT);
    assert_int_equal(nashc_read_nashir(*state, path, &again, d), NASHC_OK);
    assert_string_equal(nashc_module_meta(again, "repro_passes"), "unit-fail,unit-grow");
    unit_expect_text(again, "%xxx:", true);
    nashc_module_free(again);
    nashc_module_free(m);
    unlink(path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, unit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failure_has_no_effect),
        TEST(combinators),
        TEST(bisect),
        TEST(check_each_finds_wrong_passes),
        TEST(no_failure_without_a_message),
        TEST(stages),
        TEST(repro_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
