/* adder_pairs.c: how often each pair of terms occurs, and which one to take next.
 *
 * Counts lie in a hash table; a heap orders pairs by what they save. Counts only rise while the
 * later term of a pair is put in its places, and pairs enter the heap after that. Counts fall
 * without notice: an entry that promises too much is put back with what is true.
 */
#include "backends/support/adder_pairs.h"
#include <stdlib.h>

struct pair_slot {
    uint64_t key; /* 0: free, as no key is */
    int count, saves;
};

struct pair_entry {
    int64_t gain;
    uint64_t key;
};

static uint64_t
key_of(pair p)
{
    return (uint64_t)(p.first + 1) << 36 | (uint64_t)p.second << 8 | (uint64_t)p.apart << 1 |
           p.opposite;
}

static pair
pair_of(uint64_t key)
{
    return (pair){.first = (int)(key >> 36) - 1,
                  .second = (int)(key >> 8 & 0xfffffff),
                  .apart = (int)(key >> 1 & 0x7f),
                  .opposite = key & 1};
}

void
pairs_free(pair_table *t)
{
    free(t->slots);
    free(t->heap);
    free(t->fresh);
    *t = (pair_table){0};
}

/* Where key is, or would be. */
static pair_slot *
slot_of(const pair_table *t, uint64_t key)
{
    size_t i = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (t->size - 1);

    while (t->slots[i].key && t->slots[i].key != key)
        i = (i + 1) & (t->size - 1);
    return &t->slots[i];
}

/* Keeps a third of the table free. */
static bool
grow(pair_table *t)
{
    pair_table old = *t;

    if (3 * (t->used + 1) <= 2 * t->size)
        return true;
    t->size = t->size ? 2 * t->size : 1024;
    t->slots = calloc(t->size, sizeof *t->slots);
    if (!t->slots) {
        t->slots = old.slots;
        t->size = old.size;
        return false;
    }
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].key)
            *slot_of(t, old.slots[i].key) = old.slots[i];
    free(old.slots);
    return true;
}

static bool
before(const pair_entry *a, const pair_entry *b)
{
    return a->gain != b->gain ? a->gain > b->gain : a->key < b->key;
}

static void
push(pair_table *t, pair_entry e)
{
    if (t->n_heap == t->heap_size) {
        size_t size = t->heap_size ? 2 * t->heap_size : 1024;
        pair_entry *heap = realloc(t->heap, size * sizeof *heap);
        if (!heap) {
            t->bad = true;
            return;
        }
        t->heap = heap;
        t->heap_size = size;
    }
    size_t i = t->n_heap++;
    for (; i > 0 && before(&e, &t->heap[(i - 1) / 2]); i = (i - 1) / 2)
        t->heap[i] = t->heap[(i - 1) / 2];
    t->heap[i] = e;
}

static pair_entry
pop(pair_table *t)
{
    pair_entry top = t->heap[0], last = t->heap[--t->n_heap];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < t->n_heap) {
        child += child + 1 < t->n_heap && before(&t->heap[child + 1], &t->heap[child]);
        if (!before(&t->heap[child], &last))
            break;
        t->heap[i] = t->heap[child];
        i = child;
    }
    t->heap[i] = last;
    return top;
}

static int64_t
gain_of(const pair_slot *s)
{
    return (int64_t)(s->count - 1) * s->saves;
}

void
pairs_more(pair_table *t, pair p, int saves)
{
    const uint64_t key = key_of(p);

    if (t->bad || !grow(t)) {
        t->bad = true;
        return;
    }
    pair_slot *s = slot_of(t, key);
    t->used += s->key == 0;
    s->key = key;
    s->saves = saves;
    if (++s->count != 2)
        return;
    if (t->n_fresh == t->fresh_size) {
        size_t size = t->fresh_size ? 2 * t->fresh_size : 1024;
        uint64_t *fresh = realloc(t->fresh, size * sizeof *fresh);
        if (!fresh) {
            t->bad = true;
            return;
        }
        t->fresh = fresh;
        t->fresh_size = size;
    }
    t->fresh[t->n_fresh++] = key;
}

void
pairs_settle(pair_table *t)
{
    for (size_t i = 0; i < t->n_fresh; i++) {
        const pair_slot *s = slot_of(t, t->fresh[i]);
        if (s->count >= 2)
            push(t, (pair_entry){gain_of(s), s->key});
    }
    t->n_fresh = 0;
}

void
pairs_less(pair_table *t, pair p)
{
    pair_slot *s = t->size ? slot_of(t, key_of(p)) : NULL;

    if (s && s->count > 0)
        s->count--;
}

void
pairs_none(pair_table *t, pair p)
{
    pair_slot *s = t->size ? slot_of(t, key_of(p)) : NULL;

    if (s)
        s->count = 0;
}

bool
pairs_best(pair_table *t, pair *out)
{
    while (t->n_heap > 0 && !t->bad) {
        pair_entry e = pop(t);
        pair_slot *s = slot_of(t, e.key);
        if (s->count < 2)
            continue;
        if (gain_of(s) == e.gain) {
            *out = pair_of(e.key);
            return true;
        }
        push(t, (pair_entry){gain_of(s), e.key});
    }
    return false;
}
