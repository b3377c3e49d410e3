/* space.h: what is searched: a backbone, the candidates of each of its edges, and their supernet.
 */
#ifndef SEARCH_SPACE_H
#define SEARCH_SPACE_H

#include "plugins/train/net/choice.h"

/* How layers look while they are searched; docs/search.md has the table. */
typedef enum search_weights {
    SEARCH_FLOAT,  /* as they are, input tanh(x) */
    SEARCH_BINARY, /* weights and input binarised, ReLU behind */
    SEARCH_DEPLOY  /* weights quantised, input as it is: as the network is trained */
} search_weights;

typedef struct search_form {
    const char *name, *help;
    bool binary;  /* backbone binarised; else in floats */
    bool tanh;    /* states behind tanh; else as they are */
    bool relu;    /* behind the stem */
    bool classes; /* behind the last group: ReLU, and the classifier has a bias */
    search_weights branch;
} search_form;

/* By name; NULL: no such form. And all of them, NULL-terminated. */
const search_form *search_form_named(const char *name);
extern const search_form *const search_forms[];

/* A candidate of every edge. */
typedef struct search_op {
    const char *name; /* of the primitive: "conv_3x3" */
    const char *tag;  /* of its parameters: "conv_3x3", "conv_3x3_w4" */
    int kernel;       /* of a name that has one */
    int wbits;        /* of its weights; 0: those of the version */
} search_op;

/* A group of the supernet. Edges count through steps i and, for each, sources j = 0 .. i: edge
 * i (i + 1) / 2 + j. */
typedef struct search_group {
    const char *scope; /* of its parameters: "group0." */
    int in, out, stride, steps;
    nashc_geno_down down;               /* shortcut of the first block */
    const nashc_backbone_group *blocks; /* of the backbone */
    int first_edge, n_edges;            /* in the order of the graph's choices */
} search_group;

#define SEARCH_MAX_GROUPS 64
#define SEARCH_MAX_OPS    TRAIN_MAX_CANDIDATES

typedef struct search_space {
    nashc_genotype *geno; /* settings of the network to be found; edges are to be filled in */
    const search_form *form;
    search_op op[SEARCH_MAX_OPS];
    int n_ops;
    search_group group[SEARCH_MAX_GROUPS];
    int n_groups, n_edges;
    uint64_t *barred; /* by edge: bit k: candidate k has no form there; filled in with the supernet.
                       * NULL: not wanted */
} search_space;

#define SEARCH_BARRED (-1e30f) /* alpha of such a candidate: its probability is 0 */

/* Candidates from a list such as "none,conv_1x1,conv_3x3:4": a number is that of bits of the
 * weights. EUSAGE: an unknown or repeated one, or one without a search form. Owned by a. */
nashc_status search_ops_parse(nashc_ctx *c, const char *list, nashc_arena *a, search_space *out,
                              nashc_diag *d);

/* Groups from the settings of s->geno. */
nashc_status search_groups_set(search_space *s, nashc_arena *a, nashc_diag *d);

/* Edge from source j to step i of a group. */
static inline int
search_edge(const search_group *g, int i, int j)
{
    return g->first_edge + i * (i + 1) / 2 + j;
}

/* --- supernet.c ------------------------------------------------------------------------------ */

/* The supernet as a module: graph "main", parameters by name, one search.choice an edge. Initial
 * parameters are a function of seed. */
nashc_status search_supernet(nashc_ctx *c, const search_space *s, uint64_t seed, nashc_module **out,
                             nashc_diag *d);

/* --- layers.c: parts of the supernet --------------------------------------------------------- */

typedef struct search_build {
    const search_space *space;
    nashc_build *b;
    nashc_arena *a;      /* of the module */
    uint64_t seed, made; /* parameters so far */
    nashc_value *zero;
} search_build;

/* A state, and what convolutions see of it; made when it is asked for, once. */
typedef struct search_state {
    nashc_value *x, *sign, *tanh;
} search_state;

typedef struct search_conv {
    const char *name; /* of the weights without ".weight" */
    int out, kernel, stride, pad, dilation, group;
    int wbits; /* SEARCH_DEPLOY */
} search_conv;

nashc_value *search_put_op(search_build *b, const char *op, nashc_value *const *in, int n,
                           const char *attrs, ...) NASHC_PRINTF(5, 6);
const char *search_name(search_build *b, const char *fmt, ...) NASHC_PRINTF(2, 3);
nashc_value *search_sign(search_build *b, search_state *s);
nashc_value *search_tanh(search_build *b, search_state *s);

/* Of x as it is; the weights binarised (x has signs), quantised, or in floats. */
nashc_value *search_put_conv(search_build *b, nashc_value *x, const search_conv *c,
                             search_weights kind);
nashc_value *search_put_bn(search_build *b, nashc_value *x, const char *scope);
nashc_value *search_put_param(search_build *b, const char *name, int rank, const int64_t *dim,
                              double mean, double deviation);

/* One group from its input to its output. */
nashc_value *search_put_group(search_build *b, const search_group *g, nashc_value *x);

/* --- primitives.c ---------------------------------------------------------------------------- */

/* Where a candidate stands. */
typedef struct search_place {
    const search_op *op;
    search_state *from;
    int in, out, stride;
    const char *scope; /* "group0.edge3.conv_1x1" */
} search_place;

/* The candidate's value; *absent: it is zeros (none). NULL: the builder has failed. */
nashc_value *search_put_candidate(search_build *b, const search_place *p, bool *absent);
bool search_has_form(const char *op);

/* A strided skip looks at even and odd points: there must be as many. */
bool search_fits(const search_place *p);

#endif
