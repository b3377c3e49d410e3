/* convert.h: a value in rows (sample by sample) into blocks of samples, and back: steps that a
 * network inserts. */
#ifndef TRAIN_CONVERT_H
#define TRAIN_CONVERT_H

#include <nashc/grad.h>

/* One operand and one result of the same type; calls have no node and no NASHC_GRAD_BLOCKS. Places
 * behind the last sample become 0. */
extern const nashc_grad train_to_blocks, train_to_rows;

#endif
