/* best.c: which of the built kernels this processor can run. */
#include "plugins/train/lanes/kernel.h"
#include <stddef.h>

extern const train_kernel train_kernel_base;
#if defined(TRAIN_KERNELS_X86)
extern const train_kernel train_kernel_avx512popcnt, train_kernel_avx512vnni, train_kernel_avx512;
extern const train_kernel train_kernel_avx2;
#endif
#if defined(TRAIN_KERNEL_AVXVNNI)
extern const train_kernel train_kernel_avxvnni;
#endif

static const train_kernel *chosen;

int
train_kernels(const train_kernel **to)
{
    int n = 0;

#if defined(TRAIN_KERNELS_X86)
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vpopcntdq"))
        to[n++] = &train_kernel_avx512popcnt;
    if (__builtin_cpu_supports("avx512vnni"))
        to[n++] = &train_kernel_avx512vnni;
    if (__builtin_cpu_supports("avx512f"))
        to[n++] = &train_kernel_avx512;
#if defined(TRAIN_KERNEL_AVXVNNI)
    if (__builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("fma"))
        to[n++] = &train_kernel_avxvnni;
#endif
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        to[n++] = &train_kernel_avx2;
#endif
    to[n++] = &train_kernel_base;
    return n;
}

const train_kernel *
train_kernel_best(void)
{
    const train_kernel *all[TRAIN_KERNELS];

    if (chosen)
        return chosen;
    (void)train_kernels(all);
    return all[0];
}

void
train_kernel_choose(const train_kernel *k)
{
    chosen = k;
}
