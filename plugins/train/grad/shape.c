/* shape.c: gradients of ops that move elements: what went to a place comes back from it. */
#include "plugins/train/grad/rules.h"
#include <string.h>

static const nashc_grad view_rule = {NASHC_DESC(nashc_grad), .flags = NASHC_GRAD_VIEW};
const nashc_impl train_grad_reshape = NASHC_IMPL_GRAD("nn.reshape", &view_rule);
const nashc_impl train_grad_identity = NASHC_IMPL_GRAD("nn.identity", &view_rule);

/* --- elements of the result that come from one place each: nn.transpose, nn.slice, nn.pad ------
 */

/* Element i of the box (a part of the result) is x[from + sum i_a * stride_a]. */
typedef struct walk {
    const nashc_grad_call *c;
    nashc_type box;
    int64_t from, to;                  /* first elements in x and in the result */
    int64_t stride[2][NASHC_MAX_RANK]; /* of x, of the result */
} walk;

static void
strides_of(const nashc_type *t, int64_t *stride)
{
    int64_t step = 1;

    for (int a = t->rank - 1; a >= 0; a--) {
        stride[a] = step;
        step *= t->dim[a];
    }
}

static void
walk_transpose(const nashc_grad_call *c, walk *w)
{
    int64_t x[NASHC_MAX_RANK];
    nashc_type t = nashc_grad_shape(c, &c->in[0]);
    int n;
    const int64_t *perm = nashc_node_ints(c->node, "perm", &n);

    strides_of(&t, x);
    w->box = nashc_grad_shape(c, &c->out[0]);
    strides_of(&w->box, w->stride[1]);
    for (int a = 0; a < n; a++)
        w->stride[0][a] = x[perm[a]];
}

static void
walk_slice(const nashc_grad_call *c, walk *w)
{
    nashc_type x = nashc_grad_shape(c, &c->in[0]);
    int n, k;
    const int64_t *starts = nashc_node_ints(c->node, "starts", &n),
                  *axes = nashc_node_ints(c->node, "axes", &k);
    const int64_t *steps = nashc_node_ints(c->node, "steps", &k);

    strides_of(&x, w->stride[0]);
    w->box = nashc_grad_shape(c, &c->out[0]);
    strides_of(&w->box, w->stride[1]);
    for (int i = 0; i < n; i++) {
        int64_t a = axes[i] < 0 ? axes[i] + x.rank : axes[i];
        w->from += starts[i] * w->stride[0][a];
        w->stride[0][a] *= steps[i];
    }
}

/* The part of the result that x fills; negative pads cut x. */
static void
walk_pad(const nashc_grad_call *c, walk *w)
{
    nashc_type x = nashc_grad_shape(c, &c->in[0]), y = nashc_grad_shape(c, &c->out[0]);
    int n;
    const int64_t *pads = nashc_node_ints(c->node, "pads", &n);

    strides_of(&x, w->stride[0]);
    strides_of(&y, w->stride[1]);
    w->box = x;
    for (int a = 0; a < x.rank; a++) {
        int64_t before = pads[a], behind = pads[a + x.rank];
        w->from += before < 0 ? -before * w->stride[0][a] : 0;
        w->to += before > 0 ? before * w->stride[1][a] : 0;
        w->box.dim[a] += (before < 0 ? before : 0) + (behind < 0 ? behind : 0);
    }
}

static void
walk_of(const nashc_grad_call *c, walk *w)
{
    *w = (walk){.c = c};
    if (nashc_node_is(c->node, "nn.transpose"))
        walk_transpose(c, w);
    else if (nashc_node_is(c->node, "nn.slice"))
        walk_slice(c, w);
    else
        walk_pad(c, w);
}

static void
copy_row(void *user, int64_t row, const int64_t *at)
{
    const walk *w = user;
    int last = w->box.rank - 1;
    const float *x = w->c->in[0].v + w->from + at[0];
    float *y = w->c->out[0].v + w->to + at[1];

    (void)row;
    for (int64_t i = 0; i < w->box.dim[last]; i++)
        y[i * w->stride[1][last]] = x[i * w->stride[0][last]];
}

static void
return_row(void *user, int64_t row, const int64_t *at)
{
    const walk *w = user;
    int last = w->box.rank - 1;
    float *dx = w->c->in[0].g + w->from + at[0];
    const float *g = w->c->out[0].g + w->to + at[1];

    (void)row;
    for (int64_t i = 0; i < w->box.dim[last]; i++)
        dx[i * w->stride[0][last]] += g[i * w->stride[1][last]];
}

/* Samples must stay what they are. */
static nashc_status
walk_sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    const nashc_node *n = c->node;
    int k = 0, rank = c->in[0].type->rank;
    bool moved = rank < 1;

    *saved = *scratch = 0;
    if (nashc_node_is(n, "nn.transpose"))
        moved = moved || nashc_node_ints(n, "perm", &k)[0] != 0;
    else if (nashc_node_is(n, "nn.pad"))
        moved = moved || nashc_node_ints(n, "pads", &k)[0] != 0 ||
                nashc_node_ints(n, "pads", &k)[rank] != 0;
    if (moved && c->in[0].batched)
        return nashc_node_unsup(c->diag, n, "training needs samples along the first axis");
    if (nashc_node_is(n, "nn.pad") &&
        (nashc_node_int(n, "mode") != 0 || (c->n_in > 1 && c->in[1].n > 1)))
        return nashc_node_unsup(c->diag, n, "training pads with one constant only");
    return NASHC_OK;
}

static nashc_status
walk_forward(const nashc_grad_call *c)
{
    walk w;

    walk_of(c, &w);
    if (nashc_node_is(c->node, "nn.pad")) {
        float value = c->n_in > 1 && c->in[1].v ? c->in[1].v[0] : 0.0f;
        for (int64_t i = 0; i < c->out[0].n; i++)
            c->out[0].v[i] = value;
    }
    train_rows(&w.box, 2, (const int64_t(*)[NASHC_MAX_RANK])w.stride, copy_row, &w);
    return NASHC_OK;
}

static nashc_status
walk_backward(const nashc_grad_call *c)
{
    walk w;

    walk_of(c, &w);
    if (c->in[0].g)
        train_rows(&w.box, 2, (const int64_t(*)[NASHC_MAX_RANK])w.stride, return_row, &w);
    return NASHC_OK;
}

static const nashc_grad walk_rule = {NASHC_DESC(nashc_grad), .sizes = walk_sizes,
                                     .forward = walk_forward, .backward = walk_backward};
const nashc_impl train_grad_transpose = NASHC_IMPL_GRAD("nn.transpose", &walk_rule);
const nashc_impl train_grad_slice = NASHC_IMPL_GRAD("nn.slice", &walk_rule);
const nashc_impl train_grad_pad = NASHC_IMPL_GRAD("nn.pad", &walk_rule);

/* --- nn.concat ------------------------------------------------------------------------------- */

static int
concat_axis(const nashc_grad_call *c)
{
    int64_t axis = nashc_node_int(c->node, "axis");

    return (int)(axis < 0 ? axis + c->out[0].type->rank : axis);
}

static nashc_status
concat_sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    *saved = *scratch = 0;
    for (int i = 0; i < c->n_in; i++)
        if (concat_axis(c) == 0 || c->in[i].batched != c->out[0].batched)
            return nashc_node_unsup(c->diag, c->node,
                                    "training needs samples along the first axis");
    return NASHC_OK;
}

/* Elements of one line of an operand or the result, from the axis on. */
static int64_t
line_size(const nashc_grad_call *c, const nashc_grad_arg *arg, int axis)
{
    const nashc_type *t = arg->type;
    int64_t n = c->flags & NASHC_GRAD_BLOCKS ? NASHC_GRAD_BLOCK : 1;

    for (int a = axis; a < t->rank; a++)
        n *= t->dim[a];
    return n;
}

static nashc_status
concat_forward(const nashc_grad_call *c)
{
    int axis = concat_axis(c);
    int64_t size = line_size(c, &c->out[0], axis), at = 0;

    for (int i = 0; i < c->n_in; i++) {
        int64_t part = line_size(c, &c->in[i], axis);
        for (int64_t line = 0; line < c->in[i].n / part; line++)
            memcpy(c->out[0].v + line * size + at, c->in[i].v + line * part,
                   (size_t)part * sizeof(float));
        at += part;
    }
    return NASHC_OK;
}

static nashc_status
concat_backward(const nashc_grad_call *c)
{
    int axis = concat_axis(c);
    int64_t size = line_size(c, &c->out[0], axis), at = 0;

    for (int i = 0; i < c->n_in; i++) {
        int64_t part = line_size(c, &c->in[i], axis);
        for (int64_t k = 0; c->in[i].g && k < c->in[i].n; k++)
            c->in[i].g[k] += c->out[0].g[k / part * size + at + k % part];
        at += part;
    }
    return NASHC_OK;
}

static const nashc_grad concat_rule = {NASHC_DESC(nashc_grad), .sizes = concat_sizes,
                                       .forward = concat_forward, .backward = concat_backward,
                                       .blocks = train_blocks};
const nashc_impl train_grad_concat = NASHC_IMPL_GRAD("nn.concat", &concat_rule);
