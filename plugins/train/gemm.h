/* gemm.h: the one place that knows which library multiplies matrices. */
#ifndef TRAIN_GEMM_H
#define TRAIN_GEMM_H

#include <nashc/diag.h>

/* A row-major matrix: row i begins at data + i * stride; transposed: used as its transpose. */
typedef struct train_matrix {
    const float *data;
    int64_t stride;
    bool transposed;
} train_matrix;

/* Before the first product. EIO: the library is not there; the message says which package has it.
 */
nashc_status train_gemm_setup(nashc_diag *d);

/* y[m][n] = a[m][k] b[k][n], added to what y holds if `add`; y has rows of y_stride. May be called
 * from several threads at a time. The same operands give the same bits, whichever thread asks. */
void train_gemm(int64_t m, int64_t n, int64_t k, train_matrix a, train_matrix b, bool add, float *y,
                int64_t y_stride);

/* Library and kernel, for the record of a run. */
const char *train_gemm_library(void);
const char *train_gemm_kernel(void);

#endif
