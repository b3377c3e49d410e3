/* products.h: ways to multiply in nashc_mac. */
#ifndef NASHC_VERILOG_PRODUCTS_H
#define NASHC_VERILOG_PRODUCTS_H

#include "cost.h"

/* What operands of those types are to nashc_mac: its MODE. */
enum { XNOR, PM1_W, PRODUCT, PM1_X };
int products_mode(const nashc_type *x, const nashc_type *w);

/* How many of rows that share an x share a multiplier block (nashc_rows_packed); 1: none does. */
int64_t products_lanes(const nashc_type *x, const nashc_type *w, int64_t rows);

/* What a step computes: pe rows of simd products, in blocks of rows that share an x, and lanes rows
 * a multiplier; accumulators of a row (0: a step is a result), folds of results with thresholds of
 * their own; piped: with a register inside the sum; lines of constant weights. */
typedef struct mac_shape {
    uint64_t pe, simd, blocks, accs, folds, piped, lines;
    int64_t lanes;
} mac_shape;

/* What a way to multiply takes: bits of its parts, as COST_PLANES and so on name them, and bits of
 * products in LUTs, squared; of these all `adders` are a LUT each; what else is counted. */
typedef struct products {
    enum cost_part part;
    double terms[COST_TERMS], in_luts, adders;
    uint64_t lut, ff, dsp;
} products;

/* Of products that are added up, those that count: half of those with constants vanish, and of a
 * few lines of weights some bits are the same in all. */
double products_counted(const mac_shape *z, uint64_t all);

/* Bits that extend signs of operands of so many bits to those of their sum. */
double products_extension(const nashc_type *t, uint64_t bits, uint64_t sum);

/* Sums of sum bits: of what bits of an operand choose, or with products in multiplier blocks of dev
 * (NULL: any), those that Yosys takes none for in LUTs. */
products products_in_planes(const mac_shape *z, const nashc_type *x, const nashc_type *w,
                            uint64_t sum);
products products_in_blocks(const mac_shape *z, const nashc_type *x, const nashc_type *w,
                            const nashc_device *dev, uint64_t sum);

/* LUT equivalents, to choose by. A bit of an adder is a LUT: coefficients follow from designs, so
 * that designs must not follow from them. */
double products_price(const products *p);

#endif
