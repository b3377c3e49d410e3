/* space.c: the space that is searched, from options and from the settings of a genotype. */
#include "plugins/train/search/space.h"
#include <stdlib.h>
#include <string.h>

/* "conv_3x3:4": a candidate. */
static nashc_status
parse_one(nashc_ctx *c, const char *word, nashc_arena *a, search_op *out, nashc_diag *d)
{
    const char *colon = strchr(word, ':');
    char *end = NULL;
    long wide = colon ? strtol(colon + 1, &end, 10) : 0;

    *out = (search_op){.name = nashc_arena_printf(a, "%.*s", (int)strcspn(word, ":"), word)};
    if (!out->name)
        return nashc_enomem(d);
    const nashc_primitive *p = nashc_geno_primitive(c, out->name, &out->kernel);
    if (!p)
        return nashc_usage(d, "unknown primitive \"%s\"", out->name);
    if (!search_has_form(out->name))
        return nashc_usage(d, "the primitive \"%s\" has no form for searches", out->name);
    if (colon && (*end || end == colon + 1 || wide < 1 || wide > 8))
        return nashc_usage(d, "\"%s\": 1..8 bits are possible", word);
    if (colon && !p->conv)
        return nashc_usage(d, "\"%s\": \"%s\" has no weights of a width", word, out->name);
    out->wbits = (int)wide;
    out->tag = wide ? nashc_arena_printf(a, "%s_w%ld", out->name, wide) : out->name;
    return out->tag ? NASHC_OK : nashc_enomem(d);
}

nashc_status
search_ops_parse(nashc_ctx *c, const char *list, nashc_arena *a, search_space *out, nashc_diag *d)
{
    char *text = nashc_arena_strdup(a, list), *rest = NULL;
    nashc_status s = text ? NASHC_OK : nashc_enomem(d);

    out->n_ops = 0;
    for (char *w = text ? strtok_r(text, ",", &rest) : NULL; s == NASHC_OK && w;
         w = strtok_r(NULL, ",", &rest)) {
        search_op op = {0};
        if (out->n_ops == SEARCH_MAX_OPS)
            return nashc_usage(d, "more than %d primitives", SEARCH_MAX_OPS);
        s = parse_one(c, w, a, &op, d);
        for (int i = 0; s == NASHC_OK && i < out->n_ops; i++)
            if (strcmp(out->op[i].tag, op.tag) == 0)
                s = nashc_usage(d, "primitive \"%s\" is given twice", w);
        out->op[out->n_ops++] = op;
    }
    bool any = false;
    for (int i = 0; i < out->n_ops; i++)
        any |= s == NASHC_OK && strcmp(out->op[i].name, "none") != 0;
    return s == NASHC_OK && !any ? nashc_usage(d, "no primitive but none") : s;
}

nashc_status
search_groups_set(search_space *s, nashc_arena *a, nashc_diag *d)
{
    const nashc_genotype *g = s->geno;

    s->n_groups = g->n_groups;
    s->n_edges = 0;
    for (int i = 0; i < g->n_groups; i++) {
        const nashc_geno_group *p = &g->group[i];
        search_group *to = &s->group[i];
        *to = (search_group){.scope = nashc_arena_printf(a, "group%d.", i),
                             .in = i ? g->group[i - 1].channels : g->width,
                             .out = p->channels,
                             .stride = p->stride,
                             .steps = p->n_steps,
                             .down = p->down,
                             .blocks = &g->backbone->group[i],
                             .first_edge = s->n_edges,
                             .n_edges = p->n_steps * (p->n_steps + 1) / 2};
        s->n_edges += to->n_edges;
        if (!to->scope)
            return nashc_enomem(d);
    }
    return NASHC_OK;
}
