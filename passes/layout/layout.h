/* layout.h: channels-first and channels-last, and flattened images. */
#ifndef NASHC_PASSES_LAYOUT_H
#define NASHC_PASSES_LAYOUT_H

#include <nashc/layout.h>

/* Is n a transpose from channels-first to channels-last, or back (rank 3 or 4)? NULL n: false. */
bool layout_to_last(const nashc_node *n);
bool layout_to_first(const nashc_node *n);

/* Is v constant, or a quantiser of constants? Turned it has no layout that would say so: not what
 * data operands may be. */
bool layout_none(const nashc_value *v);

/* v in the other layout; a constant at once, of lower rank widened with leading 1s as it broadcasts
 * (a scalar stays), a quantiser of constants as a quantiser of permuted ones, all else by a
 * transpose. rank: 3 or 4, of what v is broadcast against. */
nashc_value *layout_last(nashc_rw *rw, nashc_value *v, int rank);
nashc_value *layout_first(nashc_rw *rw, nashc_value *v, int rank);

/* v, in row-major order, with shape and layout of type: v itself, or a reshape of it. */
nashc_value *layout_relabelled(nashc_rw *rw, nashc_value *v, const nashc_type *type);

/* How n runs channels-last; NULL: it does not. */
const nashc_layout_rule *layout_rule(const nashc_node *n);

/* Bit set of the axes of operand 0 that n, with an attribute axes or axis, reduces or compares
 * along. */
unsigned layout_reduced(const nashc_node *n);

/* Of rules: a reshape that keeps batch and channels, a transpose of positions. */
bool layout_reshape_last(nashc_rw *rw, nashc_node *n);
bool layout_transpose_last(nashc_rw *rw, nashc_node *n);

/* Runs n channels-last: its data turns in front of it and back behind it, attributes follow the
 * axes. Transposes that are there already are undone or shared. False if n is channels-last, or,
 * with a miss, if it cannot be. Nothing turns the other way, so what only does this terminates. */
bool layout_channels_last(nashc_rw *rw, nashc_node *n);

/* The image [N,H,W,C] or [N,W,C] that v [N, C H W] is, by a transpose to channels-first and a
 * reshape; NULL if it is none. */
nashc_value *flatten_image(const nashc_value *v);

/* image as [N, H W C] for node n; a reshape in front of n that does it is shared. */
nashc_value *flatten_last(nashc_rw *rw, nashc_value *image, const nashc_node *n);

/* Constant v whose axis counts (c, h, w) of image, with it counting (h, w, c); v itself if the axis
 * is not that long. */
nashc_value *flatten_const(nashc_rw *rw, nashc_value *v, int axis, const nashc_value *image);

/* An element-wise op, or one with rows for each element, on a flattened image: run in front of the
 * transpose. False, with a miss where there is something to say, if n is none. Terminates: the
 * transpose moves towards the outputs. */
bool flatten_channels_last(nashc_rw *rw, nashc_node *n);

#endif
