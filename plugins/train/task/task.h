/* task.h: the tasks that training brings, and the count of one over images. */
#ifndef TRAIN_TASK_H
#define TRAIN_TASK_H

#include <nashc/task.h>

extern const nashc_impl train_task_classify, train_task_detect, train_task_segment;

/* Classes of n scores: the loss of one target, -sum t log softmax(x), t = (1 - e) onehot + e / n.
 * dx (NULL: not wanted) is set to `share` times its gradient. */
double train_class_loss(const float *x, int32_t label, int64_t n, double e, double share,
                        float *dx);

/* The first of the largest scores, `stride` apart. */
int32_t train_largest(const float *x, int64_t n, int64_t stride);

/* Number of scores before that of the label: larger ones, and equal ones of a lower number. */
int64_t train_place_of(const float *x, int64_t n, int32_t label);

/* The task of a name; EUSAGE names the known ones. */
nashc_status train_task_find(nashc_ctx *c, const char *name, const nashc_task **out, nashc_diag *d);

/* --- boxes ----------------------------------------------------------------------------------- */

typedef struct train_box {
    double left, top, right, bottom, score;
    int32_t class;
    int cell; /* that it was found in */
} train_box;

/* Area that both cover, of that which one of them covers: 0 .. 1. */
double train_box_overlap(const train_box *a, const train_box *b);

/* detect.c: the boxes that a grid of scores gives, best first, of overlapping ones of a class the
 * best. box has room for one a cell. Their number. */
int train_boxes_of(const nashc_task_case *c, const float *y, train_box *box);

/* precision.c: average precision (docs/training.md), counted over images. */
typedef struct train_precision train_precision;
train_precision *train_precision_begin(int classes); /* NULL: memory is out */
bool train_precision_add(train_precision *p, const train_box *found, int n, const int32_t *target);
double train_precision_value(train_precision *p, double *by_class);
void train_precision_end(train_precision *p);

#endif
