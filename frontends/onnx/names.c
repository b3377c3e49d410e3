/* names.c: open addressing over an array in insertion order, so that walking it is deterministic.
 */
#include "frontends/onnx/names.h"
#include <string.h>

typedef struct entry {
    const char *name;
    void *item;
    uint64_t hash;
} entry;

struct onnx_names {
    nashc_arena *arena;
    entry *entries;
    uint32_t *slots; /* index + 1; 0: free */
    size_t n, size, n_slots;
};

/* The last shift brings the high bits down, which the mask of the table would cut off. */
static uint64_t
hash_of(const char *s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h ^ h >> 29;
}

/* At most half of the slots are taken, so that chains stay short; slots are filled anew. */
static bool
resize(onnx_names *m, size_t size)
{
    size_t n_slots = 16;

    while (n_slots < 2 * size)
        n_slots *= 2;
    entry *entries = NASHC_NEW_N(m->arena, entry, size);
    uint32_t *slots = NASHC_NEW_N(m->arena, uint32_t, n_slots);
    if (!entries || !slots)
        return false;
    if (m->n)
        memcpy(entries, m->entries, m->n * sizeof(entry));
    for (size_t i = 0; i < m->n; i++) {
        size_t at = entries[i].hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = (uint32_t)i + 1;
    }
    m->entries = entries;
    m->slots = slots;
    m->size = size;
    m->n_slots = n_slots;
    return true;
}

onnx_names *
onnx_names_create(nashc_arena *a, size_t n)
{
    onnx_names *m = NASHC_NEW(a, onnx_names);

    if (!m)
        return NULL;
    m->arena = a;
    return resize(m, n < 8 ? 8 : n) ? m : NULL;
}

/* Slot that holds name, or the free one where it belongs. */
static size_t
slot_of(const onnx_names *m, const char *name, uint64_t hash)
{
    size_t at = hash & (m->n_slots - 1);

    while (m->slots[at]) {
        const entry *e = &m->entries[m->slots[at] - 1];
        if (e->hash == hash && !strcmp(e->name, name))
            break;
        at = (at + 1) & (m->n_slots - 1);
    }
    return at;
}

void *
onnx_names_get(const onnx_names *m, const char *name)
{
    size_t at = slot_of(m, name, hash_of(name));

    return m->slots[at] ? m->entries[m->slots[at] - 1].item : NULL;
}

bool
onnx_names_put(onnx_names *m, const char *name, void *item)
{
    if (m->n == m->size && !resize(m, 2 * m->size))
        return false;
    uint64_t hash = hash_of(name);
    m->entries[m->n] = (entry){name, item, hash};
    m->slots[slot_of(m, name, hash)] = (uint32_t)++m->n;
    return true;
}

size_t
onnx_names_count(const onnx_names *m)
{
    return m->n;
}

void *
onnx_names_at(const onnx_names *m, size_t i)
{
    return m->entries[i].item;
}
