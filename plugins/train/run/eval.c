/* eval.c: images through the network of training, an executor, or the hardware of a design. */
#include "plugins/train/run/eval.h"
#include "plugins/train/gemm.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A second model is run on the images of the first: e->images is given then. */
static nashc_status
open_images(train_eval *e)
{
    train_wish wish = {.test = true, .augment_none = true, .target = e->task->target};
    nashc_status s = NASHC_OK;

    if (e->module)
        s = train_model_wish(nashc_module_main(e->module), &wish, &e->order.pixels, e->diag);
    if (s == NASHC_OK && !e->images) {
        s = train_images_open(nashc_opts_str(e->opts, "data"), &wish, &e->images, e->diag);
        e->own_images = s == NASHC_OK;
    }
    if (s != NASHC_OK)
        return s;
    if (e->images->spec.scale > 0.0)
        e->order.pixels = (train_pixels){0.0, e->images->spec.scale};
    e->order.images = e->images;
    e->order.batch = nashc_opts_int(e->opts, "batch");
    return NASHC_OK;
}

/* Output 0 is what the network says; others are by the way. */
static nashc_status
begin_count(train_eval *e)
{
    const nashc_graph *g = nashc_module_main(e->module);

    if (nashc_graph_n_outputs(g) < 1)
        return nashc_unsup(e->diag, NULL, "a model without outputs");
    return train_count_begin(&e->count, e->task, nashc_value_type(nashc_graph_output(g, 0)),
                             e->images, e->keep, e->diag);
}

/* --- the network of training ----------------------------------------------------------------- */

/* The executor of training: float32 in batches, on all threads. */
static nashc_status
run_net(train_eval *e)
{
    int64_t threads = nashc_opts_int(e->opts, "threads");
    train_net_options o = {.batch = e->order.batch};

    nashc_status s = train_gemm_setup(e->diag);
    if (s != NASHC_OK)
        return s;
    e->pool = o.pool = thread_pool_open(threads, 1);
    if (!e->pool)
        return nashc_enomem(e->diag);
    e->order.threads = thread_pool_size(e->pool);
    s = train_net_create(nashc_module_main(e->module), &o, true, &e->net, e->diag);
    if (s == NASHC_OK)
        s = train_count_begin(&e->count, e->task,
                              nashc_value_type(e->net->slot[e->net->output].value), e->images,
                              e->keep, e->diag);
    return s == NASHC_OK ? train_count_net(e->net, &e->order, &e->count) : s;
}

/* --- an executor ----------------------------------------------------------------------------- */

typedef struct executing {
    train_eval *e;
    const nashc_executor *x;
    void *program;
    nashc_buf in;
    int64_t count; /* of the output */
    float *logits;
} executing;

/* One sample a call, in the order of the images. */
static nashc_status
run_sample(executing *v, const float *x, const int32_t *target)
{
    const nashc_buf *in[] = {&v->in};
    nashc_buf out[8] = {0};

    for (int64_t i = 0; i < v->in.n; i++)
        nashc_buf_set(&v->in, i, (double)x[i]);
    nashc_status s = v->x->run(v->program, in, out, v->e->diag);
    for (int64_t k = 0; s == NASHC_OK && k < v->count; k++)
        v->logits[k] = (float)nashc_buf_get(&out[0], k);
    if (s == NASHC_OK && !train_count_add(&v->e->count, v->logits, target, 1))
        s = nashc_enomem(v->e->diag);
    for (int i = 0; i < 8; i++)
        nashc_buf_free(&out[i]);
    return s;
}

static nashc_status
run_samples(executing *v)
{
    train_eval *e = v->e;
    const float *x;
    const int32_t *target;
    int64_t n;
    nashc_status s = NASHC_OK;
    train_feed *f = train_feed_start(&e->order, 0, train_batches(&e->order));

    if (!f)
        return nashc_enomem(e->diag);
    while (s == NASHC_OK && (n = train_feed_next(f, &x, &target)) > 0)
        for (int64_t i = 0; s == NASHC_OK && i < n; i++) {
            train_progress(e->diag, "images", e->count.n, e->images->n, 0);
            s = run_sample(v, x + i * v->in.n, target + i * e->images->targets);
        }
    train_progress(e->diag, "images", e->images->n, e->images->n, 0);
    if (s == NASHC_OK)
        s = train_feed_fault(f, e->diag);
    train_feed_stop(f);
    return s;
}

/* At most 8 outputs, as that is the room of run_sample. */
static nashc_status
run_executor(train_eval *e, const char *name)
{
    const nashc_graph *g = nashc_module_main(e->module);
    executing v = {.e = e, .x = nashc_lookup(e->ctx, NASHC_D_EXECUTOR, name, e->diag)};
    nashc_arena *a = nashc_arena_create();
    nashc_status s = v.x ? NASHC_OK : NASHC_EUSAGE;

    if (s == NASHC_OK && (nashc_graph_n_outputs(g) < 1 || nashc_graph_n_outputs(g) > 8))
        s = nashc_unsup(e->diag, NULL, "a model of %d outputs", nashc_graph_n_outputs(g));
    if (s == NASHC_OK) {
        v.count = nashc_type_count(nashc_value_type(nashc_graph_output(g, 0)));
        s = begin_count(e);
    }
    v.logits = malloc((size_t)(v.count + 1) * sizeof *v.logits);
    nashc_opts *o = a && v.x ? nashc_opts_create(a, v.x->options) : NULL;
    if (s == NASHC_OK && (!v.logits || !a || !o ||
                          !nashc_buf_alloc(&v.in, nashc_value_type(nashc_graph_input(g, 0)))))
        s = nashc_enomem(e->diag);
    if (s == NASHC_OK)
        s = v.x->prepare(e->module, o, &v.program, e->diag);
    if (s == NASHC_OK)
        s = run_samples(&v);
    if (v.program)
        v.x->free(v.program);
    nashc_buf_free(&v.in);
    free(v.logits);
    nashc_arena_free(a);
    return s;
}

/* --- a compiled design, through `nashc sim` -------------------------------------------------- */

/* As the network gets them: pixels in its numbers, [N,C,H,W]. All at once: memory for all
 * images. */
nashc_status
train_write_images(train_eval *e, const char *path)
{
    const train_images *p = e->images;
    int64_t dim[] = {p->n, p->c, p->h, p->w}, epoch = -1;
    int64_t *perm = malloc((size_t)p->n * sizeof *perm);
    int32_t *target = malloc((size_t)(p->n * p->targets) * sizeof *target);
    tool_arrays a = {0};
    nashc_type t = nashc_type_f32();
    tool_array *x = tool_arrays_add(&a, NULL, &t, 4, dim);
    train_order o = e->order;

    o.batch = p->n;
    nashc_status s = x && perm && target ? NASHC_OK : nashc_enomem(e->diag);
    if (s == NASHC_OK && train_batch_get(&o, 0, perm, &epoch, x->buf.data, target) < 0)
        s = nashc_io_error(e->diag, NULL, "an image cannot be read");
    if (s == NASHC_OK)
        s = tool_arrays_write(path, &a, e->diag);
    tool_arrays_free(&a);
    free(perm);
    free(target);
    return s;
}

/* What the simulation says is talk here. */
static nashc_status
call_sim(train_eval *e, const char *in, const char *out)
{
    bool quiet = nashc_diag_verbosity(e->diag) < 1;
    int status = 0;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int to = quiet ? open("/dev/null", O_WRONLY) : STDERR_FILENO;
        if (to < 0 || dup2(to, STDOUT_FILENO) < 0)
            _exit(127);
        execl("/proc/self/exe", "nashc", "sim", e->path, "--input", in, "--output", out,
              "--simulator", nashc_opts_str(e->opts, "simulator"), "-q", (char *)NULL);
        _exit(127);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return NASHC_OK;
    nashc_loc loc = {.file = e->path};
    return nashc_io_error(e->diag, &loc, "the design cannot be simulated");
}

/* The design's outputs of all images, with what the data say of them. */
static nashc_status
count_outputs(train_eval *e, const nashc_buf *y)
{
    int64_t count = e->count.c.outputs, done = 0, n;
    float *logits = malloc((size_t)count * sizeof *logits);
    train_feed *f = train_feed_start(&e->order, 0, train_batches(&e->order));
    const float *x;
    const int32_t *target;
    nashc_status s = logits && f ? NASHC_OK : nashc_enomem(e->diag);

    while (s == NASHC_OK && (n = train_feed_next(f, &x, &target)) > 0)
        for (int64_t i = 0; s == NASHC_OK && i < n; i++, done++) {
            for (int64_t k = 0; k < count; k++)
                logits[k] = (float)nashc_buf_get(y, done * count + k);
            if (!train_count_add(&e->count, logits, target + i * e->images->targets, 1))
                s = nashc_enomem(e->diag);
        }
    if (s == NASHC_OK)
        s = train_feed_fault(f, e->diag);
    train_feed_stop(f);
    free(logits);
    return s;
}

/* By number, not by name: a design may have other names for its outputs. */
static nashc_status
read_scores(train_eval *e, const char *path)
{
    tool_arrays a = {0};
    nashc_loc loc = {.file = path};
    nashc_status s = tool_arrays_read(path, &a, e->diag);

    if (s == NASHC_OK)
        s = begin_count(e);
    if (s == NASHC_OK && (a.n < 1 || a.at[0].buf.n != e->images->n * e->count.c.outputs))
        s = nashc_error(e->diag, &loc, "the design gave no scores for each image");
    if (s == NASHC_OK)
        s = count_outputs(e, &a.at[0].buf);
    tool_arrays_free(&a);
    return s;
}

static nashc_status
run_design(train_eval *e)
{
    nashc_arena *a = nashc_arena_create();
    char *folder = NULL;
    nashc_status s = a ? tool_temp_folder("eval", a, &folder, e->diag) : nashc_enomem(e->diag);
    const char *in = folder ? nashc_arena_printf(a, "%s/in.npy", folder) : NULL;
    const char *out = folder ? nashc_arena_printf(a, "%s/out.npz", folder) : NULL;

    if (s == NASHC_OK && !(in && out))
        s = nashc_enomem(e->diag);
    if (s == NASHC_OK)
        s = train_write_images(e, in);
    if (s == NASHC_OK)
        s = call_sim(e, in, out);
    if (s == NASHC_OK)
        s = read_scores(e, out);
    tool_temp_remove(folder);
    nashc_arena_free(a);
    return s;
}

/* --- any ------------------------------------------------------------------------------------- */

static bool
has_file(const char *folder, const char *name)
{
    char path[1100];
    struct stat st;

    snprintf(path, sizeof path, "%.1000s/%s", folder, name);
    return stat(path, &st) == 0;
}

/* A folder with a checkpoint is a run, one without is a design. */
nashc_status
train_eval_run(train_eval *e, train_images *images)
{
    bool design = train_is_folder(e->path) && !has_file(e->path, "checkpoint.npz");
    char model[1100];
    nashc_status s;

    e->images = images;
    /* A design keeps the graph that it was made of; what that wants to see, it wants. */
    snprintf(model, sizeof model, "%.1000s/model.nashir", e->path);
    s = train_model_read(e->ctx, e->opts, design ? model : e->path, &e->module, e->diag);
    if (s == NASHC_OK)
        s = open_images(e);
    if (s != NASHC_OK)
        return s;
    return design                              ? run_design(e)
           : strcmp(e->executor, "float") == 0 ? run_net(e)
                                               : run_executor(e, e->executor);
}

void
train_eval_free(train_eval *e)
{
    train_net_free(e->net);
    thread_pool_free(e->pool);
    train_count_end(&e->count);
    if (e->own_images)
        train_images_free(e->images);
    if (e->module)
        nashc_module_free(e->module);
}
