/* flowsize.c: depths of FIFOs: a schedule, its confirmation by exact simulation and by a
 * certificate that nothing dead-locks, then less where that saves a memory.
 */
#include "core/base/mem.h"
#include "flowplan.h"
#include "flowsim.h"
#include <inttypes.h>
#include <string.h>

#define MAX_ROUNDS  3        /* schedules: without slack, with it where it is missing, everywhere */
#define MAX_GROWTH  64       /* times that full FIFOs are made deeper until nothing dead-locks */
#define SHRINK_WORK 6000000u /* runs of steps simulated to save memories, at most */
#define SMALL_FIFO  8        /* words: may be needless */
#define LUT_WORDS   64       /* words of a LUT as memory; of a bit */
#define LUT_BITS    4096     /* above, a FIFO is in block RAM */

typedef struct sizing {
    const flow_net *z;
    flow_plan plan;
    nashc_arena *a;
    nashc_flow_sizing *out;
    uint32_t max_frames;
    uint32_t *least; /* by value id: depth to try instead */
    uint32_t *held;  /* by value id: most beats in the FIFO, as simulated */
    bool *full;      /* by value id: writers that stood still, or streams without a place */
    uint64_t work;
} sizing;

static nashc_status
simulate(sizing *s, nashc_flow_result *r, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    flow_sim sim = {0};

    if (!a)
        return nashc_enomem(d);
    flow_key key;
    nashc_status st = flow_sim_build(&sim, s->z, s->out->depth, a, d);
    if (st == NASHC_OK && !flow_seen_key(&sim, s->max_frames, &key))
        st = nashc_enomem(d);
    if (st == NASHC_OK && (st = flow_sim_run(&sim, s->max_frames, r, d)) == NASHC_OK)
        flow_seen_put(&sim, &key, r); /* whoever measures the design asks again */
    s->work += r->work;
    for (uint32_t k = 0; k < sim.n_channels;
         k++) { /* what the writer of a layer, not a FIFO, met */
        const flow_channel *c = &sim.channels[k];
        for (uint32_t i = 0; c->stalled && i < c->from->layer->n_out; i++)
            s->full[c->from->layer->out[i]] = true;
    }
    flow_sim_free(&sim);
    nashc_arena_free(a);
    return st;
}

/* Is there a certificate? s->full: what has no place if not. */
static nashc_status
certify(sizing *s, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    nashc_flow_proof p;

    memset(s->full, 0, s->z->n_ids);
    nashc_status st = a ? flow_prove(s->z, s->out->depth, &p, s->full, a, d) : nashc_enomem(d);
    if (a)
        nashc_arena_free(a);
    return st;
}

/* Makes full FIFOs deeper until a certificate is found. */
static nashc_status
certify_at_last(sizing *s, nashc_diag *d)
{
    for (int i = 0; i < MAX_GROWTH; i++) {
        nashc_status st = certify(s, NULL);
        if (st != NASHC_EINPUT)
            return st;
        for (uint32_t id = 0; id < s->z->n_ids; id++)
            if (s->full[id] && flow_plan_edge(s->z, id))
                s->out->depth[id] += s->out->depth[id] / 4 + 2;
    }
    return certify(s, d);
}

static bool
on_time(const sizing *s, const nashc_flow_result *r)
{
    return r->steady && r->cycles <= s->z->slowest * r->period;
}

static void
take_depths(sizing *s)
{
    for (uint32_t id = 0; id < s->z->n_ids; id++)
        s->out->depth[id] = flow_plan_edge(s->z, id) ? flow_plan_depth(&s->plan, id) : 0;
}

/* Slack for pipelines that stood still in the last simulation, in the last round for all. */
static nashc_status
tighten(sizing *s, nashc_diag *d)
{
    bool all = s->out->rounds + 1 >= MAX_ROUNDS;

    for (uint32_t id = 0; id < s->z->n_ids; id++)
        s->plan.reserved[id] |= all || s->full[id];
    return flow_plan_starts(&s->plan) ? NASHC_OK : nashc_enomem(d);
}

static nashc_status
confirm(sizing *s, nashc_diag *d)
{
    nashc_flow_sizing *o = s->out;

    for (o->rounds = 1;; o->rounds++) {
        bool last = o->rounds == MAX_ROUNDS;
        take_depths(s);
        nashc_status st = certify_at_last(s, d);
        if (st != NASHC_OK)
            return st;
        memset(s->full, 0, s->z->n_ids);
        o->flow = (nashc_flow_result){.occupancy = s->held};
        st = simulate(s, &o->flow, d);
        if (st != NASHC_OK || on_time(s, &o->flow) || last)
            return st;
        if ((st = tighten(s, d)) != NASHC_OK)
            return st;
    }
}

/* --- less memory -------------------------------------------------------------------------------
 */

/* Words of a block RAM (18 Kbit) of the shape that a FIFO of these sizes takes. */
static uint32_t
block_words(uint32_t depth, uint32_t width)
{
    return width == 1                   ? 16384
           : width == 2                 ? 8192
           : width <= 4                 ? 4096
           : width <= 9                 ? 2048
           : width <= 18 || depth > 512 ? 1024
                                        : 512;
}

/* The largest depth, if not far below, that takes fewer memories; depth itself if there is none. */
static uint32_t
next_less(uint32_t depth, uint32_t width)
{
    bool lut = depth <= LUT_WORDS || (uint64_t)depth * width <= LUT_BITS;
    uint32_t words = lut ? LUT_WORDS : block_words(depth, width);
    uint32_t less = (depth - 1) / words * words;

    if (less == 0)
        return depth <= SMALL_FIFO ? 0 : depth;
    return depth - less <= depth / 16 + SMALL_FIFO ? less : depth;
}

/* Would another simulation take too long? */
static bool
too_long(const sizing *s)
{
    return s->work + s->out->flow.work > SHRINK_WORK;
}

/* The result of the last simulation is that of these depths too: whoever measures the design asks
 * for it. */
static nashc_status
remember(sizing *s, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    flow_sim sim = {0};
    flow_key key;

    if (!a)
        return nashc_enomem(d);
    nashc_status st = flow_sim_build(&sim, s->z, s->out->depth, a, d);
    for (uint32_t id = 0; id < s->z->n_ids && st == NASHC_OK; id++)
        if (sim.stream[id])
            sim.stream[id]->most = s->held[id];
    if (st == NASHC_OK && !flow_seen_key(&sim, s->max_frames, &key))
        st = nashc_enomem(d);
    if (st == NASHC_OK)
        flow_seen_put(&sim, &key, &s->out->flow);
    flow_sim_free(&sim);
    nashc_arena_free(a);
    return st;
}

/* Makes no FIFO deeper than a word more than it was filled in simulation: a plan lets layers be
 * late, but as built they run ahead. Such a FIFO is never full when its writer has a word for it,
 * as it never was, so that nothing is later or earlier than in that simulation. */
static nashc_status
trim(sizing *s, nashc_diag *d)
{
    for (uint32_t id = 0; id < s->z->n_ids; id++) {
        uint32_t *depth = &s->out->depth[id], most = s->held[id] < 1 ? 2 : s->held[id] + 1;
        *depth = *depth > most ? most : *depth;
    }
    nashc_status st = certify_at_last(s, d);
    return st == NASHC_OK ? remember(s, d) : st;
}

/* Tries less for candidates from .. to - 1, all of them, then halves. */
static nashc_status
try_less(sizing *s, const uint32_t *ids, uint32_t from, uint32_t to, nashc_diag *d)
{
    nashc_flow_sizing *o = s->out;
    nashc_flow_result r = {0};

    if (from == to)
        return NASHC_OK;
    if (too_long(s)) {
        o->untried += to - from;
        return NASHC_OK;
    }
    for (uint32_t i = from; i < to; i++) {
        uint32_t depth = o->depth[ids[i]];
        o->depth[ids[i]] = s->least[ids[i]];
        s->least[ids[i]] = depth;
    }
    nashc_status st = certify(s, NULL);
    if (st == NASHC_OK)
        st = simulate(s, &r, NULL);
    if (st == NASHC_OK && on_time(s, &r)) {
        o->flow = r;
        o->saved += to - from;
        return NASHC_OK;
    }
    if (st != NASHC_OK && st != NASHC_EINPUT)
        return st;
    for (uint32_t i = from; i < to; i++) {
        uint32_t less = o->depth[ids[i]];
        o->depth[ids[i]] = s->least[ids[i]];
        s->least[ids[i]] = less;
    }
    if (to - from == 1)
        return NASHC_OK;
    st = try_less(s, ids, from, from + (to - from) / 2, d);
    return st == NASHC_OK ? try_less(s, ids, from + (to - from) / 2, to, d) : st;
}

/* Depths just above what fewer memories hold. */
static nashc_status
save_memories(sizing *s, nashc_diag *d)
{
    uint32_t n = 0, *ids = NASHC_NEW_N(s->a, uint32_t, s->z->n_ids);

    if (!ids)
        return nashc_enomem(d);
    for (uint32_t id = 0; id < s->z->n_ids; id++) {
        uint32_t depth = s->out->depth[id];
        s->least[id] = depth > 0 ? next_less(depth, s->z->width[id]) : 0;
        if (s->least[id] < depth)
            ids[n++] = id;
    }
    return try_less(s, ids, 0, n, d);
}

static uint32_t
n_fifos(const sizing *s)
{
    uint32_t n = 0;

    for (uint32_t id = 0; id < s->z->n_ids; id++)
        n += s->out->depth[id] > 0;
    return n;
}

/* Less, as far as simulations to prove it take not too long. */
static nashc_status
shrink(sizing *s, nashc_diag *d)
{
    nashc_status st = trim(s, d);

    s->work = 0;
    if (st == NASHC_OK)
        st = save_memories(s, d);
    if (st == NASHC_OK && s->out->untried > 0)
        nashc_warning(d, NULL, "fifo-effort",
                      "%u of %u FIFOs may take a memory more than they need: to try less is a "
                      "simulation of %.1f million runs of steps each time",
                      s->out->untried, n_fifos(s), (double)s->out->flow.work / 1e6);
    return st;
}

static void
warn_if_late(const sizing *s, nashc_diag *d)
{
    const nashc_flow_result *r = &s->out->flow;

    if (!on_time(s, r))
        nashc_warning(
            d, NULL, "fifo-interval",
            "with the FIFOs chosen a frame takes %.1f cycles%s, %.2f %% more than the %" PRIu64
            " of the slowest layer",
            nashc_flow_interval(r), r->steady ? "" : " or so",
            100 * (nashc_flow_interval(r) / (double)s->z->slowest - 1), s->z->slowest);
}

nashc_status
nashc_flow_size(const nashc_graph *g, const nashc_flow_options *o, nashc_flow_sizing *out,
                nashc_arena *a, nashc_diag *d)
{
    flow_net z;
    sizing s = {.z = &z, .a = a, .out = out};
    nashc_status st = flow_net_read(g, o && NASHC_HAS(o, backend) ? o->backend : NULL, &z, a, d);

    if (st != NASHC_OK)
        return st;
    s.max_frames = o && o->max_frames > 0 ? (uint32_t)o->max_frames : 64;
    *out = (nashc_flow_sizing){.slowest = z.slowest, .n_ids = z.n_ids};
    out->depth = NASHC_NEW_N(a, uint32_t, 3 * (size_t)z.n_ids);
    s.full = NASHC_NEW_N(a, bool, z.n_ids);
    if (!out->depth || !s.full)
        return nashc_enomem(d);
    s.least = out->depth + z.n_ids;
    s.held = s.least + z.n_ids;
    st = flow_plan_make(&s.plan, &z, a, d);
    if (st == NASHC_OK)
        st = confirm(&s, d);
    flow_plan_free(&s.plan);
    if (st == NASHC_OK && on_time(&s, &out->flow))
        st = shrink(&s, d);
    out->flow.occupancy = NULL;
    if (st == NASHC_OK)
        warn_if_late(&s, d);
    return st;
}
