/* adder_graph.c: tests of backends/support/adder_graph.c: every graph computes its matrix. */
#include "backends/support/adder_graph.h"
#include "core/base/rng.h"
#include "unit.h"

enum { MOST = 4096 };

/* Values of all terms for the inputs x; each within the range and levels that the graph tells. */
static void
evaluate(const adder_graph *g, const int64_t *x, int64_t *t)
{
    for (int i = 0; i < g->n_terms; i++) {
        const adder_node *q = &g->terms[i].node;
        if (i < g->n_in) {
            t[i] = x[i];
            continue;
        }
        assert_true(q->a < i && q->b >= 0 && q->b < i && (q->a_shift == 0 || q->b_shift == 0));
        int64_t a = q->a < 0 ? 0 : t[q->a] * ((int64_t)1 << q->a_shift);
        int64_t b = t[q->b] * ((int64_t)1 << q->b_shift);
        t[i] = q->minus ? a - b : a + b;
        assert_true(t[i] >= g->terms[i].lo && t[i] <= g->terms[i].hi);
        assert_true(g->terms[i].level > g->terms[q->b].level);
        assert_true(q->a < 0 || g->terms[i].level > g->terms[q->a].level);
    }
}

static void
check_outputs(const adder_matrix *m, const adder_graph *g, const int64_t *x)
{
    int64_t t[MOST];

    assert_true(g->n_terms <= MOST);
    evaluate(g, x, t);
    for (int o = 0; o < m->n_out; o++) {
        int64_t want = 0, have = 0;
        for (int i = 0; i < m->n_in; i++)
            want += x[i] * m->w[i * m->n_out + o];
        if (g->out[o].term >= 0)
            have = t[g->out[o].term] * ((int64_t)1 << g->out[o].shift);
        assert_true(want == have);
    }
}

/* Builds m twice, the same both times, in its levels, right for `rounds` inputs. */
static int
check(const adder_matrix *m, nashc_rng *r, int rounds)
{
    nashc_arena *a = nashc_arena_create();
    adder_graph g, again;
    int64_t x[256];

    assert_true(adder_graph_build(m, a, &g) && adder_graph_build(m, a, &again));
    assert_int_equal(g.n_terms, again.n_terms);
    for (int i = g.n_in; i < g.n_terms; i++) {
        const adder_node *p = &g.terms[i].node, *q = &again.terms[i].node;
        assert_true(p->a == q->a && p->b == q->b && p->a_shift == q->a_shift &&
                    p->b_shift == q->b_shift && p->minus == q->minus);
        assert_true(g.terms[i].level <= adder_graph_levels(m));
    }
    for (int k = 0; k < rounds; k++) {
        for (int i = 0; i < m->n_in; i++)
            x[i] = k == 0   ? m->lo
                   : k == 1 ? m->hi
                   : k == 2 ? (i % 2 ? m->lo : m->hi)
                            : nashc_rng_range(r, m->lo, m->hi);
        check_outputs(m, &g, x);
    }
    int adders = g.n_terms - g.n_in;
    nashc_arena_free(a);
    return adders;
}

/* All 2 x 2 matrices of weights -5 .. 5. */
static void
small_matrices(void **state)
{
    int64_t w[4];
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 1);
    for (int k = 0; k < 11 * 11 * 11 * 11; k++) {
        for (int i = 0, left = k; i < 4; i++, left /= 11)
            w[i] = left % 11 - 5;
        check(&(adder_matrix){w, 2, 2, -3, 4}, &r, 4);
    }
}

/* Every weight of a byte alone: at most four digits, and a change of sign. */
static void
single_weights(void **state)
{
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 2);
    for (int64_t w = -128; w < 128; w++) {
        int adders = check(&(adder_matrix){&w, 1, 1, 0, 15}, &r, 16);
        assert_true(adders <= 4);
    }
}

static void
random_matrices(void **state)
{
    static int64_t w[64 * 64];
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 3);
    for (int round = 0; round < 300; round++) {
        int n_in = (int)nashc_rng_range(&r, 1, 24), n_out = (int)nashc_rng_range(&r, 1, 24);
        int64_t most = (int64_t)1 << nashc_rng_range(&r, 0, 10);
        int64_t zeros = nashc_rng_range(&r, 0, 3);
        for (int i = 0; i < n_in * n_out; i++)
            w[i] = nashc_rng_range(&r, 0, 3) < zeros ? 0 : nashc_rng_range(&r, -most, most);
        int64_t lo = nashc_rng_range(&r, 0, 1) ? 0 : -nashc_rng_range(&r, 1, 128);
        check(&(adder_matrix){w, n_in, n_out, lo, nashc_rng_range(&r, 1, 200)}, &r, 10);
    }
}

/* Columns that are alike share everything; a negative one costs a change of sign. */
static void
sharing(void **state)
{
    const int64_t same[] = {3, 3, 5, 5, 7, 7}, minus[] = {3, -3, 5, -5}, zero[] = {0, 0},
                  plain[] = {8, 0, 0, 1};
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 4);
    int one = check(&(adder_matrix){(const int64_t[]){3, 5, 7}, 3, 1, 0, 15}, &r, 10);
    assert_true(check(&(adder_matrix){same, 3, 2, 0, 15}, &r, 10) <= one + 1);
    assert_true(check(&(adder_matrix){minus, 2, 2, 0, 15}, &r, 10) <= 4);
    assert_int_equal(check(&(adder_matrix){zero, 1, 2, -8, 7}, &r, 10), 0);
    assert_int_equal(check(&(adder_matrix){plain, 2, 2, -8, 7}, &r, 10), 0);
}

/* 64 columns of 64 signs: a good deal fewer than the 64 * 63 additions without sharing. */
static void
saves(void **state)
{
    static int64_t w[64 * 64];
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 5);
    for (int i = 0; i < 64 * 64; i++)
        w[i] = nashc_rng_range(&r, 0, 1) ? 1 : -1;
    const adder_matrix m = {w, 64, 64, 0, 3};
    assert_int_equal(adder_graph_digits(1) + adder_graph_digits(-1), 2);
    assert_int_equal(adder_graph_digits(7) + adder_graph_digits(-11), 2 + 3);
    assert_int_equal(adder_graph_digits(0), 0);
    assert_int_equal(adder_graph_levels(&m), 7);
    int adders = check(&m, &r, 10);
    print_message("# %d additions\n", adders);
    assert_true(adders < 64 * 63 / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_matrices),  cmocka_unit_test(single_weights),
        cmocka_unit_test(random_matrices), cmocka_unit_test(sharing),
        cmocka_unit_test(saves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
