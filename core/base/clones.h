/* clones.h: hot loops are compiled for several widths of vectors; the processor chooses when the
 * library is loaded. Products and sums are not fused (-ffp-contract=off), so results are the same.
 */
#ifndef NASHC_CORE_CLONES_H
#define NASHC_CORE_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define NASHC_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define NASHC_CLONES
#endif

#endif
