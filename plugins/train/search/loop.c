/* loop.c: steps of a search: probabilities on one half of the images, weights on the other.
 *
 * The draw of an edge is a function of seed, step, phase and edge, so that all ranks of a run, and
 * a run that goes on, draw alike. */
#include "plugins/train/net/loss.h"
#include "plugins/train/search/gates.h"
#include "plugins/train/search/search.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHTS, ALPHA };

/* --- probabilities --------------------------------------------------------------------------- */

double
search_probabilities(search_run *r)
{
    int n = r->space.n_ops;
    double sum = 0.0;

    for (int e = 0; e < r->space.n_edges; e++) {
        search_softmax(r->alpha + e * n, n, r->p + e * n);
        sum += search_entropy(r->p + e * n, n);
    }
    return sum / r->space.n_edges;
}

/* The upper 53 bits, a number of [0, 1). */
static double
place_of(const search_run *r, int64_t step, int phase, int edge, int which)
{
    uint64_t seed = (uint64_t)nashc_opts_int(r->opts, "seed") + (1u << 20);

    return (double)(train_random(seed, 2 * (uint64_t)step + (uint64_t)phase,
                                 4 * (uint64_t)edge + (uint64_t)which) >>
                    11) *
           0x1p-53;
}

/* asked: the candidates that run beside the active one, whose gates get gradients. compat_bn: all
 * of them, as in the published searches, which moved the running values of all. */
static void
draw_gates(search_run *r, int phase)
{
    int n = r->space.n_ops;

    search_probabilities(r);
    for (int e = 0; e < r->space.n_edges; e++) {
        train_choice *c = &r->net->choice[e];
        const double *p = r->p + e * n;
        double u[3];
        for (int k = 0; k < 3; k++)
            u[k] = place_of(r, r->step, phase, e, k);
        c->asked = 0;
        if (phase == ALPHA && r->method == SEARCH_TWO_PATH && n > 1) {
            c->active = r->pair[e][search_draw_pair(p, n, u, r->pair[e])];
            c->asked = (uint64_t)1 << r->pair[e][0] | (uint64_t)1 << r->pair[e][1];
        } else {
            c->active = search_draw(p, n, u[0]);
            if (phase == ALPHA || r->compat_bn)
                c->asked = ~(uint64_t)0;
        }
    }
}

/* One source a step, each as likely, and one of the candidates that the version allows there. */
void
search_draw_genotype(const search_run *r, uint64_t key, search_pick *out)
{
    int at = 0;

    for (int g = 0; g < r->space.n_groups; g++) {
        const search_group *p = &r->space.group[g];
        for (int i = 0; i < p->steps; i++, at++)
            search_draw_step(r, key, g, i, at, &out[at]);
    }
}

/* try: a source may allow nothing at all, then another one is drawn; check_steps made sure that one
 * does. */
void
search_draw_step(const search_run *r, uint64_t key, int g, int i, int at, search_pick *out)
{
    const search_group *p = &r->space.group[g];
    int allowed[SEARCH_MAX_OPS], n = 0;

    for (int try = 0; n == 0; try++) {
        out->source = (int)(train_random(key, (uint64_t)at, 2 * (uint64_t)try) % (uint64_t)(i + 1));
        for (int k = 0; k < r->space.n_ops; k++)
            if (search_allowed(r->space.geno->version, p->stride, out->source, r->kind[k]) &&
                !(r->space.barred[search_edge(p, i, out->source)] >> k & 1u))
                allowed[n++] = k;
    }
    out->op = allowed[train_random(key, (uint64_t)at, 1) % (uint64_t)n];
}

/* -1: the edge is closed. */
void
search_set_picks(search_run *r, const search_pick *pick)
{
    for (int e = 0; e < r->space.n_edges; e++)
        r->net->choice[e].active = -1;
    for (int e = 0; e < r->space.n_edges; e++)
        r->net->choice[e].asked = 0;
    for (int g = 0; g < r->space.n_groups; g++)
        for (int i = 0; i < r->space.group[g].steps; i++, pick++)
            r->net->choice[search_edge(&r->space.group[g], i, pick->source)].active = pick->op;
}

/* --- budget ---------------------------------------------------------------------------------- */

/* passes: 2 for data only (forward, gradient of data), 3 with gradients of weights. Candidates that
 * were merely asked ran forward. */
void
search_count(search_run *r, double images, double passes)
{
    double macs = r->base_macs * passes;

    for (int e = 0; e < r->space.n_edges; e++) {
        const train_choice *c = &r->net->choice[e];
        for (int k = 0; k < c->n; k++) {
            double one = r->edge_macs[e * r->space.n_ops + k];
            macs += k == c->active ? passes * one : c->asked >> k & 1u ? one : 0.0;
        }
    }
    r->macs += images * macs;
}

/* --- one step -------------------------------------------------------------------------------- */

static nashc_status
not_finite(search_run *r, const char *what, int64_t n)
{
    const char *name = train_net_not_finite(r->net, n);

    train_ranks_agreed(r->ranks); /* it is so everywhere */
    nashc_error(r->diag, NULL, "step %" PRId64 ": the %s is not finite; first such tensor: \"%s\"",
                r->step + 1, what, name ? name : what);
    nashc_help(r->diag, "a smaller --lr, or --clip; checkpoint.npz is of an earlier step");
    return NASHC_EINPUT;
}

static bool
out_of_time(const search_run *r)
{
    double limit = nashc_opts_float(r->opts, "time-limit");

    return limit > 0.0 && train_clock() - r->started >= limit;
}

/* Loss of this process's samples and its gradient, as their share of the whole batch; what is
 * counted sets out to the other ranks, and is there after backward. */
static void
begin_sums(search_run *r, int phase, const int32_t *label, int64_t n)
{
    train_slot *y = &r->net->slot[r->net->output];
    double share = train_batch_share(&r->order[phase], r->step), mine = share > 0.0 ? (double)n : 0;
    double loss = train_cross_entropy(y->v, label, n, y->count, 0.0, y->g);
    train_score score = {0};

    for (int64_t i = 0; share != 1.0 && i < n * y->count; i++)
        y->g[i] = (float)((double)y->g[i] * share);
    train_score_add(&score, y->v, label, n, y->count);
    r->sum[TRAIN_SUM_LOSS] = mine > 0.0 ? loss * mine : 0.0;
    r->sum[TRAIN_SUM_RIGHT] = mine > 0.0 ? (double)score.top1 : 0.0;
    r->sum[TRAIN_SUM_SEEN] = mine;
    r->sum[TRAIN_SUM_LATE] = search_leads(r) && out_of_time(r);
    train_ranks_sum_double(r->ranks, r->sum, TRAIN_SUMS);
}

static nashc_status
take_sums(search_run *r, int phase, int64_t n)
{
    if (!isfinite(r->sum[TRAIN_SUM_LOSS]))
        return not_finite(r, phase == ALPHA ? "loss of the gates" : "loss", n);
    r->loss[phase] += r->sum[TRAIN_SUM_LOSS];
    r->seen[phase] += (int64_t)r->sum[TRAIN_SUM_SEEN];
    r->right[phase] += (int64_t)r->sum[TRAIN_SUM_RIGHT];
    search_count(r, r->sum[TRAIN_SUM_SEEN], phase == ALPHA ? 2.0 : 3.0);
    return NASHC_OK;
}

/* Forward and backward of one batch; the loss counts for the epoch. */
static nashc_status
pass(search_run *r, int phase, const float *x, const int32_t *label, int64_t n)
{
    train_net *net = r->net;
    train_slot *in = train_net_slot(net, nashc_graph_input(net->graph, 0));

    memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
    net->data_only = phase == ALPHA;
    net->choice_momentum = r->compat_bn ? net->bn_momentum : 0.0;
    nashc_status s = train_net_forward(net, n, true);
    if (s != NASHC_OK)
        return s;
    begin_sums(r, phase, label, n);
    s = train_net_backward(net);
    if (s == NASHC_OK && phase == ALPHA)
        s = search_sum_gates(r);
    return s == NASHC_OK ? take_sums(r, phase, n) : s;
}

/* 0 at the first step, 1 at the last: weights of costs may grow on the way. */
double
search_cost_weight(const search_run *r, int64_t step)
{
    int64_t all = r->schedule.epochs * r->per_epoch; /* as without --steps */

    return all > 1 ? (double)step / (double)(all - 1) : 0.0;
}

static void
cost_gradient(search_run *r, int e)
{
    int n = r->space.n_ops;
    double cost[SEARCH_MAX_OPS], part = search_cost_weight(r, r->step);

    for (int k = 0; k < n; k++)
        cost[k] = search_cost_of(&r->costs, e, k, n, part);
    search_cost_gradient(r->p + e * n, cost, 1.0, n, r->dalpha + e * n);
}

/* Barred candidates stay where they are. */
static void
keep_barred(search_run *r)
{
    for (int i = 0; i < r->n_alpha; i++)
        if (r->space.barred[i / r->space.n_ops] >> (i % r->space.n_ops) & 1u) {
            r->alpha[i] = SEARCH_BARRED;
            r->alpha_m[i] = r->alpha_u[i] = 0.0f;
        }
}

/* With two paths alpha is updated edge by edge, as only two entries of each have moments to move;
 * else all at once. */
static nashc_status
step_alpha(search_run *r)
{
    int n = r->space.n_ops;
    int64_t step = r->step - r->warmup + 1;

    memset(r->dalpha, 0, (size_t)r->n_alpha * sizeof *r->dalpha);
    for (int e = 0; e < r->space.n_edges; e++) {
        const double *dgate = r->net->choice[e].dgate;
        float *d = r->dalpha + e * n, *a = r->alpha + e * n;
        if (r->method == SEARCH_TWO_PATH && n > 1)
            search_pair_gradient(a, dgate, r->pair[e], d);
        else
            search_gate_gradient(r->p + e * n, dgate, n, d);
        if (r->costs.any)
            cost_gradient(r, e);
        if (r->method == SEARCH_TWO_PATH && n > 1)
            search_pair_step(&r->alpha_optim, step, r->alpha_lr, r->pair[e], a, d,
                             r->alpha_m + e * n, r->alpha_u + e * n);
    }
    if (r->method != SEARCH_TWO_PATH)
        train_optim_step(&r->alpha_optim, step, r->alpha_lr, 1.0, r->n_alpha, r->alpha, r->dalpha,
                         r->alpha_m, r->alpha_u);
    keep_barred(r);
    for (int i = 0; i < r->n_alpha; i++)
        if (!isfinite(r->alpha[i])) {
            train_ranks_agreed(r->ranks);
            return nashc_error(r->diag, NULL, "step %" PRId64 ": alpha of edge %d is not finite",
                               r->step + 1, i / n);
        }
    return NASHC_OK;
}

typedef struct update_job {
    search_run *r;
    double lr, factor;
} update_job;

/* By parameters, as the supernet has many of like size. */
static void
update_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const update_job *j = arg;

    (void)thread;
    for (int64_t i = lo; i < hi; i++) {
        train_param *p = &j->r->net->param[i];
        if (p->trains)
            train_optim_step(&j->r->optim, j->r->step + 1, j->lr, j->factor, p->n, p->v, p->g,
                             j->r->m[i], NULL);
    }
}

static nashc_status
step_weights(search_run *r, int64_t n)
{
    update_job j = {.r = r, .lr = train_rate(&r->schedule, r->step / r->per_epoch)};
    double sum = 0.0;

    for (int i = 0; i < r->net->n_params; i++)
        if (r->net->param[i].trains)
            sum += train_square_sum(r->net->param[i].g, r->net->param[i].n);
    if (!isfinite(sum))
        return not_finite(r, "gradient", n);
    j.factor = train_clip_factor(sqrt(sum), r->clip);
    thread_pool_share(r->pool, r->net->n_params, update_part, &j);
    return NASHC_OK;
}

static bool
learns_gates(const search_run *r)
{
    return r->method == SEARCH_GATES || r->method == SEARCH_TWO_PATH;
}

static void
draw_for_weights(search_run *r)
{
    search_pick pick[SEARCH_MAX_STEPS];

    if (learns_gates(r)) {
        draw_gates(r, WEIGHTS);
    } else {
        search_draw_genotype(r, train_random(r->order[0].seed, 79, (uint64_t)r->step), pick);
        search_set_picks(r, pick);
    }
}

/* Both phases; alpha's batch is fed along with that of the weights. */
static nashc_status
one_step(search_run *r, train_feed **feed)
{
    const float *x[2];
    const int32_t *label[2];
    int64_t n[2];
    nashc_status s = NASHC_OK;

    for (int k = 0; s == NASHC_OK && k < 2; k++)
        if ((n[k] = train_feed_next(feed[k], &x[k], &label[k])) < 0)
            s = train_feed_fault(feed[k], r->diag);
    search_keep(r);
    if (s == NASHC_OK && learns_gates(r) && r->step >= r->warmup) {
        draw_gates(r, ALPHA);
        s = pass(r, ALPHA, x[ALPHA], label[ALPHA], n[ALPHA]);
        if (s == NASHC_OK)
            s = step_alpha(r);
    }
    if (s == NASHC_OK) {
        draw_for_weights(r);
        s = pass(r, WEIGHTS, x[WEIGHTS], label[WEIGHTS], n[WEIGHTS]);
    }
    if (s == NASHC_OK)
        s = step_weights(r, n[WEIGHTS]);
    search_undo(r);
    r->step += s == NASHC_OK;
    return s;
}

/* --- epochs ---------------------------------------------------------------------------------- */

nashc_status
search_derive_all(const search_run *r, const float *alpha, search_pick *out)
{
    for (int g = 0; g < r->space.n_groups; g++) {
        const search_group *p = &r->space.group[g];
        search_rule rule = search_rule_of(r->space.geno->version, p->stride, r->compat_v3);
        if (!search_derive(rule, alpha + p->first_edge * r->space.n_ops, p->steps, r->space.n_ops,
                           r->kind, out))
            return nashc_error(r->diag, NULL,
                               "group %d has a step for which no primitive is allowed", g);
        out += p->steps;
    }
    return NASHC_OK;
}

/* 0 where nothing but skips and pools is searched: then they cannot crowd anything out. */
double
search_skips(const search_run *r, const search_pick *pick)
{
    int skips = 0, steps = 0;
    bool other = false;

    for (int k = 0; k < r->space.n_ops; k++)
        other |= r->kind[k] == SEARCH_CONV || r->kind[k] == SEARCH_OTHER;
    for (int i = 0; i < r->n_steps_all; i++, steps++)
        skips += strcmp(r->space.op[pick[i].op].name, "skip_connect") == 0;
    return other && steps ? (double)skips / steps : 0.0;
}

#define TOO_MANY_SKIPS 0.5

/* Skips learn fastest and then crowd out what has weights: Zela et al., "Understanding and
 * Robustifying Differentiable Architecture Search" (2020). */
static void
watch_skips(search_run *r, double skips)
{
    if (skips <= TOO_MANY_SKIPS || r->warned)
        return;
    r->warned = true;
    if (!search_leads(r))
        return;
    nashc_warning(r->diag, NULL, "search-skips",
                  "step %" PRId64 ": skip_connect is the choice of %.0f %% of the steps: it crowds "
                  "out what has weights",
                  r->step, 100.0 * skips);
    nashc_help(r->diag,
               "--warmup lets weights learn first; a smaller --arch-lr; --version v4, which "
               "has no skips");
    nashc_diag_flush(r->diag);
}

/* Of the probabilities as they are: what a genotype drawn from them costs on average. */
static double
expected_cost(const search_run *r)
{
    double sum = 0.0, part = search_cost_weight(r, r->step - 1);
    int n = r->space.n_ops;

    for (int i = 0; r->costs.any && i < r->n_alpha; i++)
        sum += r->p[i] * search_cost_of(&r->costs, i / n, i % n, n, part);
    return sum;
}

static bool
add_row(search_run *r, const search_row *row)
{
    if (r->n_rows == r->cap_rows) {
        int64_t cap = r->cap_rows ? 2 * r->cap_rows : 64;
        search_row *grown = realloc(r->row, (size_t)cap * sizeof *grown);
        if (!grown)
            return false;
        r->row = grown;
        r->cap_rows = cap;
    }
    r->row[r->n_rows++] = *row;
    return true;
}

static void
say(const search_run *r)
{
    const search_row *v = &r->row[r->n_rows - 1];

    if (nashc_diag_verbosity(r->diag) < 1)
        return;
    fprintf(stderr, "epoch %.0f: step %.0f, loss %.4f, accuracy %.2f %%", v->epoch, v->step,
            v->loss_weights, 100.0 * v->accuracy_weights);
    if (learns_gates(r))
        fprintf(stderr, "; gates: loss %.4f, accuracy %.2f %%, entropy %.3f, skips %.0f %%",
                v->loss_alpha, 100.0 * v->accuracy_alpha, v->entropy, 100.0 * v->skips);
    if (r->costs.any)
        fprintf(stderr, ", cost %.4g", v->cost);
    fprintf(stderr, ", %.0f images/s\n", v->rate);
}

static double
mean(double sum, int64_t n)
{
    return n ? sum / (double)n : 0.0;
}

static nashc_status
end_epoch(search_run *r)
{
    search_pick pick[SEARCH_MAX_STEPS];
    double seconds = train_clock() - r->epoch_started;
    int64_t epoch = (r->step - 1) / r->per_epoch;
    search_row row = {.step = (double)r->step,
                      .epoch = (double)epoch + 1,
                      .loss_weights = mean(r->loss[WEIGHTS], r->seen[WEIGHTS]),
                      .loss_alpha = mean(r->loss[ALPHA], r->seen[ALPHA]),
                      .accuracy_weights = mean((double)r->right[WEIGHTS], r->seen[WEIGHTS]),
                      .accuracy_alpha = mean((double)r->right[ALPHA], r->seen[ALPHA]),
                      .entropy = search_probabilities(r),
                      .cost = expected_cost(r),
                      .lr = train_rate(&r->schedule, epoch),
                      .macs = r->macs,
                      .rate = (double)(r->seen[WEIGHTS] + r->seen[ALPHA]) / fmax(seconds, 1e-9)};
    nashc_status s = search_derive_all(r, r->alpha, pick);

    if (s != NASHC_OK)
        return s;
    row.skips = learns_gates(r) ? search_skips(r, pick) : 0.0;
    memcpy(r->kept + r->n_kept * r->n_alpha, r->alpha, (size_t)r->n_alpha * sizeof(float));
    r->kept_step[r->n_kept++] = r->step;
    if (!add_row(r, &row))
        return nashc_enomem(r->diag);
    say(r);
    watch_skips(r, row.skips);
    r->loss[0] = r->loss[1] = 0.0;
    r->seen[0] = r->seen[1] = r->right[0] = r->right[1] = 0;
    r->epoch_started = train_clock();
    return NASHC_OK;
}

static nashc_status
save(search_run *r)
{
    nashc_status s = search_leads(r) ? search_write_log(r) : NASHC_OK;

    return s == NASHC_OK && search_leads(r) ? search_write_checkpoint(r) : s;
}

/* After a step: what is due. A run that ends inside an epoch has a row for reading only, so that
 * going on gives what a run without the break gives. */
static nashc_status
after_step(search_run *r, bool late)
{
    bool epoch = r->step % r->per_epoch == 0, last = r->step == r->n_steps;
    nashc_status s = epoch ? end_epoch(r) : NASHC_OK;

    if (s == NASHC_OK && (epoch || last || late || (r->save_every && r->step % r->save_every == 0)))
        s = save(r);
    if (s == NASHC_OK && last && !epoch)
        s = end_epoch(r);
    return s == NASHC_OK && last && search_leads(r) ? search_write_log(r) : s;
}

nashc_status
search_loop(search_run *r)
{
    int64_t from = r->step;
    train_feed *feed[2] = {NULL, NULL};
    nashc_status s = NASHC_OK;

    if (r->step >= r->n_steps)
        return NASHC_OK;
    for (int k = 0; k < 2; k++)
        if (!(feed[k] = train_feed_start(&r->order[k], r->step, r->n_steps)))
            s = nashc_enomem(r->diag);
    r->epoch_started = train_clock();
    while (s == NASHC_OK && r->step < r->n_steps) {
        train_progress(r->diag, "steps", r->step, r->n_steps, from);
        s = one_step(r, feed);
        bool late = s == NASHC_OK && r->sum[TRAIN_SUM_LATE] != 0.0 && r->step < r->n_steps;
        if (s == NASHC_OK)
            s = after_step(r, late);
        if (late && search_leads(r))
            nashc_remark(r->diag, NULL, "the time limit is reached at step %" PRId64, r->step);
        if (late)
            break;
    }
    train_progress(r->diag, "steps", r->n_steps, r->n_steps, from);
    train_feed_stop(feed[0]);
    train_feed_stop(feed[1]);
    return s;
}
