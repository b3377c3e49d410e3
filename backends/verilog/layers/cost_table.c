/* cost_table.c: LUTs for each unit of the terms of a part (cost.h), of 6 inputs, as Yosys 0.23 makes them
 * (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md). */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.3, 0.995},
    [COST_COUNT] = {0.187, 1.26},
    [COST_ROM] = {1.07},
    [COST_RAM] = {0.311},
    [COST_XNOR] = {1.38, 0.284, 1.21},
    [COST_PLUS_MINUS] = {0.582, 0.952, 2.1},
    [COST_PLANES] = {1.05, 0.407, 0.164, 1.07},
    [COST_MULTIPLY] = {0.799, 4.22, 0.187},
    [COST_PACKED] = {1.12, 0.289, 0.176, 0.416},
    [COST_ACCUMULATE] = {0, 0.781, 0.288},
    [COST_REPLAY] = {0.0101, 2.68},
    [COST_PARALLEL] = {0, 0.702, 0.431, 0.45},
    [COST_SEARCH] = {0, 0.576},
    [COST_REQUANT] = {0.612, 0.642, 0.989, 0.572},
    [COST_CHANNELWISE] = {0, 0.864, 1.53, 0.215},
    [COST_TABLE] = {0.0485, 0.835},
    [COST_ADD_STREAMS] = {2.71, 0.868, 1.29},
    [COST_RING] = {24.8, 1.84, 7.25},
    [COST_LINE] = {0, 0.38, 2.15},
    [COST_LOOPS] = {1.51, 1.61},
    [COST_POOL] = {1.98, 2.07, 1.76, 0.536},
    [COST_PADDING] = {0, 1.52, 0.0395},
    [COST_PARTS] = {1.68, 1.62, 1.07},
    [COST_SELECT] = {0, 1.3, 1.39},
    [COST_DWC] = {1.04, 0.987, 0.494, 1.44},
    [COST_FIFO] = {14.2, 1.97, 1.15, 1.15},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
