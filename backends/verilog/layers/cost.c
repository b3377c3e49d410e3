/* cost.c: what parts of layers cost: memories, thresholds, counters. */
#include "cost.h"
#include "emit.h"

static uint64_t
ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

int
cost_clog2(uint64_t v)
{
    int n = 0;

    while (n < 63 && ((uint64_t)1 << n) < v)
        n++;
    return n;
}

/* Block RAMs of 18 kbit for depth words of width bits (docs/layers.md, memories). */
static uint64_t
bram18(uint64_t depth, uint64_t width)
{
    if (depth == 0 || width == 0)
        return 0;
    if (width == 1)
        return ceil_div(depth, 16384);
    if (width == 2)
        return ceil_div(depth, 8192);
    if (width <= 4)
        return ceil_div(depth, 4096) * ceil_div(width, 4);
    if (width <= 9)
        return ceil_div(depth, 2048) * ceil_div(width, 9);
    if (width <= 18 || depth > 512)
        return ceil_div(depth, 1024) * ceil_div(width, 18);
    return ceil_div(depth, 512) * ceil_div(width, 36);
}

void
cost_memory(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width)
{
    if (style == 3) {
        c->uram += ceil_div(depth, 4096) * ceil_div(width, 72);
        c->uram_efficiency = (double)(depth * width) / ((double)c->uram * 294912.0);
    } else if (style == 1 || (style == 0 && depth > 64 && depth * width > 4096)) {
        c->bram18 += bram18(depth, width);
        c->bram_efficiency = (double)(depth * width) / ((double)c->bram18 * 18432.0);
    } else {
        c->lut += width * ceil_div(depth, 64);
    }
}

void
cost_thresholds(nashc_cost *c, bool parallel, uint64_t pe, uint64_t steps, uint64_t width,
                uint64_t folds, int64_t ram_style)
{
    uint64_t n = (uint64_t)emit_stages((int64_t)steps);

    if (parallel) {
        c->lut += pe * steps * (width / 2 + 1);
        c->ff += pe * n;
        if (folds > 1)
            cost_memory(c, ram_style, folds, pe * steps * width);
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        c->lut += pe * (width / 2 + 2);
        c->ff += pe * 2 * (width + n);
        for (uint64_t p = 0; p < pe && folds << k > 1; p++)
            cost_memory(c, ram_style, folds << k, width);
    }
}

bool
cost_wants_dsp(uint64_t a, uint64_t b, const nashc_device *dev)
{
    return a + b > 9 && (!dev || dev->dsp_a > 0);
}

uint64_t
cost_dsps(uint64_t a, uint64_t b)
{
    return ceil_div(a + b, 48);
}

void
cost_fit(nashc_cost *c, const nashc_device *dev)
{
    if (dev && dev->lut_inputs > 0 && dev->lut_inputs < 6)
        c->lut = c->lut * 8 / 5;
}
