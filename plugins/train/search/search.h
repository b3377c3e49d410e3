/* search.h: a search: what it was asked for, its state, and its folder. */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include "plugins/train/run/run.h"
#include "plugins/train/search/cost.h"
#include "plugins/train/search/derive.h"

typedef enum search_method {
    SEARCH_GATES,    /* gradients of all gates */
    SEARCH_TWO_PATH, /* of two gates an edge */
    SEARCH_RANDOM,   /* the best of genotypes drawn at random, in a supernet trained on such ones */
    SEARCH_EVOLUTION, /* the same, but later ones are changed from good ones */
    SEARCH_SAMPLE     /* one genotype drawn at random, nothing trained */
} search_method;

/* A row of log.csv. */
typedef struct search_row {
    double step, epoch, loss_weights, loss_alpha, accuracy_weights, accuracy_alpha, entropy, cost,
        skips, lr, macs, rate;
} search_row;
#define SEARCH_ROW_NUMBERS 12

/* A genotype that was ranked. */
typedef struct search_ranked {
    search_pick pick[256]; /* of all steps, group after group */
    double accuracy, cost, fitness;
} search_ranked;
#define SEARCH_MAX_STEPS 256 /* of all groups */

typedef struct search_before search_before; /* ranks.c */

typedef struct search_run {
    nashc_ctx *ctx;
    nashc_diag *diag;
    const nashc_opts *opts;
    nashc_arena *arena;
    const char *folder, *data_text;
    double started;

    train_ranks *ranks; /* NULL: one process */
    train_exchange *exchange;
    double sum[TRAIN_SUMS]; /* of a pass, over all ranks */
    search_before *before;  /* the step that is on its way, where there are several ranks */

    search_method method;
    bool compat_v3, compat_bn; /* the defect of v3's rule; running values as published */
    search_space space;
    search_kind kind[SEARCH_MAX_OPS];
    int n_steps_all; /* steps of all groups: picks of a genotype */

    /* data: the first half trains weights, the second probabilities */
    train_images *images, half[2];
    train_order order[2];
    int64_t per_epoch, n_steps, save_every, warmup; /* steps */

    /* supernet */
    nashc_module *module;
    thread_pool *pool;
    train_net *net;
    train_optim optim;
    train_schedule schedule;
    double clip;
    float **m; /* velocity, by parameter */

    /* probabilities: [edge][candidate] */
    train_optim alpha_optim;
    double alpha_lr;
    float *alpha, *dalpha, *alpha_m, *alpha_u;
    int n_alpha;
    double *p;          /* of alpha as it is */
    int (*pair)[2];     /* two-path: of each edge, drawn for this step */
    search_costs costs; /* of candidates; n_kinds 0: none are asked for */

    /* state */
    int64_t step;                 /* done */
    uint64_t identity;            /* of what is searched and how */
    double macs;                  /* spent so far */
    double base_macs, *edge_macs; /* of one image: backbone; each candidate, forward */

    /* of the current epoch */
    double loss[2];
    int64_t seen[2], right[2];
    double epoch_started;
    bool warned;

    search_row *row;
    int64_t n_rows, cap_rows;
    float *kept; /* alpha after each epoch */
    int64_t *kept_step, n_kept;

    search_ranked *ranked;
    int64_t n_ranked, n_candidates;
    search_pick best[SEARCH_MAX_STEPS];
} search_run;

/* setup.c: the space, data, supernet and state from the options. */
nashc_status search_setup_space(search_run *r, int c, int h, int w, int classes);
nashc_status search_setup(search_run *r);
const char *search_primitives_of(const char *version);

/* ranks.c: several processes that do the same on their parts of the batches. */
bool search_leads(const search_run *r); /* this process writes files, and tells of the search */
nashc_status search_ranks_setup(search_run *r);

/* Gradients of gates become their sums over all ranks. */
nashc_status search_sum_gates(search_run *r);

/* What a step changes before its last sum is there: kept, and taken back if a rank is lost. */
void search_keep(search_run *r);
void search_undo(search_run *r);

/* Another rank is lost: the first one writes down what was reached. */
nashc_status search_save_after_loss(search_run *r);

/* loop.c: trains the supernet and its probabilities; from r->step. */
nashc_status search_loop(search_run *r);

/* Probabilities and mean entropy of alpha as it is. */
double search_probabilities(search_run *r);

/* How far, 0 to 1, the weights of costs have gone from the first to the last at a step. */
double search_cost_weight(const search_run *r, int64_t step);

/* Have all epochs been done? A search that --steps ends earlier leaves the checkpoint of its last
 * step, so that it can go on. */
static inline bool
search_is_whole(const search_run *r)
{
    return r->step == r->schedule.epochs * r->per_epoch || r->method == SEARCH_SAMPLE;
}

/* The genotype of alpha by the rules of the version. */
nashc_status search_derive_all(const search_run *r, const float *alpha, search_pick *out);

/* Takes the candidates of a genotype, and nothing on all other edges. */
void search_set_picks(search_run *r, const search_pick *pick);

/* A genotype that the version allows, as a function of key: all its steps; step i of group g, which
 * is step `at` of all. */
void search_draw_genotype(const search_run *r, uint64_t key, search_pick *out);
void search_draw_step(const search_run *r, uint64_t key, int g, int i, int at, search_pick *out);

/* Adds to r->macs what `images` images cost forward (`passes` 1) and back (3) as gates are. */
void search_count(search_run *r, double images, double passes);

/* rank.c: genotypes compared in the supernet, each with statistics of batch normalisation of its
 * own; r->best is the best of them, or the one that the rule gives. */
nashc_status search_rank(search_run *r);

/* Running values of all batch normalisations, search_n_running of them, to a copy or back. */
int64_t search_n_running(const search_run *r);
void search_copy_running(search_run *r, float *copy, bool back);

/* Which share of the genotype's steps, where something else is possible, has no parameters. */
double search_skips(const search_run *r, const search_pick *pick);

/* folder.c */
nashc_status search_write_checkpoint(search_run *r);
nashc_status search_read_checkpoint(search_run *r);
nashc_status search_write_log(search_run *r);
nashc_status search_write_alphas(search_run *r);
nashc_status search_write_manifest(search_run *r, bool done);
nashc_status search_write_genotype(search_run *r, const search_pick *pick, const char *stem);
nashc_genotype *search_genotype(const search_run *r, const search_pick *pick, nashc_arena *a);
const char *search_inside(const search_run *r, const char *name);

/* picture.c */
nashc_status search_write_cell(search_run *r, const char *path);
nashc_status search_write_curves(search_run *r, const char *path);

#endif
