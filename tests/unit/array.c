/* array.c: tests of passes/integer/array.c: broadcasting against plain loops, units of scales. */
#include "passes/integer/array.h"

#include <math.h>

#include "core/base/rng.h"
#include "job.h"

#define ROUNDS 300

static nashc_type
shape(int rank, const int64_t *dim)
{
    return nashc_type_shaped(nashc_type_f64(), rank, dim);
}

/* An array that is broadcast against t: axes of length 1 or left out in front; few different
 * values, so that there is something to squeeze. */
static si_array
random_array(si_job *job, nashc_rng *rng, const nashc_type *t)
{
    si_array a;
    int64_t dim[NASHC_MAX_RANK];
    int rank = (int)nashc_rng_range(rng, 0, t->rank);
    for (int i = 0; i < rank; i++)
        dim[i] = nashc_rng_range(rng, 0, 1) ? t->dim[t->rank - rank + i] : 1;
    assert_true(si_shape_array(job, &a, rank, dim));
    int64_t values = nashc_rng_range(rng, 1, 3);
    for (int64_t i = 0; i < a.n; i++)
        a.v[i] = (double)nashc_rng_range(rng, 1, values);
    return a;
}

static nashc_type
random_shape(nashc_rng *rng)
{
    int64_t dim[4];
    int rank = (int)nashc_rng_range(rng, 0, 4);
    for (int i = 0; i < rank; i++)
        dim[i] = nashc_rng_range(rng, 1, 4);
    return shape(rank, dim);
}

/* Element e of t in a by numpy's rules: one coordinate after the other, aligned right. */
static double
by_hand(const si_array *a, const nashc_type *t, int64_t e)
{
    int64_t at[NASHC_MAX_RANK], index = 0;
    for (int i = t->rank - 1; i >= 0; e /= t->dim[i--])
        at[i] = e % t->dim[i];
    for (int i = 0; i < a->rank; i++)
        index = index * a->dim[i] + (a->dim[i] == 1 ? 0 : at[t->rank - a->rank + i]);
    return a->v[index];
}

static void
squeezing_changes_no_element(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        nashc_type t = random_shape(&rng);
        si_array a = random_array(job, &rng, &t), small;
        assert_true(si_spread(job, &a, &t, &small));
        si_squeeze(&small);
        for (int64_t e = 0, n = nashc_type_count(&t); e < n; e++) {
            assert_true(si_at(&a, &t, e) == by_hand(&a, &t, e));
            assert_true(si_at(&small, &t, e) == by_hand(&a, &t, e));
        }
        for (int i = 0; i < small.rank; i++) { /* something changes along what is left */
            bool changes = false;
            int step = 1;
            for (int k = i + 1; k < small.rank; k++)
                step *= (int)small.dim[k];
            for (int64_t e = 0; e < small.n; e++)
                changes = changes || small.v[e] != small.v[e - e / step % small.dim[i] * step];
            assert_true(small.dim[i] == 1 || changes);
        }
        assert_true(small.n > 1 || small.rank == 0);
    }
}

static void
zip_broadcasts_as_numpy_does(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < ROUNDS; round++) {
        nashc_type t = random_shape(&rng), joint;
        si_array x = random_array(job, &rng, &t), y = random_array(job, &rng, &t), r;
        assert_true(si_joint_shape(&x, &y, &joint));
        assert_true(si_zip(job, &x, &y, si_sub, &r));
        for (int64_t e = 0, n = nashc_type_count(&t); e < n; e++)
            assert_true(si_at(&r, &t, e) == by_hand(&x, &t, e) - by_hand(&y, &t, e));
        assert_true(si_zip(job, &x, &y, si_sub, &x)); /* the result may be an operand */
        for (int64_t e = 0, n = nashc_type_count(&t); e < n; e++)
            assert_true(si_at(&x, &t, e) == si_at(&r, &t, e));
    }
}

static void
shapes_that_do_not_fit_are_refused(void **state)
{
    si_job *job = *state;
    si_array x, y, r;
    assert_true(si_shape_array(job, &x, 2, (int64_t[]){2, 3}));
    assert_true(si_shape_array(job, &y, 1, (int64_t[]){2}));
    assert_false(si_zip(job, &x, &y, si_add, &r));
    assert_true(si_shape_array(job, &y, 2, (int64_t[]){2, 1}));
    assert_true(si_zip(job, &x, &y, si_add, &r));
}

static void
channels_and_axes(void **state)
{
    si_job *job = *state;
    nashc_type t = shape(4, (int64_t[]){1, 3, 2, 2});
    si_array a, along;
    assert_true(si_per_channel(job, &t, (double[]){5, 6, 7}, &a));
    assert_true(si_channel_only(&a, &t));
    assert_true(si_varies(&a, &t, 1));
    assert_false(si_varies(&a, &t, 2));
    for (int64_t e = 0; e < 12; e++)
        assert_true(si_at(&a, &t, e) == 5 + (double)(e / 4));
    assert_true(si_channel(&a, 2) == 7);
    assert_true(si_along(job, &a, &t, 1, &along));
    assert_int_equal(along.n, 3);
    assert_false(si_along(job, &a, &t, 3, &along)); /* it varies along another axis */
    assert_true(si_per_axis(job, (double[]){1, 2}, 2, 3, 4, &a));
    assert_false(si_channel_only(&a, &t));
    nashc_type flat = shape(1, (int64_t[]){2});
    assert_false(si_channel_only(&a, &flat)); /* it has more axes than the tensor */
    assert_true(si_along(job, &a, &t, 3, &along));
    assert_true(along.v[0] == 1 && along.v[1] == 2);
}

static void
gather_follows_the_map(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 3);
    for (int round = 0; round < ROUNDS; round++) {
        nashc_type from = random_shape(&rng), to = random_shape(&rng);
        int64_t map[256], n = nashc_type_count(&to);
        si_array a = random_array(job, &rng, &from), r;
        for (int64_t e = 0; e < n; e++)
            map[e] = nashc_rng_range(&rng, 0, nashc_type_count(&from) - 1);
        assert_true(si_gather(job, &a, &from, &to, map, &r));
        for (int64_t e = 0; e < n; e++)
            assert_true(si_at(&r, &to, e) == by_hand(&a, &from, map[e]));
    }
}

static void
a_common_unit_divides_all(void **state)
{
    nashc_rng rng;
    (void)state;
    nashc_rng_seed(&rng, 4);
    for (int round = 0; round < 20000; round++) {
        double v[4], unit, base = (double)nashc_rng_range(&rng, 1, 1 << 20) * 0x1p-30;
        int64_t n = nashc_rng_range(&rng, 1, 4), m[4];
        for (int64_t i = 0; i < n; i++) {
            m[i] = nashc_rng_range(&rng, -50, 50);
            v[i] = (double)m[i] * base;
        }
        assert_true(si_common_unit(v, n, 1024, &unit));
        for (int64_t i = 0; i < n; i++) {
            double q = v[i] / unit;
            assert_true(fabs(q - nearbyint(q)) <= 1e-9 && fabs(q) < 1024);
        }
    }
}

static void
no_unit_where_there_is_none(void **state)
{
    double unit;
    (void)state;
    assert_false(si_common_unit((double[]){1, 3.14159265358979}, 2, 1024, &unit));
    assert_false(si_common_unit((double[]){1, 2000}, 2, 1024, &unit)); /* multipliers below max */
    assert_true(si_common_unit((double[]){0, 0}, 2, 1024, &unit));
    assert_true(unit == 1);
    /* products of float32 numbers, rounded to double, are near multiples */
    assert_true(si_common_unit((double[]){0.1 * 3, 0.1 * 7}, 2, 1024, &unit));
    assert_true(fabs(unit - 0.1) < 1e-12);
}

static void
rounding_to_integers(void **state)
{
    si_job *job = *state;
    si_array a;
    assert_true(si_shape_array(job, &a, 1, (int64_t[]){2}));
    a.v[0] = 3.0000000001;
    a.v[1] = -2;
    assert_true(si_round_to_integers(&a));
    assert_true(a.v[0] == 3 && a.v[1] == -2);
    a.v[1] = 0.5;
    assert_false(si_round_to_integers(&a));
    a.v[1] = NAN;
    assert_false(si_round_to_integers(&a));
    a.v[1] = INFINITY;
    assert_false(si_round_to_integers(&a));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(squeezing_changes_no_element),
        JOB_TEST(zip_broadcasts_as_numpy_does),
        JOB_TEST(shapes_that_do_not_fit_are_refused),
        JOB_TEST(channels_and_axes),
        JOB_TEST(gather_follows_the_map),
        cmocka_unit_test(a_common_unit_divides_all),
        cmocka_unit_test(no_unit_where_there_is_none),
        JOB_TEST(rounding_to_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
