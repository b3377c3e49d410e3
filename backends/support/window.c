/* window.c: hw.window as a ring or as a line of beats. */
#include "backends/support/window.h"

static nashc_loops
loops_of(const nashc_node *n)
{
    nashc_loops l = {.first = nashc_node_int(n, "offset"),
                     .count = nashc_type_count(nashc_value_type(nashc_node_in(n, 0))),
                     .lanes = nashc_node_int(n, "simd"),
                     .depth = nashc_node_int(n, "depth")};

    l.dim = nashc_node_ints(n, "dims", &l.n);
    l.stride = nashc_node_ints(n, "strides", &l.n);
    return l;
}

bool
window_several(const nashc_node *n, nashc_windows *out)
{
    const nashc_loops l = loops_of(n);
    int64_t positions = nashc_hw_positions(n);

    return positions > 1 && nashc_windows_of(&l, positions, out) == NASHC_OK;
}

bool
window_line(const nashc_node *n, nashc_line *out)
{
    const nashc_loops l = loops_of(n);
    nashc_windows several;

    if (window_several(n, &several)) {
        *out = several.line;
        return true;
    }
    return nashc_line_of(&l, nashc_node_int(n, "parallel_window"), out) == NASHC_OK;
}

nashc_status
window_ring(const nashc_node *n, nashc_ring *out)
{
    const nashc_loops l = loops_of(n);

    return nashc_ring_of(&l, out);
}

/* Both sides move at once: the longer one counts. */
uint64_t
window_beats(const nashc_node *n)
{
    nashc_stream in, out;

    if (nashc_node_op(n)->hw->streams(n, &in, &out, NULL) != NASHC_OK)
        return 0; /* no layer that was verified */
    return (uint64_t)(in.beats > out.beats ? in.beats : out.beats);
}

enum { NEWEST, LOOPS, COUNT, STRIDE = COUNT + NASHC_LINE_LOOPS };

void
window_line_args(const nashc_line *z, nashc_timing *t)
{
    t->arg[NEWEST] = (uint64_t)z->newest;
    t->arg[LOOPS] = (uint64_t)z->loops;
    for (int k = 0; k < z->loops; k++) {
        t->arg[COUNT + k] = (uint64_t)z->count[k];
        t->arg[STRIDE + k] = (uint64_t)z->stride[k];
    }
}

void
window_line_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    nashc_line z = {.newest = (int64_t)t->arg[NEWEST], .loops = (int)t->arg[LOOPS]};

    for (int k = 0; k < z.loops; k++) {
        z.count[k] = (int64_t)t->arg[COUNT + k];
        z.stride[k] = (int64_t)t->arg[STRIDE + k];
    }
    *reads = 1;
    *writes = nashc_line_gives(&z, (int64_t)i);
}
