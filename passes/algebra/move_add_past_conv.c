/* move_add_past_conv.c
 *
 *     conv(x + A, w)     ==>     conv(x, w) + B,   B[o] = sum over c of A[c] * sum of w[o,c,..]
 *
 * Zero padding would meet the shift: at the border the sum misses some taps. Such a convolution is
 * left alone, or, with explicit-pad, becomes conv without padding of pad(x, value -A): the
 * pixels that were 0 after the add are -A before it. A bias of the convolution stays where it is.
 * Terminates: an add only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

/* B of the head comment, one number an output channel; v NULL when it cannot be computed. */
static number
sums(nashc_rw *rw, const nashc_node *conv, const affine *add, const nashc_tensor *w)
{
    const nashc_type *x = nashc_value_type(add->x), *wt = nashc_tensor_type(w);
    const nashc_type *y = nashc_value_type(nashc_node_out(conv, 0));
    int64_t outs = wt->dim[0], group = nashc_node_int(conv, "group");
    int last = nashc_type_channel_axis(x) == x->rank - 1 && x->rank > 2; /* OHWI */
    int64_t ins = wt->dim[last ? wt->rank - 1 : 1], taps = nashc_tensor_count(w) / outs / ins;
    nashc_type shape = match_vector(y, nashc_type_channel_axis(y), outs);
    number a = number_of(rw, add->t), wn = number_of(rw, w);
    number b = number_new(rw, &shape, a.integer && wn.integer);

    if (!a.v || !wn.v)
        b.v = NULL;
    for (int64_t o = 0; b.v && o < outs; o++)
        for (int64_t i = 0; i < ins * taps; i++) {
            int64_t c = o / (outs / group) * ins + (last ? i % ins : i / taps);
            b.v[o] += a.v[a.n == 1 ? 0 : c] * wn.v[o * ins * taps + i];
        }
    return b;
}

/* x padded with -A as conv pads with 0, for a convolution without padding. */
static nashc_value *
padded(nashc_rw *rw, const nashc_node *conv, const affine *add)
{
    const nashc_type *x = nashc_value_type(add->x);
    int count, last = nashc_type_channel_axis(x) == x->rank - 1;
    const int64_t *pads = nashc_node_ints(conv, "pads", &count);
    int64_t all[2 * NASHC_MAX_RANK] = {0};
    number a = number_of(rw, add->t);

    for (int i = 0; i < count / 2; i++) {
        all[i + (last ? 1 : 2)] = pads[i];
        all[x->rank + i + (last ? 1 : 2)] = pads[count / 2 + i];
    }
    a = number_map(rw, &a, number_mul, -1);
    int64_t n = a.n;
    a.type = nashc_type_shaped(a.type, n > 1, &n);
    return nashc_rw_opf(rw, "nn.pad", (nashc_value *[]){add->x, number_const(rw, &a)}, 2, "pads=%s",
                        nashc_rw_ints(rw, all, 2 * x->rank));
}

static bool
move_add(nashc_rw *rw, nashc_node *n)
{
    affine add;

    if (!affine_before(rw, nashc_node_in(n, 0), "nn.add", &add))
        return false;

    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    bool pads = !match_all(n, "pads", 0);
    if (!w)
        return nashc_rw_miss(rw, n, "the weights are not constant");
    if (!match_channelwise(add.t, nashc_value_type(add.x)))
        return nashc_rw_miss(rw, add.node, "the addend is neither scalar nor per channel");
    if (pads && !nashc_opts_bool(nashc_rw_opts(rw), "explicit-pad"))
        return nashc_rw_miss(rw, n,
                             "the padding would meet the shift; option explicit-pad pads "
                             "with the negative addend");
    number b = sums(rw, n, &add, w);
    if (!number_finite(&b))
        return nashc_rw_miss(rw, n, "the sums are not finite, or a constant exceeds 2^53");

    nashc_value *in[] = {pads ? padded(rw, n, &add) : add.x, nashc_node_in(n, 1),
                         nashc_node_in(n, 2)};
    nashc_value *y = nashc_rw_like(rw, n, in, in[2] ? 3 : 2);
    if (pads && y)
        nashc_rw_set_attr(rw, nashc_value_def(y), "pads", "[]");
    nashc_rw_loc(rw, add.node);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, "nn.add", (nashc_value *[]){y, number_const(rw, &b)}, 2));
    return true;
}

static const nashc_pattern move_add_pattern = {"nn.conv", move_add};

static const nashc_param move_add_options[] = {
    {.name = "explicit-pad",
     .def = "false",
     .help = "move past padded convolutions too, padding the operand with the negative addend",
     .kind = NASHC_P_BOOL},
    {0},
};

const nashc_pass nashc_pass_move_add_past_conv = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-add-past-conv",
    .alias = "MoveAddPastConv",
    .help = "move an add of a scalar or per-channel constant below a convolution",
    .options = move_add_options,
    .patterns = (const nashc_pattern *const[]){&move_add_pattern, NULL},
};
