/* kernel.c: the inner loops in vectors of the compiler's own kind; built once for every instruction
 * set, with KERNEL its name and WIDTH the floats of a vector. Products and sums are fused here
 * (-ffp-contract=fast): results differ between instruction sets in the last bits. */
#include "plugins/train/lanes/kernel.h"
#include <string.h>

typedef float vec __attribute__((vector_size(WIDTH * 4)));
typedef float mem __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias)); /* anywhere */

#define ALWAYS static inline __attribute__((always_inline))
#define PAIR   (2 * WIDTH) /* lanes of a pass */

ALWAYS void
mac_rows(const train_mac *a, const int rows, int64_t lane)
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
            for (int64_t k = 0; k < a->depth; k++, x += a->x_step, w += rows) {
                const vec x0 = ((const mem *)x)[0], x1 = ((const mem *)x)[1];
                for (int i = 0; i < rows; i++) {
                    s[i][0] += w[i] * x0;
                    s[i][1] += w[i] * x1;
                }
            }
        }
    for (int i = 0; i < rows; i++) {
        mem *y = (mem *)(a->y + i * a->y_step + lane);
        y[0] = s[i][0];
        y[1] = s[i][1];
    }
}

static void
mac(const train_mac *a)
{
    for (int64_t lane = 0; lane < TRAIN_LANES; lane += PAIR)
        switch (a->rows) {
        case 1:
            mac_rows(a, 1, lane);
            break;
        case 2:
            mac_rows(a, 2, lane);
            break;
        case 3:
            mac_rows(a, 3, lane);
            break;
        case 4:
            mac_rows(a, 4, lane);
            break;
        case 5:
            mac_rows(a, 5, lane);
            break;
        case 6:
            mac_rows(a, 6, lane);
            break;
        case 7:
            mac_rows(a, 7, lane);
            break;
        default:
            mac_rows(a, TRAIN_MAC_ROWS, lane);
            break;
        }
}

ALWAYS void
dot_tile(const train_dot *a, const int rows, const int columns, float *sum)
{
    vec s[TRAIN_DOT_TILE][TRAIN_DOT_TILE];

    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            s[i][j] = (vec){0};
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
                        s[i][j] += v * u[j];
                }
            }
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            float part[WIDTH], all = 0.0f;
            memcpy(part, &s[i][j], sizeof part);
            for (int step = WIDTH / 2; step > 0; step /= 2)
                for (int k = 0; k < step; k++)
                    part[k] += part[k + step];
            all = part[0];
            sum[i * TRAIN_DOT_TILE + j] += all;
        }
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

#define NAME_OF(kernel) #kernel
#define NAME(kernel)    NAME_OF(kernel)
#define JOIN_OF(a, b)   a##b
#define JOIN(a, b)      JOIN_OF(a, b)

extern const train_kernel JOIN(train_kernel_, KERNEL);
const train_kernel JOIN(train_kernel_, KERNEL) = {NAME(KERNEL), mac, dot};
