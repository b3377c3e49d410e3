/* model.c: what the models of layers share. */
#include "model.h"

nashc_timing
hls_loop(uint64_t work, uint32_t depth)
{
    nashc_timing t = {.steps = work + depth, .latency = depth, .depth = 2};

    t.arg[HLS_WORK] = work;
    return t;
}

bool
hls_idle(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    *reads = *writes = 0;
    return i >= t->arg[HLS_WORK];
}

nashc_timing
hls_beat_loop(const nashc_node *n, uint32_t depth)
{
    nashc_timing t = hls_loop(beats_in(n), depth);

    beats_all_args(n, &t);
    return t;
}

void
hls_beat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (!hls_idle(t, i, reads, writes))
        beats_all_step(t, i, reads, writes);
}

nashc_status
hls_param_timing(const nashc_node *n, nashc_timing *out)
{
    *out = hls_beat_loop(n, 3);
    return NASHC_OK;
}

uint64_t
hls_param_cycles(const nashc_node *n)
{
    return hls_beat_loop(n, 3).steps;
}
