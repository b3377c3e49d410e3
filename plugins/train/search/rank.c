/* rank.c: genotypes compared in the supernet: batch normalisation measures each one's own
 * statistics anew, then its accuracy is that on images of the half that trained the gates.
 *
 * random and evolution may spend what gates would have spent on its architecture steps. Evolution
 * is the regularised one of Real et al. (2019): the best of some of the last ones, one step
 * changed.
 */
#include "plugins/train/search/search.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10000, POPULATION = 50 };

/* --- one genotype ---------------------------------------------------------------------------- */

void
search_copy_running(search_run *r, float *copy, bool back)
{
    for (int i = 0; i < r->net->n_params; i++) {
        train_param *p = &r->net->param[i];
        if (p->trains)
            continue;
        memcpy(back ? p->v : copy, back ? copy : p->v, (size_t)p->n * sizeof(float));
        copy += p->n;
    }
}

int64_t
search_n_running(const search_run *r)
{
    int64_t n = 1;

    for (int i = 0; i < r->net->n_params; i++)
        n += r->net->param[i].trains ? 0 : r->net->param[i].n;
    return n;
}

static train_order
plain(const search_run *r, const train_images *images)
{
    train_order o = r->order[0];

    o.images = images;
    o.shuffle = o.augment = false;
    return o;
}

/* The mean of the statistics of some batches. */
static nashc_status
measure_statistics(search_run *r)
{
    train_order o = plain(r, &r->half[0]);
    int64_t batches = nashc_opts_int(r->opts, "bn-batches"), n, done = 0, images;
    double momentum = r->net->bn_momentum;
    const float *x;
    const int32_t *label;
    train_slot *in = train_net_slot(r->net, nashc_graph_input(r->net->graph, 0));

    batches = batches < train_batches(&o) ? batches : train_batches(&o);
    images = batches * o.batch < o.images->n ? batches * o.batch : o.images->n;
    train_feed *f = train_feed_start(&o, 0, batches);
    nashc_status s = f ? NASHC_OK : nashc_enomem(r->diag);

    while (s == NASHC_OK && (n = train_feed_next(f, &x, &label)) > 0) {
        memcpy(in->v, x, (size_t)(n * in->count) * sizeof(float));
        r->net->bn_momentum = 1.0 / (double)++done;
        s = train_net_forward(r->net, n, true);
    }
    r->net->bn_momentum = momentum;
    if (s == NASHC_OK && f)
        s = train_feed_fault(f, r->diag);
    train_feed_stop(f);
    search_count(r, (double)images, 1.0);
    return s == NASHC_OK ? train_exchange_running(r->exchange) : s;
}

static int64_t
n_images(const search_run *r)
{
    int64_t wanted = nashc_opts_int(r->opts, "rank-images");

    return wanted < r->half[1].n ? wanted : r->half[1].n;
}

static double
cost_of(const search_run *r, const search_pick *pick)
{
    double sum = 0.0;

    for (int g = 0; r->costs.any && g < r->space.n_groups; g++)
        for (int i = 0; i < r->space.group[g].steps; i++, pick++)
            sum += search_cost_of(&r->costs, search_edge(&r->space.group[g], i, pick->source),
                                  pick->op, r->space.n_ops, 1.0);
    return sum;
}

/* Of all ranks. */
static nashc_status
sum_scores(search_run *r, train_score *s)
{
    double sum[2] = {(double)s->top1, (double)s->n};

    train_ranks_sum_double(r->ranks, sum, 2);
    nashc_status status = train_ranks_wait(r->ranks, r->diag);
    s->top1 = (int64_t)sum[0];
    s->n = (int64_t)sum[1];
    return status;
}

static nashc_status
evaluate(search_run *r, search_ranked *c)
{
    train_images some = r->half[1];
    train_score score = {0};
    float *copy = malloc((size_t)search_n_running(r) * sizeof *copy);

    if (!copy)
        return nashc_enomem(r->diag);
    some.n = n_images(r);
    train_order o = plain(r, &some);
    search_set_picks(r, c->pick);
    search_copy_running(r, copy, false);
    nashc_status s = measure_statistics(r);
    if (s == NASHC_OK)
        s = train_score_net(r->net, &o, &score);
    search_count(r, (double)some.n, 1.0);
    search_copy_running(r, copy, true);
    free(copy);
    if (s == NASHC_OK)
        s = sum_scores(r, &score);
    c->accuracy = score.n ? (double)score.top1 / (double)score.n : 0.0;
    c->cost = cost_of(r, c->pick);
    c->fitness = c->accuracy - c->cost;
    return s;
}

/* --- which ones ------------------------------------------------------------------------------ */

/* Multiply-accumulates forward of an image in the mean genotype, and with all candidates. */
static void
mean_macs(const search_run *r, double *one, double *sampled, double *all)
{
    *one = *sampled = r->base_macs;
    *all = 0.0;
    for (int g = 0; g < r->space.n_groups; g++) {
        const search_group *p = &r->space.group[g];
        for (int i = 0; i < p->steps; i++)
            for (int j = 0; j <= i; j++)
                for (int k = 0; k < r->space.n_ops; k++) {
                    double m = r->edge_macs[search_edge(p, i, j) * r->space.n_ops + k];
                    *all += m;
                    *sampled += m / r->space.n_ops;
                    *one += m / r->space.n_ops / (i + 1);
                }
    }
}

/* As many as cost what the architecture steps of gates would have cost. */
static int64_t
affordable(const search_run *r)
{
    double one, sampled, all;
    int64_t bn = nashc_opts_int(r->opts, "bn-batches") * r->order[0].batch;

    mean_macs(r, &one, &sampled, &all);
    double budget = (double)((r->n_steps - r->warmup) * r->order[1].batch) *
                    (2.0 * sampled + all * (1.0 - 1.0 / r->space.n_ops));
    double n = budget / (one * (double)(n_images(r) + (bn < r->half[0].n ? bn : r->half[0].n)));
    return n < 1.0 ? 1 : n > MOST ? MOST : (int64_t)n;
}

/* From the probabilities: source and candidate of a step together. */
static void
draw_likely(const search_run *r, uint64_t key, search_pick *out)
{
    int n = r->space.n_ops;

    for (int g = 0, at = 0; g < r->space.n_groups; g++)
        for (int i = 0; i < r->space.group[g].steps; i++, at++) {
            const search_group *p = &r->space.group[g];
            double sum = 0.0, u = (double)(train_random(key, (uint64_t)at, 0) >> 11) * 0x1p-53;
            for (int look = 0; look < 2; look++) {
                double place = u * sum, so_far = 0.0;
                for (int e = 0; e < (i + 1) * n; e++) {
                    double q = r->p[search_edge(p, i, 0) * n + e];
                    if (!search_allowed(r->space.geno->version, p->stride, e / n, r->kind[e % n]))
                        continue;
                    if (look && so_far <= place && q > 0.0)
                        out[at] = (search_pick){e % n, e / n};
                    so_far += q;
                }
                sum = so_far;
            }
        }
}

static uint64_t
key_of(const search_run *r, int64_t i, uint64_t what)
{
    return train_random(r->order[0].seed, 80 + what, (uint64_t)i);
}

/* One step changed of the best of some of the last ones. */
static void
evolve(const search_run *r, int64_t i, int64_t population, search_pick *out)
{
    const search_ranked *parent = NULL;
    int64_t rivals = population / 4 > 2 ? population / 4 : 2;

    for (int64_t t = 0; t < rivals; t++) {
        int64_t back =
            (int64_t)(train_random(key_of(r, i, 1), 0, (uint64_t)t) % (uint64_t)population);
        const search_ranked *c = &r->ranked[i - 1 - back];
        parent = !parent || c->fitness > parent->fitness ? c : parent;
    }
    memcpy(out, parent->pick, sizeof parent->pick);
    int change = (int)(train_random(key_of(r, i, 2), 0, 0) % (uint64_t)r->n_steps_all);
    for (int g = 0, at = 0; g < r->space.n_groups; g++)
        for (int k = 0; k < r->space.group[g].steps; k++, at++) {
            search_pick before = out[at];
            for (uint64_t try = 0; at == change && try < 8 && before.op == out[at].op &&
                                   before.source == out[at].source;
                 try++)
                search_draw_step(r, key_of(r, i, 3 + try), g, k, at, &out[at]);
        }
}

static nashc_status
propose(search_run *r, int64_t i, search_pick *out)
{
    int64_t population = r->n_candidates / 4;

    population = population < 4 ? 4 : population > POPULATION ? POPULATION : population;
    if (r->method == SEARCH_GATES || r->method == SEARCH_TWO_PATH) {
        if (i == 0)
            return search_derive_all(r, r->alpha, out);
        draw_likely(r, key_of(r, i, 0), out);
    } else if (r->method == SEARCH_EVOLUTION && i >= population) {
        evolve(r, i, population, out);
    } else {
        search_draw_genotype(r, key_of(r, i, 0), out);
    }
    return NASHC_OK;
}

/* What v3's published rule gives may hold steps without a branch. */
nashc_status
search_rank(search_run *r)
{
    int64_t asked = nashc_opts_int(r->opts, "candidates"), from = r->n_ranked, best = 0;
    bool gates = r->method == SEARCH_GATES || r->method == SEARCH_TWO_PATH;
    nashc_status s = NASHC_OK;

    r->n_candidates = gates                        ? asked + 1
                      : r->method == SEARCH_SAMPLE ? 1
                      : asked                      ? asked
                                                   : affordable(r);
    r->ranked = realloc(r->ranked, (size_t)(r->n_candidates + from) * sizeof *r->ranked);
    if (!r->ranked)
        return nashc_enomem(r->diag);
    search_probabilities(r);
    while (s == NASHC_OK && r->n_ranked < r->n_candidates) {
        search_ranked *c = &r->ranked[r->n_ranked];
        *c = (search_ranked){.accuracy = NAN, .fitness = NAN};
        train_progress(r->diag, "genotypes", r->n_ranked, r->n_candidates, from);
        s = propose(r, r->n_ranked, c->pick);
        if (s == NASHC_OK && r->method != SEARCH_SAMPLE)
            s = evaluate(r, c);
        r->n_ranked += s == NASHC_OK;
        if (s == NASHC_OK && r->n_ranked % 32 == 0 && search_is_whole(r) && search_leads(r))
            s = search_write_checkpoint(r);
    }
    train_progress(r->diag, "genotypes", r->n_candidates, r->n_candidates, from);
    for (int64_t i = 1; s == NASHC_OK && i < r->n_ranked; i++)
        best = r->ranked[i].fitness > r->ranked[best].fitness ? i : best;
    if (s == NASHC_OK)
        memcpy(r->best, r->ranked[best].pick, sizeof r->best);
    return s;
}
