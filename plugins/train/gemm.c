/* gemm.c: matrix products by OpenBLAS, one thread a call: the loops around them are divided.
 *
 * The library is opened when training begins, so that other commands do not wait for it. Left to
 * itself it starts threads, and old versions take new processors for ancient ones. */
#include "plugins/train/gemm.h"
#include <dlfcn.h>
#include <stdlib.h>

#define LIBRARY "libopenblas.so.0"

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 }; /* of the C interface of BLAS */

typedef void sgemm_fn(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                      const float *a, int lda, const float *b, int ldb, float beta, float *c,
                      int ldc);
typedef char *text_fn(void);

static sgemm_fn *sgemm;
static text_fn *config, *corename;

static void (*symbol(void *so, const char *name))(void)
{
    union { /* ISO C has no conversion from object to function pointer */
        void *object;
        void (*fn)(void);
    } s = {dlsym(so, name)};

    return s.fn;
}

/* What the user set stays. */
static void
choose_kernel(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
#endif
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

nashc_status
train_gemm_setup(nashc_diag *d)
{
    if (sgemm)
        return NASHC_OK;
    choose_kernel();
    void *so = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!so) {
        nashc_io_error(d, NULL, "training needs OpenBLAS (%s), which is not installed", LIBRARY);
        nashc_help(d, "apt-get install libopenblas0");
        return NASHC_EIO;
    }
    config = (text_fn *)symbol(so, "openblas_get_config");
    corename = (text_fn *)symbol(so, "openblas_get_corename");
    sgemm = (sgemm_fn *)symbol(so, "cblas_sgemm");
    if (!sgemm)
        return nashc_io_error(d, NULL, "%s has no cblas_sgemm", LIBRARY);
    return NASHC_OK;
}

void
train_gemm(int64_t m, int64_t n, int64_t k, train_matrix a, train_matrix b, bool add, float *y,
           int64_t y_stride)
{
    sgemm(ROW_MAJOR, a.transposed ? TRANS : NO_TRANS, b.transposed ? TRANS : NO_TRANS, (int)m,
          (int)n, (int)k, 1.0f, a.data, (int)a.stride, b.data, (int)b.stride, add ? 1.0f : 0.0f, y,
          (int)y_stride);
}

const char *
train_gemm_library(void)
{
    return config ? config() : "";
}

const char *
train_gemm_kernel(void)
{
    return corename ? corename() : "";
}
