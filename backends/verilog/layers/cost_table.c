/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.31, 0.99},
    [COST_COUNT] = {0, 1.33},
    [COST_ROM] = {1.09},
    [COST_RAM] = {0.213},
    [COST_XNOR] = {1.09, 1.46, 0.329},
    [COST_PLUS_MINUS] = {1.18, 0.576, 1.51},
    [COST_PLANES] = {1.12, 0.597, 0.131, 1.05},
    [COST_MULTIPLY] = {0.562, 4.1, 0.291},
    [COST_PACKED] = {1.05, 1.27, 0.0671, 0.314},
    [COST_ACCUMULATE] = {0.937, 0.875, 0.363},
    [COST_REPLAY] = {5.43, 1.3},
    [COST_PARALLEL] = {0.0756, 0.656, 0.441, 1.3},
    [COST_SEARCH] = {0, 0.539},
    [COST_REQUANT] = {0.751, 0.776, 0.224, 0.572},
    [COST_CHANNELWISE] = {0, 0.89, 1.48, 0.219},
    [COST_TABLE] = {0.147, 0.596, 1.17},
    [COST_ADD_STREAMS] = {1.47, 0.885, 1.74},
    [COST_RING] = {11, 2.1, 8.56},
    [COST_LINE] = {3.31, 0.525},
    [COST_LOOPS] = {5.76, 0.512},
    [COST_POOL] = {0.684, 1.07, 1.85, 0.472},
    [COST_PADDING] = {3.52, 1.32, 0.0577},
    [COST_PARTS] = {1.85, 1.39, 1.14},
    [COST_SELECT] = {0, 1, 1.48},
    [COST_DWC] = {1.58, 1.12, 0.891, 1.38},
    [COST_FIFO] = {13.3, 1.84, 0.9, 1.59},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
