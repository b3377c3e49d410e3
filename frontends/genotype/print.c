/* print.c: canonical text of a genotype, and the published literal. Settings in the order of the
 * grammar, one blank, nothing that is the default. */
#include "frontends/genotype/reader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows in an arena; failed: memory is out. */
typedef struct text {
    nashc_arena *arena;
    char *data;
    size_t n, cap;
    bool failed;
} text;

static void add(text *t, const char *fmt, ...) NASHC_PRINTF(2, 3);

static void
add(text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *s = nashc_arena_vprintf(t->arena, fmt, ap);
    va_end(ap);
    size_t len = s ? strlen(s) : 0;
    if (s && t->n + len + 1 > t->cap) {
        size_t cap = 2 * t->cap + len + 256;
        char *grown = nashc_arena_alloc(t->arena, cap);
        if (grown && t->n)
            memcpy(grown, t->data, t->n);
        t->data = grown;
        t->cap = grown ? cap : 0;
    }
    if (!s || !t->data) {
        t->failed = true;
        return;
    }
    memcpy(t->data + t->n, s, len + 1);
    t->n += len;
}

/* The shortest decimal that reads back as v. */
static const char *
number(nashc_arena *a, double v)
{
    char buf[40];
    for (int p = 1; p <= 17; p++) {
        snprintf(buf, sizeof buf, "%.*g", p, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    const char *s = nashc_arena_strdup(a, buf);
    return s ? s : "0";
}

static void
add_numbers(text *t, const char *key, const double *v, int n)
{
    for (int i = 0; i < n; i++)
        add(t, "%s%s%s", i ? "," : " ", i ? "" : key, number(t->arena, v[i]));
}

/* --- settings -------------------------------------------------------------------------------- */

static void
add_input(text *t, const nashc_geno_input *x)
{
    add(t, "input %dx%dx%d dtype=%s", x->c, x->h, x->w, x->dtype);
    add_numbers(t, "scale=", x->scale, x->n_scale);
    add_numbers(t, "mean=", x->mean, x->n_mean);
    add_numbers(t, "std=", x->std, x->n_std);
    add(t, "\n");
}

/* KEY=VALUE of those that differ; opened: the word before them is written. */
static void
option(text *t, const char *word, bool *opened, const char *key, int value, int normal)
{
    if (value == normal)
        return;
    add(t, "%s %s=%d", *opened ? "" : word, key, value);
    *opened = true;
}

static void
add_stem(text *t, const nashc_genotype *g)
{
    const nashc_geno_stem *s = &g->stem, *n = &g->backbone->stem;
    bool opened = false, conv = s->kernel != n->kernel || s->stride != n->stride;
    if (conv) {
        add(t, "stem conv=%dx%d", s->kernel, s->kernel);
        if (s->stride != 1)
            add(t, "/%d", s->stride);
        opened = true;
    }
    option(t, "stem", &opened, "pad", s->pad, conv ? (s->kernel - 1) / 2 : n->pad);
    if (s->pool != n->pool || (s->pool && s->pool_stride != n->pool_stride)) {
        add(t, "%s pool=", opened ? "" : "stem");
        opened = true;
        if (s->pool)
            add(t, s->pool_stride != 1 ? "%dx%d/%d" : "%dx%d", s->pool, s->pool, s->pool_stride);
        else
            add(t, "none");
    }
    option(t, "stem", &opened, "wbits", s->wbits, n->wbits);
    if (s->bn_first != n->bn_first) {
        add(t, "%s order=%s", opened ? "" : "stem", s->bn_first ? "bn-pool" : "pool-bn");
        opened = true;
    }
    add(t, opened ? "\n" : "");
}

static void
add_head(text *t, const nashc_geno_head *h)
{
    bool opened = strcmp(h->kind, "classify") != 0;
    if (opened)
        add(t, "head kind=%s", h->kind);
    option(t, "head", &opened, "pool", h->pool, 0);
    option(t, "head", &opened, "poolbits", h->poolbits, 4);
    option(t, "head", &opened, "wbits", h->wbits, 8);
    option(t, "head", &opened, "bias", h->bias, 0);
    if (h->round)
        add(t, "%s trunc=round", opened ? "" : "head");
    if (h->add)
        add(t, "%s skip=add", opened ? "" : "head");
    add(t, opened || h->round || h->add ? "\n" : "");
}

static void
add_bits(text *t, const char *word, bool *opened, const nashc_geno_bits *b,
         const nashc_geno_bits *n)
{
    option(t, word, opened, "weight", b->weight, n->weight);
    option(t, word, opened, "act", b->act, n->act);
    option(t, word, opened, "nas", b->nas, n->nas);
    option(t, word, opened, "down", b->down, n->down);
    option(t, word, opened, "resid", b->resid, n->resid);
    option(t, word, opened, "state", b->state, n->state);
}

static void
add_max(text *t, bool *opened, const char *key, double v, double normal)
{
    if (v == normal)
        return;
    add(t, "%s %s=%s", *opened ? "" : "bits", key, number(t->arena, v));
    *opened = true;
}

static void
add_settings(text *t, const nashc_genotype *g)
{
    nashc_geno_bits normal = geno_default_bits(g->backbone, g->version);
    bool opened = false;
    add(t, "nash-genotype 1\n");
    if (strcmp(g->name, "net") != 0)
        add(t, "name %s\n", g->name);
    add(t, "backbone %s\nversion %s\n", g->backbone_name, geno_versions[g->version]);
    add_input(t, &g->input);
    add(t, "classes %d\n", g->classes);
    if (g->width != g->backbone->width)
        add(t, "width %d\n", g->width);
    add_stem(t, g);
    add_head(t, &g->head);
    add_bits(t, "bits", &opened, &g->bits, &normal);
    add_max(t, &opened, "act-max", g->act_max, geno_default_act_max(g->bits.act));
    add_max(t, &opened, "state-max", g->state_max, 10);
    add_max(t, &opened, "resid-max", g->resid_max, 10);
    add(t, opened ? "\n" : "");
}

/* --- groups ---------------------------------------------------------------------------------- */

/* "group 1 stride=1"; what differs from the backbone. */
static const char *
group_line(const nashc_genotype *g, int i, nashc_arena *a)
{
    const nashc_geno_group *p = &g->group[i];
    nashc_geno_group n;
    text t = {.arena = a};
    bool opened = true;
    geno_default_group(g, i, &n);
    add(&t, "%s", "");
    option(&t, "", &opened, "channels", p->channels, n.channels);
    option(&t, "", &opened, "stride", p->stride, n.stride);
    if (p->down != n.down)
        add(&t, " down=%s", geno_downs[p->down]);
    add_bits(&t, "", &opened, &p->bits, &g->bits);
    return t.failed ? NULL : t.data;
}

static void
add_group(text *t, const nashc_genotype *g, int i)
{
    const char *line = group_line(g, i, t->arena);
    add(t, "group %d%s\n", i, line ? line : "");
    t->failed = t->failed || !line;
    for (int k = 0; g->group[i].edge && k < g->group[i].n_steps; k++) {
        const nashc_geno_edge *e = &g->group[i].edge[k];
        add(t, "  %d <- %d %s", k + 1, e->source, e->op);
        add(t, e->wbits ? " wbits=%d\n" : "\n", e->wbits);
    }
}

const char *
nashc_genotype_print(const nashc_genotype *g, nashc_arena *a)
{
    text t = {.arena = a};
    int n = g->n_groups;
    add_settings(&t, g);
    /* A baseline has lines for groups up to the last that says something. */
    while (n > 0 && g->version == NASHC_GENO_BASELINE) {
        const char *line = group_line(g, n - 1, a);
        if (line && line[0])
            break;
        n--;
    }
    for (int i = 0; i < n; i++)
        add_group(&t, g, i);
    return t.failed ? NULL : t.data;
}

const char *
nashc_genotype_python(const nashc_genotype *g, nashc_arena *a)
{
    text t = {.arena = a};
    add(&t, "binary = Genotype_res18(");
    for (int i = 0; i < g->n_groups; i++) {
        add(&t, "%snormal%d=[", i ? ", " : "", i);
        for (int k = 0; g->group[i].edge && k < g->group[i].n_steps; k++)
            add(&t, "%s('%s', %d)", k ? ", " : "", g->group[i].edge[k].op,
                g->group[i].edge[k].source);
        add(&t, "]");
    }
    add(&t, ")\n");
    return t.failed ? NULL : t.data;
}
