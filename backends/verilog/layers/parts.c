/* parts.c: the two parts of a round and their turns, which hw.concat and hw.split share. */
#include "parts.h"

void
emit_parts(const nashc_node *n, nashc_vlog *v, const char *module)
{
    int count;
    const int64_t *parts = nashc_node_ints(n, "parts", &count);

    nashc_vlog_core(v, module);
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe"));
    nashc_vlog_int(v, "NA", parts[0]);
    nashc_vlog_int(v, "NB", parts[1]);
}

/* --- model --------------------------------------------------------------------------------------
 */

/* Beats of the two parts of a round. */
static void
beats_of(const nashc_node *n, uint64_t beats[2])
{
    int count;
    const int64_t *parts = nashc_node_ints(n, "parts", &count);

    for (int i = 0; i < 2; i++)
        beats[i] = (uint64_t)(parts[i] / nashc_node_int(n, "pe"));
}

uint64_t
parts_cycles(const nashc_node *n)
{
    int64_t count = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        count += nashc_type_count(model_in(n, i));
    return (uint64_t)(count / nashc_node_int(n, "pe"));
}

nashc_timing
parts_timing(const nashc_node *n, uint32_t latency)
{
    uint64_t beats[2];

    beats_of(n, beats);
    return (nashc_timing){.steps = parts_cycles(n),
                          .latency = latency,
                          .depth = 2,
                          .arg = {beats[0], beats[0] + beats[1]}};
}

bool
parts_second(const nashc_timing *t, uint64_t i)
{
    return i % t->arg[1] >= t->arg[0];
}

void
parts_cost(const nashc_node *n, uint64_t chosen, nashc_cost *c)
{
    uint64_t beats[2];

    beats_of(n, beats);
    uint64_t counter = (uint64_t)cost_clog2(beats[0] > beats[1] ? beats[0] : beats[1]);
    COST_LUTS(c, COST_PARTS, 1, (double)counter, (double)chosen);
    c->ff += 1 + counter;
}
