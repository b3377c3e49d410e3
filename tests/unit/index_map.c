/* index_map.c: tests of passes/integer/index_map.c: where moving ops take each element from. */
#include "passes/integer/index_map.h"

#include "job.h"

/* The map of result out of the only node of a graph, given as text. */
static int64_t *
map_of(nashc_ctx *c, si_job *job, const char *text, int out, nashc_module **m)
{
    *m = parse_ok(c, text);
    nashc_node *n = nashc_graph_first(nashc_module_main(*m));
    const nashc_tensor *constant[4] = {0};
    for (int i = 1; i < nashc_node_n_in(n); i++)
        constant[i] = nashc_node_in(n, i) ? nashc_value_const(nashc_node_in(n, i)) : NULL;
    int64_t *map = si_index_map(job, n, constant, out, nashc_value_type(nashc_node_in(n, 0)));
    assert_non_null(map);
    return map;
}

static void
expect(void **state, const char *text, int out, int64_t n, const int64_t *wanted)
{
    si_job *job = *state;
    nashc_ctx *c = nashc_ctx_create();
    nashc_module *m;
    int64_t *map = map_of(c, job, text, out, &m);
    for (int64_t e = 0; e < n; e++)
        assert_int_equal(map[e], wanted[e]);
    nashc_mem_free(map);
    si_job_end(job); /* its tensors belong to the context's modules */
    nashc_module_free(m);
    nashc_ctx_free(c);
}

static void
transpose_permutes(void **state)
{
    expect(state,
           "nashc 1\ngraph @main(%x: f32[2,3]) -> (%y) {\n"
           "  %y: f32[3,2] = nn.transpose(%x) perm=[1,0]\n}\n",
           0, 6, (int64_t[]){0, 3, 1, 4, 2, 5});
}

static void
reshape_keeps_the_order(void **state)
{
    expect(state,
           "nashc 1\ngraph @main(%x: u4[1,2,3]) -> (%y) {\n"
           "  %y: u4[1,6] = nn.reshape(%x) shape=[1,6]\n}\n",
           0, 6, (int64_t[]){0, 1, 2, 3, 4, 5});
}

static void
each_result_of_a_split_has_its_own_map(void **state)
{
    const char *text = "nashc 1\ngraph @main(%x: f32[2,4]) -> (%a, %b) {\n"
                       "  %a: f32[2,1], %b: f32[2,3] = nn.split(%x) axis=1 parts=[1,3]\n}\n";
    expect(state, text, 0, 2, (int64_t[]){0, 4});
    expect(state, text, 1, 6, (int64_t[]){1, 2, 3, 5, 6, 7});
}

static void
gather_uses_its_constant_indices(void **state)
{
    expect(state,
           "nashc 1\ngraph @main(%x: f32[1,4]) -> (%y) {\n  %i: u2[3] = [3,0,3]\n"
           "  %y: f32[1,3] = nn.gather(%x, %i) axis=1\n}\n",
           0, 3, (int64_t[]){3, 0, 3});
}

static void
expand_repeats(void **state)
{
    expect(state,
           "nashc 1\ngraph @main(%x: f32[2,1]) -> (%y) {\n"
           "  %y: f32[2,3] = nn.expand(%x) shape=[2,3]\n}\n",
           0, 6, (int64_t[]){0, 0, 0, 1, 1, 1});
}

static void
channels_of_elements(void **state)
{
    nashc_type first = type_of("f32[2,3,2,2]"), last = type_of("f32[2,2,2,3]NHWC");
    nashc_type none = type_of("f32[]");
    (void)state;
    for (int64_t e = 0; e < 24; e++) {
        assert_int_equal(si_channel_of(&first, e), e / 4 % 3);
        assert_int_equal(si_channel_of(&last, e), e % 3);
    }
    for (int64_t c = 0; c < 3; c++) {
        assert_int_equal(si_channel_of(&first, si_first_of_channel(&first, c)), c);
        assert_int_equal(si_channel_of(&last, si_first_of_channel(&last, c)), c);
    }
    assert_int_equal(si_channel_of(&none, 0), 0);
    assert_int_equal(si_first_of_channel(&none, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(transpose_permutes),
        JOB_TEST(reshape_keeps_the_order),
        JOB_TEST(each_result_of_a_split_has_its_own_map),
        JOB_TEST(gather_uses_its_constant_indices),
        JOB_TEST(expand_repeats),
        cmocka_unit_test(channels_of_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
