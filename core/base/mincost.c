/* mincost.c: difference constraints at least cost, by the dual minimum-cost flow.
 *
 *     minimise   sum of cost * (x[to] - x[from])   with   x[to] - x[from] >= lag
 *     maximise   sum of lag * flow                 with   flow >= 0, and in minus out of node v =
 *                                                         costs in minus costs out of v
 *
 * The optimal x are the potentials of the optimal flow. It is found by successive shortest paths
 * (Ahuja, Magnanti, Orlin, Network Flows, 9.7): slack = x[to] - x[from] - lag is the reduced cost
 * of an edge, never negative, and 0 where something flows.
 */
#include "mincost.h"
#include "mem.h"
#include <string.h>

typedef struct entry {
    int64_t dist;
    uint32_t node;
} entry;

typedef struct solver {
    const nashc_distance *e;
    uint32_t n, m;
    int64_t *x, *flow, *excess, *dist; /* excess: still to be sent away, < 0: to be received */
    uint32_t *first, *arc;             /* arcs of node v: arc[first[v]] .. arc[first[v + 1] - 1] */
    uint32_t *via;                     /* arc that reached a node: 2 * edge, + 1 against it */
    bool *done;
    entry *heap;
    size_t n_heap;
} solver;

#define NO_ARC UINT32_MAX

static int64_t
slack(const solver *s, uint32_t edge)
{
    const nashc_distance *e = &s->e[edge];

    return s->x[e->to] - s->x[e->from] - e->lag;
}

/* Some x that keeps all distances: longest paths (Bellman, Ford). */
static bool
feasible(solver *s)
{
    bool moved = true;

    memset(s->x, 0, s->n * sizeof *s->x);
    for (uint32_t round = 0; moved; round++) {
        moved = false;
        for (uint32_t i = 0; i < s->m; i++) {
            if (slack(s, i) >= 0)
                continue;
            s->x[s->e[i].to] = s->x[s->e[i].from] + s->e[i].lag;
            moved = true;
        }
        if (round > s->n)
            return false;
    }
    return true;
}

static void
push(solver *s, int64_t dist, uint32_t node, uint32_t via)
{
    if (s->done[node] || s->dist[node] <= dist)
        return;
    s->dist[node] = dist;
    s->via[node] = via;
    size_t i = s->n_heap++;
    for (; i > 0 && s->heap[(i - 1) / 2].dist > dist; i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = (entry){dist, node};
}

static entry
pop(solver *s)
{
    entry top = s->heap[0], last = s->heap[--s->n_heap];
    size_t i = 0;

    for (size_t k = 1; k < s->n_heap; k = 2 * i + 1) {
        k += k + 1 < s->n_heap && s->heap[k + 1].dist < s->heap[k].dist;
        if (s->heap[k].dist >= last.dist)
            break;
        s->heap[i] = s->heap[k];
        i = k;
    }
    s->heap[i] = last;
    return top;
}

/* Shortest paths from all nodes with something to send, up to the first that receives: it, or
 * NO_ARC (Dijkstra). */
static uint32_t
nearest(solver *s)
{
    s->n_heap = 0;
    for (uint32_t v = 0; v < s->n; v++) {
        s->dist[v] = INT64_MAX;
        s->done[v] = false;
    }
    for (uint32_t v = 0; v < s->n; v++)
        if (s->excess[v] > 0)
            push(s, 0, v, NO_ARC);
    while (s->n_heap > 0) {
        entry t = pop(s);
        if (s->done[t.node])
            continue;
        s->done[t.node] = true;
        if (s->excess[t.node] < 0)
            return t.node;
        for (uint32_t i = s->first[t.node]; i < s->first[t.node + 1]; i++) {
            uint32_t a = s->arc[i], edge = a / 2;
            if (a % 2 == 0)
                push(s, t.dist + slack(s, edge), s->e[edge].to, a);
            else if (s->flow[edge] > 0)
                push(s, t.dist, s->e[edge].from, a);
        }
    }
    return NO_ARC;
}

/* Sends as much as possible to node v on the paths found, and moves the potentials. */
static void
augment(solver *s, uint32_t v)
{
    int64_t far = s->dist[v], amount = -s->excess[v];
    uint32_t u = v;

    for (uint32_t i = 0; i < s->n; i++)
        s->x[i] -= s->dist[i] < far ? s->dist[i] : far;
    for (; s->via[u] != NO_ARC;) {
        uint32_t a = s->via[u];
        if (a % 2 == 1 && s->flow[a / 2] < amount)
            amount = s->flow[a / 2];
        u = a % 2 == 0 ? s->e[a / 2].from : s->e[a / 2].to;
    }
    amount = s->excess[u] < amount ? s->excess[u] : amount;
    s->excess[u] -= amount;
    s->excess[v] += amount;
    for (u = v; s->via[u] != NO_ARC;) {
        uint32_t a = s->via[u];
        s->flow[a / 2] += a % 2 == 0 ? amount : -amount;
        u = a % 2 == 0 ? s->e[a / 2].from : s->e[a / 2].to;
    }
}

static void
list_arcs(solver *s)
{
    for (uint32_t i = 0; i < s->m; i++) {
        s->first[s->e[i].from + 1]++;
        s->first[s->e[i].to + 1]++;
    }
    for (uint32_t v = 0; v < s->n; v++)
        s->first[v + 1] += s->first[v];
    for (uint32_t i = s->m; i-- > 0;) { /* filled from behind, which moves first[v + 1] to v's */
        s->arc[--s->first[s->e[i].from + 1]] = 2 * i;
        s->arc[--s->first[s->e[i].to + 1]] = 2 * i + 1;
    }
    for (uint32_t v = 0; v < s->n; v++)
        s->first[v] = s->first[v + 1];
    s->first[s->n] = 2 * s->m;
}

static bool
solve(solver *s)
{
    uint32_t v;

    list_arcs(s);
    for (uint32_t i = 0; i < s->m; i++) {
        s->excess[s->e[i].from] += s->e[i].cost;
        s->excess[s->e[i].to] -= s->e[i].cost;
    }
    if (!feasible(s))
        return false;
    while ((v = nearest(s)) != NO_ARC)
        augment(s, v);
    return true;
}

bool
nashc_mincost(uint32_t n, const nashc_distance *e, uint32_t m, int64_t *x)
{
    solver s = {.e = e, .n = n, .m = m, .x = x};

    s.flow = nashc_mem_calloc((size_t)m + 1, sizeof *s.flow);
    s.excess = nashc_mem_calloc((size_t)n + 1, sizeof *s.excess);
    s.dist = nashc_mem_calloc((size_t)n + 1, sizeof *s.dist);
    s.first = nashc_mem_calloc((size_t)n + 2, sizeof *s.first);
    s.arc = nashc_mem_calloc(2 * (size_t)m + 1, sizeof *s.arc);
    s.via = nashc_mem_calloc((size_t)n + 1, sizeof *s.via);
    s.done = nashc_mem_calloc((size_t)n + 1, sizeof *s.done);
    s.heap = nashc_mem_calloc(2 * (size_t)m + n + 1, sizeof *s.heap);
    bool ok =
        s.flow && s.excess && s.dist && s.first && s.arc && s.via && s.done && s.heap && solve(&s);
    nashc_mem_free(s.flow);
    nashc_mem_free(s.excess);
    nashc_mem_free(s.dist);
    nashc_mem_free(s.first);
    nashc_mem_free(s.arc);
    nashc_mem_free(s.via);
    nashc_mem_free(s.done);
    nashc_mem_free(s.heap);
    return ok;
}
