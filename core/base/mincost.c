/* mincost.c: difference constraints at least cost, by the dual minimum-cost flow.
 *
 *     minimise   sum of cost * (x[to] - x[from])   with   x[to] - x[from] >= lag
 *     maximise   sum of lag * flow                 with   flow >= 0, and in minus out of node v =
 *                                                         costs in minus costs out of v
 *
 * The optimal x are the potentials of the optimal flow. It is found by successive shortest paths
 * (Ahuja, Magnanti, Orlin, Network Flows, 9.7): slack = x[to] - x[from] - lag is the reduced cost
 * of an edge, never negative, and 0 where something flows.
 *
 * Parts of the graph that hang together at single nodes alone (biconnected components) are solved
 * apart, each moved by what it shares with those before: a chain of residual blocks is as many
 * small problems (Hopcroft, Tarjan, Algorithm 447).
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

static bool
solve_part(uint32_t n, const nashc_distance *e, uint32_t m, int64_t *x)
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

/* --- parts ----------------------------------------------------------------------------------- */

typedef struct step {
    uint32_t node, next; /* next: of its arcs */
    uint32_t mark;       /* edges on the stack before the one that led to node */
} step;

/* A walk over the graph in depth, directions apart. */
typedef struct parts {
    const nashc_distance *e;
    uint32_t n, m, count;
    uint32_t *first, *arc;          /* edges of node v: arc[first[v]] .. arc[first[v + 1] - 1] */
    uint32_t *order, *low;          /* when v was come to, from 1; the first it leads back to */
    uint32_t *stack, *list, *start; /* edges in no part yet; of all parts; where a part begins */
    uint32_t *root, *local, *node;  /* first node of a part; numbers within the part, and back */
    uint32_t n_stack, n_list, n_parts, n_path;
    nashc_distance *own; /* edges of the part at hand */
    int64_t *own_x;
    bool *used;
    step *path;
} parts;

static void
list_edges(parts *p)
{
    for (uint32_t i = 0; i < p->m; i++) {
        p->first[p->e[i].from + 1]++;
        p->first[p->e[i].to + 1]++;
    }
    for (uint32_t v = 0; v < p->n; v++)
        p->first[v + 1] += p->first[v];
    for (uint32_t i = p->m; i-- > 0;) {
        p->arc[--p->first[p->e[i].from + 1]] = i;
        p->arc[--p->first[p->e[i].to + 1]] = i;
    }
    for (uint32_t v = 0; v < p->n; v++)
        p->first[v] = p->first[v + 1];
    p->first[p->n] = 2 * p->m;
}

static void
visit(parts *p, uint32_t v, uint32_t mark)
{
    p->order[v] = p->low[v] = ++p->count;
    p->path[p->n_path++] = (step){v, p->first[v], mark};
}

/* The edges above mark are a part that hangs on node root. */
static void
cut_part(parts *p, uint32_t root, uint32_t mark)
{
    p->root[p->n_parts] = root;
    p->start[p->n_parts++] = p->n_list;
    while (p->n_stack > mark)
        p->list[p->n_list++] = p->stack[--p->n_stack];
}

static void
leave(parts *p, const step *t)
{
    if (--p->n_path == 0) {
        if (p->n_stack > 0) /* from the first node to itself */
            cut_part(p, t->node, 0);
        return;
    }
    uint32_t u = p->path[p->n_path - 1].node;
    if (p->low[t->node] >= p->order[u])
        cut_part(p, u, t->mark);
    else if (p->low[t->node] < p->low[u])
        p->low[u] = p->low[t->node];
}

static void
find_parts(parts *p, uint32_t from)
{
    visit(p, from, 0);
    while (p->n_path > 0) {
        step *t = &p->path[p->n_path - 1], last = *t;
        if (t->next == p->first[t->node + 1]) {
            leave(p, &last);
            continue;
        }
        uint32_t k = p->arc[t->next++], v = last.node;
        if (p->used[k])
            continue;
        uint32_t w = p->e[k].from == v ? p->e[k].to : p->e[k].from, mark = p->n_stack;
        p->used[k] = true;
        p->stack[p->n_stack++] = k;
        if (!p->order[w])
            visit(p, w, mark);
        else if (p->order[w] < p->low[v])
            p->low[v] = p->order[w];
    }
}

static uint32_t
local_of(parts *p, uint32_t v, uint32_t *n)
{
    if (p->local[v] == 0) {
        p->node[*n] = v;
        p->local[v] = ++*n;
    }
    return p->local[v] - 1;
}

/* x of the part's root is known. */
static bool
place_part(parts *p, uint32_t k, int64_t *x)
{
    uint32_t n = 0, m = (k + 1 < p->n_parts ? p->start[k + 1] : p->n_list) - p->start[k];
    int64_t at = x[p->root[k]];

    local_of(p, p->root[k], &n);
    for (uint32_t i = 0; i < m; i++) {
        const nashc_distance *e = &p->e[p->list[p->start[k] + m - 1 - i]];
        uint32_t from = local_of(p, e->from, &n), to = local_of(p, e->to, &n);
        p->own[i] = (nashc_distance){from, to, e->lag, e->cost};
    }
    bool ok = solve_part(n, p->own, m, p->own_x);
    for (uint32_t i = 0; i < n; i++) {
        x[p->node[i]] = at + p->own_x[i] - p->own_x[0];
        p->local[p->node[i]] = 0;
    }
    return ok;
}

/* Parts are found from the leaves on, and placed from the roots on. */
static bool
place_all(parts *p, int64_t *x)
{
    bool ok = true;

    list_edges(p);
    for (uint32_t v = 0; v < p->n; v++) {
        x[v] = 0;
        if (!p->order[v])
            find_parts(p, v);
    }
    for (uint32_t k = p->n_parts; k-- > 0 && ok;)
        ok = place_part(p, k, x);
    return ok;
}

bool
nashc_mincost(uint32_t n, const nashc_distance *e, uint32_t m, int64_t *x)
{
    size_t nodes = (size_t)n + 2, edges = (size_t)m + 1;
    uint32_t *u = nashc_mem_calloc(5 * nodes + 6 * edges, sizeof *u);
    parts p = {.e = e, .n = n, .m = m, .first = u};

    p.own = nashc_mem_calloc(edges, sizeof *p.own);
    p.own_x = nashc_mem_calloc(nodes, sizeof *p.own_x);
    p.path = nashc_mem_calloc(nodes, sizeof *p.path);
    p.used = nashc_mem_calloc(edges, sizeof *p.used);
    if (u) {
        p.order = p.first + nodes;
        p.low = p.order + nodes;
        p.local = p.low + nodes;
        p.node = p.local + nodes;
        p.arc = p.node + nodes;
        p.stack = p.arc + 2 * edges;
        p.list = p.stack + edges;
        p.start = p.list + edges;
        p.root = p.start + edges;
    }
    bool ok = u && p.own && p.own_x && p.path && p.used && place_all(&p, x);
    nashc_mem_free(u);
    nashc_mem_free(p.own);
    nashc_mem_free(p.own_x);
    nashc_mem_free(p.path);
    nashc_mem_free(p.used);
    return ok;
}
