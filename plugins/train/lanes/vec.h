/* vec.h: vectors of the compiler's own kind, for files that are built once for every instruction
 * set, with KERNEL its name and WIDTH the floats of a vector. */
#ifndef TRAIN_VEC_H
#define TRAIN_VEC_H

typedef float vec __attribute__((vector_size(WIDTH * 4)));
typedef float mem __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias)); /* anywhere */

#define ALWAYS static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16") /* so that vectors are in registers, not in memory */

/* Neighbouring elements of a, then of b: the first of each two, the second of each. */
#if WIDTH == 16
#define FIRST(a, b)                                                                                \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define SECOND(a, b)                                                                               \
    __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#elif WIDTH == 8
#define FIRST(a, b)  __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define SECOND(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define FIRST(a, b)  __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define SECOND(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#endif

#define NAME_OF(kernel) #kernel
#define NAME(kernel)    NAME_OF(kernel)
#define JOIN_OF(a, b)   a##b
#define JOIN(a, b)      JOIN_OF(a, b)

#endif
