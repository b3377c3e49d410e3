/* flowplan.h: a periodic schedule of a network, from which depths of FIFOs follow. */
#ifndef NASHC_HOST_FLOWPLAN_H
#define NASHC_HOST_FLOWPLAN_H

#include "flownet.h"

/* Every stream is written and read in the same cycles in each period. */
typedef struct flow_plan {
    const flow_net *z;
    nashc_arena *a;
    uint64_t period;        /* cycles a frame: steps of the slowest layer */
    flow_tokens *put, *get; /* by value id: cycles of the steps that write and read, of one frame */
    flow_tokens *fill;      /* of lines: of those that fill a place of what they write */
    int64_t *start;         /* by layer: added to its cycles */
    flow_pattern *back;     /* reversed, two a layer */
    bool *queue, *slower;   /* by value id: has a FIFO; its lag tells so */
    bool *reserved;         /* by value id: results have a place from the step on that starts them,
                               not from the end of the pipeline on */
    uint64_t events;
} flow_plan;

/* Freed by flow_plan_free, also after an error. */
nashc_status flow_plan_make(flow_plan *p, const flow_net *z, nashc_arena *a, nashc_diag *d);
void flow_plan_free(flow_plan *p);

/* Chooses the starts anew, at which the fewest bits wait, after p->reserved was changed. False:
 * memory is out. */
bool flow_plan_starts(flow_plan *p);

/* Depth of the FIFO that stream id, between two layers, needs to keep p; 0: none. */
uint32_t flow_plan_depth(const flow_plan *p, uint32_t id);

/* Does a FIFO fit on stream id: between two layers that are none themselves? */
bool flow_plan_edge(const flow_net *z, uint32_t id);

#endif
