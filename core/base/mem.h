/* mem.h: all heap memory of the library passes here, so that tests can make it run out. */
#ifndef NASHC_BASE_MEM_H
#define NASHC_BASE_MEM_H

#include <nashc/base.h>

/* NULL when memory is out. alloc and calloc of size 0 return a valid pointer. */
void *nashc_mem_alloc(size_t size);
void *nashc_mem_calloc(size_t n, size_t size);
void *nashc_mem_realloc(void *p, size_t size);
NASHC_API void nashc_mem_free(void *p);
char *nashc_mem_strdup(const char *s);

/* Grows array *p of n_cap items of `item` bytes to hold at least n; doubles. False: memory out. */
bool nashc_mem_grow(void **p, size_t *cap, size_t n, size_t item);

/* Calls the handler of nashc_on_memory_out, if there is one. */
void nashc_mem_out(void);

/* For tests: the n-th allocation from now on (1: the next) and all after it fail; 0: none fails.
 * Returns the number of allocations since the last call. */
uint64_t nashc_mem_fail_after(uint64_t n);

/* The same, but only that one allocation fails. */
uint64_t nashc_mem_fail_once(uint64_t n);

#endif
