/* retarget.c: folds again where a design as a whole is not what its folding promised.
 *
 *     target: layers take T cycles or fewer --> simulation: I > T --> fold for T * T / I --> ...
 *     fit:    layers and FIFOs overfill the device --> fold with room left for FIFOs --> ...
 */
#include "compile.h"

#define ROUNDS 3

/* What a design is folded for. */
typedef struct aim {
    double target_fps;
    nashc_cost reserve; /* of --fit */
} aim;

static nashc_status
fold_for(nashc_module **m, const nashc_compile_options *o, const aim *z, nashc_arena *a,
         nashc_diag *d)
{
    const nashc_cost *c = &z->reserve;
    const char *text = nashc_arena_printf(
        a,
        "try(retarget(backend=\"%s\";device=\"%s\";clock-ns=%.17g;target-fps=%.17g;fit=%s;"
        "fill=%.17g;reserve=[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "];"
        "mvau-wwidth-max=%" PRId64 ";mul=%s;adder-graphs=%s))",
        o->backend ? o->backend : "", o->device ? o->device : "", o->clock_ns, z->target_fps,
        o->fit ? "true" : "false", o->fill, c->lut, c->ff, c->bram18, c->uram, c->dsp,
        o->mvau_wwidth_max, o->mul ? o->mul : "auto", o->adder_graphs ? o->adder_graphs : "auto");
    nashc_pm_options pm = {.struct_size = sizeof pm, .bisect_limit = -1};

    if (o->pm) {
        pm.verify_each = o->pm->verify_each;
        pm.check_each = o->pm->check_each;
        pm.seed = o->pm->seed;
    }
    return text ? nashc_run_pipeline(m, text, &pm, d) : nashc_enomem(d);
}

/* A design beside *m, and the number of messages before it. */
typedef struct trial {
    nashc_module *m;
    nashc_compile_result r;
    nashc_status s;
    int messages;
} trial;

/* *m folded for z. Messages are held back until settle. */
static trial
try_aim(const nashc_module *m, const nashc_compile_options *o, const aim *z,
        const nashc_compile_result *r, nashc_arena *a, nashc_diag *d)
{
    trial t = {
        .m = nashc_module_clone(m), .r = *r, .messages = d ? nashc_diag_count(d, NASHC_NOTE) : 0};

    nashc_diag_hold(d, 1);
    t.s = t.m ? fold_for(&t.m, o, z, a, d) : nashc_enomem(d);
    if (t.s == NASHC_OK)
        t.s = nashc_compile_measure(t.m, o, &t.r, a, d);
    return t;
}

/* t takes the place of *m and *r if it is better, else it is gone, and what it had to say. */
static nashc_status
settle(nashc_module **m, nashc_compile_result *r, const trial *t, bool better, nashc_diag *d)
{
    nashc_diag_hold(d, -1);
    better = better && t->s == NASHC_OK;
    if (t->s == NASHC_OK && !better)
        nashc_diag_truncate(d, t->messages);
    nashc_module_free(better ? *m : t->m);
    if (better) {
        *m = t->m;
        *r = t->r;
    }
    return t->s;
}

/* --- a target ----------------------------------------------------------------------------------
 */

static void
tell_target(uint64_t target, bool reached, double interval, nashc_diag *d)
{
    if (!d || nashc_diag_verbosity(d) < 2)
        return;
    if (reached)
        nashc_remark(d, NULL,
                     "[retarget] folded for %" PRIu64 " cycles a frame: the interval is %g", target,
                     interval);
    else
        nashc_remark(d, NULL, "[retarget] no folding takes %" PRIu64 " cycles a frame or fewer",
                     target);
}

static nashc_status
fold_faster(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *r,
            nashc_arena *a, nashc_diag *d)
{
    const double goal = 1e9 / o->clock_ns / o->target_fps * (1 + 1e-9);
    uint64_t target = (uint64_t)goal;
    double interval = r->interval;
    nashc_status s = NASHC_OK;

    if (nashc_compile_slowest(r, NULL) > target)
        return NASHC_OK;
    for (int i = 0; i < ROUNDS && s == NASHC_OK && r->interval > goal; i++) {
        uint64_t less = (uint64_t)((double)target * goal / interval);
        target = less < target ? less : target - 1;
        if (target == 0)
            break;
        /* half a cycle more, so that the rate is rounded back to target */
        const aim z = {.target_fps = 1e9 / o->clock_ns / ((double)target + 0.5)};
        const trial t = try_aim(*m, o, &z, r, a, d);
        bool reached = t.s == NASHC_OK && nashc_compile_slowest(&t.r, NULL) <= target;
        interval = t.r.interval;
        s = settle(m, r, &t, t.r.interval < r->interval, d);
        if (s == NASHC_OK)
            tell_target(target, reached, interval, d);
        if (!reached) /* no wider folding is there: narrower targets change nothing */
            break;
    }
    return s;
}

/* --- a device ----------------------------------------------------------------------------------
 */

/* The resource of which r takes most beyond the part `room` of its device, and how far: as a share
 * of what may be filled, 1 or less: it fits. */
static double
filled(const nashc_compile_result *r, double room, nashc_demand *worst)
{
    nashc_demand use[NASHC_DEMANDS];
    double most = 0;

    nashc_device_demand(r->device, r->cost, use);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        double share = (double)use[i].need / ((double)use[i].have * room + 1e-9);
        if (share <= most)
            continue;
        most = share;
        *worst = use[i];
    }
    return most;
}

static nashc_cost
cost_of_fifos(const nashc_compile_result *r)
{
    nashc_cost sum = {0};

    NASHC_EACH_NODE(r->graph, n)
    {
        if (nashc_node_is(n, "hw.fifo"))
            nashc_cost_add(&sum, &r->layer_cost[nashc_node_id(n)]);
    }
    return sum;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Room to leave after a try that left `reserve` and came out as r: what its FIFOs take, and what it
 * is still beyond. */
static nashc_cost
more_reserve(const nashc_cost *reserve, const nashc_compile_result *r, double room)
{
    const nashc_cost fifos = cost_of_fifos(r);
    nashc_demand use[NASHC_DEMANDS];
    uint64_t over[NASHC_DEMANDS];

    nashc_device_demand(r->device, r->cost, use);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        uint64_t may = (uint64_t)((double)use[i].have * room);
        over[i] = use[i].need > may ? use[i].need - may : 0;
    }
    return (nashc_cost){.lut = larger(fifos.lut, reserve->lut + over[0]),
                        .ff = larger(fifos.ff, reserve->ff + over[1]),
                        .bram18 = larger(fifos.bram18, reserve->bram18 + over[2]),
                        .uram = larger(fifos.uram, reserve->uram + over[3]),
                        .dsp = reserve->dsp + over[4]};
}

/* r, slower than what overfilled the device, has smaller FIFOs too: with room for those alone there
 * may be something between. */
static nashc_status
fold_between(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *r,
             nashc_arena *a, nashc_diag *d)
{
    const double room = nashc_device_room(r->device, o->fill);
    const aim z = {.reserve = cost_of_fifos(r)};
    nashc_demand worst;
    const trial t = try_aim(*m, o, &z, r, a, d);

    bool better = t.r.interval < r->interval && filled(&t.r, room, &worst) <= 1;
    nashc_status s = settle(m, r, &t, better, d);
    if (s == NASHC_OK && better)
        nashc_remark(d, NULL,
                     "fit: %g cycles a frame in the end: FIFOs take less than room was left for",
                     r->interval);
    return s;
}

static nashc_status
fold_smaller(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *r,
             nashc_arena *a, nashc_diag *d)
{
    const double room = nashc_device_room(r->device, o->fill);
    aim z = {0};
    nashc_demand worst = {0};
    double share = filled(r, room, &worst);
    nashc_status s = NASHC_OK;

    for (int i = 0; i < ROUNDS && s == NASHC_OK && share > 1; i++) {
        z.reserve = more_reserve(&z.reserve, r, room);
        nashc_remark(d, NULL,
                     "fit: with its FIFOs the design needs about %" PRIu64 " %s, %" PRIu64
                     " of %s may be filled: folded again with room for %" PRIu64 " LUT, %" PRIu64
                     " BRAM_18K and %" PRIu64 " URAM of FIFOs",
                     worst.need, worst.name, (uint64_t)((double)worst.have * room), r->device->name,
                     z.reserve.lut, z.reserve.bram18, z.reserve.uram);
        const trial t = try_aim(*m, o, &z, r, a, d);
        double now = t.s == NASHC_OK ? filled(&t.r, room, &worst) : share;
        s = settle(m, r, &t, now < share, d);
        if (now >= share) /* nothing smaller is there */
            break;
        share = now;
    }
    if (s == NASHC_OK && share <= 1 && z.reserve.lut > 0)
        s = fold_between(m, o, r, a, d);
    if (s == NASHC_OK && (share = filled(r, room, &worst)) > 1)
        nashc_warning(d, NULL, "device-full",
                      "fit: with its FIFOs the smallest design found needs about %" PRIu64
                      " %s, %" PRIu64 " of %s may be filled",
                      worst.need, worst.name, (uint64_t)((double)worst.have * room),
                      r->device->name);
    return s;
}

nashc_status
nashc_compile_retarget(nashc_module **m, const nashc_compile_options *o, nashc_compile_result *r,
                       nashc_arena *a, nashc_diag *d)
{
    if (o->fit)
        return r->device ? fold_smaller(m, o, r, a, d) : NASHC_OK;
    return o->target_fps > 0 ? fold_faster(m, o, r, a, d) : NASHC_OK;
}
