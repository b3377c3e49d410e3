/* threshold_line.c: thresholds of a function whose steps are known but for a small error.
 *
 *     crossing x of a level, known within e:   ceil(x - e) == ceil(x + e)   the threshold
 *                                              else                         a doubt: one integer,
 *                                                                           which is evaluated
 *
 * The function never decreases in its direction, and its codes at both ends are known. A few of the
 * thresholds without a doubt are evaluated on both sides all the same: where the function is not
 * what its guesses say, there is no line.
 */
#include "threshold_search.h"

#include <math.h>
#include <stdlib.h>

#define MAX_ERROR 0.25 /* beyond it, more than one integer is in doubt */
#define SPOTS     32   /* thresholds without a doubt that are evaluated */

/* Integers of one variant to be evaluated, counted in its direction. */
typedef struct probes {
    int64_t *level, *at, n;
} probes;

static int64_t
clamped(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Where level k is reached, but for doubts; lo and hi: the interval in the direction. */
static bool
guess_level(const si_function *f, int64_t variant, si_thresholds *s, int64_t k, double error,
            probes *doubts)
{
    int64_t lo = s->direction < 0 ? -s->hi : s->lo, hi = s->direction < 0 ? -s->lo : s->hi;
    double x;
    if (!f->guess(f->self, variant, (double)(s->code_min + k + 1), &x) || !(fabs(x) < 0x1p62))
        return false;
    x = s->direction < 0 ? -x : x;
    int64_t from = (int64_t)ceil(x - error), to = (int64_t)ceil(x + error);
    s->threshold[k] = clamped(to, lo + 1, hi);
    if (from != to && from > lo && from < hi) { /* at hi it is reached for certain */
        doubts->level[doubts->n] = k;
        doubts->at[doubts->n++] = from;
    }
    return k == 0 || s->threshold[k] >= s->threshold[k - 1];
}

/* Codes at the probes. */
static bool
evaluate(si_job *job, const si_function *f, int64_t variant, const si_thresholds *s,
         const probes *p, int64_t *code)
{
    double *x = malloc((size_t)p->n * sizeof(*x) + 1);
    for (int64_t i = 0; x && i < p->n; i++)
        x[i] = (double)(s->direction < 0 ? -p->at[i] : p->at[i]);
    bool ok = x ? f->eval(f->self, &variant, 1, p->n, x, false, code) : si_no_memory(job);
    free(x);
    return ok;
}

/* Adds both sides of a few thresholds behind the doubts. */
static void
add_spots(const si_thresholds *s, int64_t n, probes *p)
{
    int64_t spots = n < SPOTS ? n : SPOTS;
    for (int64_t i = 0; i < spots; i++) {
        int64_t k = i * (n - 1) / (spots > 1 ? spots - 1 : 1);
        for (int side = 0; side < 2; side++) {
            p->level[p->n] = k;
            p->at[p->n++] = s->threshold[k] - 1 + side;
        }
    }
}

/* Takes what was evaluated; false: the spots do not agree. */
static bool
settle(si_thresholds *s, const probes *p, int64_t n_doubts, const int64_t *code)
{
    for (int64_t i = 0; i < n_doubts; i++)
        if (code[i] > s->code_min + p->level[i])
            s->threshold[p->level[i]] = p->at[i];
    for (int64_t i = n_doubts; i < p->n; i++)
        if ((code[i] > s->code_min + p->level[i]) != (p->at[i] >= s->threshold[p->level[i]]))
            return false;
    return true;
}

static si_line
from_guesses(si_job *job, const si_function *f, int64_t variant, si_thresholds *s, double error,
             probes *p)
{
    int64_t n = s->code_max - s->code_min, n_doubts;
    for (int64_t k = 0; k < n; k++)
        if (!guess_level(f, variant, s, k, error, p))
            return SI_NO_LINE;
    n_doubts = p->n;
    add_spots(s, n, p);
    int64_t *code = malloc((size_t)p->n * sizeof(*code) + 1);
    bool ok = code ? evaluate(job, f, variant, s, p, code) : si_no_memory(job);
    si_line line = !ok ? SI_LINE_FAILED : settle(s, p, n_doubts, code) ? SI_LINE : SI_NO_LINE;
    free(code);
    return line;
}

si_line
si_thresholds_of_line(si_job *job, const si_function *f, int64_t variant, si_thresholds *s)
{
    int64_t n = s->direction == 0 ? 0 : s->code_max - s->code_min;
    double error;
    if (n == 0)
        return SI_LINE;
    if (!f->line_error(f->self, variant, &error) || !(error < MAX_ERROR))
        return SI_NO_LINE;
    probes p = {.level = malloc((size_t)(n + 2 * SPOTS) * sizeof(int64_t)),
                .at = malloc((size_t)(n + 2 * SPOTS) * sizeof(int64_t))};
    s->threshold = malloc((size_t)n * sizeof(*s->threshold));
    si_line line = SI_LINE_FAILED;
    if (p.level && p.at && s->threshold)
        line = from_guesses(job, f, variant, s, error, &p);
    else
        si_no_memory(job);
    free(p.level);
    free(p.at);
    return line;
}
