/* kernel.c: the inner loops in vectors of the compiler's own kind; built once for every instruction
 * set, with KERNEL its name and WIDTH the floats of a vector. Products and sums are fused here
 * (-ffp-contract=fast): results differ between instruction sets in the last bits. */
#include "plugins/train/lanes/kernel.h"
#include "plugins/train/lanes/vec.h"
#if defined(__AVX512VNNI__) || defined(__AVX2__) && WIDTH == 8
#define CODES
#include <immintrin.h>
#endif

#define PAIR (2 * WIDTH) /* lanes of a pass */

/* Weight k of row i is at i * row + k * next. */
ALWAYS void
mac_rows(const train_mac *a, const int rows, int64_t row, int64_t next, int64_t lane)
{
    vec s[TRAIN_MAC_ROWS][2];

    for (int i = 0; i < rows; i++) {
        const mem *y = (const mem *)(a->y + i * a->y_step + lane);
        const float b = a->bias ? a->bias[i] : 0.0f;
        s[i][0] = s[i][1] = b + (vec){0};
        if (a->add) {
            s[i][0] = y[0];
            s[i][1] = y[1];
        }
    }
    for (int64_t r = 0; r < a->n_row; r++)
        for (int64_t q = 0; q < a->n_col; q++) {
            const float *x = a->x + (a->row[r].at + a->col[q].at + lane);
            const float *w = a->w + (a->row[r].tap + a->col[q].tap) * a->depth * rows;
            for (int64_t k = 0; k < a->depth; k++, x += a->x_step, w += next) {
                const vec x0 = ((const mem *)x)[0], x1 = ((const mem *)x)[1];
                for (int i = 0; i < rows; i++) {
                    s[i][0] += w[i * row] * x0;
                    s[i][1] += w[i * row] * x1;
                }
            }
        }
    for (int i = 0; i < rows; i++) {
        mem *y = (mem *)(a->y + i * a->y_step + lane);
        y[0] = s[i][0];
        y[1] = s[i][1];
    }
}

/* A number of rows that the compiler knows. */
#define EACH_PASS(function, a)                                                                     \
    for (int64_t lane = 0; lane < TRAIN_LANES; lane += PAIR)                                       \
        switch ((a)->rows) {                                                                       \
        case 1:                                                                                    \
            function(a, 1, lane);                                                                  \
            break;                                                                                 \
        case 2:                                                                                    \
            function(a, 2, lane);                                                                  \
            break;                                                                                 \
        case 3:                                                                                    \
            function(a, 3, lane);                                                                  \
            break;                                                                                 \
        case 4:                                                                                    \
            function(a, 4, lane);                                                                  \
            break;                                                                                 \
        case 5:                                                                                    \
            function(a, 5, lane);                                                                  \
            break;                                                                                 \
        case 6:                                                                                    \
            function(a, 6, lane);                                                                  \
            break;                                                                                 \
        case 7:                                                                                    \
            function(a, 7, lane);                                                                  \
            break;                                                                                 \
        default:                                                                                   \
            function(a, TRAIN_MAC_ROWS, lane);                                                     \
            break;                                                                                 \
        }

ALWAYS void
mac_packed(const train_mac *a, const int rows, int64_t lane)
{
    mac_rows(a, rows, 1, rows, lane);
}

static void
mac(const train_mac *a){EACH_PASS(mac_packed, a)}

ALWAYS void mac_apart(const train_mac *a, const int rows, int64_t lane)
{
    mac_rows(a, rows, a->w_step, 1, lane);
}

static void
mac_lines(const train_mac *a)
{
    EACH_PASS(mac_apart, a)
}

/* --- words -----------------------------------------------------------------------------------
 */

#if defined(CODES)
typedef int32_t words __attribute__((vector_size(WIDTH * 4)));
typedef int32_t word_mem __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t one __attribute__((may_alias));

/* s + what words of x and the word w give. */
typedef words product(words s, words x, int32_t w);

/* Rows of sums of products of words: start + times * those, as reals; no start is 0 where times
 * is 1. add and times are constants of the caller, into which all is built. */
ALWAYS void
word_rows(const train_mac *a, const int rows, int64_t lane, product *add, const int32_t times)
{
    const bool early = times == 1; /* sums begin with it, which takes no addition */
    words s[TRAIN_MAC_ROWS][2];

    for (int i = 0; i < rows; i++)
        s[i][0] = s[i][1] = (early && a->start ? a->start[i] : 0) + (words){0};
    for (int64_t r = 0; r < a->n_row; r++)
        for (int64_t q = 0; q < a->n_col; q++) {
            const float *x = a->x + (a->row[r].at + a->col[q].at + lane);
            const one *w = (const one *)(a->w + (a->row[r].tap + a->col[q].tap) * a->depth * rows);
            for (int64_t k = 0; k < a->depth; k++, x += a->x_step, w += rows) {
                const words x0 = ((const word_mem *)x)[0], x1 = ((const word_mem *)x)[1];
                for (int i = 0; i < rows; i++) {
                    s[i][0] = add(s[i][0], x0, w[i]);
                    s[i][1] = add(s[i][1], x1, w[i]);
                }
            }
        }
    for (int i = 0; i < rows; i++) {
        mem *y = (mem *)(a->y + i * a->y_step + lane);
        const float b = a->bias ? a->bias[i] : 0.0f, f = a->factor[i];
        const int32_t start = early ? 0 : a->start[i];
        y[0] = __builtin_convertvector(start + times * s[i][0], vec) * f + b;
        y[1] = __builtin_convertvector(start + times * s[i][1], vec) * f + b;
    }
}

/* s + the four products of bytes of each word: unsigned ones of x, signed ones of w. */
ALWAYS words
fours(words s, words x, int32_t w)
{
    const words all = w + (words){0};

#if defined(__AVX512VNNI__)
    return (words)_mm512_dpbusd_epi32((__m512i)s, (__m512i)x, (__m512i)all);
#elif defined(__AVXVNNI__)
    return (words)_mm256_dpbusd_avx_epi32((__m256i)s, (__m256i)x, (__m256i)all);
#else /* sums of two in 16 bits, which train_kernel.two_codes keeps from saturating; then of those \
       */
    const __m256i twos = _mm256_maddubs_epi16((__m256i)x, (__m256i)all);
    return s + (words)_mm256_madd_epi16(twos, _mm256_set1_epi16(1));
#endif
}

ALWAYS void
code_rows(const train_mac *a, const int rows, int64_t lane)
{
    word_rows(a, rows, lane, fours, 1);
}

static void
mac_codes(const train_mac *a)
{
    EACH_PASS(code_rows, a)
}
#else
#define mac_codes NULL
#endif

#if defined(__AVX512VPOPCNTDQ__)
/* s + the number of bits in which the words of x and w differ. */
ALWAYS words
differing(words s, words x, int32_t w)
{
    return s + (words)_mm512_popcnt_epi32((__m512i)(x ^ w));
}

/* Signs as bits: each that differs takes 2 from the number of all. */
ALWAYS void
sign_rows(const train_mac *a, const int rows, int64_t lane)
{
    word_rows(a, rows, lane, differing, -2);
}

static void
mac_signs(const train_mac *a)
{
    EACH_PASS(sign_rows, a)
}
#else
#define mac_signs NULL
#endif

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define TWO_CODES INT32_MAX
#else
#define TWO_CODES INT16_MAX
#endif

/* --- dot products ---------------------------------------------------------------------------- */

/* Adds the sum of the elements of each vector of a tile. */
ALWAYS void
add_sums(vec *s, float *sum)
{
    UNROLL
    for (int n = TRAIN_DOT_SIZE; n > TRAIN_DOT_SIZE / WIDTH; n /= 2)
        UNROLL
    for (int i = 0; i < n / 2; i++)
        s[i] = FIRST(s[2 * i], s[2 * i + 1]) + SECOND(s[2 * i], s[2 * i + 1]);
    for (int i = 0; i < TRAIN_DOT_SIZE / WIDTH; i++)
        ((mem *)sum)[i] += s[i];
}

ALWAYS void
dot_tile(const train_dot *a, const int rows, const int columns, float *sum)
{
    vec s[TRAIN_DOT_SIZE];

    UNROLL
    for (int i = 0; i < TRAIN_DOT_SIZE; i++)
        s[i] = (vec){0};
    for (int64_t p = 0; p < a->n_meet; p++) {
        const float *y = a->y + a->meet[p].y, *x = a->x + a->meet[p].x;
        for (int64_t k = 0; k < a->meet[p].n; k++, y += a->y_next, x += a->x_next)
            for (int64_t lane = 0; lane < TRAIN_LANES; lane += WIDTH) {
                vec u[TRAIN_DOT_TILE];
                for (int j = 0; j < columns; j++)
                    u[j] = *(const mem *)(x + j * a->x_step + lane);
                for (int i = 0; i < rows; i++) {
                    const vec v = *(const mem *)(y + i * a->y_step + lane);
                    for (int j = 0; j < columns; j++)
                        s[i * TRAIN_DOT_TILE + j] += v * u[j];
                }
            }
    }
    add_sums(s, sum);
}

#define COLUMNS(rows)                                                                              \
    (a->columns == 1   ? dot_tile(a, rows, 1, sum)                                                 \
     : a->columns == 2 ? dot_tile(a, rows, 2, sum)                                                 \
     : a->columns == 3 ? dot_tile(a, rows, 3, sum)                                                 \
                       : dot_tile(a, rows, 4, sum))

static void
dot(const train_dot *a, float *sum)
{
    if (a->rows == 1)
        COLUMNS(1);
    else if (a->rows == 2)
        COLUMNS(2);
    else if (a->rows == 3)
        COLUMNS(3);
    else
        COLUMNS(4);
}

extern const train_tiles JOIN(train_tiles_, KERNEL);
extern const train_kernel JOIN(train_kernel_, KERNEL);
const train_kernel JOIN(train_kernel_,
                        KERNEL) = {NAME(KERNEL), mac,       mac_lines, dot,
                                   mac_codes,    TWO_CODES, mac_signs, &JOIN(train_tiles_, KERNEL)};
