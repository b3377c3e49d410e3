/* build.c: tests of ir/build.c: builders fail stickily, with the first cause. */
#include "support.h"

typedef struct bench {
    nashc_module *m;
    nashc_graph *g;
    nashc_build *b;
    nashc_value *x;
} bench;

static bench
start(nashc_ctx *c)
{
    nashc_type t = type_of("i4[1,4]");
    bench s = {.m = nashc_module_create(c)};

    s.g = nashc_module_add_graph(s.m, "main");
    s.b = nashc_build_create(s.g, nashc_ctx_diag(c));
    s.x = nashc_graph_add_input(s.g, "x", &t);
    return s;
}

static void
builds_a_graph(void **state)
{
    bench s = start(*state);
    nashc_loc loc = {.file = "f.onnx", .name = "Add_1"};
    nashc_value *two = nashc_build_int(s.b, 2), *y, *z;

    nashc_build_loc(s.b, &loc);
    y = nashc_build_op(s.b, "nn.add", (nashc_value *[]){s.x, two}, 2, NULL);
    z = nashc_build_op(s.b, "nn.clip", &y, 1, "min=%d max=%d", -3, 5);
    nashc_graph_add_output(s.g, "out", z);
    nashc_graph_add_output(s.g, NULL, y);
    assert_int_equal(nashc_build_status(s.b), NASHC_OK);
    assert_int_equal(nashc_verify(s.m, 4, nashc_ctx_diag(*state)), NASHC_OK);
    assert_prints(s.m, "nashc 1\n\n"
                       "graph @main(%x: i4[1,4]) -> (out=%v2, %v1) {\n"
                       "  %v0: u2[] = [2]\n"
                       "  %v1: i5<-6..9>[1,4] = nn.add(%x, %v0) !\"Add_1\"\n"
                       "  %v2: i4<-3..5>[1,4] = nn.clip(%v1) min=-3 max=5 !\"Add_1\"\n"
                       "}\n");
    assert_string_equal(nashc_node_loc(nashc_value_def(y))->file, "f.onnx");
    assert_string_equal(nashc_build_ints(s.b, (int64_t[]){1, -2}, 2), "[1,-2]");
    assert_string_equal(nashc_build_ints(s.b, NULL, 0), "[]");
    nashc_module_free(s.m);
}

static void
inserts_before_a_node(void **state)
{
    bench s = start(*state);
    nashc_node *a = nashc_build_node(s.b, "nn.relu", &s.x, 1, 1, NULL), *b;

    nashc_build_before(s.b, a);
    b = nashc_build_node(s.b, "nn.neg", &s.x, 1, 1, NULL);
    assert_ptr_equal(nashc_node_next(b), a);
    nashc_build_before(s.b, NULL);
    b = nashc_build_like(s.b, b, &s.x, 1);
    assert_ptr_equal(nashc_graph_last(s.g), b);
    assert_true(nashc_node_is(b, "nn.neg"));
    nashc_module_free(s.m);
}

/* All attributes are those of the other node but for those given. */
static void
like_with_other_attributes(void **state)
{
    bench s = start(*state);
    nashc_node *n = nashc_build_node(s.b, "nn.argmax", &s.x, 1, 1, "axis=1 select_last=true");
    nashc_arena *a = nashc_build_arena(s.b);

    n = nashc_build_like_with(s.b, n, &s.x, 1, "axis=-1 keepdims=false");
    assert_string_equal(nashc_node_attr_text(n, a), "axis=-1 keepdims=false select_last=true");
    assert_null(nashc_build_like_with(s.b, n, &s.x, 1, "axis=9"));
    assert_int_equal(nashc_build_status(s.b), NASHC_EINPUT);
    assert_int_equal(nashc_graph_n_nodes(s.g), 2);
    nashc_module_free(s.m);
}

/* One wrong call on a fresh builder: nothing is left in the graph, and the message says why. */
static void
wrong_call(void **state, const char *op, int n_in, int n_out, const char *attrs,
           const char *message)
{
    bench s = start(*state);
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_value *in[4] = {s.x, s.x, s.x, s.x};

    if (n_in < 0) {
        n_in = -n_in;
        in[n_in - 1] = NULL;
    }
    assert_null(nashc_build_node(s.b, op, in, n_in, n_out, attrs));
    if (!strstr(first_message(*state), message))
        fail_msg("expected \"%s\" in: %s", message, first_message(*state));
    assert_int_not_equal(nashc_build_status(s.b), NASHC_OK);
    assert_int_equal(nashc_graph_n_nodes(s.g), 0);
    assert_int_equal(nashc_value_n_uses(s.x), 0);
    assert_int_equal(nashc_verify(s.m, 3, d), NASHC_OK);
    nashc_diag_truncate(d, 0);
    /* sticky: the next call does nothing and says nothing */
    assert_null(nashc_build_op(s.b, "nn.relu", in, 1, NULL));
    assert_null(nashc_build_int(s.b, 1));
    assert_int_equal(nashc_diag_count(d, NASHC_NOTE), 0);
    nashc_module_free(s.m);
}

static void
failures_are_sticky(void **state)
{
    wrong_call(state, "nn.rel", 1, 1, NULL, "did you mean \"nn.relu\"");
    wrong_call(state, "nn.relu", 2, 1, NULL, "2 operands, expected 1");
    wrong_call(state, "nn.relu", 1, 2, NULL, "2 results, expected 1");
    wrong_call(state, "nn.add", -2, 1, NULL, "operand 1 of a new nn.add is missing");
    wrong_call(state, "nn.add", 1, 1, NULL, "1 operands, expected 2");
    wrong_call(state, "nn.softmax", 1, 1, "axes=1", "no attribute \"axes\"");
    wrong_call(state, "nn.softmax", 1, 1, "axis=x", "expected an integer");
    wrong_call(state, "nn.softmax", 1, 1, "axis=1 axis=1", "given twice");
    wrong_call(state, "nn.softmax", 1, 1, "axis=9", "axis");
    wrong_call(state, "nn.reshape", 1, 1, NULL, "lacks the attribute shape");
    wrong_call(state, "nn.reshape", 1, 1, "shape=[5]", "");
    wrong_call(state, "nn.softmax", 1, 1, "axis=1 !", "unexpected text");
}

static void
foreign_operands_are_bugs(void **state)
{
    bench s = start(*state), t = start(*state);

    assert_null(nashc_build_op(s.b, "nn.relu", &t.x, 1, NULL));
    assert_int_equal(nashc_build_status(s.b), NASHC_EBUG);
    nashc_module_free(s.m);
    nashc_module_free(t.m);
}

static void
null_builder_is_out_of_memory(void **state)
{
    (void)state;
    assert_int_equal(nashc_build_status(NULL), NASHC_ENOMEM);
    assert_null(nashc_build_op(NULL, "nn.relu", NULL, 0, NULL));
    assert_null(nashc_build_f32(NULL, 1));
    assert_null(nashc_build_const(NULL, NULL, NULL));
}

static void
names_are_unique(void **state)
{
    bench s = start(*state);
    nashc_value *y = nashc_build_op(s.b, "nn.relu", &s.x, 1, NULL);

    assert_false(nashc_value_set_name(y, "x"));
    assert_true(nashc_value_set_name(y, "x y/z:0"));
    assert_true(nashc_value_set_name(y, "x y/z:0"));
    assert_null(nashc_graph_add_input(s.g, "x", nashc_value_type(s.x)));
    assert_null(nashc_build_const(
        s.b, "x",
        nashc_tensor_from_i64(&(nashc_type){.kind = NASHC_K_UINT, .bits = 1, .hi = 1},
                              (int64_t[]){1})));
    assert_int_equal(nashc_build_status(s.b), NASHC_EINPUT);
    nashc_module_free(s.m);
}

static void
unknown_operators_keep_what_they_are_told(void **state)
{
    nashc_module *m = parse_ok(*state, "nashc 1\n\ngraph @main(%x: f32[1,4]) -> (%z) {\n"
                                       "  %y: f32[7], %w: none[] = unknown.Foo(%x) "
                                       "domain=\"a.b\" attributes=\"k=1\"\n"
                                       "  %z: u8[3] = nn.add(%w, %y)\n}\n");
    nashc_diag *d = nashc_ctx_diag(*state);

    assert_int_equal(nashc_verify(m, 3, d), NASHC_OK);
    assert_int_not_equal(nashc_verify(m, 4, d), NASHC_OK);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(builds_a_graph),
        CTX_TEST(inserts_before_a_node),
        CTX_TEST(like_with_other_attributes),
        CTX_TEST(failures_are_sticky),
        CTX_TEST(foreign_operands_are_bugs),
        cmocka_unit_test(null_builder_is_out_of_memory),
        CTX_TEST(names_are_unique),
        CTX_TEST(unknown_operators_keep_what_they_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
