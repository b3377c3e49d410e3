/* rewrite.c: tests of core/rewrite.c: the worklist, dead producers, faulty patterns. */
#include "unit.h"

/* relu(relu(x)) -> relu(x) */
static bool
merge_relu(nashc_rw *rw, nashc_node *n)
{
    nashc_value *inner = nashc_node_in(n, 0);
    if (!nashc_value_def_by(inner, "nn.relu"))
        return nashc_rw_miss(rw, n, "not behind a relu");
    nashc_rw_stat(rw, 0, 1);
    nashc_rw_replace(rw, nashc_node_out(n, 0), inner);
    return true;
}

/* neg -> neg neg neg: never ends */
static bool
grow_neg(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    for (int i = 0; i < 3; i++)
        x = nashc_rw_op(rw, "nn.neg", &x, 1);
    nashc_rw_replace(rw, nashc_node_out(n, 0), x);
    return true;
}

static bool
edit_and_decline(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    nashc_rw_op(rw, "nn.neg", &x, 1);
    return false;
}

static bool
use_null(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_rw_op(rw, "nn.no_such_op", (nashc_value *[]){nashc_node_in(n, 0)}, 1);
    x = nashc_rw_op(rw, "nn.neg", &x, 1);
    assert_null(x);
    nashc_rw_replace(rw, nashc_node_out(n, 0), x);
    return true;
}

/* round(x) -> x, where the type of what follows becomes an integer's */
static bool
drop_round(nashc_rw *rw, nashc_node *n)
{
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_node_in(n, 0));
    return true;
}

#define PATTERN(id, op, f)                                                                         \
    static const nashc_pattern id##_pattern = {op, f};                                             \
    static const nashc_pattern *const id##_list[] = {&id##_pattern, NULL};                         \
    static const nashc_pass id = {NASHC_DESC(nashc_pass), .name = "unit-" #id, .help = "h",        \
                                  .patterns = id##_list}
PATTERN(merge, "nn.relu", merge_relu);
PATTERN(grow, "nn.neg", grow_neg);
PATTERN(decline, "nn.*", edit_and_decline);
PATTERN(null, "nn.relu", use_null);
PATTERN(unround, "nn.round", drop_round);
static const nashc_pass *const passes[] = {&merge, &grow, &decline, &null, &unround, NULL};
static const nashc_plugin plugin = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "unit",
                                    .version = "1",           .help = "h",      .passes = passes};

static int
setup(void **state)
{
    nashc_ctx *c = nashc_ctx_create();
    *state = c;
    return c && nashc_register(c, &plugin, "unit.so", nashc_ctx_diag(c)) == NASHC_OK ? 0 : -1;
}

static nashc_status
run(nashc_ctx *c, nashc_module **m, const char *text, const nashc_pm_options *o)
{
    return nashc_run_pipeline(m, text, o, nashc_ctx_diag(c));
}

static void
chains_collapse(void **state)
{
    char text[20000] = "graph @main(%v0: f32[4]) -> (%v300) {\n", line[64];
    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "%%v%d: f32[4] = nn.relu(%%v%d)\n", i + 1, i);
        strcat(text, line);
    }
    strcat(text, "}\n");
    nashc_module *m = unit_parse(*state, text);
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1, .verify_each = 3};
    assert_int_equal(run(*state, &m, "unit-merge", &o), NASHC_OK);
    assert_int_equal(nashc_graph_n_nodes(nashc_module_main(m)), 1);
    nashc_module_free(m);
}

static const char one_relu[] =
    "graph @main(%x: f32[4]) -> (%y) {\n%y: f32[4] = nn.relu(%x) !\"R\"\n}\n";

static void
explain(void **state)
{
    static const char *const who[] = {"unit-merge", NULL};
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1, .explain = who};
    nashc_module *m = unit_parse(*state, one_relu);
    assert_int_equal(run(*state, &m, "unit-merge", &o), NASHC_OK);
    unit_expect_message(*state, "note: [unit-merge] node \"R\": not behind a relu");
    nashc_module_free(m);
}

static void
endless_patterns_are_faults(void **state)
{
    nashc_module *m =
        unit_parse(*state, "graph @main(%x: f32[4]) -> (%y) {\n%y: f32[4] = nn.neg(%x)\n}\n");
    assert_int_equal(run(*state, &m, "unit-grow", NULL), NASHC_EPLUGIN);
    unit_expect_message(*state, "does not come to an end");
    assert_int_equal(nashc_graph_n_nodes(nashc_module_main(m)), 1);
    nashc_module_free(m);
}

static void
edits_before_declining_are_faults(void **state)
{
    nashc_module *m = unit_parse(*state, one_relu);
    assert_int_equal(run(*state, &m, "unit-decline", NULL), NASHC_EPLUGIN);
    unit_expect_message(*state, "edited at a node nn.relu and then declined");
    nashc_module_free(m);
}

static void
failures_stick(void **state)
{
    nashc_module *m = unit_parse(*state, one_relu);
    assert_int_not_equal(run(*state, &m, "unit-null", NULL), NASHC_OK);
    assert_true(nashc_diag_count(nashc_ctx_diag(*state), NASHC_ERROR) > 0);
    unit_expect_text(m, "nn.relu", true);
    nashc_module_free(m);
}

static void
types_follow_edits(void **state)
{
    nashc_module *m = unit_parse(*state, "graph @main(%x: u4[4]) -> (%z) {\n"
                                         "%c: f32[] = [1]\n"
                                         "%f: f32[4] = nn.mul(%x, %c)\n"
                                         "%r: f32[4] = nn.round(%f)\n"
                                         "%z: f32[4] = nn.neg(%r)\n}\n");
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1, .verify_each = 3};
    assert_int_equal(run(*state, &m, "unit-unround", &o), NASHC_OK);
    assert_int_equal(nashc_graph_n_nodes(nashc_module_main(m)), 2);
    nashc_module_free(m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, unit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chains_collapse),
        TEST(explain),
        TEST(endless_patterns_are_faults),
        TEST(edits_before_declining_are_faults),
        TEST(failures_stick),
        TEST(types_follow_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
