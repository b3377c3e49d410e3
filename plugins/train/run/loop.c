/* loop.c: steps of training, epochs, checkpoints. */
#include "plugins/train/run/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const train_slot *
output(const train_run *r)
{
    return &r->net->slot[r->net->output];
}

/* --- one step -------------------------------------------------------------------------------- */

/* Of what trains, in double: 10^7 squares of float32 lose digits otherwise. */
static double
gradient_norm(const train_run *r)
{
    double sum = 0.0;

    for (int i = 0; i < r->net->n_params; i++)
        if (r->net->param[i].trains)
            sum += train_square_sum(r->net->param[i].g, r->net->param[i].n);
    return sqrt(sum);
}

/* The first tensor in the order of the steps names the place where it began. */
static nashc_status
not_finite(train_run *r, const char *what, int64_t n)
{
    const char *name = train_net_not_finite(r->net, n);
    nashc_error(r->diag, NULL, "step %" PRId64 ": the %s is not finite; first such tensor: \"%s\"",
                r->step + 1, what, name ? name : what);
    nashc_help(r->diag, "a smaller --lr, or --clip; checkpoint.npz is of an earlier step");
    return NASHC_EINPUT;
}

typedef struct update_job {
    train_run *r;
    double lr, factor;
} update_job;

static int64_t
n_numbers(const train_net *n)
{
    int64_t sum = 0;

    for (int i = 0; i < n->n_params; i++)
        sum += n->param[i].n;
    return sum;
}

/* Numbers lo .. hi-1 of all parameters. */
static void
update_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const update_job *j = arg;

    int64_t at = 0; /* of the parameter, in a row of all of them */

    (void)thread;
    for (int i = 0; i < j->r->net->n_params; i++) {
        train_param *p = &j->r->net->param[i];
        int64_t a = lo > at ? lo - at : 0, b = hi - at < p->n ? hi - at : p->n;
        if (p->trains && a < b)
            train_optim_step(&j->r->optim, j->r->step + 1, j->lr, j->factor, b - a, p->v + a,
                             p->g + a, j->r->m[i] + a, j->r->u[i] + a);
        at += p->n;
    }
}

static bool
out_of_time(const train_run *r)
{
    return r->time_limit > 0.0 && train_clock() - r->started >= r->time_limit;
}

/* The part that this process's samples have in the mean loss of the whole batch. */
static nashc_status
share_of(train_run *r, const nashc_task_case *c, const int32_t *target, int64_t n, double *share)
{
    *share = train_batch_share(&r->order, r->step);
    if (!r->ranks || !r->task->counted)
        return NASHC_OK;
    double mine = *share > 0.0 ? (double)r->task->counted(c, target, n) : 0.0, all = mine;
    train_ranks_sum_double(r->ranks, &all, 1);
    nashc_status s = train_ranks_wait(r->ranks, r->diag);
    *share = mine > 0.0 ? mine / all : 0.0;
    return s;
}

/* Loss of this process's samples and its gradient, as their share of the whole batch; what the step
 * counts sets out to the other ranks. */
static nashc_status
begin_sums(train_run *r, const int32_t *target, int64_t n)
{
    const train_slot *out = output(r);
    nashc_task_case c = train_case(nashc_value_type(out->value), r->images, r->smoothing);
    double mine = train_batch_share(&r->order, r->step) > 0.0 ? (double)n : 0.0, share;
    nashc_status s = share_of(r, &c, target, n, &share);

    if (s != NASHC_OK)
        return s;
    double loss = r->task->loss(&c, out->v, target, n, out->g);
    int64_t objects = 0;

    for (int64_t i = 0; share != 1.0 && i < n * out->count; i++)
        out->g[i] = (float)((double)out->g[i] * share);
    r->sum[TRAIN_SUM_LOSS] = share > 0.0 ? loss * share : 0.0;
    r->sum[TRAIN_SUM_RIGHT] =
        mine > 0.0 && r->task->right ? (double)r->task->right(&c, out->v, target, n) : 0.0;
    r->sum[TRAIN_SUM_SEEN] = mine;
    r->sum[TRAIN_SUM_LATE] = train_run_leads(r) && out_of_time(r);
    r->sum[TRAIN_SUM_HIDDEN] =
        mine > 0.0 && r->task->hidden ? (double)r->task->hidden(&c, target, n, &objects) : 0.0;
    r->sum[TRAIN_SUM_OBJECTS] = (double)objects;
    train_ranks_sum_double(r->ranks, r->sum, TRAIN_SUMS);
    return NASHC_OK;
}

/* After backward, when the sums over the ranks have arrived; what is not finite is the same on all
 * of them, so all end here. */
static nashc_status
take_sums(train_run *r, int64_t n, double *loss, double *norm)
{
    *loss = r->sum[TRAIN_SUM_LOSS];
    *norm = gradient_norm(r);
    if (!isfinite(*loss) || !isfinite(*norm)) {
        train_ranks_agreed(r->ranks); /* these are the same everywhere */
        return not_finite(r, isfinite(*loss) ? "gradient" : "loss", n);
    }
    r->loss_sum += *loss * r->sum[TRAIN_SUM_SEEN];
    r->right += (int64_t)r->sum[TRAIN_SUM_RIGHT];
    r->seen += (int64_t)r->sum[TRAIN_SUM_SEEN];
    r->objects += (int64_t)r->sum[TRAIN_SUM_OBJECTS];
    r->hidden += (int64_t)r->sum[TRAIN_SUM_HIDDEN];
    return NASHC_OK;
}

/* The order is that of the exchange: the loss sets out before backward, gradients during it, and
 * both are awaited before the update. The clip is by the norm over all parameters, hence a factor
 * for all. */
static nashc_status
one_step(train_run *r, const float *x, const int32_t *target, int64_t n)
{
    train_slot *in = train_net_slot(r->net, nashc_graph_input(r->net->graph, 0));
    update_job j = {.r = r, .lr = train_rate(&r->schedule, r->step / r->per_epoch)};
    double loss, norm;

    memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
    nashc_status s = train_net_forward(r->net, n, true);
    if (s == NASHC_OK)
        s = begin_sums(r, target, n);
    if (s == NASHC_OK)
        s = train_net_backward(r->net);
    if (s == NASHC_OK)
        s = take_sums(r, n, &loss, &norm);
    if (s != NASHC_OK)
        return s;
    if (r->step == 0 && *nashc_opts_str(r->opts, "dump-step"))
        s = train_dump_first(r, output(r)->v, n, loss, norm);
    j.factor = train_clip_factor(norm, r->clip);
    thread_pool_share(r->pool, n_numbers(r->net), update_part, &j);
    r->step++;
    return s;
}

/* --- epochs ---------------------------------------------------------------------------------- */

/* epoch counts from the step that has just been done. */
static nashc_status
add_row(train_run *r, double accuracy)
{
    double seconds = train_clock() - r->epoch_started;

    if (r->n_rows == r->cap_rows) {
        int64_t cap = r->cap_rows ? 2 * r->cap_rows : 64;
        train_row_values *grown = realloc(r->row, (size_t)cap * sizeof *grown);
        if (!grown)
            return nashc_enomem(r->diag);
        r->row = grown;
        r->cap_rows = cap;
    }
    int64_t epoch = (r->step - 1) / r->per_epoch;
    r->row[r->n_rows++] = (train_row_values){(double)r->step,
                                             (double)(epoch + 1),
                                             r->loss_sum / (double)r->seen,
                                             accuracy,
                                             train_rate(&r->schedule, epoch),
                                             (double)r->seen / fmax(seconds, 1e-9)};
    return NASHC_OK;
}

/* One line an epoch, for people; metrics.csv has the digits. */
static void
say(train_run *r)
{
    const train_row_values *v = &r->row[r->n_rows - 1];

    if (train_run_leads(r) && nashc_diag_verbosity(r->diag) >= 1)
        fprintf(stderr,
                "epoch %.0f: step %.0f, loss %.4f, %s %s %.2f %%, lr %.3g, "
                "%.0f images/s\n",
                v->epoch, v->step, v->loss, r->test ? "test" : "training",
                r->task->right ? "accuracy" : r->task->figure, 100.0 * v->accuracy, v->lr, v->rate);
}

/* The state of the whole folder. */
static nashc_status
save(train_run *r)
{
    nashc_status s = train_run_leads(r) ? train_write_metrics(r) : NASHC_OK;

    if (!train_run_leads(r))
        return s;
    if (s == NASHC_OK)
        s = train_write_model(r, "model.onnx");
    return s == NASHC_OK ? train_write_checkpoint(r) : s;
}

/* The figure of the task on those images: each rank counts its part, or, where parts cannot be
 * added up, all of them. */
static nashc_status
measure_on(train_run *r, const train_images *p, double *figure)
{
    const nashc_type *type = nashc_value_type(output(r)->value);
    train_count k;
    train_order o = r->order;
    int64_t n;

    o.images = p;
    if (!r->task->sums) {
        o.part = o.parts = 0;
        o.batch = r->net->max_batch;
    }
    nashc_status s = train_count_begin(&k, r->task, type, p, false, r->diag);
    if (s == NASHC_OK)
        s = train_count_net(r->net, &o, &k);
    if (s == NASHC_OK && r->task->sums) {
        double *sums = r->task->sums(k.state, &n);
        train_ranks_sum_double(r->ranks, sums, n);
        s = train_ranks_wait(r->ranks, r->diag);
    }
    *figure = s == NASHC_OK ? r->task->value(k.state, NULL, NULL) : 0.0;
    train_count_end(&k);
    return s;
}

/* On the test images; without such, on those of training as they were in the epoch so far, or as
 * they are. */
static nashc_status
measure(train_run *r, double *figure)
{
    double began = train_clock();
    nashc_status s = NASHC_OK;

    *figure = (double)r->right / (double)r->seen;
    if (r->test || !r->task->right)
        s = measure_on(r, r->test ? r->test : r->images, figure);
    r->epoch_started += train_clock() - began; /* this does not count */
    return s;
}

/* Sums of the epoch start anew, here and not at the begin of the next one, as a checkpoint between
 * would hold them. */
static nashc_status
end_epoch(train_run *r)
{
    double accuracy;
    nashc_status s = measure(r, &accuracy);

    if (s == NASHC_OK)
        s = add_row(r, accuracy);
    if (s != NASHC_OK)
        return s;
    say(r);
    if (accuracy > r->best) {
        r->best = accuracy;
        s = train_run_leads(r) ? train_write_best(r) : NASHC_OK;
    }
    if (r->n_rows == 1 && train_run_leads(r)) /* once is enough */
        train_say_hidden(r->task, r->hidden, r->objects, "the first epoch", r->diag);
    r->loss_sum = 0.0;
    r->seen = r->right = r->objects = r->hidden = 0;
    r->epoch_started = train_clock();
    return s;
}

/* The run ends inside an epoch: the row is for reading only, so that going on gives what a run
 * without the break gives. */
static nashc_status
end_inside(train_run *r)
{
    double accuracy;
    nashc_status s = save(r);

    if (s == NASHC_OK)
        s = measure(r, &accuracy);
    if (s == NASHC_OK)
        s = add_row(r, accuracy);
    if (s != NASHC_OK)
        return s;
    say(r);
    if (!train_run_leads(r))
        return s;
    if (r->best < 0.0)
        s = train_write_best(r);
    return s == NASHC_OK ? train_write_metrics(r) : s;
}

/* After a step: what is due. */
static nashc_status
after_step(train_run *r, bool last)
{
    bool epoch_ends = r->step % r->per_epoch == 0;
    nashc_status s = epoch_ends ? end_epoch(r) : NASHC_OK;

    if (s == NASHC_OK && last && !epoch_ends)
        return end_inside(r);
    if (s == NASHC_OK && (last || (r->save_every ? r->step % r->save_every == 0 : epoch_ends)))
        s = save(r);
    return s;
}

/* Another rank is gone: what was reached is kept, as it was before the step that did not end. */
static nashc_status
save_after_loss(train_run *r)
{
    train_exchange_undo(r->exchange);
    if (!train_run_leads(r))
        return NASHC_OK;
    nashc_status s = train_write_checkpoint(r);
    if (s == NASHC_OK)
        nashc_remark(r->diag, NULL, "checkpoint.npz is of step %" PRId64, r->step);
    return s;
}

bool
train_run_leads(const train_run *r)
{
    return train_ranks_rank(r->ranks) == 0;
}

/* The feed reads ahead, so it begins at the step that the checkpoint says. A limit of time is told
 * by the first rank with the sums, so that all ranks stop after the same step. */
nashc_status
train_run_loop(train_run *r)
{
    const float *x;
    const int32_t *target;
    int64_t n, from = r->step;
    nashc_status s = NASHC_OK;

    r->epoch_started = train_clock();
    if (r->seen > 0 && r->step % r->per_epoch == 0) /* a rank was lost at the end of an epoch */
        s = after_step(r, r->step >= r->n_steps);
    if (s != NASHC_OK || r->step >= r->n_steps)
        return s == NASHC_OK ? save(r) : s;
    train_feed *f = train_feed_start(&r->order, r->step, r->n_steps);
    if (!f)
        return nashc_enomem(r->diag);
    s = train_exchange_create(r->ranks, r->net, &r->exchange, r->diag);
    while (s == NASHC_OK && (n = train_feed_next(f, &x, &target)) > 0) {
        if (train_run_leads(r))
            train_progress(r->diag, "steps", r->step, r->n_steps, from);
        s = one_step(r, x, target, n);
        bool late = r->sum[TRAIN_SUM_LATE] != 0.0 && r->step < r->n_steps;
        if (s == NASHC_OK)
            s = after_step(r, late || r->step == r->n_steps);
        if (late && train_run_leads(r))
            nashc_remark(r->diag, NULL, "the time limit is reached at step %" PRId64, r->step);
        if (late)
            break;
    }
    if (train_run_leads(r))
        train_progress(r->diag, "steps", r->n_steps, r->n_steps, from);
    if (s == NASHC_OK)
        s = train_feed_fault(f, r->diag);
    train_feed_stop(f);
    if (train_ranks_lost(r->ranks))
        save_after_loss(r);
    return s;
}
