/* resize_to_product.c: linear and cubic resampling, which is a product with a constant along each
 * axis.
 *
 *     x -- resize by a whole factor f -- y    ==>    x -- pad (edge) -- depthwise conv_transpose,
 *                                                    stride f -- y
 *     x -- resize of axis a -- y              ==>    x -- a last -- matmul R [n,m] -- a back -- y
 *
 * R is what the operator itself makes of unit vectors, whatever its coordinates are. The first form
 * is taken where each column of R, but for the border, is the one before it moved on by f, as it is
 * for half_pixel and asymmetric coordinates; align_corners needs the second. Sums are those of the
 * operator in another order. Terminates: each rewrite removes a resize.
 */
#include "passes/support/match.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MATRIX (1 << 22)
#define NEAR       1e-12 /* weights that are equal but for rounding */

/* Resampling of one axis. */
typedef struct axis {
    int64_t n, m; /* sizes of operand and result */
    double *r;    /* [n, m]; NULL: nothing changes */
    /* as a transposed convolution, if kernel > 0 */
    int64_t factor, kernel, edge[2], crop[2];
    const double *w; /* kernel weights, in r */
} axis;

/* --- the matrix ---------------------------------------------------------------------------------
 */

static nashc_tensor *
identity(int64_t n)
{
    nashc_type t = nashc_type_shaped(nashc_type_f64(), 2, (const int64_t[]){n, n});
    nashc_buf b;

    if (!nashc_buf_alloc(&b, &t))
        return NULL;
    for (int64_t i = 0; i < n; i++)
        nashc_buf_set(&b, i * n + i, 1);
    return nashc_tensor_take(&b);
}

/* A graph with the operator on the unit vectors. */
static bool
build_graph(nashc_rw *rw, nashc_graph *g, const nashc_node *n, double scale, const axis *a)
{
    nashc_build *b = nashc_build_create(g, nashc_rw_diag(rw));
    nashc_value *x = b ? nashc_build_const(b, NULL, identity(a->n)) : NULL;
    nashc_value *y =
        x ? nashc_build_op(b, "nn.resize", &x, 1,
                           "sizes=[%" PRId64 ",%" PRId64 "] mode=%s coord=%s cubic_a=%.17g "
                           "scales=[1,%.17g]",
                           a->n, a->m, nashc_node_str(n, "mode"), nashc_node_str(n, "coord"),
                           nashc_node_float(n, "cubic_a"), scale)
          : NULL;

    if (y)
        nashc_graph_add_output(g, "y", y);
    return y != NULL;
}

static bool
find_matrix(nashc_rw *rw, const nashc_node *n, double scale, axis *a)
{
    nashc_module *m = nashc_module_create(nashc_run_ctx(nashc_rw_run(rw)));
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_buf out = {0};
    bool ok =
        g && build_graph(rw, g, n, scale, a) &&
        nashc_run_graph(g, NULL, &out, NASHC_EVAL_WIDE, NULL, NULL, nashc_rw_diag(rw)) == NASHC_OK;

    a->r =
        ok ? nashc_arena_alloc(nashc_rw_arena(rw), (size_t)(a->n * a->m) * sizeof(double)) : NULL;
    for (int64_t i = 0; a->r && i < a->n * a->m; i++)
        a->r[i] = nashc_buf_get(&out, i);
    nashc_buf_free(&out);
    nashc_module_free(m);
    return a->r != NULL;
}

/* --- a transposed convolution -------------------------------------------------------------------
 */

/* What the kernel gives for input i and output o, the border repeated. */
static double
predicted(const axis *a, int64_t first, int64_t i, int64_t o)
{
    double sum = 0;
    int64_t j = (o - first - a->kernel) / a->factor - 1;

    for (j = j < -a->edge[0] ? -a->edge[0] : j; j < a->n + a->edge[1]; j++) {
        int64_t at = j < 0 ? 0 : j >= a->n ? a->n - 1 : j, t = o - a->factor * j - first;
        if (t < 0)
            break;
        if (at == i && t < a->kernel)
            sum += a->w[t];
    }
    return sum;
}

/* The weights of the middle input, if those of the others are the same further on. */
static void
find_kernel(axis *a)
{
    int64_t k = a->n / 2, first = 0, last = a->m - 1;
    const double *row = a->r + k * a->m;

    if (a->n < 3 || a->m % a->n || a->m == a->n)
        return;
    a->factor = a->m / a->n;
    while (first < last && row[first] == 0)
        first++;
    while (last > first && row[last] == 0)
        last--;
    a->w = row + first;
    a->kernel = last - first + 1;
    last -= a->factor * k;
    first -= a->factor * k;
    a->edge[0] = last > 0 ? (last + a->factor - 1) / a->factor : 0;
    a->edge[1] = (a->m - 1 - first) / a->factor - (a->n - 1);
    a->edge[1] = a->edge[1] > 0 ? a->edge[1] : 0;
    a->crop[0] = a->factor * a->edge[0] - first;
    a->crop[1] = a->factor * (a->n + a->edge[0] + a->edge[1] - 1) + a->kernel - a->crop[0] - a->m;
    bool same = a->crop[0] >= 0 && a->crop[1] >= 0;
    for (int64_t i = 0; same && i < a->n; i++)
        for (int64_t o = 0; same && o < a->m; o++)
            same = fabs(predicted(a, first, i, o) - a->r[i * a->m + o]) <= NEAR;
    a->kernel = same ? a->kernel : 0;
}

/* Depthwise weights: the products of those of the axes. */
static nashc_value *
weights(nashc_rw *rw, int64_t channels, const axis *a, int n)
{
    int64_t dim[4] = {channels, 1, 1, 1}, inner;
    nashc_buf b;

    for (int i = 0; i < n; i++)
        dim[2 + i] = a[i].r ? a[i].kernel : 1;
    nashc_type t = nashc_type_shaped(nashc_type_f64(), 2 + n, dim);
    if (!nashc_buf_alloc(&b, &t))
        return nashc_rw_const(rw, NULL);
    inner = n == 2 ? dim[3] : 1;
    for (int64_t i = 0; i < b.n; i++) {
        int64_t k[2] = {i / inner % dim[2], i % inner};
        double w = 1;
        for (int d = 0; d < n; d++)
            w *= a[d].r ? a[d].w[k[d]] : 1;
        nashc_buf_set(&b, i, w);
    }
    return nashc_rw_const(rw, nashc_tensor_take(&b));
}

/* Rows and columns by whole factors. NULL: it is not that. */
static nashc_value *
as_conv_transpose(nashc_rw *rw, nashc_value *x, const axis *a)
{
    const nashc_type *t = nashc_value_type(x);
    int64_t pads[2 * NASHC_MAX_RANK] = {0}, stride[2], crop[4], channels = t->dim[1];
    int n = t->rank - 2, rank = t->rank;
    bool grows = false;

    if (n < 1 || n > 2 || t->layout != NASHC_LAYOUT_DEFAULT || a[0].r || a[1].r)
        return NULL;
    for (int i = 0; i < n; i++) {
        const axis *s = &a[2 + i];
        if (s->r && !s->kernel)
            return NULL;
        stride[i] = s->r ? s->factor : 1;
        crop[i] = s->r ? s->crop[0] : 0;
        crop[n + i] = s->r ? s->crop[1] : 0;
        pads[2 + i] = s->r ? s->edge[0] : 0;
        pads[2 + i + rank] = s->r ? s->edge[1] : 0;
        grows = grows || pads[2 + i] || pads[2 + i + rank];
    }
    if (grows)
        x = nashc_rw_opf(rw, "nn.pad", &x, 1, "mode=edge pads=%s",
                         nashc_rw_ints(rw, pads, 2 * rank));
    nashc_value *in[2] = {x, weights(rw, channels, a + 2, n)};
    return in[0] && in[1]
               ? nashc_rw_opf(rw, "nn.conv_transpose", in, 2, "stride=%s pads=%s group=%" PRId64,
                              nashc_rw_ints(rw, stride, n), nashc_rw_ints(rw, crop, 2 * n),
                              channels)
               : NULL;
}

/* --- matrix products ----------------------------------------------------------------------------
 */

static nashc_value *
swapped(nashc_rw *rw, nashc_value *x, int at)
{
    int64_t perm[NASHC_MAX_RANK];
    int rank = x ? nashc_value_type(x)->rank : 0;

    if (!x || at == rank - 1)
        return x;
    for (int i = 0; i < rank; i++)
        perm[i] = i == at ? rank - 1 : i == rank - 1 ? at : i;
    return nashc_rw_opf(rw, "nn.transpose", &x, 1, "perm=%s", nashc_rw_ints(rw, perm, rank));
}

static nashc_value *
as_matmul(nashc_rw *rw, nashc_value *x, const axis *a, int at)
{
    nashc_type t = nashc_type_shaped(nashc_type_f64(), 2, (const int64_t[]){a->n, a->m});
    nashc_value *in[2] = {swapped(rw, x, at), nashc_rw_const(rw, nashc_tensor_from_f64(&t, a->r))};

    return in[0] && in[1] ? swapped(rw, nashc_rw_op(rw, "nn.matmul", in, 2), at) : NULL;
}

static bool
to_product(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0), *y;
    const nashc_type *from = nashc_value_type(x), *to = nashc_value_type(nashc_node_out(n, 0));
    axis a[NASHC_MAX_RANK] = {{0}};
    int n_scales, rank = from->rank;
    const double *scales = nashc_node_floats(n, "scales", &n_scales);

    if (!strcmp(nashc_node_str(n, "mode"), "nearest") || nashc_value_const(x))
        return false;
    if (rank < 2)
        return nashc_rw_miss(rw, n, "it has one axis");
    for (int i = 0; i < rank; i++) {
        double scale = n_scales ? scales[i] : (double)to->dim[i] / (double)from->dim[i];
        a[i].n = from->dim[i];
        a[i].m = to->dim[i];
        if (a[i].n == a[i].m && scale == 1)
            continue;
        if (a[i].n > MAX_MATRIX / a[i].m || a[i].n > MAX_MATRIX / a[i].n)
            return nashc_rw_miss(rw, n, "an axis is too long");
        if (!find_matrix(rw, n, scale, &a[i]))
            return nashc_rw_miss(rw, n, "its weights could not be found");
        find_kernel(&a[i]);
    }
    y = as_conv_transpose(rw, x, a);
    if (!y)
        for (int i = rank - 1; i >= 0; i--)
            if (a[i].r)
                y = as_matmul(rw, y ? y : x, &a[i], i);
    if (!y)
        return false;
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern resize_pattern = {"nn.resize", to_product};

const nashc_pass nashc_pass_resize_to_product = {
    NASHC_DESC(nashc_pass),
    .name = "resize-to-product",
    .help = "linear and cubic resampling as transposed convolution or matrix products",
    .patterns = (const nashc_pattern *const[]){&resize_pattern, NULL},
};
