/* layer.h: what the streaming layer ops share: stream views, divisors, thresholds.
 *
 * A layer reads its operand as the row-major sequence of its elements, seen as vecs rows of
 * channels; for a channels-last tensor that is the order of docs/layers.md, streams. A beat carries
 * lanes consecutive elements, the first one in the low bits.
 */
#ifndef NASHC_OPS_HW_LAYER_H
#define NASHC_OPS_HW_LAYER_H

#include <nashc/op.h>

typedef struct hw_view {
    int64_t vecs, channels;
} hw_view;

/* Operand 0 of n as rows of `channels` elements; 0: of its last dimension. False: does not divide.
 */
bool hw_view_of(const nashc_node *n, int64_t channels, hw_view *out);

/* A stream of type t's elements, lanes a beat, count elements a frame. */
nashc_stream hw_stream(const nashc_type *t, int64_t lanes, int64_t count);

/* Type of [vecs, channels] with the element of elem. */
nashc_type hw_matrix_type(const nashc_type *elem, int64_t vecs, int64_t channels);

/* Checks that attribute `name` with value lanes divides channels. */
nashc_status hw_check_divides(const nashc_node *n, const char *name, int64_t lanes,
                              int64_t channels, nashc_diag *d);

/* Checks that operand i is an integer tensor, and constant where asked. */
nashc_status hw_check_operand(const nashc_node *n, int i, bool constant, nashc_diag *d);

/* Checks that operand i is an integer tensor and no constant. */
nashc_status hw_check_stream(const nashc_node *n, int i, nashc_diag *d);

/* k-th divisor of n in ascending order, 0 beyond the last. */
int64_t hw_divisor(int64_t n, int64_t k);

/* All divisors of n >= 1, ascending, for the caller to free; NULL: memory is short. O(sqrt n). */
int64_t *hw_divisors(int64_t n, int64_t *count);

/* Fold of a layer whose only knob, attribute `name` or pe, goes over the divisors of channels. */
bool hw_fold_lanes(const char *name, int64_t channels, int64_t k, nashc_fold *out);
bool hw_fold_pe(int64_t channels, int64_t k, nashc_fold *out);

/* nashc_hw.positions of layers that do the same with each of vecs positions: m divides vecs. */
nashc_status hw_split_positions(const nashc_node *n, int64_t vecs, int64_t m, nashc_diag *d);

/* Row of an attribute table. */
#define HW_POSITIONS_ATTR                                                                          \
    {                                                                                              \
        .name = "positions", .def = "1", .domain = "1..32",                                        \
        .help = "adjacent positions a beat; more than 1 take the widest folding",                  \
        .kind = NASHC_P_INT                                                                        \
    }

/* A layer that reads rows of channels, `rows` of which it reduces: attributes pe, which divides
 * channels, and simd, which divides rows and is 1 unless pe is channels. Its foldings are pe up to
 * all channels, then simd. */
nashc_status hw_check_rows(const nashc_node *n, int64_t rows, int64_t channels, nashc_diag *d);
bool hw_fold_rows(int64_t rows, int64_t channels, int64_t k, nashc_fold *out);

/* Number of thresholds a row and rows of threshold operand i; false without it. */
bool hw_threshold_dims(const nashc_node *n, int i, int64_t *rows, int64_t *steps);

/* Result element of bias + count, count in 0..steps; bip for bipolar. */
nashc_type hw_count_type(int64_t steps, int64_t bias, bool bipolar);

/* Rows ascend; bipolar has one threshold and no bias. */
nashc_status hw_check_thresholds(const nashc_node *n, int i, int64_t bias, bool bipolar,
                                 nashc_diag *d);

/* Thresholds of row c that v reaches, or falls below where dir[c] < 0. */
int64_t hw_count(const int64_t *t, const int64_t *dir, int64_t rows, int64_t steps, int64_t c,
                 int64_t v);

/* Every result has the type of operand 0, and its elements. */
nashc_status hw_same_infer(const nashc_node *n, nashc_type *out, nashc_diag *d);
nashc_status hw_copy_eval(nashc_eval *e, const nashc_node *n);

/* Elements of operand 0. */
int64_t hw_count_of(const nashc_node *n);

#endif
