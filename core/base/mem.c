/* mem.c: heap memory, with a switch that makes it run out. */
#include "core/base/mem.h"
#include <nashc/tensor.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Only tests set fail_at; the counter is the price of being able to sweep every allocation. */
static _Atomic uint64_t n_allocs, fail_at;
static atomic_bool fail_once;
static _Atomic(nashc_memory_handler) handler;

void
nashc_on_memory_out(nashc_memory_handler fn)
{
    atomic_store(&handler, fn);
}

/* Called at each failure, whoever finds it: a process that cannot go on (the tool) ends here with
 * its message. */
void
nashc_mem_out(void)
{
    nashc_memory_handler fn = atomic_load_explicit(&handler, memory_order_relaxed);

    if (fn)
        fn();
}

/* What all allocations return. */
static void *
told(void *p)
{
    if (!p)
        nashc_mem_out();
    return p;
}

/* The n-th allocation since arming fails, alone (fail_once) or with all after it: the second is
 * what real exhaustion looks like, the first finds code that goes on after a failure. */
static bool
fails(void)
{
    uint64_t n = atomic_fetch_add_explicit(&n_allocs, 1, memory_order_relaxed) + 1;
    uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);

    return at && (n == at || (n > at && !atomic_load_explicit(&fail_once, memory_order_relaxed)));
}

/* Returns how many allocations there were since the last arming: a test learns by it how far to
 * sweep. */
static uint64_t
arm(uint64_t n, bool once)
{
    uint64_t was = atomic_exchange(&n_allocs, 0);

    atomic_store(&fail_once, once);
    atomic_store(&fail_at, n);
    return was;
}

uint64_t
nashc_mem_fail_after(uint64_t n)
{
    return arm(n, false);
}

uint64_t
nashc_mem_fail_once(uint64_t n)
{
    return arm(n, true);
}

/* Never NULL for size 0: NULL means memory out everywhere. */
void *
nashc_mem_alloc(size_t size)
{
    return told(fails() ? NULL : malloc(size ? size : 1));
}

void *
nashc_mem_calloc(size_t n, size_t size)
{
    return told(fails() ? NULL : calloc(n ? n : 1, size ? size : 1));
}

void *
nashc_mem_realloc(void *p, size_t size)
{
    return told(fails() ? NULL : realloc(p, size ? size : 1));
}

void
nashc_mem_free(void *p)
{
    free(p);
}

char *
nashc_mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = nashc_mem_alloc(n);

    return copy ? memcpy(copy, s, n) : NULL;
}

/* Doubles from 8 items on, so that n additions cost O(n). On failure *p and *cap are as before, and
 * still the caller's. */
bool
nashc_mem_grow(void **p, size_t *cap, size_t n, size_t item)
{
    size_t want = *cap ? *cap : 8;
    void *q;

    if (n <= *cap)
        return true;
    while (want < n) {
        if (want > SIZE_MAX / 2)
            return false;
        want *= 2;
    }
    if (want > SIZE_MAX / item)
        return false;
    q = nashc_mem_realloc(*p, want * item);
    if (!q)
        return false;
    *p = q;
    *cap = want;
    return true;
}
