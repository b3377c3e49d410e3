/* model.h: what the models of layers share: the streams of a layer, steps that move a beat. */
#ifndef NASHC_VERILOG_MODEL_H
#define NASHC_VERILOG_MODEL_H

#include "backends/support/beats.h"
#include "cost.h"
#include "emit.h"

/* Initialises a nashc_impl: the model of op_name for this backend. */
#define MODEL(op_name, m) NASHC_IMPL_MODEL("verilog.model", op_name, m)

/* Types of operand i and result i. */
const nashc_type *model_in(const nashc_node *n, int i);
const nashc_type *model_out(const nashc_node *n, int i);

/* Timing of a layer that reads a beat of every stream in and writes one of every stream out in each
 * step (beats_all_step), through latency stages and a skid buffer. */
nashc_timing model_beat_timing(const nashc_node *n, uint32_t latency);

/* From the cost of a unit to that of a layer with one for each position of a beat. */
void model_copies(const nashc_node *n, nashc_cost *c);

/* The same for layers with a constant a channel, which have two stages. */
nashc_status model_param_timing(const nashc_node *n, nashc_timing *out);

#endif
