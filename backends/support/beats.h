/* beats.h: beats of a layer's streams, and steps that move one of each, whoever builds the layer.
 */
#ifndef NASHC_BACKENDS_SUPPORT_BEATS_H
#define NASHC_BACKENDS_SUPPORT_BEATS_H

#include <nashc/model.h>

/* Beats a frame on the first stream in, and on the first one out. */
uint64_t beats_in(const nashc_node *n);
uint64_t beats_out(const nashc_node *n);

/* Two entries of t->arg, and the step that reads them: a beat of every stream in and of every
 * stream out. */
void beats_all_args(const nashc_node *n, nashc_timing *t);
void beats_all_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

#endif
