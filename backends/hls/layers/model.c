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

static uint64_t
beats(const nashc_node *n, bool input)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];

    if (nashc_node_op(n)->hw->streams(n, in, out, NULL) != NASHC_OK)
        return 0; /* no layer that was verified */
    return (uint64_t)(input ? in[0].beats : out[0].beats);
}

uint64_t
hls_beats_in(const nashc_node *n)
{
    return beats(n, true);
}

uint64_t
hls_beats_out(const nashc_node *n)
{
    return beats(n, false);
}

/* arg: masks of the streams that a step reads and writes. */
nashc_timing
hls_beat_loop(const nashc_node *n, uint32_t depth)
{
    nashc_timing t = hls_loop(hls_beats_in(n), depth);

    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            t.arg[0] = t.arg[0] << 1 | 1;
    t.arg[1] = ((uint64_t)1 << nashc_node_n_out(n)) - 1;
    return t;
}

void
hls_beat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = (uint32_t)t->arg[0];
    *writes = (uint32_t)t->arg[1];
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
