/* optim.h: what moves parameters along their gradients. */
#ifndef TRAIN_OPTIM_H
#define TRAIN_OPTIM_H

#include <nashc/op.h>

typedef enum train_optim_kind { TRAIN_ADAM, TRAIN_ADAMW, TRAIN_SGD } train_optim_kind;

typedef struct train_optim {
    train_optim_kind kind;
    double beta1, beta2, eps; /* Adam */
    double momentum;          /* SGD */
    double decay;             /* adam, sgd: L2, added to the gradient; adamw: decoupled */
    bool nesterov;
} train_optim;

/* One step, number `step` from 1, on n entries. m and u are the optimiser's state, 0 at the start:
 * Adam's two moments; m the velocity of SGD, u not used. Gradients are multiplied by `factor`
 * first. Arithmetic in double, state in float. */
void train_optim_step(const train_optim *o, int64_t step, double lr, double factor, int64_t n,
                      float *p, const float *g, float *m, float *u);

/* Norm of n entries, squared, in double. */
double train_square_sum(const float *g, int64_t n);

/* min(1, max / (norm + 1e-6)); max 0: no clipping, 1. */
double train_clip_factor(double norm, double max);

typedef enum train_schedule_kind { TRAIN_CONST, TRAIN_STEP, TRAIN_COSINE } train_schedule_kind;

typedef struct train_schedule {
    train_schedule_kind kind;
    double lr, lr_min; /* lr_min: cosine's end */
    double gamma;      /* step: factor every `period` epochs */
    int64_t period, epochs;
    int64_t warmup; /* epochs in which the rate grows in even steps; 0: none */
} train_schedule;

/* Rate of an epoch from 0. Cosine: epoch e uses t = e + 1. */
double train_rate(const train_schedule *s, int64_t epoch);

#endif
