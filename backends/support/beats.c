/* beats.c: beats of a layer's streams, and steps that move one of each. */
#include "backends/support/beats.h"
#include <nashc/flow.h>

static uint64_t
beats(const nashc_node *n, bool input)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];

    if (nashc_node_op(n)->hw->streams(n, in, out, NULL) != NASHC_OK)
        return 0; /* no layer that was verified */
    return (uint64_t)(input ? in[0].beats : out[0].beats);
}

uint64_t
beats_in(const nashc_node *n)
{
    return beats(n, true);
}

uint64_t
beats_out(const nashc_node *n)
{
    return beats(n, false);
}

/* Masks of the streams. */
void
beats_all_args(const nashc_node *n, nashc_timing *t)
{
    t->arg[0] = 0;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            t->arg[0] = t->arg[0] << 1 | 1;
    t->arg[1] = ((uint64_t)1 << nashc_node_n_out(n)) - 1;
}

void
beats_all_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)i;
    *reads = (uint32_t)t->arg[0];
    *writes = (uint32_t)t->arg[1];
}
