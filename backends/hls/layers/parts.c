/* parts.c: the two parts of a round and their turns, which hw.concat and hw.split share. */
#include "parts.h"

/* Beats of the parts of a round, and rounds. */
static void
sizes_of(const nashc_node *n, int64_t beats[2], int64_t *rounds)
{
    int64_t pe = nashc_node_int(n, "pe"), all = 0;
    int count;
    const int64_t *parts = nashc_node_ints(n, "parts", &count);

    for (int i = 0; i < nashc_node_n_in(n); i++)
        all += nashc_type_count(hls_in(n, i));
    for (int i = 0; i < 2; i++)
        beats[i] = parts[i] / pe;
    *rounds = all / (parts[0] + parts[1]);
}

void
hls_parts_sizes(const nashc_node *n, nashc_hls *h)
{
    int64_t beats[2], rounds;

    sizes_of(n, beats, &rounds);
    nashc_hls_int(h, "ROUNDS", rounds);
    nashc_hls_int(h, "NA", beats[0]);
    nashc_hls_int(h, "NB", beats[1]);
    nashc_hls_int(h, "PE", nashc_node_int(n, "pe"));
}

void
hls_parts_open(nashc_hls *h)
{
    nashc_hls_line(h, "for (int r = 0; r < ROUNDS; r++) {");
    nashc_hls_line(h, "for (int i = 0; i < NA + NB; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
}

nashc_status
hls_parts_timing(const nashc_node *n, nashc_timing *out)
{
    int64_t beats[2], rounds;

    sizes_of(n, beats, &rounds);
    *out = hls_loop((uint64_t)(rounds * (beats[0] + beats[1])), 2);
    out->arg[0] = (uint64_t)beats[0];
    out->arg[1] = (uint64_t)(beats[0] + beats[1]);
    return NASHC_OK;
}

uint64_t
hls_parts_cycles(const nashc_node *n)
{
    nashc_timing t;

    hls_parts_timing(n, &t);
    return t.steps;
}

bool
hls_parts_second(const nashc_timing *t, uint64_t i)
{
    return i % t->arg[1] >= t->arg[0];
}
