/* chain.c: the chain between an integer tensor and a quantiser, run as the model runs it.
 *
 * The chain is element-wise but for pools and ops that move elements, through which a variant is
 * followed backwards. All variants make the columns of a small graph [points, variants] of the
 * model's own ops, in the model's order, with the constants that each variant meets; the executor
 * evaluates it.
 */
#include "integer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LANES  ((int64_t)1 << 22)
#define CHUNK      ((int64_t)1 << 18) /* cells of one run */
#define SHORT_BITS 44

typedef struct segment {
    si_tensor *tensor;
    int64_t *elem; /* by row: element of the segment's tensors */
    bool shuffled; /* a moving op lies between it and the quantiser */
} segment;

struct si_chain {
    si_tensor *tensor;
    nashc_node *q;
    nashc_node **node; /* in order, q last */
    int n_node;
    segment *seg;
    int n_seg, tensor_segment;
    int64_t span, count;
    int64_t *lane_of; /* by row */
    int64_t *row_of;  /* by variant: its first row */
    double *s, *b, *lo, *hi;
    double *gs, *gb; /* guess: operand of q = gs * n + gb */
    nashc_module *m; /* the last small graph, for all variants */
    int64_t m_points;
};

static bool
is_via(const si_state *S, const si_chain *l, const nashc_node *n)
{
    (void)S;
    for (int i = 0; i < l->n_seg; i++)
        if (l->seg[i].tensor->via == n)
            return true;
    return false;
}

static segment *
segment_of(si_state *S, const si_chain *l, const nashc_node *n)
{
    si_tensor *tensor = n == l->q ? l->seg[0].tensor : si_of(S, nashc_node_out(n, 0))->tensor;
    for (int i = 0; i < l->n_seg; i++)
        if (l->seg[i].tensor == tensor || (tensor && l->seg[i].tensor->pending == tensor))
            return &l->seg[i];
    return NULL;
}

static int
by_order(const void *a, const void *b)
{
    const nashc_node *x = *(nashc_node *const *)a, *y = *(nashc_node *const *)b;
    return x == y ? 0 : nashc_node_before(x, y) ? -1 : 1;
}

/* Nodes of the model between the origin and q. */
static bool
collect(si_state *S, si_chain *l)
{
    int cap = 64, top = 0;
    nashc_node **stack = malloc((size_t)cap * sizeof(*stack));
    if (!stack)
        return si_fail(S, nashc_enomem(S->diag));
    stack[top++] = l->q;
    for (int done = 0; done < top; done++) {
        nashc_node *n = stack[done];
        int n_in = is_via(S, l, n) ? 1 : nashc_node_n_in(n);
        for (int i = 0; i < n_in; i++) {
            nashc_value *v = nashc_node_in(n, i);
            nashc_node *d =
                v && v != l->tensor->origin && !si_is_const(S, v) ? nashc_value_def(v) : NULL;
            bool known = !d;
            for (int k = 0; k < top && !known; k++)
                known = stack[k] == d;
            if (known)
                continue;
            if (top == cap) {
                nashc_node **p = realloc(stack, (size_t)(cap *= 2) * sizeof(*p));
                if (!p) {
                    free(stack);
                    return si_fail(S, nashc_enomem(S->diag));
                }
                stack = p;
            }
            stack[top++] = d;
        }
    }
    qsort(stack, (size_t)top, sizeof(*stack), by_order);
    l->node = stack;
    l->n_node = top;
    return true;
}

/* Constant operand i of n as a table: rows it may pick from. Returns how much it varies: 0 not, 1
 * by channel, 2 by element. */
static int
variation(si_state *S, const nashc_node *n, int i, const nashc_type *t)
{
    const nashc_tensor *k = si_known(S, nashc_node_in(n, i));
    const nashc_type *kt = k ? nashc_tensor_type(k) : NULL;
    si_array a;
    if (!k)
        return 2;
    if (nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "q.lut"))
        return kt->rank > 0 && kt->dim[0] > 1;
    if (!si_from_tensor(S, k, &a))
        return 2;
    if (a.n == 1)
        return 0;
    return nashc_node_is(n, "nn.batchnorm") || si_channel_only(&a, t) ? 1 : 2;
}

static int
array_variation(const si_array *a, const nashc_type *t)
{
    return a->n == 1 ? 0 : si_channel_only(a, t) ? 1 : 2;
}

/* Do constants of n count channels, instead of being broadcast? */
static bool
counts_channels(const nashc_node *n)
{
    return nashc_node_is(n, "nn.batchnorm") || nashc_node_is(n, "q.multithreshold") ||
           nashc_node_is(n, "q.lut");
}

/* Which element (row, if channels are counted) of a constant element e of the result meets. */
static int64_t
const_index(bool channels, const nashc_type *kt, const nashc_type *t, int64_t e)
{
    if (!channels)
        return nashc_type_count(kt) == 1 ? 0 : nashc_broadcast_index(kt, t, e);
    int axis = nashc_type_channel_axis(t);
    int64_t c = e;
    for (int i = t->rank - 1; i > axis; i--)
        c /= t->dim[i];
    c = axis >= 0 ? c % t->dim[axis] : 0;
    return kt->rank > 0 && kt->dim[0] > 1 ? c : 0;
}

static bool
make_segments(si_state *S, si_chain *l, si_tensor *top)
{
    int n = 0;
    for (si_tensor *b = top; b; b = b->before_via)
        n++;
    l->seg = calloc((size_t)n, sizeof(*l->seg));
    if (!l->seg)
        return si_fail(S, nashc_enomem(S->diag));
    bool shuffled = false;
    for (si_tensor *b = top; b; b = b->before_via) {
        if (b == l->tensor)
            l->tensor_segment = l->n_seg;
        l->seg[l->n_seg].tensor = b;
        l->seg[l->n_seg++].shuffled = shuffled;
        shuffled = shuffled || (b->via && !b->via_is_pool);
    }
    return true;
}

static int
max_int(int a, int b)
{
    return a > b ? a : b;
}

/* How much the whole chain varies. */
static int
need(si_state *S, si_chain *l, const nashc_type *top)
{
    int r = 0;
    const si_tensor *b = l->tensor;
    const nashc_type *bt = b->ival ? nashc_value_type(b->ival) : top;
    r = max_int(r, array_variation(&b->s, bt));
    r = max_int(r, array_variation(&b->b, bt));
    if (b->ival) {
        r = max_int(r, array_variation(&b->lo, bt));
        r = max_int(r, array_variation(&b->hi, bt));
    }
    for (int k = 0; k < b->n_term; k++) {
        const si_val *v = b->term[k].x;
        r = max_int(r, array_variation(&v->s, bt));
        r = max_int(r, array_variation(&v->b, bt));
        if (v->tensor->ival) {
            r = max_int(r, array_variation(&v->tensor->lo, bt));
            r = max_int(r, array_variation(&v->tensor->hi, bt));
        }
    }
    if (r && l->seg[l->tensor_segment].shuffled)
        r = 2;
    for (int k = 0; k < l->n_node; k++) {
        const nashc_node *n = l->node[k];
        if (is_via(S, l, n))
            continue;
        segment *g = segment_of(S, l, n);
        if (!g)
            return 3;
        for (int i = 0; i < nashc_node_n_in(n); i++)
            if (nashc_node_in(n, i) && si_is_const(S, nashc_node_in(n, i))) {
                int v = variation(S, n, i, nashc_value_type(nashc_node_out(n, 0)));
                r = max_int(r, v && g->shuffled ? 2 : v);
            }
    }
    return r;
}

/* Elements of each segment for all rows. */
static bool
trace(si_state *S, si_chain *l, int how, const nashc_type *t)
{
    for (int k = 0; k < l->n_seg; k++) {
        segment *g = &l->seg[k], *up = k ? &l->seg[k - 1] : NULL;
        g->elem = malloc((size_t)l->span * sizeof(int64_t) + 1);
        if (!g->elem)
            return si_fail(S, nashc_enomem(S->diag));
        if (!up) {
            for (int64_t r = 0; r < l->span; r++)
                g->elem[r] = how == 1 ? si_first_of_channel(t, r) : r;
            continue;
        }
        const nashc_node *via = up->tensor->via;
        const nashc_type *in = nashc_value_type(nashc_node_in(via, 0));
        const nashc_type *out = nashc_value_type(nashc_node_out(via, up->tensor->via_out));
        int64_t *map = NULL;
        if (how > 0 && !up->tensor->via_is_pool &&
            !(map = si_index_map(S, via, up->tensor->via_out, in)))
            return false;
        for (int64_t r = 0; r < l->span; r++) {
            int64_t e = up->elem[r], c = e;
            int axis = nashc_type_channel_axis(out);
            for (int i = out->rank - 1; i > axis; i--)
                c /= out->dim[i];
            c = axis >= 0 ? c % out->dim[axis] : 0;
            g->elem[r] = map ? map[e] : how == 0 ? 0 : si_first_of_channel(in, c);
        }
        nashc_mem_free(map);
    }
    return true;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
    h ^= v;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
    h *= UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ (h >> 32);
}

static uint64_t
bits_of(double v)
{
    uint64_t u;
    v += 0.0;
    memcpy(&u, &v, sizeof u);
    return u;
}

static const nashc_type *
seg_type(const si_chain *l, int k, const nashc_type *top)
{
    return l->seg[k].tensor->ival ? nashc_value_type(l->seg[k].tensor->ival) : top;
}

/* Two 64-bit hashes of all that row r meets. */
static void
row_hash(si_state *S, const si_chain *l, const nashc_type *top, int64_t r, uint64_t h[2])
{
    const si_tensor *b = l->tensor;
    const nashc_type *bt = seg_type(l, l->tensor_segment, top);
    int64_t e = l->seg[l->tensor_segment].elem[r];
    double v[4] = {si_at(&b->s, bt, e), si_at(&b->b, bt, e), b->ival ? si_at(&b->lo, bt, e) : 0,
                   b->ival ? si_at(&b->hi, bt, e) : 0};
    h[0] = 1;
    h[1] = 2;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++)
            h[k] = mix(h[k], bits_of(v[i]));
    for (int i = 0; i < b->n_term; i++) {
        const si_val *x = b->term[i].x;
        bool leaf = x->tensor->ival != NULL;
        double w[4] = {si_at(&x->s, bt, e), si_at(&x->b, bt, e),
                       leaf ? si_at(&x->tensor->lo, bt, e) : 0,
                       leaf ? si_at(&x->tensor->hi, bt, e) : 0};
        for (int k = 0; k < 8; k++)
            h[k % 2] = mix(h[k % 2], bits_of(w[k / 2]));
    }
    for (int k = 0; k < l->n_node; k++) {
        nashc_node *n = l->node[k];
        const segment *g = is_via(S, l, n) ? NULL : segment_of(S, l, n);
        for (int i = 0; g && i < nashc_node_n_in(n); i++) {
            nashc_value *c = nashc_node_in(n, i);
            if (!c || !si_is_const(S, c))
                continue;
            const nashc_tensor *t = si_known(S, c);
            const nashc_type *kt = nashc_tensor_type(t);
            int64_t at = const_index(counts_channels(n), kt, nashc_value_type(nashc_node_out(n, 0)),
                                     g->elem[r]);
            bool row = nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "q.lut");
            uint64_t u = row ? (uint64_t)at : bits_of(nashc_tensor_get(t, at));
            h[0] = mix(h[0], u);
            h[1] = mix(h[1], u);
        }
    }
}

/* Numbers the different rows. */
static bool
distinguish(si_state *S, si_chain *l, const nashc_type *top)
{
    int64_t size = 1;
    while (size < 2 * l->span)
        size *= 2;
    uint64_t(*key)[2] = malloc((size_t)l->span * sizeof(*key) + 1);
    int64_t *slot = malloc((size_t)size * sizeof(*slot));
    l->lane_of = malloc((size_t)l->span * sizeof(int64_t) + 1);
    l->row_of = malloc((size_t)l->span * sizeof(int64_t) + 1);
    if (!key || !slot || !l->lane_of || !l->row_of) {
        free(key);
        free(slot);
        return si_fail(S, nashc_enomem(S->diag));
    }
    for (int64_t i = 0; i < size; i++)
        slot[i] = -1;
    for (int64_t r = 0; r < l->span; r++) {
        uint64_t h[2];
        row_hash(S, l, top, r, h);
        int64_t at = (int64_t)(h[0] & (uint64_t)(size - 1));
        while (slot[at] >= 0 && memcmp(key[slot[at]], h, sizeof h) != 0)
            at = (at + 1) & (size - 1);
        if (slot[at] < 0) {
            memcpy(key[l->count], h, sizeof h);
            l->row_of[l->count] = r;
            slot[at] = l->count++;
        }
        l->lane_of[r] = slot[at];
    }
    free(key);
    free(slot);
    return true;
}

static bool
variant_params(si_state *S, si_chain *l, const nashc_type *top)
{
    double *p = malloc((size_t)l->count * 6 * sizeof(*p) + 1);
    const nashc_type *bt = seg_type(l, l->tensor_segment, top);
    const si_val *x = si_of(S, nashc_node_in(l->q, 0));
    const si_tensor *b = l->tensor, *f = l->seg[0].tensor;
    if (!p)
        return si_fail(S, nashc_enomem(S->diag));
    l->s = p;
    l->b = p + l->count;
    l->lo = p + 2 * l->count;
    l->hi = p + 3 * l->count;
    l->gs = p + 4 * l->count;
    l->gb = p + 5 * l->count;
    for (int64_t i = 0; i < l->count; i++) {
        int64_t r = l->row_of[i], e = l->seg[l->tensor_segment].elem[r], t = l->seg[0].elem[r];
        l->s[i] = si_at(&b->s, bt, e);
        l->b[i] = si_at(&b->b, bt, e);
        l->lo[i] = b->ival ? si_at(&b->lo, bt, e) : 0;
        l->hi[i] = b->ival ? si_at(&b->hi, bt, e) : 0;
        double sign = l->s[i] * si_at(&f->s, seg_type(l, 0, top), t) < 0 ? -1 : 1;
        l->gs[i] = sign * si_at(&x->s, top, t);
        l->gb[i] = si_at(&x->b, top, t);
        if (b->pending == x->tensor) { /* x is in terms of the sum's value, not of its integer */
            l->gb[i] += l->gs[i] * l->b[i];
            l->gs[i] *= l->s[i];
        }
    }
    return true;
}

si_chain *
si_chain_create(si_state *S, si_tensor *tensor, nashc_node *q, bool per_channel)
{
    nashc_value *x = nashc_node_in(q, 0);
    const nashc_type *t = nashc_value_type(x);
    si_chain *l = calloc(1, sizeof(*l));
    if (!l) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    l->tensor = tensor;
    l->q = q;
    const si_tensor *top = si_of(S, x)->tensor;
    if (!make_segments(S, l, tensor->pending == top ? tensor : si_of(S, x)->tensor) ||
        !collect(S, l))
        goto fail;
    int how = need(S, l, t);
    if (S->st != NASHC_OK)
        goto fail;
    if (how > 2 || (per_channel && how == 2)) {
        si_no(S, how > 2 ? "branches of its function meet behind a moving op" : NULL);
        goto fail;
    }
    l->span = how == 0 ? 1 : how == 1 ? nashc_type_channels(t) : nashc_type_count(t);
    if (l->span > MAX_LANES) {
        si_no(S, "its function differs in too many elements");
        goto fail;
    }
    if (!trace(S, l, how, t) || !distinguish(S, l, t) || !variant_params(S, l, t))
        goto fail;
    return l;
fail:
    si_chain_free(l);
    return NULL;
}

void
si_chain_free(si_chain *l)
{
    if (!l)
        return;
    for (int i = 0; l->seg && i < l->n_seg; i++)
        free(l->seg[i].elem);
    free(l->seg);
    free(l->node);
    free(l->lane_of);
    free(l->row_of);
    free(l->s);
    if (l->m)
        nashc_module_free(l->m);
    free(l);
}

int64_t
si_chain_variants(const si_chain *l)
{
    return l->count;
}

int64_t
si_chain_rows(const si_chain *l)
{
    return l->span;
}

int64_t
si_chain_variant_of(const si_chain *l, int64_t row)
{
    return l->lane_of[row];
}

double
si_chain_lo(const si_chain *l, int64_t variant)
{
    return l->lo[variant];
}

double
si_chain_hi(const si_chain *l, int64_t variant)
{
    return l->hi[variant];
}

int64_t
si_chain_element(const si_chain *l, int64_t variant)
{
    return l->seg[l->n_seg - 1].elem[l->row_of[variant]];
}

/* --- the small graph ---------------------------------------------------------------------------
 */

/* Constant operand i of n for the variants idx: a vector, or rows of a table. */
static nashc_value *
variant_const(si_state *S, si_chain *l, nashc_build *b, const nashc_node *n, int i,
              const int64_t *idx, int64_t n_idx)
{
    const nashc_tensor *k = si_known(S, nashc_node_in(n, i));
    const nashc_type *kt = k ? nashc_tensor_type(k) : NULL,
                     *t = nashc_value_type(nashc_node_out(n, 0));
    const segment *g = segment_of(S, l, n);
    nashc_buf buf;
    if (!k)
        return NULL;
    bool table = (nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "q.lut")) && i == 1;
    bool shared = table && kt->dim[0] == 1;
    int64_t cols = table ? kt->dim[1] : 1, dim[2] = {shared ? 1 : n_idx, cols};
    nashc_type bt = nashc_type_shaped(*kt, table ? 2 : 1, dim);
    if (!table && nashc_type_count(kt) == 1 && !nashc_node_is(n, "nn.batchnorm"))
        return nashc_build_const(b, NULL,
                                 nashc_tensor_reshaped((nashc_tensor *)(uintptr_t)k, 0, dim));
    if (!nashc_buf_alloc(&buf, &bt)) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    bool is_int = nashc_type_is_int(kt), channels = counts_channels(n);
    for (int64_t r = 0; r < dim[0]; r++) {
        int64_t variant = idx ? idx[r] : r;
        int64_t at = const_index(channels, kt, t, g->elem[l->row_of[variant]]);
        for (int64_t c = 0; c < cols; c++)
            if (is_int)
                nashc_buf_set_int(&buf, r * cols + c, nashc_tensor_get_int(k, at * cols + c));
            else
                nashc_buf_set(&buf, r * cols + c, nashc_tensor_get(k, at * cols + c));
    }
    return nashc_build_const(b, NULL, nashc_tensor_take(&buf));
}

static nashc_value *
copy_node(si_state *S, si_chain *l, nashc_build *b, nashc_node *n, nashc_value **made,
          nashc_value *x, const int64_t *idx, int64_t n_idx)
{
    int n_in = nashc_node_n_in(n);
    nashc_value **in = si_alloc(S, n_in, sizeof(*in));
    if (!in)
        return NULL;
    for (int i = 0; i < n_in; i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (v && v == l->tensor->origin)
            in[i] = x;
        else if (v && si_is_const(S, v))
            in[i] = variant_const(S, l, b, n, i, idx, n_idx);
        else if (v)
            for (int k = 0; k < l->n_node; k++)
                for (int o = 0; o < nashc_node_n_out(l->node[k]); o++)
                    if (nashc_node_out(l->node[k], o) == v)
                        in[i] = made[k];
        if (v && i == 0 && is_via(S, l, n))
            return in[0];
    }
    const char *attrs = nashc_node_attr_text(n, S->a);
    if (n == l->q && nashc_attr_index(n, "codes") >= 0 &&
        !nashc_attr_bool(n, nashc_attr_index(n, "codes")))
        attrs = nashc_arena_printf(S->a, "%s codes=true", attrs);
    nashc_build_loc(b, nashc_node_loc(n));
    return nashc_build_op(b, nashc_node_opname(n), in, n_in, "%s", attrs);
}

static nashc_module *
small_graph(si_state *S, si_chain *l, const int64_t *idx, int64_t n_idx, int64_t points)
{
    nashc_module *m = nashc_module_create(S->ctx);
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_build *b = g ? nashc_build_create(g, S->diag) : NULL;
    nashc_value **made = si_alloc(S, l->n_node, sizeof(*made)), *y = NULL;
    nashc_type o = *nashc_value_type(l->tensor->origin), f64 = nashc_type_f64();
    if (nashc_type_is_float(&o)) /* evaluated without rounding, as the reference executor does */
        o = nashc_type_with_elem(&o, &f64);
    nashc_type t = nashc_type_shaped(o, 2, (const int64_t[]){points, n_idx});

    if (b && made) {
        t.layout = NASHC_LAYOUT_DEFAULT;
        nashc_value *x = nashc_graph_add_input(g, "x", &t);
        for (int k = 0; k < l->n_node; k++)
            y = made[k] = copy_node(S, l, b, l->node[k], made, x, idx, n_idx);
        if (y)
            nashc_graph_add_output(g, "y", y);
    }
    if (!y || S->st != NASHC_OK) {
        si_fail(S, b && nashc_build_status(b) ? nashc_build_status(b) : NASHC_ENOMEM);
        nashc_module_free(m);
        return NULL;
    }
    return m;
}

/* What an integer code of q.trunc is worth: its codes come out as reals. */
static double
trunc_scale(si_state *S, const si_chain *l, int64_t variant)
{
    int i = nashc_node_in(l->q, 3) ? 3 : 1;
    const nashc_tensor *k = si_known(S, nashc_node_in(l->q, i));
    if (!k)
        return 1.0;
    int64_t e = l->seg[0].elem[l->row_of[variant]];
    return nashc_tensor_get(
        k, const_index(false, nashc_tensor_type(k), nashc_value_type(nashc_node_out(l->q, 0)), e));
}

/* s * n + b. the model may have computed it otherwise and exactly (a mean of n over 15 elements, in
 * place of n * 0.1), and then decides its ties: where a short number lies within the rounding of s
 * and b, it is the value. */
static double
real_of(double s, double n, double b)
{
    double v = s * n + b, largest = fmax(fabs(s * n), fabs(b));
    if (largest == 0 || !isfinite(v))
        return v;
    double unit = ldexp(1, ilogb(largest) - SHORT_BITS + 1), r = nearbyint(v / unit) * unit;
    return fabs(v - r) <= 3 * DBL_EPSILON * largest ? r : v;
}

bool
si_chain_eval(si_state *S, si_chain *l, const int64_t *idx, int64_t n_idx, int64_t points,
              const double *n, bool real, int64_t *code)
{
    int64_t step = CHUNK / n_idx < 1 ? 1 : CHUNK / n_idx;
    nashc_module *m = NULL;
    nashc_status st = NASHC_OK;
    bool trunc = nashc_node_is(l->q, "q.trunc");
    bool signs = nashc_value_type(l->tensor->origin)->kind == NASHC_K_BIP; /* which never are 0 */

    step = points < step ? points : step;
    if (!idx && l->m && l->m_points == step)
        m = l->m;
    for (int64_t from = 0; st == NASHC_OK && from < points; from += step) {
        nashc_buf x, y;
        if (!m && !(m = small_graph(S, l, idx, n_idx, step)))
            return false;
        nashc_graph *g = nashc_module_main(m);
        if (!nashc_buf_alloc(&x, nashc_value_type(nashc_graph_input(g, 0)))) {
            st = nashc_enomem(S->diag);
            break;
        }
        for (int64_t p = 0; p < step; p++)
            for (int64_t i = 0; i < n_idx; i++) {
                int64_t variant = idx ? idx[i] : i;
                int64_t at = (from + p < points ? from + p : points - 1) * n_idx + i;
                double v = real ? n[at] : real_of(l->s[variant], n[at], l->b[variant]);
                nashc_buf_set(&x, p * n_idx + i, signs && v == 0 ? 1 : v);
            }
        const nashc_buf *in = &x;
        st = nashc_run_graph(g, &in, &y, NASHC_EVAL_WIDE, NULL, NULL, S->diag);
        nashc_buf_free(&x);
        if (st != NASHC_OK)
            break;
        for (int64_t p = 0; p < step && from + p < points; p++)
            for (int64_t i = 0; i < n_idx; i++)
                code[(from + p) * n_idx + i] =
                    trunc ? (int64_t)nearbyint(nashc_buf_get(&y, p * n_idx + i) /
                                               trunc_scale(S, l, idx ? idx[i] : i))
                          : nashc_buf_get_int(&y, p * n_idx + i);
        nashc_buf_free(&y);
    }
    if (m && m != l->m) {
        if (idx) {
            nashc_module_free(m);
        } else {
            nashc_module_free(l->m);
            l->m = m;
            l->m_points = step;
        }
    }
    return st == NASHC_OK ? true : si_fail(S, st);
}

bool
si_chain_guess(const si_chain *l, int64_t variant, double code, double *n)
{
    const nashc_node *q = l->q;
    double x;
    if (l->gs[variant] == 0)
        return false;
    if (nashc_node_is(q, "q.bipolar_quant")) {
        x = 0;
    } else if (nashc_node_is(q, "q.quant")) {
        const nashc_tensor *s = nashc_value_const(nashc_node_in(q, 1));
        const nashc_tensor *z = nashc_value_const(nashc_node_in(q, 2));
        if (!s || !z)
            return false;
        const nashc_type *t = nashc_value_type(nashc_node_out(q, 0));
        int64_t e = l->seg[0].elem[l->row_of[variant]];
        const char *mode = nashc_attr_str(q, nashc_attr_index(q, "rounding"));
        double half = strcmp(mode, "floor") == 0  ? 0
                      : strcmp(mode, "ceil") == 0 ? 1
                      : strcmp(mode, "sign") == 0 ? code
                                                  : 0.5;
        x = nashc_tensor_get(s, const_index(false, nashc_tensor_type(s), t, e)) *
            (code - half - nashc_tensor_get(z, const_index(false, nashc_tensor_type(z), t, e)));
    } else if (nashc_node_is(q, "q.multithreshold") && !nashc_node_in(q, 2)) {
        const nashc_tensor *t = nashc_value_const(nashc_node_in(q, 1));
        if (!t)
            return false;
        const nashc_type *kt = nashc_tensor_type(t);
        int64_t row = const_index(true, kt, nashc_value_type(nashc_node_out(q, 0)),
                                  l->seg[0].elem[l->row_of[variant]]);
        int64_t k = ((int64_t)code - nashc_attr_int(q, nashc_attr_index(q, "out_bias"))) /
                        nashc_attr_int(q, nashc_attr_index(q, "out_scale")) -
                    1;
        if (k < 0 || k >= kt->dim[1])
            return false;
        x = nashc_tensor_get(t, row * kt->dim[1] + k);
    } else {
        return false;
    }
    *n = (x - l->gb[variant]) / l->gs[variant];
    return true;
}
