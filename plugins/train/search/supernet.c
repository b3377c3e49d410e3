/* supernet.c: the graph in which all candidates of all edges stand beside the backbone.
 *
 *     B_i = layer(S_i)  + shortcut where a block ends        i = 0 .. steps - 1
 *     P_i = B_i + sum over j = 0 .. i of choice(S_j)
 *     S_{i+1} = act(P_i)
 *
 * S_0 is the group's input, its output the last state. Shortcut: down(S_0) in the first block, else
 * the state that the block begins with.
 */
#include "plugins/train/search/space.h"
#include <math.h>
#include <string.h>

#define MAX_STEPS 64

static const search_form form_tanh = {
    "tanh",       "backbone in floats, states behind tanh, branches binary",
    false,        true,
    true,         false,
    SEARCH_BINARY};
static const search_form form_binary = {
    "binary",     "backbone and branches binary, states as they are", true, false, false, true,
    SEARCH_BINARY};
static const search_form form_float = {
    "float",     "backbone binary, branches in floats behind tanh", true, false, false, false,
    SEARCH_FLOAT};
static const search_form form_deploy = {
    "deploy",     "backbone in floats, states behind tanh, branches as they are trained",
    false,        true,
    true,         false,
    SEARCH_DEPLOY};

const search_form *const search_forms[] = {&form_tanh, &form_binary, &form_float, &form_deploy,
                                           NULL};

const search_form *
search_form_named(const char *name)
{
    for (int i = 0; search_forms[i]; i++)
        if (strcmp(search_forms[i]->name, name) == 0)
            return search_forms[i];
    return NULL;
}

/* --- one group ------------------------------------------------------------------------------- */

typedef struct cell {
    search_build *b;
    const search_group *g;
    search_state state[MAX_STEPS + 1];
    int layer; /* next convolution of the backbone */
} cell;

/* Convolution k of a block, with its batch normalisation; x: its input. */
static nashc_value *
layer(cell *c, int block, int k, search_state *x)
{
    const nashc_backbone_conv *v = &c->g->blocks->block->conv[k];
    const search_form *form = c->b->space->form;
    int in = x->x ? (int)nashc_value_type(x->x)->dim[1] : 1;
    int from = v->of_input ? (block ? c->g->out : c->g->in) : c->g->out;
    const char *scope = search_name(c->b, "%slayer%d", c->g->scope, c->layer++);
    search_conv conv = {.name = search_name(c->b, "%s.conv", scope),
                        .out = v->depthwise ? in : from * v->mul / v->div,
                        .kernel = v->kernel,
                        .stride = v->strided && block == 0 ? c->g->stride : 1,
                        .pad = (v->kernel - 1) / 2,
                        .dilation = 1,
                        .group = v->depthwise ? in : 1};
    nashc_value *y = search_put_conv(c->b, form->binary ? search_sign(c->b, x) : x->x, &conv,
                                     form->binary ? SEARCH_BINARY : SEARCH_FLOAT);

    return search_put_bn(c->b, y, scope);
}

/* What goes past a block; NULL: nothing does. It is in floats in all searches. */
static nashc_value *
shortcut(cell *c, int block, search_state *begin)
{
    const char *scope = search_name(c->b, "%sdown", c->g->scope);
    nashc_geno_down kind = block ? c->g->blocks->rest : c->g->down;
    search_conv conv = {.name = search_name(c->b, "%s.conv", scope),
                        .out = c->g->out,
                        .kernel = 1,
                        .stride = c->g->stride,
                        .dilation = 1,
                        .group = 1};

    if (kind == NASHC_DOWN_NONE)
        return NULL;
    if (kind == NASHC_DOWN_IDENTITY)
        return begin->x;
    return search_put_bn(c->b, search_put_conv(c->b, begin->x, &conv, SEARCH_FLOAT), scope);
}

static nashc_value *
add(search_build *b, nashc_value *x, nashc_value *y)
{
    nashc_value *in[] = {x, y};

    return search_put_op(b, "nn.add", in, 2, "%s", "");
}

/* The layers of step i: a convolution, or a whole block with tanh between its convolutions. */
static nashc_value *
backbone(cell *c, int i)
{
    const nashc_backbone_block *p = c->g->blocks->block;
    int steps = p->conv_is_step ? p->n_convs : 1, block = i / steps;
    int from = p->conv_is_step ? i % steps : 0, to = p->conv_is_step ? from + 1 : p->n_convs;
    search_state between, *x = &c->state[i];
    nashc_value *y = NULL;

    for (int k = from; k < to; k++) {
        y = layer(c, block, k, x);
        between = (search_state){.x = y};
        if (k + 1 < to && c->b->space->form->tanh)
            between.x = search_put_op(c->b, "nn.tanh", &y, 1, "%s", "");
        x = &between;
    }
    if (to < p->n_convs)
        return y;
    nashc_value *id = shortcut(c, block, &c->state[block * steps]);
    return id ? add(c->b, y, id) : y;
}

/* The choice of the edge from state j to step i. */
static nashc_value *
mixed(cell *c, int i, int j)
{
    const search_space *s = c->b->space;
    nashc_value *in[SEARCH_MAX_OPS + 1] = {c->state[j].x};

    for (int k = 0; k < s->n_ops; k++) {
        bool absent;
        search_place p = {.op = &s->op[k],
                          .from = &c->state[j],
                          .in = j ? c->g->out : c->g->in,
                          .out = c->g->out,
                          .stride = j ? 1 : c->g->stride,
                          .scope = search_name(c->b, "%sedge%d.%s", c->g->scope,
                                               i * (i + 1) / 2 + j, s->op[k].tag)};
        in[k + 1] = search_put_candidate(c->b, &p, &absent);
        if (s->barred && !search_fits(&p))
            s->barred[search_edge(c->g, i, j)] |= (uint64_t)1 << k;
        if (!absent && !in[k + 1])
            return NULL;
    }
    return in[0] ? nashc_build_op(c->b->b, "search.choice", in, s->n_ops + 1, "%s", "") : NULL;
}

nashc_value *
search_put_group(search_build *b, const search_group *g, nashc_value *x)
{
    cell c = {.b = b, .g = g};

    c.state[0].x = x;
    for (int i = 0; i < g->steps; i++) {
        nashc_value *p = backbone(&c, i);
        for (int j = 0; j <= i; j++)
            p = add(b, p, mixed(&c, i, j));
        if (b->space->form->tanh)
            p = search_put_op(b, "nn.tanh", &p, 1, "%s", "");
        c.state[i + 1].x = p;
    }
    return c.state[g->steps].x;
}

/* --- the whole ------------------------------------------------------------------------------- */

static nashc_value *
stem(search_build *b, nashc_value *x)
{
    const nashc_geno_stem *s = &b->space->geno->stem;
    search_conv c = {.name = "stem.conv",
                     .out = b->space->geno->width,
                     .kernel = s->kernel,
                     .stride = s->stride,
                     .pad = s->pad,
                     .dilation = 1,
                     .group = 1};
    int pad = (s->pool - 1) / 2;
    nashc_value *y = search_put_conv(b, x, &c, SEARCH_FLOAT);

    if (s->pool && !s->bn_first)
        y = search_put_op(b, "nn.maxpool", &y, 1,
                          "kernel=[%d,%d] stride=[%d,%d] pads=[%d,%d,%d,%d]", s->pool, s->pool,
                          s->pool_stride, s->pool_stride, pad, pad, pad, pad);
    y = search_put_bn(b, y, "stem");
    if (s->pool && s->bn_first)
        y = search_put_op(b, "nn.maxpool", &y, 1,
                          "kernel=[%d,%d] stride=[%d,%d] pads=[%d,%d,%d,%d]", s->pool, s->pool,
                          s->pool_stride, s->pool_stride, pad, pad, pad, pad);
    return b->space->form->relu ? search_put_op(b, "nn.relu", &y, 1, "%s", "") : y;
}

/* Mean over the map, classifier. */
static nashc_value *
head(search_build *b, nashc_value *x)
{
    const search_form *f = b->space->form;
    bool bias = f->classes || f->branch == SEARCH_FLOAT;
    nashc_value *y = f->classes ? search_put_op(b, "nn.relu", &x, 1, "%s", "") : x;

    y = search_put_op(b, "nn.global_avgpool", &y, 1, "%s", "");
    if (!y)
        return NULL;
    int64_t features = nashc_value_type(y)->dim[1], dim[] = {b->space->geno->classes, features};
    double deviation = 1.0 / sqrt(3.0 * (double)features); /* of uniform +-1 / sqrt(features) */
    nashc_value *in[] = {search_put_op(b, "nn.reshape", &y, 1, "shape=[1,%d]", (int)features),
                         search_put_param(b, "head.fc.weight", 2, dim, 0.0, deviation),
                         bias ? search_put_param(b, "head.fc.bias", 1, dim, 0.0, deviation) : NULL};
    return search_put_op(b, "nn.gemm", in, 2 + bias, "trans_b=true");
}

nashc_status
search_supernet(nashc_ctx *c, const search_space *s, uint64_t seed, nashc_module **out,
                nashc_diag *d)
{
    const nashc_geno_input *p = &s->geno->input;
    int64_t dim[] = {1, p->c, p->h, p->w};
    nashc_type t = nashc_type_shaped(nashc_type_f32(), 4, dim);
    nashc_module *m = nashc_module_create(c);
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_value *x = g ? nashc_graph_add_input(g, "input", &t) : NULL;
    search_build b = {.space = s, .b = x ? nashc_build_create(g, d) : NULL, .seed = seed};
    nashc_status status = NASHC_OK;

    if (!b.b)
        status = nashc_enomem(d);
    if (status == NASHC_OK) {
        b.a = nashc_build_arena(b.b);
        x = stem(&b, x);
        for (int i = 0; i < s->n_groups; i++)
            x = search_put_group(&b, &s->group[i], x);
        x = head(&b, x);
        status = nashc_build_status(b.b);
    }
    if (status == NASHC_OK) {
        nashc_graph_add_output(g, "scores", x);
        *out = m;
    }
    if (status != NASHC_OK && m)
        nashc_module_free(m);
    return status;
}
