/* clones.h: hot loops for several widths of vectors. */
#ifndef NASHC_CLONES_H
#define NASHC_CLONES_H

/* Before a static function: it is compiled for several instruction sets, and the processor chooses
 * when the library is loaded. Static ones only: others would be exported. Products and sums are not
 * fused (nashc is built with -ffp-contract=off, a plugin has to be likewise), so results are the
 * same. Nothing where compiler or sanitizer have no such thing. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define NASHC_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define NASHC_CLONES
#endif

#endif
