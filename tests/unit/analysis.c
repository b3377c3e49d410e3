/* analysis.c: tests of core/analysis.c: results live as long as the edits they depend on allow. */
#include "unit.h"

static int n_computed;

static void *
count_nodes(const nashc_graph *g, nashc_arena *a, nashc_diag *d)
{
    int *n = NASHC_NEW(a, int);
    (void)d;
    n_computed++;
    if (n)
        *n = nashc_graph_n_nodes(g);
    return n;
}

static void *
fail_always(const nashc_graph *g, nashc_arena *a, nashc_diag *d)
{
    (void)g;
    (void)a;
    n_computed++;
    nashc_error(d, NULL, "cannot");
    return NULL;
}

static const nashc_analysis by_structure = {"unit-structure", NASHC_DEP_STRUCTURE, count_nodes};
static const nashc_analysis by_attrs = {"unit-attrs", NASHC_DEP_ATTRS, count_nodes};
static const nashc_analysis failing[] = {
    {"unit-failing", NASHC_DEP_STRUCTURE, fail_always},
    {"unit-failing-attrs", NASHC_DEP_ATTRS, fail_always},
};

static void
validity(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m =
        unit_parse(*state, "graph @main(%x: f32[1,1,4,4]) -> (%y) {\n"
                           "%y: f32[1,1,2,2] = nn.maxpool(%x) kernel=[2,2] stride=[2,2]\n}\n");
    nashc_graph *g = nashc_module_main(m);
    n_computed = 0;
    const int *n = nashc_analyse(g, &by_structure, d);
    assert_int_equal(*n, 1);
    assert_ptr_equal(nashc_analyse(g, &by_structure, d), n);
    nashc_analyse(g, &by_attrs, d);
    assert_int_equal(n_computed, 2);
    assert_int_equal(nashc_node_set_attr(nashc_graph_first(g), "stride", "[3,3]", d), NASHC_OK);
    assert_ptr_equal(nashc_analyse(g, &by_structure, d), n);
    assert_int_equal(n_computed, 2);
    nashc_analyse(g, &by_attrs, d);
    assert_int_equal(n_computed, 3);
    nashc_build *b = nashc_build_create(g, d);
    nashc_value *y = nashc_graph_output(g, 0);
    nashc_graph_set_output(g, 0, nashc_build_op(b, "nn.relu", &y, 1, NULL));
    n = nashc_analyse(g, &by_structure, d);
    assert_int_equal(*n, 2);
    assert_int_equal(n_computed, 4);
    nashc_module *copy = nashc_module_clone(m);
    nashc_analyse(nashc_module_main(copy), &by_structure, d);
    assert_int_equal(n_computed, 5);
    nashc_module_free(copy);
    nashc_module_free(m);
}

static void
failures_are_not_kept(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m =
        unit_parse(*state, "graph @main(%x: f32[4]) -> (%y) {\n%y: f32[4] = nn.relu(%x)\n}\n");
    for (int i = 0; i < 2; i++) {
        n_computed = 0;
        assert_null(nashc_analyse(nashc_module_main(m), &failing[i], d));
        assert_null(nashc_analyse(nashc_module_main(m), &failing[i], d));
        assert_int_equal(n_computed, 2);
    }
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(validity), UNIT(failures_are_not_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
