/* accumulator.h: how wide the accumulators of hw.mvau and hw.vvau are, in whatever language. */
#ifndef NASHC_SUPPORT_ACCUMULATOR_H
#define NASHC_SUPPORT_ACCUMULATOR_H

#include <nashc/plugin.h>

/* Element that holds all accumulators of n; partial: while they are summed up, too. */
nashc_type mac_accumulator(const nashc_node *n, bool partial);

#endif
