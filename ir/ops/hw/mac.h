/* mac.h: what the layers of multipliers and accumulators share: hw.mvau and hw.vvau.
 *
 *     acc[c] = sum over k < products of x * w[k][c]
 *     y = acc, or act_bias + #{j : acc >= t[c][j]}     (dir[c] < 0: acc < t[c][j])
 *     bipolar: one threshold, y = +1 where it is reached, else -1
 *
 * Operand 1 is w [products,channels], 2 t [channels,K] or [1,K] with ascending rows, 3 dir
 * [channels]. Attributes are found by their names.
 */
#ifndef NASHC_OPS_HW_MAC_H
#define NASHC_OPS_HW_MAC_H

#include "ir/ops/ops.h"
#include "layer.h"

/* Rows of an attribute table, HW_MAC_N of them; res_types: what the layer can multiply with. */
enum { HW_MAC_N = 8 };
#define HW_MAC_ATTRS(res_types)                                                                    \
    ATTR(ENUM, "mem_mode", "internal_decoupled", "internal_decoupled|internal_embedded|external",  \
         "where the weights live: memory, LUTs, outside (a stream)"),                              \
        ATTR(ENUM, "ram_style", "auto", "auto|block|distributed|ultra",                            \
             "weight memory; ultra: it starts empty, so AXI-Lite has to write it"),                \
        ATTR(ENUM, "ram_style_thresholds", "auto", "auto|block|distributed", "threshold memory"),  \
        ATTR(ENUM, "res_type", "auto", res_types, "what multiplies"),                              \
        ATTR(ENUM, "act_style", "auto", "auto|parallel|binary_search",                             \
             "how thresholds are compared; auto: in parallel up to 3 of them"),                    \
        ATTR(INT, "act_bias", "0", NULL, "added to the count"),                                    \
        ATTR(BOOL, "bipolar", "false", NULL, "one threshold tells -1 from +1"),                    \
        ATTR(BOOL, "runtime_writeable_weights", "false", NULL, "AXI-Lite can replace the weights")

void hw_mac_dims(const nashc_node *n, int64_t *products, int64_t *channels);

/* Operand 0 is an integer tensor, operand 1 a constant integer matrix. */
nashc_status hw_mac_operands(const nashc_node *n, nashc_diag *d);

/* Smallest and largest value of any accumulator: docs/datatypes.md, intervals of sums; with any
 * weights of their element where they can be replaced. */
nashc_status hw_mac_range(const nashc_node *n, int64_t *lo, int64_t *hi, nashc_diag *d);

/* Element of the result; checks that thresholds fit. */
nashc_status hw_mac_elem(const nashc_node *n, nashc_type *out, nashc_diag *d);

/* Rules of the activation that infer does not need. */
nashc_status hw_mac_verify(const nashc_node *n, nashc_diag *d);

/* nashc_hw.positions of a layer with so many vectors a frame. */
nashc_status hw_mac_positions(const nashc_node *n, int64_t vectors, int64_t m, nashc_diag *d);

/* What the layers say of their weights alike, for nashc_hw.weights: all but lines, loops, rounds.
 */
void hw_mac_weights(const nashc_node *n, nashc_weights *out);

/* What turns accumulators into results. open is false without memory. */
typedef struct hw_act {
    const int64_t *t, *dir; /* NULL: none */
    int64_t rows, steps, scale, bias;
} hw_act;

bool hw_act_open(nashc_eval *e, const nashc_node *n, hw_act *out);
int64_t hw_act_value(const hw_act *a, int64_t channel, int64_t acc);

#endif
