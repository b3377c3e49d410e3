/* defaults.c: what a genotype leaves out, from backbone and version; docs/genotypes.md has the
 * table. */
#include "frontends/genotype/reader.h"
#include <string.h>

/* -1, 0 or NULL: not given. A version that is not named is custom, which allows all. */
void
geno_unset(nashc_genotype *g)
{
    g->classes = g->width = -1;
    g->stem = (nashc_geno_stem){-1, -1, -1, -1, -1, -1, false};
    g->head = (nashc_geno_head){.pool = -1, .poolbits = -1, .wbits = -1};
    g->bits = (nashc_geno_bits){-1, -1, -1, -1, -1, -1};
    g->version = NASHC_GENO_CUSTOM;
}

/* Widths of the published files: weights and activations by version; branches 1 bit, 8 in v4. */
nashc_geno_bits
geno_default_bits(const nashc_backbone *b, nashc_geno_version v)
{
    nashc_geno_bits bits = {.weight = 1, .act = 2, .nas = 1, .down = 8, .resid = 8, .state = 8};
    if (strcmp(b->name, "resnet18") == 0) {
        /* by nashc_geno_version: baseline, v1 .. v4, custom */
        static const int weight[] = {1, 8, 8, 4, 1, 1}, act[] = {2, 8, 8, 4, 8, 2};
        bits.weight = weight[v];
        bits.act = act[v];
    } else if (strcmp(b->name, "resnet34") == 0 && v == NASHC_GENO_V3) {
        bits.weight = 2;
    }
    if (v == NASHC_GENO_V4)
        bits.nas = 8;
    return bits;
}

/* Where the learned threshold of an unsigned activation of that width starts. */
double
geno_default_act_max(int bits)
{
    static const double max[] = {1.0, 1.5, 2.5, 4.0, 6.0, 8.0, 10.0, 10.0};
    return max[bits - 1];
}

/* a scaled from one width to another, rounded, at least 1. What exceeds the limit still does, so
 * that check.c refuses it. */
static int
scaled(int a, int width, int base)
{
    int64_t v = ((int64_t)a * width + base / 2) / base;
    return v < 1 ? 1 : v > NASHC_GENO_MAX_CHANNELS ? NASHC_GENO_MAX_CHANNELS + 1 : (int)v;
}

void
geno_default_group(const nashc_genotype *g, int i, nashc_geno_group *out)
{
    const nashc_backbone_group *p = &g->backbone->group[i];
    *out = (nashc_geno_group){.channels = scaled(p->channels, g->width, g->backbone->width),
                              .stride = p->stride,
                              .n_steps = nashc_backbone_steps(g->backbone, i),
                              .down = p->down,
                              .bits = g->bits};
}

/* Negative: not given. */
static void
fill(int *field, int value)
{
    if (*field < 0)
        *field = value;
}

static void
fill_bits(nashc_geno_bits *b, const nashc_geno_bits *from)
{
    fill(&b->weight, from->weight);
    fill(&b->act, from->act);
    fill(&b->nas, from->nas);
    fill(&b->down, from->down);
    fill(&b->resid, from->resid);
    fill(&b->state, from->state);
}

/* A stem with a kernel of its own has the padding of that kernel, so padding is filled in before
 * the kernel is. */
static void
fill_settings(geno_in *in)
{
    nashc_genotype *g = in->g;
    const nashc_geno_stem *stem = &g->backbone->stem;
    nashc_geno_bits bits = geno_default_bits(g->backbone, g->version);
    fill(&g->width, g->backbone->width);
    fill_bits(&g->bits, &bits);
    fill(&g->stem.pad, g->stem.kernel < 0 ? stem->pad : (g->stem.kernel - 1) / 2);
    fill(&g->stem.stride, stem->stride);
    fill(&g->stem.kernel, stem->kernel);
    fill(&g->stem.pool_stride, stem->pool_stride);
    fill(&g->stem.pool, stem->pool);
    fill(&g->stem.wbits, stem->wbits);
    fill(&g->head.pool, 0);
    fill(&g->head.poolbits, 4);
    fill(&g->head.wbits, 8);
    if (!g->head.rule)
        g->head.kind = "classify";
    if (!g->head.rule)
        g->head.rule = nashc_impl_rule(in->ctx, "head", g->head.kind);
    g->act_max = g->act_max > 0 ? g->act_max : geno_default_act_max(g->bits.act);
    g->state_max = g->state_max > 0 ? g->state_max : 10;
    g->resid_max = g->resid_max > 0 ? g->resid_max : 10;
    if (!g->input.dtype)
        g->input.dtype = "uint8";
    if (!g->name)
        g->name = "net";
}

/* Told at the first group, or at the end: the settings had to stand before that. */
static nashc_status
missing(geno_in *in)
{
    static const geno_key needed[] = {GENO_BACKBONE, GENO_INPUT, GENO_CLASSES};
    int line = in->n_groups ? in->group[0]->line : in->last_line ? in->last_line : 1;
    for (size_t i = 0; i < NASHC_COUNT(needed); i++)
        if (!(in->given & 1u << needed[i]))
            return geno_fault_at(in, 10, line, 1, "the setting \"%s\" is missing",
                                 geno_keys[needed[i]]);
    return NASHC_OK;
}

/* The groups as the backbone has them, with what the text changes. */
static nashc_status
fill_groups(geno_in *in)
{
    nashc_genotype *g = in->g;
    g->n_groups = g->backbone->n_groups;
    g->group = NASHC_NEW_N(in->arena, nashc_geno_group, g->n_groups);
    if (!g->group)
        return nashc_enomem(in->d);
    for (int i = 0; i < g->n_groups; i++) {
        nashc_geno_group *to = &g->group[i];
        geno_default_group(g, i, to);
        if (i >= in->n_groups)
            continue;
        const geno_raw_group *raw = in->group[i];
        to->line = raw->line;
        to->channels = raw->channels > 0 ? raw->channels : to->channels;
        to->stride = raw->stride > 0 ? raw->stride : to->stride;
        to->down = raw->down >= 0 ? (nashc_geno_down)raw->down : to->down;
        to->bits = raw->bits;
        fill_bits(&to->bits, &g->bits);
        if (g->version != NASHC_GENO_BASELINE)
            to->edge = in->group[i]->edge;
    }
    return NASHC_OK;
}

nashc_status
geno_finish(geno_in *in)
{
    nashc_status s = missing(in);
    if (s != NASHC_OK)
        return s;
    fill_settings(in);
    return fill_groups(in);
}
