/* cut.c: takes flagged channels out of layers and of all between them.
 *
 *     conv W [O,C,k,k] -- thresholds T [O,K] -- conv V [P,O,k,k] -- thresholds U [P,L]
 *     ==>  conv W [O-n,C,k,k] -- T [O-n,K] -- conv V [P,O-n,k,k] -- U - v * sum of V there
 *
 * What the removed channels gave to a sum is a constant. It goes into the layer's addend, else into
 * the thresholds or the addend of the q.requant that is its only reader, else into an nn.add behind
 * the layer. Nodes are visited from the last one on, so that operands still have all channels and
 * readers have lost theirs.
 */
#include "channels.h"
#include <math.h>
#include <string.h>

typedef struct cutter {
    ch_state *S;
    nashc_build *b;
    nashc_diag *d;
    nashc_status status;
} cutter;

/* t without the flagged entries of axis. */
static nashc_tensor *
without(ch_state *S, const nashc_tensor *t, int axis, const uint8_t *gone)
{
    nashc_type type = *nashc_tensor_type(t);
    size_t cell = nashc_cell_size(nashc_tensor_buf(t)->cell), at = 0;
    int64_t n = type.dim[axis], outer = 1, keep = 0;

    for (int a = 0; a < type.rank; a++) {
        outer *= a < axis ? type.dim[a] : 1;
        cell *= a > axis ? (size_t)type.dim[a] : 1;
    }
    for (int64_t c = 0; c < n; c++)
        keep += !gone[c];
    type.dim[axis] = keep;
    char *data = CH_NEW(S, char, (size_t)(outer * keep) * cell);
    for (int64_t i = 0; data && i < outer * n; i++)
        if (!gone[i % n]) {
            memcpy(data + at, (const char *)nashc_tensor_data(t) + (size_t)i * cell, cell);
            at += cell;
        }
    return data ? nashc_tensor_create(&type, data) : NULL;
}

/* Operand i of n loses the entries of axis that are flagged; parts of extent 1 stay. */
static void
cut_operand(cutter *c, nashc_node *n, int i, int axis, const uint8_t *gone)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));

    if (!gone || axis < 0 || nashc_tensor_type(t)->dim[axis] == 1)
        return;
    nashc_build_before(c->b, n);
    nashc_value *v = nashc_build_const(c->b, NULL, without(c->S, t, axis, gone));
    if (v)
        nashc_node_set_in(n, i, v);
}

static int64_t
n_kept(const uint8_t *gone, int64_t n)
{
    int64_t keep = n;

    for (int64_t c = 0; gone && c < n; c++)
        keep -= gone[c];
    return keep;
}

/* --- making up for what is gone ----------------------------------------------------------------
 */

/* What the flagged operand channels give to each result channel that stays; NULL: nothing. */
static int64_t *
given(ch_state *S, const nashc_node *n, const ch_layer *l, const uint8_t *in, const uint8_t *out)
{
    const ch_range *x = S->range[nashc_value_id(nashc_node_in(n, 0))];
    int64_t size = l->n[1] * l->n[2], at[3], kept = 0;
    int64_t *w = CH_NEW(S, int64_t, size), *k = CH_NEW(S, int64_t, l->n[l->o]);
    bool any = false;

    for (at[0] = 0; !S->failed && at[0] < l->n[0]; at[0]++) {
        const int64_t *v = w;
        ch_load(l->w, at[0] * size, size, w);
        for (at[1] = 0; at[1] < l->n[1]; at[1]++)
            for (at[2] = 0; at[2] < l->n[2]; at[2]++, v++)
                if (in[at[l->c]])
                    k[at[l->o]] += *v * x[at[l->c]].lo;
    }
    for (int64_t o = 0; !S->failed && o < l->n[l->o]; o++)
        if (!out || !out[o]) {
            k[kept++] = k[o];
            any = any || k[o];
        }
    return any ? k : NULL;
}

/* Integers of the smallest type, in shape. */
static nashc_value *
integers(cutter *c, nashc_type shape, const int64_t *v)
{
    int64_t lo = v[0], hi = v[0];

    for (int64_t i = 1; i < nashc_type_count(&shape); i++) {
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    nashc_type_set_range(&shape, lo, hi);
    return nashc_build_const(c->b, NULL, nashc_tensor_from_i64(&shape, v));
}

/* op(x + k) as op' (x): operand i of n, t [rows, size], becomes t + m * k row by row, with m[0] or
 * m[row]. False if it cannot be told that 62 bits hold it. */
static bool
moved(cutter *c, nashc_node *n, int i, const int64_t *k, int64_t channels, const nashc_tensor *m,
      int64_t factor)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));
    nashc_type type = *nashc_tensor_type(t);
    int64_t rows = type.dim[0], size = nashc_tensor_count(t) / rows,
            n_m = m ? nashc_tensor_count(m) : 1;
    bool same = rows == 1 && n_m == 1;

    for (int64_t o = 1; o < channels; o++)
        same = same && k[o] == k[0];
    type.dim[0] = same ? 1 : channels;
    int64_t *v = CH_NEW(c->S, int64_t, type.dim[0] * size);
    for (int64_t e = 0; v && e < type.dim[0] * size; e++) {
        int64_t o = e / size, x = nashc_tensor_get_int(t, rows == 1 ? e % size : e);
        int64_t by = m ? nashc_tensor_get_int(m, n_m == 1 ? 0 : o) : factor;
        if (fabs((double)by) * fabs((double)k[o]) + fabs((double)x) >= 0x1p61)
            return false;
        v[e] = x + by * k[o];
    }
    nashc_build_before(c->b, n);
    nashc_value *made = v ? integers(c, type, v) : NULL;
    if (made)
        nashc_node_set_in(n, i, made);
    return true;
}

/* x * m + a of a requant stays below 2^61 for the sums that x may become. */
static bool
has_room(const nashc_node *q, const int64_t *k, int64_t channels)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(q, 0));
    const nashc_type *m = nashc_value_type(nashc_node_in(q, 1));
    double most = fmax(fabs((double)x->lo), fabs((double)x->hi)), moves = 0;

    for (int64_t c = 0; c < channels; c++)
        moves = fmax(moves, fabs((double)k[c]));
    return (2 * most + moves) * fmax(fabs((double)m->lo), fabs((double)m->hi)) < 0x1p60;
}

bool
ch_absorbs(const nashc_node *n)
{
    const nashc_value *b = nashc_node_in(n, 2);
    const nashc_node *q = nashc_value_one_user(nashc_node_out(n, 0));

    return (b && nashc_type_is_int(nashc_value_type(b))) || nashc_node_is(q, "q.requant") ||
           (nashc_node_is(q, "q.multithreshold") &&
            nashc_type_is_int(nashc_value_type(nashc_node_in(q, 1))));
}

static void
make_up(cutter *c, nashc_node *n, const int64_t *k, int64_t channels)
{
    nashc_value *y = nashc_node_out(n, 0), *b = nashc_node_in(n, 2);
    nashc_node *q = nashc_value_one_user(y);
    nashc_type t = *nashc_value_type(y);
    int axis = nashc_type_channel_axis(&t);

    bool absorbs = ch_absorbs(n);
    if (absorbs && b && moved(c, n, 2, k, channels, NULL, 1))
        return;
    if (absorbs && nashc_node_is(q, "q.multithreshold") && moved(c, q, 1, k, channels, NULL, -1))
        return;
    if (absorbs && nashc_node_is(q, "q.requant") && has_room(q, k, channels) &&
        moved(c, q, 2, k, channels, nashc_value_const(nashc_node_in(q, 1)), 0))
        return;
    t.dim[axis] = channels;
    nashc_value_set_type(y, &t);
    for (int a = 0; a < t.rank; a++)
        t.dim[a] = a == axis ? channels : 1;
    nashc_build_before(c->b, nashc_node_next(n));
    nashc_build_loc(c->b, nashc_node_loc(n));
    nashc_value *in[] = {y, integers(c, t, k)}, *sum = nashc_build_op(c->b, "nn.add", in, 2, NULL);
    if (!sum)
        return;
    nashc_value_replace(y, sum);
    nashc_node_set_in(nashc_value_def(sum), 0, y);
}

/* --- nodes -------------------------------------------------------------------------------------
 */

static void
cut_layer(cutter *c, nashc_node *n, bool dense, const uint8_t *in, const uint8_t *out)
{
    nashc_type w = *nashc_value_type(nashc_node_in(n, 1));
    bool matmul = nashc_node_is(n, "nn.matmul");
    bool last = nashc_type_channel_axis(nashc_value_type(nashc_node_in(n, 0))) != 1;
    int64_t channels = nashc_type_channels(nashc_value_type(nashc_node_out(n, 0)));
    int64_t keep = n_kept(out, channels);
    ch_layer l;
    int64_t *k = dense && in && ch_layer_of(n, &l) ? given(c->S, n, &l, in, out) : NULL;

    if (nashc_node_in(n, 2))
        cut_operand(c, n, 2, 0, out);
    cut_operand(c, n, 1, matmul ? 1 : 0, out);
    if (dense)
        cut_operand(c, n, 1, matmul ? 0 : last ? w.rank - 1 : 1, in);
    else if (out)
        c->status = nashc_node_set_attr_int(n, "group", keep, c->d);
    if (k)
        make_up(c, n, k, keep);
}

static void
cut_reshape(cutter *c, nashc_node *n, const uint8_t *out)
{
    nashc_type y = *nashc_value_type(nashc_node_out(n, 0));
    int axis = nashc_type_channel_axis(&y);

    y.dim[axis] = n_kept(out, y.dim[axis]);
    c->status = nashc_node_set_attr(n, nashc_node_is(n, "nn.resize") ? "sizes" : "shape",
                                    nashc_build_ints(c->b, y.dim, y.rank), c->d);
}

static void
cut(cutter *c, nashc_node *n)
{
    const uint8_t *in = ch_gone(c->S, nashc_node_in(n, 0)), *out;
    ch_kind kind = ch_kind_of(n);

    if (kind == CH_OTHER)
        return;
    out = ch_gone(c->S, nashc_node_out(n, 0));
    if (kind == CH_DENSE || kind == CH_DEPTHWISE) {
        if (in || out)
            cut_layer(c, n, kind == CH_DENSE, in, out);
        return;
    }
    if (!out)
        return;
    if (kind == CH_RESHAPE)
        cut_reshape(c, n, out);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!v || !nashc_value_const(v) || nashc_value_type(v)->rank == 0)
            continue;
        int axis = nashc_type_channel_axis(y) - (y->rank - nashc_value_type(v)->rank);
        cut_operand(c, n, i, kind == CH_ELTWISE ? axis : 0, out);
    }
}

nashc_status
ch_cut(ch_state *S)
{
    cutter c = {.S = S, .b = nashc_run_build(S->run, S->g), .d = nashc_run_diag(S->run)};
    nashc_node *before;

    for (nashc_node *n = nashc_graph_last(S->g); n && !S->failed && !c.status; n = before) {
        before = nashc_node_prev(n);
        cut(&c, n);
    }
    if (S->failed || !c.b)
        return nashc_enomem(c.d);
    if (c.status == NASHC_OK)
        c.status = nashc_build_status(c.b);
    return c.status ? c.status : nashc_graph_infer(S->g, c.d);
}
