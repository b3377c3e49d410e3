/* fold_adders.c: points of hw.mvau whose unit would be a graph of additions.
 *
 *     point --- products: cost ------------------------ the less of both, as choose-adder-graphs
 *           \-- additions: a bound, then, if chosen, cost      takes it (all additions with `on`)
 *
 * Building a graph takes up to two tenths of a second, so a point is weighed with what its unit
 * costs at least, which is all but the graph. The choice that comes out is asked for its costs and
 * made again, until it holds no bound any more. No other choice costs less then: its points have
 * their costs, or bounds that are below them.
 */
#include "fold.h"
#include <string.h>

/* Are the weights of n constants that a graph could add up? */
static bool
adds_constants(const nashc_node *n)
{
    return nashc_node_is(n, "hw.mvau") && strcmp(nashc_node_str(n, "mem_mode"), "external") != 0 &&
           !nashc_node_bool(n, "runtime_writeable_weights");
}

bool
fold_may_add(const fold_problem *z, const fold_item *it)
{
    return z->add && (it->open || z->add_always) && adds_constants(it->n);
}

nashc_status
fold_bound_adders(fold_problem *z, fold_item *it, fold_point *q)
{
    nashc_cost least;
    nashc_status s = nashc_node_set_attr(it->n, "res_type", "adders", z->d);

    if (s != NASHC_OK)
        return s;
    /* a graph takes a step for words of zeros too, which products may leave out */
    if (nashc_layer_least_cost(it->n, z->backend, z->dev, &least) &&
        nashc_layer_cycles(it->n, z->backend) <= q->cycles &&
        (z->add_always || hw_score(&least) < q->score)) {
        q->score = hw_score(&least);
        q->bound = true;
    }
    return nashc_node_set_attr(it->n, "res_type", it->res, z->d);
}

/* The cost of point q of it, where a bound stands. */
static nashc_status
settle(fold_problem *z, const fold_item *it, fold_point *q)
{
    nashc_cost sums;
    nashc_status s = hw_set_fold(it->n, &q->fold, z->d);

    if (s == NASHC_OK)
        s = nashc_node_set_attr(it->n, "res_type", "adders", z->d);
    if (s != NASHC_OK)
        return s;
    q->bound = false;
    q->products = hw_score(&q->cost);
    if (nashc_layer_cost(it->n, z->backend, z->dev, &sums) &&
        (z->add_always || hw_score(&sums) < q->products)) {
        q->adds = true;
        q->cost = sums;
    }
    q->score = hw_score(&q->cost);
    return nashc_node_set_attr(it->n, "res_type", it->res, z->d);
}

nashc_status
fold_settle_adders(fold_problem *z, bool *more)
{
    nashc_status s = NASHC_OK;

    *more = false;
    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        fold_point *q = &z->items[i].points[z->items[i].chosen];
        if (!q->bound)
            continue;
        s = settle(z, &z->items[i], q);
        *more = true;
    }
    return s;
}

void
fold_let_add(fold_problem *z, bool add)
{
    z->add = add;
    for (int i = 0; i < z->n; i++)
        for (int p = 0; p < z->items[i].n_points; p++) {
            fold_point *q = &z->items[i].points[p];
            q->score = FOLD_NO_SCORE;
            q->bound = q->adds = false;
        }
}

void
fold_tell_adders(const fold_problem *z)
{
    for (int i = 0; i < z->n; i++) {
        const fold_item *it = &z->items[i];
        const fold_point *q = &it->points[it->chosen];
        if (q->adds && !it->moved)
            hw_tell_adders(z->d, z->names[nashc_node_id(it->n)], q->score, q->products);
    }
}
