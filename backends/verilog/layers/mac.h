/* mac.h: what nashc_mvau and nashc_vvau share: weights, parameters and models of nashc_mac. */
#ifndef NASHC_VERILOG_MAC_H
#define NASHC_VERILOG_MAC_H

#include "model.h"

/* Parameters WW W_SIGNED W_RAM_STYLE W_FILE: weights as in m, a memory of that ram_style. */
void emit_weights(const nashc_node *n, nashc_vlog *v, const char *style, nashc_vlog_mem *m);

/* Parameters of the arithmetic and the activation, with the files of the latter; pipe: PIPE. */
nashc_status emit_mac(const nashc_node *n, nashc_vlog *v, int64_t pipe, nashc_diag *d);

/* Type that holds the accumulators of all channels; partial: on their way from 0, too. */
nashc_type mac_accumulator(const nashc_node *n, bool partial);

/* Do products go to multiplier blocks? Where asked for, or where both operands are wide. */
bool mac_in_dsp(const nashc_node *n, const nashc_device *dev);

/* Adds thresholds, if n has them, on pe lanes of width bits. */
void mac_cost_activation(const nashc_node *n, uint64_t pe, uint64_t width, nashc_cost *c);

/* Pipeline stages of the activation (docs/timing.md, DEEP = 1). */
uint32_t mac_latency(const nashc_node *n);

#endif
