/* parts.h: what the layers that join and divide streams part by part share: hw.concat, hw.split.
 *
 * A round is na elements of the first stream, then nb of the second, again and again; parts =
 * [na,nb]: the channel counts along the channels, larger chunks along another axis. A step moves
 * one beat, of the stream whose part it is. docs/layers.md, hw.concat.
 */
#ifndef NASHC_OPS_HW_PARTS_H
#define NASHC_OPS_HW_PARTS_H

#include "ir/ops/ops.h"
#include "layer.h"

/* Rows of an attribute table; HW_PARTS_CHANNELS is the layer's own. */
enum { HW_PARTS_PE, HW_PARTS_PARTS, HW_PARTS_CHANNELS };
#define HW_PARTS_ATTRS                                                                             \
    ATTR(INT, "pe", "1", "1..", "elements a beat"),                                                \
        ATTR(INTS, "parts", NULL, "len=2;1..2147483648", "elements of either in a round")

/* [na,nb] of n. */
const int64_t *hw_parts(const nashc_node *n);

/* Elements of operand i. */
int64_t hw_parts_count(const nashc_node *n, int i);

/* *out, the element of a result of count of them, becomes its type: rows of so many columns, where
 * those are 0 of part elements. */
nashc_status hw_parts_matrix(const nashc_node *n, int64_t count, int64_t columns, int64_t part,
                             nashc_type *out, nashc_diag *d);

/* A beat belongs to one part. */
nashc_status hw_parts_verify(const nashc_node *n, nashc_diag *d);

/* pe goes over the divisors of both parts. */
bool hw_parts_fold(const nashc_node *n, int64_t k, nashc_fold *out);

#endif
