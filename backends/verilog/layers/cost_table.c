/* cost_table.c: LUTs of 6 inputs for each unit of the terms of a part (cost.h), as Yosys 0.23 makes
 * them (synth_xilinx -family xcup). Written by tests/bench/estimates.py --fit (docs/estimates.md).
 */
#include "cost.h"

static const double table[COST_PARTS_N][COST_TERMS] = {
    [COST_SKID] = {3.29, 0.998},
    [COST_COUNT] = {0, 1.26},
    [COST_ROM] = {1.11},
    [COST_RAM] = {0.959},
    [COST_XNOR] = {1.28, 1.48},
    [COST_PLUS_MINUS] = {0.914, 0.862, 1.56},
    [COST_PLANES] = {0.897, 0.00282, 0.955, 0.187},
    [COST_MULTIPLY] = {0.611, 4.58},
    [COST_PACKED] = {0.84, 1.27, 0, 1.5},
    [COST_ACCUMULATE] = {0, 1.08, 0.298},
    [COST_REPLAY] = {3.81, 1.28},
    [COST_PARALLEL] = {0, 0.656, 0.399, 1.16},
    [COST_SEARCH] = {0, 0.728, 0.647},
    [COST_REQUANT] = {0.769, 0.726, 0.361, 0.572},
    [COST_CHANNELWISE] = {0, 0.876, 1.18, 0.281},
    [COST_TABLE] = {0.143, 0.565, 1.78},
    [COST_ADD_STREAMS] = {2.59, 0.758, 1.36},
    [COST_RING] = {0, 0.206, 4.14},
    [COST_LINE] = {0.751, 0.501, 0.0342},
    [COST_LOOPS] = {4.15, 0.859},
    [COST_POOL] = {0.67, 1.48, 1.69, 0.448},
    [COST_PADDING] = {2.99, 1.38, 0.0852},
    [COST_PARTS] = {1.8, 1.38, 1.09},
    [COST_SELECT] = {1.78, 2.34, 0.246, 1.08},
    [COST_DWC] = {5.87, 0.956, 0.603, 1.35},
    [COST_FIFO] = {13.9, 1.45, 1.09, 1.23},
};

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}
