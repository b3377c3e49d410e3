/* window.h: hw.window as a ring or as a line of beats, whoever builds it. */
#ifndef NASHC_BACKENDS_WINDOW_H
#define NASHC_BACKENDS_WINDOW_H

#include <nashc/model.h>

/* Is n, verified, a line? Then it is *out. */
bool window_line(const nashc_node *n, nashc_line *out);

/* Do beats of n hold several positions? Then what is given of them is *out, the line out->line. */
bool window_several(const nashc_node *n, nashc_windows *out);

/* The ring that n is else. EUNSUP: it has too many loops. */
nashc_status window_ring(const nashc_node *n, nashc_ring *out);

/* Beats that a cycle moves on the busier side. */
uint64_t window_beats(const nashc_node *n);

/* A step of a line, t->arg from window_line_args: each reads a beat. */
void window_line_args(const nashc_line *z, nashc_timing *t);
void window_line_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

#endif
