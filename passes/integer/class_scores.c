/* class_scores.c: integers for the scores of classes that have scales and offsets of their own.
 *
 *     class c: scale_c i + bias_c     ==>     m_c i + offset_c      in the same order, for all i
 */
#include "class_scores.h"

#include <math.h>

#define MIN_BITS     3 /* of the first multipliers that are tried */
#define MAX_CLASSES  4096
#define MAX_MEETINGS 65536
#define MAX_WORK     ((int64_t)1 << 25)

/* Do classes whose offsets differ by d keep their order at k, next to where they tie? */
static bool
keeps_order_at(double k, double d, double m, double difference)
{
    double real = k + d, got = m * k + difference;
    if (fabs(real) < 1e-12 * (1 + fabs(d)))
        real = 0;
    bool close = fabs(real) < 1e-7 * (1 + fabs(d)) && got == 0;
    return close || ((real > 0) == (got > 0) && (real < 0) == (got < 0));
}

bool
si_offsets_keep_order(const si_array *bias, double m)
{
    for (int64_t i = 0; i < bias->n; i++)
        for (int64_t j = 0; j < i; j++) {
            double d = bias->v[i] - bias->v[j];
            double difference = nearbyint(m * bias->v[i]) - nearbyint(m * bias->v[j]);
            if (!keeps_order_at(floor(-d), d, m, difference) ||
                !keeps_order_at(ceil(-d), d, m, difference))
                return false;
        }
    return true;
}

/* x / y if that is an integer, but for the rounding of doubles; else NaN. Of ratios beyond 2^44
 * doubles do not tell whether they are. */
static double
whole_ratio(double x, double y)
{
    double r = x / y, q = nearbyint(r);
    return fabs(r) <= 0x1p44 && fabs(r - q) < 1e-9 + fabs(r) * 0x1p-50 ? q : NAN;
}

static bool
all_take(const si_class_scores *classes, double v)
{
    for (int64_t i = 0; i < classes->n; i++)
        if (isnan(whole_ratio(classes->bias.v[i] - v, classes->scale.v[i])))
            return false;
    return true;
}

/* Quantisers with zero points give 0 in all classes, and an addend moves it for all. */
static void
find_common_value(si_class_scores *classes)
{
    int64_t last =
        classes->hi - classes->lo < MAX_MEETINGS ? classes->hi : classes->lo + MAX_MEETINGS - 1;
    classes->common = 0;
    classes->meet = all_take(classes, 0);
    for (int64_t i = classes->lo; !classes->meet && i <= last; i++) {
        classes->common = classes->scale.v[0] * (double)i + classes->bias.v[0];
        classes->meet = all_take(classes, classes->common);
    }
}

bool
si_classes_set(si_job *job, const si_array *scale, const si_array *bias, int64_t lo, int64_t hi,
               si_class_scores *classes)
{
    nashc_type shape;
    if (!si_joint_shape(scale, bias, &shape))
        return si_no(job, NULL);
    if (!si_spread(job, scale, &shape, &classes->scale) ||
        !si_spread(job, bias, &shape, &classes->bias) ||
        !si_spread(job, scale, &shape, &classes->m) ||
        !si_spread(job, bias, &shape, &classes->offset))
        return false;
    classes->n = classes->scale.n;
    classes->lo = lo;
    classes->hi = hi;
    find_common_value(classes);
    return true;
}

/* Where all classes meet in a value, offsets are whole steps from there, so that classes that have
 * it in the model still tie. */
void
si_classes_weigh(si_class_scores *classes, int bits)
{
    double unit = 0, *m = classes->m.v, *offset = classes->offset.v;
    const double *scale = classes->scale.v, *bias = classes->bias.v;
    for (int64_t i = 0; i < classes->n; i++)
        unit = fmax(unit, ldexp(fabs(scale[i]), -bits));
    unit = unit > 0 ? unit : 1;
    for (int64_t i = 0; i < classes->n; i++) {
        m[i] = nearbyint(scale[i] / unit);
        offset[i] = classes->meet ? whole_ratio(bias[i] - classes->common, scale[i]) * m[i]
                                  : nearbyint(bias[i] / unit);
    }
}

static double
real_score(const si_class_scores *classes, int64_t c, int64_t i)
{
    return classes->scale.v[c] * (double)i + classes->bias.v[c];
}

static int64_t
integer_score(const si_class_scores *classes, int64_t c, int64_t i)
{
    return (int64_t)classes->m.v[c] * i + (int64_t)classes->offset.v[c];
}

/* Are all integers of class d in the order with integer i of class c in which the model's values
 * are? Both are monotone in the integer j of d, so those next to where the values cross decide. */
static bool
in_order(const si_class_scores *classes, int64_t c, int64_t d, int64_t i)
{
    double lo = (double)classes->lo, hi = (double)classes->hi, scale = classes->scale.v[d];
    double x = real_score(classes, c, i);
    double crossing = scale == 0 ? lo : floor((x - classes->bias.v[d]) / scale);
    int64_t here = integer_score(classes, c, i);
    int64_t from = (int64_t)fmin(fmax(crossing - 1, lo), hi);
    for (int64_t j = from; j <= from + 3 && j <= classes->hi; j++) {
        double y = real_score(classes, d, j);
        int64_t there = integer_score(classes, d, j);
        bool tie = fabs(x - y) <= 1e-12 * (fabs(x) + fabs(y));
        if (tie ? here != there : (x < y) != (here < there) || here == there)
            return false;
    }
    return true;
}

static bool
all_in_order(const si_class_scores *classes, int64_t *work)
{
    for (int64_t c = 0; c < classes->n; c++)
        for (int64_t d = 0; d < c; d++)
            for (int64_t i = classes->lo; i <= classes->hi; i++) {
                ++*work;
                if (!in_order(classes, c, d, i))
                    return false;
            }
    return true;
}

bool
si_classes_prove(si_class_scores *classes, int most)
{
    int64_t n = classes->n, work = 0;
    if (n > MAX_CLASSES || classes->hi - classes->lo >= MAX_WORK / (n * n))
        return false;
    for (int bits = MIN_BITS; bits <= most && work < MAX_WORK; bits++) {
        si_classes_weigh(classes, bits);
        if (all_in_order(classes, &work))
            return true;
    }
    return false;
}
