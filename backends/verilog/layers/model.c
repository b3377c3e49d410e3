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

nashc_timing
model_beat_timing(const nashc_node *n, uint32_t latency)
{
    nashc_timing t = {.steps = beats_in(n), .latency = latency, .depth = 2};

    beats_all_args(n, &t);
    return t;
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
