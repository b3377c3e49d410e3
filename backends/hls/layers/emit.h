/* emit.h: what the emitters of layers share. */
#ifndef NASHC_HLS_EMIT_H
#define NASHC_HLS_EMIT_H

#include <inttypes.h>
#include <nashc/hls.h>
#include <nashc/plugin.h>

/* nashc_hls_line or nashc_hls_helper. */
typedef void (*hls_say)(nashc_hls *h, const char *format, ...);

/* Types of operand i and result i. */
const nashc_type *hls_in(const nashc_node *n, int i);
const nashc_type *hls_out(const nashc_node *n, int i);

/* Code of an element as it is stored: bip -1 is 0. */
int64_t hls_code(const nashc_type *t, int64_t value);

/* Smallest element that holds the values of both. */
nashc_type hls_hull(const nashc_type *a, const nashc_type *b);

/* C: the value of stored element x of type t, as a wide: "(i9)x", "(i9)(x ? 1 : -1)", or "x" if it
 * is one. */
const char *hls_value(nashc_hls *h, const nashc_type *t, const nashc_type *wide, const char *x);

/* C: value x as a stored element of type y. */
const char *hls_stored(nashc_hls *h, const nashc_type *y, const char *x);

/* C: stored element x of type t as a stored element of type y, which holds its values. */
const char *hls_convert(nashc_hls *h, const nashc_type *t, const nashc_type *y, const char *x);

/* Table of the elements of t in their order, with other dimensions; see nashc_hls_table. */
const char *hls_tensor(nashc_hls *h, const char *what, const nashc_tensor *t, int rank,
                       const int64_t *dim);

/* Pragmas of memory `name` of this rank: one word holds all of the dimensions but the first `lines`
 * ones, and lies in what ram_style asks for. */
void hls_memory(nashc_hls *h, hls_say say, const char *name, int lines, int rank, const char *kind,
                const char *ram_style);

/* Rows of channels that are passed in beats of pe: vectors of folds beats each. */
typedef struct hls_rows {
    int64_t pe, folds, vectors;
    const char *at; /* C: parameters of lane p, "[f][p]", or "[0][0]" where all share them */
} hls_rows;

/* rows: of the parameters. Defines PE, FOLDS and VECTORS. */
hls_rows hls_rows_of(const nashc_node *n, nashc_hls *h, int64_t rows);

/* for v < VECTORS, for f < FOLDS, pipelined; and for p < PE inside, unrolled. */
void hls_open_rows(nashc_hls *h);
void hls_open_lanes(nashc_hls *h);
void hls_close(nashc_hls *h);

/* Writes beat y to out. */
void hls_give(nashc_hls *h, int k, const char *port, const char *y);

#endif
