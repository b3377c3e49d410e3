/* parts.h: the two parts of a round and their turns, which hw.concat and hw.split share. */
#ifndef NASHC_HLS_PARTS_H
#define NASHC_HLS_PARTS_H

#include "model.h"

/* Defines ROUNDS, NA and NB, beats of the parts of a round. elements: of all of the frame. */
void hls_parts_sizes(const nashc_node *n, nashc_hls *h);

/* Loops over rounds and beats i of a round, pipelined. */
void hls_parts_open(nashc_hls *h);

uint64_t hls_parts_cycles(const nashc_node *n);
nashc_status hls_parts_timing(const nashc_node *n, nashc_timing *out);

/* Does step i belong to the second part? */
bool hls_parts_second(const nashc_timing *t, uint64_t i);

#endif
