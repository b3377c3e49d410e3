/* folder.c: the files of a run: checkpoint, best parameters, models, metrics, manifest. */
#include "plugins/train/gemm.h"
#include "plugins/train/lanes/kernel.h"
#include "plugins/train/run/run.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *
inside(train_run *r, const char *name)
{
    return nashc_arena_printf(r->arena, "%s/%s", r->folder, name);
}

/* --- parameters ------------------------------------------------------------------------------ */

/* Parameters that do not train are in the file as well: it is a whole state. */
static bool
put_parameters(train_run *r, tool_arrays *a)
{
    bool good = true;

    for (int i = 0; good && i < r->net->n_params; i++) {
        const train_param *p = &r->net->param[i];
        good = train_put_floats(a, p->name, p->rank, p->dim, p->v);
    }
    return good;
}

/* Both moments, whichever the rule uses: so the file has one form. */
static bool
put_optimiser(train_run *r, tool_arrays *a)
{
    bool good = true;

    for (int i = 0; good && i < r->net->n_params; i++) {
        const train_param *p = &r->net->param[i];
        char name[512];
        if (!p->trains)
            continue;
        snprintf(name, sizeof name, "optimiser.m.%.480s", p->name);
        good = train_put_floats(a, name, p->rank, p->dim, r->m[i]);
        snprintf(name, sizeof name, "optimiser.u.%.480s", p->name);
        good = good && train_put_floats(a, name, p->rank, p->dim, r->u[i]);
    }
    return good;
}

static bool
put_rows(train_run *r, tool_arrays *a)
{
    nashc_type t = nashc_type_f64();
    int64_t dim[2] = {r->n_rows, 6};
    tool_array *x = r->n_rows ? tool_arrays_add(a, "run.metrics", &t, 2, dim) : NULL;

    if (x)
        memcpy(x->buf.data, r->row, (size_t)r->n_rows * sizeof *r->row);
    for (int64_t i = 0; x && i < r->n_rows; i++) /* times differ from run to run */
        ((train_row_values *)x->buf.data)[i].rate = 0.0;
    return x || !r->n_rows;
}

/* Names and places of the numbers that a run goes on from. */
static double *
state_at(train_run *r, int i, const char **name, double *copy)
{
    /* 1 and 2, seed and batch, are only compared; train_read_checkpoint knows the places */
    static const char *const names[] = {"run.step", "run.seed",     "run.batch", "run.best",
                                        "run.seen", "run.loss_sum", "run.right"};
    const double values[] = {(double)r->step, (double)r->order.seed, (double)r->order.batch,
                             r->best,         (double)r->seen,       r->loss_sum,
                             (double)r->right};

    if (i >= (int)NASHC_COUNT(names))
        return NULL;
    *name = names[i];
    *copy = values[i];
    return copy;
}

/* One file, written whole: a run that is killed goes on from this one or the one before. The same
 * state gives the same bytes. */
nashc_status
train_write_checkpoint(train_run *r)
{
    tool_arrays a = {0};
    bool good = put_parameters(r, &a) && put_optimiser(r, &a) && put_rows(r, &a);
    const char *name, *path = inside(r, "checkpoint.npz");
    double v;

    for (int i = 0; good && state_at(r, i, &name, &v); i++)
        good = train_put_number(&a, name, v);
    nashc_status s = good && path ? tool_arrays_write(path, &a, r->diag) : nashc_enomem(r->diag);
    tool_arrays_free(&a);
    return s;
}

/* By the figure on the test images, so best.onnx is what is worth compiling. */
nashc_status
train_write_best(train_run *r)
{
    tool_arrays a = {0};
    const char *path = inside(r, "best.npz");
    nashc_status s = put_parameters(r, &a) && path ? tool_arrays_write(path, &a, r->diag)
                                                   : nashc_enomem(r->diag);

    tool_arrays_free(&a);
    return s == NASHC_OK ? train_write_model(r, "best.onnx") : s;
}

nashc_status
train_write_model(train_run *r, const char *name)
{
    nashc_module *m = NULL;
    const char *path = inside(r, name);

    train_scales_set(r->net);
    nashc_status s = train_net_module(r->net, &m, r->diag);
    if (s == NASHC_OK)
        s = path ? nashc_write_model(m, path, r->diag) : nashc_enomem(r->diag);
    if (m)
        nashc_module_free(m);
    return s;
}

/* --- going on -------------------------------------------------------------------------------- */

/* A missing array or another length: the checkpoint is of another network. */
static nashc_status
take_floats(const tool_arrays *a, const char *name, float *to, int64_t n, const char *path,
            nashc_diag *d)
{
    const tool_array *x = tool_arrays_find(a, name);
    nashc_loc loc = {.file = path};

    if (!x || x->buf.n != n || x->buf.cell != NASHC_FLOAT)
        return nashc_error(d, &loc, "array \"%s\" is missing or of another model", name);
    memcpy(to, x->buf.data, (size_t)n * sizeof *to);
    return NASHC_OK;
}

static nashc_status
take_parameters(train_run *r, const tool_arrays *a, const char *path)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; s == NASHC_OK && i < r->net->n_params; i++) {
        train_param *p = &r->net->param[i];
        char name[512];
        s = take_floats(a, p->name, p->v, p->n, path, r->diag);
        snprintf(name, sizeof name, "optimiser.m.%.480s", p->name);
        if (s == NASHC_OK && p->trains)
            s = take_floats(a, name, r->m[i], p->n, path, r->diag);
        snprintf(name, sizeof name, "optimiser.u.%.480s", p->name);
        if (s == NASHC_OK && p->trains)
            s = take_floats(a, name, r->u[i], p->n, path, r->diag);
    }
    return s;
}

/* Times are in the table alone. */
static void
take_rates(train_run *r)
{
    char *text = NULL, *rest = NULL;
    size_t size;
    int before = nashc_diag_count(r->diag, NASHC_NOTE);
    const char *path = inside(r, "metrics.csv");

    if (!path || nashc_file_read(path, 1 << 28, &text, &size, r->diag) != NASHC_OK) {
        nashc_diag_truncate(r->diag, before);
        return;
    }
    int64_t i = -1; /* the first line has names */
    for (char *line = strtok_r(text, "\n", &rest); line && i < r->n_rows;
         line = strtok_r(NULL, "\n", &rest), i++) {
        const char *comma = strrchr(line, ',');
        if (i >= 0 && comma)
            r->row[i].rate = strtod(comma + 1, NULL);
    }
    nashc_mem_free(text);
}

static nashc_status
damaged(train_run *r, const char *name)
{
    nashc_loc loc = {.file = inside(r, "checkpoint.npz")};

    nashc_error(r->diag, &loc, "\"%s\" holds what no run counts: the file is damaged", name);
    nashc_help(r->diag, "start anew in another folder; best.npz, if it is there, can be --weights");
    return NASHC_EINPUT;
}

static nashc_status
take_rows(train_run *r, const tool_arrays *a)
{
    const tool_array *x = tool_arrays_find(a, "run.metrics");

    if (!x || x->rank != 2 || x->dim[1] != 6 || x->buf.cell != NASHC_DOUBLE)
        return NASHC_OK;
    r->row = malloc((size_t)x->buf.n * sizeof(double));
    if (!r->row)
        return nashc_enomem(r->diag);
    memcpy(r->row, x->buf.data, (size_t)x->buf.n * sizeof(double));
    r->n_rows = r->cap_rows = x->dim[0];
    for (int64_t i = 0; i < r->n_rows; i++) {
        int64_t whole;
        if (!train_take_whole(r->row[i].step, TRAIN_MOST_WHOLE, &whole) ||
            !train_take_whole(r->row[i].epoch, TRAIN_MOST_WHOLE, &whole))
            return damaged(r, "run.metrics");
    }
    take_rates(r);
    return NASHC_OK;
}

/* In the places of state_at. */
static nashc_status
take_numbers(train_run *r, const double *got)
{
    if (!train_take_whole(got[0], TRAIN_MOST_WHOLE, &r->step))
        return damaged(r, "run.step");
    if (!train_take_whole(got[4], TRAIN_MOST_WHOLE, &r->seen))
        return damaged(r, "run.seen");
    if (!train_take_whole(got[6], TRAIN_MOST_WHOLE, &r->right))
        return damaged(r, "run.right");
    r->best = got[3];
    r->loss_sum = got[5];
    return NASHC_OK;
}

/* The order of images follows from seed, batch and step alone, so with the same two the run goes on
 * as if it had not been broken off. */
nashc_status
train_read_checkpoint(train_run *r)
{
    tool_arrays a = {0};
    const char *path = inside(r, "checkpoint.npz"), *name;
    nashc_loc loc = {.file = path};
    double v, got[7] = {0};
    nashc_status s = path ? tool_arrays_read(path, &a, r->diag) : nashc_enomem(r->diag);

    for (int i = 0; s == NASHC_OK && state_at(r, i, &name, &v); i++) {
        const tool_array *x = tool_arrays_find(&a, name);
        if (!x || x->buf.n != 1)
            s = nashc_error(r->diag, &loc, "number \"%s\" is missing: this is no checkpoint", name);
        else
            got[i] = nashc_buf_get(&x->buf, 0);
    }
    if (s == NASHC_OK && (got[1] != (double)r->order.seed || got[2] != (double)r->order.batch)) {
        s = nashc_error(r->diag, &loc, "the run has seed %.0f and batch %.0f", got[1], got[2]);
        nashc_help(r->diag, "--resume goes on with the options of the run");
    }
    if (s == NASHC_OK)
        s = take_parameters(r, &a, path);
    if (s == NASHC_OK)
        s = take_rows(r, &a);
    if (s == NASHC_OK)
        s = take_numbers(r, got);
    tool_arrays_free(&a);
    return s;
}

/* --- metrics --------------------------------------------------------------------------------- */

static nashc_status
write_csv(train_run *r)
{
    const char *path = inside(r, "metrics.csv");
    nashc_outfile *f = path ? nashc_out_open(path, r->diag) : NULL;

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "step,epoch,loss,accuracy,lr,images/s\n");
    for (int64_t i = 0; i < r->n_rows; i++) {
        const train_row_values *v = &r->row[i];
        nashc_out_printf(f, "%.0f,%.0f,%.9g,%.9g,%.9g,%.1f\n", v->step, v->epoch, v->loss,
                         v->accuracy, v->lr, v->rate);
    }
    return nashc_out_commit(f, r->diag);
}

static nashc_status
write_json(train_run *r, const char *name, json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    const char *path = inside(r, name);
    nashc_outfile *f = text && path ? nashc_out_open(path, r->diag) : NULL;

    json_decref(root);
    if (f)
        nashc_out_printf(f, "%s\n", text);
    free(text);
    return f ? nashc_out_commit(f, r->diag) : NASHC_EIO;
}

nashc_status
train_write_metrics(train_run *r)
{
    json_t *rows = json_array();
    nashc_status s = write_csv(r);

    for (int64_t i = 0; i < r->n_rows; i++) {
        const train_row_values *v = &r->row[i];
        json_array_append_new(rows,
                              json_pack("{s:I,s:I,s:f,s:f,s:f,s:f}", "step", (json_int_t)v->step,
                                        "epoch", (json_int_t)v->epoch, "loss", v->loss, "accuracy",
                                        v->accuracy, "lr", v->lr, "images_per_s", v->rate));
    }
    nashc_status j = write_json(r, "metrics.json", rows);
    const char *path = inside(r, "curve.svg");
    nashc_status c = path ? train_write_curve(r, path) : nashc_enomem(r->diag);
    return s != NASHC_OK ? s : j != NASHC_OK ? j : c;
}

/* --- manifest -------------------------------------------------------------------------------- */

static json_t *
options_of(const train_run *r)
{
    static const char *const names[] = {"optimizer", "schedule"};
    json_t *o = json_object();

    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        json_object_set_new(o, names[i], json_string(nashc_opts_str(r->opts, names[i])));
    json_object_set_new(o, "batch", json_integer(r->order.batch));
    json_object_set_new(o, "lr", json_real(r->schedule.lr));
    json_object_set_new(o, "momentum", json_real(r->optim.momentum));
    json_object_set_new(o, "weight_decay", json_real(r->optim.decay));
    json_object_set_new(o, "warmup", json_integer(r->schedule.warmup));
    json_object_set_new(o, "clip", json_real(r->clip));
    json_object_set_new(o, "label_smoothing", json_real(r->smoothing));
    json_object_set_new(o, "epochs", json_integer(r->schedule.epochs));
    json_object_set_new(o, "steps", json_integer(r->n_steps));
    json_object_set_new(o, "shuffle", json_boolean(r->order.shuffle));
    return o;
}

static json_t *
data_of(const train_images *p)
{
    return p ? json_pack("{s:s,s:I,s:s}", "kind", p->spec.kind, "images", (json_int_t)p->n,
                         "sha256", p->hash)
             : json_null();
}

nashc_status
train_write_manifest(train_run *r)
{
    const char *base = strrchr(r->model_path, '/');
    json_t *root = json_object();

    json_object_set_new(root, "nashc", json_string(NASHC_VERSION));
    json_object_set_new(root, "kind", json_string("training"));
    json_object_set_new(root, "task", json_string(nashc_opts_str(r->opts, "task")));
    json_object_set_new(root, "figure", json_string(r->task->figure));
    json_object_set_new(root, "model", json_string(base ? base + 1 : r->model_path));
    json_object_set_new(root, "seed", json_integer((json_int_t)r->order.seed));
    json_object_set_new(root, "threads", json_integer(thread_pool_size(r->pool)));
    json_object_set_new(root, "ranks", json_integer(train_ranks_count(r->ranks)));
    if (r->ranks)
        json_object_set_new(root, "mpi", json_string(train_ranks_library(r->ranks)));
    json_object_set_new(root, "blas", json_string(train_gemm_library()));
    json_object_set_new(root, "blas_kernel", json_string(train_gemm_kernel()));
    json_object_set_new(root, "kernel", json_string(train_kernel_best()->name));
    json_object_set_new(root, "options", options_of(r));
    json_object_set_new(root, "train_data", data_of(r->images));
    json_object_set_new(root, "test_data", data_of(r->test));
    return write_json(r, "manifest.json", root);
}
