/* fold_solver.c: tests of passes/hw/fold_solver.c: against all choices, on chains, forks and small
 * graphs at random; and what is said when tables are too small. */
#include "passes/hw/fold_solver.h"

#include "core/base/rng.h"
#include "support.h"

#define MOST_NODES  7
#define MOST_POINTS 5
#define MOST_EDGES  24

typedef struct example {
    solver_problem p;
    int count[MOST_NODES];
    uint64_t node[MOST_NODES][MOST_POINTS], edge[MOST_EDGES][MOST_POINTS * MOST_POINTS];
    const uint64_t *cost[MOST_NODES];
    solver_edge edges[MOST_EDGES];
} example;

static uint64_t
below(nashc_rng *rng, uint64_t n)
{
    return (uint64_t)nashc_rng_range(rng, 0, (int64_t)n - 1);
}

static void
make(example *x, nashc_rng *rng, int n)
{
    *x = (example){.p = {.n = n, .count = x->count, .cost = x->cost, .edges = x->edges}};
    for (int i = 0; i < n; i++) {
        x->count[i] = 1 + (int)below(rng, MOST_POINTS);
        x->cost[i] = x->node[i];
        for (int k = 0; k < x->count[i]; k++)
            x->node[i][k] = below(rng, 40);
    }
}

/* Widths of both sides, as of streams: points of one width cost the same, equal widths nothing. */
static void
connect(example *x, nashc_rng *rng, int a, int b)
{
    int k = x->p.n_edges++, widths = 1 + (int)below(rng, MOST_POINTS);

    x->edges[k] = (solver_edge){a, b, x->edge[k]};
    for (int i = 0; i < x->count[a]; i++)
        for (int j = 0; j < x->count[b]; j++) {
            int from = i % widths, to = j % widths;
            x->edge[k][i * x->count[b] + j] = from == to ? 0 : 3 + (uint64_t)(5 * from + 3 * to);
        }
}

static uint64_t
cost_of(const example *x, const int *choice)
{
    uint64_t sum = 0;

    for (int i = 0; i < x->p.n; i++)
        sum += x->node[i][choice[i]];
    for (int k = 0; k < x->p.n_edges; k++) {
        const solver_edge *e = &x->edges[k];
        sum += e->cost[choice[e->a] * x->count[e->b] + choice[e->b]];
    }
    return sum;
}

/* The least over all choices. */
static uint64_t
least_of(const example *x)
{
    int choice[MOST_NODES] = {0}, i = 0;
    uint64_t least = UINT64_MAX;

    while (i < x->p.n) {
        uint64_t c = cost_of(x, choice);
        least = c < least ? c : least;
        for (i = 0; i < x->p.n && ++choice[i] == x->count[i]; i++)
            choice[i] = 0;
    }
    return least;
}

static void
check(example *x, bool exact)
{
    nashc_arena *a = nashc_arena_create();
    solver_result r;
    uint64_t least = least_of(x);

    assert_true(solver_solve(&x->p, &r, a));
    assert_int_equal(r.cost, cost_of(x, r.choice));
    assert_true(r.bound <= least && least <= r.cost);
    if (exact) {
        assert_int_equal(r.bound, r.cost);
    }
    nashc_arena_free(a);
}

static void
chains(void **state)
{
    nashc_rng rng;
    example x;

    (void)state;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 200; round++) {
        make(&x, &rng, 1 + round % MOST_NODES);
        for (int i = 1; i < x.p.n; i++)
            connect(&x, &rng, i - 1, i);
        check(&x, true);
    }
}

/* Any graph, with double edges and loose parts. */
static void
graphs(void **state)
{
    nashc_rng rng;
    example x;

    (void)state;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < 400; round++) {
        make(&x, &rng, 2 + round % (MOST_NODES - 1));
        int edges = (int)below(&rng, MOST_EDGES);
        for (int k = 0; k < edges; k++) {
            int b = 1 + (int)below(&rng, (uint64_t)x.p.n - 1);
            connect(&x, &rng, (int)below(&rng, (uint64_t)b), b);
        }
        check(&x, true);
    }
}

/* Tables for one variable at a time: the bound holds, and is not always the cost. */
static void
small_tables(void **state)
{
    nashc_rng rng;
    example x;
    int gaps = 0;

    (void)state;
    nashc_rng_seed(&rng, 3);
    for (int round = 0; round < 200; round++) {
        nashc_arena *a = nashc_arena_create();
        solver_result r;
        make(&x, &rng, MOST_NODES);
        for (int i = 0; i < x.p.n; i++)
            for (int k = i + 1; k < x.p.n; k++)
                connect(&x, &rng, i, k);
        x.p.cells = 4;
        check(&x, false);
        assert_true(solver_solve(&x.p, &r, a));
        gaps += r.cost > r.bound;
        nashc_arena_free(a);
    }
    assert_true(gaps > 0);
}

/* Nothing to choose, and nothing at all. */
static void
trivial(void **state)
{
    nashc_arena *a = nashc_arena_create();
    const solver_problem none = {0};
    solver_result r;

    (void)state;
    assert_true(solver_solve(&none, &r, a));
    assert_int_equal(r.cost, 0);
    assert_int_equal(r.bound, 0);
    nashc_arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(graphs),
        cmocka_unit_test(small_tables),
        cmocka_unit_test(trivial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
