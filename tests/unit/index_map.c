/* index_map.c: tests of ir/index_map.c: where elements of moving operators come from. */
#include "unit.h"

static nashc_node *
first(nashc_module *m)
{
    return nashc_graph_first(nashc_module_graph(m, "main"));
}

static void
expect(nashc_ctx *c, const nashc_node *n, const nashc_tensor *const *constant, int out,
       const int64_t *want, int count)
{
    int64_t *map = nashc_index_map(n, constant, out, nashc_ctx_diag(c));

    if (!map)
        unit_print_messages(c);
    assert_non_null(map);
    assert_memory_equal(map, want, (size_t)count * sizeof *want);
    nashc_mem_free(map);
}

/* The element type does not matter: the numbers go beyond those of u2. */
static void
transpose(void **state)
{
    static const int64_t want[] = {0, 3, 1, 4, 2, 5};
    nashc_module *m = unit_parse(*state, "graph @main(%x: u2[2,3]) -> (%y) {\n"
                                         "  %y: u2[3,2] = nn.transpose(%x) perm=[1,0]\n"
                                         "}\n");

    expect(*state, first(m), NULL, 0, want, 6);
    nashc_module_free(m);
}

static void
second_result(void **state)
{
    static const int64_t want[] = {1, 2, 4, 5};
    nashc_module *m =
        unit_parse(*state, "graph @main(%x: u2[2,3]) -> (%a, %b) {\n"
                           "  %a: u2[2,1], %b: u2[2,2] = nn.split(%x) axis=1 parts=[1,2]\n"
                           "}\n");

    expect(*state, first(m), NULL, 1, want, 4);
    nashc_module_free(m);
}

/* Constant operands come from the graph, or from the caller. */
static void
gather(void **state)
{
    static const int64_t want[] = {2, 0}, others[] = {1, 1}, two = 2;
    nashc_type t = nashc_type_shaped(nashc_type_uint(2), 1, &two);
    nashc_tensor *i = nashc_tensor_from_i64(&t, others);
    const nashc_tensor *constant[2] = {NULL, i};
    nashc_module *m = unit_parse(*state, "graph @main(%x: f32[3]) -> (%y) {\n"
                                         "  %i: u2[2] = [2,0]\n"
                                         "  %y: f32[2] = nn.gather(%x, %i) axis=0\n"
                                         "}\n");

    expect(*state, first(m), NULL, 0, want, 2);
    expect(*state, first(m), constant, 0, others, 2);
    nashc_tensor_unref(i);
    nashc_module_free(m);
}

/* Elements that are repeated, and those that stay in order. */
static void
expand_and_reshape(void **state)
{
    static const int64_t repeated[] = {0, 0, 0, 1, 1, 1}, same[] = {0, 1, 2, 3, 4, 5};
    nashc_module *m = unit_parse(*state, "graph @main(%x: f32[2,1]) -> (%y) {\n"
                                         "  %y: f32[2,3] = nn.expand(%x) shape=[2,3]\n"
                                         "}\n");

    expect(*state, first(m), NULL, 0, repeated, 6);
    nashc_module_free(m);
    m = unit_parse(*state, "graph @main(%x: u4[1,2,3]) -> (%y) {\n"
                           "  %y: u4[1,6] = nn.reshape(%x) shape=[1,6]\n"
                           "}\n");
    expect(*state, first(m), NULL, 0, same, 6);
    nashc_module_free(m);
}

/* An operand that nobody knows is reported. */
static void
unknown(void **state)
{
    nashc_module *m = unit_parse(*state, "graph @main(%x: f32[3], %i: u2[2]) -> (%y) {\n"
                                         "  %y: f32[2] = nn.gather(%x, %i) axis=0\n"
                                         "}\n");

    assert_null(nashc_index_map(first(m), NULL, 0, nashc_ctx_diag(*state)));
    assert_true(nashc_diag_count(nashc_ctx_diag(*state), NASHC_ERROR) > 0);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(transpose), UNIT(second_result), UNIT(gather),
                                       UNIT(expand_and_reshape), UNIT(unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
