/* rng.c: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. */
#include "core/base/rng.h"

static uint64_t
rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* Any seed will do, 0 included: splitmix64 makes four words that are not all 0. */
void
nashc_rng_seed(nashc_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        r->s[i] = z ^ z >> 31;
    }
}

uint64_t
nashc_rng_u64(nashc_rng *r)
{
    uint64_t out = rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return out;
}

int64_t
nashc_rng_range(nashc_rng *r, int64_t lo, int64_t hi)
{
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1, limit, v;

    /* lo..hi is all of int64_t */
    if (!span)
        return (int64_t)nashc_rng_u64(r);
    limit = UINT64_MAX - UINT64_MAX % span; /* no modulo bias */
    do
        v = nashc_rng_u64(r);
    while (v >= limit);
    return (int64_t)((uint64_t)lo + v % span);
}

/* 53 bits: each value of [0, 1) that is a multiple of 2^-53, alike. */
double
nashc_rng_unit(nashc_rng *r)
{
    return (double)(nashc_rng_u64(r) >> 11) * 0x1p-53;
}
