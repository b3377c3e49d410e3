/* class_scores.h: integers for the scores of classes that have scales and offsets of their own. */
#ifndef NASHC_PASSES_INTEGER_CLASS_SCORES_H
#define NASHC_PASSES_INTEGER_CLASS_SCORES_H

#include "array.h"

/* Classes: value scale[c] i + bias[c] in the model, integer m[c] i + offset[c] here, for each i in
 * lo..hi. */
typedef struct si_class_scores {
    int64_t n, lo, hi;
    si_array scale, bias, m, offset; /* n elements each */
    bool meet;                       /* is there a value that all classes take for some integer? */
    double common;                   /* the value */
} si_class_scores;

/* scale and bias broadcast against each other; m and offset come later. */
bool si_classes_set(si_job *job, const si_array *scale, const si_array *bias, int64_t lo,
                    int64_t hi, si_class_scores *classes);

/* m and offset that leave the largest scale so many bits. */
void si_classes_weigh(si_class_scores *classes, int bits);

/* Those of the fewest bits, up to most, with which the order is proven right for all integers.
 * False: there are none, or too many integers to tell. */
bool si_classes_prove(si_class_scores *classes, int most);

/* Does m i + round(m bias) order all pairs of classes as i + bias does, ties included? Scores that
 * differ by less than the rounding of float32 constants may tie, but not change their order. */
bool si_offsets_keep_order(const si_array *bias, double m);

#endif
