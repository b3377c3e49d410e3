/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.3, 0.989},
    [COST_COUNT] = {0, 1.36},
    [COST_ROM] = {1.09},
    [COST_RAM] = {0.213},
    [COST_XNOR] = {1.09, 1.45, 0.319},
    [COST_PLUS_MINUS] = {1.2, 0.557, 1.45},
    [COST_PLANES] = {1.1, 0.597, 0.15, 1.05},
    [COST_MULTIPLY] = {0.567, 4.11, 0.287},
    [COST_PACKED] = {1.05, 1.27, 0.0631, 0.295},
    [COST_ACCUMULATE] = {0.474, 0.882, 0.346},
    [COST_REPLAY] = {5.6, 1.28},
    [COST_PARALLEL] = {0.096, 0.672, 0.445, 1.22},
    [COST_SEARCH] = {0, 0.547},
    [COST_REQUANT] = {0.72, 0.789, 0.204, 0.572},
    [COST_CHANNELWISE] = {0, 0.886, 1.46, 0.22},
    [COST_TABLE] = {0.147, 0.596, 1.17},
    [COST_ADD_STREAMS] = {1.49, 0.885, 1.74},
    [COST_RING] = {11.2, 2.13, 8.48},
    [COST_LINE] = {3.45, 0.487},
    [COST_LOOPS] = {5.93, 0.438},
    [COST_POOL] = {0.588, 0.912, 1.85, 0.57},
    [COST_PADDING] = {3.46, 1.32, 0.0591},
    [COST_PARTS] = {1.86, 1.37, 1.15},
    [COST_SELECT] = {0, 1, 1.48},
    [COST_DWC] = {1.52, 1.12, 0.911, 1.38},
    [COST_FIFO] = {13.3, 1.84, 0.9, 1.59},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
