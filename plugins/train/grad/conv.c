/* conv.c: gradients of nn.conv: products of matrices over tiles of columns, images by threads.
 *
 *     Y = W X          X: columns of a tile, [cg * taps][windows];  W: [mg][cg * taps];  Y:
 * [mg][windows] dX += W' dY      scattered back;      dW += dY X'
 */
#include "plugins/train/gemm.h"
#include "plugins/train/grad/rules.h"
#include "plugins/train/grad/window.h"
#include <string.h>

typedef struct conv {
    const nashc_grad_call *c;
    train_window w;
    int64_t group, cg, mg, k; /* channels of a group in and out; cg * taps */
    int64_t rows;             /* of windows in a tile */
    float *scratch;           /* a thread's: columns, tile of Y, its dW and db, room */
    int64_t tile, dw, room;   /* where in it */
    int64_t stride;           /* floats of scratch a thread */
} conv;

static nashc_status
setup(const nashc_grad_call *c, conv *v)
{
    const nashc_type *w = c->in[1].type, *y = c->out[0].type;

    *v = (conv){.c = c, .scratch = c->scratch};
    nashc_status s = train_window_of(c, c->in[0].type, y, w->dim + 2, &v->w);
    if (s != NASHC_OK)
        return s;
    v->group = nashc_node_int(c->node, "group");
    v->cg = w->dim[1];
    v->mg = w->dim[0] / v->group;
    v->k = v->cg * v->w.kh * v->w.kw;
    v->rows = train_tile_rows(&v->w, v->k);
    if (v->rows > c->batch * v->w.out_h)
        v->rows = c->batch * v->w.out_h;
    v->tile = train_columns_size(&v->w, v->k, v->rows);
    v->dw = v->tile + v->mg * v->rows * v->w.out_w;
    v->room = v->dw + w->dim[0] * (v->k + 1);
    v->stride = v->room + train_columns_room(&v->w, v->rows);
    return NASHC_OK;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    conv v;
    nashc_status s = setup(c, &v);

    *saved = 0;
    *scratch = s == NASHC_OK ? (size_t)(v.stride * c->n_threads) * sizeof(float) : 0;
    return s;
}

/* Rows of windows r0 .. r1-1 of the channels of group g: between the tile and the tensor. */
static void
put_tile(const conv *v, int64_t g, int64_t r0, int64_t r1, const float *tile, const float *bias,
         float *y)
{
    const train_window *w = &v->w;

    for (int64_t m = 0; m < v->mg; m++) {
        float b = bias ? bias[g * v->mg + m] : 0.0f;
        for (int64_t r = r0; r < r1; r++, tile += w->out_w) {
            int64_t at = (r / w->out_h * v->group + g) * v->mg + m;
            float *to = y + (at * w->out_h + r % w->out_h) * w->out_w;
            for (int64_t i = 0; i < w->out_w; i++)
                to[i] = tile[i] + b;
        }
    }
}

static void
take_tile(const conv *v, int64_t g, int64_t r0, int64_t r1, const float *y, float *tile)
{
    const train_window *w = &v->w;

    for (int64_t m = 0; m < v->mg; m++)
        for (int64_t r = r0; r < r1; r++, tile += w->out_w) {
            int64_t at = (r / w->out_h * v->group + g) * v->mg + m;
            memcpy(tile, y + (at * w->out_h + r % w->out_h) * w->out_w,
                   (size_t)w->out_w * sizeof *tile);
        }
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const conv *v = arg;
    const nashc_grad_arg *in = v->c->in;
    float *col = v->scratch + thread * v->stride, *tile = col + v->tile;

    for (int64_t r0 = lo * v->w.out_h, end = hi * v->w.out_h; r0 < end; r0 += v->rows) {
        int64_t r1 = r0 + v->rows < end ? r0 + v->rows : end, n = (r1 - r0) * v->w.out_w;
        for (int64_t g = 0; g < v->group; g++) {
            train_matrix w = {in[1].v + g * v->mg * v->k, v->k, false}, x = {col, n, false};
            train_columns(&v->w, in[0].v, g * v->cg, v->cg, r0, r1, col + v->room, col);
            train_gemm(v->mg, n, v->k, w, x, false, tile, n);
            put_tile(v, g, r0, r1, tile, v->c->n_in > 2 ? in[2].v : NULL, v->c->out[0].v);
        }
    }
}

static nashc_status
forward(const nashc_grad_call *c)
{
    conv v;
    nashc_status s = setup(c, &v);

    if (s == NASHC_OK)
        nashc_grad_parallel(c, c->batch, forward_part, &v);
    return s;
}

static void
backward_tile(const conv *v, int64_t g, int64_t r0, int64_t r1, float *col)
{
    const nashc_grad_arg *in = v->c->in;
    int64_t n = (r1 - r0) * v->w.out_w;
    float *tile = col + v->tile, *dw = col + v->dw;
    train_matrix y = {tile, n, false};

    take_tile(v, g, r0, r1, v->c->out[0].g, tile);
    if (in[1].g) {
        train_columns(&v->w, in[0].v, g * v->cg, v->cg, r0, r1, col + v->room, col);
        train_gemm(v->mg, v->k, n, y, (train_matrix){col, n, true}, true, dw + g * v->mg * v->k,
                   v->k);
    }
    if (in[0].g) {
        train_matrix w = {in[1].v + g * v->mg * v->k, v->k, true};
        train_gemm(v->k, n, v->mg, w, y, false, col, n);
        train_columns_add(&v->w, col, g * v->cg, v->cg, r0, r1, in[0].g);
    }
    float *db = dw + v->group * v->mg * v->k + g * v->mg;
    for (int64_t m = 0; m < v->mg; m++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)tile[m * n + i];
        db[m] += (float)sum;
    }
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const conv *v = arg;
    float *col = v->scratch + thread * v->stride;

    for (int64_t r0 = lo * v->w.out_h, end = hi * v->w.out_h; r0 < end; r0 += v->rows) {
        int64_t r1 = r0 + v->rows < end ? r0 + v->rows : end;
        for (int64_t g = 0; g < v->group; g++)
            backward_tile(v, g, r0, r1, col);
    }
}

/* The threads' sums of dW and db, added in the order of threads. */
static void
add_parts(void *arg, int thread, int64_t lo, int64_t hi)
{
    const conv *v = arg;
    const nashc_grad_arg *in = v->c->in;
    int64_t n = v->group * v->mg * v->k;

    (void)thread;
    for (int64_t i = lo; i < hi; i++) {
        float sum = 0.0f;
        for (int t = 0; t < v->c->n_threads; t++)
            sum += v->scratch[t * v->stride + v->dw + i];
        if (i < n && in[1].g)
            in[1].g[i] += sum;
        else if (i >= n && v->c->n_in > 2 && in[2].g)
            in[2].g[i - n] += sum;
    }
}

static nashc_status
backward(const nashc_grad_call *c)
{
    conv v;
    nashc_status s = setup(c, &v);

    if (s != NASHC_OK)
        return s;
    int64_t n = v.group * v.mg * (v.k + 1);
    for (int t = 0; t < c->n_threads; t++)
        memset(v.scratch + t * v.stride + v.dw, 0, (size_t)n * sizeof(float));
    nashc_grad_parallel(c, c->batch, backward_part, &v);
    nashc_grad_parallel(c, n, add_parts, &v);
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .keeps_in = 3,      .trains = 6,
                                .sizes = sizes,         .forward = forward, .backward = backward};
const nashc_impl train_grad_conv = NASHC_IMPL_GRAD("nn.conv", &rule);
