/* round_and_clip_thresholds.c
 *
 *     multithreshold(x, T), x integer in [lo, hi]     ==>     T' = clip(ceil T, lo, hi + 1)
 *
 * x >= T is x >= ceil T for an integer x, and x < T is x < ceil T. A threshold of at most lo is
 * always reached, one of hi + 1 never: that one must stay representable, so T' gets a type of its
 * own, the smallest that holds what occurs. Fixed point x: the same in units of its step.
 * Terminates: integer thresholds within the interval are left alone.
 */
#include "passes/support/thresholds.h"
#include <math.h>

/* Type of thresholds lo..hi (in units of one step of x). */
static bool
threshold_type(const nashc_type *x, double lo, double hi, nashc_type *out)
{
    nashc_type range = nashc_type_for_range((int64_t)lo, (int64_t)hi);

    *out = range;
    if (nashc_type_is_int(x))
        return true;
    /* Same step as x: T - I stays, mantissas are those of range. */
    int frac = x->frac + range.bits - x->bits;
    if (frac < INT8_MIN || frac > INT8_MAX)
        return false;
    out->kind = range.kind == NASHC_K_UINT ? NASHC_K_UFIX : NASHC_K_FIX;
    out->frac = (int8_t)frac;
    return true;
}

static bool
round_and_clip(nashc_rw *rw, nashc_node *mt)
{
    nashc_value *t = nashc_node_in(mt, 1);
    const nashc_type *x = nashc_value_type(nashc_node_in(mt, 0));
    const nashc_type *tt = nashc_value_type(t);
    nashc_type type;
    thresholds s;

    if (nashc_type_is_float(x))
        return nashc_rw_miss(rw, mt, "its input is not integer");
    if (x->lo < -(INT64_C(1) << 52) || x->hi >= INT64_C(1) << 52)
        return nashc_rw_miss(rw, mt, "its input exceeds 2^52");
    if (!thresholds_of(rw, mt, &s))
        return false;

    double ulp = nashc_type_ulp(x), lo = (double)x->lo, hi = (double)x->hi + 1, min = hi, max = lo;
    for (int64_t i = 0; i < s.rows * s.n; i++) {
        double v = fmin(fmax(ceil(s.t[i] / ulp), lo), hi);
        s.t[i] = v * ulp;
        min = fmin(min, v);
        max = fmax(max, v);
    }
    if (s.n == 0 || !threshold_type(x, min, max, &type))
        return false;
    type = nashc_type_with_elem(tt, &type);
    if (tt->rank == 2 && nashc_tensor_count(nashc_value_const(t)) == s.rows * s.n &&
        nashc_type_eq(tt, &type))
        return false; /* all is rounded, clipped and typed so already */

    type = nashc_type_shaped(type, 2, (int64_t[]){s.rows, s.n});
    nashc_rw_set_in(rw, mt, 1, nashc_rw_const(rw, nashc_tensor_from_f64(&type, s.t)));
    return true;
}

static const nashc_pattern round_and_clip_pattern = {"q.multithreshold", round_and_clip};

const nashc_pass nashc_pass_round_and_clip_thresholds = {
    NASHC_DESC(nashc_pass),
    .name = "round-and-clip-thresholds",
    .alias = "RoundAndClipThresholds",
    .help = "make thresholds of an integer input integers within its interval",
    .patterns = (const nashc_pattern *const[]){&round_and_clip_pattern, NULL},
};
