/* threshold_search.c: tests of passes/integer/threshold_search.c against brute force. */
#include "passes/integer/threshold_search.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"
#include "job.h"

/* Variants code = clamp(round(slope * x + offset)), or a wave. */
typedef struct stair {
    double lo, hi, slope, offset;
    int64_t code_min, code_max;
    bool wave;
} stair;

typedef struct stairs {
    const stair *stair;
    bool blind;     /* no guesses */
    double astray;  /* by how much they are wrong */
    double claimed; /* and by how much at most, as they say; 0: they do not */
    int64_t points; /* evaluated so far */
} stairs;

static int64_t
code_of(const stair *s, double x)
{
    double v = s->wave ? s->slope * sin(x) + s->offset : s->slope * x + s->offset;
    v = fmin(fmax(nearbyint(v), (double)s->code_min), (double)s->code_max);
    return (int64_t)v;
}

static void
interval(const void *self, int64_t variant, double *lo, double *hi)
{
    *lo = ((const stairs *)self)->stair[variant].lo;
    *hi = ((const stairs *)self)->stair[variant].hi;
}

static bool
eval(void *self, const int64_t *variant, int64_t n_variants, int64_t points, const double *x,
     bool real, int64_t *code)
{
    stairs *all = self;
    (void)real;
    all->points += points * n_variants;
    for (int64_t k = 0; k < points * n_variants; k++) {
        int64_t i = k % n_variants;
        code[k] = code_of(&all->stair[variant ? variant[i] : i], x[k]);
    }
    return true;
}

static bool
guess(const void *self, int64_t variant, double code, double *x)
{
    const stairs *all = self;
    const stair *s = &all->stair[variant];
    *x = (code - 0.5 - s->offset) / s->slope + all->astray;
    return !all->blind && s->slope != 0;
}

static bool
line_error(const void *self, int64_t variant, double *error)
{
    (void)variant;
    *error = ((const stairs *)self)->claimed;
    return true;
}

static si_function
function_of(stairs *all, int64_t n)
{
    return (si_function){.n = n,
                         .self = all,
                         .interval = interval,
                         .eval = eval,
                         .guess = guess,
                         .line_error = all->claimed > 0 ? line_error : NULL};
}

/* Code of the thresholds at every integer of the interval, beyond its ends too. */
static void
agrees(const stair *s, const si_thresholds *found)
{
    for (int64_t x = (int64_t)s->lo; x <= (int64_t)s->hi; x++)
        assert_int_equal(si_thresholds_code(found, x), code_of(s, (double)x));
    assert_int_equal(si_thresholds_code(found, (int64_t)s->lo - 1), code_of(s, s->lo));
    assert_int_equal(si_thresholds_code(found, (int64_t)s->hi + 1), code_of(s, s->hi));
    assert_int_equal(found->lo, (int64_t)s->lo);
    assert_int_equal(found->hi, (int64_t)s->hi);
}

static stair
random_stair(nashc_rng *rng, int64_t width, bool wave)
{
    stair s = {.lo = (double)nashc_rng_range(rng, -width, width), .wave = wave};
    s.hi = s.lo + (double)nashc_rng_range(rng, 0, width);
    s.slope = (double)nashc_rng_range(rng, -64, 64) * (wave ? 0.1 : 16.0 / (double)width);
    s.offset = (double)nashc_rng_range(rng, -64, 64) / 8;
    s.code_min = nashc_rng_range(rng, -20, 0);
    s.code_max = s.code_min + nashc_rng_range(rng, 0, 30);
    return s;
}

#define VARIANTS 7

/* All of them at once, as a chain has them. */
static void
search_and_compare(si_job *job, const stair *s, stairs *all, bool rises)
{
    si_function f = function_of(all, VARIANTS);
    si_thresholds *found = si_thresholds_find(job, &f, rises);
    assert_non_null(found);
    for (int i = 0; i < VARIANTS; i++)
        agrees(&s[i], &found[i]);
    si_thresholds_free(found, VARIANTS);
}

static void
narrow_intervals_are_swept(void **state)
{
    nashc_rng rng;
    nashc_rng_seed(&rng, 1);
    for (int round = 0; round < 200; round++) {
        stair s[VARIANTS];
        for (int i = 0; i < VARIANTS; i++)
            s[i] = random_stair(&rng, 100, i % 3 == 0); /* rising, falling, constant, waves */
        search_and_compare(*state, s, &(stairs){.stair = s}, false);
    }
}

/* Of 20000 integers only those next to the thresholds are evaluated, whatever the guesses say. */
static void
wide_intervals_are_bisected(void **state)
{
    nashc_rng rng;
    nashc_rng_seed(&rng, 2);
    for (int round = 0; round < 30; round++) {
        stair s[VARIANTS];
        for (int i = 0; i < VARIANTS; i++)
            s[i] = random_stair(&rng, 20000, false);
        for (int how = 0; how < 3; how++) {
            stairs all = {.stair = s, .blind = how == 1, .astray = how == 2 ? 300 : 0};
            search_and_compare(*state, s, &all, true);
            assert_true(all.points < (how ? 30 : 6) * 32 * VARIANTS);
        }
    }
}

/* A step at the very ends, far from where it is guessed. */
static void
steps_at_the_ends(void **state)
{
    for (int end = 0; end < 4; end++) {
        stair s[VARIANTS];
        for (int i = 0; i < VARIANTS; i++) {
            double at = end % 2 ? 20000 - i : i + 1; /* first integer behind the step */
            double slope = end < 2 ? 1 : -1;
            s[i] = (stair){.hi = 20000, .slope = slope, .code_max = 1 + i};
            s[i].offset = slope * (0.4 - at) + (slope > 0 ? 0.2 : 1);
        }
        for (int how = 0; how < 3; how++)
            search_and_compare(*state, s,
                               &(stairs){.stair = s, .blind = how == 2, .astray = how ? -300 : 300},
                               true);
    }
}

static void
wide_waves_are_tabled(void **state)
{
    stair s[VARIANTS];
    nashc_rng rng;
    nashc_rng_seed(&rng, 3);
    for (int i = 0; i < VARIANTS; i++)
        s[i] = random_stair(&rng, 20000, true);
    search_and_compare(*state, s, &(stairs){.stair = s}, false);
}

/* Guesses within what they claim give the thresholds, nearly without evaluations; those that are
 * not are found out, and all is searched. */
static void
lines_follow_from_guesses(void **state)
{
    stair s[VARIANTS];
    nashc_rng rng;
    nashc_rng_seed(&rng, 6);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < VARIANTS; i++)
            s[i] = random_stair(&rng, 20000, false);
        double claimed = round % 3 == 0 ? 1e-9 : 0.2;
        stairs all = {.stair = s, .claimed = claimed, .astray = round % 3 == 1 ? 0.15 : 0};
        if (round % 3 == 2)
            all.astray = 7; /* a lie */
        search_and_compare(*state, s, &all, true);
    }
}

static void
lines_need_few_evaluations(void **state)
{
    stair s = {.lo = -0x1p30, .hi = 0x1p30, .slope = 0x1.23456789p-15, .code_max = 60000};
    stairs all = {.stair = &s, .claimed = 1e-6};
    si_function f = function_of(&all, 1);
    si_thresholds *found = si_thresholds_find(*state, &f, true);
    assert_non_null(found);
    assert_true(found->code_max - found->code_min > 30000 && all.points < 1000);
    for (int64_t k = 0; k < found->code_max - found->code_min; k++) {
        double at = (double)found->threshold[k];
        assert_int_equal(code_of(&s, at), found->code_min + k + 1);
        assert_int_equal(code_of(&s, at - 1), found->code_min + k);
    }
    si_thresholds_free(found, 1);
}

static void
what_is_too_much_is_refused(void **state)
{
    si_job *job = *state;
    stair wave = {.lo = -0x1p40, .hi = 0x1p40, .slope = 3, .wave = true, .code_max = 3};
    stair steep = {.hi = 0x1p40, .slope = 1, .code_max = (int64_t)1 << 40};
    stairs all = {.stair = &wave};
    si_function f = function_of(&all, 1);
    assert_null(si_thresholds_find(job, &f, false));
    assert_non_null(strstr(job->why, "not monotone"));
    job->why = NULL;
    all.stair = &steep;
    assert_null(si_thresholds_find(job, &f, true));
    assert_non_null(strstr(job->why, "more thresholds"));
    assert_int_equal(job->status, NASHC_OK); /* no fault of anybody */
}

/* Numbers of doubles count as the doubles do. */
static void
numbers_of_doubles(void **state)
{
    nashc_rng rng;
    (void)state;
    nashc_rng_seed(&rng, 4);
    assert_true(si_number_of(0) == 0 && si_real_of(0) == 0);
    for (int i = 0; i < 100000; i++) {
        double x = ldexp((double)nashc_rng_range(&rng, -1000000, 1000000),
                         (int)nashc_rng_range(&rng, -100, 100));
        double y = nextafter(x, INFINITY);
        assert_true(si_real_of(si_number_of(x)) == x);
        if (x != 0)
            assert_true(si_number_of(y) - si_number_of(x) == 1);
    }
}

/* Thresholds among doubles: the last one with the code below and the first one with it. */
static void
thresholds_among_doubles(void **state)
{
    si_job *job = *state;
    nashc_rng rng;
    nashc_rng_seed(&rng, 5);
    for (int round = 0; round < 100; round++) {
        stair s = random_stair(&rng, 100, false);
        stairs all = {.stair = &s, .blind = round % 2};
        si_function f = function_of(&all, 1);
        si_thresholds found = {.lo = si_number_of(s.lo), .hi = si_number_of(s.hi)};
        assert_true(si_thresholds_real(job, &f, &found, 1000));
        for (int64_t k = 0; found.direction && k < found.code_max - found.code_min; k++) {
            int64_t at = found.threshold[k], sign = found.direction;
            int64_t here = code_of(&s, si_real_of(sign * at));
            int64_t before = code_of(&s, si_real_of(sign * (at - 1)));
            assert_true(here > found.code_min + k && before <= found.code_min + k);
        }
        free(found.threshold);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(narrow_intervals_are_swept),  JOB_TEST(wide_intervals_are_bisected),
        JOB_TEST(steps_at_the_ends),           JOB_TEST(wide_waves_are_tabled),
        JOB_TEST(what_is_too_much_is_refused), cmocka_unit_test(numbers_of_doubles),
        JOB_TEST(thresholds_among_doubles),    JOB_TEST(lines_follow_from_guesses),
        JOB_TEST(lines_need_few_evaluations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
