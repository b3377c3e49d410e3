/* pool.c: gradients of pooling over windows and over whole maps. A maximum sends its gradient to
 * the first largest element in row order; a mean spreads it over the elements that were counted. */
#include "plugins/train/grad/rules.h"
#include "plugins/train/grad/window.h"
#include <math.h>
#include <nashc/clones.h>
#include <string.h>

typedef enum { MAX, MEAN, SUM } kind;

typedef struct pool {
    const nashc_grad_call *c;
    kind kind;
    bool count_pad;
    train_window w;
    int64_t pad_bottom, pad_right;
} pool;

static int64_t
bottom_pad(const nashc_node *n, int at, int64_t def)
{
    int count;
    const int64_t *v = nashc_node_ints(n, "pads", &count);

    return at < count ? v[at] : def;
}

static nashc_status
setup(const nashc_grad_call *c, pool *p)
{
    const char *op = nashc_node_opname(c->node);
    const nashc_type *x = c->in[0].type;
    bool global =
        nashc_node_is_any(c->node, (const char *const[]){"nn.global_maxpool", "nn.global_avgpool",
                                                         "nn.global_sumpool", NULL});
    char letter = global ? op[10] : op[3]; /* nn.global_xpool, nn.xpool */
    *p = (pool){.c = c, .kind = letter == 'm' ? MAX : letter == 'a' ? MEAN : SUM};
    nashc_status s = train_window_of(c, x, c->out[0].type, global ? x->dim + 2 : NULL, &p->w);
    int axes = x->rank - 2;
    p->count_pad = nashc_node_bool(c->node, "count_include_pad");
    p->pad_bottom = axes > 1 ? bottom_pad(c->node, axes, 0) : 0;
    p->pad_right = bottom_pad(c->node, 2 * axes - 1, 0);
    return s;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    pool p;
    nashc_status s = setup(c, &p);

    if (s == NASHC_OK && !(c->flags & NASHC_GRAD_BLOCKS))
        return nashc_node_unsup(c->diag, c->node, "training pools samples only");
    *scratch = 0;
    *saved = p.kind == MAX ? (size_t)c->out[0].n * sizeof(int32_t) : 0;
    return s;
}

/* Elements of the window at (oy, ox): calls nothing, fills the taps that lie inside. */
typedef struct span {
    int64_t y0, x0, ky0, ky1, kx0, kx1;
} span;

static span
span_of(const train_window *w, int64_t oy, int64_t ox)
{
    span s = {.y0 = oy * w->sh - w->top, .x0 = ox * w->sw - w->left};

    train_inside(s.y0, w->dh, w->h, w->kh, &s.ky0, &s.ky1);
    train_inside(s.x0, w->dw, w->w, w->kw, &s.kx0, &s.kx1);
    return s;
}

/* How many elements a mean divides by. */
static float
divisor(const pool *p, const span *s)
{
    const train_window *w = &p->w;
    int64_t lo, y, x;

    if (!p->count_pad)
        return (float)((s->ky1 - s->ky0) * (s->kx1 - s->kx0));
    train_inside(s->y0 + w->top, w->dh, w->top + w->h + p->pad_bottom, w->kh, &lo, &y);
    train_inside(s->x0 + w->left, w->dw, w->left + w->w + p->pad_right, w->kw, &lo, &x);
    return (float)(y * x);
}

/* Of one window of a map in blocks: y, and for a maximum where it was, of every sample. */
NASHC_CLONES static void
pool_one(const pool *p, const span *s, const float *x, float *y, int32_t *where)
{
    const train_window *w = &p->w;
    float v[NASHC_GRAD_BLOCK], factor = p->kind == MEAN ? 1.0f / divisor(p, s) : 1.0f;
    int32_t at[NASHC_GRAD_BLOCK];

    for (int k = 0; k < NASHC_GRAD_BLOCK; k++) {
        v[k] = p->kind == MAX ? -INFINITY : 0.0f;
        at[k] = -1;
    }
    for (int64_t ky = s->ky0; ky < s->ky1; ky++)
        for (int64_t kx = s->kx0; kx < s->kx1; kx++) {
            int32_t i = (int32_t)((s->y0 + ky * w->dh) * w->w + s->x0 + kx * w->dw);
            const float *from = x + (int64_t)i * NASHC_GRAD_BLOCK;
            for (int k = 0; p->kind != MAX && k < NASHC_GRAD_BLOCK; k++)
                v[k] += from[k];
            for (int k = 0; p->kind == MAX && k < NASHC_GRAD_BLOCK; k++) {
                bool more = from[k] > v[k] || at[k] < 0;
                v[k] = more ? from[k] : v[k];
                at[k] = more ? i : at[k];
            }
        }
    for (int k = 0; k < NASHC_GRAD_BLOCK; k++)
        y[k] = p->kind == MEAN ? v[k] * factor : v[k];
    if (p->kind == MAX)
        memcpy(where, at, sizeof at);
}

/* Items are maps: a channel of a block. */
static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const pool *p = arg;
    const train_window *w = &p->w;
    int64_t size = w->out_h * w->out_w;

    (void)thread;
    for (int64_t map = lo; map < hi; map++)
        for (int64_t o = 0; o < size; o++) {
            span s = span_of(w, o / w->out_w, o % w->out_w);
            int64_t at = (map * size + o) * NASHC_GRAD_BLOCK;
            pool_one(p, &s, p->c->in[0].v + map * w->h * w->w * NASHC_GRAD_BLOCK,
                     p->c->out[0].v + at, (int32_t *)p->c->saved + (p->kind == MAX ? at : 0));
        }
}

/* Adds the gradient of one window to the elements that had part in it; where: of a maximum. */
NASHC_CLONES static void
spread(const pool *p, const span *s, const float *g, const int32_t *where, float *dx)
{
    const train_window *w = &p->w;
    float factor = p->kind == MEAN ? 1.0f / divisor(p, s) : 1.0f;

    for (int64_t ky = s->ky0; ky < s->ky1; ky++)
        for (int64_t kx = s->kx0; kx < s->kx1; kx++) {
            int32_t i = (int32_t)((s->y0 + ky * w->dh) * w->w + s->x0 + kx * w->dw);
            float *to = dx + (int64_t)i * NASHC_GRAD_BLOCK;
            for (int k = 0; p->kind != MAX && k < NASHC_GRAD_BLOCK; k++)
                to[k] += g[k] * factor;
            for (int k = 0; p->kind == MAX && k < NASHC_GRAD_BLOCK; k++)
                to[k] += where[k] == i ? g[k] : 0.0f;
        }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const pool *p = arg;
    const train_window *w = &p->w;
    int64_t size = w->out_h * w->out_w, all = w->h * w->w * NASHC_GRAD_BLOCK;

    (void)thread;
    for (int64_t map = lo; map < hi; map++) {
        float *dx = p->c->in[0].g + map * all;
        if (p->c->sets & 1u)
            memset(dx, 0, (size_t)all * sizeof *dx);
        for (int64_t o = 0; o < size; o++) {
            span s = span_of(w, o / w->out_w, o % w->out_w);
            int64_t at = (map * size + o) * NASHC_GRAD_BLOCK;
            spread(p, &s, p->c->out[0].g + at,
                   (const int32_t *)p->c->saved + (p->kind == MAX ? at : 0), dx);
        }
    }
}

static nashc_status
run(const nashc_grad_call *c, nashc_grad_job *part)
{
    pool p;
    nashc_status s = setup(c, &p);

    if (s == NASHC_OK)
        nashc_grad_parallel(c, nashc_grad_n_blocks(c) * p.w.channels, part, &p);
    return s;
}

static nashc_status
forward(const nashc_grad_call *c)
{
    return run(c, forward_part);
}

static nashc_status
backward(const nashc_grad_call *c)
{
    return run(c, backward_part);
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .sizes = sizes,         .forward = forward,
                                .backward = backward,   .blocks = train_blocks, .sets = 1};
const nashc_impl train_grad_maxpool = NASHC_IMPL_GRAD("nn.maxpool", &rule);
const nashc_impl train_grad_avgpool = NASHC_IMPL_GRAD("nn.avgpool", &rule);
const nashc_impl train_grad_sumpool = NASHC_IMPL_GRAD("nn.sumpool", &rule);
const nashc_impl train_grad_global_maxpool = NASHC_IMPL_GRAD("nn.global_maxpool", &rule);
const nashc_impl train_grad_global_avgpool = NASHC_IMPL_GRAD("nn.global_avgpool", &rule);
const nashc_impl train_grad_global_sumpool = NASHC_IMPL_GRAD("nn.global_sumpool", &rule);
