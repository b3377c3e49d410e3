/* accumulator.c: how wide the accumulators of hw.mvau and hw.vvau are. A partial sum is a sum of
 * which some inputs are 0. Weights that can be replaced may be any of their element. */
#include "backends/support/accumulator.h"
#include <nashc/flow.h>

nashc_type
mac_accumulator(const nashc_node *n, bool partial)
{
    const nashc_buf *w = nashc_tensor_buf(nashc_value_const(nashc_node_in(n, 1)));
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t lo = partial && x->lo > 0 ? 0 : x->lo, hi = partial && x->hi < 0 ? 0 : x->hi;
    int64_t products = w->type.dim[0], channels = w->type.dim[1];
    int64_t least = INT64_MAX, most = INT64_MIN;

    nashc_weights z;

    if (nashc_flow_weights(n, &z) && (z.written || z.streamed) &&
        nashc_products_range(products, z.elem.lo, z.elem.hi, lo, hi, &least, &most))
        return nashc_type_for_range(least, most);
    for (int64_t c = 0; c < channels; c++) {
        nashc_sums s = {0};
        int64_t a = INT64_MIN, b = INT64_MAX;
        nashc_sums_add(&s, w, c, channels, products);
        nashc_sums_range(&s, lo, hi, &a, &b); /* verified: it fits */
        least = a < least ? a : least;
        most = b > most ? b : most;
    }
    return nashc_type_for_range(least, most);
}
