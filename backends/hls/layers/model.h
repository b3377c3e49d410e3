/* model.h: what the models of layers share.
 *
 * A layer is a loop of so many steps a frame, one a cycle, as its pragmas ask for (II=1), in a
 * pipeline of so many stages. It is called anew for each frame: the pipeline runs empty in between,
 * so a frame takes its steps and the depth of the pipeline. Depths are those that a tool of HLS
 * would take for such a body: a stage to read, one to write, one for each addition or choice.
 */
#ifndef NASHC_HLS_MODEL_H
#define NASHC_HLS_MODEL_H

#include "backends/support/beats.h"
#include "emit.h"

/* Initialises a nashc_impl: the model of op_name for this backend. */
#define MODEL(op_name, m) NASHC_IMPL_MODEL("hls.model", op_name, m)

/* Entry of nashc_timing.arg with the steps of a frame that do something. */
enum { HLS_WORK = NASHC_STEP_ARGS - 1 };

/* Timing of such a loop. */
nashc_timing hls_loop(uint64_t work, uint32_t depth);

/* The first thing of a step function: true, with nothing moved, while the pipeline runs empty. */
bool hls_idle(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

/* Timing and step of a layer that reads a beat of every stream in and writes one of every stream
 * out in each step. */
nashc_timing hls_beat_loop(const nashc_node *n, uint32_t depth);
void hls_beat_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

/* Such layers with constants a channel have three stages. */
nashc_status hls_param_timing(const nashc_node *n, nashc_timing *out);
uint64_t hls_param_cycles(const nashc_node *n);

#endif
