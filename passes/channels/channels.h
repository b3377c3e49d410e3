/* channels.h: channels of integer tensors: what values they take, which of them belong together,
 * and how they are removed.
 */
#ifndef NASHC_PASSES_CHANNELS_H
#define NASHC_PASSES_CHANNELS_H

#include <nashc/rewrite.h>

/* --- nodes ------------------------------------------------------------------------------------ */

typedef enum ch_kind {
    CH_OTHER,     /* channels cannot be followed through it */
    CH_DENSE,     /* a layer: each result channel sums over all operand channels */
    CH_DEPTHWISE, /* a layer: channel by channel */
    CH_ROWS,      /* channel by channel, constants with the channels first (or one row for all) */
    CH_ELTWISE,   /* element by element, constants broadcast */
    CH_MOVES,     /* channel by channel, no constants */
    CH_RESHAPE    /* an attribute holds the result's shape; feature f is channel f / k % C */
} ch_kind;

/* Is a value of type t followed: integers, static, with an axis in front of the channels? */
bool ch_followed(const nashc_type *t);

ch_kind ch_kind_of(const nashc_node *n);

/* The k of a reshape, 1 of a resize; false where channels are mixed. */
bool ch_block(const nashc_node *n, int64_t *k);

/* A layer of constant integer weights, as three nested loops over them. No sum of it leaves 62
 * bits. */
typedef struct ch_layer {
    const nashc_tensor *w;
    int64_t n[3]; /* extents of the loops */
    int o, c;     /* which of them counts result and operand channels; the same: depthwise */
    bool padded;  /* with zeros */
} ch_layer;

bool ch_layer_of(const nashc_node *n, ch_layer *l);

/* Elements from .. from + n - 1 of an integer tensor. */
void ch_load(const nashc_tensor *t, int64_t from, int64_t n, int64_t *out);

/* --- state ------------------------------------------------------------------------------------ */

typedef struct ch_range {
    int64_t lo, hi;
} ch_range;

/* Values that can only lose the same channels. */
typedef struct ch_group {
    int parent;           /* of the union-find forest */
    int layer;            /* first of the layers that read it, index into ch_state.reads */
    int64_t n;            /* channels */
    const char *why;      /* it cannot lose channels because; NULL: it can */
    const nashc_value *v; /* its first value with channels of one value only; NULL: none */
    int64_t n_stuck;      /* how many it has */
    uint8_t *gone;        /* n flags; NULL: none is, or not decided yet */
} ch_group;

typedef struct ch_read {
    nashc_node *layer;
    int next; /* -1: the last one */
} ch_read;

typedef struct ch_state {
    nashc_run *run;
    nashc_graph *g;
    nashc_arena *a;
    int64_t n_values;
    ch_range **range; /* by value: of each channel; NULL: not followed */
    int *group;       /* by value: index into groups, or -1 */
    int64_t *per;     /* by value: feature f is channel f / per % n of its group */
    ch_group *groups;
    uint8_t *tight; /* by value: its interval must not grow, an op behind would refuse it */
    int n_groups, n_reads;
    ch_read *reads;
    bool failed; /* memory is out */
} ch_state;

/* Scratch, zeroed; NULL sets S->failed. */
#define CH_NEW(S, type, n) ((type *)ch_alloc((S), sizeof(type) * (size_t)(n)))
void *ch_alloc(ch_state *S, size_t size);

/* range.c: the interval of each channel of each value, in one sweep. O(channels + weights). init:
 * a state that has nothing yet. */
void ch_init(ch_state *S, nashc_run *r, nashc_graph *g);
void ch_find_ranges(ch_state *S);

/* group.c: groups, with the layers that read them. O(nodes + channels). */
void ch_find_groups(ch_state *S);
ch_group *ch_group_of(const ch_state *S, const nashc_value *v); /* NULL: not followed */

/* Flags of v's channels that go; NULL: none. */
const uint8_t *ch_gone(ch_state *S, const nashc_value *v);

/* Does layer n have room for an addend in itself or in its only reader? */
bool ch_absorbs(const nashc_node *n);

/* cut.c: removes what is flagged, and makes up for the values that it had. */
nashc_status ch_cut(ch_state *S);

#endif
