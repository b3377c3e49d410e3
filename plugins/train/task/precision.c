/* precision.c: average precision at an overlap of 1/2. An image's boxes, best first, each take the
 * box of the data of their class that they overlap most, if that is free and the overlap is at
 * least 1/2; the others are false. Over all images, best first, precision as a function of recall
 * is made non-increasing, and the area below it is the average precision of the class (Everingham
 * et al., "The PASCAL Visual Object Classes Challenge", as from 2010). */
#include "plugins/train/task/task.h"
#include <math.h>
#include <stdlib.h>

typedef struct guess {
    double score;
    int64_t order; /* in which it was added: of equal scores the first counts first */
    int32_t class;
    bool right;
} guess;

struct train_precision {
    guess *guess;
    int64_t n, cap, *truth; /* boxes of the data by class */
    int classes;
};

train_precision *
train_precision_begin(int classes)
{
    train_precision *p = calloc(1, sizeof *p);

    if (p)
        p->truth = calloc((size_t)classes + 1, sizeof *p->truth);
    if (p && !p->truth) {
        free(p);
        return NULL;
    }
    if (p)
        p->classes = classes;
    return p;
}

void
train_precision_end(train_precision *p)
{
    if (p) {
        free(p->truth);
        free(p->guess);
    }
    free(p);
}

/* Box k of a target, in pixels. */
static train_box
truth_box(const int32_t *target, int k)
{
    const int32_t *b = target + 1 + (int64_t)k * NASHC_BOX_SIZE;
    double unit = NASHC_BOX_UNIT;

    return (train_box){b[1] / unit, b[2] / unit, b[3] / unit, b[4] / unit, 1.0, b[0], 0};
}

static bool
add_one(train_precision *p, const train_box *b, bool right)
{
    if (p->n == p->cap) {
        int64_t cap = p->cap ? 2 * p->cap : 1024;
        guess *grown = realloc(p->guess, (size_t)cap * sizeof *grown);
        if (!grown)
            return false;
        p->guess = grown;
        p->cap = cap;
    }
    p->guess[p->n] = (guess){b->score, p->n, b->class, right};
    p->n++;
    return true;
}

/* found is sorted, best first: who comes first takes the box. O(found * boxes) an image. */
bool
train_precision_add(train_precision *p, const train_box *found, int n, const int32_t *target)
{
    int m = target[0];
    bool *taken = calloc((size_t)m + 1, sizeof *taken), good = taken != NULL;

    for (int k = 0; good && k < m; k++)
        p->truth[truth_box(target, k).class]++;
    for (int i = 0; good && i < n; i++) {
        double most = 0.0;
        int at = -1;
        for (int k = 0; k < m; k++) {
            train_box t = truth_box(target, k);
            double over = train_box_overlap(&found[i], &t);
            if (t.class == found[i].class && over > most) {
                most = over;
                at = k;
            }
        }
        bool right = most >= 0.5 && !taken[at];
        if (right)
            taken[at] = true;
        good = add_one(p, &found[i], right);
    }
    free(taken);
    return good;
}

/* By class first, so that a class is a run. order makes the sort the same on all machines. */
static int
best_first(const void *a, const void *b)
{
    const guess *x = a, *y = b;

    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Of the n guesses of one class, best first. From the last one on: the largest precision at this
 * recall or a larger one, over a step of recall where a guess is right. */
static double
area(const guess *g, int64_t n, int64_t truth)
{
    int64_t right = 0;
    double sum = 0.0, most = 0.0;

    for (int64_t i = 0; i < n; i++)
        right += g[i].right;
    for (int64_t i = n - 1; i >= 0; i--) {
        most = fmax(most, (double)right / (double)(i + 1));
        if (g[i].right)
            sum += most;
        right -= g[i].right;
    }
    return sum / (double)truth;
}

/* The mean over the classes that the data have. */
double
train_precision_value(train_precision *p, double *by_class)
{
    double sum = 0.0;
    int seen = 0;

    if (p->n)
        qsort(p->guess, (size_t)p->n, sizeof *p->guess, best_first);
    for (int64_t k = 0, from = 0; k < p->classes; k++) {
        int64_t end = from;
        while (end < p->n && p->guess[end].class == k)
            end++;
        double v = p->truth[k] ? area(p->guess + from, end - from, p->truth[k]) : (double)NAN;
        if (by_class)
            by_class[k] = v;
        seen += p->truth[k] > 0;
        sum += p->truth[k] ? v : 0.0;
        from = end;
    }
    return seen ? sum / seen : 0.0;
}
