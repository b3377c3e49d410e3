/* params.h: what layers share that map a beat to a beat with constants for each channel. */
#ifndef NASHC_OPS_HW_PARAMS_H
#define NASHC_OPS_HW_PARAMS_H

#include "layer.h"

/* Rows of parameter operand 1: one for all channels, or one a channel. */
bool hw_param_view(const nashc_node *n, hw_view *out);

/* Streams, folding and positions of a layer whose attribute 0 is pe. */
nashc_status hw_param_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out,
                              nashc_diag *d);
bool hw_param_fold(const nashc_node *n, int64_t k, nashc_fold *out);
nashc_status hw_param_positions(const nashc_node *n, int64_t m, nashc_diag *d);

/* Common part of infer: operands, and rows and columns of the result. */
nashc_status hw_param_check(const nashc_node *n, hw_view *view, nashc_diag *d);

/* Does pe divide the channels, positions those of a frame? */
nashc_status hw_param_verify(const nashc_node *n, nashc_diag *d);

#endif
