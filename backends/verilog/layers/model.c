/* model.c: what the models of layers share: the streams of a layer, steps that move a beat. */
#include "model.h"

const nashc_type *
model_in(const nashc_node *n, int i)
{
    return nashc_value_type(nashc_node_in(n, i));
}

const nashc_type *
model_out(const nashc_node *n, int i)
{
    return nashc_value_type(nashc_node_out(n, i));
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
model_beats_in(const nashc_node *n)
{
    return beats(n, true);
}

uint64_t
model_beats_out(const nashc_node *n)
{
    return beats(n, false);
}

/* arg: masks of the streams that a step reads and writes. */
nashc_timing
model_beat_timing(const nashc_node *n, uint32_t latency)
{
    uint64_t reads = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            reads = reads << 1 | 1;
    return (nashc_timing){.steps = model_beats_in(n),
                          .latency = latency,
                          .depth = 2,
                          .arg = {reads, ((uint64_t)1 << nashc_node_n_out(n)) - 1}};
}

void
model_beat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)i;
    *reads = (uint32_t)t->arg[0];
    *writes = (uint32_t)t->arg[1];
}

nashc_status
model_param_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, 2);
    return NASHC_OK;
}

void
model_copies(const nashc_node *n, nashc_cost *c)
{
    uint64_t m = (uint64_t)nashc_hw_positions(n);

    c->lut *= m;
    c->ff *= m;
    c->bram18 *= m;
    c->uram *= m;
    c->dsp *= m;
}
