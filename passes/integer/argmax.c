/* argmax.c: TopK and ArgMax of the model on integers: only the order of the scores matters.
 *
 * Rising maps in front of them (a positive scale, Softmax, Sigmoid) drop out where only indices are
 * used. An offset for each class becomes an integer, with the scores multiplied as far as needed.
 * Scales of classes without a common unit become the multipliers of fewest bits with which the
 * order is right for all integers (class_scores.c).
 */
#include "integer.h"

#include <math.h>

#include "class_scores.h"

#define SMALL      1024.0 /* multipliers of scales with a common unit */
#define EXACT      16777216.0
#define MAX_FACTOR 16777216.0 /* of scores with offsets */
#define MAX_BITS   30         /* of multipliers without a common unit */
#define MIN_BITS   12         /* if their order is not proven */
#define MAX_OFFSET 0x1p52
#define SCORE_BITS 30 /* multipliers, for the sums in front */

static int
axis_of(const nashc_node *n)
{
    int at = nashc_attr_index(n, "axis"), rank = nashc_value_type(nashc_node_in(n, 0))->rank;
    int axis = at < 0 ? rank - 1 : (int)nashc_attr_int(n, at);
    return axis < 0 ? axis + rank : axis;
}

/* Operand of n behind maps that keep the order along its axis. */
static nashc_value *
look_through(const nashc_node *n)
{
    static const char *const softmax[] = {"nn.softmax", "nn.log_softmax", NULL};
    static const char *const strict[] = {"nn.sigmoid",  "nn.tanh",     "nn.exp",
                                         "nn.softplus", "nn.identity", NULL};
    nashc_value *v = nashc_node_in(n, 0);
    for (;;) {
        nashc_node *d = nashc_value_def(v);
        if (nashc_node_is_any(d, strict) ||
            (nashc_node_is_any(d, softmax) && axis_of(d) == axis_of(n)))
            v = nashc_node_in(d, 0);
        else
            return v;
    }
}

static double
magnitude_ratio(double x, double y)
{
    return y == 0 ? 0 : fabs(x / y);
}

static double
rounded_ratio(double x, double unit)
{
    return nearbyint(x / unit);
}

/* Bits that multipliers of x may have: products fit 60 bits, offsets a double. -1: failed. */
static int
room(si_job *job, const si_value *x)
{
    const nashc_type *t = nashc_value_type(x->tensor->integer);
    double most = fmax(fabs((double)t->lo), fabs((double)t->hi)), offset = 1;
    si_array steps;
    if (!si_zip(job, &x->bias, &x->scale, magnitude_ratio, &steps))
        return -1;
    for (int64_t i = 0; i < steps.n; i++)
        offset = fmax(offset, steps.v[i]);
    int bits = MAX_BITS, for_sum = 59 - ilogb(fmax(most, 1)), for_offset = 50 - ilogb(offset);
    bits = for_sum < bits ? for_sum : bits;
    return for_offset < bits ? for_offset : bits;
}

/* m * v + offset as a node; v where m is all 1 and offset all 0. NULL: refused, or failed. */
static nashc_value *
line_of(si_walk *walk, nashc_value *v, si_array *m, si_array *offset)
{
    for (int64_t i = 0; i < offset->n; i++) {
        offset->v[i] = nearbyint(offset->v[i]);
        if (fabs(offset->v[i]) > MAX_OFFSET) {
            si_no(walk->job, "an offset of its scores has too many steps");
            return NULL;
        }
    }
    si_squeeze(m);
    si_squeeze(offset);
    v = si_times(walk, v, m);
    if (v && !si_zero(offset))
        v = si_emit(walk, "nn.add", (nashc_value *[]){v, si_const_int(walk, offset)}, 2, NULL);
    return v;
}

/* m and offset of so many bits for the largest scale, with a warning, since the order of close
 * scores may be wrong. */
static bool
round_classes(si_job *job, nashc_node *n, si_class_scores *classes, int bits)
{
    int least = bits; /* of the smallest multiplier */
    si_classes_weigh(classes, bits);
    for (int64_t i = 0; i < classes->n; i++) {
        int of_class = classes->m.v[i] == 0 ? 0 : ilogb(classes->m.v[i]) + 1;
        least = classes->scale.v[i] != 0 && of_class < least ? of_class : least;
    }
    if (least < MIN_BITS)
        return si_no(job, "its scores have unrelated scales, and no room for multipliers");
    si_warn_rounded(job, n, "the scores of the classes have scales without a common unit", least, 0,
                    "one scale for all classes, as a layer with one scale for its weights gives, "
                    "needs no rounding");
    return !si_failed(job);
}

static bool
set_classes(si_job *job, const si_value *x, si_class_scores *classes)
{
    const nashc_type *t = nashc_value_type(x->tensor->integer);
    return si_classes_set(job, &x->scale, &x->bias, t->lo, t->hi, classes);
}

/* Scores of classes whose scales are multiples of unit, multiplied as far as their offsets need. */
static nashc_value *
related_scores(si_walk *walk, nashc_node *n, const si_value *x, double unit)
{
    si_job *job = walk->job;
    nashc_value *v = x->tensor->integer;
    si_array u = si_scalar(job, unit), m, bias;
    if (!si_zip(job, &x->scale, &u, rounded_ratio, &m) || !si_zip(job, &x->bias, &u, si_div, &bias))
        return NULL;
    double factor = 1, most = 0;
    while (factor < MAX_FACTOR && !si_offsets_keep_order(&bias, factor))
        factor = factor < 32 ? factor + 1 : factor * 2;
    for (int64_t i = 0; i < bias.n; i++)
        most = fmax(most, fabs(bias.v[i]) * factor);
    if (most > MAX_OFFSET) {
        si_class_scores classes;
        return set_classes(job, x, &classes) && round_classes(job, n, &classes, room(job, x))
                   ? line_of(walk, v, &classes.m, &classes.offset)
                   : NULL;
    }
    si_array f = si_scalar(job, factor);
    if (!si_zip(job, &m, &f, si_mul, &m) || !si_zip(job, &bias, &f, si_mul, &bias))
        return NULL;
    return line_of(walk, v, &m, &bias);
}

/* Integers in the order of scale * i + bias. NULL: refused, or failed. */
static nashc_value *
scores(si_walk *walk, nashc_node *n, const si_value *x)
{
    si_job *job = walk->job;
    const si_array *scale = &x->scale;
    double unit = 0;
    si_class_scores classes;

    if (scale->n == 1 && x->bias.n == 1) { /* one scale and offset for all classes */
        si_array sign = si_scalar(job, scale->v[0] < 0 ? -1 : 1);
        return scale->v[0] == 0 ? NULL : si_times(walk, x->tensor->integer, &sign);
    }
    if (!si_common_unit(scale->v, scale->n, SMALL, &unit)) {
        int most = room(job, x);
        if (most < 0 || !set_classes(job, x, &classes))
            return NULL;
        bool right = si_classes_prove(&classes, most);
        if (right || !si_common_unit(scale->v, scale->n, EXACT, &unit))
            return right || round_classes(job, n, &classes, most)
                       ? line_of(walk, x->tensor->integer, &classes.m, &classes.offset)
                       : NULL;
    }
    return related_scores(walk, n, x, unit);
}

static bool
rebuild_argmax(si_walk *walk, nashc_node *n)
{
    bool topk = nashc_node_is(n, "nn.topk");
    int at_index = topk ? 1 : 0;
    nashc_value *index = nashc_node_out(n, at_index), *best = topk ? nashc_node_out(n, 0) : NULL;
    bool only_index = !best || nashc_value_n_uses(best) == 0;
    si_array one = si_scalar(walk->job, 1.0), zero = si_scalar(walk->job, 0.0);
    si_value *x = si_affine(walk, only_index ? look_through(n) : nashc_node_in(n, 0));
    nashc_value *v;

    if (!x)
        return si_no(walk->job, "its scores are not on an integer grid");
    if (only_index)
        v = scores(walk, n, x);
    else if (x->scale.n == 1 && x->bias.n == 1 && x->scale.v[0] > 0)
        v = x->tensor->integer;
    else
        return si_no(walk->job, "its values are used and have a scale or offset for each class");
    nashc_node *m = v ? nashc_build_like(walk->build, n, &v, 1) : NULL;
    if (!m)
        return v ? si_fail(walk->job, nashc_build_status(walk->build)) : false;
    return si_anchor(walk, index, nashc_node_out(m, at_index), &one, &zero, NULL, NULL, NULL,
                     NULL) &&
           (only_index || si_anchor(walk, best, nashc_node_out(m, 0), &x->scale, &x->bias, NULL,
                                    NULL, NULL, NULL));
}

static int
score_growth(si_walk *walk, const nashc_node *n)
{
    (void)walk;
    (void)n;
    return SCORE_BITS;
}

/* Softmax in front of them has no rule, so that its result is a float of the host. */
static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule),
                                        .flags = NASHC_INTEGER_LOOKS_BEHIND,
                                        .rebuild = rebuild_argmax, .growth = score_growth};

extern const nashc_impl nashc_impl_scaled_integer_nn_argmax;
extern const nashc_impl nashc_impl_scaled_integer_nn_topk;
const nashc_impl nashc_impl_scaled_integer_nn_argmax =
    NASHC_IMPL_SCALED_INTEGER("nn.argmax", &rule);
const nashc_impl nashc_impl_scaled_integer_nn_topk = NASHC_IMPL_SCALED_INTEGER("nn.topk", &rule);
