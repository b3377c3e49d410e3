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
    for (int64_t c = 0; c < channels; c += NASHC_SUMS_COLUMNS) {
        nashc_sums s[NASHC_SUMS_COLUMNS] = {{0}};
        int part = (int)(channels - c < NASHC_SUMS_COLUMNS ? channels - c : NASHC_SUMS_COLUMNS);
        nashc_sums_columns(s, w, products, channels, c, part);
        for (int i = 0; i < part; i++) {
            int64_t a = INT64_MIN, b = INT64_MAX;
            nashc_sums_range(&s[i], lo, hi, &a, &b); /* verified: it fits */
            least = a < least ? a : least;
            most = b > most ? b : most;
        }
    }
    return nashc_type_for_range(least, most);
}
