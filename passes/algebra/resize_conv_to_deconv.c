/* resize_conv_to_deconv.c
 *
 *     x -- resize nearest by r -- conv W [O,C,k,k] -- y
 *     ==>  x -- conv_transpose W' [C, O, k+r-1, k+r-1], stride r -- y
 *
 * A pixel repeated r times meets r taps of the kernel: W'[c,o,t] is the sum over j < r of
 * W[o,c,k-1+j-t]. Padding p becomes k - 1 - p. Sums of integer weights get the type they need; the
 * result is never clipped.
 * Terminates: each rewrite removes a resize in front of a convolution.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <string.h>

/* The factor if n repeats every pixel r times along both spatial axes, else 0. */
static int64_t
factor(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const char *coord = nashc_node_str(n, "coord"), *nearest = nashc_node_str(n, "nearest");
    bool floors = !strcmp(coord, "asymmetric") && !strcmp(nearest, "floor");
    bool halves = !strcmp(coord, "half_pixel") &&
                  (!strcmp(nearest, "round_prefer_floor") || !strcmp(nearest, "round_prefer_ceil"));
    int count;
    const double *scales = nashc_node_floats(n, "scales", &count);

    if (x->rank != 4 || x->layout != NASHC_LAYOUT_DEFAULT || (!floors && !halves) ||
        strcmp(nashc_node_str(n, "mode"), "nearest") || y->dim[1] != x->dim[1] ||
        y->dim[0] != x->dim[0])
        return 0;
    int64_t r = y->dim[2] / x->dim[2];
    for (int i = 2; i < 4; i++)
        if (y->dim[i] != r * x->dim[i] || (count && scales[i] != (double)r))
            return 0;
    return r;
}

/* Weight [o,c,y,x] of a k-sized kernel, 0 outside. */
static double
tap(const number *w, int64_t o, int64_t c, int64_t y, int64_t x)
{
    const int64_t *d = w->type.dim;

    if (y < 0 || x < 0 || y >= d[2] || x >= d[3])
        return 0.0;
    return w->v[((o * d[1] + c) * d[2] + y) * d[3] + x];
}

static number
summed(nashc_rw *rw, const nashc_tensor *t, int64_t r)
{
    number w = number_of(rw, t), to = {0};
    const int64_t *d = w.type.dim;
    int64_t h = d[2] + r - 1, v = d[3] + r - 1;
    nashc_type type = nashc_type_shaped(w.type, 4, (int64_t[]){d[1], d[0], h, v});

    if (!w.v)
        return to;
    to = number_new(rw, &type, w.integer);
    for (int64_t i = 0; to.v && i < to.n; i++) {
        int64_t x = i % v, y = i / v % h, o = i / v / h % d[0], c = i / v / h / d[0];
        for (int64_t j = 0; j < r * r; j++)
            to.v[i] += tap(&w, o, c, d[2] - 1 + j / r - y, d[3] - 1 + j % r - x);
    }
    return to;
}

static bool
to_deconv(nashc_rw *rw, nashc_node *conv)
{
    nashc_node *up = nashc_value_def_by(nashc_node_in(conv, 0), "nn.resize");
    const nashc_tensor *t = nashc_value_const(nashc_node_in(conv, 1));
    int count;

    if (!up)
        return false;
    int64_t r = factor(up), pads[4];
    if (r < 2)
        return nashc_rw_miss(rw, up, "it does not just repeat pixels along both axes");
    if (!t)
        return nashc_rw_miss(rw, conv, "its weights are not constant; see fold-quant-weights");
    if (nashc_node_int(conv, "group") != 1 || !match_all(conv, "stride", 1) ||
        !match_all(conv, "dilation", 1))
        return nashc_rw_miss(rw, conv, "it has groups, a stride or a dilation");
    const int64_t *p = nashc_node_ints(conv, "pads", &count);
    for (int i = 0; i < 4; i++) {
        pads[i] = nashc_tensor_type(t)->dim[2 + i % 2] - 1 - (count ? p[i] : 0);
        if (pads[i] < 0)
            return nashc_rw_miss(rw, conv, "it is padded by more than its kernel");
    }
    if (!match_sole(rw, up))
        return false;

    number w = summed(rw, t, r);
    nashc_value *in[] = {nashc_node_in(up, 0), number_const(rw, &w), nashc_node_in(conv, 2)};
    nashc_rw_replace(rw, nashc_node_out(conv, 0),
                     nashc_rw_opf(rw, "nn.conv_transpose", in, in[2] ? 3 : 2,
                                  "stride=[%" PRId64 ",%" PRId64 "] pads=%s", r, r,
                                  nashc_rw_ints(rw, pads, 4)));
    return true;
}

static const nashc_pattern to_deconv_pattern = {"nn.conv", to_deconv};

const nashc_pass nashc_pass_resize_conv_to_deconv = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "resize-conv-to-deconv",
    .alias = "ResizeConvolutionToDeconvolution",
    .help = "a nearest resize and a convolution as a transposed convolution",
    .patterns = (const nashc_pattern *const[]){&to_deconv_pattern, NULL},
};
