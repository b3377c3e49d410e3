/* layer.c: layers that several rules build. */
#include "lower.h"
#include <inttypes.h>

int64_t
lower_columns(const nashc_value *x, int64_t columns)
{
    const nashc_type *t = nashc_value_type(x);

    return t->dim[t->rank - 1] == columns ? 0 : columns;
}

nashc_value *
lower_put_channelwise(nashc_lower *l, nashc_value *x, const char *func, const int64_t *v,
                      int64_t count)
{
    nashc_value *in[2] = {x, nashc_lower_matrix(l, v, count, 1, NULL)};

    return x ? nashc_lower_op(l, "hw.channelwise", in, 2, "func=%s", func) : NULL;
}

nashc_value *
lower_put_pool(nashc_lower *l, nashc_value *x, const char *func, const int64_t window[3],
               int64_t channels)
{
    return nashc_lower_op(l, "hw.pool", &x, 1, "func=%s window=%s channels=%" PRId64, func,
                          nashc_lower_ints(l, window, 3), lower_columns(x, channels));
}
