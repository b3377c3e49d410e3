/* border.h: where hw.fmpadding takes its result from, whoever builds it. */
#ifndef NASHC_BACKENDS_SUPPORT_BORDER_H
#define NASHC_BACKENDS_SUPPORT_BORDER_H

#include <nashc/model.h>

/* Rows and columns: of the input, before it, from one of it to the next, of the result; columns in
 * beats where these hold several. folds: beats of a place; late: columns of the input that a beat
 * leaves to the next one. */
typedef struct border {
    int64_t in[2], first[2], unit[2], out[2], folds, late;
} border;

/* Of n, verified. */
border border_of(const nashc_node *n);

/* Nine entries of t->arg, and the step that reads them: it writes, and reads where the input lies.
 */
void border_args(const border *b, nashc_timing *t);
void border_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

#endif
