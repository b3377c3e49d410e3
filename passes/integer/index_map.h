/* index_map.h: which element of its operand each element of a moving node is. */
#ifndef NASHC_PASSES_INTEGER_INDEX_MAP_H
#define NASHC_PASSES_INTEGER_INDEX_MAP_H

#include "evaluate.h"

/* map[e]: which element of operand 0, of type in, element e of result out is. Found by running n on
 * its own indices, so whatever moves elements needs nothing but its meaning. constant[i]: operand i
 * for i > 0 (NULL: left out). On the heap, freed with nashc_mem_free; NULL: the job has failed. */
int64_t *si_index_map(si_job *job, const nashc_node *n, const nashc_tensor *const *constant,
                      int out, const nashc_type *in);

/* Channel of element e of a tensor of type t; 0 if it has none. */
int64_t si_channel_of(const nashc_type *t, int64_t e);
/* Index of the first element of channel c. */
int64_t si_first_of_channel(const nashc_type *t, int64_t c);

#endif
