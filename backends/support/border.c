/* border.c: where hw.fmpadding takes its result from. */
#include "backends/support/border.h"

border
border_of(const nashc_node *n)
{
    int count;
    const int64_t *dim = nashc_node_ints(n, "dim", &count);
    const int64_t *pads = nashc_node_ints(n, "pads", &count);
    const int64_t *gaps = nashc_node_ints(n, "gaps", &count);
    int64_t m = nashc_hw_positions(n), channels = nashc_value_type(nashc_node_out(n, 0))->dim[1];
    border b = {.folds = channels / nashc_node_int(n, "simd")};

    for (int a = 0; a < 2; a++) {
        b.in[a] = dim[a];
        b.first[a] = pads[a];
        b.unit[a] = gaps[a] + 1;
        b.out[a] = pads[a] + (dim[a] - 1) * b.unit[a] + 1 + pads[2 + a];
    }
    b.late = b.first[1] % m;
    b.in[1] /= m;
    b.first[1] /= m;
    b.out[1] /= m;
    return b;
}

/* Beats of a place; of rows, then of columns: in, first, unit, out. */
void
border_args(const border *b, nashc_timing *t)
{
    t->arg[0] = (uint64_t)b->folds;
    for (int a = 0; a < 2; a++) {
        uint64_t *axis = t->arg + 1 + 4 * a;
        axis[0] = (uint64_t)b->in[a];
        axis[1] = (uint64_t)b->first[a];
        axis[2] = (uint64_t)b->unit[a];
        axis[3] = (uint64_t)b->out[a];
    }
}

/* Is place i along an axis one of the input's? */
static bool
from_input(const uint64_t *axis, uint64_t i)
{
    return i >= axis[1] && (i - axis[1]) % axis[2] == 0 && (i - axis[1]) / axis[2] < axis[0];
}

void
border_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    const uint64_t *rows = t->arg + 1, *columns = t->arg + 5;
    uint64_t place = i / t->arg[0];

    *reads =
        from_input(rows, place / columns[3] % rows[3]) && from_input(columns, place % columns[3]);
    *writes = 1;
}
