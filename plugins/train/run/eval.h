/* eval.h: running images through a model in one of several ways. */
#ifndef TRAIN_EVAL_H
#define TRAIN_EVAL_H

#include "plugins/train/run/run.h"

typedef struct train_eval {
    nashc_ctx *ctx;
    nashc_diag *diag;
    const nashc_opts *opts;
    const char *path, *executor;
    nashc_module *module;
    train_images *images;
    bool own_images;
    train_order order;
    const nashc_task *task;
    bool keep; /* what is found in each image */
    train_count count;
    thread_pool *pool;
    train_net *net;
} train_eval;

/* Reads model and images (NULL: those of --data), runs them, fills count. */
nashc_status train_eval_run(train_eval *e, train_images *images);
void train_eval_free(train_eval *e);

/* The images as the model's input, one after the other, for `nashc run` and `nashc sim`. */
nashc_status train_write_images(train_eval *e, const char *path);

/* The confusion matrix as a picture: rows are true classes. EUSAGE: the task has none. */
nashc_status train_write_confusion(const char *path, const train_count *k, const train_images *p,
                                   nashc_diag *d);

#endif
