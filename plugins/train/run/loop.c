/* loop.c: steps of training, epochs, checkpoints. */
#include "plugins/train/net/loss.h"
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

static double
gradient_norm(const train_run *r)
{
    double sum = 0.0;

    for (int i = 0; i < r->net->n_params; i++)
        if (r->net->param[i].trains)
            sum += train_square_sum(r->net->param[i].g, r->net->param[i].n);
    return sqrt(sum);
}

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

static void
count_right(train_run *r, const int32_t *label, int64_t n, double loss)
{
    train_score s = {0};

    train_score_add(&s, output(r)->v, label, n, output(r)->count, 0.0);
    r->loss_sum += loss * (double)n;
    r->right += s.top1;
    r->seen += n;
}

static nashc_status
one_step(train_run *r, const float *x, const int32_t *label, int64_t n)
{
    train_slot *in = train_net_slot(r->net, nashc_graph_input(r->net->graph, 0));
    update_job j = {.r = r, .lr = train_rate(&r->schedule, r->step / r->per_epoch)};

    memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
    nashc_status s = train_net_forward(r->net, n, true);
    if (s != NASHC_OK)
        return s;
    double loss =
        train_cross_entropy(output(r)->v, label, n, output(r)->count, r->smoothing, output(r)->g);
    if (!isfinite(loss))
        return not_finite(r, "loss", n);
    count_right(r, label, n, loss);
    s = train_net_backward(r->net);
    if (s != NASHC_OK)
        return s;
    double norm = gradient_norm(r);
    if (!isfinite(norm))
        return not_finite(r, "gradient", n);
    if (r->step == 0 && *nashc_opts_str(r->opts, "dump-step"))
        s = train_dump_first(r, output(r)->v, n, loss, norm);
    j.factor = train_clip_factor(norm, r->clip);
    train_pool_run(r->pool, n_numbers(r->net), update_part, &j);
    r->step++;
    return s;
}

/* --- epochs ---------------------------------------------------------------------------------- */

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

static void
say(train_run *r)
{
    const train_row_values *v = &r->row[r->n_rows - 1];

    if (nashc_diag_verbosity(r->diag) >= 1)
        fprintf(stderr,
                "epoch %.0f: step %.0f, loss %.4f, %s accuracy %.2f %%, lr %.3g, "
                "%.0f images/s\n",
                v->epoch, v->step, v->loss, r->test ? "test" : "training", 100.0 * v->accuracy,
                v->lr, v->rate);
}

/* The state of the whole folder. */
static nashc_status
save(train_run *r)
{
    nashc_status s = train_write_metrics(r);

    if (s == NASHC_OK)
        s = train_write_model(r, "model.onnx");
    return s == NASHC_OK ? train_write_checkpoint(r) : s;
}

/* Accuracy on the test images, or on those of training so far. */
static nashc_status
measure(train_run *r, double *accuracy)
{
    train_score score = {0};
    train_order o = r->order;
    double began = train_clock();
    nashc_status s = NASHC_OK;

    *accuracy = (double)r->right / (double)r->seen;
    if (!r->test)
        return NASHC_OK;
    o.images = r->test;
    s = train_score_net(r->net, &o, &score);
    *accuracy = score.n ? (double)score.top1 / (double)score.n : 0.0;
    r->epoch_started += train_clock() - began; /* the test does not count */
    return s;
}

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
        s = train_write_best(r);
    }
    r->loss_sum = 0.0;
    r->seen = r->right = 0;
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
    if (r->best < 0.0)
        s = train_write_best(r);
    return s == NASHC_OK ? train_write_metrics(r) : s;
}

static bool
out_of_time(const train_run *r)
{
    return r->time_limit > 0.0 && train_clock() - r->started >= r->time_limit;
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

nashc_status
train_run_loop(train_run *r)
{
    const float *x;
    const int32_t *label;
    int64_t n, from = r->step;
    nashc_status s = NASHC_OK;

    if (r->step >= r->n_steps)
        return save(r);
    train_feed *f = train_feed_start(&r->order, r->step, r->n_steps);
    if (!f)
        return nashc_enomem(r->diag);
    r->epoch_started = train_clock();
    while (s == NASHC_OK && (n = train_feed_next(f, &x, &label)) > 0) {
        train_progress(r->diag, "steps", r->step, r->n_steps, from);
        s = one_step(r, x, label, n);
        bool late = out_of_time(r) && r->step < r->n_steps;
        if (s == NASHC_OK)
            s = after_step(r, late || r->step == r->n_steps);
        if (late) {
            nashc_remark(r->diag, NULL, "the time limit is reached at step %" PRId64, r->step);
            break;
        }
    }
    train_progress(r->diag, "steps", r->n_steps, r->n_steps, from);
    train_feed_stop(f);
    return s;
}
