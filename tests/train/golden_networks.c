/* golden_networks.c: ten steps of whole networks, from their genotype, or from the exported model
 * with its initialisers taken in order: gradients, states, losses, and an evaluation. */
#include "plugins/train/net/loss.h"
#include "plugins/train/optim/optim.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, CLASSES = 10, STEPS = 10 };

typedef struct network {
    golden *t;
    char path[512];
    json_t *meta;
    tool_arrays inputs, init, grad, run, state[3], final;
    nashc_module *module;
    train_net *net;
    char (*name)[64]; /* of each parameter in the files */
    bool *turned;     /* the file has [out][in], the graph [in][out] */
    float **m, **u;   /* of Adam */
    float dy[BATCH * CLASSES];
} network;

/* The number in meta.json's tolerance text behind the n-th "at most", or the format. */
static double
tolerance(const network *w, const char *key, const char *format)
{
    const char *s = json_string_value(json_object_get(json_object_get(w->meta, "tolerance"), key));
    double v = 0.0;

    for (; s && *s && sscanf(s, format, &v) != 1; s++)
        continue;
    return v;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Imported networks: weights, batch normalisations and scales in the order of the graph. */
static void
name_in_order(network *w)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    int conv = 0, fc = 0, bn = 0, act = 0;

    for (int i = 0; i < w->net->n_params; i++) {
        const train_param *p = &w->net->param[i];
        size_t len = strlen(p->name);
        if (p->rank == 4)
            snprintf(w->name[i], 64, "conv%d.weight", conv++);
        else if (p->rank == 2)
            snprintf(w->name[i], 64, "fc%d.weight", fc++);
        else if (len > 2 && strcmp(p->name + len - 2, ".v") == 0)
            snprintf(w->name[i], 64, "act%d.v", act++);
        else
            snprintf(w->name[i], 64, "bn%d.%s", bn / 4, parts[bn % 4]), bn++;
        w->turned[i] = p->rank == 2;
    }
}

static bool
prepare(network *w, bool imported)
{
    int n = w->net->n_params;

    w->name = calloc((size_t)n, sizeof *w->name);
    w->turned = calloc((size_t)n, sizeof *w->turned);
    w->m = calloc((size_t)n, sizeof *w->m);
    w->u = calloc((size_t)n, sizeof *w->u);
    if (!w->name || !w->turned || !w->m || !w->u)
        return false;
    for (int i = 0; i < n; i++) {
        snprintf(w->name[i], 64, "%.63s", w->net->param[i].name);
        w->m[i] = calloc((size_t)w->net->param[i].n, sizeof(float));
        w->u[i] = calloc((size_t)w->net->param[i].n, sizeof(float));
    }
    if (imported)
        name_in_order(w);
    return true;
}

/* Element i of the parameter in the file. */
static int64_t
in_file(const network *w, int p, int64_t i)
{
    const train_param *q = &w->net->param[p];

    return w->turned[p] ? i % q->dim[1] * q->dim[0] + i / q->dim[1] : i;
}

static const tool_array *
array_of(network *w, const tool_arrays *a, int p, const char *suffix)
{
    char name[96];

    snprintf(name, sizeof name, "%s%s", w->name[p], suffix);
    const tool_array *found = tool_arrays_find(a, name);
    if (!found || found->buf.n != w->net->param[p].n) {
        golden_fault(w->t, "no array fits parameter %s", name);
        return NULL;
    }
    return found;
}

static void
take_parameters(network *w, const tool_arrays *a)
{
    for (int p = 0; p < w->net->n_params; p++) {
        const tool_array *from = array_of(w, a, p, "");
        for (int64_t i = 0; from && i < w->net->param[p].n; i++)
            w->net->param[p].v[i] = (float)golden_at(from, in_file(w, p, i));
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

static const float *
forward(network *w, int64_t batch, bool training)
{
    const char *kind = json_string_value(json_object_get(w->meta, "images"));
    const tool_array *x = tool_arrays_find(&w->inputs, kind ? kind : "");
    train_slot *in = train_net_slot(w->net, nashc_graph_input(w->net->graph, 0));

    for (int64_t i = 0; x && i < BATCH * in->count; i++)
        in->v[i] = (float)golden_at(x, batch * BATCH * in->count + i) / 256.0f;
    if (!x || train_net_forward(w->net, BATCH, training) != NASHC_OK)
        golden_fault(w->t, "the network does not run");
    return w->net->slot[w->net->output].v;
}

static double
backward(network *w, int64_t batch, const float *logits)
{
    const tool_array *labels = tool_arrays_find(&w->inputs, "labels");
    int32_t label[BATCH];

    for (int i = 0; i < BATCH; i++)
        label[i] = labels ? (int32_t)golden_at(labels, batch * BATCH + i) : 0;
    double loss =
        train_cross_entropy(logits, label, BATCH, CLASSES, 0.0, w->net->slot[w->net->output].g);
    if (train_net_backward(w->net) != NASHC_OK)
        golden_fault(w->t, "the network does not run backward");
    return loss;
}

static void
update(network *w, int64_t step)
{
    static const train_optim adam = {TRAIN_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    double square = 0.0;

    for (int p = 0; p < w->net->n_params; p++)
        if (w->net->param[p].trains)
            square += train_square_sum(w->net->param[p].g, w->net->param[p].n);
    for (int p = 0; p < w->net->n_params; p++) {
        train_param *q = &w->net->param[p];
        if (q->trains)
            train_optim_step(&adam, step, 1e-3, train_clip_factor(sqrt(square), 5.0), q->n, q->v,
                             q->g, w->m[p], w->u[p]);
    }
}

/* --- comparisons ----------------------------------------------------------------------------- */

static void
compare_gradient(network *w, const tool_arrays *a, const char *key)
{
    double part = tolerance(w, "gradient", "against _f64, %lf");
    double of_v = tolerance(w, "gradient", "network (%lf)") * 1e-5;

    if (strcmp(key, "grad_final") == 0)
        part = tolerance(w, "gradient", "grad_final with %lf");
    for (int p = 0; p < w->net->n_params; p++) {
        const train_param *q = &w->net->param[p];
        const tool_array *want = q->trains ? array_of(w, a, p, "_f64") : NULL;
        double largest = 0.0, room;
        for (int64_t i = 0; want && i < q->n; i++)
            largest = fmax(largest, fabs(golden_at(want, i)));
        room = strstr(w->name[p], ".v") ? of_v : part * largest;
        for (int64_t i = 0; want && i < q->n; i++) {
            double off = (double)q->g[i] - golden_at(want, in_file(w, p, i));
            if (!(fabs(off) <= room)) {
                golden_fault(w->t, "%s of %s[%d] is %.9g, not %.9g (bound %.3g)", key, w->name[p],
                             (int)i, (double)q->g[i], golden_at(want, in_file(w, p, i)), room);
                break;
            }
        }
    }
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Differences, relative to values above 1, of all parameters; their number. */
static int64_t
differences(network *w, const tool_arrays *a, double *off, int *where)
{
    int64_t n = 0;
    double worst = -1.0;

    for (int p = 0; p < w->net->n_params; p++) {
        const tool_array *want = array_of(w, a, p, "");
        for (int64_t i = 0; want && i < w->net->param[p].n; i++) {
            double v = golden_at(want, in_file(w, p, i));
            off[n] = fabs((double)w->net->param[p].v[i] - v) / fmax(1.0, fabs(v));
            if (!(off[n] <= worst)) {
                worst = off[n];
                *where = p;
            }
            n++;
        }
    }
    return n;
}

/* All within room; or, where another code may have been chosen on the way, half of them within
 * `median`. */
static void
compare_state(network *w, const tool_arrays *a, const char *key, double room, double median)
{
    int64_t n = 0;
    int where = 0;

    for (int p = 0; p < w->net->n_params; p++)
        n += w->net->param[p].n;
    double *off = calloc((size_t)n + 1, sizeof *off);
    n = off ? differences(w, a, off, &where) : 0;
    if (n > 0)
        qsort(off, (size_t)n, sizeof *off, ascending);
    if (n == 0 || (!(off[n - 1] <= room) && !(off[n / 2] <= median)))
        golden_fault(w->t, "%s: %s is off by %.3g, bound %.3g (median %.3g)", key, w->name[where],
                     n ? off[n - 1] : 0.0, room, n ? off[n / 2] : 0.0);
    free(off);
}

static void
compare_logits(network *w, const char *name, int64_t at, const float *got)
{
    w->t->arrays = w->run; /* borrowed */
    golden_compare_at(w->t, name, at * BATCH * CLASSES, got, BATCH * CLASSES,
                      (golden_bound){.absolute = 1e-5});
    w->t->arrays = (tool_arrays){0};
}

static void
compare_losses(network *w, int64_t step, double loss)
{
    const tool_array *want = tool_arrays_find(&w->run, "loss_f64");

    if (!want || fabs(loss - golden_at(want, step)) > 1e-5)
        golden_fault(w->t, "loss of step %d is %.9g, not %.9g", (int)step + 1, loss,
                     want ? golden_at(want, step) : 0.0);
}

static void
ten_steps(network *w)
{
    const tool_array *batches = tool_arrays_find(&w->run, "batches");

    take_parameters(w, &w->init);
    for (int64_t s = 0; batches && s < STEPS; s++) {
        int64_t batch = (int64_t)golden_at(batches, s);
        const float *y = forward(w, batch, true);
        if (s == 0)
            compare_logits(w, "logits_train", 0, y);
        compare_losses(w, s, backward(w, batch, y));
        if (s == 0)
            compare_gradient(w, &w->grad, "grad");
        update(w, s + 1);
        if (s == 0)
            compare_state(w, &w->state[0], "state1", tolerance(w, "state1", "at most %lf,"), 0.0);
        else if (s == 1)
            compare_state(w, &w->state[1], "state2", tolerance(w, "state2", "with %lf"), 0.0);
        else if (s == STEPS - 1)
            compare_state(w, &w->state[2], "state10", tolerance(w, "state10", "steps: %lf"), 1e-3);
    }
    /* The stored state: evaluation, then gradients on one more batch. */
    take_parameters(w, &w->state[2]);
    compare_logits(w, "logits_eval10", 0,
                   forward(w, batches ? (int64_t)golden_at(batches, 0) : 0, false));
    int64_t last = batches ? (int64_t)golden_at(batches, STEPS) : 0;
    backward(w, last, forward(w, last, true));
    compare_gradient(w, &w->final, "grad_final");
}

/* --- files ----------------------------------------------------------------------------------- */

static bool
read_arrays(network *w, const char *file, tool_arrays *a)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", w->path, file);
    return tool_arrays_read(path, a, w->t->diag) == NASHC_OK;
}

/* False: it cannot be read here, which is said. */
static bool
read_network(network *w, bool *imported)
{
    char path[600];

    snprintf(path, sizeof path, "%s/genotype.ngt", w->path);
    FILE *f = fopen(path, "r");
    *imported = !f;
    if (f)
        fclose(f);
    else
        snprintf(path, sizeof path, "%s/model.onnx", w->path);
    if (f && !nashc_find(w->t->ctx, NASHC_D_FRONTEND, "genotype")) {
        printf("skip networks/%s: genotypes cannot be read\n", w->t->file);
        return false;
    }
    train_net_options o = {.batch = BATCH, .backward = true, .pool = w->t->pool};
    if (nashc_read_model(w->t->ctx, path, NULL, &w->module, w->t->diag) != NASHC_OK ||
        train_net_create(nashc_module_main(w->module), &o, true, &w->net, w->t->diag) != NASHC_OK)
        golden_fault(w->t, "the network cannot be read");
    return true;
}

static void
free_network(network *w)
{
    for (int p = 0; w->net && w->m && p < w->net->n_params; p++) {
        free(w->m[p]);
        free(w->u[p]);
    }
    free(w->m);
    free(w->u);
    free(w->name);
    free(w->turned);
    train_net_free(w->net);
    nashc_module_free(w->module);
    tool_arrays *all[] = {&w->inputs,   &w->init,     &w->grad,     &w->run,
                          &w->state[0], &w->state[1], &w->state[2], &w->final};
    for (size_t i = 0; i < NASHC_COUNT(all); i++)
        tool_arrays_free(all[i]);
    json_decref(w->meta);
}

bool
golden_network(golden *t, const char *root, const char *name)
{
    network w = {.t = t};
    bool imported, there;
    char path[600];

    snprintf(w.path, sizeof w.path, "%.400s/%.60s", root, name);
    snprintf(path, sizeof path, "%s/meta.json", w.path);
    w.meta = json_load_file(path, 0, NULL);
    there = read_network(&w, &imported);
    if (there && w.net && prepare(&w, imported) && read_arrays(&w, "../inputs.npz", &w.inputs) &&
        read_arrays(&w, "init.npz", &w.init) && read_arrays(&w, "grad.npz", &w.grad) &&
        read_arrays(&w, "run.npz", &w.run) && read_arrays(&w, "state1.npz", &w.state[0]) &&
        read_arrays(&w, "state2.npz", &w.state[1]) && read_arrays(&w, "state10.npz", &w.state[2]) &&
        read_arrays(&w, "grad_final.npz", &w.final))
        ten_steps(&w);
    else if (there)
        golden_fault(t, "files are missing");
    free_network(&w);
    return there;
}
