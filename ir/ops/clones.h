/* clones.h: hot loops are compiled for several widths of vectors; the processor chooses when the
 * library is loaded. Products and sums are not fused (-ffp-contract=off), so results are the same.
 * Of functions that are static: others would be exported.
 */
#ifndef NASHC_OPS_CLONES_H
#define NASHC_OPS_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OPS_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define OPS_CLONES
#endif

#endif
