/* pareto.c: which points nothing beats, and how much room they cover. */
#include "pareto.h"
#include <stdlib.h>
#include <string.h>

const char *const pareto_names[PARETO_N] = {"LUT", "BRAM (18 kbit)", "DSP", "frames/s", "area"};
const char *const pareto_keys[PARETO_N] = {"lut", "bram18", "dsp", "fps", "area"};

/* Frames are better if there are more. */
static double
cost(const pareto_point *q, pareto_axis a)
{
    return a == PARETO_FPS ? -q->at[a] : q->at[a];
}

static bool
beats(const pareto_point *x, const pareto_point *y, pareto_axis a)
{
    double cx = cost(x, a), cy = cost(y, a);

    return x->fits && x->goal == y->goal && x->accuracy >= y->accuracy && cx <= cy &&
           (x->accuracy > y->accuracy || cx < cy);
}

/* O(n^2) an axis, of a few dozen points. */
void
pareto_mark(pareto *p)
{
    for (int a = 0; a < p->n_axes; a++)
        for (int i = 0; i < p->n; i++) {
            bool front = p->point[i].fits;
            for (int k = 0; front && k < p->n; k++)
                front = !beats(&p->point[k], &p->point[i], (pareto_axis)a);
            p->point[i].front[a] = front;
        }
}

const char *
pareto_goal_name(const pareto *p, const pareto_goal *goal, char text[200])
{
    bool named = false;
    for (int i = 0; i < p->n_goals; i++)
        named = named || (goal->device && p->goal[i].device != goal->device);
    snprintf(text, 200, "%s%s%g frames/s", named ? goal->device : "", named ? ", " : "", goal->fps);
    return text;
}

/* --- hypervolume ----------------------------------------------------------------------------- */

typedef struct corner {
    double x, accuracy; /* x: part of the way to the reference, 0 is best */
} corner;

static int
best_first(const void *a, const void *b)
{
    const corner *p = a, *q = b;

    return p->accuracy != q->accuracy ? (p->accuracy < q->accuracy ? 1 : -1)
                                      : (p->x > q->x) - (p->x < q->x);
}

double
pareto_hypervolume(const pareto *p, pareto_axis a, const pareto_goal *goal, const char *without)
{
    corner *c = calloc((size_t)p->n + 1, sizeof *c);
    double most = 0.0, area = 0.0, reached = 1.0;
    int n = 0;

    for (int i = 0; i < p->n; i++)
        most = p->point[i].at[a] > most ? p->point[i].at[a] : most;
    most = most > 0.0 ? most : 1.0;
    for (int i = 0; c && i < p->n; i++) {
        const pareto_point *q = &p->point[i];
        bool out = without && q->group && strcmp(q->group, without) == 0;
        if (out || !q->fits || q->goal != goal)
            continue;
        double x = a == PARETO_FPS ? 1.0 - q->at[a] / most : q->at[a] / (1.1 * most);
        c[n++] = (corner){x, q->accuracy};
    }
    /* From the best accuracy down: strips that reach from where a point begins to what a better one
     * has covered. */
    if (n)
        qsort(c, (size_t)n, sizeof *c, best_first);
    for (int i = 0; i < n; i++) {
        if (c[i].x >= reached)
            continue;
        area += (reached - c[i].x) * c[i].accuracy;
        reached = c[i].x;
    }
    free(c);
    return area;
}
