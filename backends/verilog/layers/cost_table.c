/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.32, 0.992},
    [COST_COUNT] = {0, 1.15},
    [COST_ROM] = {1.05},
    [COST_RAM] = {0.586},
    [COST_XNOR] = {1.19, 0.937, 0.956},
    [COST_PLUS_MINUS] = {1.09, 0.607, 2.3},
    [COST_PLANES] = {1.22, 0.589, 0.259, 0.95},
    [COST_MULTIPLY] = {0.757, 3.48, 0.319},
    [COST_PACKED] = {0.987, 1.47, 0.293, 0.313},
    [COST_ACCUMULATE] = {5.74, 0.67, 0.321},
    [COST_REPLAY] = {3.46, 1.27},
    [COST_PARALLEL] = {0, 0.67, 0.143, 1.24},
    [COST_SEARCH] = {0, 0.552},
    [COST_REQUANT] = {0.796, 0.721, 0.366, 0.572},
    [COST_CHANNELWISE] = {0, 0.921, 1.64, 0.217},
    [COST_TABLE] = {0.182, 0.653},
    [COST_ADD_STREAMS] = {1.88, 0.879, 1.3},
    [COST_RING] = {25.1, 2.51, 5.26},
    [COST_LINE] = {0.622, 0.979},
    [COST_LOOPS] = {3.86, 1.5},
    [COST_POOL] = {1.21, 1.58, 1.83, 0.803},
    [COST_PADDING] = {4.17, 1.23, 0.105},
    [COST_PARTS] = {1.82, 1.37, 1.12},
    [COST_SELECT] = {0, 0.878, 1.57},
    [COST_DWC] = {1.65, 0.986, 0.49, 1.42},
    [COST_FIFO] = {12.8, 1.64, 1.03, 1.38},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
