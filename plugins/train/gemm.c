/* gemm.c: matrix products by OpenBLAS, one thread a call: the loops around them are divided. */
#include "gemm.h"
#include <cblas.h>

void
train_gemm_setup(void)
{
    openblas_set_num_threads(1);
}

void
train_gemm(int64_t m, int64_t n, int64_t k, train_matrix a, train_matrix b, bool add, float *y,
           int64_t y_stride)
{
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                b.transposed ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1.0f, a.data,
                (int)a.stride, b.data, (int)b.stride, add ? 1.0f : 0.0f, y, (int)y_stride);
}

const char *
train_gemm_library(void)
{
    return openblas_get_config();
}

const char *
train_gemm_kernel(void)
{
    return openblas_get_corename();
}
