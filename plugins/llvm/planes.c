/* planes.c: codes of small integers as bit planes.
 *
 * With x = lo + s u, u = sum of 2^i u_i, over the words of a row:
 *     w = q (2 v - 1):       sum x w = lo sum w + s q sum_i 2^i (pop(v) - pop(u_i ^ v))
 *     w = q sum_j d_j v_j:   sum x w = lo sum w + s q sum_ij 2^i d_j pop(u_i & v_j)
 * the first since 2 pop(u & v) - pop(u) = pop(v) - pop(u ^ v).
 */
#include "planes.h"
#include <stdlib.h>

cpu_code
cpu_code_of(int64_t lo, int64_t hi, bool bipolar)
{
    cpu_code c = {lo, 1, 0};

    if (bipolar)
        return (cpu_code){-1, 2, 1};
    c.lo = lo < 0 ? lo : 0; /* a border of zeros must have a code */
    hi = hi > 0 ? hi : 0;
    uint64_t span = (uint64_t)hi - (uint64_t)c.lo;
    while (span) {
        span >>= 1;
        c.planes++;
    }
    c.planes = c.planes == 0 ? 1 : c.planes;
    if (c.planes > CPU_MAX_PLANES)
        c.planes = 0;
    return c;
}

static int64_t
divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a < 0 ? -a : a;
}

cpu_weight_code
cpu_weight_code_of(const int64_t *w, int64_t n)
{
    cpu_weight_code c = {.unit = 0};
    bool opposite = true;
    int64_t lo = 0, hi = 0;

    for (int64_t i = 0; i < n; i++) {
        c.unit = divisor(c.unit, w[i]);
        opposite &= w[i] == w[0] || w[i] == -w[0];
    }
    c.unit = c.unit ? c.unit : 1;
    if (opposite && n && w[0]) {
        c.exclusive = true;
        c.planes = 1;
        c.worth[0] = 1;
        return c;
    }
    for (int64_t i = 0; i < n; i++) {
        lo = w[i] / c.unit < lo ? w[i] / c.unit : lo;
        hi = w[i] / c.unit > hi ? w[i] / c.unit : hi;
    }
    int bits = 1; /* two's complement, without sign if nothing is negative */
    while (bits <= CPU_MAX_PLANES &&
           (lo < 0 ? lo < -(INT64_C(1) << (bits - 1)) || hi >= INT64_C(1) << (bits - 1)
                   : hi >= INT64_C(1) << bits))
        bits++;
    for (int j = 0; j < bits && bits <= CPU_MAX_PLANES; j++)
        c.worth[j] = lo < 0 && j == bits - 1 ? -(INT64_C(1) << j) : INT64_C(1) << j;
    c.planes = bits <= CPU_MAX_PLANES ? bits : 0;
    return c;
}

bool
cpu_weight_bit(const cpu_weight_code *c, int64_t v, int j)
{
    if (c->exclusive)
        return v > 0;
    return (uint64_t)(v / c->unit) >> j & 1;
}

static int
larger_first(const void *a, const void *b)
{
    const cpu_term *p = a, *q = b;
    int64_t m = p->worth < 0 ? -p->worth : p->worth, n = q->worth < 0 ? -q->worth : q->worth;

    if (m != n)
        return m < n ? 1 : -1;
    return p->x != q->x ? p->x - q->x : p->w - q->w;
}

int
cpu_terms_of(const cpu_code *x, const cpu_weight_code *w, cpu_term *t)
{
    int n = 0;

    for (int i = 0; i < x->planes; i++)
        for (int j = 0; j < w->planes; j++)
            t[n++] = (cpu_term){i, j, w->worth[j] * (INT64_C(1) << i)};
    qsort(t, (size_t)n, sizeof *t, larger_first);
    return n;
}

void
cpu_terms_affine(const cpu_code *x, const cpu_weight_code *w, int64_t sum, int64_t ones,
                 int64_t *factor, int64_t *constant)
{
    int64_t unit = x->step * w->unit;

    *constant = x->lo * sum;
    *factor = unit;
    if (w->exclusive) {
        *factor = -unit;
        *constant += unit * ((INT64_C(1) << x->planes) - 1) * ones;
    }
}
