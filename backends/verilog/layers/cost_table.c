/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.29, 0.997},
    [COST_COUNT] = {0, 1.26},
    [COST_ROM] = {1.12},
    [COST_RAM] = {1.55},
    [COST_XNOR] = {1.3, 1.42},
    [COST_PLUS_MINUS] = {0.904, 0.868, 1.55},
    [COST_PLANES] = {0.86, 0, 0.892, 0.279},
    [COST_MULTIPLY] = {0.551, 5.04},
    [COST_PACKED] = {0.832, 1.27, 0, 1.52},
    [COST_ACCUMULATE] = {0, 1.09, 0.33},
    [COST_REPLAY] = {3.93, 1.28},
    [COST_PARALLEL] = {0, 0.66, 0.53, 1.07, 0.35},
    [COST_SEARCH] = {0, 0.728, 0.644},
    [COST_REQUANT] = {0.773, 0.724, 0.368, 0.572},
    [COST_ELEMENTWISE] = {1, 0.75, 1, 1.3, 1.2},
    [COST_TABLE] = {0.102, 0.566, 1.85},
    [COST_ADD_STREAMS] = {3},
    [COST_RING] = {6.62, 1.72, 1.11, 0.417, 1.56},
    [COST_LINE] = {1.27, 1.29, 0.677},
    [COST_LOOPS] = {2.18, 1.04},
    [COST_POOL] = {1.1, 0.653, 1.2, 1.4, 1.24},
    [COST_PADDING] = {3, 1.38, 0.0858},
    [COST_PARTS] = {1.8, 1.39, 1.09},
    [COST_SELECT] = {1.99, 2.11, 0.56, 1.62, 3.75},
    [COST_DWC] = {1.32, 1.04, 0.993, 0.973},
    [COST_FIFO] = {13.9, 1.48, 1.1, 1.18},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
