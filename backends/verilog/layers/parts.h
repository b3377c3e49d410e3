/* parts.h: what the emitters of nashc_concat and nashc_split share. */
#ifndef NASHC_VERILOG_PARTS_H
#define NASHC_VERILOG_PARTS_H

#include "emit.h"

/* Names the module; parameters PE NA NB. */
void emit_parts(const nashc_node *n, nashc_vlog *v, const char *module);

#endif
