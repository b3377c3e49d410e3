/* gates.h: probabilities of candidates, what is drawn from them, and how they are learned. */
#ifndef SEARCH_GATES_H
#define SEARCH_GATES_H

#include "plugins/train/optim/optim.h"

/* p = softmax(alpha), n entries, in double. */
void search_softmax(const float *alpha, int n, double *p);

/* The entry at place u, 0 <= u < 1, of the sums of p. */
int search_draw(const double *p, int n, double u);

/* Two entries drawn without replacement, and which of the two, 0 or 1, is taken; u: three places.
 * n >= 2. */
int search_draw_pair(const double *p, int n, const double *u, int *pair);

/* dL/dalpha_i += sum_j dL/dg_j p_j (delta_ij - p_i): Cai, Zhu and Han, "ProxylessNAS" (2019). */
void search_gate_gradient(const double *p, const double *dgate, int n, float *dalpha);

/* The same for two candidates alone, p renormalised over them. */
void search_pair_gradient(const float *alpha, const double *dgate, const int *pair, float *dalpha);

/* Value of lambda sum_k p_k cost_k; adds its gradient to dalpha. */
double search_cost_gradient(const double *p, const double *cost, double lambda, int n,
                            float *dalpha);

/* A step of the optimiser on the two entries of a pair, then both moved so that the probabilities
 * of all others stay as they were. m and u as of train_optim_step. */
void search_pair_step(const train_optim *o, int64_t step, double lr, const int *pair, float *alpha,
                      const float *dalpha, float *m, float *u);

/* In nats, of n entries. */
double search_entropy(const double *p, int n);

#endif
