/* ports.h: what the ends of a compiled design carry, and what of the model stays on the host. */
#ifndef NASHC_PORTS_H
#define NASHC_PORTS_H

#include <nashc/ir.h>
#include <nashc/op.h>

NASHC_BEGIN

/* One stream of the design. The host sees real = scale * (integer - zero_point) + bias; scale and
 * the others have one number, or one a channel (the last axis of the stream's tensor), n of each.
 * For an input "real" is what the chain of element-wise operators in front of the quantiser is
 * given, for an output what stands behind the operators that only scale. */
typedef struct nashc_port {
    const nashc_value *v;   /* of the graph of layers: its shape, channels last */
    const char *name;       /* input or output of the model that it belongs to; else that of v */
    const char *layout;     /* "NHWC", "NWC", "NC": axes of shape */
    const nashc_type *type; /* of the tensor as the host has it, before pixels became one axis */
    nashc_stream s;
    const double *scale, *zero_point, *bias;
    int n;
} nashc_port;

/* Operators of the model that are not in the graph of layers: their names without "nn.", in order,
 * each once; "" if there are none. */
typedef struct nashc_ports {
    nashc_port *in, *out;
    int n_in, n_out;
    const char *front, *behind; /* in front of the hardware, behind it: "transpose, quant" */
} nashc_ports;

/* Of the graph of layers f of m; *out is owned by a. A module whose @main does not call f has no
 * host part, and streams that are their own integers. */
NASHC_API nashc_status nashc_ports_of(const nashc_module *m, const nashc_graph *f, nashc_ports *out,
                                      nashc_arena *a, nashc_diag *d);

/* How elements are put into bits: "unsigned", "twos_complement", or "bipolar", 0 for -1. */
NASHC_API const char *nashc_port_encoding(const nashc_port *p);

NASHC_END
#endif
