/* flowsim.h: a network in simulation, frame by frame. */
#ifndef NASHC_HOST_FLOWSIM_H
#define NASHC_HOST_FLOWSIM_H

#include "flownet.h"

typedef struct flow_word {
    uint64_t w;
    uint32_t of; /* machine whose time it is, UINT32_MAX: a plain number */
} flow_word;

/* A network at the end of a frame. */
typedef struct flow_state {
    flow_word *word;
    size_t n, cap;
    uint64_t done; /* the cycle in which the last output was complete */
} flow_state;

typedef struct flow_sim {
    const flow_net *z;
    nashc_arena *a;
    flow_machine *machines;
    flow_channel *channels, **stream; /* stream by value id: what its reader sees */
    uint32_t n_machines, n_channels, frames;
    flow_list list;
    uint64_t first, done; /* first beat taken; end of the last frame */
    flow_state *states;
    size_t n_states, cap_states;
    uint64_t *later; /* by machine */
} flow_sim;

/* fifo as in nashc_flow_options. Freed by flow_sim_free, also after an error. */
nashc_status flow_sim_build(flow_sim *s, const flow_net *z, const uint32_t *fifo, nashc_arena *a,
                            nashc_diag *d);
/* All machines do one more frame. EINPUT: they cannot. */
nashc_status flow_sim_frame(flow_sim *s, nashc_diag *d);
/* Frames until the state repeats; r->occupancy is NULL or by value id. */
nashc_status flow_sim_run(flow_sim *s, uint32_t max_frames, nashc_flow_result *r, nashc_diag *d);
void flow_sim_free(flow_sim *s);

/* --- flowseen.c: what was simulated before ---------------------------------------------------- */

typedef struct flow_key {
    uint8_t sha256[32];
} flow_key;

/* The key of s, which has not begun. False: memory is out. */
bool flow_seen_key(const flow_sim *s, uint32_t max_frames, flow_key *out);
/* The result of the simulation with this key, if its context has it; r->occupancy as in
 * flow_sim_run. */
bool flow_seen_get(const flow_sim *s, const flow_key *key, nashc_flow_result *r);
/* Keeps r, that of s, which is done. */
void flow_seen_put(const flow_sim *s, const flow_key *key, const nashc_flow_result *r);
struct flow_seen;
void flow_seen_free(struct flow_seen *all); /* or NULL */

#endif
