/* derive.h: which branch of each step is kept. */
#ifndef SEARCH_DERIVE_H
#define SEARCH_DERIVE_H

#include "plugins/train/search/space.h"

typedef enum search_rule {
    SEARCH_FREE,           /* the likeliest candidate but none */
    SEARCH_CONV_ON_REDUCE, /* of the edge with the likeliest; a convolution if it is source 0 */
    SEARCH_DROP_ON_REDUCE, /* the likeliest that is no pool or skip on source 0 */
    SEARCH_COMPAT_V3       /* as published for v3: none counts, and the third look is at source 0 */
} search_rule;

/* What a rule has to know of a candidate. */
typedef enum search_kind { SEARCH_NONE, SEARCH_POOL, SEARCH_CONV, SEARCH_OTHER } search_kind;

typedef struct search_pick {
    int op, source;
} search_pick;

/* For each step i of a group, from alpha[edge][op]: candidate and source. Of equal ones the
 * smallest source, then the smallest candidate. false: a step has no candidate that the rule
 * allows. */
bool search_derive(search_rule rule, const float *alpha, int steps, int n_ops,
                   const search_kind *kind, search_pick *out);

/* The rule of a group by version; `compat`: that of v3 as published. */
search_rule search_rule_of(nashc_geno_version v, int stride, bool compat);

/* Whether the version allows candidate `kind` on source 0 of a group of that stride. */
bool search_allowed(nashc_geno_version v, int stride, int source, search_kind kind);

void search_kinds(nashc_ctx *c, const search_space *s, search_kind *out);

#endif
