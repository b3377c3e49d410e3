/* lut.c: q.lut(x, table; lo), any function of a small integer: y = table[c][x - lo].
 *
 * table [C,N] or [1,N], of integers or floats; c is the position along the channel axis of x. The
 * interval of x must lie in lo .. lo + N - 1. Non-monotone tails become this (docs/streamline.md).
 */
#include "ops.h"

static const nashc_param lut_attrs[] = {
    ATTR(INT, "lo", NULL, NULL, "input that meets the first entry of a row"),
    {0},
};

static nashc_status
lut_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    int64_t lo = nashc_attr_int(n, 0), last;
    nashc_status s = ops_need_rank(n, 0, "input", 0, NASHC_MAX_RANK, d);

    if (s != NASHC_OK || (s = ops_need_rank(n, 1, "table", 2, 2, d)) != NASHC_OK)
        return s;
    const nashc_type *x = ops_type(n, 0), *t = ops_type(n, 1);
    if (!nashc_type_is_int(x))
        return nashc_node_error(d, n, "input is %s, expected integers", nashc_type_str(d, x));
    if ((t->dim[0] != 1 && t->dim[0] != nashc_type_channels(x)) || t->dim[1] < 1)
        return nashc_node_error(d, n, "table is %s, expected [1,N] or [%" PRId64 ",N]",
                                nashc_type_str(d, t), nashc_type_channels(x));
    if (!ops_add(lo, t->dim[1] - 1, &last) || x->lo < lo || x->hi > last)
        return nashc_node_error(d, n, "input %s leaves the %" PRId64 " entries from %" PRId64 " on",
                                nashc_type_str(d, x), t->dim[1], lo);
    *out = *x;
    if (nashc_type_is_int(t) && t->kind != NASHC_K_BIP) {
        ops_interval r = ops_interval_of(nashc_node_in(n, 1));
        nashc_type_set_range(out, r.lo, r.hi);
        return NASHC_OK;
    }
    nashc_type elem = nashc_type_f32();
    bool weak = t->kind == NASHC_K_F64 && ops_const(n, 1);
    *out = nashc_type_with_elem(x, weak ? &elem : t);
    return NASHC_OK;
}

static nashc_status
lut_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0), *t = nashc_eval_in(e, 1);
    nashc_buf *y = nashc_eval_out(e, 0);
    int64_t rows = t->type.dim[0], size = t->type.dim[1], lo = nashc_attr_int(n, 0);

    for (int64_t i = 0; i < y->n; i++) {
        int64_t v = ops_int(x, i), row = rows == 1 ? 0 : nashc_buf_channel(x, i), at;
        if (v < lo || !ops_add(v, -lo, &at) || at >= size)
            return nashc_node_error(nashc_eval_diag(e), n, "input %" PRId64 " is not in the table",
                                    v);
        ops_copy(y, i, t, row * size + at);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_q_lut = {
    NASHC_DESC(nashc_op), .name = "q.lut",    .help = "look up a small integer in a table",
    .min_in = 2,          .max_in = 2,        .min_out = 1,
    .max_out = 1,         .attrs = lut_attrs, .infer = lut_infer,
    .eval = lut_eval,
};
