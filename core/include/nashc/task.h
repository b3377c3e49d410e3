/* task.h: what a network is trained for: what a sample is to be, the loss, the figure that it is
 * judged by. Rules of the interface "task". */
#ifndef NASHC_TASK_H
#define NASHC_TASK_H

#include <nashc/io.h>

NASHC_BEGIN

/* What the data say of an image, as int32.
 *
 *     LABEL   [0]: class
 *     BOXES   [0]: n boxes, then n times class, left, top, right, bottom, in 1 / NASHC_BOX_UNIT of
 *             a pixel, right and bottom behind the last pixel; what follows means nothing
 *     MASK    h * w classes of the pixels, row by row; NASHC_MASK_NONE: not counted
 */
typedef enum nashc_target {
    NASHC_TARGET_LABEL,
    NASHC_TARGET_BOXES,
    NASHC_TARGET_MASK
} nashc_target;
#define NASHC_BOX_UNIT  256
#define NASHC_BOX_SIZE  5 /* numbers of a box */
#define NASHC_MASK_NONE 255

/* A network and data that meet. */
typedef struct nashc_task_case {
    uint32_t struct_size, flags;
    const nashc_type *output; /* of the network, of one sample: its first axis is 1 */
    int64_t outputs;          /* its elements */
    int64_t targets;          /* numbers of one sample's target */
    int classes;              /* of the data */
    int h, w;                 /* of its images */
    double smoothing;         /* 0 .. 1: part of a class target that is spread over all classes */
} nashc_task_case;

/* y: outputs of n samples one after the other, target likewise. Nothing is kept of either. */
typedef struct nashc_task {
    uint32_t struct_size, flags;
    const char *help;
    const char *figure, *key; /* what it is judged by, 0 .. 1: "mAP@0.5", and as a name: "map50" */
    const char *second, *second_key; /* a figure beside it; NULL: none */
    nashc_target target;

    /* Do network and data fit? Else an error that says why not. */
    nashc_status (*check)(const nashc_task_case *c, nashc_diag *d);

    /* Mean loss of the samples, NAN where it has none; dy (NULL: not wanted) is set to its
     * gradient. */
    double (*loss)(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n,
                   float *dy);

    /* Samples that are right, which gives a figure while training; NULL: a sample is not right or
     * wrong, and the figure is measured on the images of the training where no others are there. */
    int64_t (*right)(const nashc_task_case *c, const float *y, const int32_t *target, int64_t n);

    /* Numbers that say what the network finds in a sample; two networks agree on it if all are
     * equal. */
    int64_t (*n_found)(const nashc_task_case *c);
    void (*find)(const nashc_task_case *c, const float *y, int32_t *out);

    /* A count over samples: begin (NULL: memory is out), add, then value; second and by_class
     * (classes of them, NAN: none) may be NULL. O(samples log samples). */
    void *(*begin)(const nashc_task_case *c);
    bool (*add)(void *count, const float *y, const int32_t *target, int64_t n);
    double (*value)(void *count, double *second, double *by_class);
    void (*end)(void *count);

    /* What may be summed over parts of the samples; NULL: one process must see all of them. */
    double *(*sums)(void *count, int64_t *n);

    /* [true][found] of `classes` each, among the sums; NULL: there is no such matrix. */
    const double *(*confusion)(void *count);

    /* Objects of the samples that no output can say, of *n_objects: they cannot be learned or
     * found. NULL: there are none. hidden_why: what they do, and the remedy. */
    int64_t (*hidden)(const nashc_task_case *c, const int32_t *target, int64_t n,
                      int64_t *n_objects);
    const char *hidden_why;

    /* How many of what the loss is the mean of there are in the samples; NULL: the samples
     * themselves. Several ranks weight their parts of a batch by it. */
    int64_t (*counted)(const nashc_task_case *c, const int32_t *target, int64_t n);
} nashc_task;

#define NASHC_IMPL_TASK(op_, rule_)                                                                \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "task", .op = (op_),                                      \
                                .rule = (1 ? (rule_) : (const nashc_task *)0)                      \
    }

NASHC_END
#endif
