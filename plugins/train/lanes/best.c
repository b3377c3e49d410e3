/* best.c: which of the built kernels this processor can run. */
#include "plugins/train/lanes/kernel.h"

extern const train_kernel train_kernel_base;
#if defined(TRAIN_KERNELS_X86)
extern const train_kernel train_kernel_avx512vnni, train_kernel_avx512, train_kernel_avx2;
#endif

const train_kernel *
train_kernel_best(void)
{
#if defined(TRAIN_KERNELS_X86)
    if (__builtin_cpu_supports("avx512vnni"))
        return &train_kernel_avx512vnni;
    if (__builtin_cpu_supports("avx512f"))
        return &train_kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &train_kernel_avx2;
#endif
    return &train_kernel_base;
}
