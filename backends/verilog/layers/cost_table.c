/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.36, 0.982},
    [COST_COUNT] = {0, 1.46},
    [COST_ROM] = {1.06},
    [COST_RAM] = {0.427},
    [COST_XNOR] = {1.22, 0.0126, 1.32, 0.00308},
    [COST_PLUS_MINUS] = {1.43, 0.575, 1.08},
    [COST_PLANES] = {1.08, 0.226, 0, 0.494},
    [COST_MULTIPLY] = {1.99, 0.448, 0.834},
    [COST_PACKED] = {0.457, 1.27, 0, 2.86},
    [COST_LUT_PRODUCT] = {1.06},
    [COST_ACCUMULATE] = {0, 1.56, 0.486},
    [COST_REPLAY] = {1.35, 0.78},
    [COST_PARALLEL] = {0.118, 0.674, 0.473, 1.23, 0.248},
    [COST_SEARCH] = {0.116, 0.684, 0.696},
    [COST_REQUANT] = {0.86, 0.378, 1.47, 0.572},
    [COST_ELEMENTWISE] = {1, 0.99, 0.578, 1.13, 0.262},
    [COST_TABLE] = {0.605, 0.569, 1.15},
    [COST_ADD_STREAMS] = {3.7},
    [COST_RING] = {0, 0.749, 2.27, 1.96, 3.12},
    [COST_LINE] = {4.48, 0.91, 1.43},
    [COST_LOOPS] = {0.426, 0.827},
    [COST_POOL] = {1.06, 0.534, 1.28, 1.4},
    [COST_PADDING] = {3.39, 1.43},
    [COST_PARTS] = {1.05, 1.74, 1.11},
    [COST_SELECT] = {0.865, 3.11, 1.27, 0.937},
    [COST_DWC] = {1.37, 1.01, 0.974, 0.989},
    [COST_FIFO] = {9.51, 2.14, 0.992, 1.57},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
