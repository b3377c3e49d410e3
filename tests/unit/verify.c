/* verify.c: tests of ir/verify.c: each invariant, broken on purpose, is found. */
#include "ir/impl.h"
#include "support.h"

static const char text[] = "nashc 1\n\ngraph @main(%x: i4[1,4]) -> (%c) {\n"
                           "  %a: i5<-7..8>[1,4] = nn.neg(%x)\n"
                           "  %b: i5<-15..15>[1,4] = nn.add(%a, %x)\n"
                           "  %c: f32[1,4] = nn.softmax(%b) axis=1\n}\n";

/* Breaks one thing, expects this status and text, and leaves the module to be freed. */
static void
expect(void **state, nashc_module *m, int level, nashc_status want, const char *message)
{
    nashc_diag *d = nashc_ctx_diag(*state);

    assert_int_equal(nashc_verify(m, level, d), want);
    if (!strstr(first_message(*state), message))
        fail_msg("expected \"%s\" in: %s", message, first_message(*state));
    nashc_diag_truncate(d, 0);
}

static void
structure(void **state)
{
    nashc_module *m = parse_ok(*state, text);
    nashc_graph *g = nashc_module_main(m);
    nashc_node *a = g->first, *b = a->next, *c = b->next;
    nashc_value *x = g->inputs[0];
    uint64_t order = b->order;

    expect(state, m, 4, NASHC_OK, "");
    b->order = a->order;
    expect(state, m, 1, NASHC_EBUG, "order labels");
    b->order = order;
    x->n_uses++;
    expect(state, m, 1, NASHC_EBUG, "uses");
    x->n_uses--;
    nashc_use *u = a->in[0].next, **pp = a->in[0].pprev;
    a->in[0].pprev = &b->out[0].uses;
    expect(state, m, 1, NASHC_EBUG, "chain");
    a->in[0].pprev = pp;
    a->in[0].next = u;
    b->flags |= NASHC_NODE_DEAD;
    expect(state, m, 1, NASHC_EBUG, "dead");
    b->flags &= ~NASHC_NODE_DEAD;
    g->n_nodes++;
    expect(state, m, 1, NASHC_EBUG, "counts");
    g->n_nodes--;
    c->prev = a;
    expect(state, m, 1, NASHC_EBUG, "list");
    c->prev = b;
    const char *name = b->out[0].name;
    b->out[0].name = a->out[0].name;
    expect(state, m, 1, NASHC_EBUG, "name");
    b->out[0].name = name;
    a->in[0].user = b;
    expect(state, m, 1, NASHC_EBUG, "belongs to another");
    a->in[0].user = a;
    nashc_node_move(a, c);
    expect(state, m, 1, NASHC_EBUG, "after its use");
    nashc_node_move(a, b);
    nashc_node_set_in(b, 1, NULL);
    expect(state, m, 1, NASHC_EBUG, "missing");
    nashc_node_set_in(b, 1, x);
    expect(state, m, 4, NASHC_OK, "");
    nashc_module_free(m);
}

static void
types_and_rules(void **state)
{
    nashc_module *m = parse_ok(*state, text);
    nashc_graph *g = nashc_module_main(m);
    nashc_type wrong = type_of("i9[1,4]");
    nashc_value *b = &g->first->next->out[0];
    nashc_type right = b->type;

    nashc_value_set_type(b, &wrong);
    expect(state, m, 1, NASHC_OK, "");
    expect(state, m, 2, NASHC_EINPUT, "has type i9[1,4], its operands give i5<-15..15>[1,4]");
    assert_int_equal(nashc_graph_infer(g, nashc_ctx_diag(*state)), NASHC_OK);
    assert_true(nashc_type_eq(&b->type, &right));
    expect(state, m, 4, NASHC_OK, "");
    nashc_module_free(m);
}

static void
static_shapes(void **state)
{
    nashc_module *m = parse_ok(*state, "nashc 1\n\ngraph @main(%x: f32[?,4]) -> (%y) {\n"
                                       "  %y: f32[?,4] = nn.relu(%x)\n}\n");

    expect(state, m, 3, NASHC_OK, "");
    expect(state, m, 4, NASHC_EINPUT, "not fully known");
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(structure),
        CTX_TEST(types_and_rules),
        CTX_TEST(static_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
