/* map.h: hash map from strings or addresses to pointers that keeps the order of insertion. */
#ifndef NASHC_BASE_MAP_H
#define NASHC_BASE_MAP_H

#include <nashc/base.h>

/* Start with {0}; set `by_address` to compare keys as addresses (interned strings), else as text.
 * Keys are borrowed. Deleted entries leave holes (key NULL) until the next growth. */
typedef struct nashc_map_entry {
    const char *key;
    void *value;
    uint64_t hash;
} nashc_map_entry;

typedef struct nashc_map {
    nashc_map_entry *entry; /* in order of insertion, n_entry of them */
    uint32_t *slot;         /* 0 empty, 1 deleted, else entry + 2 */
    size_t n_entry, cap_entry, n_slot, n_live, n_used;
    bool by_address;
} nashc_map;

void *nashc_map_get(const nashc_map *m, const char *key);       /* NULL: not there */
bool nashc_map_put(nashc_map *m, const char *key, void *value); /* replaces; false: memory out */
void *nashc_map_del(nashc_map *m, const char *key);             /* the old value */
void nashc_map_free(nashc_map *m);

uint64_t nashc_hash_bytes(const void *p, size_t n, uint64_t seed);

#endif
