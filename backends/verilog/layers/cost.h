/* cost.h: what parts of layers cost: memories, thresholds, counters. Fitted to Yosys. */
#ifndef NASHC_VERILOG_COST_H
#define NASHC_VERILOG_COST_H

#include <nashc/model.h>

/* Full efficiency of memories that are not there: the start of a sum. */
#define COST_START .bram_efficiency = 1, .uram_efficiency = 1

/* ceil(log2(v)), 0 for v <= 1: bits of a counter below v. */
int cost_clog2(uint64_t v);

/* Values of the ram_style attributes. */
enum { COST_AUTO, COST_BLOCK, COST_DISTRIBUTED, COST_ULTRA };

/* LUTs that a block RAM of 18 kbit, and a multiplier block, are worth (docs/folding.md, exact). */
#define COST_BRAM18_LUTS 150
#define COST_DSP_LUTS    120

/* Adds a memory of depth words of width bits, that is written, or of constants (docs/layers.md,
 * memories). The efficiencies are those of the last memory of their kind. */
void cost_ram(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width);
void cost_rom(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width);

/* Adds nashc_weight_memory: a memory that AXI-Lite reads and writes through a second port, which
 * halves the widest words of a block RAM, and the registers of a line. */
void cost_written(nashc_cost *c, int64_t style, uint64_t depth, uint64_t width);

/* Adds thresholds on pe lanes of width bits, steps of them in each of folds rows a lane. */
void cost_thresholds(nashc_cost *c, bool parallel, uint64_t pe, uint64_t steps, uint64_t width,
                     uint64_t folds, int64_t ram_style);

/* A product of a by b bits on dev: in DSPs if it is wide and dev (NULL: any) has them? And how many
 * it takes. */
bool cost_wants_dsp(uint64_t a, uint64_t b, const nashc_device *dev);
uint64_t cost_dsps(uint64_t a, uint64_t b);

/* The LUTs counted so far, of 6 inputs, in those of dev. */
void cost_fit(nashc_cost *c, const nashc_device *dev);

#endif
