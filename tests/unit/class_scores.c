/* class_scores.c: tests of passes/integer/class_scores.c: order of all scores against brute force.
 */
#include "passes/integer/class_scores.h"

#include <math.h>

#include "core/base/rng.h"
#include "job.h"

static si_array
vector(si_job *job, const double *v, int64_t n)
{
    si_array a;
    assert_true(si_shape_array(job, &a, 1, &n));
    memcpy(a.v, v, (size_t)n * sizeof(*v));
    return a;
}

/* Are all pairs of integers of all pairs of classes in the order of the real scores, ties included?
 */
static bool
order_is_right(const si_class_scores *z)
{
    for (int64_t c = 0; c < z->n; c++)
        for (int64_t d = 0; d < z->n; d++)
            for (int64_t i = z->lo; i <= z->hi; i++)
                for (int64_t j = z->lo; j <= z->hi; j++) {
                    double x = z->scale.v[c] * (double)i + z->bias.v[c];
                    double y = z->scale.v[d] * (double)j + z->bias.v[d];
                    double k = z->m.v[c] * (double)i + z->offset.v[c];
                    double l = z->m.v[d] * (double)j + z->offset.v[d];
                    bool tie = fabs(x - y) <= 1e-12 * (fabs(x) + fabs(y));
                    if (c != d && (tie ? k != l : (x < y) != (k < l) || k == l))
                        return false;
                }
    return true;
}

static void
what_is_proven_is_right(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    int proven = 0;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 100; round++) {
        double scale[4], bias[4];
        si_class_scores z;
        for (int c = 0; c < 4; c++) {
            scale[c] = (double)nashc_rng_range(&rng, 1, 100) / 37;
            bias[c] = round % 2 ? 0 : (double)nashc_rng_range(&rng, -30, 30) / 17;
        }
        si_array s = vector(job, scale, 4), b = vector(job, bias, 4);
        assert_true(si_classes_set(job, &s, &b, -20, 20, &z));
        bool ok = si_classes_prove(&z, 30);
        proven += ok;
        assert_int_equal(ok, ok && order_is_right(&z));
    }
    assert_true(proven > 60);
}

/* A value is a score of all classes: those that have it tie, in the model and here. */
static void
classes_that_meet_still_tie(void **state)
{
    si_job *job = *state;
    si_array s = vector(job, (double[]){0.3, 0.7}, 2);
    for (int common = 0; common < 6; common += 5) {
        si_array b = vector(job, (double[]){common - 0.9, common - 2.8}, 2);
        si_class_scores z;
        assert_true(si_classes_set(job, &s, &b, 0, 15, &z));
        assert_true(z.meet && fabs(z.common - common) < 1e-9);
        si_classes_weigh(&z, 10);
        assert_true(z.m.v[0] * 3 + z.offset.v[0] == z.m.v[1] * 4 + z.offset.v[1]);
    }
}

static void
offsets_need_their_multiplier(void **state)
{
    si_job *job = *state;
    si_array half = vector(job, (double[]){0, 0.5}, 2),
             third = vector(job, (double[]){0, 1.0 / 3}, 2);
    assert_false(si_offsets_keep_order(&half, 1));
    assert_true(si_offsets_keep_order(&half, 2));
    assert_false(si_offsets_keep_order(&third, 1));
    assert_true(si_offsets_keep_order(&third, 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(what_is_proven_is_right),
        JOB_TEST(classes_that_meet_still_tie),
        JOB_TEST(offsets_need_their_multiplier),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
