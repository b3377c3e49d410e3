/* edit.c: tests of ir/edit.c, ir/graph.c and ir/value.c: random edits, checked after each. */
#include "core/base/rng.h"
#include "ir/impl.h"
#include "support.h"

static const char chain[] = "nashc 1\n\ngraph @main(%x: f32[4]) -> (%d) {\n"
                            "  %a: f32[4] = nn.relu(%x)\n"
                            "  %b: f32[4] = nn.neg(%a)\n"
                            "  %c: f32[4] = nn.add(%b, %b)\n"
                            "  %d: f32[4] = nn.add(%c, %a)\n}\n";

static nashc_node *
node(const nashc_module *m, int i)
{
    nashc_node *n = nashc_graph_first(nashc_module_main(m));

    while (i--)
        n = nashc_node_next(n);
    return n;
}

static void
uses_count_slots_and_outputs(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_value *a = nashc_node_out(node(m, 0), 0), *b = nashc_node_out(node(m, 1), 0),
                *d = nashc_node_out(node(m, 3), 0);
    nashc_node **users;
    int n;

    assert_int_equal(nashc_value_n_uses(a), 2);
    assert_int_equal(nashc_value_n_uses(b), 2);
    assert_null(nashc_value_one_user(b));
    users = nashc_value_users(b, nashc_module_arena(m), &n);
    assert_int_equal(n, 1);
    users = nashc_value_users(a, nashc_module_arena(m), &n);
    assert_int_equal(n, 2);
    assert_ptr_equal(users[0], node(m, 1));
    assert_ptr_equal(users[1], node(m, 3));
    assert_true(nashc_value_one_use(d));
    assert_true(nashc_value_is_output(d));
    assert_null(nashc_value_one_user(d));
    assert_ptr_equal(nashc_value_def_by(d, "nn.add"), node(m, 3));
    assert_null(nashc_value_def_by(d, "nn.neg"));
    assert_null(nashc_value_def_by(NULL, "nn.neg"));
    assert_false(nashc_node_is(NULL, "nn.neg"));
    nashc_module_free(m);
}

static void
replacing_keeps_output_names(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);

    nashc_value_replace(nashc_node_out(node(m, 3), 0), nashc_node_out(node(m, 2), 0));
    nashc_node_erase(node(m, 3), true);
    assert_prints(m, "nashc 1\n\ngraph @main(%x: f32[4]) -> (d=%c) {\n"
                     "  %a: f32[4] = nn.relu(%x)\n"
                     "  %b: f32[4] = nn.neg(%a)\n"
                     "  %c: f32[4] = nn.add(%b, %b)\n}\n");
    assert_string_equal(nashc_graph_output_name(g, 0), "d");
    assert_int_equal(nashc_verify(m, 4, nashc_ctx_diag(*state)), NASHC_OK);
    nashc_module_free(m);
}

static void
erasing_takes_idle_producers(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);
    nashc_node *b = node(m, 1), *d = node(m, 3);

    nashc_node_erase(b, false); /* still read: nothing happens */
    assert_false(nashc_node_dead(b));
    nashc_graph_set_output(g, 0, nashc_node_out(node(m, 0), 0));
    nashc_node_erase(d, true);
    assert_true(nashc_node_dead(d) && nashc_node_dead(b));
    assert_int_equal(nashc_graph_n_nodes(g), 1);
    assert_int_equal(nashc_verify(m, 4, nashc_ctx_diag(*state)), NASHC_OK);
    nashc_module_free(m);
}

static void
dead_nodes_are_removed(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);

    nashc_graph_set_output(g, 0, nashc_graph_input(g, 0));
    assert_int_equal(nashc_graph_remove_dead(g), 4);
    assert_int_equal(nashc_graph_n_nodes(g), 0);
    assert_prints(m, "nashc 1\n\ngraph @main(%x: f32[4]) -> (d=%x) {\n}\n");
    nashc_module_free(m);
}

static void
walk_allows_erasing_the_current(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);
    int n_seen = 0;

    NASHC_EACH_NODE(g, n)
    {
        nashc_value_replace(nashc_node_out(n, 0), nashc_graph_input(g, 0));
        nashc_node_erase(n, false);
        n_seen++;
    }
    assert_int_equal(n_seen, 4);
    assert_null(nashc_graph_first(g));
    assert_null(nashc_graph_last(g));
    nashc_module_free(m);
}

static void
sorting(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_node *a = node(m, 0), *b = node(m, 1), *c = node(m, 2);

    nashc_node_move(a, NULL);
    nashc_node_move(c, b);
    assert_int_equal(nashc_verify(m, 1, d), NASHC_EBUG);
    nashc_diag_truncate(d, 0);
    assert_int_equal(nashc_graph_sort(g, d), NASHC_OK);
    assert_int_equal(nashc_verify(m, 4, d), NASHC_OK);
    assert_prints(m, chain);
    nashc_node_set_in(b, 0, nashc_node_out(c, 0));
    assert_int_equal(nashc_graph_sort(g, d), NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "depends on its own result"));
    nashc_module_free(m);
}

static void
many_outputs_keep_their_chains(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);

    for (int i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof(name), "o%d", i);
        nashc_graph_add_output(g, name, nashc_node_out(node(m, i % 4), 0));
        assert_int_equal(nashc_verify(m, 1, nashc_ctx_diag(*state)), NASHC_OK);
    }
    assert_int_equal(nashc_graph_n_outputs(g), 101);
    nashc_module_free(m);
}

static void
inputs_come_and_go(void **state)
{
    nashc_module *m = parse_ok(*state, chain);
    nashc_graph *g = nashc_module_main(m);
    nashc_type t = type_of("u1[]");
    nashc_value *p = nashc_graph_add_input(g, "p", &t), *q = nashc_graph_add_input(g, NULL, &t);

    nashc_graph_remove_input(g, 0); /* used */
    assert_int_equal(nashc_graph_n_inputs(g), 3);
    nashc_graph_remove_input(g, 1);
    assert_int_equal(nashc_graph_n_inputs(g), 2);
    assert_int_equal(nashc_value_def_index(q), 1);
    assert_true(nashc_value_is_input(q));
    assert_null(nashc_value_name(p));
    assert_non_null(nashc_graph_add_input(g, "p", &t));
    assert_int_equal(nashc_verify(m, 4, nashc_ctx_diag(*state)), NASHC_OK);
    nashc_module_free(m);
}

/* The node i of the list, or one before it. */
static nashc_node *
pick(nashc_graph *g, nashc_rng *rng)
{
    int i = g->n_nodes ? (int)nashc_rng_range(rng, 0, g->n_nodes - 1) : 0;
    nashc_node *n = g->first;

    while (n && i--)
        n = n->next;
    return n;
}

/* A value that is defined before n. */
static nashc_value *
pick_value(nashc_graph *g, const nashc_node *n, nashc_rng *rng)
{
    nashc_node *p = pick(g, rng);

    return p && (!n || nashc_node_before(p, n)) ? &p->out[0] : g->inputs[0];
}

static void
random_edits_keep_the_invariants(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, chain), *copy;
    nashc_graph *g = nashc_module_main(m);
    nashc_build *b = nashc_build_create(g, d);
    nashc_rng rng;

    nashc_rng_seed(&rng, 11);
    for (int step = 0; step < 6000; step++) {
        nashc_node *n = pick(g, &rng);
        nashc_value *in[2] = {pick_value(g, n, &rng), pick_value(g, n, &rng)};
        switch (nashc_rng_range(&rng, 0, 6)) {
        case 0:
        case 1:
        case 2:
            nashc_build_before(b, n);
            assert_non_null(nashc_build_op(b, "nn.add", in, 2, NULL));
            break;
        case 3:
            if (n)
                nashc_node_set_in(n, 0, in[0]);
            break;
        case 4:
            if (n)
                nashc_value_replace(&n->out[0], in[1]);
            break;
        case 5:
            if (n)
                nashc_node_erase(n, step % 2);
            break;
        default:
            nashc_graph_set_output(g, 0, in[0]);
            if (step % 50 == 0)
                nashc_graph_remove_dead(g);
            else if (step % 50 == 1)
                nashc_module_shuffle_uses(m, (uint64_t)step);
        }
        if (nashc_verify(m, 3, d))
            fail_msg("step %d: %s", step, first_message(*state));
        if (step % 500)
            continue;
        copy = nashc_module_clone(m);
        assert_int_equal(nashc_verify(copy, 3, d), NASHC_OK);
        nashc_module_free(m);
        m = copy;
        g = nashc_module_main(m);
        b = nashc_build_create(g, d);
    }
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(uses_count_slots_and_outputs),     CTX_TEST(replacing_keeps_output_names),
        CTX_TEST(erasing_takes_idle_producers),     CTX_TEST(dead_nodes_are_removed),
        CTX_TEST(walk_allows_erasing_the_current),  CTX_TEST(sorting),
        CTX_TEST(many_outputs_keep_their_chains),   CTX_TEST(inputs_come_and_go),
        CTX_TEST(random_edits_keep_the_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
