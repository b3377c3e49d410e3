/* fold.c: the choice among folding points, ours and FINN's. */
#include "fold.h"

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

/* Item of the layer that writes stream i of n, through layers without folding; -1: none. */
static int
upstream(const fold_problem *z, const nashc_node *n, int i)
{
    const nashc_value *v = nashc_node_in(n, i);
    const nashc_node *p = v ? nashc_value_def(v) : NULL;

    return p ? z->item_of[nashc_node_id(p)] : -1;
}

static uint32_t
bits_in(const nashc_node *n)
{
    return nashc_value_type(nashc_node_in(n, 0))->bits;
}

/* Every layer reads at most the one before it? */
static bool
is_chain(const fold_problem *z)
{
    for (int i = 0; i < z->n; i++) {
        if (nashc_node_n_out(z->items[i].n) != 1)
            return false;
        for (int k = 0; k < nashc_node_n_in(z->items[i].n); k++) {
            int u = upstream(z, z->items[i].n, k);
            if (u >= 0 && u != i - 1)
                return false;
        }
    }
    return true;
}

static void
solve_chain(fold_problem *z, uint64_t target)
{
    int best = 0;

    for (int i = 0; i < z->n; i++) {
        fold_item *it = &z->items[i], *up = i > 0 ? &z->items[i - 1] : NULL;
        uint32_t bits = bits_in(it->n);
        for (int p = 0; p < it->n_points; p++) {
            it->best[p] = UINT64_MAX;
            if (it->points[p].cycles > target)
                continue;
            if (!up) {
                it->best[p] = it->points[p].score;
                continue;
            }
            for (int q = 0; q < up->n_points; q++) {
                if (up->best[q] == UINT64_MAX)
                    continue;
                uint64_t c = up->best[q] + it->points[p].score +
                             hw_dwc_score(up->points[q].out, it->points[p].in, bits);
                if (c < it->best[p]) {
                    it->best[p] = c;
                    it->prev[p] = q;
                }
            }
        }
    }
    for (int p = 0; z->n > 0 && p < z->items[z->n - 1].n_points; p++)
        if (z->items[z->n - 1].best[p] < z->items[z->n - 1].best[best])
            best = p;
    for (int i = z->n - 1; i >= 0; i--) {
        z->items[i].chosen = best;
        best = z->items[i].prev[best];
    }
}

/* Cost of point p of item i with the converters towards its neighbours as chosen. */
static uint64_t
local_cost(const fold_problem *z, int i, int p)
{
    const fold_item *it = &z->items[i];
    uint64_t c = it->points[p].score;

    for (int k = 0; k < nashc_node_n_in(it->n); k++) {
        int u = upstream(z, it->n, k);
        if (u >= 0)
            c += hw_dwc_score(z->items[u].points[z->items[u].chosen].out, it->points[p].in,
                              bits_in(it->n));
    }
    for (int k = 0; k < nashc_node_n_out(it->n); k++) {
        const nashc_node *to = nashc_value_one_user(nashc_node_out(it->n, k));
        int t = to ? z->item_of[nashc_node_id(to)] : -1;
        if (t >= 0)
            c += hw_dwc_score(it->points[p].out, z->items[t].points[z->items[t].chosen].in,
                              bits_in(to));
    }
    return c;
}

static void
solve_graph(fold_problem *z, uint64_t target)
{
    bool changed = true;

    for (int i = 0; i < z->n; i++) {
        fold_item *it = &z->items[i];
        it->chosen = -1;
        for (int p = 0; p < it->n_points; p++)
            if (it->points[p].cycles <= target &&
                (it->chosen < 0 || it->points[p].score < it->points[it->chosen].score))
                it->chosen = p;
    }
    for (int round = 0; round < 50 && changed; round++) {
        changed = false;
        for (int i = 0; i < z->n; i++) {
            fold_item *it = &z->items[i];
            uint64_t least = local_cost(z, i, it->chosen);
            for (int p = 0; p < it->n_points; p++) {
                uint64_t c;
                if (it->points[p].cycles > target || (c = local_cost(z, i, p)) >= least)
                    continue;
                least = c;
                it->chosen = p;
                changed = true;
            }
        }
    }
}

void
fold_solve(fold_problem *z, uint64_t target)
{
    if (is_chain(z))
        solve_chain(z, target);
    else
        solve_graph(z, target);
}

/* --- FINN's algorithm --------------------------------------------------------------------------
 */

/* Raises attr of it through the divisors of size until the target is met. */
static nashc_status
compat_opt(fold_problem *z, fold_item *it, const char *attr, int64_t size, uint64_t target,
           int64_t wwidth)
{
    int64_t last = 1;
    nashc_status s = nashc_node_set_attr_int(it->n, attr, 1, z->d);

    for (int64_t v = 1; v <= size && s == NASHC_OK; v++) {
        if (size % v != 0)
            continue;
        s = nashc_node_set_attr_int(it->n, attr, v, z->d);
        if (s != NASHC_OK || it->model->cycles(it->n) < target)
            break;
        if (wwidth > 0 && fold_weight_width(it->n) > wwidth) {
            s = nashc_node_set_attr_int(it->n, attr, last, z->d);
            break;
        }
        last = v;
    }
    return s;
}

/* A matrix-vector unit: first simd, then pe. */
static nashc_status
compat_mvau(fold_problem *z, fold_item *it, uint64_t target)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(it->n, 1));
    const nashc_fold least = {.n = 2, .name = {"pe", "simd"}, .value = {1, 1}};
    nashc_status s = hw_set_fold(it->n, &least, z->d);

    if (s == NASHC_OK)
        s = compat_opt(z, it, "simd", w->dim[0], target, z->wwidth_max > 0 ? z->wwidth_max : 36);
    if (s == NASHC_OK)
        s = compat_opt(z, it, "pe", w->dim[1] / nashc_node_int(it->n, "groups"), target, 0);
    return s;
}

static nashc_status
compat_once(fold_problem *z, uint64_t target, uint64_t *slowest)
{
    nashc_status s = NASHC_OK;

    *slowest = 0;
    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        fold_item *it = &z->items[i];
        if (nashc_node_is(it->n, "hw.mvau")) {
            s = compat_mvau(z, it, target);
        } else {
            for (int p = 0; p < it->n_points && s == NASHC_OK; p++) {
                s = hw_set_fold(it->n, &it->points[p].fold, z->d);
                if (it->model->cycles(it->n) < target)
                    break;
            }
        }
        uint64_t c = it->model->cycles(it->n);
        *slowest = c > *slowest ? c : *slowest;
    }
    return s;
}

nashc_status
fold_like_finn(fold_problem *z, uint64_t target, bool two_pass)
{
    uint64_t slowest;
    nashc_status s = compat_once(z, target, &slowest);

    if (s == NASHC_OK && two_pass && slowest > target)
        s = compat_once(z, slowest, &slowest);
    return s;
}

/* --------------------------------------------------------------------------------------------- */
