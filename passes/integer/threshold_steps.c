/* threshold_steps.c: what thresholds say: the code at an integer, and where it goes up and down. */
#include "threshold_search.h"

#include <stdlib.h>

/* How many of n ascending numbers at has reached. */
static int64_t
reached(const int64_t *v, int64_t n, int64_t at)
{
    int64_t below = 0, above = n;
    while (below < above) {
        int64_t middle = below + (above - below) / 2;
        if (v[middle] <= at)
            below = middle + 1;
        else
            above = middle;
    }
    return below;
}

int64_t
si_thresholds_code(const si_thresholds *s, int64_t at)
{
    at = at < s->lo ? s->lo : at > s->hi ? s->hi : at;
    if (s->table)
        return s->table[at - s->lo];
    if (s->direction == 0)
        return s->code_min;
    if (s->direction == 2)
        return s->code_lo + reached(s->threshold, s->n_up, at) -
               reached(s->threshold + s->n_up, s->n_down, at);
    return s->code_min +
           reached(s->threshold, s->code_max - s->code_min, s->direction > 0 ? at : -at);
}

bool
si_thresholds_steps(si_job *job, const si_thresholds *s, int64_t **up, int64_t *n_up,
                    int64_t **down, int64_t *n_down, int64_t *code_lo)
{
    int64_t n = s->table            ? 0
                : s->direction == 2 ? s->n_up + s->n_down
                : s->direction == 0 ? 0
                                    : s->code_max - s->code_min;
    for (int64_t i = 1; s->table && i <= s->hi - s->lo; i++)
        n += llabs(s->table[i] - s->table[i - 1]);
    *up = malloc((size_t)n * sizeof(**up) + 1);
    if (!*up)
        return si_no_memory(job);
    *code_lo = si_thresholds_code(s, s->lo);
    *n_up = *n_down = 0;
    for (int64_t i = 1; s->table && i <= s->hi - s->lo; i++)
        for (int64_t k = s->table[i - 1]; k < s->table[i]; k++)
            (*up)[(*n_up)++] = s->lo + i;
    *down = *up + *n_up;
    for (int64_t i = 1; s->table && i <= s->hi - s->lo; i++)
        for (int64_t k = s->table[i - 1]; k > s->table[i]; k--)
            (*down)[(*n_down)++] = s->lo + i;
    if (s->table || s->direction == 0)
        return true;
    *n_up = s->direction == 2 ? s->n_up : s->direction > 0 ? n : 0;
    *n_down = n - *n_up;
    *down = *up + *n_up;
    for (int64_t i = 0; i < n; i++)
        (*up)[i] = s->direction < 0 ? 1 - s->threshold[n - 1 - i] : s->threshold[i];
    return true;
}
