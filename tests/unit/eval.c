/* eval.c: tests of core/eval.c: running graphs, life of buffers, wide mode, faults. */
#include "unit.h"

static nashc_status
run_text(nashc_ctx *c, const char *text, const double *x, double *y, uint32_t flags)
{
    nashc_module *m = unit_parse(c, text);
    const nashc_graph *g = nashc_module_main(m);
    nashc_buf in, out[4];
    const nashc_buf *pin[] = {&in};
    assert_true(nashc_buf_alloc(&in, nashc_value_type(nashc_graph_input(g, 0))));
    for (int64_t i = 0; i < in.n; i++)
        nashc_buf_set(&in, i, x[i]);
    nashc_status s = nashc_run_graph(g, pin, out, flags, NULL, NULL, nashc_ctx_diag(c));
    for (int k = 0; s == NASHC_OK && k < nashc_graph_n_outputs(g); k++) {
        for (int64_t i = 0; i < out[k].n; i++)
            *y++ = nashc_buf_get(&out[k], i);
        nashc_buf_free(&out[k]);
    }
    nashc_buf_free(&in);
    nashc_module_free(m);
    return s;
}

static void
values_used_twice_and_outputs_of_all_kinds(void **state)
{
    const double x[] = {-1, 2};
    double y[8];
    assert_int_equal(run_text(*state,
                              "graph @main(%x: f32[2]) -> (%s, a=%r, b=%r, in=%x) {\n"
                              "%r: f32[2] = nn.relu(%x)\n"
                              "%n: f32[2] = nn.neg(%x)\n"
                              "%s: f32[2] = nn.add(%r, %n)\n}\n",
                              x, y, 0),
                     NASHC_OK);
    const double want[] = {1, 0, 0, 2, 0, 2, -1, 2};
    for (int i = 0; i < 8; i++)
        assert_true(y[i] == want[i]);
}

static void
wide_does_not_round(void **state)
{
    static const char text[] = "graph @main(%x: f32[1]) -> (%b) {\n"
                               "%c: f32[] = [16777216]\n"
                               "%a: f32[1] = nn.add(%x, %c)\n"
                               "%b: f32[1] = nn.sub(%a, %c)\n}\n";
    const double x[] = {1};
    double y;
    assert_int_equal(run_text(*state, text, x, &y, 0), NASHC_OK);
    assert_true(y == 0);
    assert_int_equal(run_text(*state, text, x, &y, NASHC_EVAL_WIDE), NASHC_OK);
    assert_true(y == 1);
}

static void
calls(void **state)
{
    const double x[] = {3};
    double y;
    assert_int_equal(run_text(*state,
                              "graph @main(%x: f32[1]) -> (%y) {\n"
                              "%a: f32[1] = call(%x) graph=@inner\n"
                              "%y: f32[1] = nn.neg(%a)\n}\n"
                              "graph @inner(%p: f32[1]) -> (%q) {\n"
                              "%q: f32[1] = nn.add(%p, %p)\n}\n",
                              x, &y, 0),
                     NASHC_OK);
    assert_true(y == -6);
}

static void
wrong_data_is_an_error(void **state)
{
    nashc_module *m =
        unit_parse(*state, "graph @main(%x: u4[2]) -> (%y) {\n%y: u4[2] = nn.relu(%x)\n}\n");
    nashc_type t = nashc_type_uint(8);
    const int64_t dim = 2;
    t = nashc_type_shaped(t, 1, &dim);
    nashc_buf in, out;
    const nashc_buf *pin[] = {&in};
    assert_true(nashc_buf_alloc(&in, &t));
    assert_int_equal(nashc_run_module(m, pin, &out, nashc_ctx_diag(*state)), NASHC_EINPUT);
    unit_expect_message(*state, "input \"x\" of graph @main is u4[2], but the data are u8[2]");
    nashc_buf_free(&in);
    nashc_module_free(m);
}

static void
unknown_operators_cannot_run(void **state)
{
    const double x[] = {3};
    double y;
    assert_int_equal(run_text(*state,
                              "graph @main(%x: f32[1]) -> (%y) {\n"
                              "%y: f32[1] = unknown.Foo(%x) domain=\"d\"\n}\n",
                              x, &y, 0),
                     NASHC_EUNSUP);
    unit_expect_message(*state, "no reference meaning");
}

static void
broadcast_indices(void **state)
{
    const int64_t in_dim[] = {3, 1}, out_dim[] = {2, 3, 4};
    nashc_type in = nashc_type_shaped(nashc_type_f32(), 2, in_dim);
    nashc_type out = nashc_type_shaped(nashc_type_f32(), 3, out_dim);
    nashc_type scalar = nashc_type_f32();
    (void)state;
    for (int64_t i = 0; i < 24; i++) {
        assert_int_equal(nashc_broadcast_index(&in, &out, i), i / 4 % 3);
        assert_int_equal(nashc_broadcast_index(&scalar, &out, i), 0);
        assert_int_equal(nashc_broadcast_index(&out, &out, i), i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(values_used_twice_and_outputs_of_all_kinds),
        UNIT(wide_does_not_round),
        UNIT(calls),
        UNIT(wrong_data_is_an_error),
        UNIT(unknown_operators_cannot_run),
        cmocka_unit_test(broadcast_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
