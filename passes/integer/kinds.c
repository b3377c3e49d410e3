/* kinds.c: which operators are quantisers. */
#include "integer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
si_is_quantiser(const nashc_node *n)
{
    return nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant") ||
           nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "q.trunc");
}
