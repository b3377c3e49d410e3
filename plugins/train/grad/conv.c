/* conv.c: gradients of nn.conv and nn.conv_transpose: three products over blocks of samples
 * (lanes/product.h), with the roles of the maps turned in the second. */
#include "plugins/train/grad/rules.h"
#include "plugins/train/lanes/coded.h"
#include "plugins/train/lanes/winograd.h"

typedef struct conv {
    train_product p;
    bool transposed;             /* x has the windows, y is the image */
    int64_t channels, positions; /* of y */
} conv;

static nashc_status
setup(const nashc_grad_call *c, conv *v)
{
    const nashc_type *x = c->in[0].type, *w = c->in[1].type, *y = c->out[0].type;
    int64_t group = nashc_node_int(c->node, "group");
    train_window window;

    *v = (conv){.transposed = nashc_node_is(c->node, "nn.conv_transpose")};
    nashc_status s =
        train_window_of(c, v->transposed ? y : x, v->transposed ? x : y, w->dim + 2, &window);
    if (s == NASHC_OK)
        v->p = train_product_conv(&window, group, w->dim[1], w->dim[0] / group);
    v->channels = y->dim[1];
    v->positions = nashc_type_count(y) / v->channels;
    return s;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    conv v;
    nashc_status s = setup(c, &v);

    if (s == NASHC_OK && !(c->flags & NASHC_GRAD_BLOCKS))
        return nashc_node_unsup(c->diag, c->node, "training convolves samples only");
    *saved = 0;
    *scratch = s == NASHC_OK ? train_product_scratch(&v.p, c->batch, c->n_threads) : 0;
    return s;
}

static nashc_status
forward(const nashc_grad_call *c)
{
    const float *x = c->in[0].v, *w = c->in[1].v, *bias = c->n_in > 2 ? c->in[2].v : NULL;
    conv v;
    nashc_status s = setup(c, &v);

    if (s != NASHC_OK)
        return s;
    if (v.transposed)
        train_product_scatter(c, &v.p, x, w, bias, false, c->out[0].v);
    else if (!train_product_gather_codes(c, &v.p, bias, c->out[0].v))
        train_product_gather(c, &v.p, x, w, bias, false, c->out[0].v);
    return NASHC_OK;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    const float *x = c->in[0].v, *w = c->in[1].v, *g = c->out[0].g;
    float *dx = c->in[0].g, *dw = c->in[1].g;
    bool add_x = !(c->sets & 1u), add_w = !(c->sets & 2u);
    conv v;
    nashc_status s = setup(c, &v);

    if (s != NASHC_OK)
        return s;
    const float *image = v.transposed ? g : x, *windows = v.transposed ? x : g;
    if (dw && !train_winograd_weights(c, &v.p, image, windows, add_w, dw))
        train_product_weights(c, &v.p, image, windows, add_w, dw);
    if (dx && v.transposed)
        train_product_gather(c, &v.p, g, w, NULL, add_x, dx);
    else if (dx && !train_winograd_scatter(c, &v.p, g, w, add_x, dx))
        train_product_scatter(c, &v.p, g, w, NULL, add_x, dx);
    if (c->n_in > 2 && c->in[2].g)
        train_product_bias(c, v.transposed ? &v.p.image : &v.p.windows, v.channels, v.positions, g,
                           c->in[2].g);
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,      .trains = 6,
                                .sizes = sizes,         .forward = forward, .backward = backward,
                                .blocks = train_blocks, .sets = 3};
const nashc_impl train_grad_conv = NASHC_IMPL_GRAD("nn.conv", &rule);
const nashc_impl train_grad_conv_transpose = NASHC_IMPL_GRAD("nn.conv_transpose", &rule);
