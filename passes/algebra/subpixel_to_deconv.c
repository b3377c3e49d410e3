/* subpixel_to_deconv.c
 *
 *     x -- conv W [O r^2, C, k, k] -- depth_to_space r -- y
 *     ==>  x -- conv_transpose W' [C, O, k r, k r], stride r -- y
 *
 * W'[c,o,r a + i,r b + j] = W[channel(o,i,j), c, k-1-a, k-1-b], where channel is o r^2 + i r + j
 * (mode CRD) or (i r + j) O + o (DCR). Padding p becomes r (k - 1 - p). Each weight occurs once, so
 * the rewrite only moves elements: float, integer, or of a quantiser with one scale. Terminates:
 * each rewrite removes a depth_to_space.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"
#include <string.h>

typedef struct shape {
    int64_t r, outs, ins, k[2];
    bool crd;
} shape;

static nashc_value *
turned(nashc_rw *rw, const nashc_tensor *w, const shape *s)
{
    const nashc_type *type = nashc_tensor_type(w);
    int64_t r = s->r, h = s->k[0] * r, v = s->k[1] * r;
    nashc_type t = nashc_type_shaped(*type, 4, (int64_t[]){s->ins, s->outs, h, v});
    number from = number_of(rw, w), to = number_new(rw, &t, false);

    for (int64_t i = 0; from.v && to.v && i < to.n; i++) {
        int64_t x = i % v, y = i / v % h, o = i / v / h % s->outs, c = i / v / h / s->outs;
        int64_t sub = y % r * r + x % r;
        int64_t m = s->crd ? o * r * r + sub : sub * s->outs + o;
        int64_t ky = s->k[0] - 1 - y / r, kx = s->k[1] - 1 - x / r;
        to.v[i] = from.v[((m * s->ins + c) * s->k[0] + ky) * s->k[1] + kx];
    }
    return nashc_rw_const(rw, from.v && to.v ? nashc_tensor_from_f64(&t, to.v) : NULL);
}

static bool
to_deconv(nashc_rw *rw, nashc_node *n)
{
    nashc_node *conv = nashc_value_def_by(nashc_node_in(n, 0), "nn.conv");
    int count;

    if (!conv)
        return false;
    nashc_value *w = nashc_node_in(conv, 1);
    nashc_node *q = nashc_value_def_by(w, "q.quant");
    const nashc_tensor *t = nashc_value_const(q ? nashc_node_in(q, 0) : w);
    const nashc_type *x = nashc_value_type(nashc_node_in(conv, 0));
    if (!t || nashc_tensor_type(t)->rank != 4 || x->layout != NASHC_LAYOUT_DEFAULT)
        return nashc_rw_miss(rw, conv, "its weights are no constant [O,C,k,k]");
    if (q && !(nashc_tensor_is_scalar(nashc_value_const(nashc_node_in(q, 1))) &&
               nashc_tensor_is_scalar(nashc_value_const(nashc_node_in(q, 2)))))
        return nashc_rw_miss(rw, q, "its scale is not a scalar");
    if (nashc_node_in(conv, 2) || nashc_node_int(conv, "group") != 1 ||
        !match_all(conv, "stride", 1) || !match_all(conv, "dilation", 1))
        return nashc_rw_miss(rw, conv, "it has a bias, groups, a stride or a dilation");
    if (!match_sole(rw, conv))
        return false;

    const nashc_type *wt = nashc_tensor_type(t);
    shape s = {.r = nashc_node_int(n, "block"),
               .ins = wt->dim[1],
               .k = {wt->dim[2], wt->dim[3]},
               .crd = !strcmp(nashc_node_str(n, "mode"), "CRD")};
    s.outs = wt->dim[0] / (s.r * s.r);
    const int64_t *p = nashc_node_ints(conv, "pads", &count);
    int64_t pads[4];
    for (int i = 0; i < 4; i++) {
        pads[i] = s.r * (s.k[i % 2] - 1 - (count ? p[i] : 0));
        if (pads[i] < 0)
            return nashc_rw_miss(rw, conv, "it is padded by more than its kernel");
    }

    nashc_value *wd = turned(rw, t, &s);
    if (q)
        wd = nashc_rw_like(rw, q, (nashc_value *[]){wd, nashc_node_in(q, 1), nashc_node_in(q, 2)},
                           3);
    nashc_rw_loc(rw, conv);
    nashc_value *in[] = {nashc_node_in(conv, 0), wd};
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_opf(rw, "nn.conv_transpose", in, 2,
                                  "stride=[%" PRId64 ",%" PRId64 "] pads=%s", s.r, s.r,
                                  nashc_rw_ints(rw, pads, 4)));
    return true;
}

static const nashc_pattern to_deconv_pattern = {"nn.depth_to_space", to_deconv};

const nashc_pass nashc_pass_subpixel_to_deconv = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "subpixel-to-deconv",
    .alias = "SubPixelToDeconvolution",
    .help = "a convolution and depth_to_space as a transposed convolution",
    .patterns = (const nashc_pattern *const[]){&to_deconv_pattern, NULL},
};
