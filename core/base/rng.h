/* rng.h: the one random number generator; same seed, same numbers, on any machine. */
#ifndef NASHC_BASE_RNG_H
#define NASHC_BASE_RNG_H

#include <nashc/base.h>

typedef struct nashc_rng {
    uint64_t s[4];
} nashc_rng; /* xoshiro256**, seeded by splitmix64 */

void nashc_rng_seed(nashc_rng *r, uint64_t seed);
uint64_t nashc_rng_u64(nashc_rng *r);
int64_t nashc_rng_range(nashc_rng *r, int64_t lo, int64_t hi); /* uniform, both ends included */
double nashc_rng_unit(nashc_rng *r);                           /* [0, 1), 53 bits */

#endif
