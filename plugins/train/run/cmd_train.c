/* cmd_train.c: nashc train: trains a network on labelled images. */
#include "plugins/train/gemm.h"
#include "plugins/train/run/commands.h"
#include "plugins/train/run/run.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPTION(kind_, name_, def_, domain_, help_)                                                 \
    {                                                                                              \
        .name = (name_), .def = (def_), .domain = (domain_), .help = (help_),                      \
        .kind = NASHC_P_##kind_                                                                    \
    }

static const nashc_param options[] = {
    OPTION(STRING, "data", "", NULL, "images and labels: KIND:PATH[,key=value...]"),
    OPTION(PATH, "o", "", NULL, "folder of the run"),
    OPTION(INT, "epochs", "100", "1..1000000", "passes over the data"),
    OPTION(INT, "steps", "0", "0..1000000000", "most steps; 0: as many as the epochs have"),
    OPTION(INT, "batch", "256", "1..65536", "images a step"),
    OPTION(FLOAT, "lr", "0.001", "0..", "learning rate"),
    OPTION(ENUM, "optimizer", "adam", "adam|adamw|sgd", "rule of the steps"),
    OPTION(FLOAT, "momentum", "0.9", "0..1", "of sgd"),
    OPTION(BOOL, "nesterov", "false", NULL, "sgd looks ahead"),
    OPTION(FLOAT, "weight-decay", "0", "0..", "L2, added to the gradient; adamw: decoupled"),
    OPTION(ENUM, "schedule", "step", "const|step|cosine", "learning rate over the epochs"),
    OPTION(INT, "step-epochs", "30", "1..", "epochs between steps of the rate"),
    OPTION(FLOAT, "step-factor", "0.1", "0..1", "factor of each"),
    OPTION(FLOAT, "lr-min", "0", "0..", "last rate of the cosine"),
    OPTION(INT, "warmup", "0", "0..", "epochs in which the rate grows"),
    OPTION(FLOAT, "clip", "5", "0..", "largest norm of all gradients; 0: no limit"),
    OPTION(FLOAT, "label-smoothing", "0", "0..1", "part of the target spread over all classes"),
    OPTION(PATH, "weights", "", NULL, "initial parameters: .npz, a model, or a RUN"),
    OPTION(INT, "collect", "0", "0..1000000",
           "steps that measure the scales of activations before they are learned"),
    OPTION(INT, "seed", "1", "0..4294967295", "of the order of images and their augmentation"),
    OPTION(INT, "threads", "0", "0..256", "0: as many as there are processors"),
    OPTION(BOOL, "resume", "false", NULL, "go on from the checkpoint in the folder"),
    OPTION(INT, "save-every", "0", "0..", "steps between checkpoints; 0: an epoch"),
    OPTION(PATH, "dump-step", "", NULL, ".npz for values of the first step and the last state"),
    OPTION(BOOL, "no-shuffle", "false", NULL, "images in the order of the file"),
    OPTION(FLOAT, "time-limit", "0", "0..", "seconds after which to stop with a checkpoint"),
    TRAIN_TASK_OPTION,
    TRAIN_MODEL_OPTIONS,
    {0},
};

/* beta and eps are those of Kingma and Ba's Adam (2015), and of all programs since. */
static void
take_options(train_run *r)
{
    const nashc_opts *o = r->opts;
    const char *kind = nashc_opts_str(o, "optimizer"), *schedule = nashc_opts_str(o, "schedule");
    bool sgd = strcmp(kind, "sgd") == 0;

    r->optim = (train_optim){.kind = sgd                          ? TRAIN_SGD
                                     : strcmp(kind, "adamw") == 0 ? TRAIN_ADAMW
                                                                  : TRAIN_ADAM,
                             .beta1 = 0.9,
                             .beta2 = 0.999,
                             .eps = 1e-8,
                             .momentum = sgd ? nashc_opts_float(o, "momentum") : 0.0,
                             .decay = nashc_opts_float(o, "weight-decay"),
                             .nesterov = nashc_opts_bool(o, "nesterov")};
    r->schedule = (train_schedule){.kind = strcmp(schedule, "step") == 0     ? TRAIN_STEP
                                           : strcmp(schedule, "cosine") == 0 ? TRAIN_COSINE
                                                                             : TRAIN_CONST,
                                   .lr = nashc_opts_float(o, "lr"),
                                   .lr_min = nashc_opts_float(o, "lr-min"),
                                   .gamma = nashc_opts_float(o, "step-factor"),
                                   .period = nashc_opts_int(o, "step-epochs"),
                                   .epochs = nashc_opts_int(o, "epochs"),
                                   .warmup = nashc_opts_int(o, "warmup")};
    r->clip = nashc_opts_float(o, "clip");
    r->smoothing = nashc_opts_float(o, "label-smoothing");
    r->time_limit = nashc_opts_float(o, "time-limit");
    r->save_every = nashc_opts_int(o, "save-every");
}

/* --- data ------------------------------------------------------------------------------------ */

/* The other split, for the accuracy; a kind of data that has none is no error. */
static nashc_status
open_test(train_run *r, train_wish wish)
{
    int before = nashc_diag_count(r->diag, NASHC_NOTE);
    const char *text = nashc_arena_printf(r->arena, "%s,split=test", r->data_text);

    wish.test = wish.augment_none = true;
    if (!text)
        return nashc_enomem(r->diag);
    nashc_status s = train_images_open(text, &wish, &r->test, r->diag);
    if (s == NASHC_EINPUT || s == NASHC_EIO) {
        nashc_diag_truncate(r->diag, before);
        nashc_warning(r->diag, NULL, "missing-test-data",
                      "the data have no test images: accuracy is that of the training images");
        return NASHC_OK;
    }
    return s;
}

/* Train and test images may differ in what they hold; the network must fit both. */
static nashc_status
check_task(train_run *r, const train_images *p)
{
    const nashc_type *output = nashc_value_type(r->net->slot[r->net->output].value);
    nashc_task_case c;

    if (!p)
        return NASHC_OK;
    c = train_case(output, p, r->smoothing);
    return r->task->check(&c, r->diag);
}

/* The batch is cut to the number of images, the steps to those of the epochs. Each rank reads its
 * part of each batch. */
static nashc_status
open_data(train_run *r)
{
    train_wish wish = {.seed = (uint64_t)nashc_opts_int(r->opts, "seed"),
                       .target = r->task->target};
    nashc_status s =
        train_model_wish(nashc_module_main(r->module), &wish, &r->order.pixels, r->diag);

    if (s == NASHC_OK)
        s = train_images_open(r->data_text, &wish, &r->images, r->diag);
    if (s == NASHC_OK)
        s = open_test(r, wish);
    if (s != NASHC_OK)
        return s;
    if (r->images->spec.scale > 0.0)
        r->order.pixels = (train_pixels){0.0, r->images->spec.scale};
    r->order.images = r->images;
    r->order.seed = wish.seed;
    r->order.batch = nashc_opts_int(r->opts, "batch");
    r->order.batch = r->order.batch > r->images->n ? r->images->n : r->order.batch;
    r->order.shuffle = !nashc_opts_bool(r->opts, "no-shuffle");
    r->order.augment = true;
    r->order.part = train_ranks_rank(r->ranks);
    r->order.parts = train_ranks_count(r->ranks);
    if (r->order.batch < r->order.parts)
        return nashc_error(r->diag, NULL, "a batch of %" PRId64 " images is too small for %d ranks",
                           r->order.batch, r->order.parts);
    r->per_epoch = train_batches(&r->order);
    int64_t steps = nashc_opts_int(r->opts, "steps");
    r->n_steps = r->schedule.epochs * r->per_epoch;
    r->n_steps = steps && steps < r->n_steps ? steps : r->n_steps;
    return NASHC_OK;
}

/* --- network --------------------------------------------------------------------------------- */

/* A rank's batch is its part, rounded up. m and u are zero: moments start there. */
static nashc_status
make_net(train_run *r)
{
    int64_t threads = nashc_opts_int(r->opts, "threads"), parts = r->order.parts;
    train_net_options o = {.batch = (r->order.batch + parts - 1) / parts,
                           .backward = true,
                           .collect = nashc_opts_int(r->opts, "collect")};
    const char *weights = nashc_opts_str(r->opts, "weights");

    nashc_status s = train_gemm_setup(r->diag);
    if (s != NASHC_OK)
        return s;
    r->pool = o.pool = thread_pool_open(threads, train_ranks_local(r->ranks));
    if (!r->pool)
        return nashc_enomem(r->diag);
    r->order.threads = thread_pool_size(r->pool);
    s = train_net_create(nashc_module_main(r->module), &o, true, &r->net, r->diag);
    if (s != NASHC_OK)
        return s;
    r->m = NASHC_NEW_N(r->arena, float *, r->net->n_params + 1);
    r->u = NASHC_NEW_N(r->arena, float *, r->net->n_params + 1);
    bool good = r->m && r->u;
    for (int i = 0; good && i < r->net->n_params; i++) {
        r->m[i] = NASHC_NEW_N(r->arena, float, r->net->param[i].n);
        r->u[i] = NASHC_NEW_N(r->arena, float, r->net->param[i].n);
        good = r->m[i] && r->u[i];
    }
    if (!good)
        return nashc_enomem(r->diag);
    if (*weights)
        s = train_weights_read(r->net, r->ctx, weights, &r->others, r->diag);
    if (s == NASHC_OK)
        s = check_task(r, r->images);
    return s == NASHC_OK ? check_task(r, r->test) : s;
}

/* --- folder ---------------------------------------------------------------------------------- */

static bool
is_file(train_run *r, const char *name)
{
    struct stat st;
    const char *path = nashc_arena_printf(r->arena, "%s/%s", r->folder, name);

    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A new folder, or one of ours: a checkpoint is only replaced by one of the same run. */
static nashc_status
make_folder(train_run *r)
{
    nashc_loc loc = {.file = r->folder};
    bool resume = nashc_opts_bool(r->opts, "resume"), there = is_file(r, "checkpoint.npz");

    if (mkdir(r->folder, 0777) != 0 && errno != EEXIST)
        return nashc_io_error(r->diag, &loc, "the folder cannot be made: %s", strerror(errno));
    if (!train_is_folder(r->folder))
        return nashc_io_error(r->diag, &loc, "this is no folder");
    if (there && !resume) {
        nashc_error(r->diag, &loc, "the folder holds a run");
        nashc_help(r->diag, "--resume goes on with it; or name another folder");
        return NASHC_EINPUT;
    }
    if (resume && !there)
        return nashc_error(r->diag, &loc, "there is no checkpoint.npz to go on from");
    return resume ? train_read_checkpoint(r) : NASHC_OK;
}

/* What each rank does for itself. */
static nashc_status
prepare(train_run *r)
{
    nashc_status s = train_task_find(r->ctx, nashc_opts_str(r->opts, "task"), &r->task, r->diag);

    if (s == NASHC_OK)
        s = train_model_read(r->ctx, r->opts, r->model_path, &r->module, r->diag);
    take_options(r);
    if (s == NASHC_OK)
        s = open_data(r);
    if (s == NASHC_OK)
        s = make_net(r);
    if (!train_run_leads(r)) /* the first rank says it for all */
        nashc_diag_truncate(r->diag, s == NASHC_OK ? 0 : nashc_diag_count(r->diag, NASHC_NOTE));
    nashc_diag_flush(r->diag);
    return s;
}

/* The first rank makes and reads the folder before the others read it. */
static nashc_status
open_folder(train_run *r)
{
    bool leads = train_run_leads(r);
    nashc_status s = leads ? make_folder(r) : NASHC_OK;

    nashc_diag_flush(r->diag);
    if (s == NASHC_OK && leads)
        s = train_write_manifest(r);
    s = train_ranks_agree(r->ranks, s, r->diag);
    if (s == NASHC_OK && !leads && nashc_opts_bool(r->opts, "resume"))
        s = train_read_checkpoint(r);
    return train_ranks_agree(r->ranks, s, r->diag);
}

/* Ranks agree on each status, so that none waits for one that has failed. */
static nashc_status
run(train_run *r)
{
    nashc_status s = train_ranks_join(&r->ranks, r->diag);

    if (s == NASHC_OK)
        s = train_ranks_agree(r->ranks, prepare(r), r->diag);
    if (s == NASHC_OK)
        s = open_folder(r);
    if (s == NASHC_OK)
        s = train_run_loop(r);
    const char *dump = nashc_opts_str(r->opts, "dump-step");
    if (s == NASHC_OK && *dump && train_run_leads(r))
        s = train_dump_write(r, dump);
    if (s == NASHC_OK)
        train_ranks_agreed(r->ranks);
    return s;
}

static int
train_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    train_run r = {.ctx = c,
                   .diag = nashc_ctx_diag(c),
                   .opts = o,
                   .arena = nashc_arena_create(),
                   .folder = nashc_opts_str(o, "o"),
                   .data_text = nashc_opts_str(o, "data"),
                   .model_path = args[0],
                   .best = -1.0,
                   .started = train_clock()};
    nashc_status s;

    (void)n_args;
    if (!*r.data_text || !*r.folder)
        s = nashc_usage(r.diag, "train needs --data and -o");
    else
        s = r.arena ? run(&r) : nashc_enomem(r.diag);
    train_exchange_free(r.exchange);
    train_net_free(r.net);
    train_ranks_leave(r.ranks);
    train_images_free(r.images);
    train_images_free(r.test);
    thread_pool_free(r.pool);
    tool_arrays_free(&r.dump);
    tool_arrays_free(&r.others);
    free(r.row);
    if (r.module)
        nashc_module_free(r.module);
    nashc_arena_free(r.arena);
    return nashc_status_exit(s);
}

const nashc_command train_command_train = {
    NASHC_DESC(nashc_command),
    .name = "train",
    .help = "train a network on labelled images",
    .usage = "MODEL --data SPEC -o RUN [options]",
    .example = "nashc train network.ngt --data fashion-mnist,augment=flip --epochs 25 -o run\n"
               "nashc train model.onnx --data cifar10:data/cifar10 --batch 128 -o run --resume",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = train_main,
};
