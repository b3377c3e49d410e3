/* base.h: export macros, version, status codes, handles, sizes, arena. */
#ifndef NASHC_BASE_H
#define NASHC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define NASHC_BEGIN extern "C" {
#define NASHC_END   }
#else
#define NASHC_BEGIN
#define NASHC_END
#endif

#if defined(__GNUC__)
#define NASHC_API               __attribute__((visibility("default")))
#define NASHC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define NASHC_API
#define NASHC_PRINTF(fmt, args)
#endif

#define NASHC_VERSION "0.1.0"

/* Plugin ABI, major << 16 | minor; see docs/plugins.md for what moves which. */
#define NASHC_ABI_MAJOR 2
#define NASHC_ABI_MINOR 1
#define NASHC_ABI       ((uint32_t)NASHC_ABI_MAJOR << 16 | NASHC_ABI_MINOR)

/* First members of every descriptor: its size, as this translation unit knows it, and no flags. */
#define NASHC_DESC(type) .struct_size = sizeof(type)

/* Does descriptor p, maybe from an older plugin, reach as far as this field? */
#define NASHC_HAS(p, field)                                                                        \
    ((p)->struct_size >= offsetof(__typeof__(*(p)), field) + sizeof((p)->field))

#define NASHC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Limits on what an input may ask for. */
#define NASHC_MAX_RANK     8
#define NASHC_MAX_ELEMENTS ((int64_t)1 << 31)
#define NASHC_MAX_BYTES    ((int64_t)1 << 31)
#define NASHC_MAX_NODES    (1 << 22)

NASHC_BEGIN

/* Whether, not why: the reason is in the nashc_diag that went along. */
typedef enum nashc_status {
    NASHC_OK = 0,
    NASHC_EINPUT,    /* the input is malformed */
    NASHC_EUNSUP,    /* well-formed, but something this build does not do */
    NASHC_EUSAGE,    /* wrong options or arguments */
    NASHC_ENOMEM,    /* out of memory */
    NASHC_EIO,       /* a file or an outside program failed */
    NASHC_EMISMATCH, /* a comparison found a difference */
    NASHC_EBUG,      /* a broken invariant of nashc itself */
    NASHC_EPLUGIN    /* a plugin broke what docs/plugins.md asks of it; set by the host */
} nashc_status;

/* Exit status of the tool for a status (docs/cli): 0, 1, 2, 3, 4 or 70. */
NASHC_API int nashc_status_exit(nashc_status s);

typedef struct nashc_ctx nashc_ctx;       /* registry, symbols, diagnostics, limits; one thread */
typedef struct nashc_module nashc_module; /* graphs and metadata; owns all below it */
typedef struct nashc_graph nashc_graph;
typedef struct nashc_node nashc_node;
typedef struct nashc_value nashc_value;
typedef struct nashc_tensor nashc_tensor; /* immutable bytes with a type; counted */
typedef struct nashc_diag nashc_diag;
typedef struct nashc_arena nashc_arena;
typedef struct nashc_build nashc_build; /* insertion point, location, sticky failure */
typedef struct nashc_rw nashc_rw;       /* the same inside a rewrite pattern */
typedef struct nashc_run nashc_run;     /* one run of one pass */
typedef struct nashc_eval nashc_eval;   /* one node being executed */
typedef struct nashc_opts nashc_opts;   /* parsed values of an option schema */

/* Creates a context that holds the built-in descriptors. NULL when memory is out. */
NASHC_API nashc_ctx *nashc_ctx_create(void);

/* Frees c with everything it owns. Modules of c must be gone before; tensors may outlive it. */
NASHC_API void nashc_ctx_free(nashc_ctx *c);

/* The diagnostics of the context. Owned by c. */
NASHC_API nashc_diag *nashc_ctx_diag(nashc_ctx *c);

/* Called whenever memory is out, before that is returned; for a program that ends there and then.
 * NULL, from the start: no such call, every function reports by itself. */
typedef void (*nashc_memory_handler)(void);
NASHC_API void nashc_on_memory_out(nashc_memory_handler fn);

/* Checked size arithmetic on values >= 0: false, and *out untouched, on overflow or when negative.
 */
NASHC_API bool nashc_mul_size(int64_t a, int64_t b, int64_t *out);
NASHC_API bool nashc_add_size(int64_t a, int64_t b, int64_t *out);

/* Bump allocator. Memory is zeroed, aligned to 16 bytes and lives as long as the arena.
 * nashc_arena_alloc returns NULL only when memory is out. */
NASHC_API nashc_arena *nashc_arena_create(void);
NASHC_API void nashc_arena_free(nashc_arena *a);
NASHC_API void *nashc_arena_alloc(nashc_arena *a, size_t size);
NASHC_API char *nashc_arena_strdup(nashc_arena *a, const char *s);
NASHC_API char *nashc_arena_printf(nashc_arena *a, const char *fmt, ...) NASHC_PRINTF(2, 3);
NASHC_API char *nashc_arena_vprintf(nashc_arena *a, const char *fmt, va_list ap);

#define NASHC_NEW(arena, type)      ((type *)nashc_arena_alloc((arena), sizeof(type)))
#define NASHC_NEW_N(arena, type, n) ((type *)nashc_arena_alloc((arena), sizeof(type) * (size_t)(n)))

NASHC_END
#endif
