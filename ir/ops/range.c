/* range.c: exact integer intervals. */
#include "ops.h"

static const ops_interval everything = {INT64_MIN, INT64_MAX};

ops_interval
ops_interval_of(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);
    const nashc_tensor *c = nashc_value_const(v);

    if (!c || nashc_tensor_count(c) < 1)
        return (ops_interval){t->lo, t->hi};
    const nashc_buf *b = nashc_tensor_buf(c);
    ops_interval r = {INT64_MAX, INT64_MIN};
    for (int64_t i = 0; i < b->n; i++) {
        int64_t e = ops_int(b, i);
        r.lo = e < r.lo ? e : r.lo;
        r.hi = e > r.hi ? e : r.hi;
    }
    return r;
}

ops_interval
ops_interval_add(ops_interval a, ops_interval b)
{
    ops_interval r;

    if (!ops_add(a.lo, b.lo, &r.lo) || !ops_add(a.hi, b.hi, &r.hi))
        return everything;
    return r;
}

ops_interval
ops_interval_mul(ops_interval a, ops_interval b)
{
    int64_t p[4];

    if (!ops_mul(a.lo, b.lo, &p[0]) || !ops_mul(a.lo, b.hi, &p[1]) || !ops_mul(a.hi, b.lo, &p[2]) ||
        !ops_mul(a.hi, b.hi, &p[3]))
        return everything;
    ops_interval r = {p[0], p[0]};
    for (int i = 1; i < 4; i++)
        r = ops_interval_hull(r, (ops_interval){p[i], p[i]});
    return r;
}

ops_interval
ops_interval_times(ops_interval a, int64_t n)
{
    return ops_interval_mul(a, (ops_interval){n, n});
}

ops_interval
ops_interval_hull(ops_interval a, ops_interval b)
{
    return (ops_interval){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

ops_interval
ops_sums_range(const nashc_sums *s, ops_interval x)
{
    ops_interval r = everything;

    nashc_sums_range(s, x.lo, x.hi, &r.lo, &r.hi);
    return r;
}
