/* flowsize.c: depths of FIFOs: a schedule, its confirmation by exact simulation, then without those
 * FIFOs that are next to nothing.
 */
#include "core/base/mem.h"
#include "flowplan.h"
#include "flowsim.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sizing {
    const flow_net *z;
    flow_plan plan;
    nashc_arena *a;
    nashc_flow_sizing *out;
    uint32_t max_frames;
    uint32_t *tried; /* depths being tried, by value id */
} sizing;

static nashc_status
simulate(sizing *s, const uint32_t *depth, nashc_flow_result *r, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    flow_sim sim = {0};

    if (!a)
        return nashc_enomem(d);
    uint32_t *occupancy = r->occupancy;
    *r = (nashc_flow_result){.occupancy = occupancy};
    nashc_status st = flow_sim_build(&sim, s->z, depth, a, d);
    if (st == NASHC_OK)
        st = flow_sim_run(&sim, s->max_frames, r, d);
    flow_sim_free(&sim);
    nashc_arena_free(a);
    return st;
}

static bool
on_time(const sizing *s, const nashc_flow_result *r)
{
    return r->steady && r->cycles <= s->z->slowest * r->period;
}

/* Depths of the plan; reserved: with the slack of rigid pipelines. */
static void
take_depths(sizing *s, bool reserved)
{
    for (uint32_t id = 0; id < s->z->n_ids; id++)
        if (flow_plan_edge(s->z, id))
            s->out->depth[id] = flow_plan_depth(&s->plan, id, reserved);
}

static nashc_status
confirm(sizing *s, nashc_diag *d)
{
    nashc_status st = NASHC_OK;

    for (s->out->rounds = 1; s->out->rounds <= 2; s->out->rounds++) {
        take_depths(s, s->out->rounds == 2);
        st = simulate(s, s->out->depth, &s->out->flow, d);
        if (getenv("FF")) fprintf(stderr, "round %u: %d %" PRIu64 "/%u want %" PRIu64 " latency %" PRIu64 " frames %u events %" PRIu64 "\n", s->out->rounds, st, s->out->flow.cycles, s->out->flow.period, s->z->slowest, s->out->flow.latency, s->out->flow.frames, s->out->flow.work);
        if (st != NASHC_OK || on_time(s, &s->out->flow))
            return st;
    }
    return st;
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
    out->depth = NASHC_NEW_N(a, uint32_t, z.n_ids);
    out->flow.occupancy = NASHC_NEW_N(a, uint32_t, z.n_ids);
    s.tried = NASHC_NEW_N(a, uint32_t, z.n_ids);
    if (!out->depth || !out->flow.occupancy || !s.tried)
        return nashc_enomem(d);
    st = flow_plan_make(&s.plan, &z, a, d);
    if (getenv("FF")) {fprintf(stderr, "plan: %d events %" PRIu64 " T %" PRIu64 "\n", st, s.plan.events, s.plan.period);size_t n=0;for (uint32_t i=0;i<z.n_ids && s.plan.put;i++) n+= s.plan.put[i].len+s.plan.get[i].len; fprintf(stderr,"segs %zu\n",n);}
    if (st == NASHC_OK)
        st = confirm(&s, d);
    flow_plan_free(&s.plan);
    return st;
}
