/* channel_index.h: channels and the elements that belong to them. */
#ifndef NASHC_PASSES_INTEGER_CHANNEL_INDEX_H
#define NASHC_PASSES_INTEGER_CHANNEL_INDEX_H

#include <nashc/ir.h>

/* Channel of element e of a tensor of type t; 0 if it has none. */
int64_t si_channel_of(const nashc_type *t, int64_t e);
/* Index of the first element of channel c. */
int64_t si_first_of_channel(const nashc_type *t, int64_t c);

#endif
