/* map.c: open addressing over an array of entries in order of insertion. */
#include "core/base/map.h"
#include "core/base/mem.h"
#include <string.h>

/* slots: a number of an entry + 2, or one of these */
#define EMPTY   0u
#define DELETED 1u

/* Reads 8 bytes at a time; good spread, some GB/s; not for adversaries who know it. */
uint64_t
nashc_hash_bytes(const void *p, size_t n, uint64_t seed)
{
    const uint64_t k = 0x9E3779B97F4A7C15u;
    const unsigned char *s = p;
    uint64_t h = seed ^ (n * k), w;

    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&w, s, 8);
        h = (h ^ w) * k;
        h ^= h >> 29;
    }
    w = 0;
    if (n)
        memcpy(&w, s, n);
    h = (h ^ w) * k;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    return h ^ h >> 32;
}

static uint64_t
hash_key(const nashc_map *m, const char *key)
{
    uintptr_t p = (uintptr_t)key;

    return m->by_address ? nashc_hash_bytes(&p, sizeof(p), 1)
                         : nashc_hash_bytes(key, strlen(key), 1);
}

/* Slot that holds key, or n_slot. There always is an empty slot to end at, as deleted ones count as
 * used; those do not end the walk, since keys may lie behind them. */
static size_t
find(const nashc_map *m, const char *key, uint64_t hash)
{
    size_t mask = m->n_slot - 1;

    if (!m->n_slot)
        return 0;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t s = m->slot[i];
        const nashc_map_entry *e;
        if (s == EMPTY)
            return m->n_slot;
        if (s == DELETED)
            continue;
        e = &m->entry[s - 2];
        if (e->key == key || (!m->by_address && e->hash == hash && strcmp(e->key, key) == 0))
            return i;
    }
}

void *
nashc_map_get(const nashc_map *m, const char *key)
{
    size_t i = find(m, key, hash_key(m, key));

    return i == m->n_slot ? NULL : m->entry[m->slot[i] - 2].value;
}

/* Entry e into the first slot that is free on its way; a deleted one may be used again. */
static void
link_entry(nashc_map *m, size_t e)
{
    size_t mask = m->n_slot - 1, i = m->entry[e].hash & mask;

    while (m->slot[i] > DELETED)
        i = (i + 1) & mask;
    if (m->slot[i] == EMPTY)
        m->n_used++;
    m->slot[i] = (uint32_t)e + 2;
}

/* Drops holes and gives room for one more entry. */
static bool
rebuild(nashc_map *m)
{
    size_t n_slot = 16, n = 0;
    uint32_t *slot;

    while (n_slot < (m->n_live + 1) * 2)
        n_slot *= 2;
    if (n_slot > UINT32_MAX / 2)
        return false;
    slot = nashc_mem_calloc(n_slot, sizeof(*slot));
    if (!slot)
        return false;
    nashc_mem_free(m->slot);
    m->slot = slot;
    m->n_slot = n_slot;
    m->n_used = 0;
    for (size_t i = 0; i < m->n_entry; i++)
        if (m->entry[i].key)
            m->entry[n++] = m->entry[i];
    m->n_entry = n;
    for (size_t i = 0; i < n; i++)
        link_entry(m, i);
    return true;
}

/* Keys are not copied: they must live as long as their entry. The array is rebuilt also if most of
 * its entries are holes, else a map that is filled and emptied would grow forever. */
bool
nashc_map_put(nashc_map *m, const char *key, void *value)
{
    uint64_t hash = hash_key(m, key);
    size_t i = find(m, key, hash);

    if (i != m->n_slot) {
        m->entry[m->slot[i] - 2].value = value;
        return true;
    }
    if ((m->n_used + 1) * 4 > m->n_slot * 3 || m->n_entry > 2 * m->n_live + 16)
        if (!rebuild(m))
            return false;
    if (!nashc_mem_grow((void **)&m->entry, &m->cap_entry, m->n_entry + 1, sizeof(*m->entry)))
        return false;
    m->entry[m->n_entry] = (nashc_map_entry){key, value, hash};
    link_entry(m, m->n_entry++);
    m->n_live++;
    return true;
}

/* Leaves a hole (key NULL) in the array, so the order of the others stays and a walk may delete as
 * it goes. */
void *
nashc_map_del(nashc_map *m, const char *key)
{
    size_t i = find(m, key, hash_key(m, key));
    nashc_map_entry *e;

    if (i == m->n_slot)
        return NULL;
    e = &m->entry[m->slot[i] - 2];
    e->key = NULL;
    m->slot[i] = DELETED;
    m->n_live--;
    return e->value;
}

/* Empty, and usable again with the same kind of keys. */
void
nashc_map_free(nashc_map *m)
{
    bool by_address = m->by_address;

    nashc_mem_free(m->entry);
    nashc_mem_free(m->slot);
    *m = (nashc_map){.by_address = by_address};
}
