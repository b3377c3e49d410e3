/* groups.c: groups of a genotype and their steps, one a line or in shorthand. */
#include "frontends/genotype/reader.h"
#include <string.h>

const char *const geno_downs[] = {"conv", "identity", "none", NULL};

/* The name is kept, with where it stands: rules of versions and shapes are checked later, when the
 * backbone is known. */
static nashc_status
take_op(geno_in *in, const geno_token *t, nashc_geno_edge *e)
{
    int kernel;
    const char *name = nashc_arena_printf(in->arena, "%.*s", t->len, t->s), *known = "";
    if (!name)
        return nashc_enomem(in->d);
    e->op = name;
    e->line = in->line;
    e->col = t->col;
    if (nashc_geno_primitive(in->ctx, name, &kernel))
        return NASHC_OK;
    const nashc_impl *p;
    for (int i = 0; known && (p = nashc_desc_at(in->ctx, NASHC_D_IMPL, i)); i++)
        if (strcmp(p->iface, "primitive") == 0)
            known = nashc_arena_printf(in->arena, "%s%s%s", known, known[0] ? ", " : "", p->op);
    return geno_fault(in, 6, t, "unknown primitive \"%s\"; known are %s (odd K up to %d)",
                      geno_word(in, t), known, NASHC_GENO_MAX_KERNEL);
}

/* Steps count from 1, states from 0: state 0 is the group's input, state k the end of step k. A
 * step reads an earlier state, so a group has no cycle by construction. */
nashc_status
geno_put_edge(geno_in *in, const geno_token *step, int k, const geno_token *op,
              const geno_token *source, nashc_geno_edge *e)
{
    nashc_status s = take_op(in, op, e);
    if (s != NASHC_OK)
        return s;
    geno_raw_group *g = in->current;
    if (k < 1 || k > GENO_MAX_STEPS)
        return geno_fault(in, 4, step, "there is no step %d", k);
    if (g->edge[k - 1].op)
        return geno_fault(in, 3, step, "step %d of group %d is given twice, first in line %d", k,
                          g->number, g->edge[k - 1].line);
    if (e->source < 0 || e->source >= k)
        return geno_fault(in, 5, source,
                          "step %d reads state %d: it must come from an earlier one, 0..%d", k,
                          e->source, k - 1);
    g->edge[k - 1] = *e;
    if (k > g->n_edges)
        g->n_edges = k;
    return NASHC_OK;
}

/* "none" needs no source: nothing is read. */
nashc_status
geno_parse_step(geno_in *in, const geno_token *t, int n)
{
    nashc_geno_edge e = {0};
    geno_token source = {0}, key, value;
    int k, op = 3;
    if (in->n_groups == 0)
        return geno_fault(in, 2, &t[0], "a step before the first group");
    if (!geno_int(&t[0], &k) || n < 3 || !geno_is(&t[1], "<-"))
        return geno_fault(in, 2, n > 1 ? &t[1] : &t[0],
                          "a step is written \"STEP <- SOURCE PRIMITIVE\"");
    if (n == 3 && geno_is(&t[2], "none"))
        op = 2;
    else if (n < 4 || !geno_int(&t[2], &e.source))
        return geno_fault(in, 2, &t[2], "a step is written \"STEP <- SOURCE PRIMITIVE\"");
    /* for messages; with "none" alone it is that word */
    source = t[2];
    nashc_status s = NASHC_OK;
    for (int i = op + 1; i < n && s == NASHC_OK; i++) {
        if (!geno_option(in, &t[i], &key, &value))
            return NASHC_EINPUT;
        if (!geno_is(&key, "wbits"))
            return geno_fault(in, 2, &key, "a step has no option \"%s\" (wbits)",
                              geno_word(in, &key));
        if (e.wbits)
            return geno_fault(in, 3, &key, "option \"wbits\" is given twice");
        if (!geno_int(&value, &e.wbits) || e.wbits < 1 || e.wbits > 8)
            return geno_fault(in, 8, &value, "wbits=%s: 1..8 bits are possible",
                              geno_word(in, &value));
    }
    return s == NASHC_OK ? geno_put_edge(in, &t[0], k, &t[op], &source, &e) : s;
}

/* "conv_5x5@0" for each step in order. */
static nashc_status
shorthand(geno_in *in, const geno_token *t, int n)
{
    nashc_status s = NASHC_OK;
    for (int i = 0; i < n && s == NASHC_OK; i++) {
        const char *at = memchr(t[i].s, '@', (size_t)t[i].len);
        if (!at || at == t[i].s)
            return geno_fault(in, 2, &t[i], "\"%s\" is no PRIMITIVE@SOURCE", geno_word(in, &t[i]));
        int len = (int)(at - t[i].s);
        geno_token op = {t[i].s, len, t[i].col};
        geno_token source = {at + 1, t[i].len - len - 1, t[i].col + len + 1};
        nashc_geno_edge e = {0};
        if (!geno_int(&source, &e.source))
            return geno_fault(in, 2, &source, "\"%s\" is no number of a state",
                              geno_word(in, &source));
        s = geno_put_edge(in, &t[i], i + 1, &op, &source, &e);
    }
    return s;
}

/* *field < 0: not given so far. */
static nashc_status
group_number(geno_in *in, int *field, int most, const geno_token *key, const geno_token *value)
{
    if (*field >= 0)
        return geno_fault(in, 3, key, "option \"%s\" is given twice", geno_word(in, key));
    if (!geno_int(value, field) || *field < 1 || *field > most)
        return geno_fault(in, 2, value, "%s is \"%s\", wanted 1..%d", geno_word(in, key),
                          geno_word(in, value), most);
    return NASHC_OK;
}

/* What a group does not say it has from the backbone and from `bits` (defaults.c). */
static nashc_status
group_option(geno_in *in, geno_raw_group *g, const geno_token *key, const geno_token *value)
{
    bool known;
    if (geno_is(key, "channels"))
        return group_number(in, &g->channels, NASHC_GENO_MAX_CHANNELS, key, value);
    if (geno_is(key, "stride"))
        return group_number(in, &g->stride, 2, key, value);
    if (geno_is(key, "steps"))
        return group_number(in, &g->steps, GENO_MAX_STEPS, key, value);
    if (geno_is(key, "down")) {
        if (g->down >= 0)
            return geno_fault(in, 3, key, "option \"down\" is given twice");
        g->down = geno_find(value, geno_downs);
        return g->down >= 0
                   ? NASHC_OK
                   : geno_fault(in, 2, value, "down is \"%s\", wanted conv, identity or none",
                                geno_word(in, value));
    }
    nashc_status s = geno_parse_bits(in, key, value, &g->bits, &known);
    if (s == NASHC_OK && !known)
        s = geno_fault(in, 2, key,
                       "a group has no option \"%s\" (channels, stride, steps, down, "
                       "weight, act, nas, resid, state)",
                       geno_word(in, key));
    return s;
}

/* -1 everywhere: nothing is given yet. Literals may bring groups in any order, so k need not be the
 * next one. */
nashc_status
geno_new_group(geno_in *in, int k, int col)
{
    if (k >= GENO_MAX_GROUPS)
        return geno_fault_at(in, 4, in->line, col, "more than %d groups", GENO_MAX_GROUPS);
    geno_raw_group *g = NASHC_NEW(in->arena, geno_raw_group);
    if (!g)
        return nashc_enomem(in->d);
    g->number = k;
    g->line = in->line;
    g->col = col;
    g->channels = g->stride = g->steps = g->down = -1;
    g->bits = (nashc_geno_bits){-1, -1, -1, -1, -1, -1};
    in->group[k] = in->current = g;
    if (k >= in->n_groups)
        in->n_groups = k + 1;
    return NASHC_OK;
}

/* Are the numbers 0, 1, ... in order? */
static nashc_status
new_group(geno_in *in, const geno_token *t, int n)
{
    int k, expected = in->n_groups;
    if (n < 2 || !geno_int(&t[1], &k) || k < 0)
        return geno_fault(in, 2, &t[n > 1], "a group is written \"group NUMBER\"");
    if (k != expected)
        return geno_fault(in, 3, &t[1],
                          k < expected ? "group %d is given twice" : "group %d is out of order", k);
    return geno_new_group(in, k, t[0].col);
}

nashc_status
geno_parse_group(geno_in *in, const geno_token *t, int n)
{
    geno_token key, value;
    nashc_status s = new_group(in, t, n);
    for (int i = 2; i < n && s == NASHC_OK; i++) {
        if (geno_is(&t[i], ":"))
            return shorthand(in, t + i + 1, n - i - 1);
        if (!geno_option(in, &t[i], &key, &value))
            return NASHC_EINPUT;
        s = group_option(in, in->current, &key, &value);
    }
    return s;
}
