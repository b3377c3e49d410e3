/* scalar_mul_past_conv.h: what two passes of this name share. */
#ifndef NASHC_PASSES_SCALAR_MUL_PAST_CONV_H
#define NASHC_PASSES_SCALAR_MUL_PAST_CONV_H

#include <nashc/rewrite.h>

/* Rewrite of a convolution of either direction: conv(x * a, w) ==> conv(x, w) * a, for a scalar a.
 */
bool scalar_mul_past_conv(nashc_rw *rw, nashc_node *n);

#endif
