/* node.c: how a node relates the channels of its operands to those of its result. */
#include "channels.h"
#include "passes/support/match.h"
#include <math.h>

bool
ch_followed(const nashc_type *t)
{
    return nashc_type_is_int(t) && t->rank >= 2 && nashc_type_is_static(t);
}

static double
reach(const nashc_type *t)
{
    return fmax(fabs((double)t->lo), fabs((double)t->hi));
}

static bool
matmul_loops(const nashc_node *n, const nashc_type *w, ch_layer *l)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    l->n[0] = w->dim[0];
    l->n[1] = 1;
    l->n[2] = w->dim[1];
    l->c = 0;
    l->o = 2;
    return w->rank == 2 && nashc_type_channel_axis(x) == x->rank - 1 &&
           nashc_type_channel_axis(y) == y->rank - 1;
}

static bool
conv_loops(const nashc_node *n, const nashc_type *w, ch_layer *l)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t group = nashc_node_int(n, "group");
    bool last = nashc_type_channel_axis(x) != 1;

    l->c = last ? 2 : 1;
    l->o = 0;
    l->n[0] = w->dim[0];
    l->n[l->c] = w->dim[last ? w->rank - 1 : 1];
    l->n[3 - l->c] = nashc_type_count(w) / l->n[0] / l->n[l->c];
    l->padded = !match_all(n, "pads", 0);
    if (group == 1)
        return true;
    l->c = 0;
    return group == w->dim[0] && group == nashc_type_channels(x);
}

bool
ch_layer_of(const nashc_node *n, ch_layer *l)
{
    bool conv = nashc_node_is(n, "nn.conv");
    const nashc_value *b = nashc_node_in(n, 2);

    if ((!conv && !nashc_node_is(n, "nn.matmul")) || !nashc_value_const(nashc_node_in(n, 1)) ||
        nashc_value_const(nashc_node_in(n, 0)) || (b && !nashc_value_const(b)))
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    *l = (ch_layer){.w = nashc_value_const(nashc_node_in(n, 1))};
    if (!ch_followed(x) || !nashc_type_is_int(w) || !ch_followed(y) ||
        !(conv ? conv_loops(n, w, l) : matmul_loops(n, w, l)))
        return false;
    double sum = reach(x) * reach(w) * (double)nashc_type_count(w);
    return sum + (b ? reach(nashc_value_type(b)) : 0) < 0x1p62;
}

/* A resize that leaves the channel axis alone? Integers are resized to the nearest only. */
static bool
resizes_others(const nashc_node *n, const nashc_type *x, const nashc_type *y)
{
    int axis = nashc_type_channel_axis(x), count;
    const double *scales = nashc_node_floats(n, "scales", &count);

    return x->dim[axis] == y->dim[axis] && (!count || scales[axis] == 1.0);
}

bool
ch_block(const nashc_node *n, int64_t *k)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    bool first = nashc_type_channel_axis(x) == 1;

    *k = 1;
    if (nashc_node_is(n, "nn.resize"))
        return resizes_others(n, x, y);
    if (!nashc_node_is(n, "nn.reshape") || x->dim[0] != y->dim[0] ||
        nashc_type_channel_axis(y) != 1)
        return false;
    if (first && x->dim[1] == y->dim[1])
        return true;
    if (first)
        *k = y->dim[1] / x->dim[1];
    return y->rank == 2;
}

/* Operands behind the first are constant. */
static bool
sole(const nashc_node *n)
{
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            return false;
    return true;
}

/* Every operand that is not constant, of which there is one, has the result's channels, on the same
 * axis. */
static bool
alike(const nashc_node *n, const nashc_type *y)
{
    bool any = false;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_type *t = v ? nashc_value_type(v) : NULL;
        if (!v || (nashc_value_const(v) && t->rank <= y->rank))
            continue;
        if (!ch_followed(t) || nashc_value_const(v) || t->rank != y->rank ||
            nashc_type_channel_axis(t) != nashc_type_channel_axis(y) ||
            nashc_type_channels(t) != nashc_type_channels(y))
            return false;
        any = true;
    }
    return any;
}

static bool
pads_channels(const nashc_node *n, const nashc_type *y)
{
    int count, axis = nashc_type_channel_axis(y);
    const int64_t *pads = nashc_node_ints(n, "pads", &count);

    return count != 2 * y->rank || pads[axis] || pads[y->rank + axis];
}

ch_kind
ch_kind_of(const nashc_node *n)
{
    static const char *const rows[] = {"q.multithreshold", "q.requant", "q.lut", "nn.pad", NULL};
    static const char *const moves[] = {"nn.maxpool", "nn.sumpool", "nn.global_maxpool",
                                        "nn.global_sumpool", NULL};
    ch_layer l;
    int64_t k;

    if (nashc_node_n_out(n) != 1 || nashc_node_n_in(n) < 1 || !nashc_node_in(n, 0) ||
        !ch_followed(nashc_value_type(nashc_node_out(n, 0))))
        return CH_OTHER;
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    if (ch_layer_of(n, &l))
        return l.o == l.c ? CH_DEPTHWISE : CH_DENSE;
    if (nashc_node_op(n)->flags & NASHC_OP_ELTWISE)
        return alike(n, y) ? CH_ELTWISE : CH_OTHER;
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    if (!ch_followed(x) || !sole(n) || nashc_value_const(nashc_node_in(n, 0)))
        return CH_OTHER;
    if (nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.resize"))
        return ch_block(n, &k) ? CH_RESHAPE : CH_OTHER;
    if (nashc_node_is(n, "nn.transpose")) {
        int count;
        const int64_t *perm = nashc_node_ints(n, "perm", &count);
        return count == y->rank && perm[nashc_type_channel_axis(y)] == nashc_type_channel_axis(x)
                   ? CH_MOVES
                   : CH_OTHER;
    }
    if (nashc_node_is_any(n, moves))
        return CH_MOVES;
    return nashc_node_is_any(n, rows) && !(nashc_node_is(n, "nn.pad") && pads_channels(n, y))
               ? CH_ROWS
               : CH_OTHER;
}

#define LOAD(CELL, type)                                                                           \
    case CELL:                                                                                     \
        for (int64_t i = 0; i < n; i++)                                                            \
            out[i] = ((const type *)data)[from + i];                                               \
        return

void
ch_load(const nashc_tensor *t, int64_t from, int64_t n, int64_t *out)
{
    const void *data = nashc_tensor_data(t);

    switch (nashc_tensor_buf(t)->cell) { /* what weights are made of, without a call for each */
        LOAD(NASHC_I8, int8_t);
        LOAD(NASHC_U8, uint8_t);
        LOAD(NASHC_I16, int16_t);
    default:
        for (int64_t i = 0; i < n; i++)
            out[i] = nashc_tensor_get_int(t, from + i);
    }
}
