/* elementwise.c: what the lanes of nashc_elementwise cost. A lane is logic of two words; constants
 * that do not change, or not much, leave less of it. */
#include "elementwise.h"
#include <string.h>

/* Lines of constants, of as many lanes each. */
static uint64_t
lines_of(const elementwise_lanes *e)
{
    uint64_t count = e->constants ? (uint64_t)nashc_tensor_count(e->constants) : 0;

    return count > e->lanes ? count / e->lanes : 1;
}

/* Of the bits of constants, those that differ from line to line: chance gives each of 2^lines
 * columns alike, and two of them are constant. */
static double
varying(const elementwise_lanes *e)
{
    uint64_t lines = lines_of(e);

    return !e->constants || lines > 32 ? 1 : 1 - 2 / (double)((uint64_t)1 << lines);
}

/* Bits in which both operands of a sum vary: beyond the shorter one, carries alone are left, but a
 * sign is repeated. */
static double
summed(const elementwise_lanes *e)
{
    uint64_t a = e->x->bits, b = e->x1->bits, most = a > b ? a : b;

    a = emit_signed(e->x) ? most : a;
    b = emit_signed(e->x1) ? most : b;
    return (double)(a < b ? a : b);
}

/* Lanes with comparisons, and bits that are chosen. */
typedef struct decided {
    uint64_t compared, chosen;
} decided;

/* What the constants leave of a lane that gives the larger or smaller one. Outside of the interval
 * of x a constant is always chosen, or never: the line decides, and nothing is chosen above the
 * bits of x. Chains of carries, which compare words of 8 bits and more, stay all the same. */
static decided
decide(const elementwise_lanes *e)
{
    uint64_t lines = lines_of(e), x = e->x->bits, y = e->y->bits;
    decided d = {e->lanes, e->lanes * y};

    if (!e->constants || x >= 8 || e->x1->bits >= 8)
        return d;
    d = (decided){0, 0};
    int64_t count = nashc_tensor_count(e->constants);
    for (uint64_t p = 0; p < e->lanes; p++) {
        bool below = false, above = false, inside = false;
        for (uint64_t k = 0; k < lines; k++) {
            int64_t at = (int64_t)(k * e->lanes + p) % count;
            int64_t v = nashc_tensor_get_int(e->constants, at);
            below |= v <= e->x->lo;
            above |= v >= e->x->hi;
            inside |= v > e->x->lo && v < e->x->hi;
        }
        d.compared += inside;
        d.chosen += inside ? y : below && above ? (x < y ? x : y) : 0;
    }
    return d;
}

/* A product in LUTs: each bit of one operand chooses the other, and the rows are added up.
 * Constants of one or two lines leave a function of x and of the line, of which each bit is a LUT
 * or two. */
static void
cost_product(const elementwise_lanes *e, nashc_cost *c)
{
    uint64_t lines = lines_of(e), out = e->lanes * e->y->bits;
    bool few = e->constants && lines <= 2 && e->x->bits <= 5;

    if (few) /* constants alone: every second bit is one of x */
        COST_LUTS(c, COST_ELEMENTWISE, 0, 0, 0, 0, lines > 1 ? (double)out : 0.5 * (double)out);
    else
        COST_LUTS(c, COST_ELEMENTWISE, 0, 0, 0, (double)(e->lanes * e->x->bits * e->x1->bits));
}

void
elementwise_cost(const elementwise_lanes *e, const nashc_device *dev, nashc_cost *c)
{
    double lanes = (double)e->lanes, bits = e->x->bits > e->x1->bits ? e->x->bits : e->x1->bits;

    if (strcmp(e->func, "mul") == 0) {
        if (cost_takes_dsp(e->x->bits, e->x1->bits, e->y->bits, dev))
            c->dsp += e->lanes * cost_dsps(e->x->bits, e->x1->bits);
        else
            cost_product(e, c);
        return;
    }
    if (strcmp(e->func, "add") == 0 || strcmp(e->func, "sub") == 0) {
        COST_LUTS(c, COST_ELEMENTWISE, lanes * summed(e) * varying(e));
        return;
    }
    bool chooses = e->func[0] == 'm'; /* max, min: the larger or the smaller one, not which */
    decided d = decide(e);
    if (!emit_signed(e->x) && !emit_signed(e->x1) && e->y->bits < bits)
        bits = e->y->bits; /* the smaller of them: of the rest it counts whether there is any */
    if (e->x->bits + e->x1->bits <= 4) /* a LUT of its own for each bit of the result */
        d.compared = 0;
    COST_LUTS(c, COST_ELEMENTWISE, 0, (double)d.compared * bits, chooses ? (double)d.chosen : 0);
}
