/* detect.c: boxes on a grid. The output is [1, 5 + classes, rows, columns]; each cell says of the
 * one object whose centre is in it
 *
 *     o            sigmoid(o): that there is one
 *     x, y         its centre, from that of the cell, in sizes of the cell
 *     v, u         exp(v), exp(u): its width and height in sizes of the cell
 *     c_0, ...     softmax(c): its class
 *
 * The loss of an image is the sum over cells of the cross entropy of o, and where there is an
 * object 2 times the smooth L1 distance (1/2 d^2 within 1, else |d| - 1/2) of x, y, v, u and the
 * cross entropy of the class. After Redmon et al., "You only look once" (2016), and Girshick, "Fast
 * R-CNN" (2015). */
#include "plugins/train/task/task.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { O, X, Y, V, U, C };
#define WEIGHT_OF_BOX 2.0
#define LARGEST       4.0 /* of v and u: a box of 55 cells */
#define SAME          0.5 /* overlap of boxes that are one object */
#define MAX_CELLS     4096
#define MAX_CLASSES   1024

typedef struct grid {
    int64_t rows, columns, cells, classes;
    double h, w; /* of a cell, in pixels */
} grid;

/* Cells need not be square: input and map may differ in their ratio. */
static grid
grid_of(const nashc_task_case *c)
{
    const int64_t *d = c->output->dim;

    return (grid){d[2],
                  d[3],
                  d[2] * d[3],
                  d[1] - C,
                  (double)c->h / (double)d[2],
                  (double)c->w / (double)d[3]};
}

static nashc_status
check(const nashc_task_case *c, nashc_diag *d)
{
    const nashc_type *t = c->output;

    if (t->rank == 4 && t->dim[1] >= C + c->classes && t->dim[1] <= C + MAX_CLASSES &&
        t->dim[2] * t->dim[3] <= MAX_CELLS)
        return NASHC_OK;
    nashc_error(
        d, NULL,
        "the model's output is %s: detection of %d classes wants 1x%dxROWSxCOLUMNS, at most "
        "%d cells",
        nashc_type_str(d, t), c->classes, C + c->classes, MAX_CELLS);
    nashc_help(d, "`head kind=grid` of a genotype makes such a network");
    return NASHC_EINPUT;
}

/* --- loss ------------------------------------------------------------------------------------ */

/* The object of each cell, as the number of its box; -1: none. Of several the largest. */
static void
objects(const nashc_task_case *c, const grid *g, const int32_t *target, int *object)
{
    for (int64_t i = 0; i < g->cells; i++)
        object[i] = -1;
    for (int k = 0; k < target[0]; k++) {
        const int32_t *b = target + 1 + (int64_t)k * NASHC_BOX_SIZE;
        int64_t row =
            (int64_t)(b[2] + (int64_t)b[4]) * g->rows / (2 * NASHC_BOX_UNIT * (int64_t)c->h);
        int64_t col =
            (int64_t)(b[1] + (int64_t)b[3]) * g->columns / (2 * NASHC_BOX_UNIT * (int64_t)c->w);
        int *at = &object[(row < g->rows ? row : g->rows - 1) * g->columns +
                          (col < g->columns ? col : g->columns - 1)];
        const int32_t *old = target + 1 + (int64_t)*at * NASHC_BOX_SIZE;
        if (*at < 0 ||
            (int64_t)(b[3] - b[1]) * (b[4] - b[2]) > (int64_t)(old[3] - old[1]) * (old[4] - old[2]))
            *at = k;
    }
}

static int64_t
hidden(const nashc_task_case *c, const int32_t *target, int64_t n, int64_t *n_objects)
{
    grid g = grid_of(c);
    int object[MAX_CELLS];
    int64_t said = 0, all = 0;

    for (int64_t i = 0; i < n; i++) {
        objects(c, &g, target + i * c->targets, object);
        all += target[i * c->targets];
        for (int64_t k = 0; k < g.cells; k++)
            said += object[k] >= 0;
    }
    *n_objects = all;
    return all - said;
}

/* Cross entropy of sigmoid(x) with 0 or 1. */
static double
objectness(double x, bool there, double *dx)
{
    double p = 1.0 / (1.0 + exp(-x));

    *dx = p - (there ? 1.0 : 0.0);
    return fmax(x, 0.0) - (there ? x : 0.0) + log1p(exp(-fabs(x)));
}

static double
smooth_l1(double d, double *dx)
{
    *dx = d > 1.0 ? 1.0 : d < -1.0 ? -1.0 : d;
    return fabs(d) < 1.0 ? 0.5 * d * d : fabs(d) - 0.5;
}

/* What X .. U of a cell are to be. */
static void
wanted(const grid *g, const int32_t *b, int64_t cell, double *to)
{
    double unit = NASHC_BOX_UNIT, left = b[1] / unit, top = b[2] / unit, right = b[3] / unit,
           bottom = b[4] / unit;

    to[0] = (left + right) / 2.0 / g->w - (double)(cell % g->columns) - 0.5;
    to[1] = (top + bottom) / 2.0 / g->h - (double)(cell / g->columns) - 0.5;
    to[2] = log(fmax(right - left, 1.0 / unit) / g->w);
    to[3] = log(fmax(bottom - top, 1.0 / unit) / g->h);
}

/* One cell with an object, y at its element O; elements of a cell are g->cells apart. */
static double
object_loss(const nashc_task_case *c, const grid *g, const float *y, const int32_t *b, int64_t cell,
            double share, float *dy)
{
    double to[4], d, sum = 0.0;
    float x[MAX_CLASSES], dx[MAX_CLASSES];

    wanted(g, b, cell, to);
    for (int k = 0; k < 4; k++) {
        int64_t at = (X + k) * g->cells;
        sum += WEIGHT_OF_BOX * smooth_l1((double)y[at] - to[k], &d);
        if (dy)
            dy[at] = (float)(WEIGHT_OF_BOX * d * share);
    }
    for (int64_t k = 0; k < g->classes; k++)
        x[k] = y[(C + k) * g->cells];
    sum += train_class_loss(x, b[0], g->classes, c->smoothing, share, dy ? dx : NULL);
    for (int64_t k = 0; dy && k < g->classes; k++)
        dy[(C + k) * g->cells] = dx[k];
    return sum;
}

static double
loss(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n, float *dy)
{
    grid g = grid_of(c);
    int object[MAX_CELLS];
    double sum = 0.0, d, share = 1.0 / (double)n;

    if (dy)
        memset(dy, 0, (size_t)(n * c->outputs) * sizeof *dy);
    for (int64_t i = 0; i < n; i++) {
        const int32_t *t = target + i * c->targets;
        objects(c, &g, t, object);
        for (int64_t k = 0; k < g.cells; k++) {
            int64_t at = i * c->outputs + k;
            sum += objectness((double)y[at], object[k] >= 0, &d);
            if (dy)
                dy[at] = (float)(d * share);
            if (object[k] >= 0)
                sum += object_loss(c, &g, y + at, t + 1 + object[k] * NASHC_BOX_SIZE, k, share,
                                   dy ? dy + at : NULL);
        }
    }
    return sum / (double)n;
}

/* --- boxes ----------------------------------------------------------------------------------- */

static train_box
box_of(const grid *g, const float *y, int64_t cell)
{
    const float *at = y + cell;
    int32_t class = train_largest(at + C * g->cells, g->classes, g->cells);
    double x = ((double)(cell % g->columns) + 0.5 + (double)at[X * g->cells]) * g->w;
    double v = ((double)(cell / g->columns) + 0.5 + (double)at[Y * g->cells]) * g->h;
    double w = exp(fmin((double)at[V * g->cells], LARGEST)) * g->w / 2.0;
    double h = exp(fmin((double)at[U * g->cells], LARGEST)) * g->h / 2.0, sum = 0.0;

    for (int64_t k = 0; k < g->classes; k++)
        sum += exp((double)at[(C + k) * g->cells] - (double)at[(C + class) * g->cells]);
    return (train_box){
        x - w, v - h,    x + w, v + h, 1.0 / (1.0 + exp(-(double)at[O * g->cells])) / sum,
        class, (int)cell};
}

static int
best_first(const void *a, const void *b)
{
    const train_box *x = a, *y = b;

    return x->score != y->score ? (x->score > y->score ? -1 : 1) : x->cell - y->cell;
}

int
train_boxes_of(const nashc_task_case *c, const float *y, train_box *box)
{
    grid g = grid_of(c);
    int n = 0;

    for (int64_t k = 0; k < g.cells; k++)
        box[k] = box_of(&g, y, k);
    qsort(box, (size_t)g.cells, sizeof *box, best_first);
    for (int64_t k = 0; k < g.cells; k++) {
        bool again = box[k].class >= c->classes;
        for (int i = 0; i < n && !again; i++)
            again = box[i].class == box[k].class && train_box_overlap(&box[i], &box[k]) > SAME;
        if (!again)
            box[n++] = box[k];
    }
    return n;
}

/* A cell's class and box, in whole pixels, where it says that there is an object; else -1. */
enum { FOUND = 5 };

static int64_t
n_found(const nashc_task_case *c)
{
    return grid_of(c).cells * FOUND;
}

static int32_t
pixel(double v)
{
    return (int32_t)nearbyint(fmax(fmin(v, 65536.0), -65536.0));
}

static void
find(const nashc_task_case *c, const float *y, int32_t *out)
{
    grid g = grid_of(c);
    train_box box[MAX_CELLS];
    int n = train_boxes_of(c, y, box);

    for (int64_t i = 0; i < g.cells * FOUND; i++)
        out[i] = -1;
    for (int i = 0; i < n; i++) {
        const train_box *b = &box[i];
        int32_t *to = out + (int64_t)b->cell * FOUND;
        if (y[b->cell] <= 0.0f) /* less than even */
            continue;
        to[0] = b->class;
        to[1] = pixel(b->left);
        to[2] = pixel(b->top);
        to[3] = pixel(b->right);
        to[4] = pixel(b->bottom);
    }
}

/* --- count ----------------------------------------------------------------------------------- */

typedef struct count {
    nashc_task_case c;
    train_precision *p;
} count;

static void
end(void *state)
{
    count *k = state;

    if (k)
        train_precision_end(k->p);
    free(k);
}

static void *
begin(const nashc_task_case *c)
{
    count *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->c = *c;
    k->p = train_precision_begin(c->classes);
    if (!k->p) {
        free(k);
        return NULL;
    }
    return k;
}

static bool
add(void *state, const float *y, const int32_t *target, int64_t n)
{
    count *k = state;
    train_box box[MAX_CELLS];
    bool good = true;

    for (int64_t i = 0; good && i < n; i++)
        good = train_precision_add(k->p, box, train_boxes_of(&k->c, y + i * k->c.outputs, box),
                                   target + i * k->c.targets);
    return good;
}

static double
value(void *state, double *second, double *by_class)
{
    (void)second;
    return train_precision_value(((count *)state)->p, by_class);
}

static const nashc_task detect = {NASHC_DESC(nashc_task),
                                  .help = "boxes on a grid",
                                  .figure = "mAP@0.5",
                                  .key = "map50",
                                  .target = NASHC_TARGET_BOXES,
                                  .check = check,
                                  .loss = loss,
                                  .n_found = n_found,
                                  .find = find,
                                  .begin = begin,
                                  .add = add,
                                  .value = value,
                                  .end = end,
                                  .hidden = hidden,
                                  .hidden_why =
                                      "share a cell with a larger one, which is the one that is "
                                      "learned; a grid of more cells parts them"};
const nashc_impl train_task_detect = NASHC_IMPL_TASK("detect", &detect);
