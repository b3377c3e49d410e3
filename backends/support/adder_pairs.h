/* adder_pairs.h: how often each pair of terms occurs, and which one to take next. */
#ifndef NASHC_SUPPORT_ADDER_PAIRS_H
#define NASHC_SUPPORT_ADDER_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Terms first and second, the latter `apart` bits higher; of other sign, or of the same. */
typedef struct pair {
    int first, second, apart;
    bool opposite;
} pair;

typedef struct pair_slot pair_slot;
typedef struct pair_entry pair_entry;

/* {0} is the empty table; freed by pairs_free. */
typedef struct pair_table {
    pair_slot *slots; /* open addressing */
    size_t size, used;
    pair_entry *heap; /* best first; entries may be out of date */
    size_t n_heap, heap_size;
    uint64_t *fresh; /* pairs that have come to occur twice since pairs_settle */
    size_t n_fresh, fresh_size;
    bool bad; /* memory is out */
} pair_table;

void pairs_free(pair_table *t);

/* One more place where p occurs. From two places on it can be taken, each place but the first
 * saving `saves`; pairs_settle comes before. */
void pairs_more(pair_table *t, pair p, int saves);
void pairs_settle(pair_table *t);

/* One place less, and none at all. */
void pairs_less(pair_table *t, pair p);
void pairs_none(pair_table *t, pair p);

/* The pair that saves most, of several the one with the smallest numbers. false: none occurs twice.
 * O(log pairs), several times where counts have changed. */
bool pairs_best(pair_table *t, pair *out);

#endif
