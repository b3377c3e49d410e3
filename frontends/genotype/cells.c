/* cells.c: one group: backbone layers, and behind each the branch that the genotype adds.
 *
 *     b = layer(u)                      at the end of a block: b = q4(b) + q4(shortcut)
 *     P = q4(b) + q4(branch(S_j))       S_{k+1} = q(P), u = q3(P)
 *
 * A baseline has no branches: u = q3(b). */
#include "frontends/genotype/net.h"

#define MAX_STEPS 64

typedef struct cell {
    nashc_geno_net *n;
    const nashc_geno_group *g;
    const nashc_backbone_group *p;
    int index, before; /* number of the group; channels of its input */
    int layer, step;   /* next layer, current step */
    int block;
    bool baseline;
    geno_scale q4, q, q3;
    nashc_value *state[MAX_STEPS + 1];
    nashc_value *u, *block_in;
} cell;

/* --- scales ---------------------------------------------------------------------------------- */

/* q4 of sums, q of states, q3 of the backbone: of the group, or of the block in some baselines. */
static void
set_scales(cell *c)
{
    const nashc_genotype *g = c->n->g;
    const nashc_geno_bits *b = &c->g->bits;
    double act = g->act_max;
    /* A group of its own width starts where that width starts, unless the text says otherwise. */
    static const double max[] = {1.0, 1.5, 2.5, 4.0, 6.0, 8.0, 10.0, 10.0};
    if (act == max[g->bits.act - 1])
        act = max[b->act - 1];
    const char *scope = c->baseline && g->backbone->block_scales
                            ? geno_name(c->n, "group%d.block%d", c->index, c->block)
                            : geno_name(c->n, "group%d", c->index);
    c->q4 = (geno_scale){NULL, geno_name(c->n, "%s.q4", scope), b->resid, true, g->resid_max};
    c->q = (geno_scale){NULL, geno_name(c->n, "%s.q", scope), b->state, false, g->state_max};
    c->q3 = (geno_scale){NULL, geno_name(c->n, "%s.q3", scope), b->act, false, act};
}

/* Named by group, step and part, so that a message or a picture says where it is. */
static nashc_value *
quant(cell *c, geno_scale *s, nashc_value *x, const char *what)
{
    return geno_quant(c->n, s, x,
                      geno_name(c->n, "group%d.step%d.%s", c->index, c->step + 1, what));
}

static nashc_value *
sum(cell *c, nashc_value *a, nashc_value *b, const char *what)
{
    nashc_value *in[] = {quant(c, &c->q4, a, geno_name(c->n, "%s.q4a", what)),
                         quant(c, &c->q4, b, geno_name(c->n, "%s.q4b", what))};
    nashc_geno_net_at(c->n, geno_name(c->n, "group%d.step%d", c->index, c->step + 1), what);
    return nashc_geno_net_op(c->n, "nn.add", in, 2, "%s", "");
}

/* --- backbone -------------------------------------------------------------------------------- */

/* Convolution k of the current block, with its batch normalisation. Layers of a group are numbered
 * through, as files of weights name them; only the first block has the stride. */
static nashc_value *
layer(cell *c, int k, nashc_value *x)
{
    const nashc_backbone_conv *v = &c->p->block->conv[k];
    int block_in = c->block ? c->g->channels : c->before;
    const char *scope = geno_name(c->n, "group%d.layer%d", c->index, c->layer++);
    nashc_geno_conv conv = {.name = "conv",
                            .kernel = v->kernel,
                            .stride = v->strided && c->block == 0 ? c->g->stride : 1,
                            .dilation = 1,
                            .wbits = c->g->bits.weight,
                            .pad = -1,
                            .depthwise = v->depthwise};
    conv.out = (v->of_input ? block_in : c->g->channels) * v->mul / v->div;
    if (v->depthwise && x)
        conv.out = (int)nashc_value_type(x)->dim[1];
    return nashc_geno_net_bn(c->n, scope, nashc_geno_net_conv(c->n, scope, x, &conv));
}

/* What goes past the block; NULL: nothing does. The genotype chooses that of the first block. */
static nashc_value *
shortcut(cell *c)
{
    const char *scope = geno_name(c->n, "group%d.down", c->index);
    nashc_geno_down kind = c->block ? c->p->rest : c->g->down;
    nashc_geno_conv conv = {.name = "conv",
                            .kernel = 1,
                            .stride = c->g->stride,
                            .dilation = 1,
                            .out = c->g->channels,
                            .wbits = c->g->bits.down};
    if (kind == NASHC_DOWN_NONE)
        return NULL;
    if (kind == NASHC_DOWN_IDENTITY)
        return c->block_in;
    return nashc_geno_net_bn(c->n, scope, nashc_geno_net_conv(c->n, scope, c->block_in, &conv));
}

/* The layers of one step, one convolution or a whole block, and the sum with the shortcut where a
 * block ends (*closes). Within a block q3 stands between convolutions. */
static nashc_value *
backbone(cell *c, bool *closes)
{
    const nashc_backbone_block *block = c->p->block;
    int from = block->conv_is_step ? c->step % block->n_convs : 0;
    int to = block->conv_is_step ? from + 1 : block->n_convs;
    nashc_value *b = c->u, *id;
    for (int k = from; k < to; k++) {
        b = layer(c, k, b);
        if (k + 1 < to)
            b = quant(c, &c->q3, b, geno_name(c->n, "inner%d.q3", k));
    }
    *closes = to == block->n_convs;
    id = *closes ? shortcut(c) : NULL;
    return id ? sum(c, b, id, "shortcut") : b;
}

/* --- branches -------------------------------------------------------------------------------- */

/* NULL without a failure: "none". */
static nashc_value *
branch(cell *c, const nashc_geno_edge *e)
{
    int kernel;
    bool first = e->source == 0;
    const nashc_primitive *p = nashc_geno_primitive(c->n->ctx, e->op, &kernel);
    nashc_branch b = {.x = c->state[e->source],
                      /* state 0 is the group's input: other channels, larger map */
                      .in = first ? c->before : c->g->channels,
                      .out = c->g->channels,
                      .stride = first ? c->g->stride : 1,
                      .wbits = e->wbits,
                      .nas = c->g->bits.nas,
                      .kernel = kernel,
                      .scope = geno_name(c->n, "group%d.branch%d", c->index, c->step)};
    return p && p->build ? p->build(c->n, &b) : NULL;
}

/* Does a later step read the state that this one leaves? */
static bool
read_later(const cell *c)
{
    for (int k = c->step + 1; k < c->g->n_steps; k++)
        if (c->g->edge[k].source == c->step + 1)
            return true;
    return false;
}

/* --- the group ------------------------------------------------------------------------------- */

/* Without a branch the sum is still quantised by q4, so that what follows has the same scale. A
 * state that no later step reads is not made. */
static void
step(cell *c)
{
    bool closes;
    const nashc_geno_edge *e = c->baseline ? NULL : &c->g->edge[c->step];
    nashc_value *b = backbone(c, &closes);
    nashc_value *a = e ? branch(c, e) : NULL;
    if (a)
        b = sum(c, b, a, "branch");
    else if (e)
        b = quant(c, &c->q4, b, "q4");
    if (e && read_later(c))
        c->state[c->step + 1] = quant(c, &c->q, b, "q");
    c->u = quant(c, &c->q3, b, "q3");
    if (closes)
        c->block_in = c->u;
}

/* Scales are made anew for each group, in some baselines for each block; steps share them, which is
 * what lets states be added without rescaling. */
nashc_value *
geno_group(nashc_geno_net *n, int i, int channels, nashc_value *x)
{
    const nashc_backbone_group *p = &n->g->backbone->group[i];
    int steps_a_block = p->block->conv_is_step ? p->block->n_convs : 1;
    cell c = {.n = n,
              .g = &n->g->group[i],
              .p = p,
              .index = i,
              .before = channels,
              .baseline = n->g->version == NASHC_GENO_BASELINE,
              .u = x,
              .block_in = x};
    c.state[0] = x;
    for (; c.step < c.g->n_steps && n->status == NASHC_OK; c.step++) {
        c.block = c.step / steps_a_block;
        if (c.step == 0 ||
            (c.baseline && n->g->backbone->block_scales && c.step % steps_a_block == 0))
            set_scales(&c);
        step(&c);
    }
    return c.u;
}
