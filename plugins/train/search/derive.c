/* derive.c: from probabilities to one branch a step: the rules of the published versions. */
#include "plugins/train/search/derive.h"
#include "plugins/train/search/gates.h"
#include <math.h>
#include <string.h>

/* The sources of one step. */
typedef struct table {
    double p[SEARCH_MAX_OPS][SEARCH_MAX_OPS]; /* [source][candidate]; less than 0: struck */
    int sources, n;
    const search_kind *kind;
} table;

/* The likeliest of a source; none counts if `none`, other than convolutions unless `conv_only`. */
static int
best_of(const table *t, int j, bool none, bool conv_only)
{
    int best = -1;

    for (int k = 0; k < t->n; k++) {
        bool out = (!none && t->kind[k] == SEARCH_NONE) || (conv_only && t->kind[k] != SEARCH_CONV);
        if (!out && t->p[j][k] >= 0.0 && (best < 0 || t->p[j][k] > t->p[j][best]))
            best = k;
    }
    return best;
}

/* Over all sources of the step; the first among equals. */
static search_pick
best(const table *t, bool none)
{
    search_pick pick = {-1, -1};

    for (int j = 0; j < t->sources; j++) {
        int k = best_of(t, j, none, false);
        if (k >= 0 && (pick.op < 0 || t->p[j][k] > t->p[pick.source][pick.op]))
            pick = (search_pick){k, j};
    }
    return pick;
}

/* A pool or skip on the group's input, which has the stride. */
static bool
banned(const table *t, search_pick p)
{
    return p.op >= 0 && p.source == 0 && t->kind[p.op] == SEARCH_POOL;
}

/* What a rule strikes out is marked less than 0, and the next best is looked for. COMPAT_V3 gives
 * up after one look, as the published code did. */
static search_pick
pick(search_rule rule, table *t)
{
    bool none = rule == SEARCH_COMPAT_V3;
    search_pick p = best(t, none);

    if (rule == SEARCH_CONV_ON_REDUCE && p.source == 0)
        p.op = best_of(t, 0, false, true);
    if (rule != SEARCH_DROP_ON_REDUCE && rule != SEARCH_COMPAT_V3)
        return p;
    for (int look = 1; banned(t, p); look++) {
        t->p[0][p.op] = -1.0;
        p = best(t, none);
        if (none && look == 2)
            return (search_pick){best_of(t, 0, true, false), 0};
    }
    return p;
}

bool
search_derive(search_rule rule, const float *alpha, int steps, int n_ops, const search_kind *kind,
              search_pick *out)
{
    table t = {.n = n_ops, .kind = kind};

    for (int i = 0, edge = 0; i < steps; i++) {
        t.sources = i + 1;
        for (int j = 0; j <= i; j++, edge++)
            search_softmax(alpha + edge * n_ops, n_ops, t.p[j]);
        out[i] = pick(rule, &t);
        if (out[i].op < 0)
            return false;
    }
    return true;
}

search_rule
search_rule_of(nashc_geno_version v, int stride, bool compat)
{
    if (stride == 1 || (v != NASHC_GENO_V2 && v != NASHC_GENO_V3))
        return SEARCH_FREE;
    return v == NASHC_GENO_V2 ? SEARCH_CONV_ON_REDUCE
           : compat           ? SEARCH_COMPAT_V3
                              : SEARCH_DROP_ON_REDUCE;
}

bool
search_allowed(nashc_geno_version v, int stride, int source, search_kind kind)
{
    bool limited = (v == NASHC_GENO_V2 || v == NASHC_GENO_V3) && stride > 1 && source == 0;

    return kind != SEARCH_NONE && !(limited && kind == SEARCH_POOL) &&
           !(v == NASHC_GENO_V4 && kind != SEARCH_CONV);
}

void
search_kinds(nashc_ctx *c, const search_space *s, search_kind *out)
{
    for (int k = 0; k < s->n_ops; k++) {
        int kernel;
        const nashc_primitive *p = nashc_geno_primitive(c, s->op[k].name, &kernel);
        out[k] = strcmp(s->op[k].name, "none") == 0 ? SEARCH_NONE
                 : p && p->conv                     ? SEARCH_CONV
                 : p && p->pool                     ? SEARCH_POOL
                                                    : SEARCH_OTHER;
    }
}
