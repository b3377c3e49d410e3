/* primitives.c: how each primitive looks while it is searched. */
#include "plugins/train/search/space.h"
#include <string.h>

typedef nashc_value *put(search_build *b, const search_place *p);

/* --- convolutions ---------------------------------------------------------------------------- */

static nashc_value *
seen(search_build *b, search_state *s)
{
    search_weights kind = b->space->form->branch;

    return kind == SEARCH_BINARY  ? search_sign(b, s)
           : kind == SEARCH_FLOAT ? search_tanh(b, s)
                                  : s->x;
}

static int
bits(const search_build *b, const search_place *p)
{
    return p->op->wbits ? p->op->wbits : b->space->geno->bits.nas;
}

/* A width of its own asks for quantised weights, whatever the form. */
static search_weights
weights(const search_build *b, const search_place *p)
{
    return p->op->wbits > 1 ? SEARCH_DEPLOY : b->space->form->branch;
}

static nashc_value *
conv_and_bn(search_build *b, const search_place *p, int dilation, bool depthwise)
{
    search_conv c = {.name = search_name(b, "%s.conv", p->scope),
                     .out = p->out,
                     .kernel = p->op->kernel,
                     .stride = p->stride,
                     .pad = (p->op->kernel - 1) / 2 * dilation,
                     .dilation = dilation,
                     .group = depthwise ? p->in : 1,
                     .wbits = bits(b, p)};
    nashc_value *y = search_put_conv(b, seen(b, p->from), &c, weights(b, p));

    if (b->space->form->branch == SEARCH_BINARY)
        y = search_put_op(b, "nn.relu", &y, 1, "%s", "");
    return search_put_bn(b, y, p->scope);
}

static nashc_value *
conv(search_build *b, const search_place *p)
{
    return conv_and_bn(b, p, 1, false);
}

static nashc_value *
dil_conv(search_build *b, const search_place *p)
{
    return conv_and_bn(b, p, 2, false);
}

static nashc_value *
dw_conv(search_build *b, const search_place *p)
{
    return conv_and_bn(b, p, 1, true);
}

/* --- pooling --------------------------------------------------------------------------------- */

/* Channels are multiplied by putting the map beside itself. */
static nashc_value *
pool_and_bn(search_build *b, const search_place *p, const char *op)
{
    enum { MOST = 64 };
    nashc_value *copies[MOST];
    int times = p->out / p->in < MOST ? p->out / p->in : MOST;
    nashc_value *y = search_put_op(
        b, op, &p->from->x, 1, "kernel=[3,3] pads=[1,1,1,1] stride=[%d,%d]", p->stride, p->stride);

    for (int i = 0; i < times; i++)
        copies[i] = y;
    if (times > 1)
        y = search_put_op(b, "nn.concat", copies, times, "axis=1");
    return search_put_bn(b, y, p->scope);
}

static nashc_value *
max_pool(search_build *b, const search_place *p)
{
    return pool_and_bn(b, p, "nn.maxpool");
}

static nashc_value *
avg_pool(search_build *b, const search_place *p)
{
    return pool_and_bn(b, p, "nn.avgpool");
}

/* --- skip ------------------------------------------------------------------------------------ */

/* Half of the channels from the even points, half from those one down and to the right. */
static nashc_value *
skip_connect(search_build *b, const search_place *p)
{
    const nashc_type *t = nashc_value_type(p->from->x);
    bool deploy = b->space->form->branch == SEARCH_DEPLOY;
    search_conv c = {.name = search_name(b, "%s.conv_a", p->scope),
                     .out = p->out / 2,
                     .kernel = 1,
                     .stride = p->stride,
                     .dilation = 1,
                     .group = 1,
                     .wbits = 4};
    nashc_value *x, *half[2];

    if (p->stride == 1 && p->in == p->out)
        return p->from->x;
    x = deploy ? p->from->x : search_sign(b, p->from);
    half[0] = search_put_conv(b, x, &c, deploy ? SEARCH_DEPLOY : SEARCH_BINARY);
    if (p->stride > 1)
        x = search_put_op(b, "nn.slice", &x, 1, "starts=[1,1] ends=[%d,%d] axes=[2,3] steps=[1,1]",
                          (int)t->dim[2], (int)t->dim[3]);
    c.name = search_name(b, "%s.conv_b", p->scope);
    half[1] = search_put_conv(b, x, &c, deploy ? SEARCH_DEPLOY : SEARCH_BINARY);
    nashc_value *y = search_put_op(b, "nn.concat", half, 2, "axis=1");
    if (b->space->form->branch == SEARCH_BINARY)
        y = search_put_op(b, "nn.relu", &y, 1, "%s", "");
    return search_put_bn(b, y, p->scope);
}

/* --- by name --------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* without the kernel, which follows */
    bool kernel;
    put *put; /* NULL: zeros */
} primitives[] = {
    {"none", false, NULL},
    {"skip_connect", false, skip_connect},
    {"max_pool_3x3", false, max_pool},
    {"avg_pool_3x3", false, avg_pool},
    {"conv_", true, conv},
    {"dil_conv_", true, dil_conv},
    {"dw_conv_", true, dw_conv},
};

static int
find(const char *op)
{
    for (size_t i = 0; i < NASHC_COUNT(primitives); i++)
        if (primitives[i].kernel ? strncmp(op, primitives[i].name, strlen(primitives[i].name)) == 0
                                 : strcmp(op, primitives[i].name) == 0)
            return (int)i;
    return -1;
}

bool
search_has_form(const char *op)
{
    return find(op) >= 0;
}

bool
search_fits(const search_place *p)
{
    const nashc_type *t = p->from->x ? nashc_value_type(p->from->x) : NULL;

    return !t || p->stride == 1 || strcmp(p->op->name, "skip_connect") != 0 ||
           (t->dim[2] % 2 == 0 && t->dim[3] % 2 == 0);
}

nashc_value *
search_put_candidate(search_build *b, const search_place *p, bool *absent)
{
    put *f = primitives[find(p->op->name)].put;

    *absent = !f || !search_fits(p);
    return !*absent && p->from->x ? f(b, p) : NULL;
}
