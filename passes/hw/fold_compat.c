/* fold_compat.c: FINN's SetFolding, for comparison (docs/folding.md). */
#include "fold.h"

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

/* Does FINN know point p? It gives windows in parallel at full simd only. */
static bool
compat_point(const fold_item *it, int p)
{
    const nashc_fold *f = &it->points[p].fold;

    return !nashc_node_is(it->n, "hw.window") || f->value[1] == 0 || p == it->n_single - 1;
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
            for (int p = 0; p < it->n_single && s == NASHC_OK; p++) {
                if (!compat_point(it, p))
                    continue;
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
