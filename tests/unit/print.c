/* print.c: tests of ir/print.c: canonical text, and a fixpoint over random graphs. */
#include "core/base/rng.h"
#include "support.h"
#include <stdlib.h>

/* Lines that print as they are written. */
static const char lines[] =
    "nashc 1\n\n"
    "graph @main(%x: f32[2,3], %\"in put\": f32[2,3]) -> (%y, \"out/0\"=%x, z=%y, %k) {\n"
    "  %a: f64[3] = [0.1,-0,nan]\n"
    "  %b: f32[2,3] = nn.add(%x, %a)\n"
    "  %c: f32[3] = [0.1,inf,1e-45]\n"
    "  %d: f32[2,3] = nn.mul(%\"in put\", %c) !\"quoted \\\"n\\\\ame\\\"\\x01\"\n"
    "  %e: f32[1,3], %f: f32[1,3] = nn.split(%d) axis=0 parts=[1,1]\n"
    "  %g: f32[2,3] = nn.concat(%e, %f) axis=0\n"
    "  %h: i8[2,3] = splat -5\n"
    "  %y: f32[2,3] = nn.sub(%g, %h)\n"
    "  %k: fx16.6<-100..100>[2] = [-100,3]\n"
    "}\n\n"
    "graph @\"sub graph\"() -> () {\n"
    "}\n";

static void
text_is_kept(void **state)
{
    static const char want[] = "nashc 1\n\n"
                               "graph @main(%x: f32[2,3]) -> (%y) {\n"
                               "  %h: i8[2,3] = [-5,-5,-5,-5,-5,-5]\n"
                               "  %y: f32[2,3] = nn.sub(%x, %h)\n"
                               "}\n";
    nashc_module *m = parse_ok(*state, want);

    assert_prints(m, want);
    nashc_module_free(m);
}

static void
print_is_a_fixpoint(void **state)
{
    nashc_module *m = parse_ok(*state, lines), *again;
    char *first = nashc_print(m, NULL);

    again = parse_ok(*state, first);
    assert_prints(again, first);
    assert_non_null(strstr(first, "[0.1,-0,nan]"));
    assert_non_null(strstr(first, "[0.1,inf,1e-45]"));
    assert_non_null(strstr(first, "-> (%y, \"out/0\"=%x, z=%y, %k)"));
    assert_non_null(strstr(first, "nn.mul(%\"in put\", %c) !\"quoted \\\"n\\\\ame\\\"\\x01\"\n"));
    assert_non_null(strstr(first, "  %k: fx16.6<-100..100>[2] = [-100,3]\n}"));
    nashc_mem_free(first);
    nashc_module_free(m);
    nashc_module_free(again);
}

/* A random graph of elementwise nodes, with odd names, shared constants and dead ends. */
static nashc_module *
random_module(nashc_ctx *c, uint64_t seed)
{
    static const char *const ops[] = {"nn.add", "nn.mul",  "nn.sub", "nn.relu",
                                      "nn.neg", "nn.clip", "nn.abs", "nn.max"};
    nashc_module *m = nashc_module_create(c);
    nashc_graph *g = nashc_module_add_graph(m, seed % 2 ? "main" : "g 1");
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(c));
    nashc_value *v[64];
    nashc_type f = type_of("f32[2,3]"), u = type_of("i4<-7..7>[2,3]");
    nashc_rng rng;
    int n = 0;

    nashc_rng_seed(&rng, seed);
    v[n++] = nashc_graph_add_input(g, NULL, &f);
    v[n++] = nashc_graph_add_input(g, "odd name %", &u);
    while (n < 40) {
        int op = (int)nashc_rng_range(&rng, 0, 7);
        nashc_value *in[2] = {v[nashc_rng_range(&rng, 0, n - 1)],
                              v[nashc_rng_range(&rng, 0, n - 1)]};
        nashc_value *y;
        int low = -n;
        nashc_loc loc = {.name = op == 3 ? "a \"b\"\n" : NULL};
        if (n % 7 == 0) {
            v[n] = n % 2 ? nashc_build_f32(b, (float)nashc_rng_unit(&rng))
                         : nashc_build_int(b, nashc_rng_range(&rng, -9, 9));
            n++;
            continue;
        }
        nashc_build_loc(b, &loc);
        y = nashc_build_op(b, ops[op], in, op < 3 || op == 7 ? 2 : 1,
                           op == 5 ? "min=%d max=3.5" : NULL, low);
        assert_non_null(y);
        v[n] = y;
        if (op == 4) {
            char name[32];
            snprintf(name, sizeof(name), "conv/out:%d\xc3\xa4", n);
            assert_true(nashc_value_set_name(v[n], name));
        }
        n++;
    }
    for (int i = 0; i < 3; i++) /* names of outputs differ: the last two by their values */
        nashc_graph_add_output(
            g, i ? NULL : "first",
            v[nashc_rng_range(&rng, i == 2 ? n / 2 : 0, i == 1 ? n / 2 - 1 : n - 1)]);
    assert_int_equal(nashc_build_status(b), NASHC_OK);
    return m;
}

static void
random_graphs_are_fixpoints(void **state)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        nashc_module *m = random_module(*state, seed), *again, *copy;
        char *first = nashc_print(m, NULL);
        again = parse_ok(*state, first);
        assert_prints(again, first);
        copy = nashc_module_clone(again);
        assert_prints(copy, first);
        assert_int_equal(nashc_verify(copy, 4, nashc_ctx_diag(*state)), NASHC_OK);
        nashc_mem_free(first);
        nashc_module_free(m);
        nashc_module_free(again);
        nashc_module_free(copy);
    }
}

static void
node_lines(void **state)
{
    nashc_module *m = random_module(*state, 3);
    char *text = nashc_print(m, NULL);
    nashc_node *last = nashc_graph_last(nashc_module_main(m));

    NASHC_EACH_NODE(nashc_module_main(m), n)
    {
        assert_non_null(strstr(text, nashc_node_line(n, nashc_module_arena(m))));
    }
    nashc_value_replace(nashc_node_out(last, 0), nashc_graph_input(nashc_module_main(m), 0));
    nashc_node_erase(last, false);
    assert_string_equal(nashc_node_line(last, nashc_module_arena(m)), "<dead>");
    nashc_mem_free(text);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(text_is_kept),
        CTX_TEST(print_is_a_fixpoint),
        CTX_TEST(random_graphs_are_fixpoints),
        CTX_TEST(node_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
