/* set_folding.c: choose pe and simd of every layer.
 *
 *     exact     the cheapest point of each layer that is fast enough, converters between neighbours
 *               of other stream widths included: by dynamic programming on a chain, by local search
 *               from the cheapest points elsewhere
 *     compat    FINN's SetFolding, for comparison
 *
 * Every layer has a finite list of folding points (nashc_hw.fold), with the cycles and the cost
 * that the models of the backend give it. Without target-fps the target is the least cycles at
 * which no unit has more than `parallel` multipliers. docs/folding.md.
 */
#include "fold.h"
#include <string.h>

static int64_t
multipliers(const nashc_node *n)
{
    if (!fold_multiplies(n))
        return 0;
    int64_t simd = nashc_node_int(n, "simd"); /* 0: a layer without it */
    return nashc_node_int(n, "pe") * (simd ? simd : 1);
}

/* All foldings of it that are allowed, with their cycles. */
static nashc_status
collect_points(fold_problem *z, fold_item *it)
{
    const nashc_hw *hw = nashc_node_op(it->n)->hw;
    nashc_arena *a = nashc_run_arena(z->r);
    nashc_status s = NASHC_OK;
    nashc_fold f;
    int k = 0;

    while (hw->fold(it->n, k, &f))
        k++;
    it->points = NASHC_NEW_N(a, fold_point, k + 1);
    it->best = NASHC_NEW_N(a, uint64_t, k + 1);
    it->prev = NASHC_NEW_N(a, int, k + 1);
    if (!it->points || !it->best || !it->prev)
        return nashc_enomem(z->d);
    for (int p = 0; p < k && s == NASHC_OK; p++) {
        fold_point *q = &it->points[it->n_points];
        hw->fold(it->n, p, &q->fold);
        if ((s = hw_set_fold(it->n, &q->fold, z->d)) != NASHC_OK)
            break;
        q->cycles = it->model->cycles(it->n);
        if (z->wwidth_max > 0 && fold_weight_width(it->n) > z->wwidth_max && it->n_points > 0)
            continue;
        if (hw_lanes(it->n, &q->in, &q->out))
            it->n_points++;
    }
    return s;
}

/* The layers that fold, each with its model. */
static nashc_status
collect(fold_problem *z)
{
    nashc_arena *a = nashc_run_arena(z->r);
    nashc_status s = NASHC_OK;

    z->items = NASHC_NEW_N(a, fold_item, nashc_graph_n_nodes(z->f) + 1);
    z->item_of = NASHC_NEW_N(a, int, nashc_graph_max_id(z->f) + 1);
    if (!z->items || !z->item_of)
        return nashc_enomem(z->d);
    for (uint32_t i = 0; i < nashc_graph_max_id(z->f) + 1; i++)
        z->item_of[i] = -1;
    NASHC_EACH_NODE(z->f, n)
    {
        fold_item it = {.n = n, .model = nashc_layer_model_of(n, z->backend, z->d)};
        if (!it.model)
            return NASHC_EUNSUP;
        if (!nashc_node_op(n)->hw->fold)
            continue;
        z->item_of[nashc_node_id(n)] = z->n;
        z->items[z->n++] = it;
    }
    for (int i = 0; i < z->n && s == NASHC_OK; i++)
        s = collect_points(z, &z->items[i]);
    return s;
}

/* Fewest cycles that every layer can reach with at most `parallel` multipliers a layer. */
static uint64_t
default_target(fold_problem *z)
{
    uint64_t target = 1;
    bool units = false;

    for (int i = 0; i < z->n; i++) {
        fold_item *it = &z->items[i];
        uint64_t best = UINT64_MAX;
        units = units || fold_multiplies(it->n);
        for (int p = 0; p < it->n_points; p++) {
            if (it->points[p].cycles >= best)
                continue;
            hw_set_fold(it->n, &it->points[p].fold, NULL);
            if (p == 0 || multipliers(it->n) <= z->parallel)
                best = it->points[p].cycles;
        }
        target = best != UINT64_MAX && best > target ? best : target;
    }
    if (!units) /* one pass over the widest layer, not all of it at once */
        for (int i = 0; i < z->n; i++)
            target = z->items[i].points[0].cycles / 16 > target ? z->items[i].points[0].cycles / 16
                                                                : target;
    return target;
}

static nashc_status
check_reachable(fold_problem *z, uint64_t target)
{
    nashc_status s = NASHC_OK;
    const char *const *names = nashc_flow_names(z->f, nashc_run_arena(z->r));

    NASHC_EACH_NODE(z->f, n)
    {
        uint64_t least = UINT64_MAX;
        int i = z->item_of[nashc_node_id(n)];
        if (i < 0)
            continue;
        for (int p = 0; p < z->items[i].n_points; p++)
            least = z->items[i].points[p].cycles < least ? z->items[i].points[p].cycles : least;
        if (least <= target)
            continue;
        s = nashc_node_error(z->d, n,
                             "layer %s takes %" PRIu64 " cycles a frame at its widest folding, the "
                             "target allows %" PRIu64,
                             names ? names[nashc_node_id(n)] : "?", least, target);
        nashc_help(z->d, "lower --target-fps or --clock-ns%s",
                   z->wwidth_max ? ", or raise mvau-wwidth-max" : "");
    }
    return s;
}

/* Scores of the points that reach the target: no other can be chosen. */
static nashc_status
weigh(fold_problem *z, uint64_t target)
{
    for (int i = 0; i < z->n; i++) {
        fold_item *it = &z->items[i];
        for (int p = 0; p < it->n_points; p++) {
            if (it->points[p].cycles > target)
                continue;
            nashc_status s = hw_set_fold(it->n, &it->points[p].fold, z->d);
            if (s != NASHC_OK)
                return s;
            it->points[p].score = hw_node_score(it->n, z->backend, z->dev);
        }
    }
    return NASHC_OK;
}

static nashc_status
apply_choice(fold_problem *z)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < z->n && s == NASHC_OK; i++)
        s = hw_set_fold(z->items[i].n, &z->items[i].points[z->items[i].chosen].fold, z->d);
    return s;
}

static nashc_status
get_target(fold_problem *z, const nashc_opts *o, uint64_t *target)
{
    double fps = nashc_opts_float(o, "target-fps"), clk = nashc_opts_float(o, "clock-ns");

    if (!(clk > 0) || !(fps >= 0))
        return nashc_usage(z->d, "clock-ns must be positive and target-fps not negative");
    if (fps == 0) {
        *target = default_target(z);
        return NASHC_OK;
    }
    double t = 1e9 / clk / fps;
    if (t < 1)
        return nashc_error(z->d, NULL,
                           "target-fps=%g at clock-ns=%g leaves less than one cycle a frame", fps,
                           clk);
    *target = t > 9e18 ? (uint64_t)9e18 : (uint64_t)t;
    return NASHC_OK;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    fold_problem z = {.r = r,
                      .d = nashc_run_diag(r),
                      .f = nashc_flow_graph(nashc_graph_module(g), nashc_run_diag(r))};
    const char *device = nashc_opts_str(o, "device");
    bool like_finn = strcmp(nashc_opts_str(o, "folding"), "compat") == 0;
    uint64_t target = 0;
    nashc_status s;

    if (!z.f)
        return NASHC_EINPUT;
    if (!(z.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    if (device[0] && !(z.dev = nashc_lookup(nashc_run_ctx(r), NASHC_D_DEVICE, device, z.d)))
        return NASHC_EINPUT;
    z.wwidth_max = nashc_opts_int(o, "mvau-wwidth-max");
    z.parallel = nashc_opts_int(o, "parallel");
    if (like_finn && z.wwidth_max > 0) {
        int64_t limit = z.wwidth_max;
        z.wwidth_max = 0; /* the list of points is whole; the algorithm itself keeps to the limit */
        if ((s = collect(&z)) != NASHC_OK)
            return s;
        z.wwidth_max = limit;
    } else if ((s = collect(&z)) != NASHC_OK) {
        return s;
    }
    if ((s = get_target(&z, o, &target)) != NASHC_OK)
        return s;
    if (like_finn)
        return fold_like_finn(&z, target, nashc_opts_bool(o, "two-pass"));
    if ((s = check_reachable(&z, target)) != NASHC_OK || (s = weigh(&z, target)) != NASHC_OK)
        return s;
    fold_solve(&z, target);
    return apply_choice(&z);
}

static const nashc_param options[] = {
    {.name = "target-fps",
     .def = "0",
     .help = "frames a second to reach; 0: as `parallel` says",
     .kind = NASHC_P_FLOAT},
    {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},
    {.name = "folding",
     .def = "exact",
     .domain = "exact|compat",
     .help = "cheapest folding for the target, or FINN's algorithm",
     .kind = NASHC_P_ENUM},
    {.name = "mvau-wwidth-max",
     .def = "0",
     .domain = "0..",
     .help = "most weight bits a PE reads a cycle; 0: no limit (compat: 36)",
     .kind = NASHC_P_INT},
    {.name = "parallel",
     .def = "64",
     .domain = "1..",
     .help = "without target-fps: multipliers that a matrix-vector unit may have",
     .kind = NASHC_P_INT},
    {.name = "two-pass",
     .def = "true",
     .help = "compat: fold again for the slowest layer if the target is missed",
     .kind = NASHC_P_BOOL},
    {.name = "device",
     .def = "",
     .help = "device that costs are counted for",
     .kind = NASHC_P_STRING},
    HW_BACKEND_OPTION,
    {0},
};

const nashc_pass nashc_pass_set_folding = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "set-folding",
    .alias = "SetFolding",
    .help = "choose the parallelism of every layer for a throughput",
    .options = options,
    .needs = "hw-only",
    .gives = "folded",
    .run = run,
};
