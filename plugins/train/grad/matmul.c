/* matmul.c: gradients of nn.matmul and nn.gemm.
 *
 *     Y = A B:    dA = dY B',    dB = A' dY
 *
 * B is a weight [k][n] that all rows of A share, or has the same leading axes as A: then the
 * product is taken matrix by matrix. Threads take rows of A, columns of B, or matrices. Samples
 * times a weight are done in blocks, as a convolution of one tap.
 */
#include "plugins/train/gemm.h"
#include "plugins/train/grad/rules.h"
#include "plugins/train/lanes/coded.h"
#include <string.h>

typedef struct product {
    const nashc_grad_call *c;
    int64_t m, n, k, count; /* of each of count products */
    bool trans_b;
    float beta;
} product;

static nashc_status
refuse(const nashc_grad_call *c, const char *what)
{
    return nashc_node_unsup(c->diag, c->node, "training cannot do %s", what);
}

static nashc_status
setup_matmul(const nashc_grad_call *c, product *p)
{
    bool blocks = c->flags & NASHC_GRAD_BLOCKS;
    nashc_type a = blocks ? *c->in[0].type : nashc_grad_shape(c, &c->in[0]);
    nashc_type b = nashc_grad_shape(c, &c->in[1]);

    *p = (product){.c = c, .count = 1, .beta = 1.0f};
    if (a.rank < 2 || b.rank < 2)
        return refuse(c, "a product with a vector");
    p->k = a.dim[a.rank - 1];
    p->n = b.dim[b.rank - 1];
    p->m = a.dim[a.rank - 2];
    for (int i = 0; i < a.rank - 2; i++)
        *(b.rank == 2 ? &p->m : &p->count) *= a.dim[i];
    if (b.rank == 2)
        return c->in[1].batched ? refuse(c, "a product with a sample on the right") : NASHC_OK;
    bool same = a.rank == b.rank;
    for (int i = 0; same && i < a.rank - 2; i++)
        same = a.dim[i] == b.dim[i];
    return same ? NASHC_OK : refuse(c, "a product of broadcast matrices");
}

static nashc_status
setup_gemm(const nashc_grad_call *c, product *p)
{
    const nashc_node *n = c->node;
    nashc_type a = nashc_grad_shape(c, &c->in[0]);

    *p = (product){.c = c, .count = 1};
    if (nashc_node_bool(n, "trans_a") || nashc_node_float(n, "alpha") != 1.0)
        return refuse(c, "trans_a or alpha");
    if (c->in[1].batched || (c->n_in > 2 && c->in[2].type && c->in[2].batched))
        return refuse(c, "a weight that depends on the sample");
    p->beta = (float)nashc_node_float(n, "beta");
    p->trans_b = nashc_node_bool(n, "trans_b");
    p->m = a.dim[0];
    p->k = a.dim[1];
    p->n = nashc_type_count(c->out[0].type);
    if (c->n_in > 2 && c->in[2].type && c->in[2].n != p->n)
        return refuse(c, "an addend that is not a value for each column");
    return NASHC_OK;
}

static nashc_status
setup(const nashc_grad_call *c, product *p)
{
    return nashc_node_is(c->node, "nn.gemm") ? setup_gemm(c, p) : setup_matmul(c, p);
}

/* --- in blocks ------------------------------------------------------------------------------- */

static bool
shares_weight(const nashc_grad_call *c)
{
    return train_blocks(c) && c->in[0].batched && !c->in[1].batched && c->in[1].type->rank == 2 &&
           c->in[0].type->rank >= 2;
}

/* Rows of A are places of an image, its columns are channels. */
static train_product
dense(const nashc_grad_call *c, const product *p)
{
    int64_t k = p->k, n = p->n, rows = nashc_type_count(c->in[0].type) / k;
    train_window w = {.channels = k,
                      .h = 1,
                      .w = rows,
                      .out_h = 1,
                      .out_w = rows,
                      .kh = 1,
                      .kw = 1,
                      .sh = 1,
                      .sw = 1,
                      .dh = 1,
                      .dw = 1};
    train_product d = train_product_conv(&w, 1, k, n);

    d.of_m = p->trans_b ? k : 1;
    d.of_c = p->trans_b ? 1 : n;
    d.image = (train_map){TRAIN_LANES, k * TRAIN_LANES};
    d.windows = (train_map){TRAIN_LANES, n * TRAIN_LANES};
    return d;
}

/* The addend, times beta, lies behind the scratch of the product. */
static size_t
dense_scratch(const nashc_grad_call *c, const train_product *d)
{
    return train_product_scratch(d, c->batch, c->n_threads);
}

static nashc_status
dense_forward(const nashc_grad_call *c, const product *p)
{
    train_product d = dense(c, p);
    float *bias = NULL;

    if (c->n_in > 2 && c->in[2].v) {
        bias = (float *)c->scratch + dense_scratch(c, &d) / sizeof *bias;
        for (int64_t k = 0; k < p->n; k++)
            bias[k] = p->beta * c->in[2].v[k];
    }
    if (!train_product_gather_codes(c, &d, bias, c->out[0].v))
        train_product_gather(c, &d, c->in[0].v, c->in[1].v, bias, false, c->out[0].v);
    return NASHC_OK;
}

static nashc_status
dense_backward(const nashc_grad_call *c, const product *p)
{
    train_product d = dense(c, p);
    const float *g = c->out[0].g;

    if (c->in[1].g)
        train_product_weights(c, &d, c->in[0].v, g, !(c->sets & 2u), c->in[1].g);
    if (c->in[0].g)
        train_product_scatter(c, &d, g, c->in[1].v, NULL, !(c->sets & 1u), c->in[0].g);
    if (c->n_in > 2 && c->in[2].g) {
        float *db = (float *)c->scratch + dense_scratch(c, &d) / sizeof *db;
        memset(db, 0, (size_t)p->n * sizeof *db);
        train_product_bias(c, &d.windows, p->n, d.w.out_w, g, db);
        for (int64_t k = 0; k < p->n; k++)
            c->in[2].g[k] += p->beta * db[k];
    }
    return NASHC_OK;
}

/* --- in rows --------------------------------------------------------------------------------- */

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    product p;
    nashc_status s = setup(c, &p);

    *saved = *scratch = 0;
    if (s == NASHC_OK && (c->flags & NASHC_GRAD_BLOCKS)) {
        train_product d = dense(c, &p);
        *scratch = dense_scratch(c, &d) + (size_t)p.n * sizeof(float);
    }
    return s;
}

/* B of product i, or its transpose. */
static train_matrix
right(const product *p, int64_t i, bool transposed)
{
    return (train_matrix){p->c->in[1].v + i * p->k * p->n, p->trans_b ? p->k : p->n,
                          p->trans_b != transposed};
}

static void
add_bias(const product *p, int64_t lo, int64_t hi)
{
    const nashc_grad_call *c = p->c;

    if (c->n_in < 3 || !c->in[2].v)
        return;
    for (int64_t i = lo; i < hi; i++)
        for (int64_t k = 0; k < p->n; k++)
            c->out[0].v[i * p->n + k] += p->beta * c->in[2].v[k];
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const product *p = arg;
    int64_t size = p->count > 1 ? p->m : 1; /* rows of an item */

    (void)thread;
    for (int64_t i = lo; i < (p->count > 1 ? hi : lo + 1); i++) {
        int64_t rows = p->count > 1 ? size : hi - lo, row = i * size;
        train_gemm(rows, p->n, p->k, (train_matrix){p->c->in[0].v + row * p->k, p->k, false},
                   right(p, p->count > 1 ? i : 0, false), false, p->c->out[0].v + row * p->n, p->n);
        add_bias(p, row, row + rows);
    }
}

static nashc_status
forward(const nashc_grad_call *c)
{
    product p;
    nashc_status s = setup(c, &p);

    if (s == NASHC_OK && (c->flags & NASHC_GRAD_BLOCKS))
        return dense_forward(c, &p);
    if (s == NASHC_OK)
        nashc_grad_parallel(c, p.count > 1 ? p.count : p.m, forward_part, &p);
    return s;
}

/* dA of rows lo .. hi-1, or of those products. */
static void
left_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const product *p = arg;
    int64_t size = p->count > 1 ? p->m : 1;

    (void)thread;
    for (int64_t i = lo; i < (p->count > 1 ? hi : lo + 1); i++) {
        int64_t row = i * size;
        train_matrix dy = {p->c->out[0].g + row * p->n, p->n, false};
        train_gemm(p->count > 1 ? size : hi - lo, p->k, p->n, dy,
                   right(p, p->count > 1 ? i : 0, true), !(p->c->sets & 1u),
                   p->c->in[0].g + row * p->k, p->k);
    }
}

/* dB: rows lo .. hi-1 of it as it is stored, or those products. */
static void
right_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const product *p = arg;
    const nashc_grad_call *c = p->c;
    bool add = !(c->sets & 2u);

    (void)thread;
    if (p->count > 1) {
        for (int64_t i = lo; i < hi; i++)
            train_gemm(p->k, p->n, p->m, (train_matrix){c->in[0].v + i * p->m * p->k, p->k, true},
                       (train_matrix){c->out[0].g + i * p->m * p->n, p->n, false}, add,
                       c->in[1].g + i * p->k * p->n, p->n);
    } else if (p->trans_b) {
        train_gemm(hi - lo, p->k, p->m, (train_matrix){c->out[0].g + lo, p->n, true},
                   (train_matrix){c->in[0].v, p->k, false}, add, c->in[1].g + lo * p->k, p->k);
    } else {
        train_gemm(hi - lo, p->n, p->m, (train_matrix){c->in[0].v + lo, p->k, true},
                   (train_matrix){c->out[0].g, p->n, false}, add, c->in[1].g + lo * p->n, p->n);
    }
}

static nashc_status
backward(const nashc_grad_call *c)
{
    product p;
    nashc_status s = setup(c, &p);

    if (s == NASHC_OK && (c->flags & NASHC_GRAD_BLOCKS))
        return dense_backward(c, &p);
    if (s != NASHC_OK)
        return s;
    if (c->in[0].g)
        nashc_grad_parallel(c, p.count > 1 ? p.count : p.m, left_part, &p);
    if (c->in[1].g)
        nashc_grad_parallel(c, p.count > 1 ? p.count : p.trans_b ? p.n : p.k, right_part, &p);
    for (int64_t k = 0; c->n_in > 2 && c->in[2].g && k < p.n; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < p.m; i++)
            sum += (double)c->out[0].g[i * p.n + k];
        c->in[2].g[k] += p.beta * (float)sum;
    }
    return NASHC_OK;
}

static const nashc_grad matmul_rule = {
    NASHC_DESC(nashc_grad),  .keeps_in = 3,      .trains = 3,
    .sizes = sizes,          .forward = forward, .backward = backward,
    .blocks = shares_weight, .sets = 3};
static const nashc_grad gemm_rule = {
    NASHC_DESC(nashc_grad),  .keeps_in = 3,      .trains = 6,
    .sizes = sizes,          .forward = forward, .backward = backward,
    .blocks = shares_weight, .sets = 3};
const nashc_impl train_grad_matmul = NASHC_IMPL_GRAD("nn.matmul", &matmul_rule);
const nashc_impl train_grad_gemm = NASHC_IMPL_GRAD("nn.gemm", &gemm_rule);
