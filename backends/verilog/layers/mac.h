/* mac.h: what the emitters of nashc_mvau and nashc_vvau share: weights and parameters of nashc_mac.
 */
#ifndef NASHC_VERILOG_MAC_H
#define NASHC_VERILOG_MAC_H

#include "emit.h"

/* Parameters WW W_SIGNED W_STYLE W_FILE: weights as in m, a memory of that ram_style. */
void emit_weights(const nashc_node *n, nashc_vlog *v, const char *style, nashc_vlog_mem *m);

/* Parameters of the arithmetic and the activation, with the files of the latter; pipe: PIPE. */
nashc_status emit_mac(const nashc_node *n, nashc_vlog *v, int64_t pipe, nashc_diag *d);

#endif
