/* fold_solver.c: dynamic programming over a tree decomposition of the graph of costs.
 *
 *     a -- b -- d       take out b: a table of the least cost of b for each pair (a, d)
 *      \       /   ==>  take out c: the same; then a, then d; and choose in the reverse order
 *       -- c --
 *
 * Variables are taken out in min-fill order. Where a table would grow too large, the costs of a
 * variable are added up in several groups, each with a least point of its own: what comes out is
 * a lower bound then (mini-buckets, Dechter and Rish), and the choice is improved by local search.
 */
#include "fold_solver.h"
#include <string.h>

#define NEVER UINT64_MAX

/* A cost that depends on some variables: row-major, the last one fastest. */
typedef struct factor {
    int n;
    const int *var; /* ascending */
    const uint64_t *table;
    struct factor *next; /* in its bucket */
} factor;

typedef struct solver {
    const solver_problem *p;
    nashc_arena *a;
    int n;           /* variables: nodes, and sides of edges that tell fewer cases apart */
    int *size;       /* values of a variable */
    int *node;       /* variable of a node */
    factor *factors; /* not in buckets yet */
    int *order, *place;
    factor **bucket; /* by variable: what is added up when it is taken out */
    int *value;
    uint64_t limit, bound;
    bool failed; /* memory is out */
} solver;

static uint64_t
plus(uint64_t x, uint64_t y)
{
    return x + y < x ? NEVER : x + y;
}

/* --- variables and costs ----------------------------------------------------------------------
 */

static factor *
new_factor(solver *z, int n, const int *var, const uint64_t *table)
{
    factor *f = NASHC_NEW(z->a, factor);
    int *own = NASHC_NEW_N(z->a, int, n + 1);

    if (!f || !own) {
        z->failed = true;
        return NULL;
    }
    memcpy(own, var, (size_t)n * sizeof *var);
    *f = (factor){.n = n, .var = own, .table = table};
    return f;
}

static void
add_factor(solver *z, int n, const int *var, const uint64_t *table)
{
    factor *f = table ? new_factor(z, n, var, table) : NULL;

    if (!f) {
        z->failed = true;
        return;
    }
    f->next = z->factors;
    z->factors = f;
}

static uint64_t
edge_cost(const solver_problem *p, const solver_edge *e, int side, int mine, int other)
{
    int x = side ? other : mine, y = side ? mine : other;

    return e->cost[(size_t)x * (size_t)p->count[e->b] + (size_t)y];
}

/* Points of one end of e that cost the same with every point of the other end are one case.
 * Writes the case of each point; returns how many there are. */
static int
cases_of(const solver_problem *p, const solver_edge *e, int side, int *of, int *first)
{
    int mine = p->count[side ? e->b : e->a], other = p->count[side ? e->a : e->b], n = 0;

    for (int i = 0; i < mine; i++) {
        for (of[i] = 0; of[i] < n; of[i]++) {
            int k = 0;
            while (k < other &&
                   edge_cost(p, e, side, i, k) == edge_cost(p, e, side, first[of[i]], k))
                k++;
            if (k == other)
                break;
        }
        if (of[i] == n)
            first[n++] = i;
    }
    return n;
}

/* One end of an edge: the node itself, or a variable of its own with the cases it tells apart. */
typedef struct end {
    int var, size;
    const int *point; /* of a case */
} end;

/* v is free to be a new variable. */
static bool
make_end(solver *z, const solver_edge *e, int side, int v, end *out)
{
    const solver_problem *p = z->p;
    int i = side ? e->b : e->a, n = p->count[i];
    int *of = NASHC_NEW_N(z->a, int, n), *first = NASHC_NEW_N(z->a, int, n);

    if (!of || !first)
        return false;
    int cases = cases_of(p, e, side, of, first);
    bool own = 2 * cases <= n;
    if (own) {
        uint64_t *link = NASHC_NEW_N(z->a, uint64_t, n * cases);
        int node = z->node[i], low = v < node ? v : node, high = v < node ? node : v;
        for (int q = 0; link && q < n; q++)
            for (int c = 0; c < cases; c++)
                link[v < node ? c * n + q : q * cases + c] = of[q] == c ? 0 : NEVER;
        z->size[v] = cases;
        add_factor(z, 2, (const int[]){low, high}, link);
    } else {
        for (int q = 0; q < n; q++)
            first[q] = q;
    }
    *out = (end){own ? v : z->node[i], own ? cases : n, first};
    return true;
}

static void
add_edge(solver *z, const solver_edge *e, int va, int vb)
{
    end a, b;

    if (!make_end(z, e, 0, va, &a) || !make_end(z, e, 1, vb, &b)) {
        z->failed = true;
        return;
    }
    bool swap = a.var > b.var;
    const end *x = swap ? &b : &a, *y = swap ? &a : &b;
    uint64_t *t = NASHC_NEW_N(z->a, uint64_t, x->size * y->size);
    for (int i = 0; t && i < x->size; i++)
        for (int k = 0; k < y->size; k++)
            t[(size_t)i * (size_t)y->size + (size_t)k] =
                edge_cost(z->p, e, swap, x->point[i], y->point[k]);
    add_factor(z, 2, (const int[]){x->var, y->var}, t);
}

/* Numbers the variables along the nodes: ends that are read, the node, ends that are written. Of
 * equally good orders the one along the nodes is taken, and of equal costs the first points. */
static bool
number_variables(solver *z, int *ends)
{
    const solver_problem *p = z->p;
    int *reads = NASHC_NEW_N(z->a, int, 2 * p->n + 2), *writes = reads ? reads + p->n : NULL;

    for (int e = 0; reads && e < p->n_edges; e++) {
        reads[p->edges[e].b]++;
        writes[p->edges[e].a]++;
    }
    for (int i = 0; reads && i < p->n; i++) { /* from counts to the next number */
        int from = z->n;
        z->node[i] = from + reads[i];
        z->n = z->node[i] + 1 + writes[i];
        reads[i] = from;
        writes[i] = z->node[i] + 1;
    }
    for (int e = 0; reads && e < p->n_edges; e++) {
        ends[2 * e + 1] = reads[p->edges[e].b]++;
        ends[2 * e] = writes[p->edges[e].a]++;
    }
    return reads != NULL;
}

static bool
make_variables(solver *z)
{
    const solver_problem *p = z->p;
    int *ends = NASHC_NEW_N(z->a, int, 2 * p->n_edges + 1), most = p->n + 2 * p->n_edges;

    z->node = NASHC_NEW_N(z->a, int, p->n + 1);
    z->size = NASHC_NEW_N(z->a, int, most + 1);
    if (!ends || !z->node || !z->size || !number_variables(z, ends))
        return false;
    for (int v = 0; v < z->n; v++)
        z->size[v] = 1; /* of an end without a variable of its own */
    for (int i = 0; i < p->n; i++) {
        z->size[z->node[i]] = p->count[i];
        add_factor(z, 1, &z->node[i], p->cost[i]);
    }
    for (int e = 0; e < p->n_edges; e++)
        add_edge(z, &p->edges[e], ends[2 * e], ends[2 * e + 1]);
    return !z->failed;
}

/* --- order ------------------------------------------------------------------------------------
 */

/* Which variables are neighbours: a list each, short where the solver is of use. */
typedef struct neighbours {
    int **list, *n, *room;
} neighbours;

static bool
linked(const neighbours *g, int u, int v)
{
    int of = g->n[u] < g->n[v] ? u : v, other = of == u ? v : u;

    for (int i = 0; i < g->n[of]; i++)
        if (g->list[of][i] == other)
            return true;
    return false;
}

static bool
link_one(solver *z, neighbours *g, int u, int v)
{
    if (g->n[u] == g->room[u]) {
        int *more = NASHC_NEW_N(z->a, int, 2 * g->room[u] + 4);
        if (!more)
            return false;
        if (g->n[u] > 0)
            memcpy(more, g->list[u], (size_t)g->n[u] * sizeof *more);
        g->list[u] = more;
        g->room[u] = 2 * g->room[u] + 4;
    }
    g->list[u][g->n[u]++] = v;
    return true;
}

static bool
link_both(solver *z, neighbours *g, int u, int v)
{
    return u == v || linked(g, u, v) || (link_one(z, g, u, v) && link_one(z, g, v, u));
}

static bool
make_neighbours(solver *z, neighbours *g)
{
    g->list = NASHC_NEW_N(z->a, int *, z->n + 1);
    g->n = NASHC_NEW_N(z->a, int, z->n + 1);
    g->room = NASHC_NEW_N(z->a, int, z->n + 1);
    if (!g->list || !g->n || !g->room)
        return false;
    for (const factor *f = z->factors; f; f = f->next)
        for (int i = 0; i < f->n; i++)
            for (int k = 0; k < i; k++)
                if (!link_both(z, g, f->var[i], f->var[k]))
                    return false;
    return true;
}

/* Edges that taking out v would add, and the combinations it would look at; stops beyond most. */
static int
fill_of(const solver *z, const neighbours *g, int v, int most, uint64_t *cells)
{
    int fill = 0;

    *cells = (uint64_t)z->size[v];
    for (int i = 0; i < g->n[v] && fill <= most; i++) {
        uint64_t size = (uint64_t)z->size[g->list[v][i]];
        *cells = *cells > NEVER / size ? NEVER : *cells * size;
        for (int k = 0; k < i; k++)
            fill += !linked(g, g->list[v][i], g->list[v][k]);
    }
    return fill;
}

/* The neighbours of v become neighbours of each other; v is gone. */
static bool
take_out(solver *z, neighbours *g, int v)
{
    for (int i = 0; i < g->n[v]; i++) {
        int u = g->list[v][i], k = 0;
        while (g->list[u][k] != v)
            k++;
        g->list[u][k] = g->list[u][--g->n[u]];
        for (int j = 0; j < i; j++)
            if (!link_both(z, g, u, g->list[v][j]))
                return false;
    }
    g->n[v] = 0;
    return true;
}

/* Least fill first, then least cells, then along the nodes; without fill, nothing is better. */
static bool
make_order(solver *z)
{
    neighbours g;
    bool *gone = NASHC_NEW_N(z->a, bool, z->n + 1);

    z->order = NASHC_NEW_N(z->a, int, z->n + 1);
    z->place = NASHC_NEW_N(z->a, int, z->n + 1);
    if (!gone || !z->order || !z->place || !make_neighbours(z, &g))
        return false;
    for (int i = 0, first = 0; i < z->n; i++) {
        int best = -1, least = INT32_MAX;
        uint64_t fewest = NEVER, cells;
        while (gone[first])
            first++;
        for (int v = first; v < z->n && least > 0; v++) {
            int fill = gone[v] ? INT32_MAX : fill_of(z, &g, v, least, &cells);
            if (gone[v] || fill > least || (fill == least && cells >= fewest && best >= 0))
                continue;
            best = v;
            least = fill;
            fewest = cells;
        }
        gone[best] = true;
        z->order[i] = best;
        z->place[best] = i;
        if (!take_out(z, &g, best))
            return false;
    }
    return true;
}

/* --- tables -----------------------------------------------------------------------------------
 */

/* A factor goes where the first of its variables is taken out. */
static void
put_in_bucket(solver *z, factor *f)
{
    int v = f->var[0];

    for (int i = 1; i < f->n; i++)
        v = z->place[f->var[i]] < z->place[v] ? f->var[i] : v;
    f->next = z->bucket[v];
    z->bucket[v] = f;
}

/* Factors of a bucket that are added up together; their variables without v. */
typedef struct group {
    factor **member;
    int n, n_vars, *var;
    uint64_t cells; /* values of v and of the variables multiplied */
} group;

/* Writes the union of the variables of g and f without v to var, ascending. */
static int
join(const group *g, const factor *f, int v, int *var)
{
    int i = 0, k = 0, n = 0;

    while (i < g->n_vars || k < f->n) {
        int x = i < g->n_vars ? g->var[i] : INT32_MAX, y = k < f->n ? f->var[k] : INT32_MAX;
        int u = x < y ? x : y;
        i += x == u;
        k += y == u;
        if (u != v)
            var[n++] = u;
    }
    return n;
}

/* Adds f to g if the group stays within the limit; an empty group takes any. */
static bool
admit(solver *z, group *g, factor *f, int v, int *scratch)
{
    int n = join(g, f, v, scratch);
    uint64_t cells = (uint64_t)z->size[v];

    for (int i = 0; i < n; i++) {
        uint64_t size = (uint64_t)z->size[scratch[i]];
        cells = cells > NEVER / size ? NEVER : cells * size;
    }
    if (g->n > 0 && cells > z->limit)
        return false;
    g->member[g->n++] = f;
    g->cells = cells;
    g->n_vars = n;
    memcpy(g->var, scratch, (size_t)n * sizeof *scratch);
    return true;
}

/* Entries from one value of variable u of f to the next; 0: f does not depend on it. */
static size_t
stride_of(const solver *z, const factor *f, int u)
{
    size_t stride = 1;

    for (int i = f->n - 1; i >= 0; i--) {
        if (f->var[i] == u)
            return stride;
        stride *= (size_t)z->size[f->var[i]];
    }
    return 0;
}

/* Counts up the values of the variables of g, the last one fastest, and moves the entries at. */
static void
advance(const solver *z, const group *g, int *value, const size_t *stride, size_t *at)
{
    for (int k = g->n_vars - 1; k >= 0; k--) {
        bool wraps = ++value[k] == z->size[g->var[k]];
        for (int i = 0; i < g->n; i++) {
            size_t s = stride[(size_t)i * (size_t)(g->n_vars + 1) + (size_t)k];
            at[i] += s;
            at[i] -= wraps ? s * (size_t)value[k] : 0;
        }
        if (!wraps)
            return;
        value[k] = 0;
    }
}

/* Least sum of the members of g over the values of v, for each combination of the others. */
static void
sum_up(solver *z, const group *g, int v)
{
    const size_t cells = (size_t)(g->cells / (uint64_t)z->size[v]), row = (size_t)g->n_vars + 1;
    uint64_t *table = NASHC_NEW_N(z->a, uint64_t, cells);
    size_t *stride = NASHC_NEW_N(z->a, size_t, row * (size_t)g->n);
    size_t *at = NASHC_NEW_N(z->a, size_t, g->n);
    int *value = NASHC_NEW_N(z->a, int, row);

    z->failed = z->failed || !table || !stride || !at || !value;
    if (z->failed)
        return;
    for (int i = 0; i < g->n; i++) {
        for (int k = 0; k < g->n_vars; k++)
            stride[(size_t)i * row + (size_t)k] = stride_of(z, g->member[i], g->var[k]);
        stride[(size_t)i * row + row - 1] = stride_of(z, g->member[i], v);
    }
    for (size_t c = 0; c < cells; c++) {
        uint64_t least = NEVER;
        for (int x = 0; x < z->size[v]; x++) {
            uint64_t sum = 0;
            for (int i = 0; i < g->n; i++)
                sum = plus(
                    sum,
                    g->member[i]->table[at[i] + (size_t)x * stride[(size_t)i * row + row - 1]]);
            least = sum < least ? sum : least;
        }
        table[c] = least;
        advance(z, g, value, stride, at);
    }
    if (g->n_vars == 0) {
        z->bound = plus(z->bound, table[0]);
        return;
    }
    factor *f = new_factor(z, g->n_vars, g->var, table);
    if (f)
        put_in_bucket(z, f);
}

/* Takes out v: in one group, or in as many as the limit on tables asks for. */
static void
eliminate(solver *z, int v)
{
    int n = 0, room = 1, used = 0;

    for (const factor *f = z->bucket[v]; f; f = f->next) {
        n++;
        room += f->n;
    }
    group *groups = NASHC_NEW_N(z->a, group, n + 1);
    int *scratch = NASHC_NEW_N(z->a, int, room);
    z->failed = z->failed || !groups || !scratch;
    for (factor *f = z->bucket[v]; f && !z->failed; f = f->next) {
        int k = 0;
        while (k < used && !admit(z, &groups[k], f, v, scratch))
            k++;
        if (k < used)
            continue;
        groups[k].member = NASHC_NEW_N(z->a, factor *, n);
        groups[k].var = NASHC_NEW_N(z->a, int, room);
        if (!groups[k].member || !groups[k].var)
            z->failed = true;
        else
            admit(z, &groups[used++], f, v, scratch);
    }
    for (int k = 0; k < used && !z->failed; k++)
        sum_up(z, &groups[k], v);
}

/* --- choice -----------------------------------------------------------------------------------
 */

static uint64_t
entry(const solver *z, const factor *f)
{
    size_t at = 0;

    for (int i = 0; i < f->n; i++)
        at = at * (size_t)z->size[f->var[i]] + (size_t)z->value[f->var[i]];
    return f->table[at];
}

/* Of v, all variables taken out later have values: the best one, the first of equals. */
static void
choose(solver *z, int v)
{
    uint64_t least = NEVER;
    int best = 0;

    for (int x = 0; x < z->size[v]; x++) {
        uint64_t sum = 0;
        z->value[v] = x;
        for (const factor *f = z->bucket[v]; f; f = f->next)
            sum = plus(sum, entry(z, f));
        if (sum < least) {
            least = sum;
            best = x;
        }
    }
    z->value[v] = best;
}

/* Cost of point x of node i among its neighbours as chosen. */
static uint64_t
cost_at(const solver_problem *p, const int *choice, int i, int x)
{
    uint64_t sum = p->cost[i][x];

    for (int k = 0; k < p->n_edges; k++) {
        const solver_edge *e = &p->edges[k];
        if (e->a == i)
            sum += edge_cost(p, e, 0, x, choice[e->b]);
        else if (e->b == i)
            sum += edge_cost(p, e, 1, x, choice[e->a]);
    }
    return sum;
}

/* Moves one node at a time while that makes the whole cheaper. */
static void
improve(const solver_problem *p, int *choice)
{
    bool changed = true;

    for (int round = 0; round < 50 && changed; round++) {
        changed = false;
        for (int i = 0; i < p->n; i++) {
            uint64_t least = cost_at(p, choice, i, choice[i]), c;
            for (int x = 0; x < p->count[i]; x++) {
                if ((c = cost_at(p, choice, i, x)) >= least)
                    continue;
                least = c;
                choice[i] = x;
                changed = true;
            }
        }
    }
}

static uint64_t
total(const solver_problem *p, const int *choice)
{
    uint64_t sum = 0;

    for (int i = 0; i < p->n; i++)
        sum += p->cost[i][choice[i]];
    for (int k = 0; k < p->n_edges; k++)
        sum += edge_cost(p, &p->edges[k], 0, choice[p->edges[k].a], choice[p->edges[k].b]);
    return sum;
}

bool
solver_solve(const solver_problem *p, solver_result *out, nashc_arena *a)
{
    solver z = {.p = p, .a = a, .limit = p->cells ? p->cells : SOLVER_CELLS};

    out->choice = NASHC_NEW_N(a, int, p->n + 1);
    if (!out->choice || !make_variables(&z) || !make_order(&z))
        return false;
    z.bucket = NASHC_NEW_N(a, factor *, z.n + 1);
    z.value = NASHC_NEW_N(a, int, z.n + 1);
    if (!z.bucket || !z.value)
        return false;
    for (factor *f = z.factors, *next; f; f = next) {
        next = f->next;
        put_in_bucket(&z, f);
    }
    for (int i = 0; i < z.n && !z.failed; i++)
        eliminate(&z, z.order[i]);
    for (int i = z.n - 1; i >= 0 && !z.failed; i--)
        choose(&z, z.order[i]);
    for (int i = 0; i < p->n; i++)
        out->choice[i] = z.value[z.node[i]];
    out->bound = z.bound;
    out->cost = total(p, out->choice);
    if (out->cost > out->bound) {
        improve(p, out->choice);
        out->cost = total(p, out->choice);
    }
    return !z.failed;
}
