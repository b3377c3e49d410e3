/* conv_transpose.c: gradients of nn.conv_transpose: those of a convolution with the roles turned.
 *
 *     columns of Y = W' X, scattered;    dX = W (columns of dY);    dW = X (columns of dY)'
 *
 * x: [cg][positions] of a group, w: [cg][mg * taps]; the columns are windows over y.
 */
#include "plugins/train/gemm.h"
#include "plugins/train/grad/rules.h"
#include "plugins/train/grad/window.h"
#include <string.h>

typedef struct adjoint {
    const nashc_grad_call *c;
    train_window w;              /* over y; its windows are the elements of x */
    int64_t group, cg, mg, k, n; /* k: mg * taps; n: positions of a map of x */
    float *scratch;              /* a thread's: columns of one map, dW and db, room */
    int64_t dw, room;            /* where in it */
    int64_t stride;
} adjoint;

static nashc_status
setup(const nashc_grad_call *c, adjoint *v)
{
    const nashc_type *w = c->in[1].type;

    *v = (adjoint){.c = c, .scratch = c->scratch};
    nashc_status s = train_window_of(c, c->out[0].type, c->in[0].type, w->dim + 2, &v->w);
    if (s != NASHC_OK)
        return s;
    v->group = nashc_node_int(c->node, "group");
    v->cg = w->dim[0] / v->group;
    v->mg = w->dim[1];
    v->k = v->mg * v->w.kh * v->w.kw;
    v->n = v->w.out_h * v->w.out_w;
    v->dw = train_columns_size(&v->w, v->k, v->w.out_h);
    v->room = v->dw + w->dim[0] * v->k + v->group * v->mg;
    v->stride = v->room + train_columns_room(&v->w, v->w.out_h);
    return NASHC_OK;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    adjoint v;
    nashc_status s = setup(c, &v);

    *saved = 0;
    *scratch = s == NASHC_OK ? (size_t)(v.stride * c->n_threads) * sizeof(float) : 0;
    return s;
}

static train_matrix
weight(const adjoint *v, int64_t g, bool transposed)
{
    return (train_matrix){v->c->in[1].v + g * v->cg * v->k, v->k, transposed};
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const adjoint *v = arg;
    const nashc_grad_call *c = v->c;
    float *col = v->scratch + thread * v->stride;
    int64_t size = v->w.h * v->w.w;

    for (int64_t i = lo; i < hi; i++)
        for (int64_t g = 0; g < v->group; g++) {
            float *y = c->out[0].v + (i * v->group + g) * v->mg * size;
            for (int64_t m = 0; m < v->mg; m++)
                for (int64_t p = 0; p < size; p++)
                    y[m * size + p] = c->n_in > 2 && c->in[2].v ? c->in[2].v[g * v->mg + m] : 0.0f;
            train_matrix x = {c->in[0].v + (i * v->group + g) * v->cg * v->n, v->n, false};
            train_gemm(v->k, v->n, v->cg, weight(v, g, true), x, false, col, v->n);
            train_columns_add(&v->w, col, g * v->mg, v->mg, i * v->w.out_h, (i + 1) * v->w.out_h,
                              c->out[0].v);
        }
}

static nashc_status
forward(const nashc_grad_call *c)
{
    adjoint v;
    nashc_status s = setup(c, &v);

    if (s == NASHC_OK)
        nashc_grad_parallel(c, c->batch, forward_part, &v);
    return s;
}

static void
add_bias_gradient(const adjoint *v, int64_t map, int64_t g, float *db)
{
    int64_t size = v->w.h * v->w.w;
    const float *dy = v->c->out[0].g + (map * v->group + g) * v->mg * size;

    for (int64_t m = 0; m < v->mg; m++) {
        double sum = 0.0;
        for (int64_t p = 0; p < size; p++)
            sum += (double)dy[m * size + p];
        db[g * v->mg + m] += (float)sum;
    }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const adjoint *v = arg;
    const nashc_grad_arg *in = v->c->in;
    float *col = v->scratch + thread * v->stride, *dw = col + v->dw;

    for (int64_t i = lo; i < hi; i++)
        for (int64_t g = 0; g < v->group; g++) {
            int64_t at = (i * v->group + g) * v->cg * v->n;
            train_columns(&v->w, v->c->out[0].g, g * v->mg, v->mg, i * v->w.out_h,
                          (i + 1) * v->w.out_h, col + v->room, col);
            train_matrix y = {col, v->n, false}, yt = {col, v->n, true};
            if (in[1].g)
                train_gemm(v->cg, v->k, v->n, (train_matrix){in[0].v + at, v->n, false}, yt, true,
                           dw + g * v->cg * v->k, v->k);
            if (in[0].g)
                train_gemm(v->cg, v->n, v->k, weight(v, g, false), y, true, in[0].g + at, v->n);
            add_bias_gradient(v, i, g, dw + v->group * v->cg * v->k);
        }
}

static nashc_status
backward(const nashc_grad_call *c)
{
    adjoint v;
    nashc_status s = setup(c, &v);

    if (s != NASHC_OK)
        return s;
    int64_t skip = v.dw, n = v.group * v.cg * v.k, m = v.group * v.mg;
    for (int t = 0; t < c->n_threads; t++)
        memset(v.scratch + t * v.stride + skip, 0, (size_t)(n + m) * sizeof(float));
    nashc_grad_parallel(c, c->batch, backward_part, &v);
    for (int t = 0; t < c->n_threads; t++) {
        const float *part = v.scratch + t * v.stride + skip;
        for (int64_t i = 0; c->in[1].g && i < n; i++)
            c->in[1].g[i] += part[i];
        for (int64_t i = 0; c->n_in > 2 && c->in[2].g && i < m; i++)
            c->in[2].g[i] += part[n + i];
    }
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,      .trains = 6,
                                .sizes = sizes,         .forward = forward, .backward = backward};
const nashc_impl train_grad_conv_transpose = NASHC_IMPL_GRAD("nn.conv_transpose", &rule);
