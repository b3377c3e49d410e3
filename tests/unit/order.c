/* order.c: tests of ir/order.c: labels stay sorted whatever the order of insertion, and cheaply. */
#include "core/base/rng.h"
#include "ir/impl.h"
#include "support.h"

static nashc_graph *
graph_with_input(nashc_ctx *c, nashc_module **m)
{
    nashc_type t = type_of("f32[1]");
    nashc_graph *g;

    *m = nashc_module_create(c);
    g = nashc_module_add_graph(*m, "main");
    nashc_graph_add_input(g, "x", &t);
    return g;
}

static void
check_labels(const nashc_graph *g, int n)
{
    int seen = 0;

    for (nashc_node *p = nashc_graph_first(g); p; p = nashc_node_next(p), seen++) {
        if (nashc_node_next(p))
            assert_true(nashc_node_before(p, nashc_node_next(p)));
        if (nashc_node_prev(p))
            assert_ptr_equal(nashc_node_next(nashc_node_prev(p)), p);
    }
    assert_int_equal(seen, n);
}

/* where: 0 at the end, 1 at the front, 2 always before the same node, 3 anywhere, 4 alternating */
static void
insert_many(nashc_ctx *c, int where, int n)
{
    static nashc_node *nodes[20000];
    nashc_module *m;
    nashc_graph *g = graph_with_input(c, &m);
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(c));
    nashc_value *x = nashc_graph_input(g, 0);
    nashc_rng rng;

    nashc_rng_seed(&rng, 7);
    for (int i = 0; i < n; i++) {
        nashc_node *at = NULL;
        if (i && where == 1)
            at = nashc_graph_first(g);
        else if (i && where == 2)
            at = nodes[0];
        else if (i && where == 3)
            at = nodes[nashc_rng_range(&rng, 0, i - 1)];
        else if (i && where == 4)
            at = i % 2 ? nodes[i - 1] : nodes[i / 2];
        nashc_build_before(b, at);
        nodes[i] = nashc_build_node(b, "nn.relu", &x, 1, 1, NULL);
        assert_non_null(nodes[i]);
    }
    check_labels(g, n);
    nashc_module_free(m);
}

static void
labels_stay_sorted(void **state)
{
    for (int where = 0; where < 5; where++)
        insert_many(*state, where, 20000);
}

/* A random list of moves, with the order of a plain array as the truth. */
static void
moves_agree_with_an_array(void **state)
{
    enum { N = 60 };
    nashc_node *list[N];
    nashc_module *m;
    nashc_graph *g = graph_with_input(*state, &m);
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(*state));
    nashc_value *x = nashc_graph_input(g, 0);
    nashc_rng rng;

    for (int i = 0; i < N; i++)
        list[i] = nashc_build_node(b, "nn.relu", &x, 1, 1, NULL);
    nashc_rng_seed(&rng, 8);
    for (int step = 0; step < 5000; step++) {
        int from = (int)nashc_rng_range(&rng, 0, N - 1), to = (int)nashc_rng_range(&rng, 0, N);
        nashc_node *n = list[from];
        nashc_node_move(n, to < N ? list[to] : NULL);
        if (to == from)
            continue;
        memmove(list + from, list + from + 1, (size_t)(N - 1 - from) * sizeof(*list));
        to -= to > from;
        memmove(list + to + 1, list + to, (size_t)(N - 1 - to) * sizeof(*list));
        list[to] = n;
        if (step % 100)
            continue;
        check_labels(g, N);
        n = nashc_graph_first(g);
        for (int i = 0; i < N; i++, n = nashc_node_next(n))
            assert_ptr_equal(n, list[i]);
    }
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(labels_stay_sorted),
        CTX_TEST(moves_agree_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
