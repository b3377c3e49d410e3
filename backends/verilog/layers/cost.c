/* cost.c: what parts of layers cost: memories, thresholds, counters, outputs. */
#include "cost.h"
#include "emit.h"
#include <math.h>

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

/* Constants; written through one port and read through another; the same with a second reader;
 * written where it is read. */
typedef enum kind { ROM, RAM, WRITTEN, DELAY } kind;

/* Has dev block RAMs of 4 kbit and no LUT RAM? */
static bool
has_small_blocks(const nashc_device *dev)
{
    return dev && dev->ram_bits == 4096;
}

/* Block RAMs of dev for depth words of width bits, in the shape that takes fewest (docs/layers.md,
 * memories). A port that both reads and writes has words of 18 bits at most. */
static uint64_t
blocks(const nashc_device *dev, kind k, uint64_t depth, uint64_t width)
{
    static const uint64_t shapes[][2] = {{16384, 1}, {8192, 2},  {4096, 4},
                                         {2048, 9},  {1024, 18}, {512, 36}};
    static const uint64_t small[][2] = {{2048, 2}, {1024, 4}, {512, 8}, {256, 16}};
    const uint64_t(*all)[2] = has_small_blocks(dev) ? small : shapes;
    size_t count =
        has_small_blocks(dev) ? NASHC_COUNT(small) : NASHC_COUNT(shapes) - (k == WRITTEN);
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < count; i++) {
        uint64_t n = ceil_div(depth, all[i][0]) * ceil_div(width, all[i][1]);
        least = n < least ? n : least;
    }
    return least;
}

/* RAM cells of 8 LUTs: 14 bits of 32 words, or 7 of 64, whichever is used better. Where there are
 * several rows of them, the outputs are chosen from. */
typedef struct ram_cells {
    uint64_t rows, bits;
} ram_cells;

/* What Yosys reckons for cells of width bits: 16 for a whole one, about 0.45 for a choice between
 * bits of two, and half a LUT to enable a row. */
static double
reckoned(ram_cells r, uint64_t width)
{
    double rows = (double)r.rows, w = (double)width;

    return w * (rows * 16 / (double)r.bits + (rows - 1) * 0.45) + rows * 0.5;
}

static ram_cells
ram_cells_of(uint64_t depth, uint64_t width)
{
    ram_cells low = {ceil_div(depth, 32), 14}, high = {ceil_div(depth, 64), 7};

    return reckoned(low, width) < reckoned(high, width) ? low : high;
}

/* Does a memory that nobody decided upon become block RAM? Yosys reckons 129 for a block (64 for
 * one of 4 kbit), a 64th (a 16th) for a bit of a ROM, and 1 for a register. */
static bool
wants_block(const nashc_device *dev, kind k, uint64_t depth, uint64_t width)
{
    bool small = has_small_blocks(dev);
    double bits = (double)(depth * width), block = small ? 64 : 129;
    double cells = k == ROM ? bits / (small ? 16 : 64)
                   : small  ? bits
                            : reckoned(ram_cells_of(depth, width), width);

    cells *= k == WRITTEN ? 2 : 1; /* a second port */
    return (small || depth > 64) && cells >= block * (double)blocks(dev, k, depth, width);
}

/* Few words that are read at once become registers: Yosys reckons 1 for each, and 8 more for a
 * memory than for its cells. */
static bool
wants_registers(int64_t style, uint64_t depth, uint64_t width)
{
    return style == COST_AT_ONCE &&
           (double)(depth * width) < 8 + reckoned(ram_cells_of(depth, width), width);
}

/* Without LUT RAM: registers, and choices between them. */
static void
add_ram_cells(nashc_cost *c, const nashc_device *dev, kind k, int64_t style, uint64_t depth,
              uint64_t width)
{
    ram_cells r = ram_cells_of(depth, width);

    if (has_small_blocks(dev) || wants_registers(style, depth, width)) {
        c->ff += depth * width;
        c->lut += depth * width * 5 / 12;
        return;
    }
    if (k == WRITTEN) /* cells with a second port: 2 LUTs for a bit of 64 words */
        c->lut += width * (depth > 32 ? 2 * ceil_div(depth, 64) : 1);
    else if (k == DELAY && depth > 32 && depth <= 512) { /* cells of a bit with one port */
        c->lut += width * ceil_div(depth, 64);
        return;
    } else
        c->lut += 8 * r.rows * ceil_div(width, r.bits);
    if (r.rows > 1) /* beyond four rows, choices among choices have cells of their own */
        COST_LUTS(c, COST_RAM, (double)(ceil_div(r.rows, 4) * width));
}

/* Chance gives each of the 2^depth columns alike; free ones cost nothing. */
static uint64_t
columns(uint64_t depth, uint64_t width, uint64_t free)
{
    double all;

    if (depth >= 32)
        return width;
    all = (double)((uint64_t)1 << depth);
    return (uint64_t)((all - (double)free) * (1 - exp(-(double)width / all)) + 0.5);
}

uint64_t
cost_columns(uint64_t depth, uint64_t width)
{
    return columns(depth, width, 2);
}

static bool
add_memory(nashc_cost *c, const nashc_device *dev, kind k, int64_t style, uint64_t depth,
           uint64_t width)
{
    if (style == COST_ULTRA) {
        c->uram += ceil_div(depth, 4096) * ceil_div(width, 72);
        c->uram_efficiency = (double)(depth * width) / ((double)c->uram * 294912.0);
        return true;
    }
    if (style == COST_BLOCK || (style == COST_AUTO && wants_block(dev, k, depth, width))) {
        c->bram18 += blocks(dev, k, depth, width);
        c->bram_efficiency = (double)(depth * width) /
                             ((double)c->bram18 * (has_small_blocks(dev) ? 4096.0 : 18432.0));
        return true;
    }
    if (k != ROM) {
        add_ram_cells(c, dev, k, style, depth, width);
        c->ff += k == WRITTEN ? 2 * width : 0; /* the line that is read, and the one of AXI-Lite */
        return false;
    }
    /* what equals a bit of the address is a register, but no LUT */
    uint64_t logic = columns(depth, width, 2 + (uint64_t)cost_clog2(depth));
    COST_LUTS(c, COST_ROM, (double)(logic * ceil_div(depth, 64)));
    c->ff += cost_columns(depth, width);
    return false;
}

bool
cost_ram(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth, uint64_t width)
{
    return add_memory(c, dev, RAM, style, depth, width);
}

bool
cost_rom(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth, uint64_t width)
{
    return depth > 1 &&
           add_memory(c, dev, ROM, style, depth, width); /* a single word is a constant */
}

bool
cost_delay(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth, uint64_t width)
{
    return add_memory(c, dev, DELAY, style, depth, width);
}

void
cost_written(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth, uint64_t width)
{
    uint64_t words = (uint64_t)1 << cost_clog2(ceil_div(width, 32)), kept = 32 * (words - 1);

    add_memory(c, dev, WRITTEN, style, depth, width);
    c->lut += 16 + 26 * (words - 1);
    c->ff += 4 + (kept < width ? kept : width) + (width < 32 ? width : 32);
}

void
cost_luts(nashc_cost *c, enum cost_part part, const double terms[COST_TERMS])
{
    const double *by = cost_coefficients(part);
    double sum = 0;

    for (int i = 0; i < COST_TERMS; i++)
        sum += terms[i] * by[i];
    c->lut += (uint64_t)(sum + 0.5);
}

void
cost_pipe(nashc_cost *c, uint64_t latency, uint64_t outputs, uint64_t width)
{
    COST_LUTS(c, COST_SKID, (double)outputs, (double)(outputs * width));
    c->ff += latency + outputs * (2 + 2 * width);
}

/* As a skid: a choice for each bit. */
void
cost_line_end(nashc_cost *c, uint64_t width)
{
    COST_LUTS(c, COST_SKID, 1, (double)width);
    c->ff += 2 + width;
}

void
cost_counter(nashc_cost *c, uint64_t count)
{
    uint64_t bits = (uint64_t)cost_clog2(count);

    COST_LUTS(c, COST_COUNT, bits > 0, (double)bits);
    c->ff += bits;
}

/* Of two rows each bit of a threshold is constant or the bit of the fold: a result is a function of
 * that and x, of at most 6 bits. */
static bool
is_table(const cost_steps *s)
{
    return s->folds == 2 && s->width < 6;
}

/* All comparisons at once, and a count of them. */
static void
parallel(nashc_cost *c, const cost_steps *s)
{
    uint64_t all = s->pe * s->steps;
    double bits = (double)(all * (s->width > 3 ? s->width : 1)); /* a LUT holds a narrow one */
    bool few = s->width <= 6; /* with constants a result is a function of x alone */

    /* comparisons of one x with constants have parts in common: some of many */
    double of_few = s->steps > 4 ? bits * 4 / (double)s->steps : bits;
    bool constant = s->folds == 1 && !few, compared = s->folds > 1 && !is_table(s);
    COST_LUTS(c, COST_PARALLEL, compared ? (double)all : 0, compared ? bits : 0,
              constant ? of_few : 0, (double)(s->pe * s->out), constant ? bits - of_few : 0);
    c->ff += s->pe * s->out;
    cost_rom(c, s->dev, s->ram_style, s->folds, all * s->bits);
}

/* A stage for each bit of the count: a memory, or a choice between few words that is part of the
 * comparison, and the bits found so far; x and the fold go along from comparison to comparison. */
static void
search(nashc_cost *c, const cost_steps *s)
{
    uint64_t n = (uint64_t)emit_stages((int64_t)s->steps), bits = (uint64_t)cost_clog2(s->folds);

    uint64_t cycles = emit_search_cycles((int64_t)s->steps, (int64_t)s->folds) - 1;

    uint64_t wide = 0; /* stages whose choice fills the LUT of a comparison */

    c->ff += cycles * (s->pe * s->width + bits) + s->pe * s->out;
    for (uint64_t k = 0; k < n; k++) {
        bool memory = emit_search_memory((int64_t)s->folds, (int)k);
        c->ff += k * s->pe * (memory ? 2 : 1);
        wide += !memory && s->folds << k > 8;
        for (uint64_t p = 0; p < s->pe && memory; p++)
            cost_rom(c, s->dev, s->ram_style, s->folds << k, s->bits);
    }
    COST_LUTS(c, COST_SEARCH, (double)(s->pe * n), (double)(s->pe * n * s->width),
              (double)(s->pe * wide * s->width));
}

void
cost_thresholds(nashc_cost *c, const cost_steps *s)
{
    if (s->parallel)
        parallel(c, s);
    else
        search(c, s);
}

bool
cost_wants_dsp(uint64_t a, uint64_t b, const nashc_device *dev)
{
    return a + b > 9 && (!dev || dev->dsp_a > 0);
}

bool
cost_takes_dsp(uint64_t a, uint64_t b, uint64_t out, const nashc_device *dev)
{
    return a > 1 && b > 1 && out > 8 && (!dev || dev->dsp_a > 0);
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
