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

/* Constants; written through one port and read through another; the same with a second reader. */
typedef enum kind { ROM, RAM, WRITTEN } kind;

/* Block RAMs of 18 kbit for depth words of width bits, in the shape that takes fewest
 * (docs/layers.md, memories). A port that both reads and writes has words of 18 bits at most. */
static uint64_t
bram18(kind k, uint64_t depth, uint64_t width)
{
    static const uint64_t shapes[][2] = {{16384, 1}, {8192, 2},  {4096, 4},
                                         {2048, 9},  {1024, 18}, {512, 36}};
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i + (k == WRITTEN) < NASHC_COUNT(shapes); i++) {
        uint64_t n = ceil_div(depth, shapes[i][0]) * ceil_div(width, shapes[i][1]);
        least = n < least ? n : least;
    }
    return least;
}

/* Does a memory that nobody decided upon become block RAM? As Yosys decides for a RAM; a ROM is as
 * many LUTs as it has words of 64, which is what a block RAM must be worth. */
static bool
wants_block(kind k, uint64_t depth, uint64_t width)
{
    if (depth <= 64)
        return false;
    return k == ROM ? width * ceil_div(depth, 64) >= COST_BRAM18_LUTS * bram18(k, depth, width)
                    : depth * width > 1024;
}

/* 64 words of a RAM take 8 LUTs for 7 bits; one for 32 words more takes half as many. */
static uint64_t
memory_luts(kind k, uint64_t depth, uint64_t width)
{
    if (k == WRITTEN)
        return depth > 32 ? 2 * width * ceil_div(depth, 64) : width;
    if (k == ROM)
        return width * ceil_div(depth, 64);
    return depth > 32 ? ceil_div(width * 8, 7) * ceil_div(depth, 64) : ceil_div(width * 4, 7);
}

static void
add_memory(nashc_cost *c, kind k, int64_t style, uint64_t depth, uint64_t width)
{
    if (style == COST_ULTRA) {
        c->uram += ceil_div(depth, 4096) * ceil_div(width, 72);
        c->uram_efficiency = (double)(depth * width) / ((double)c->uram * 294912.0);
    } else if (style == COST_BLOCK || (style == COST_AUTO && wants_block(k, depth, width))) {
        c->bram18 += bram18(k, depth, width);
        c->bram_efficiency = (double)(depth * width) / ((double)c->bram18 * 18432.0);
    } else {
        c->lut += memory_luts(k, depth, width);
        c->ff += k == WRITTEN ? width : 0; /* the line that AXI-Lite reads */
    }
}

void
cost_ram(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width)
{
    add_memory(c, RAM, style, depth, width);
}

void
cost_rom(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width)
{
    if (depth > 1) /* a single word is a constant */
        add_memory(c, ROM, style, depth, width);
}

void
cost_written(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width)
{
    uint64_t words = (uint64_t)1 << cost_clog2(ceil_div(width, 32)), kept = 32 * (words - 1);

    add_memory(c, WRITTEN, style, depth, width);
    c->lut += 16 + 26 * (words - 1);
    c->ff += 4 + (kept < width ? kept : width) + (width < 32 ? width : 32);
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
            cost_rom(c, ram_style, folds, pe * steps * width);
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        c->lut += pe * (width / 2 + 2);
        c->ff += pe * 2 * (width + n);
        for (uint64_t p = 0; p < pe && folds << k > 1; p++)
            cost_rom(c, ram_style, folds << k, width);
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
