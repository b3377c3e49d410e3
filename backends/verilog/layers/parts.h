/* parts.h: what nashc_concat and nashc_split share: parameters, turns, the cost of counting. */
#ifndef NASHC_VERILOG_PARTS_H
#define NASHC_VERILOG_PARTS_H

#include "model.h"

/* Names the module; parameters PE NA NB. */
void emit_parts(const nashc_node *n, nashc_vlog *v, const char *module);

/* Beats of all streams in, a cycle each; their timing, and is step i of it the second part's? */
uint64_t parts_cycles(const nashc_node *n);
nashc_timing parts_timing(const nashc_node *n, uint32_t latency);
bool parts_second(const nashc_timing *t, uint64_t i);

/* Adds the counter of nashc_parts, and a choice between chosen bits of either part. */
void parts_cost(const nashc_node *n, uint64_t chosen, nashc_cost *c);

#endif
