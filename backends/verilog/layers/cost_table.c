/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.27, 0.997},
    [COST_COUNT] = {0.104, 1.23},
    [COST_ROM] = {1.12},
    [COST_RAM] = {1.47},
    [COST_XNOR] = {1.56, 1.18, 0.0493},
    [COST_PLUS_MINUS] = {0.998, 0.734, 1.54},
    [COST_PLANES] = {0.982, 0, 0.786, 0.284},
    [COST_MULTIPLY] = {0.194, 5.58, 0.885},
    [COST_PACKED] = {0.923, 1.27, 0.18, 1.22},
    [COST_ACCUMULATE] = {2.84, 0.933, 0.0725},
    [COST_REPLAY] = {2.67, 0.0282},
    [COST_PARALLEL] = {0, 0.693, 0.49, 0.799, 0.368},
    [COST_SEARCH] = {0, 0.725, 0.647},
    [COST_REQUANT] = {0.787, 0.725, 0.369, 0.572},
    [COST_ELEMENTWISE] = {0.984, 0.66, 0.944, 1.09, 0.262},
    [COST_TABLE] = {0.15, 0.586, 1.82},
    [COST_ADD_STREAMS] = {3.7},
    [COST_RING] = {16.1, 1.02, 0.803, 1.34, 1.17},
    [COST_LINE] = {1.38, 1.29, 0.689},
    [COST_LOOPS] = {1.96, 1.08},
    [COST_POOL] = {1.1, 0.655, 1.2, 1.4, 1.23},
    [COST_PADDING] = {2.93, 1.35, 0.0975},
    [COST_PARTS] = {1.83, 1.39, 1.09},
    [COST_SELECT] = {0.91, 2.76, 1.28, 0.91},
    [COST_DWC] = {1.29, 1.04, 0.993, 0.973},
    [COST_FIFO] = {14.2, 1.49, 1.09, 1.18},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
