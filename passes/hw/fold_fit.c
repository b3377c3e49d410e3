/* fold_fit.c: the most frames a second that a device has room for.
 *
 *     cycles a frame that some layer can have:  t0 < t1 < t2 < ...   the cheapest choice for each
 *                                               too large | fits       by bisection
 */
#include "fold.h"
#include <stdlib.h>

static int
ascending(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

    return (a > b) - (a < b);
}

/* Cycles of all points from least on, ascending and each once. */
static uint64_t *
rates(const fold_problem *z, uint64_t least, int *n)
{
    int most = 0;

    for (int i = 0; i < z->n; i++)
        most += z->items[i].n_points;
    uint64_t *rate = NASHC_NEW_N(nashc_run_arena(z->r), uint64_t, most + 1);
    most = 0;
    for (int i = 0; rate && i < z->n; i++)
        for (int p = 0; p < z->items[i].n_points; p++)
            if (z->items[i].points[p].cycles >= least)
                rate[most++] = z->items[i].points[p].cycles;
    if (rate && most > 0)
        qsort(rate, (size_t)most, sizeof *rate, ascending);
    *n = 0;
    for (int i = 0; rate && i < most; i++)
        if (*n == 0 || rate[i] != rate[*n - 1])
            rate[(*n)++] = rate[i];
    return rate;
}

/* The resource of which c, and the reserve beside it, take most beyond what may be filled; NULL: it
 * fits. */
static const char *
overflow(const fold_problem *z, const nashc_cost *c, double fill, uint64_t *need, uint64_t *have)
{
    nashc_demand use[NASHC_DEMANDS];
    const char *worst = NULL;
    nashc_cost all = *c;
    double most = 0;

    nashc_cost_add(&all, &z->reserve);
    nashc_device_demand(z->dev, &all, use);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        double room = (double)use[i].have * fill, over = (double)use[i].need / (room + 1e-9);
        if ((double)use[i].need <= room || over <= most)
            continue;
        most = over;
        worst = use[i].name;
        *need = use[i].need;
        *have = (uint64_t)room;
    }
    return worst;
}

/* As overflow, of the choice r. What fills a resource has its memories placed where there is room,
 * as place-memories does it afterwards. */
static nashc_status
too_much(fold_problem *z, fold_result *r, double fill, const char **over, uint64_t *need,
         uint64_t *have)
{
    const nashc_cost **known =
        NASHC_NEW_N(nashc_run_arena(z->r), const nashc_cost *, nashc_graph_max_id(z->f) + 1);
    nashc_status s = known ? fold_balance(z, fill, r) : nashc_enomem(z->d);
    nashc_cost placed = r->cost;

    if (s != NASHC_OK)
        return s;
    if (!(*over = overflow(z, &r->cost, fill, need, have)))
        return NASHC_OK;
    nashc_cost_add(&placed, &z->reserve);
    for (int i = 0; i < z->n; i++) { /* leaves the converters */
        const fold_item *it = &z->items[i];
        hw_cost_subtract(&placed, &it->cost);
        if (it->points[it->chosen].adds && !it->moved)
            known[nashc_node_id(it->n)] = &it->cost;
    }
    if ((s = fold_apply(z)) == NASHC_OK)
        s = hw_placed_cost(z->r, z->f, z->backend, z->dev, fill, known, &placed);
    hw_cost_subtract(&placed, &z->reserve);
    if (s == NASHC_OK)
        *over = overflow(z, &placed, fill, need, have);
    return s;
}

static void
report(fold_problem *z, uint64_t target, const char *limit, uint64_t need, uint64_t have)
{
    uint64_t least;
    const fold_item *slowest = fold_slowest(z, &least);

    if (limit)
        nashc_remark(z->d, NULL,
                     "fit: %" PRIu64 " cycles a frame; the next faster folding needs about %" PRIu64
                     " %s, %" PRIu64 " of %s may be filled",
                     target, need, limit, have, z->dev->name);
    else
        nashc_remark(z->d, NULL,
                     "fit: %" PRIu64 " cycles a frame; layer %s cannot be folded any wider", target,
                     slowest ? z->names[nashc_node_id(slowest->n)] : "?");
}

/* What did not fit when it was tried last. */
typedef struct limit {
    const char *name; /* NULL: nothing */
    uint64_t need, have;
} limit;

/* The least of the cycles that points have, or the slowest of all, whose choice fits. */
static nashc_status
bisect(fold_problem *z, double fill, uint64_t *target, limit *l)
{
    uint64_t least, *rate;
    int low = 0, high, n;
    nashc_status s = NASHC_OK;

    fold_slowest(z, &least);
    if (!(rate = rates(z, least, &n)))
        return nashc_enomem(z->d);
    *l = (limit){0};
    /* rate[low - 1] is too fast, rate[high] fits or is the slowest of all */
    for (high = n - 1; low < high && s == NASHC_OK;) {
        int middle = low + (high - low) / 2;
        fold_result r = {0};
        const char *over = NULL;
        if ((s = fold_solve(z, rate[middle], &r)) == NASHC_OK)
            s = too_much(z, &r, fill, &over, &l->need, &l->have);
        low = over ? middle + 1 : low;
        high = over ? high : middle;
        l->name = over ? over : l->name;
    }
    *target = n > 0 ? rate[high] : least;
    return s;
}

/* Where a layer limits the rate, longer rows may let it have more positions a beat. */
static nashc_status
search(fold_problem *z, double fill, uint64_t *target, limit *l)
{
    nashc_status s = bisect(z, fill, target, l);
    bool longer = s == NASHC_OK;

    while (s == NASHC_OK && !l->name && longer) {
        s = fold_lengthen_blocking(z, &longer);
        if (s == NASHC_OK && longer)
            s = bisect(z, fill, target, l);
    }
    return s;
}

/* What costs least need not take least of what is scarce: a graph of additions takes LUTs for what
 * products have in block RAMs and DSPs. So both are tried, and graphs taken unless they are slower.
 */
static nashc_status
search_both(fold_problem *z, double fill, uint64_t *target, limit *l)
{
    const bool both = z->add && !z->add_always;
    uint64_t products = 0;
    limit lp = {0};
    nashc_status s = NASHC_OK;

    if (both) {
        fold_let_add(z, false);
        s = search(z, fill, &products, &lp);
        fold_let_add(z, true);
    }
    if (s == NASHC_OK)
        s = search(z, fill, target, l);
    if (s == NASHC_OK && both && *target > products) {
        fold_let_add(z, false);
        *target = products;
        *l = lp;
    }
    return s;
}

nashc_status
fold_fit(fold_problem *z, double percent, uint64_t *target, fold_result *out)
{
    const double fill = nashc_device_room(z->dev, percent);
    limit l;
    nashc_status s = search_both(z, fill, target, &l);
    uint64_t need, have;

    *out = (fold_result){0};
    const char *over = NULL;
    if (s != NASHC_OK || (s = fold_solve(z, *target, out)) != NASHC_OK ||
        (s = too_much(z, out, fill, &over, &need, &have)) != NASHC_OK)
        return s;
    if (over)
        nashc_warning(z->d, NULL, "device-full",
                      "fit: the smallest folding needs about %" PRIu64 " %s, %" PRIu64
                      " of %s may be filled",
                      need, over, have, z->dev->name);
    else
        report(z, *target, l.name, l.need, l.have);
    return NASHC_OK;
}
