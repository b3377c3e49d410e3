/* loops.c: operators that move elements as loops: hw.window.
 *
 *     map = 0 4 8  1 5 9  2 6 10 ..     =     for i < 4: for j < 3: i + 4 j
 */
#include "lower.h"
#include <inttypes.h>
#include <string.h>

/* Are all blocks of n entries of map alike, but for where they start, and step by d inside? */
static bool
blocks(const int64_t *map, int64_t count, int64_t n, int64_t d)
{
    if (count % n != 0)
        return false;
    for (int64_t b = 0; b < count; b += n)
        for (int64_t i = 1; i < n; i++)
            if (map[b + i] != map[b] + i * d)
                return false;
    return true;
}

bool
lower_fit_loops(const int64_t *map, int64_t count, nashc_arena *a, lower_loops *out)
{
    int64_t *head = NASHC_NEW_N(a, int64_t, count);
    lower_loops z = {.offset = count > 0 ? map[0] : 0};

    if (!head || count < 1)
        return false;
    memcpy(head, map, sizeof *map * (size_t)count);
    if (count == 1 || map[1] != map[0] + 1) { /* the innermost loop has stride 1 */
        z.dim[0] = z.stride[0] = 1;
        z.n = 1;
    }
    while (count > 1) { /* from the innermost loop */
        int64_t d = head[1] - head[0], n = 2;
        while (n < count && head[n] - head[n - 1] == d)
            n++;
        while (n > 1 && !blocks(head, count, n, d))
            n--;
        if (n == 1 || d < 0 || z.n == (int)NASHC_COUNT(z.dim))
            return false;
        z.dim[z.n] = n;
        z.stride[z.n++] = d;
        count /= n;
        for (int64_t i = 0; i < count; i++)
            head[i] = head[i * n];
    }
    *out = z;
    for (int i = 0; i < z.n; i++) {
        out->dim[i] = z.dim[z.n - 1 - i];
        out->stride[i] = z.stride[z.n - 1 - i];
    }
    return true;
}

nashc_value *
lower_put_loops(nashc_lower *l, nashc_value *x, const lower_loops *nest, int64_t channels,
                const char *role)
{
    int64_t count = nashc_type_count(nashc_value_type(x)), expected = 1;
    bool same = nest->offset == 0;

    for (int i = nest->n - 1; i >= 0; i--) {
        same = same && (nest->dim[i] == 1 || nest->stride[i] == expected);
        expected *= nest->dim[i];
    }
    if (same && expected == count)
        return x;
    return nashc_lower_op(
        l, "hw.window", &x, 1, "dims=%s strides=%s offset=%" PRId64 " channels=%" PRId64 " role=%s",
        nashc_lower_ints(l, nest->dim, nest->n), nashc_lower_ints(l, nest->stride, nest->n),
        nest->offset, channels == nest->dim[nest->n - 1] ? 0 : channels, role);
}
