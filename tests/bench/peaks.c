/* peaks.c: what this processor does at most in one thread, from registers: Gop/s of processor time,
 * 2 a multiply-add, of popcounts of products of bits, dot products of bytes, look-ups, and
 * multiply-adds of floats (fused) and of doubles (not fused, as sums in double are defined). */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define TURNS 20000000

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Twelve independent chains hide the latency of any of them. */
#define CHAINS(TYPE, START, STEP)                                                                  \
    TYPE a0 = START, a1 = START, a2 = START, a3 = START, a4 = START, a5 = START, a6 = START,       \
         a7 = START, a8 = START, a9 = START, aa = START, ab = START;                               \
    double start = now();                                                                          \
    for (long i = 0; i < TURNS; i++) {                                                             \
        a0 = STEP(a0), a1 = STEP(a1), a2 = STEP(a2), a3 = STEP(a3), a4 = STEP(a4), a5 = STEP(a5);  \
        a6 = STEP(a6), a7 = STEP(a7), a8 = STEP(a8), a9 = STEP(a9), aa = STEP(aa), ab = STEP(ab);  \
        __asm__ volatile("" : KEEP(a0), KEEP(a1), KEEP(a2), KEEP(a3), KEEP(a4), KEEP(a5));         \
        __asm__ volatile("" : KEEP(a6), KEEP(a7), KEEP(a8), KEEP(a9), KEEP(aa), KEEP(ab));         \
    }                                                                                              \
    double seconds = now() - start

#ifdef __AVX512F__
#define KEEP(x) "+v"(x)
#else
#define KEEP(x) "+r"(x)
#endif

static double
popcount_peak(void)
{
#ifdef __AVX512VPOPCNTDQ__
    __m512i x = _mm512_set1_epi32(0x5a5a1234);
#define POP(a) _mm512_add_epi32(a, _mm512_popcnt_epi32(_mm512_xor_si512(a, x)))
    CHAINS(__m512i, x, POP);
    return 12.0 * 512 * 2 * TURNS / seconds * 1e-9;
#else
#define POP(a) ((a) + (uint64_t)__builtin_popcountll((a) ^ 0x5a5a1234))
    CHAINS(uint64_t, 1, POP);
    return 12.0 * 64 * 2 * TURNS / seconds * 1e-9;
#endif
}

static double
bytes_peak(void)
{
#ifdef __AVX512VNNI__
    __m512i x = _mm512_set1_epi32(0x01020304);
#define BYTES(a) _mm512_dpbusd_epi32(a, x, x)
    CHAINS(__m512i, x, BYTES);
    return 12.0 * 64 * 2 * TURNS / seconds * 1e-9;
#else
    return 0;
#endif
}

static double
doubles_peak(void)
{
#ifdef __AVX512F__
    __m512d x = _mm512_set1_pd(1.0);
#define DOUBLES(a) _mm512_add_pd(a, _mm512_mul_pd(a, x))
    CHAINS(__m512d, x, DOUBLES);
    return 12.0 * 8 * 2 * TURNS / seconds * 1e-9;
#else
    return 0;
#endif
}

/* 4 inputs of a byte each by weights of 1 bit: a table of 16 sums in two halves, 4 adds and 4
 * multiplications for two look-ups; adding up is left out. */
static double
tables_peak(void)
{
#ifdef __AVX512BW__
    __m512i x = _mm512_set1_epi32(0x01020304);
#define TABLE(a) _mm512_shuffle_epi8(x, a)
    CHAINS(__m512i, x, TABLE);
    return 12.0 * 64 * 8 / 2 * TURNS / seconds * 1e-9;
#else
    return 0;
#endif
}

static double
floats_peak(void)
{
#ifdef __AVX512F__
    __m512 x = _mm512_set1_ps(1.0f);
#define FLOATS(a) _mm512_fmadd_ps(a, x, x)
    CHAINS(__m512, x, FLOATS);
    return 12.0 * 16 * 2 * TURNS / seconds * 1e-9;
#else
    return 0;
#endif
}

int
main(void)
{
    printf("bits %.0f\nbytes %.0f\ntables %.0f\nfloats %.0f\ndoubles %.0f\n", popcount_peak(),
           bytes_peak(), tables_peak(), floats_peak(), doubles_peak());
    return 0;
}
