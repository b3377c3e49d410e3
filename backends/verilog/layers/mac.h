/* mac.h: what nashc_mvau and nashc_vvau share: weights, parameters and models of nashc_mac. */
#ifndef NASHC_VERILOG_MAC_H
#define NASHC_VERILOG_MAC_H

#include "backends/support/accumulator.h"
#include "model.h"
#include "products.h"

/* Parameters WW W_SIGNED W_EXT W_AXILITE W_RAM_STYLE W_FILE, the file, and what s1 and lite_ of the
 * unit are connected to. */
nashc_status emit_weights(const nashc_node *n, nashc_vlog *v, nashc_diag *d);

/* Parameters and files of the thresholds that n has; counts: they meet numbers of equal bits in
 * place of sums. */
nashc_status emit_activation(const nashc_node *n, nashc_vlog *v, bool counts, nashc_diag *d);

/* Style of the memory of the weights of n, as cost.h has it. */
int64_t mac_weight_style(const nashc_node *n);

/* Lines of constant weights; 64 if they are none. */
uint64_t mac_lines(const nashc_node *n);

/* Adds the memory of the weights, if they do not come from outside, and the counter of its lines.
 */
void mac_cost_weights(const nashc_node *n, const nashc_device *dev, nashc_cost *c);

/* Parameters of the arithmetic and the activation of a unit of that shape, with the files of the
 * latter. */
nashc_status emit_mac(const nashc_node *n, nashc_vlog *v, const mac_shape *z, nashc_diag *d);

/* Do products go to multiplier blocks? Where res_type says so; if it leaves that open, where what
 * the unit adds up, and its registers and blocks (COST_DSP_LUTS each), come to no more than in
 * LUTs. */
bool mac_in_dsp(const nashc_node *n, const mac_shape *z, const nashc_device *dev);

/* Adds what nashc_mac costs. */
void mac_cost(const nashc_node *n, const mac_shape *z, const nashc_device *dev, nashc_cost *c);

/* Adds what nashc_results costs, with accumulators of acc bits and sums that come so many stages
 * after their step. */
void mac_cost_results(const nashc_node *n, const mac_shape *z, const nashc_device *dev,
                      uint64_t acc, uint64_t stages, nashc_cost *c);

/* Pipeline stages of the activation (docs/timing.md, DEEP = 1). */
uint32_t mac_latency(const nashc_node *n);

#endif
