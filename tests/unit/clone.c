/* clone.c: tests of ir/clone.c and ir/module.c. */
#include "ir/impl.h"
#include "support.h"

static const char good[] =
    "nashc 1\nmeta a=\"1\" \"b c\"=\"x\\\"y\"\n\n"
    "graph @main(%x: u8[1,1,4,4], %\"in/1\": f32[]) -> (%y, twice=%y, %c) {\n"
    "  %k: u8[1,1,4,4] = splat 3\n"
    "  %s: u9<3..258>[1,1,4,4] = nn.add(%x, %k)\n"
    "  %y: u9<3..258>[1,1,2,2] = nn.maxpool(%s) kernel=[2,2] stride=[2,2] !\"pool \\\"1\\\"\"\n"
    "  %c: f32[2] = [0.1,-inf]\n}\n\n"
    "graph @\"other graph\"(%x: f32[1]) -> (%x) {\n}\n";

static void
clones_print_alike(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, good), *c = nashc_module_clone(m);
    char *first = nashc_print(m, NULL);

    assert_int_equal(nashc_verify(c, 4, d), NASHC_OK);
    assert_prints(c, first);
    assert_int_equal(nashc_module_n_meta(c), 2);
    assert_string_equal(nashc_module_meta(c, "b c"), "x\"y");
    nashc_module_free(m); /* the clone stands on its own */
    assert_prints(c, first);
    nashc_mem_free(first);
    nashc_module_free(c);
}

static void
ids_are_dense_and_tensors_shared(void **state)
{
    nashc_module *m = parse_ok(*state, good), *c;
    nashc_graph *g = nashc_module_main(m);
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(*state));
    nashc_value *x = nashc_graph_input(g, 0);

    for (int i = 0; i < 100; i++) /* ids that die */
        nashc_node_erase(nashc_build_node(b, "nn.relu", &x, 1, 1, NULL), false);
    assert_true(nashc_graph_max_id(g) > 100);
    c = nashc_module_clone(m);
    assert_true(nashc_graph_max_id(nashc_module_main(c)) <= 6);
    assert_ptr_equal(nashc_value_const(nashc_graph_output(g, 2)),
                     nashc_value_const(nashc_graph_output(nashc_module_main(c), 2)));
    nashc_module_free(m);
    nashc_module_free(c);
}

static void
edits_of_a_clone_stay_there(void **state)
{
    nashc_module *m = parse_ok(*state, good), *c = nashc_module_clone(m);
    char *first = nashc_print(m, NULL);
    nashc_node *n = nashc_graph_last(nashc_module_main(c));

    assert_int_equal(nashc_node_set_attr(n, "kernel", "[4,4]", nashc_ctx_diag(*state)), NASHC_OK);
    nashc_value_set_name(nashc_node_out(n, 0), "other");
    nashc_module_set_meta(c, "a", NULL);
    assert_prints(m, first);
    nashc_mem_free(first);
    nashc_module_free(m);
    nashc_module_free(c);
}

static void
metadata(void **state)
{
    nashc_module *m = nashc_module_create(*state);

    nashc_module_set_meta(m, "k", "1");
    nashc_module_set_meta(m, "l", "2");
    nashc_module_set_meta(m, "k", "3");
    assert_string_equal(nashc_module_meta(m, "k"), "3");
    assert_string_equal(nashc_module_meta_key(m, 0), "k");
    nashc_module_set_meta(m, "k", NULL);
    nashc_module_set_meta(m, "none", NULL);
    assert_int_equal(nashc_module_n_meta(m), 1);
    assert_null(nashc_module_meta(m, "k"));
    assert_null(nashc_module_meta_key(m, 1));
    nashc_module_free(m);
}

static void
graphs_by_name(void **state)
{
    nashc_module *m = nashc_module_create(*state);
    nashc_graph *a = nashc_module_add_graph(m, "a");

    assert_null(nashc_module_add_graph(m, "a"));
    assert_ptr_equal(nashc_module_main(m), a);
    nashc_graph *main_graph = nashc_module_add_graph(m, "main");
    assert_ptr_equal(nashc_module_main(m), main_graph);
    nashc_module_remove_graph(m, a);
    assert_int_equal(nashc_module_n_graphs(m), 1);
    assert_null(nashc_module_graph(m, "a"));
    nashc_module_free(m);
    nashc_module_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(clones_print_alike),
        CTX_TEST(ids_are_dense_and_tensors_shared),
        CTX_TEST(edits_of_a_clone_stay_there),
        CTX_TEST(metadata),
        CTX_TEST(graphs_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
