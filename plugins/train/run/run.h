/* run.h: a training run: what it was asked for, its state, and its folder. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "plugins/train/data/data.h"
#include "plugins/train/net/net.h"
#include "plugins/train/optim/optim.h"
#include "plugins/train/ranks/exchange.h"
#include "plugins/train/task/task.h"
#include "tools/tool.h"

/* --- model.c --------------------------------------------------------------------------------- */

/* Rows of the schema of commands that read a model. */
#define TRAIN_MODEL_OPTIONS                                                                        \
    {.name = "frontend",                                                                           \
     .def = "",                                                                                    \
     .help = "reader of the model; by content if not given",                                       \
     .kind = NASHC_P_STRING},                                                                      \
    {                                                                                              \
        .name = "frontend-option", .def = "", .help = "KEY=VALUE for the reader of the model",     \
        .kind = NASHC_P_STRING, .flags = NASHC_P_REPEAT                                            \
    }

/* Reads a model, or the last one of a RUN, with unknown dimensions made 1. */
nashc_status train_model_read(nashc_ctx *c, const nashc_opts *o, const char *path,
                              nashc_module **out, nashc_diag *d);

/* What images the graph wants, and how pixels become its numbers. */
nashc_status train_model_wish(const nashc_graph *g, train_wish *wish, train_pixels *pixels,
                              nashc_diag *d);

bool train_is_folder(const char *path);

/* Parameters by name from an .npz, an .onnx, or a RUN. Every parameter that the file lacks, or has
 * in another shape, is an error. others gets the arrays of an .npz that are no parameters of the
 * network: a quantiser that no layer reads has a scale in the file, but none here. */
nashc_status train_weights_read(train_net *n, nashc_ctx *c, const char *path, tool_arrays *others,
                                nashc_diag *d);

/* --- count.c --------------------------------------------------------------------------------- */

/* Option of commands that want a task. */
#define TRAIN_TASK_OPTION                                                                          \
    {                                                                                              \
        .name = "task", .def = "classify",                                                         \
        .help = "what the network is for: classify, detect or segment", .kind = NASHC_P_STRING     \
    }

typedef struct train_count {
    const nashc_task *task;
    nashc_task_case c;
    int64_t n;   /* images */
    double loss; /* mean */
    int64_t objects, hidden;
    void *state; /* of the task */
    int64_t n_found;
    int32_t *found; /* what was found in each image, n_found numbers; NULL: it is not kept */
} train_count;

nashc_task_case train_case(const nashc_type *output, const train_images *p, double smoothing);

/* Warns of objects that the task cannot say; where: in what. */
void train_say_hidden(const nashc_task *t, int64_t hidden, int64_t objects, const char *where,
                      nashc_diag *d);

/* Checks that they fit. End is called in any case. */
nashc_status train_count_begin(train_count *k, const nashc_task *task, const nashc_type *output,
                               const train_images *p, bool keep, nashc_diag *d);
bool train_count_add(train_count *k, const float *y, const int32_t *target, int64_t n);
void train_count_end(train_count *k);

/* Runs all images through the net. */
nashc_status train_count_net(train_net *net, const train_order *o, train_count *k);

/* --- score.c --------------------------------------------------------------------------------- */

typedef struct train_score {
    int64_t n, top1;
} train_score;

/* Adds n images, `classes` scores each, with their labels. */
void train_score_add(train_score *s, const float *logits, const int32_t *label, int64_t n,
                     int64_t classes);

/* Runs all images through the net. */
nashc_status train_score_net(train_net *net, const train_order *o, train_score *s);

/* --- a run ----------------------------------------------------------------------------------- */

typedef struct train_row_values {
    double step, epoch, loss, accuracy, lr, rate; /* images/s */
} train_row_values;

/* What a step counts: the loss of its samples, those that were right, samples, whether the time is
 * over, which the first rank says, objects, and those of them that are hidden. */
enum {
    TRAIN_SUM_LOSS,
    TRAIN_SUM_RIGHT,
    TRAIN_SUM_SEEN,
    TRAIN_SUM_LATE,
    TRAIN_SUM_OBJECTS,
    TRAIN_SUM_HIDDEN,
    TRAIN_SUMS
};

typedef struct train_run {
    nashc_ctx *ctx;
    nashc_diag *diag;
    const nashc_opts *opts;
    nashc_arena *arena;
    const char *folder, *model_path, *data_text;
    nashc_module *module;
    train_ranks *ranks; /* NULL: one process */
    train_exchange *exchange;
    thread_pool *pool;
    const nashc_task *task;
    train_net *net;
    train_images *images, *test; /* test: NULL: there are none */
    train_order order;
    train_optim optim;
    train_schedule schedule;
    double clip, smoothing, started, time_limit;
    float **m, **u;         /* state of the optimiser, by parameter */
    double sum[TRAIN_SUMS]; /* of the step, over all ranks */
    int64_t step;           /* done */
    int64_t n_steps;        /* wanted */
    int64_t per_epoch, save_every;
    double best;
    /* of the current epoch */
    double loss_sum;
    int64_t seen, right, objects, hidden;
    double epoch_started;
    train_row_values *row;
    int64_t n_rows, cap_rows;
    tool_arrays dump;   /* of --dump-step */
    tool_arrays others; /* of --weights, on which nothing depends */
} train_run;

/* loop.c */
nashc_status train_run_loop(train_run *r);

/* Whether this process writes files and tells of the run. */
bool train_run_leads(const train_run *r);

/* folder.c: each writes a file of the folder, whole or not at all. */
nashc_status train_write_checkpoint(train_run *r);
nashc_status train_write_best(train_run *r);
nashc_status train_write_model(train_run *r, const char *name);
nashc_status train_write_metrics(train_run *r);
nashc_status train_write_manifest(train_run *r);
nashc_status train_read_checkpoint(train_run *r);

/* dump.c */
nashc_status train_dump_first(train_run *r, const float *logits, int64_t n, double loss,
                              double norm);
nashc_status train_dump_write(train_run *r, const char *path);

/* curve.c: loss and accuracy over steps as SVG. */
nashc_status train_write_curve(train_run *r, const char *path);

/* progress.c */
void train_progress(nashc_diag *d, const char *what, int64_t done, int64_t total, int64_t from);
double train_clock(void);

/* An array of floats at the end of a; false: memory is out. */
bool train_put_floats(tool_arrays *a, const char *name, int rank, const int64_t *dim,
                      const float *v);
bool train_put_number(tool_arrays *a, const char *name, double v);

/* Counts are kept as doubles, which hold every whole number up to this one. */
#define TRAIN_MOST_WHOLE (INT64_C(1) << 53)

/* *out = v if that is a whole number in 0..most; false: it is none, the file is damaged. */
bool train_take_whole(double v, int64_t most, int64_t *out);

#endif
