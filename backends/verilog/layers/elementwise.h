/* elementwise.h: what the lanes of nashc_elementwise cost. */
#ifndef NASHC_VERILOG_ELEMENTWISE_H
#define NASHC_VERILOG_ELEMENTWISE_H

#include "model.h"

/* Lanes of a function of two streams, or of a stream and constants. */
typedef struct elementwise_lanes {
    const char *func; /* as the operators name it */
    const nashc_type *x, *x1, *y;
    uint64_t lanes;
    const nashc_tensor *constants; /* x1: lane p has p, p + lanes, ..; NULL: a stream */
} elementwise_lanes;

/* Adds the LUTs and multiplier blocks of the lanes on dev (NULL: any), without registers. */
void elementwise_cost(const elementwise_lanes *e, const nashc_device *dev, nashc_cost *c);

#endif
