/* params.c: what layers share that map a beat to a beat with constants for each channel:
 * hw.thresholding, hw.channelwise, hw.requant, hw.lut.
 *
 * Operand 0 is a sequence of rows of C channels, C from the parameters, or the last dimension where
 * they hold one row for all. Parameters that repeat after several of its rows leave it its columns.
 * One step a beat.
 */
#include "params.h"
#include "ir/ops/ops.h"

static nashc_status
beat_streams(const nashc_node *n, const hw_view *view, nashc_stream *in, nashc_stream *out)
{
    int64_t lanes = nashc_attr_int(n, 0) * nashc_hw_positions(n);
    int64_t count = view->vecs * view->channels;

    in[0] = hw_stream(nashc_value_type(nashc_node_in(n, 0)), lanes, count);
    out[0] = hw_stream(nashc_value_type(nashc_node_out(n, 0)), lanes, count);
    return NASHC_OK;
}

/* Rows of parameter operand 1: one for all channels, or one a channel. */
bool
hw_param_view(const nashc_node *n, hw_view *out)
{
    const nashc_type *p = nashc_value_type(nashc_node_in(n, 1));
    int64_t rows = p->rank > 0 ? p->dim[0] : 1;

    return hw_view_of(n, rows > 1 ? rows : 0, out);
}

nashc_status
hw_param_streams(const nashc_node *n, nashc_stream *in, nashc_stream *out, nashc_diag *d)
{
    hw_view view;

    if (!hw_param_view(n, &view))
        return nashc_node_error(d, n, "the input does not divide into rows of channels");
    return beat_streams(n, &view, in, out);
}

bool
hw_param_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    hw_view view;

    return hw_param_view(n, &view) && hw_fold_pe(view.channels, k, out);
}

nashc_status
hw_param_positions(const nashc_node *n, int64_t m, nashc_diag *d)
{
    hw_view view;

    return hw_param_view(n, &view) ? hw_split_positions(n, view.vecs, m, d) : NASHC_EINPUT;
}

/* Common part of infer: operands, and rows and columns of the result. */
nashc_status
hw_param_check(const nashc_node *n, hw_view *view, nashc_diag *d)
{
    nashc_status s = hw_check_operand(n, 0, false, d);
    hw_view own;

    if (s != NASHC_OK || (s = hw_check_operand(n, 1, true, d)) != NASHC_OK)
        return s;
    if (!hw_param_view(n, view))
        return nashc_node_error(d, n, "the input %s does not divide into rows of %" PRId64,
                                nashc_type_str(d, nashc_value_type(nashc_node_in(n, 0))),
                                nashc_value_type(nashc_node_in(n, 1))->dim[0]);
    if (hw_view_of(n, 0, &own) && view->channels % own.channels == 0)
        *view = own;
    return NASHC_OK;
}

nashc_status
hw_param_verify(const nashc_node *n, nashc_diag *d)
{
    hw_view view;

    if (!hw_param_view(n, &view))
        return nashc_node_error(d, n, "the input does not divide into rows of channels");
    nashc_status s = hw_check_divides(n, "pe", nashc_attr_int(n, 0), view.channels, d);
    return s != NASHC_OK ? s : nashc_hw_check_positions(n, d);
}
