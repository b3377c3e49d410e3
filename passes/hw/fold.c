/* fold.c: folding points of layers, and the cheapest choice among them.
 *
 *     layer ---- points: pe, simd, cycles, cost ---- node of the solver
 *     stream --- lanes written and read ------------ edge: the converter between them
 */
#include "fold.h"
#include "fold_solver.h"
#include <string.h>

bool
fold_multiplies(const nashc_node *n)
{
    return nashc_node_is(n, "hw.mvau") || nashc_node_is(n, "hw.vvau");
}

int64_t
fold_weight_width(const nashc_node *n)
{
    if (!nashc_node_is(n, "hw.mvau"))
        return 0;
    return nashc_value_type(nashc_node_in(n, 1))->bits * nashc_node_int(n, "simd");
}

/* --- points ------------------------------------------------------------------------------------
 */

/* Lanes of all streams of n as it is folded now. EUNSUP, not reported: it has none so. */
static nashc_status
take_lanes(const fold_problem *z, const nashc_node *n, fold_point *q)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];
    const nashc_hw *hw = nashc_node_op(n)->hw;
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n), k = 0;

    if (!hw->streams || n_in > NASHC_FLOW_PORTS || n_out > NASHC_FLOW_PORTS ||
        hw->streams(n, in, out, NULL) != NASHC_OK)
        return NASHC_EUNSUP;
    q->in = NASHC_NEW_N(nashc_run_arena(z->r), int64_t, n_in + 1);
    q->out = NASHC_NEW_N(nashc_run_arena(z->r), int64_t, n_out + 1);
    for (int i = 0; q->in && i < n_in; i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            q->in[i] = in[k++].lanes; /* streams are those operands that are no constants */
    for (int i = 0; q->out && i < n_out; i++)
        q->out[i] = out[i].lanes;
    return q->in && q->out ? NASHC_OK : nashc_enomem(z->d);
}

/* Adds the point of fold f, unless its weights are too wide. */
static nashc_status
add_point(fold_problem *z, fold_item *it, const nashc_fold *f, int64_t positions)
{
    fold_point *q = &it->points[it->n_points];

    *q = (fold_point){.fold = *f, .score = FOLD_NO_SCORE, .positions = positions};
    if (nashc_attr_index(it->n, "positions") >= 0) {
        q->fold.name[q->fold.n] = "positions";
        q->fold.value[q->fold.n++] = positions;
    }
    nashc_status s = hw_set_fold(it->n, &q->fold, z->d);
    if (s != NASHC_OK)
        return s;
    q->cycles = it->model->cycles(it->n);
    if (z->wwidth_max > 0 && fold_weight_width(it->n) > z->wwidth_max && it->n_points > 0)
        return NASHC_OK;
    if ((s = take_lanes(z, it->n, q)) == NASHC_OK)
        it->n_points++;
    return s == NASHC_EUNSUP ? NASHC_OK : s; /* no folding for its streams */
}

/* Does the backend build n with m positions a beat, folded widest? */
static bool
takes_positions(const fold_item *it, int64_t m)
{
    const nashc_hw *hw = nashc_node_op(it->n)->hw;

    return (it->model->flags & NASHC_MODEL_POSITIONS) && hw->fold && NASHC_HAS(hw, positions) &&
           hw->positions && hw->positions(it->n, m, NULL) == NASHC_OK;
}

nashc_status
fold_collect_item(fold_problem *z, fold_item *it)
{
    const nashc_hw *hw = nashc_node_op(it->n)->hw;
    nashc_status s = NASHC_OK;
    nashc_fold f = {0};
    int k = 0;

    for (; hw->fold && hw->fold(it->n, k, &f); k++)
        if (f.n < 0)
            return nashc_enomem(z->d);
    it->points = NASHC_NEW_N(nashc_run_arena(z->r), fold_point, k + FOLD_POSITIONS + 1);
    if (!it->points)
        return nashc_enomem(z->d);
    it->n_points = 0;
    for (int p = 0; p < (hw->fold ? k : 1) && s == NASHC_OK; p++) {
        if (hw->fold && hw->fold(it->n, p, &f) && f.n < 0)
            return nashc_enomem(z->d);
        s = add_point(z, it, &f, 1);
    }
    if (s == NASHC_OK && it->n_points == 0)
        s = nashc_node_error(z->d, it->n, "this layer has no folding");
    it->n_single = it->n_points;
    it->single = UINT64_MAX;
    for (int p = 0; p < it->n_points; p++)
        it->single = it->points[p].cycles < it->single ? it->points[p].cycles : it->single;
    for (int64_t m = 2; m <= z->positions && s == NASHC_OK; m++)
        if (takes_positions(it, m))
            s = add_point(z, it, &f, m);
    return s;
}

nashc_status
fold_collect(fold_problem *z)
{
    nashc_arena *a = nashc_run_arena(z->r);
    nashc_status s = NASHC_OK;

    z->items = NASHC_NEW_N(a, fold_item, nashc_graph_n_nodes(z->f) + 1);
    z->item_of = NASHC_NEW_N(a, int, nashc_graph_max_id(z->f) + 1);
    z->names = nashc_flow_names(z->f, a);
    if (!z->items || !z->item_of || !z->names)
        return nashc_enomem(z->d);
    for (uint32_t i = 0; i < nashc_graph_max_id(z->f) + 1; i++)
        z->item_of[i] = -1;
    NASHC_EACH_NODE(z->f, n)
    {
        fold_item it = {.n = n, .model = nashc_layer_model_of(n, z->backend, z->d)};
        if (!it.model)
            return NASHC_EUNSUP;
        it.res = fold_multiplies(n) ? nashc_node_str(n, "res_type") : NULL;
        it.open = it.res && (z->no_dsp || strcmp(it.res, "auto") == 0);
        z->item_of[nashc_node_id(n)] = z->n;
        z->items[z->n++] = it;
    }
    for (int i = 0; i < z->n && s == NASHC_OK; i++)
        s = fold_collect_item(z, &z->items[i]);
    return s;
}

uint64_t
fold_least(const fold_item *it)
{
    uint64_t least = UINT64_MAX;

    for (int p = 0; p < it->n_points; p++)
        least = it->points[p].cycles < least ? it->points[p].cycles : least;
    return least;
}

fold_item *
fold_slowest(fold_problem *z, uint64_t *cycles)
{
    fold_item *slowest = NULL;

    *cycles = 1;
    for (int i = 0; i < z->n; i++) {
        uint64_t least = fold_least(&z->items[i]);
        if (!slowest || least > *cycles) {
            slowest = &z->items[i];
            *cycles = least;
        }
    }
    return slowest;
}

/* May q be chosen? It reaches the target, with several positions a beat only where one is too
 * slow. */
static bool
usable(const fold_item *it, const fold_point *q, uint64_t target)
{
    return q->cycles <= target && (q->positions == 1 || it->single > target);
}

/* Costs of the points that reach the target: no other can be chosen. */
static nashc_status
weigh(fold_problem *z, uint64_t target)
{
    for (int i = 0; i < z->n; i++) {
        fold_item *it = &z->items[i];
        for (int p = 0; p < it->n_points; p++) {
            fold_point *q = &it->points[p];
            if (!usable(it, q, target) || q->score != FOLD_NO_SCORE)
                continue;
            nashc_status s = hw_set_fold(it->n, &q->fold, z->d);
            if (s == NASHC_OK && it->res)
                s = nashc_node_set_attr(it->n, "res_type", it->res, z->d);
            if (s != NASHC_OK)
                return s;
            nashc_layer_cost(it->n, z->backend, z->dev, &q->cost);
            q->score = hw_score(&q->cost);
            if (fold_may_add(z, it) && (s = fold_bound_adders(z, it, q)) != NASHC_OK)
                return s;
        }
    }
    return NASHC_OK;
}

/* --- choice ------------------------------------------------------------------------------------
 */

/* The solver's nodes: points within the target, and which points of the item they are. */
typedef struct choice {
    fold_problem *z;
    nashc_arena *a;
    int *count, **point;
    uint64_t **cost;
    solver_edge *edges;
    int n_edges;
} choice;

static bool
make_nodes(choice *c, uint64_t target)
{
    const fold_problem *z = c->z;

    c->count = NASHC_NEW_N(c->a, int, z->n + 1);
    c->point = NASHC_NEW_N(c->a, int *, z->n + 1);
    c->cost = NASHC_NEW_N(c->a, uint64_t *, z->n + 1);
    if (!c->count || !c->point || !c->cost)
        return false;
    for (int i = 0; i < z->n; i++) {
        const fold_item *it = &z->items[i];
        c->point[i] = NASHC_NEW_N(c->a, int, it->n_points);
        c->cost[i] = NASHC_NEW_N(c->a, uint64_t, it->n_points);
        if (!c->point[i] || !c->cost[i])
            return false;
        for (int p = 0; p < it->n_points; p++) {
            if (!usable(it, &it->points[p], target))
                continue;
            c->point[i][c->count[i]] = p;
            c->cost[i][c->count[i]++] = it->points[p].score;
        }
    }
    return true;
}

/* The converter on operand k of item i, which item u writes as its result r. */
static bool
make_edge(choice *c, int u, int r, int i, int k)
{
    const fold_item *from = &c->z->items[u], *to = &c->z->items[i];
    uint64_t *t = NASHC_NEW_N(c->a, uint64_t, c->count[u] * c->count[i]), *next = t;
    uint32_t bits = nashc_value_type(nashc_node_in(to->n, k))->bits;

    if (!t)
        return false;
    for (int p = 0; p < c->count[u]; p++)
        for (int q = 0; q < c->count[i]; q++)
            *next++ = hw_dwc_score(from->points[c->point[u][p]].out[r],
                                   to->points[c->point[i][q]].in[k], bits);
    c->edges[c->n_edges++] = (solver_edge){u, i, t};
    return true;
}

/* An edge for each stream between two layers. */
static bool
make_edges(choice *c)
{
    const fold_problem *z = c->z;
    int streams = 0;

    for (int i = 0; i < z->n; i++)
        streams += nashc_node_n_in(z->items[i].n);
    c->edges = NASHC_NEW_N(c->a, solver_edge, streams + 1);
    if (!c->edges)
        return false;
    for (int i = 0; i < z->n; i++)
        for (int k = 0; k < nashc_node_n_in(z->items[i].n); k++) {
            const nashc_value *v = nashc_node_in(z->items[i].n, k);
            const nashc_node *from = v ? nashc_value_def(v) : NULL;
            int u = from ? z->item_of[nashc_node_id(from)] : -1;
            if (u >= 0 && !make_edge(c, u, nashc_value_def_index(v), i, k))
                return false;
        }
    return true;
}

static bool
solve(choice *c, uint64_t target, fold_result *out)
{
    fold_problem *z = c->z;
    solver_result r;

    if (!make_nodes(c, target) || !make_edges(c))
        return false;
    const solver_problem p = {.n = z->n,
                              .n_edges = c->n_edges,
                              .count = c->count,
                              .cost = (const uint64_t *const *)c->cost,
                              .edges = c->edges};
    if (!solver_solve(&p, &r, c->a))
        return false;
    for (int i = 0; i < z->n; i++)
        z->items[i].chosen = c->point[i][r.choice[i]];
    *out = (fold_result){.score = r.cost, .bound = r.bound};
    return true;
}

/* Resources of the layers as chosen, and of the converters between them. */
static void
add_up(fold_problem *z, nashc_cost *sum)
{
    for (int i = 0; i < z->n; i++) {
        const nashc_node *n = z->items[i].n;
        const fold_point *q = &z->items[i].points[z->items[i].chosen];
        z->items[i].moved = NULL;
        z->items[i].cost = q->cost;
        nashc_cost_add(sum, &q->cost);
        for (int k = 0; k < nashc_node_n_in(n); k++) {
            const nashc_value *v = nashc_node_in(n, k);
            const nashc_node *from = v ? nashc_value_def(v) : NULL;
            const fold_item *u = from ? &z->items[z->item_of[nashc_node_id(from)]] : NULL;
            if (!u)
                continue;
            const nashc_cost dwc = hw_dwc_cost(u->points[u->chosen].out[nashc_value_def_index(v)],
                                               q->in[k], nashc_value_type(v)->bits);
            nashc_cost_add(sum, &dwc);
        }
    }
}

nashc_status
fold_solve(fold_problem *z, uint64_t target, fold_result *out)
{
    nashc_status s = weigh(z, target);

    for (bool more = true; s == NASHC_OK && more;) {
        choice c = {.z = z, .a = nashc_arena_create()};
        bool solved = c.a && solve(&c, target, out);
        nashc_arena_free(c.a);
        if (!solved)
            return nashc_enomem(z->d);
        s = fold_settle_adders(z, &more);
    }
    if (s == NASHC_OK)
        add_up(z, &out->cost);
    return s;
}

nashc_status
fold_apply(fold_problem *z)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        const fold_item *it = &z->items[i];
        const fold_point *q = &it->points[it->chosen];
        s = hw_set_fold(it->n, &q->fold, z->d);
        if (s == NASHC_OK && it->res)
            s = nashc_node_set_attr(it->n, "res_type",
                                    it->moved ? it->moved
                                    : q->adds ? "adders"
                                              : it->res,
                                    z->d);
    }
    return s;
}
