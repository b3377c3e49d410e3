/* planes.h: small integers as bits: which planes, and what each is worth. */
#ifndef CPU_PLANES_H
#define CPU_PLANES_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_MAX_PLANES 4
#define CPU_MAX_TERMS  16

/* x = lo + step * u, u of planes bits: bit i of u is plane i. */
typedef struct cpu_code {
    int64_t lo, step;
    int planes;
} cpu_code;

/* w, which has few values, as bits v_j:
 *   exclusive: w = unit * (2 v_0 - 1); products are counted by x ^ v
 *   else:      w = unit * sum of worth[j] * v_j; by x & v */
typedef struct cpu_weight_code {
    bool exclusive;
    int64_t unit, worth[CPU_MAX_PLANES];
    int planes;
} cpu_weight_code;

/* One popcount: plane x of the input against plane w of the weights; worth: its factor. In
 * descending order of size each worth is a multiple of the next. */
typedef struct cpu_term {
    int x, w;
    int64_t worth;
} cpu_term;

/* Code of an operand with values in lo..hi; of bipolar ones (no zero wanted) one plane. planes is 0
 * where there are more than CPU_MAX_PLANES. */
cpu_code cpu_code_of(int64_t lo, int64_t hi, bool bipolar);

/* Code of n weights w[i]; planes is 0 where they need too many. */
cpu_weight_code cpu_weight_code_of(const int64_t *w, int64_t n);

/* Bit j of weight v in code c. */
bool cpu_weight_bit(const cpu_weight_code *c, int64_t v, int j);

/* The popcounts whose sum, weighted, is the product; returns how many. */
int cpu_terms_of(const cpu_code *x, const cpu_weight_code *w, cpu_term *t);

/* sum of x w over a row = factor * (sum of worth * popcount) + constant, for a row of weights with
 * the given sum and number of set bits in plane 0. */
void cpu_terms_affine(const cpu_code *x, const cpu_weight_code *w, int64_t sum, int64_t ones,
                      int64_t *factor, int64_t *constant);

#endif
