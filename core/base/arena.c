/* arena.c: bump allocator: blocks of growing size, freed together. */
#include "core/base/mem.h"
#include <stdio.h>
#include <string.h>

#define ALIGN     16u
#define BLOCK_MIN 4096u
#define BLOCK_MAX (1u << 20)

/* Large requests get a block of their own behind the current one, so that its rest is not lost. */
typedef struct block {
    struct block *next;
    size_t used, size; /* bytes of data */
    char *data;
} block;

struct nashc_arena {
    block *first;
    size_t next_size;
};

/* In hard mode each request comes from the heap alone, so that ASan sees every overrun. */
#ifdef NASHC_HARD
#define OWN_BLOCK(n) true
#else
#define OWN_BLOCK(n) ((n) > BLOCK_MAX / 4)
#endif

nashc_arena *
nashc_arena_create(void)
{
    nashc_arena *a = nashc_mem_calloc(1, sizeof(*a));

    if (a)
        a->next_size = BLOCK_MIN;
    return a;
}

void
nashc_arena_free(nashc_arena *a)
{
    if (!a)
        return;
    for (block *b = a->first, *next; b; b = next) {
        next = b->next;
        nashc_mem_free(b);
    }
    nashc_mem_free(a);
}

/* Zeroed, as all that comes from an arena is. Head and data are one allocation. */
static block *
block_create(size_t size)
{
    size_t head = (sizeof(block) + ALIGN - 1) / ALIGN * ALIGN;
    block *b;

    if (size > SIZE_MAX - head)
        return NULL;
    b = nashc_mem_calloc(1, head + size);
    if (!b)
        return NULL;
    b->size = size;
    b->data = (char *)b + head;
    return b;
}

/* O(1) but for clearing. Blocks double from 4 KiB to 1 MiB; what is left of a block when the next
 * one comes is lost, at most a quarter of BLOCK_MAX. */
void *
nashc_arena_alloc(nashc_arena *a, size_t size)
{
    block *b = a->first;
    void *p;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    if (OWN_BLOCK(size)) {
        block *own = block_create(size);
        if (!own)
            return NULL;
        own->used = size;
        /* behind the current block, which goes on serving small requests */
        if (b) {
            own->next = b->next;
            b->next = own;
        } else {
            a->first = own;
        }
        return own->data;
    }
    if (!b || b->size - b->used < size) {
        size_t want = a->next_size > size ? a->next_size : size;
        b = block_create(want);
        if (!b)
            return NULL;
        b->next = a->first;
        a->first = b;
        if (a->next_size < BLOCK_MAX)
            a->next_size *= 2;
    }
    p = b->data + b->used;
    b->used += size;
    return p;
}

char *
nashc_arena_strdup(nashc_arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = nashc_arena_alloc(a, n);

    return copy ? memcpy(copy, s, n) : NULL;
}

/* Twice through the arguments, as in str.c. */
char *
nashc_arena_vprintf(nashc_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char *s;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    s = n < 0 ? NULL : nashc_arena_alloc(a, (size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char *
nashc_arena_printf(nashc_arena *a, const char *fmt, ...)
{
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = nashc_arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}
