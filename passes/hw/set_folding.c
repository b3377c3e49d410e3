/* set_folding.c: choose pe and simd of every layer.
 *
 *     exact     the cheapest point of each layer that is fast enough, converters between neighbours
 *               of other stream widths included, for a target (fold.c) or for a device (fold_fit.c)
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
        for (int p = 0; p < it->n_single; p++) {
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

/* How many layers have no folding within target. */
static int
count_slow(const fold_problem *z, uint64_t target)
{
    int n = 0;

    for (int i = 0; i < z->n; i++) {
        bool within = false;
        for (int p = 0; p < z->items[i].n_points && !within; p++)
            within = z->items[i].points[p].cycles <= target;
        n += !within;
    }
    return n;
}

static nashc_status
out_of_reach(fold_problem *z, const fold_item *slowest, uint64_t least, uint64_t target, double clk)
{
    int others = count_slow(z, target) - 1;
    nashc_status s = nashc_node_error(z->d, slowest->n,
                                      "layer %s takes %" PRIu64
                                      " cycles a frame at its widest folding, the target allows "
                                      "%" PRIu64,
                                      z->names[nashc_node_id(slowest->n)], least, target);

    if (others > 0)
        nashc_note(z->d, "%d other layer%s too slow as well", others,
                   others == 1 ? " is" : "s are");
    nashc_help(z->d,
               "the best rate is %.6g frames a second at clock-ns=%g: lower --target-fps or "
               "--clock-ns%s",
               1e9 / clk / (double)least, clk, z->wwidth_max ? ", or raise mvau-wwidth-max" : "");
    return s;
}

/* A target that is missed by at most `short` per cent becomes the least that can be had. */
static nashc_status
check_reachable(fold_problem *z, const nashc_opts *o, uint64_t *target)
{
    uint64_t least;
    const fold_item *slowest = fold_slowest(z, &least);
    double over = 100 * ((double)least / (double)*target - 1);

    if (least <= *target || !slowest)
        return NASHC_OK;
    if (over > nashc_opts_float(o, "short"))
        return out_of_reach(z, slowest, least, *target, nashc_opts_float(o, "clock-ns"));
    nashc_warning(z->d, nashc_node_loc(slowest->n), "target-missed",
                  "layer %s takes %" PRIu64 " cycles a frame at its widest folding, %.2g %% more "
                  "than the %" PRIu64 " that the target allows: folded for those",
                  z->names[nashc_node_id(slowest->n)], least, over, *target);
    *target = least;
    return NASHC_OK;
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

/* The cheapest folding for a target, or what a device has room for. */
static nashc_status
fold_exactly(fold_problem *z, const nashc_opts *o)
{
    fold_result r = {0};
    uint64_t target = 0;
    nashc_status s;

    if (nashc_opts_bool(o, "fit")) {
        s = fold_fit(z, nashc_opts_float(o, "fill"), &target, &r);
    } else if ((s = get_target(z, o, &target)) == NASHC_OK &&
               (s = fold_lengthen_rows(z, target)) == NASHC_OK &&
               (s = check_reachable(z, o, &target)) == NASHC_OK) {
        s = fold_solve(z, target, &r);
        if (s == NASHC_OK)
            s = fold_balance(z, 1, &r);
    }
    if (s != NASHC_OK)
        return s;
    const uint64_t gap = r.score - r.bound;
    if (gap > 0)
        nashc_warning(z->d, NULL, "folding-gap",
                      "the folding costs %" PRIu64
                      " LUT equivalents, the cheapest at least %" PRIu64 ": up to %.3g %% too much",
                      r.score, r.bound, 100.0 * (double)gap / (double)r.score);
    else if (nashc_diag_verbosity(z->d) >= 2)
        nashc_remark(z->d, NULL,
                     "folded for %" PRIu64 " cycles a frame for %" PRIu64
                     " LUT equivalents, gap 0: nothing cheaper reaches that",
                     target, r.score);
    fold_tell_adders(z);
    return fold_apply(z);
}

static nashc_status
fold_compatibly(fold_problem *z, const nashc_opts *o)
{
    const int64_t limit = z->wwidth_max;
    uint64_t target = 0;
    nashc_status s;

    z->wwidth_max = 0; /* the list of points is whole; the algorithm itself keeps to the limit */
    s = fold_collect(z);
    z->wwidth_max = limit;
    if (s != NASHC_OK || (s = get_target(z, o, &target)) != NASHC_OK)
        return s;
    return fold_like_finn(z, target, nashc_opts_bool(o, "two-pass"));
}

static nashc_status
check_fit(fold_problem *z, const nashc_opts *o)
{
    double fill = nashc_opts_float(o, "fill");

    if (!nashc_opts_bool(o, "fit"))
        return NASHC_OK;
    if (!z->dev)
        return nashc_usage(z->d, "fit needs a device");
    if (nashc_opts_float(o, "target-fps") != 0)
        return nashc_usage(z->d, "fit and target-fps exclude each other");
    if (!(fill >= 0 && fill <= 100))
        return nashc_usage(z->d, "fill must lie in 0..100");
    return NASHC_OK;
}

/* What set-folding and place-memories chose before, for another folding, is open again. */
static nashc_status
forget_choices(fold_problem *z)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(z->f, n)
    {
        if (s == NASHC_OK && nashc_attr_index(n, "ram_style") >= 0)
            s = nashc_node_set_attr(n, "ram_style", "auto", z->d);
        if (s == NASHC_OK && fold_multiplies(n))
            s = nashc_node_set_attr(n, "res_type", "auto", z->d);
    }
    return s;
}

/* Room of the device that is left for what comes behind the folding. */
static nashc_status
get_reserve(fold_problem *z, const nashc_opts *o)
{
    int n = 0;
    const int64_t *list = nashc_opts_ints(o, "reserve", &n);
    uint64_t *to[] = {&z->reserve.lut, &z->reserve.ff, &z->reserve.bram18, &z->reserve.uram,
                      &z->reserve.dsp};

    if (n > (int)NASHC_COUNT(to))
        return nashc_usage(z->d,
                           "reserve has %d numbers, expected at most %zu: LUT, FF, BRAM_18K, "
                           "URAM, DSP",
                           n, NASHC_COUNT(to));
    for (int i = 0; i < n; i++)
        *to[i] = (uint64_t)list[i];
    return NASHC_OK;
}

/* What multiplies, where somebody says; a device without DSPs says it too. */
static nashc_status
set_multipliers(fold_problem *z, const char *mul)
{
    nashc_status s = hw_forget_adders(z->f, z->d);

    z->no_dsp = strcmp(mul, "auto") == 0 && z->dev && z->dev->dsp == 0;
    if (z->no_dsp)
        mul = "lut";
    if (strcmp(mul, "auto") == 0)
        return s;
    NASHC_EACH_NODE(z->f, n)
    {
        if (s == NASHC_OK && fold_multiplies(n))
            s = nashc_node_set_attr(n, "res_type", mul, z->d);
    }
    return s;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    fold_problem z = {.r = r,
                      .d = nashc_run_diag(r),
                      .f = nashc_flow_graph(nashc_graph_module(g), nashc_run_diag(r))};
    const char *device = nashc_opts_str(o, "device");
    nashc_status s;

    if (!z.f)
        return NASHC_EINPUT;
    if (!(z.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    if (device[0] && !(z.dev = nashc_lookup(nashc_run_ctx(r), NASHC_D_DEVICE, device, z.d)))
        return NASHC_EINPUT;
    if ((s = check_fit(&z, o)) != NASHC_OK || (s = get_reserve(&z, o)) != NASHC_OK)
        return s;
    if (nashc_opts_bool(o, "anew") && (s = forget_choices(&z)) != NASHC_OK)
        return s;
    if ((s = set_multipliers(&z, nashc_opts_str(o, "mul"))) != NASHC_OK)
        return s;
    z.wwidth_max = nashc_opts_int(o, "mvau-wwidth-max");
    z.parallel = nashc_opts_int(o, "parallel");
    z.positions = nashc_opts_int(o, "positions");
    z.add_always = strcmp(nashc_opts_str(o, "adder-graphs"), "on") == 0;
    z.add = z.add_always || strcmp(nashc_opts_str(o, "adder-graphs"), "auto") == 0;
    if (strcmp(nashc_opts_str(o, "folding"), "compat") == 0)
        return fold_compatibly(&z, o);
    s = fold_collect(&z);
    return s == NASHC_OK ? fold_exactly(&z, o) : s;
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
    {.name = "positions",
     .def = "32",
     .domain = "1..32",
     .help = "exact: most positions a beat, where one is too slow for the target",
     .kind = NASHC_P_INT},
    {.name = "short",
     .def = "5",
     .help = "exact: per cent more cycles than the target that are a warning, not an error",
     .kind = NASHC_P_FLOAT},
    {.name = "fit",
     .def = "false",
     .help = "exact: most frames a second that the device has room for, in place of a target",
     .kind = NASHC_P_BOOL},
    {.name = "fill",
     .def = "0",
     .help =
         "fit: per cent of each resource that may be filled; 0: what the device allows planners",
     .kind = NASHC_P_FLOAT},
    {.name = "reserve",
     .def = "[]",
     .domain = "0..",
     .help = "fit: LUT, FF, BRAM_18K, URAM, DSP to be left for FIFOs",
     .kind = NASHC_P_INTS},
    {.name = "anew",
     .def = "false",
     .help = "forget where memories and multipliers were placed before",
     .kind = NASHC_P_BOOL},
    {.name = "mul",
     .def = "auto",
     .domain = "auto|lut|dsp",
     .help = "what multiplies: LUTs, DSP blocks, or as the device has room",
     .kind = NASHC_P_ENUM},
    {.name = "adder-graphs",
     .def = "off",
     .domain = "auto|off|on",
     .help = "exact: constant weights as additions: where cheaper, nowhere, wherever they can be",
     .kind = NASHC_P_ENUM},
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
