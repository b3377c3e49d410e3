/* sum_fallback.c: integers for a pending sum that no quantiser decides on.
 *
 * The exact common unit of all scales, if that leaves room for what the ops behind add; else
 * multipliers that are rounded to no less than float32 has, and a warning.
 */
#include "integer.h"

#include <math.h>

#define EXACT     0x1p31 /* float32 scales up to a ratio of 2^7 have an exact unit below this */
#define MAX_SUM   0x1p60
#define MAX_SEEN  256
#define JOIN_BITS 25 /* more multipliers, where scales meet again */
#define UNKNOWN   60 /* no room at all */

/* --- tensors of a sum --------------------------------------------------------------------------
 */

static bool
add_part(si_job *job, si_parts *parts, nashc_value *integer, const si_array *scale,
         const si_array *bias, double sign, bool is_sum)
{
    si_array factor = si_scalar(job, sign);
    int k = parts->n;
    parts->integer[k] = integer;
    parts->is_sum[k] = is_sum;
    parts->n++;
    return si_zip(job, scale, &factor, si_mul, &parts->scale[k]) &&
           si_zip(job, bias, &factor, si_mul, &parts->bias[k]);
}

/* The parts from first on, and the offset beside them, times the scale of x, plus its bias. */
static bool
scale_parts(si_job *job, si_parts *parts, int first, si_array *rest, const si_value *x, double sign)
{
    si_array factor = si_scalar(job, sign), bias;
    if (!si_zip(job, &x->bias, &factor, si_mul, &bias) ||
        !si_zip(job, &x->scale, &factor, si_mul, &factor))
        return false;
    for (int k = first; k < parts->n; k++)
        if (!si_zip(job, &parts->scale[k], &factor, si_mul, &parts->scale[k]) ||
            !si_zip(job, &parts->bias[k], &factor, si_mul, &parts->bias[k]))
            return false;
    return si_zip(job, rest, &factor, si_mul, rest) && si_zip(job, rest, &bias, si_add, rest);
}

/* Values of the terms so far that are no operand of another one yet. */
typedef struct open_sums {
    int first[SI_MAX_TERMS + 1]; /* part of each */
    si_array rest[SI_MAX_TERMS + 1];
    int top;
} open_sums;

static bool
push_leaf(si_job *job, si_parts *parts, open_sums *open, const si_term *term)
{
    const si_value *x = term->x;
    open->first[open->top] = parts->n;
    open->rest[open->top++] = si_scalar(job, 0.0);
    return add_part(job, parts, x->tensor->integer, &x->scale, &x->bias, term->sign,
                    x->tensor->pending != NULL);
}

/* The two topmost become their sum. */
static bool
join(si_job *job, open_sums *open)
{
    open->top--;
    si_array *left = &open->rest[open->top - 1];
    return si_zip(job, left, &open->rest[open->top], si_add, left);
}

/* The topmost, a sum inside the sum, as term has it. reuse: one that has integers is one part. */
static bool
scale_inner(si_job *job, si_parts *parts, open_sums *open, const si_term *term, bool reuse)
{
    int first = open->first[open->top - 1];
    const si_tensor *done = reuse ? term->x->tensor->exact : NULL;
    if (done) {
        parts->n = first;
        open->rest[open->top - 1] = si_scalar(job, 0.0);
        if (!add_part(job, parts, done->integer, &done->scale, &done->bias, 1, true))
            return false;
    }
    return scale_parts(job, parts, first, &open->rest[open->top - 1], term->x, term->sign);
}

/* The tensors of a sum. reuse: sums inside it that have integers already are one tensor. */
static bool
parts_of(si_job *job, const si_tensor *sum, bool reuse, si_parts *parts)
{
    open_sums open = {.top = 0};
    parts->n = 0;
    for (int i = 0; i < sum->n_term; i++) {
        const si_term *term = &sum->term[i];
        if (term->x->tensor->integer
                ? !push_leaf(job, parts, &open, term)
                : !join(job, &open) || !scale_inner(job, parts, &open, term, reuse))
            return false;
    }
    if (!join(job, &open)) /* the sum itself has no term */
        return false;
    parts->rest = open.rest[0];
    return true;
}

/* x / y; the integer where it is one but for rounding. */
static double
ratio(double x, double y)
{
    double r = y == 0 ? 0 : x / y, q = nearbyint(r);
    return fabs(r - q) < 1e-9 ? q : r;
}

/* Offset of a sum with rounded multipliers: where all terms are zero in the model, so is the sum.
 */
static bool
same_zero(si_job *job, const si_parts *parts, const si_common_scale *common, si_array *bias)
{
    si_array zero, sum = parts->rest;
    for (int k = 0; k < parts->n; k++) {
        const si_array *scale = &parts->scale[k];
        for (int64_t i = 0; i < scale->n; i++)
            if (scale->v[i] == 0)
                return false;
        if (!si_zip(job, &parts->bias[k], scale, ratio, &zero) ||
            !si_zip(job, &zero, &common->m[k], si_mul, &zero) ||
            !si_zip(job, &zero, &common->unit, si_mul, &zero) ||
            !si_zip(job, &sum, &zero, si_add, &sum))
            return false;
    }
    *bias = sum;
    return true;
}

static bool
offset_of(si_job *job, const si_parts *parts, const si_common_scale *common, si_array *bias)
{
    if (common->bits != 0 && same_zero(job, parts, common, bias))
        return true;
    *bias = parts->rest;
    for (int k = 0; k < parts->n; k++)
        if (si_failed(job) || !si_zip(job, bias, &parts->bias[k], si_add, bias))
            return false;
    return true;
}

/* --- how wide a sum may be ---------------------------------------------------------------------
 */

/* Bits that node n adds to the integers of an operand. */
static int
growth(si_walk *walk, const nashc_node *n)
{
    const nashc_integer_rule *rule = si_rule_of(walk, n);
    int n_computed = 0;
    if (rule && NASHC_HAS(rule, growth) && rule->growth)
        return rule->growth(walk, n);
    for (int i = 0; i < nashc_node_n_in(n); i++)
        n_computed += nashc_node_in(n, i) && !si_is_const(walk, nashc_node_in(n, i));
    return n_computed < 2 ? 0 : nashc_node_is(n, "nn.mul") ? UNKNOWN : JOIN_BITS;
}

/* Does n give bits, however wide its operands are? */
static bool
compares(const nashc_node *n)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    return nashc_type_is_int(t) && t->bits == 1;
}

/* Bits that the ops behind v add to its integers, up to the next quantisers. */
static int
growth_behind(si_walk *walk, const nashc_value *v)
{
    const nashc_value *seen[MAX_SEEN] = {v};
    int bits[MAX_SEEN] = {0}, n = 1, most = 0;
    const char *why = walk->job->why; /* what the rules refuse here is no fault of the node */
    for (int i = 0; i < n; i++) {
        int n_users;
        nashc_node **user = nashc_value_users(seen[i], walk->job->arena, &n_users);
        for (int k = 0; user && k < n_users; k++) {
            if (si_is_quantiser(user[k]) || compares(user[k]))
                continue;
            int b = bits[i] + growth(walk, user[k]);
            most = b > most ? b : most;
            if (n + nashc_node_n_out(user[k]) > MAX_SEEN || most >= UNKNOWN) {
                walk->job->why = why;
                return UNKNOWN;
            }
            for (int o = 0; o < nashc_node_n_out(user[k]); o++) {
                bits[n] = b;
                seen[n++] = nashc_node_out(user[k], o);
            }
        }
    }
    walk->job->why = why;
    return most;
}

/* --- resolution --------------------------------------------------------------------------------
 */

/* Parts with their common scale: sums inside the sum that have integers already are one part, if
 * that makes nothing less exact. */
static bool
find_parts(si_walk *walk, const si_tensor *sum, si_parts *parts, si_common_scale *common)
{
    si_job *job = walk->job;
    double limit = ldexp(MAX_SUM, -growth_behind(walk, sum->origin));
    if (si_failed(job) || !parts_of(job, sum, true, parts) ||
        !si_find_common_scale(job, parts, EXACT, limit, common))
        return false;
    if (common->bits == 0 || parts->n == sum->n_leaf)
        return true;
    return parts_of(job, sum, false, parts) &&
           si_find_common_scale(job, parts, EXACT, limit, common);
}

static si_tensor *
fall_back(si_walk *walk, si_tensor *sum)
{
    si_job *job = walk->job;
    si_parts parts;
    si_common_scale common;
    si_array bias;
    if (sum->exact)
        return sum->exact;
    if (!find_parts(walk, sum, &parts, &common) || !offset_of(job, &parts, &common, &bias))
        return NULL;
    if (common.bits != 0)
        si_warn_rounded(job, nashc_value_def(sum->origin),
                        "the terms have scales without a common unit", common.bits, SI_LEAST_BITS,
                        si_is_quantiser(walk->node)
                            ? "terms of fewer bits, or with one scale, need no rounding"
                            : "a quantiser right behind the sum, or one scale for all terms, needs "
                              "no rounding");
    nashc_value *r =
        si_failed(job) ? NULL : si_emit_weighted(walk, parts.n, parts.integer, common.m);
    si_tensor *tensor = r ? si_new_tensor(job, r, sum->origin, &common.unit, &bias) : NULL;
    if (tensor)
        tensor->pending = sum;
    return sum->exact = tensor;
}

si_value *
si_resolved(si_walk *walk, si_value *x)
{
    si_job *job = walk->job;
    if (x->tensor->integer)
        return x;
    si_tensor *tensor = fall_back(walk, x->tensor);
    si_value *r = tensor ? si_alloc(job, 1, sizeof(*r)) : NULL;
    si_array bias;
    if (!r)
        return NULL;
    *r = *x;
    r->tensor = tensor;
    r->form = NULL;
    if (!si_zip(job, &x->scale, &tensor->scale, si_mul, &r->scale) ||
        !si_zip(job, &x->scale, &tensor->bias, si_mul, &bias) ||
        !si_zip(job, &bias, &x->bias, si_add, &r->bias))
        return NULL;
    const nashc_type *t = nashc_value_type(tensor->integer);
    r->by_channel =
        r->by_channel && si_channel_only(&tensor->scale, t) && si_channel_only(&tensor->bias, t);
    return r;
}
