/* memplan.c: offsets for values with lifetimes, largest first, lowest free place. */
#include "memplan.h"
#include <stdlib.h>

static int
larger_first(const void *a, const void *b)
{
    const cpu_lease *p = *(cpu_lease *const *)a, *q = *(cpu_lease *const *)b;

    if (p->size != q->size)
        return p->size < q->size ? 1 : -1;
    return p->first != q->first ? (p->first < q->first ? -1 : 1) : (p > q) - (p < q);
}

static size_t
rounded(size_t size)
{
    return (size + CPU_ALIGN - 1) / CPU_ALIGN * CPU_ALIGN;
}

/* The lowest offset at which l collides with none of the n placed ones. */
static size_t
lowest(cpu_lease *const *placed, int n, const cpu_lease *l)
{
    size_t at = 0;
    bool moved = true;

    while (moved) { /* every move passes one lease for good: at most n rounds */
        moved = false;
        for (int i = 0; i < n; i++) {
            const cpu_lease *o = placed[i];
            bool together = o->first <= l->last && l->first <= o->last;
            if (together && o->offset < at + l->size && at < o->offset + rounded(o->size)) {
                at = o->offset + rounded(o->size);
                moved = true;
            }
        }
    }
    return at;
}

bool
cpu_memplan(cpu_lease *lease, int n, size_t *total)
{
    cpu_lease **by_size = malloc((size_t)(n + 1) * sizeof *by_size);

    if (!by_size)
        return false;
    for (int i = 0; i < n; i++)
        by_size[i] = &lease[i];
    qsort(by_size, (size_t)n, sizeof(cpu_lease *), larger_first);
    *total = 0;
    for (int i = 0; i < n; i++) {
        by_size[i]->offset = lowest(by_size, i, by_size[i]);
        size_t end = by_size[i]->offset + rounded(by_size[i]->size);
        *total = end > *total ? end : *total;
    }
    free(by_size);
    return true;
}
