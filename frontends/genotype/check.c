/* check.c: rules between the parts of a genotype, G04 to G09. */
#include "frontends/genotype/reader.h"
#include <string.h>

/* 0: the window is larger than the map with its padding. */
int
geno_map(int size, int kernel, int stride, int pad)
{
    int64_t room = (int64_t)size + 2 * pad - kernel;
    return room < 0 ? 0 : (int)(room / stride + 1);
}

/* --- G04: groups and steps ------------------------------------------------------------------- */

/* The number of steps is the backbone's: `steps` in the text only repeats it, so that a reader of
 * the text sees it checked. */
static nashc_status
check_steps(geno_in *in, int i)
{
    const geno_raw_group *raw = in->group[i];
    int want = in->g->group[i].n_steps;
    if (raw->steps >= 0 && raw->steps != want)
        return geno_fault_at(in, 4, raw->line, raw->col, "group %d of %s has %d steps, not %d", i,
                             in->g->backbone_name, want, raw->steps);
    if (in->g->version == NASHC_GENO_BASELINE) {
        if (raw->n_edges > 0)
            return geno_fault_at(in, 4, raw->line, raw->col,
                                 "group %d has branches: a baseline has none", i);
        return NASHC_OK;
    }
    for (int k = want; k < raw->n_edges; k++)
        if (raw->edge[k].op)
            return geno_fault_at(in, 4, raw->edge[k].line, raw->edge[k].col,
                                 "step %d: group %d of %s has %d steps", k + 1, i,
                                 in->g->backbone_name, want);
    for (int k = 0; k < want; k++)
        if (!raw->edge[k].op)
            return geno_fault_at(in, 4, raw->line, raw->col,
                                 "step %d of group %d is missing (%s has %d)", k + 1, i,
                                 in->g->backbone_name, want);
    return NASHC_OK;
}

static nashc_status
check_groups(geno_in *in)
{
    const nashc_genotype *g = in->g;
    nashc_status s = NASHC_OK;
    if (in->n_groups > g->n_groups)
        return geno_fault_at(in, 4, in->group[g->n_groups]->line, in->group[g->n_groups]->col,
                             "group %d: %s has %d groups", g->n_groups, g->backbone_name,
                             g->n_groups);
    if (in->n_groups < g->n_groups && g->version != NASHC_GENO_BASELINE)
        return geno_fault_at(in, 4, in->last_line, 1, "%d groups: %s has %d", in->n_groups,
                             g->backbone_name, g->n_groups);
    for (int i = 0; i < in->n_groups && s == NASHC_OK; i++)
        s = check_steps(in, i);
    return s;
}

/* Channels of the group's input. */
static int
channels_before(const nashc_genotype *g, int i)
{
    return i ? g->group[i - 1].channels : g->width;
}

/* Each convolution of a block has its own number of channels, mul / div of the group's or of its
 * input's: none may round to 0. */
static nashc_status
check_channels(geno_in *in, int i)
{
    const nashc_geno_group *p = &in->g->group[i];
    const nashc_backbone_block *block = in->g->backbone->group[i].block;
    int before = channels_before(in->g, i), line = p->line ? p->line : 1;
    if (p->channels > NASHC_GENO_MAX_CHANNELS)
        return geno_fault_at(in, 4, line, 1, "group %d has more than %d channels", i,
                             NASHC_GENO_MAX_CHANNELS);
    if (p->down == NASHC_DOWN_IDENTITY && (p->channels != before || p->stride != 1))
        return geno_fault_at(
            in, 4, line, 1,
            "group %d: an identity shortcut does not fit %d to %d channels, stride %d", i, before,
            p->channels, p->stride);
    for (int k = 0; k < block->n_convs; k++) {
        const nashc_backbone_conv *c = &block->conv[k];
        int64_t n = (int64_t)(c->of_input ? before : p->channels) * c->mul / c->div;
        if (n < 1 || n > NASHC_GENO_MAX_CHANNELS)
            return geno_fault_at(in, 4, line, 1, "group %d: convolution %d would have %d channels",
                                 i, k, (int)n);
    }
    return NASHC_OK;
}

/* --- G07: primitives by version -------------------------------------------------------------- */

/* v4 has convolutions only; v1 to v3 have pools and skips, too, v2 and v3 not on strided edges. */
bool
geno_allowed(const nashc_genotype *g, const nashc_primitive *p, const char *op, bool strided)
{
    static const char *const v4[] = {"none", "conv_1x1", "conv_3x3", "conv_5x5", NULL};
    static const char *const more[] = {"max_pool_3x3", "skip_connect", NULL};
    geno_token t = {op, (int)strlen(op), 0};
    if (g->version == NASHC_GENO_CUSTOM)
        return true;
    if (geno_find(&t, v4) < 0 && (g->version == NASHC_GENO_V4 || geno_find(&t, more) < 0))
        return false;
    return !(strided && p->pool && (g->version == NASHC_GENO_V2 || g->version == NASHC_GENO_V3));
}

/* Can the branch make the channels and the map of the step's end? Pools and depthwise convolutions
 * work channel by channel, so they make whole multiples; a skip_connect joins two halves. */
static nashc_status
check_shape(geno_in *in, const nashc_geno_edge *e, const nashc_primitive *p, int from, int to,
            bool even)
{
    bool skip = strcmp(e->op, "skip_connect") == 0;
    if (p->pool && !skip && to % from != 0)
        return geno_fault_at(in, 7, e->line, e->col, "%s cannot make %d channels of %d", e->op, to,
                             from);
    if (skip && from != to && to % 2 != 0)
        return geno_fault_at(in, 7, e->line, e->col, "a skip_connect to %d channels has no halves",
                             to);
    if (skip && !even)
        return geno_fault_at(in, 9, e->line, e->col, "a strided skip_connect needs an even map");
    if (strncmp(e->op, "dw_conv", 7) == 0 && to % from != 0)
        return geno_fault_at(in, 7, e->line, e->col, "%s cannot make %d channels of %d", e->op, to,
                             from);
    return NASHC_OK;
}

/* Only state 0 has the group's input size: the stride is on edges from it. */
static nashc_status
check_edge(geno_in *in, int i, const nashc_geno_edge *e, bool even)
{
    const nashc_genotype *g = in->g;
    int kernel;
    const nashc_primitive *p = nashc_geno_primitive(in->ctx, e->op, &kernel);
    bool first = e->source == 0, strided = first && g->group[i].stride > 1;
    nashc_loc loc = {.file = in->file, .line = e->line, .col = e->col};
    if (!geno_allowed(g, p, e->op, strided))
        return geno_fault_at(in, 7, e->line, e->col, "%s is not allowed%s in %s", e->op,
                             strided && p->pool ? " on an edge of stride 2" : "",
                             geno_versions[g->version]);
    if (g->version == NASHC_GENO_CUSTOM && strided && p->pool && in->opts) /* the user's own text */
        nashc_warning(in->d, &loc, "genotype-reduce",
                      "genotype G07: %s on an edge of stride 2 costs extra hardware", e->op);
    return check_shape(in, e, p, first ? channels_before(g, i) : g->group[i].channels,
                       g->group[i].channels, !strided || even);
}

/* --- G08, G09 -------------------------------------------------------------------------------- */

static nashc_status
check_bits(geno_in *in)
{
    const nashc_genotype *g = in->g;
    int wbits[] = {g->stem.wbits, g->head.wbits};
    geno_key key[] = {GENO_STEM, GENO_HEAD};
    for (int i = 0; i < 2; i++)
        if (wbits[i] < 1 || wbits[i] > 8)
            return geno_fault_at(in, 8, in->key_line[key[i]], 1,
                                 "%s wbits=%d: 1..8 bits are possible", geno_keys[key[i]],
                                 wbits[i]);
    return NASHC_OK;
}

static int
behind_stem(const nashc_geno_stem *s, int size)
{
    size = geno_map(size, s->kernel, s->stride, s->pad);
    return s->pool && size ? geno_map(size, s->pool, s->pool_stride, (s->pool - 1) / 2) : size;
}

/* A stride leaves size / stride, rounded up: branches and layers are padded so that they agree. */
void
geno_map_sizes(const nashc_genotype *g, int (*size)[2])
{
    size[0][0] = behind_stem(&g->stem, g->input.h);
    size[0][1] = behind_stem(&g->stem, g->input.w);
    for (int i = 0; i < g->n_groups; i++)
        for (int a = 0; a < 2; a++)
            size[i + 1][a] = (size[i][a] + g->group[i].stride - 1) / g->group[i].stride;
}

/* The head, and what it can be built on. A pool over the whole map becomes 0, global, so that one
 * network has one text. */
static nashc_status
check_head(geno_in *in, const int (*size)[2])
{
    nashc_geno_head *h = &in->g->head;
    const int *last = size[in->g->n_groups];
    int line = in->key_line[GENO_HEAD] ? in->key_line[GENO_HEAD] : 1;
    const char *why = NASHC_HAS(h->rule, why_not) && h->rule->why_not
                          ? h->rule->why_not(in->g, size, in->arena)
                          : NULL;
    if (!h->rule->pools && (h->pool || h->poolbits != 4 || h->round))
        return geno_fault_at(in, 2, line, 1, "a head of kind %s has no pool, poolbits and trunc",
                             h->kind);
    if (!h->rule->skips && h->add)
        return geno_fault_at(in, 2, line, 1, "a head of kind %s has no skip", h->kind);
    if (why)
        return geno_fault_at(in, 9, line, 1, "%s", why);
    if (h->pool > last[0] || h->pool > last[1])
        return geno_fault_at(in, 9, line, 1, "a head pool of %d does not fit the last map, %dx%d",
                             h->pool, last[0], last[1]);
    if (h->pool == last[0] && h->pool == last[1])
        h->pool = 0; /* the whole map, in one way only */
    return NASHC_OK;
}

/* Strides multiply; the product is cut at 2^20, beyond any input. */
static nashc_status
check_map(geno_in *in)
{
    nashc_genotype *g = in->g;
    int64_t stride = (int64_t)g->stem.stride * (g->stem.pool ? g->stem.pool_stride : 1);
    int line = in->key_line[GENO_INPUT] ? in->key_line[GENO_INPUT] : 1;
    int size[GENO_MAX_GROUPS + 1][2];
    geno_map_sizes(g, size);
    const int *last = size[g->n_groups];
    for (int i = 0; i < g->n_groups; i++)
        stride = stride * g->group[i].stride > 1 << 20 ? 1 << 20 : stride * g->group[i].stride;
    if (g->input.h < stride || g->input.w < stride || !last[0] || !last[1])
        return geno_fault_at(in, 9, line, 1,
                             "an input of %dx%d is smaller than the total stride, %d", g->input.h,
                             g->input.w, (int)stride);
    return check_head(in, (const int(*)[2])size);
}

/* With mean or std the network counts in codes of the input, and a scale besides would say it
 * twice. */
static nashc_status
check_input(geno_in *in)
{
    const nashc_geno_input *x = &in->g->input;
    const int n[] = {x->n_scale, x->n_mean, x->n_std};
    int line = in->key_line[GENO_INPUT] ? in->key_line[GENO_INPUT] : 1;
    for (int i = 0; i < 3; i++)
        if (n[i] > 1 && (n[i] != x->c || i == 0))
            return geno_fault_at(in, 2, line, 1,
                                 i ? "%d numbers for %d channels" : "%d scales: the input has one",
                                 n[i], x->c);
    if (x->n_scale && (x->n_mean || x->n_std))
        return geno_fault_at(in, 2, line, 1,
                             "scale beside mean or std: these count in codes, whose scale is 1");
    for (int i = 0; i < x->n_scale; i++)
        if (x->scale[i] <= 0)
            return geno_fault_at(in, 2, line, 1, "the scale of the input must be positive");
    for (int i = 0; i < x->n_std; i++)
        if (x->std[i] <= 0)
            return geno_fault_at(in, 2, line, 1, "a standard deviation must be positive");
    return NASHC_OK;
}

/* In order: what later rules take for granted is checked by earlier ones. Sizes of maps go along
 * with the groups. */
nashc_status
geno_check(geno_in *in)
{
    const nashc_genotype *g = in->g;
    int h = behind_stem(&g->stem, g->input.h), w = behind_stem(&g->stem, g->input.w);
    nashc_status s = check_groups(in);
    if (s == NASHC_OK)
        s = check_bits(in);
    if (s == NASHC_OK)
        s = check_input(in);
    if (s == NASHC_OK)
        s = check_map(in);
    for (int i = 0; i < g->n_groups && s == NASHC_OK; i++) {
        s = check_channels(in, i);
        for (int k = 0; k < g->group[i].n_steps && g->group[i].edge && s == NASHC_OK; k++)
            s = check_edge(in, i, &g->group[i].edge[k], h % 2 == 0 && w % 2 == 0);
        h = (h + g->group[i].stride - 1) / g->group[i].stride;
        w = (w + g->group[i].stride - 1) / g->group[i].stride;
    }
    return s;
}
