/* threshold_search.c: where the codes of functions of one integer step, for all variants at once.
 *
 *     code 3 |              ______      threshold[2]: least integer with code >= 3
 *     code 2 |        _____|
 *     code 1 | ______|                  found by evaluation, never by inverting the function
 *            +--lo---------------hi--
 *
 * Narrow intervals are evaluated in full. Else each level of each variant is a bracket, lo below
 * and hi at or above the level, that shrinks around a guess until they touch: so the function was
 * evaluated on both sides of every threshold that is returned.
 */
#include "threshold_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_RANGE    ((int64_t)1 << 12) /* intervals that are evaluated in full */
#define SWEEP_CELLS    ((int64_t)1 << 20) /* of all variants */
#define TABLE_RANGE    ((int64_t)1 << 16) /* of those that are not monotone, as a table */
#define TRY_CELLS      ((int64_t)1 << 26) /* where nothing else would do */
#define MAX_LEVELS     ((int64_t)1 << 24) /* of all variants */
#define LINE_LEVELS    ((int64_t)1 << 26) /* of all that guesses give */
#define VARIANT_LEVELS ((int64_t)1 << 20)
#define MAX_STEP       ((int64_t)1 << 60)

void
si_thresholds_free(si_thresholds *found, int64_t n)
{
    for (int64_t i = 0; found && i < n; i++) {
        free(found[i].threshold);
        free(found[i].table);
    }
    free(found);
}

/* Levels of a variant; 0 where its codes are constant. */
static int64_t
levels(const si_thresholds *s)
{
    return s->direction == 0 ? 0 : s->code_max - s->code_min;
}

/* --- evaluation in full ------------------------------------------------------------------------
 */

/* Least and largest code of n, and which way they go. */
static void
survey(si_thresholds *s, const int64_t *code, int64_t stride, int64_t n)
{
    bool up = true, down = true;
    s->code_min = s->code_max = code[0];
    for (int64_t i = 1; i < n; i++) {
        int64_t v = code[i * stride], before = code[(i - 1) * stride];
        up = up && v >= before;
        down = down && v <= before;
        s->code_min = v < s->code_min ? v : s->code_min;
        s->code_max = v > s->code_max ? v : s->code_max;
    }
    s->direction = up && down ? 0 : up ? 1 : down ? -1 : 2;
}

/* Thresholds, or a table, from all codes code[0], code[stride], ... of one variant. */
static bool
from_codes(si_job *job, si_thresholds *s, const int64_t *code, int64_t stride)
{
    int64_t n = s->hi - s->lo + 1, k = 0;
    survey(s, code, stride, n);
    if (s->code_max - s->code_min > VARIANT_LEVELS)
        return si_no(job, "it would need more thresholds, one a code and channel, than are "
                          "searched for: fewer bits need fewer");
    if (s->direction == 0)
        return true;
    int64_t *out = malloc((size_t)(s->direction == 2 ? n : levels(s)) * sizeof(*out) + 1);
    if (!out)
        return si_no_memory(job);
    for (int64_t i = 0; s->direction == 2 && i < n; i++)
        out[i] = code[i * stride];
    for (int64_t i = 0; s->direction != 2 && i < n; i++) {
        int64_t at = s->direction > 0 ? i : n - 1 - i;
        while (k < code[at * stride] - s->code_min)
            out[k++] = s->direction > 0 ? s->lo + at : -(s->lo + at);
    }
    if (s->direction == 2)
        s->table = out;
    else
        s->threshold = out;
    return true;
}

/* Intervals shorter than width repeat their last integer. */
static bool
sweep(si_job *job, const si_function *f, si_thresholds *found, int64_t width)
{
    int64_t n = f->n;
    double *x = calloc((size_t)(n * width), sizeof(*x));
    int64_t *code = malloc((size_t)(n * width) * sizeof(*code));
    bool ok = (x && code) || si_no_memory(job);
    for (int64_t k = 0; ok && k < width; k++)
        for (int64_t i = 0; i < n; i++) {
            const si_thresholds *s = &found[i];
            x[k * n + i] = (double)(s->lo + k < s->hi ? s->lo + k : s->hi);
        }
    ok = ok && f->eval(f->self, NULL, n, width, x, false, code);
    for (int64_t i = 0; ok && i < n; i++)
        ok = from_codes(job, &found[i], code + i, n);
    free(x);
    free(code);
    return ok;
}

/* The steps of all variants, found by evaluating their intervals piece by piece. */
typedef struct stepping {
    int64_t *up, *down; /* of one variant */
    int64_t n_up, n_down, cap_up, cap_down, before, code_min, code_max, code_lo;
} stepping;

static bool
add_step(si_job *job, int64_t **v, int64_t *n, int64_t *cap, int64_t at)
{
    if (*n == VARIANT_LEVELS)
        return si_no(job, "it would need more thresholds, one a code and channel, than are "
                          "searched for: fewer bits need fewer");
    if (*n == *cap) {
        int64_t more = 2 * *cap + 64, *p = realloc(*v, (size_t)more * sizeof(*p));
        if (!p)
            return si_no_memory(job);
        *v = p;
        *cap = more;
    }
    (*v)[(*n)++] = at;
    return true;
}

static bool
step_to(si_job *job, stepping *s, int64_t at, int64_t code)
{
    bool ok = true;
    for (; ok && s->before < code; s->before++)
        ok = add_step(job, &s->up, &s->n_up, &s->cap_up, at);
    for (; ok && s->before > code; s->before--)
        ok = add_step(job, &s->down, &s->n_down, &s->cap_down, at);
    s->code_min = code < s->code_min ? code : s->code_min;
    s->code_max = code > s->code_max ? code : s->code_max;
    return ok;
}

/* Steps of one variant as thresholds: those of one direction where there are no others. */
static bool
from_steps(si_job *job, si_thresholds *out, const stepping *s)
{
    int64_t n = s->n_up + s->n_down;
    out->code_min = s->code_min;
    out->code_max = s->code_max;
    out->direction = !n ? 0 : !s->n_down ? 1 : !s->n_up ? -1 : 2;
    out->n_up = s->n_up;
    out->n_down = s->n_down;
    out->code_lo = s->code_lo;
    if (!n)
        return true;
    if (!(out->threshold = malloc((size_t)n * sizeof(*out->threshold))))
        return si_no_memory(job);
    for (int64_t i = 0; i < s->n_up; i++)
        out->threshold[i] = s->up[i];
    for (int64_t i = 0; i < s->n_down; i++)
        out->threshold[s->n_up + i] =
            out->direction == -1 ? 1 - s->down[s->n_down - 1 - i] : s->down[i];
    return true;
}

/* Points from .. from + width of all variants; those beyond an interval repeat its last one. */
static bool
step_piece(si_job *job, const si_function *f, const si_thresholds *found, stepping *s, int64_t from,
           int64_t width, double *x, int64_t *code)
{
    int64_t n = f->n;
    for (int64_t k = 0; k < width; k++)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = found[i].lo + from + k;
            x[k * n + i] = (double)(at < found[i].hi ? at : found[i].hi);
        }
    bool ok = f->eval(f->self, NULL, n, width, x, false, code);
    for (int64_t k = 0; ok && k < width; k++)
        for (int64_t i = 0; ok && i < n; i++) {
            int64_t v = code[k * n + i];
            if (from + k == 0)
                s[i].code_lo = s[i].before = s[i].code_min = s[i].code_max = v;
            ok = step_to(job, &s[i], found[i].lo + from + k, v);
        }
    return ok;
}

static bool
sweep_steps(si_job *job, const si_function *f, si_thresholds *found, int64_t width)
{
    int64_t n = f->n, step = SWEEP_CELLS / n < 1 ? 1 : SWEEP_CELLS / n;
    double *x = malloc((size_t)(n * step) * sizeof(*x));
    int64_t *code = malloc((size_t)(n * step) * sizeof(*code));
    stepping *s = calloc((size_t)n, sizeof(*s));
    bool ok = (x && code && s) || si_no_memory(job);
    for (int64_t from = 0; ok && from < width; from += step)
        ok = step_piece(job, f, found, s, from, width - from < step ? width - from : step, x, code);
    for (int64_t i = 0; i < n && s; i++) {
        ok = ok && from_steps(job, &found[i], &s[i]);
        free(s[i].up);
        free(s[i].down);
    }
    free(x);
    free(code);
    free(s);
    return ok;
}

/* --- doubles by number -------------------------------------------------------------------------
 */

/* Doubles are ordered as their bits are. Those nearest to zero are left out: no sum of a few
 * products comes that near to it, and differences of two numbers fit 64 bits so. */
#define TINY 0x1p-500

static int64_t
bits_of(double v)
{
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

int64_t
si_number_of(double v)
{
    double a = fabs(v);
    if (!(a >= TINY))
        return 0;
    int64_t n = bits_of(a < 1 / TINY ? a : 1 / TINY) - bits_of(TINY) + 1;
    return v < 0 ? -n : n;
}

double
si_real_of(int64_t number)
{
    double v = 0;
    int64_t bits = llabs(number) - 1 + bits_of(TINY);
    if (number == 0)
        return 0.0;
    memcpy(&v, &bits, sizeof v);
    return number < 0 ? -v : v;
}

static double
value_of(int64_t at, bool real)
{
    return real ? si_real_of(at) : (double)at;
}

/* --- brackets ----------------------------------------------------------------------------------
 */

/* Where one level lies, counted in the direction of its variant. */
typedef struct bracket {
    int64_t lo, hi; /* the level is not reached at lo, and is at hi */
    int64_t step;   /* how far from the last probe the next one is */
    int8_t side;    /* of all probes so far: 1 reached, -1 not, 0 none yet, 2 both were met */
} bracket;

static int64_t
probe(const bracket *b)
{
    int64_t at = b->lo + (b->hi - b->lo) / 2;
    if (b->side == 1)
        at = b->hi - b->step;
    else if (b->side == -1)
        at = b->lo + b->step;
    return at <= b->lo ? b->lo + 1 : at >= b->hi ? b->hi - 1 : at;
}

static void
met(bracket *b, int64_t at, bool reached)
{
    int8_t side = reached ? 1 : -1;
    if (reached)
        b->hi = at;
    else
        b->lo = at;
    b->step = b->step < MAX_STEP ? b->step * 4 : b->step;
    b->side = b->side == 0 || b->side == side ? side : 2;
}

typedef struct bisection {
    const si_function *f;
    si_thresholds *found; /* by variant */
    bool real;            /* integers are the numbers of doubles */
    bracket *bracket;     /* by variant and level */
    int64_t *first;       /* by variant: its first bracket */
    int64_t *open;        /* numbers of the levels that are open, at the places of the brackets */
    int64_t *n_open;      /* by variant */
    int64_t *variant, n_variants; /* those that have open ones */
    double *x;                    /* probes, as integers too: a double holds 53 bits of them */
    int64_t *at, *code, cells;    /* cells: size of the three arrays */
} bisection;

/* First probe of a level: where the guess is, else the middle. */
static int64_t
first_probe(const bisection *s, int64_t variant, int64_t level, bracket *b)
{
    const si_thresholds *found = &s->found[variant];
    double x;
    b->step = 1;
    b->side = 0;
    if (!s->f->guess(s->f->self, variant, (double)(found->code_min + level + 1), &x)) {
        b->side = 2;
        return b->lo + (b->hi - b->lo) / 2;
    }
    int64_t number = s->real ? si_number_of(x) : 0;
    number = found->direction < 0 ? -number : number;
    x = s->real ? (double)number : ceil(found->direction < 0 ? -x : x);
    if (!(x > (double)b->lo))
        return b->lo + 1;
    if (!(x < (double)b->hi))
        return b->hi - 1;
    return s->real ? number : (int64_t)x;
}

/* Brackets of one variant that still gape; what one level tells narrows the others. Their number.
 */
static int64_t
open_of(const bisection *s, int64_t variant)
{
    int64_t k = levels(&s->found[variant]), n = 0;
    bracket *b = s->bracket + s->first[variant];
    for (int64_t j = 1; j < k; j++)
        b[j].lo = b[j].lo > b[j - 1].lo ? b[j].lo : b[j - 1].lo;
    for (int64_t j = k - 2; j >= 0; j--)
        b[j].hi = b[j].hi < b[j + 1].hi ? b[j].hi : b[j + 1].hi;
    for (int64_t j = 0; j < k; j++)
        if (b[j].hi - b[j].lo > 1)
            s->open[s->first[variant] + n++] = j;
    return n;
}

/* Gathers what is open; returns the most in one variant. */
static int64_t
gather_open(bisection *s)
{
    int64_t most = 0;
    s->n_variants = 0;
    for (int64_t i = 0; i < s->f->n; i++) {
        s->n_open[i] = open_of(s, i);
        if (s->n_open[i])
            s->variant[s->n_variants++] = i;
        most = s->n_open[i] > most ? s->n_open[i] : most;
    }
    return most;
}

static bool
make_room(si_job *job, bisection *s, int64_t cells)
{
    if (cells <= s->cells)
        return true;
    free(s->x);
    free(s->code);
    free(s->at);
    s->at = malloc((size_t)cells * sizeof(*s->at));
    s->x = malloc((size_t)cells * sizeof(*s->x));
    s->code = malloc((size_t)cells * sizeof(*s->code));
    s->cells = cells;
    return (s->x && s->code && s->at) || si_no_memory(job);
}

/* One probe of each open bracket; variants with fewer of them repeat their last. */
static void
choose_probes(bisection *s, int64_t points, bool first)
{
    for (int64_t i = 0; i < s->n_variants; i++) {
        int64_t variant = s->variant[i], n = s->n_open[variant];
        for (int64_t k = 0; k < points; k++) {
            int64_t level = s->open[s->first[variant] + (k < n ? k : n - 1)];
            bracket *b = s->bracket + s->first[variant] + level;
            int64_t at = first ? first_probe(s, variant, level, b) : probe(b);
            s->at[k * s->n_variants + i] = at;
            s->x[k * s->n_variants + i] =
                value_of(s->found[variant].direction < 0 ? -at : at, s->real);
        }
    }
}

static bool
round_of_probes(si_job *job, bisection *s, int64_t points, bool first)
{
    if (!make_room(job, s, points * s->n_variants))
        return false;
    choose_probes(s, points, first);
    if (!s->f->eval(s->f->self, s->variant, s->n_variants, points, s->x, s->real, s->code))
        return false;
    for (int64_t i = 0; i < s->n_variants; i++) {
        int64_t variant = s->variant[i];
        for (int64_t k = 0; k < s->n_open[variant]; k++) {
            int64_t level = s->open[s->first[variant] + k];
            met(s->bracket + s->first[variant] + level, s->at[k * s->n_variants + i],
                s->code[k * s->n_variants + i] > s->found[variant].code_min + level);
        }
    }
    return true;
}

static bool
start(si_job *job, bisection *s, int64_t total)
{
    int64_t n = s->f->n, at = 0;
    s->first = malloc((size_t)n * sizeof(*s->first) + 1);
    s->n_open = malloc((size_t)n * sizeof(*s->n_open) + 1);
    s->variant = malloc((size_t)n * sizeof(*s->variant) + 1);
    s->bracket = malloc((size_t)total * sizeof(*s->bracket) + 1);
    s->open = malloc((size_t)total * sizeof(*s->open) + 1);
    if (!s->first || !s->n_open || !s->variant || !s->bracket || !s->open)
        return si_no_memory(job);
    for (int64_t i = 0; i < n; i++) {
        const si_thresholds *found = &s->found[i];
        bool down = found->direction < 0;
        s->first[i] = at;
        for (int64_t k = 0; k < levels(found); k++)
            s->bracket[at++] =
                (bracket){.lo = down ? -found->hi : found->lo, .hi = down ? -found->lo : found->hi};
    }
    return true;
}

/* The brackets, which have closed, as thresholds. */
static bool
finish(si_job *job, const bisection *s)
{
    for (int64_t i = 0; i < s->f->n; i++) {
        int64_t n = levels(&s->found[i]);
        if (n == 0)
            continue;
        int64_t *threshold = malloc((size_t)n * sizeof(*threshold));
        if (!threshold)
            return si_no_memory(job);
        for (int64_t k = 0; k < n; k++)
            threshold[k] = s->bracket[s->first[i] + k].hi;
        s->found[i].threshold = threshold;
    }
    return true;
}

static void
drop(bisection *s)
{
    free(s->first);
    free(s->n_open);
    free(s->variant);
    free(s->bracket);
    free(s->open);
    free(s->x);
    free(s->at);
    free(s->code);
}

static bool
bisect(si_job *job, const si_function *f, si_thresholds *found, bool real, int64_t max)
{
    bisection s = {.f = f, .found = found, .real = real};
    int64_t total = 0, points;
    bool first = true;
    for (int64_t i = 0; i < f->n; i++)
        total += levels(&found[i]);
    if (total > max)
        return si_no(job, "it would need more thresholds, one a code and channel, than are "
                          "searched for: fewer bits need fewer");
    bool ok = start(job, &s, total);
    while (ok && (points = gather_open(&s)) > 0) {
        ok = round_of_probes(job, &s, points, first);
        first = false;
    }
    ok = ok && finish(job, &s);
    drop(&s);
    return ok;
}

bool
si_thresholds_ends(si_job *job, const si_function *f, si_thresholds *found, bool real)
{
    int64_t n = f->n;
    double *x = calloc((size_t)n * 2, sizeof(*x));
    int64_t *code = malloc((size_t)n * 2 * sizeof(*code));
    bool ok = (x && code) || si_no_memory(job);
    for (int64_t i = 0; ok && i < n; i++) {
        x[i] = value_of(found[i].lo, real);
        x[n + i] = value_of(found[i].hi, real);
    }
    ok = ok && f->eval(f->self, NULL, n, 2, x, real, code);
    for (int64_t i = 0; ok && i < n; i++) {
        int64_t low = code[i], high = code[n + i];
        found[i].direction = high > low ? 1 : high < low ? -1 : 0;
        found[i].code_min = high < low ? high : low;
        found[i].code_max = high < low ? low : high;
    }
    free(x);
    free(code);
    return ok;
}

bool
si_thresholds_real(si_job *job, const si_function *f, si_thresholds *found, int64_t max)
{
    return si_thresholds_ends(job, f, found, true) && bisect(job, f, found, true, max);
}

/* All variants, by guesses that are as good as evaluations where all have them, else by search. */
static bool
find_rising(si_job *job, const si_function *f, si_thresholds *found)
{
    si_line line = f->line_error ? SI_LINE : SI_NO_LINE;
    int64_t total = 0;
    if (!si_thresholds_ends(job, f, found, false))
        return false;
    for (int64_t i = 0; i < f->n; i++)
        total += levels(&found[i]);
    if (total > LINE_LEVELS)
        return si_no(job, "it would need more thresholds, one a code and channel, than are "
                          "searched for: fewer bits need fewer");
    for (int64_t i = 0; line == SI_LINE && i < f->n; i++)
        line = si_thresholds_of_line(job, f, i, &found[i]);
    if (line == SI_LINE)
        return true;
    for (int64_t i = 0; i < f->n; i++) {
        free(found[i].threshold);
        found[i].threshold = NULL;
    }
    return line == SI_NO_LINE && bisect(job, f, found, false, MAX_LEVELS);
}

/* Widest interval of all variants, which are filled in. */
static int64_t
set_intervals(const si_function *f, si_thresholds *found)
{
    int64_t width = 1;
    for (int64_t i = 0; i < f->n; i++) {
        double lo, hi;
        f->interval(f->self, i, &lo, &hi);
        found[i].lo = (int64_t)lo;
        found[i].hi = (int64_t)hi;
        if (found[i].hi - found[i].lo + 1 > width)
            width = found[i].hi - found[i].lo + 1;
    }
    return width;
}

si_thresholds *
si_thresholds_find(si_job *job, const si_function *f, bool rises)
{
    si_thresholds *found = calloc((size_t)f->n, sizeof(*found));
    bool ok;
    if (!found) {
        si_no_memory(job);
        return NULL;
    }
    int64_t width = set_intervals(f, found);
    if (width > (int64_t)1 << 61)
        ok = si_no(job, "its integers are wider than 61 bits");
    else if (width <= SWEEP_RANGE && width * f->n <= SWEEP_CELLS)
        ok = sweep(job, f, found, width);
    else if (rises)
        ok = find_rising(job, f, found);
    else if (width <= TABLE_RANGE && width * f->n <= SWEEP_CELLS * 8)
        ok = sweep(job, f, found, width);
    else if (width <= TRY_CELLS / f->n)
        ok = sweep_steps(job, f, found, width);
    else
        ok = si_no(job, "the function in front of it is not monotone by construction, and its "
                        "integers are too many to try them all");
    if (ok)
        return found;
    si_thresholds_free(found, f->n);
    return NULL;
}
