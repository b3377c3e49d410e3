/* cost.h: what parts of layers cost: LUTs by coefficients fitted to Yosys, registers and blocks by
 * counting what the Verilog has. */
#ifndef NASHC_VERILOG_COST_H
#define NASHC_VERILOG_COST_H

#include <nashc/model.h>

/* Full efficiency of memories that are not there: the start of a sum. */
#define COST_START .bram_efficiency = 1, .uram_efficiency = 1

/* ceil(log2(v)), 0 for v <= 1: bits of a counter below v. */
int cost_clog2(uint64_t v);

/* What layers are made of. The LUTs of a part are the sum of its terms, each times a coefficient of
 * cost_table.c; the comments name the terms. Operand bits: all bits that a sum adds up. */
enum cost_part {
    COST_SKID,  /* outputs; their bits */
    COST_COUNT, /* counters; their bits */
    COST_ROM,   /* bits of words of 64 lines */
    COST_RAM,   /* choices between 4 rows of RAM cells, of a bit each */
    COST_XNOR,  /* products; bits of their counts; of the additions of these; of dot products */
    COST_PLUS_MINUS, /* operand bits of the sums; bits that extend signs; bits of the sums */
    COST_PLANES,     /* bits of the chains; of sums of pairs; of the gated sums; of theirs */
    COST_MULTIPLY,   /* operand bits of the sums; bits that extend signs; bits of the sums */
    COST_PACKED,     /* operand bits of the sums; that extend signs; of the sums; of the sum of x */
    COST_LUT_PRODUCT, /* bits of products in LUTs, squared */
    COST_ACCUMULATE,  /* accumulators of a step; their bits; their bits if they are in a memory */
    COST_REPLAY,      /* layers; bits of a beat that is kept */
    COST_PARALLEL,    /* comparisons; their bits; or with constants; bits of the results; of
                       * comparisons   with constants beyond four of a lane */
    COST_SEARCH,      /* comparisons; their bits; those with one of more than 8 words */
    COST_REQUANT,     /* bits of the sums; of what is clamped; of results; of products, squared */
    COST_ELEMENTWISE, /* bits of sums; of comparisons; of choices; of products, squared; of those
                       * of few constants */
    COST_TABLE,       /* lanes; bits of addresses; of those less the least value */
    COST_ADD_STREAMS, /* layers */
    COST_RING,        /* layers; bits of distances; of addresses; of those that wrap; functions of
                       * the loops that go on */
    COST_LINE,        /* layers; bits of the count; of addresses of memories */
    COST_LOOPS,       /* loops; bits of their counters */
    COST_POOL,        /* bits of sums; of comparisons; of choices; of words past the
                       * memory; of comparisons of few bits, which are mapped for depth */
    COST_PADDING,     /* layers; bits of positions; of beats */
    COST_PARTS,       /* layers; bits of the counter; of beats that are chosen from */
    COST_SELECT, /* bits of comparisons; of candidates of a list; of the index; of candidates of
                  * a tree's nodes */
    COST_DWC,    /* layers; bits that are loaded; shifted to narrower words; to wider ones */
    COST_FIFO,   /* layers with a memory; bits of its addresses; of its beats; of a count */
    COST_PARTS_N
};
enum { COST_TERMS = 5 };

/* The coefficients of a part. */
const double *cost_coefficients(enum cost_part part);

/* Adds the LUTs of a part. */
void cost_luts(nashc_cost *c, enum cost_part part, const double terms[COST_TERMS]);
#define COST_LUTS(c, part, ...) cost_luts(c, part, (const double[COST_TERMS]){__VA_ARGS__})

/* A pipe of latency stages and a skid for each of outputs of width bits. */
void cost_pipe(nashc_cost *c, uint64_t latency, uint64_t outputs, uint64_t width);

/* nashc_line_end: the word of width bits before a line whose registers are the output. */
void cost_line_end(nashc_cost *c, uint64_t width);

/* A counter from 0 below count. */
void cost_counter(nashc_cost *c, uint64_t count);

/* Values of the ram_style attributes; auto, of words that are there as soon as their address is. */
enum { COST_AUTO, COST_BLOCK, COST_DISTRIBUTED, COST_ULTRA, COST_AT_ONCE };

/* LUTs that a block RAM of 18 kbit, and a multiplier block, are worth (docs/folding.md, exact). */
#define COST_BRAM18_LUTS 150
#define COST_DSP_LUTS    60

/* Adds a memory of depth words of width bits, that is written, or of constants with the register of
 * the read (docs/layers.md, memories), on dev (NULL: any); true: in a block. The efficiencies are
 * those of the last memory of their kind. */
bool cost_ram(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth,
              uint64_t width);
bool cost_rom(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth,
              uint64_t width);

/* The same of a memory whose word is read as the next one is written in its place. */
bool cost_delay(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth,
                uint64_t width);

/* Adds nashc_weight_memory: a memory that AXI-Lite reads and writes through a second port, which
 * halves the widest words of a block RAM, and the registers of a line. */
void cost_written(nashc_cost *c, const nashc_device *dev, int64_t style, uint64_t depth,
                  uint64_t width);

/* Columns that differ of width random ones of depth > 1 bits, without constant ones: equal ones,
 * and what hangs on them alone, are made once. */
uint64_t cost_columns(uint64_t depth, uint64_t width);

/* Thresholds: steps of them on each of pe lanes of width bits, in folds rows (1: constants). */
typedef struct cost_steps {
    const nashc_device *dev; /* NULL: any */
    bool parallel;
    uint64_t pe, steps, width, folds;
    uint64_t bits, out; /* of a threshold and of a result */
    int64_t ram_style;
} cost_steps;

void cost_thresholds(nashc_cost *c, const cost_steps *s);

/* A product of a by b bits on dev: in DSPs if it is wide and dev (NULL: any) has them? And how many
 * it takes. */
bool cost_wants_dsp(uint64_t a, uint64_t b, const nashc_device *dev);

/* The same where nobody tells Yosys: blocks take products, cut to out bits, of 9 bits and more. */
bool cost_takes_dsp(uint64_t a, uint64_t b, uint64_t out, const nashc_device *dev);
uint64_t cost_dsps(uint64_t a, uint64_t b);

/* The LUTs counted so far, of 6 inputs, in those of dev. */
void cost_fit(nashc_cost *c, const nashc_device *dev);

#endif
