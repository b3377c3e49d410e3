/* quantiser.c: quantisers of the model become thresholds, tables or nothing on integers.
 *
 *     tensor -- chain of the model -- quantiser     ==>     tensor -- q.multithreshold | q.lut
 *
 * Pools in the chain go behind the thresholds where all maps rise the same way, which pools few
 * bits instead of many; else they stay in front of them (shape.c).
 */
#include "integer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TABLE 65536

/* Scale s, zero point z of the codes of quantiser n. */
static bool
scale_of(si_state *S, nashc_node *n, si_array *s, si_array *z)
{
    bool trunc = nashc_node_is(n, "q.trunc");
    *s = si_scalar(S, 1.0);
    *z = si_scalar(S, 0.0);
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(S, nashc_node_in(n, i)))
            return si_no(S, "its parameters are not constant");
    if (nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0))))
        return true;
    if (nashc_node_is(n, "q.multithreshold"))
        return si_no(S, "its result is not an integer");
    const nashc_tensor *sk = si_known(S, nashc_node_in(n, trunc && nashc_node_in(n, 3) ? 3 : 1));
    if (!sk || !si_from_tensor(S, sk, s))
        return false;
    if (nashc_node_is(n, "q.bipolar_quant"))
        return true;
    const nashc_tensor *zk = si_known(S, nashc_node_in(n, 2));
    if (!zk || !si_from_tensor(S, zk, z))
        return false;
    return !trunc || si_zero(z) || si_no(S, "it has a zero point");
}

static double
minus_product(double x, double y)
{
    return x == 0 || y == 0 ? 0.0 : -x * y;
}

/* y is made of codes with scale s and zero point z. */
static bool
anchor_codes(si_state *S, nashc_node *q, nashc_value *codes, const si_array *s, const si_array *z)
{
    nashc_value *real = NULL;
    si_array b;
    if (!codes || !si_zip(S, s, z, minus_product, &b))
        return false;
    if (!si_zero(z) &&
        !(real =
              si_emit(S, "q.dequant",
                      (nashc_value *[]){codes, si_const_real(S, s), si_const_real(S, z)}, 3, NULL)))
        return false;
    return si_anchor(S, nashc_node_out(q, 0), codes, s, &b, NULL, NULL, NULL, real);
}

/* The first quantiser behind a float input: the model's own op, giving codes. */
static bool
host_quantiser(si_state *S, nashc_node *q)
{
    nashc_value *y = nashc_node_out(q, 0), *codes = y, *in[3] = {0};
    int n_in = nashc_node_n_in(q);
    si_array s, z;
    if (nashc_node_is(q, "q.trunc") || !scale_of(S, q, &s, &z))
        return false;
    if (!nashc_type_is_int(nashc_value_type(y))) {
        for (int i = 0; i < n_in && i < 3; i++)
            in[i] = nashc_node_in(q, i);
        codes = si_emit(S, nashc_node_opname(q), in, n_in,
                        nashc_arena_printf(S->a, "%s codes=true", nashc_node_attr_text(q, S->a)));
    }
    return anchor_codes(S, q, codes, &s, &z);
}

/* --- emission ----------------------------------------------------------------------------------
 */

typedef struct emission {
    nashc_node *q;
    si_chain *l;
    si_thresholds *p;
    int64_t n, rows;
    int64_t cmin, cmax; /* of all variants */
    bool bip;           /* codes are -1 and 1 */
    bool table, falls;  /* some variant */
    bool by_element;    /* rows are elements: the tensor must be flattened first */
} emission;

/* Codes of a bipolar quantiser as 0 and 1. */
static void
halve(emission *e)
{
    for (int64_t i = 0; i < e->n; i++) {
        si_thresholds *p = &e->p[i];
        for (int64_t k = 0; p->table && k <= p->hi - p->lo; k++)
            p->table[k] = (p->table[k] + 1) / 2;
        if (p->cmax > p->cmin && p->t)
            p->t[0] = p->t[p->cmax - p->cmin - 1];
        p->cmin = (p->cmin + 1) / 2;
        p->cmax = (p->cmax + 1) / 2;
    }
}

static bool
same_thresholds(const si_thresholds *a, const si_thresholds *b)
{
    if (a->lo != b->lo || a->hi != b->hi || a->dir != b->dir || a->cmin != b->cmin ||
        a->cmax != b->cmax)
        return false;
    if (a->table)
        return memcmp(a->table, b->table, (size_t)(a->hi - a->lo + 1) * sizeof(int64_t)) == 0;
    return a->dir == 0 || memcmp(a->t, b->t, (size_t)(a->cmax - a->cmin) * sizeof(int64_t)) == 0;
}

/* One row an element is too much where they agree within each channel. */
static void
choose_rows(emission *e, const nashc_type *t)
{
    int64_t span = si_chain_rows(e->l), channels = nashc_type_channels(t);
    int64_t inner = 1;
    e->rows = e->n == 1 ? 1 : span;
    e->by_element = false;
    if (e->rows == 1 || span == channels)
        return;
    for (int i = nashc_type_channel_axis(t) + 1; i < t->rank; i++)
        inner *= t->dim[i];
    for (int64_t r = 0; r < span; r++) {
        int64_t first = r / inner % channels * inner;
        int64_t a = si_chain_variant_of(e->l, r), b = si_chain_variant_of(e->l, first);
        if (a != b && !same_thresholds(&e->p[a], &e->p[b])) {
            e->by_element = true;
            return;
        }
    }
    e->rows = channels;
}

/* Lane of row r. */
static const si_thresholds *
thresholds_of_row(const emission *e, const nashc_type *t, int64_t r)
{
    if (e->n == 1)
        return &e->p[0];
    if (!e->by_element && si_chain_rows(e->l) != e->rows)
        r = si_first_of_channel(t, r);
    return &e->p[si_chain_variant_of(e->l, r)];
}

static nashc_value *
flattened(si_state *S, nashc_value *v, const emission *e)
{
    const nashc_type *t = nashc_value_type(v);
    if (!e->by_element)
        return v;
    int64_t dim[2] = {1, nashc_type_count(t)};
    return si_emit(S, "nn.reshape", &v, 1,
                   nashc_arena_printf(S->a, "shape=%s", nashc_build_ints(S->b, dim, 2)));
}

static nashc_value *
unflattened(si_state *S, nashc_value *v, const emission *e, const nashc_type *t)
{
    if (!e->by_element || !v)
        return v;
    return si_emit(S, "nn.reshape", &v, 1,
                   nashc_arena_printf(S->a, "shape=%s", nashc_build_ints(S->b, t->dim, t->rank)));
}

static nashc_value *
table_const(si_state *S, const int64_t *v, int64_t rows, int64_t cols, bool bip)
{
    int64_t dim[2] = {rows, cols};
    nashc_type t = nashc_type_shaped(bip ? nashc_type_bip() : nashc_type_int(64), 2, dim);
    nashc_tensor *k = si_int_tensor(S, &t, v);
    return k ? nashc_build_const(S->b, NULL, nashc_tensor_ref(k)) : NULL;
}

static nashc_value *
emit_table(si_state *S, const emission *e, nashc_value *x)
{
    const nashc_type t = *nashc_value_type(x);
    int64_t lo = t.lo, n = t.hi - t.lo + 1;
    if (n > MAX_TABLE || n * e->rows > (int64_t)1 << 26) {
        si_no(S, "the function in front of it is not monotone and its integers are too many for a "
                 "table");
        return NULL;
    }
    int64_t *v = malloc((size_t)(n * e->rows) * sizeof(*v));
    if (!v) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t r = 0; r < e->rows; r++) {
        const si_thresholds *p = thresholds_of_row(e, &t, r);
        for (int64_t i = 0; i < n; i++) {
            int64_t at = lo + i < p->lo ? p->lo : lo + i > p->hi ? p->hi : lo + i, c = p->cmin;
            if (p->table)
                c = p->table[at - p->lo];
            else
                for (int64_t k = 0; k < p->cmax - p->cmin; k++)
                    c += (p->dir > 0 ? at : -at) >= p->t[k];
            v[r * n + i] = e->bip ? 2 * c - 1 : c;
        }
    }
    nashc_value *by_element = flattened(S, x, e), *table = table_const(S, v, e->rows, n, e->bip);
    free(v);
    nashc_stat(S->run, SI_STAT_TABLES, 1);
    nashc_value *y = si_emit(S, "q.lut", (nashc_value *[]){by_element, table}, 2,
                             nashc_arena_printf(S->a, "lo=%" PRId64, lo));
    return unflattened(S, y, e, &t);
}

/* Threshold k of a step, in its rising direction. */
static int64_t
threshold(const emission *e, const si_thresholds *p, int64_t k)
{
    int64_t level = e->cmin + k + 1, lo = p->dir < 0 ? -p->hi : p->lo;
    int64_t hi = p->dir < 0 ? -p->lo : p->hi;
    return level <= p->cmin ? lo : level > p->cmax ? hi + 1 : p->t[level - p->cmin - 1];
}

/* flipped: x is the tensor with the sign of falling rows changed already. */
static nashc_value *
emit_thresholds(si_state *S, const emission *e, nashc_value *x, bool flipped)
{
    const nashc_type t = *nashc_value_type(x);
    int64_t n = e->cmax - e->cmin;
    int64_t *v = malloc((size_t)(n * e->rows) * sizeof(*v) + 1);
    si_array dir;
    if (!v || !si_shape_array(S, &dir, 1, &e->rows)) {
        free(v);
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t r = 0; r < e->rows; r++) {
        const si_thresholds *p = thresholds_of_row(e, &t, r);
        bool back = p->dir < 0 && !flipped;
        dir.v[r] = back ? -1 : 1;
        for (int64_t k = 0; k < n; k++) {
            int64_t at = threshold(e, p, k);
            v[r * n + (back ? n - 1 - k : k)] = back ? 1 - at : at;
        }
    }
    int64_t rows = e->rows;
    bool equal = !e->by_element;
    for (int64_t r = 1; equal && r < rows; r++)
        equal = dir.v[r] == dir.v[0] && memcmp(v + r * n, v, (size_t)n * sizeof(*v)) == 0;
    nashc_value *in[3] = {flattened(S, x, e), table_const(S, v, equal ? 1 : rows, n, false), NULL};
    free(v);
    nashc_stat(S->run, SI_STAT_THRESHOLDS, n * (equal ? 1 : rows));
    int n_in = 2;
    if (e->falls && !flipped) {
        int64_t all = e->by_element ? rows : nashc_type_channels(&t);
        nashc_type bt = nashc_type_shaped(nashc_type_bip(), 1, &all);
        nashc_tensor *d;
        if (rows == 1 && all != 1) {
            si_array wide;
            if (!si_shape_array(S, &wide, 1, &all))
                return NULL;
            for (int64_t r = 0; r < all; r++)
                wide.v[r] = dir.v[0];
            dir = wide;
        }
        d = si_keep(S, nashc_tensor_from_f64(&bt, dir.v));
        in[2] = d ? nashc_build_const(S->b, NULL, nashc_tensor_ref(d)) : NULL;
        n_in = 3;
    }
    const char *attrs =
        e->bip ? "out_bias=-1 out_scale=2" : nashc_arena_printf(S->a, "out_bias=%" PRId64, e->cmin);
    nashc_value *y = si_emit(S, "q.multithreshold", in, n_in, attrs);
    return unflattened(S, y, e, &t);
}

/* Do the codes equal the integers? */
static bool
identity(const emission *e, const nashc_type *x)
{
    if (x->kind == NASHC_K_BIP) {
        for (int64_t i = 0; i < e->n; i++)
            if (!e->bip || e->p[i].dir != 1 || e->p[i].t[0] < 0)
                return false;
        return true;
    }
    if (e->bip)
        return false;
    for (int64_t i = 0; i < e->n; i++) {
        const si_thresholds *p = &e->p[i];
        if ((p->dir != 1 && p->lo != p->hi) || p->cmin != p->lo || p->cmax != p->hi)
            return false;
        for (int64_t k = 0; k < p->cmax - p->cmin; k++)
            if (p->t[k] != p->lo + k + 1)
                return false;
    }
    return true;
}

/* All codes are constant: so is the value. */
static bool
constant(si_state *S, const emission *e, const si_array *s, const si_array *z)
{
    nashc_value *y = nashc_node_out(e->q, 0);
    nashc_type f64 = nashc_type_f64(), wide = nashc_type_with_elem(nashc_value_type(y), &f64);
    const nashc_type *t = nashc_type_is_float(nashc_value_type(y)) ? &wide : nashc_value_type(y);
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, t))
        return si_fail(S, nashc_enomem(S->diag));
    for (int64_t i = 0; i < buf.n; i++) {
        int64_t row = si_chain_rows(e->l) == 1       ? 0
                      : si_chain_rows(e->l) == buf.n ? i
                                                     : nashc_buf_channel(&buf, i);
        double c = (double)e->p[si_chain_variant_of(e->l, row)].cmin;
        c = e->bip ? 2 * c - 1 : c;
        nashc_buf_set(&buf, i, (c - si_at(z, t, i)) * si_at(s, t, i));
    }
    double *v = nashc_buf_to_f64(&buf);
    nashc_tensor *k = si_keep(S, nashc_tensor_take(&buf));
    nashc_tensor *narrow = v ? si_keep(S, nashc_tensor_from_f64(nashc_value_type(y), v)) : NULL;
    nashc_mem_free(v);
    si_float *f = si_alloc(S, 1, sizeof(*f));
    if (!k || !narrow || !f)
        return false;
    si_val *r = si_of(S, y);
    r->kind = SI_CONST;
    r->known = k;
    f->old = y;
    f->real = nashc_build_const(S->b, NULL, nashc_tensor_ref(narrow));
    *S->floats_end = f;
    S->floats_end = &f->next;
    return f->real != NULL;
}

/* Falling rows as a sign array in the shape of tensor; false: rows are elements. */
static bool
falling(si_state *S, const emission *e, const si_tensor *tensor, si_array *out)
{
    const nashc_type *t = nashc_value_type(tensor->ival);
    if (e->by_element)
        return false;
    if (e->rows == 1) {
        *out = si_scalar(S, -1.0);
        return true;
    }
    double *v = si_alloc(S, e->rows, sizeof(*v));
    for (int64_t r = 0; v && r < e->rows; r++)
        v[r] = thresholds_of_row(e, t, r)->dir < 0 ? -1 : 1;
    return v && si_per_channel(S, t, v, out);
}

static void
start(emission *e, nashc_node *q, si_chain *l, si_thresholds *p)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(q, 0));
    bool sign = nashc_node_is(q, "q.quant") &&
                strcmp(nashc_attr_str(q, nashc_attr_index(q, "rounding")), "sign") == 0;
    *e = (emission){.q = q, .l = l, .p = p, .n = si_chain_variants(l)};
    e->bip = nashc_node_is(q, "q.bipolar_quant") || sign || y->kind == NASHC_K_BIP;
    if (e->bip)
        halve(e);
    for (int64_t i = 0; i < e->n; i++) {
        e->cmin = i == 0 || p[i].cmin < e->cmin ? p[i].cmin : e->cmin;
        e->cmax = i == 0 || p[i].cmax > e->cmax ? p[i].cmax : e->cmax;
        e->table = e->table || p[i].dir == 2;
        e->falls = e->falls || p[i].dir == -1;
    }
    choose_rows(e, nashc_value_type(nashc_node_in(q, 0)));
}

static bool
prepare(si_state *S, emission *e, nashc_node *q, si_chain *l, bool rises)
{
    si_thresholds *p = si_thresholds_find(S, l, rises);
    if (p)
        start(e, q, l, p);
    return p != NULL;
}

static nashc_value *
emit_codes(si_state *S, const emission *e, si_tensor *tensor)
{
    si_array sign;
    if (e->by_element && nashc_value_type(tensor->ival)->layout != NASHC_LAYOUT_DEFAULT) {
        si_no(S, "it varies with the position in a channels-last tensor");
        return NULL;
    }
    if (e->table)
        return emit_table(S, e, tensor->ival);
    if (identity(e, nashc_value_type(tensor->ival)))
        return tensor->ival;
    if (e->falls && si_leads_only_to(S, tensor->origin, e->q) && falling(S, e, tensor, &sign)) {
        si_tensor *f = si_flip_weights(S, tensor, &sign);
        if (f)
            return emit_thresholds(S, e, f->ival, true);
        if (S->st != NASHC_OK)
            return NULL;
    }
    return emit_thresholds(S, e, tensor->ival, false);
}

/* --- pools behind thresholds -------------------------------------------------------------------
 */

/* May the pools between tensor and the tensor of x work on the codes? The code must go the way that
 * the operand of each pool goes. */
static bool
pools_may_follow(si_state *S, const emission *e, const si_tensor *tensor, const si_val *x)
{
    if (e->table || e->by_element)
        return false;
    for (const si_tensor *b = x->tensor; b != tensor; b = b->before_via) {
        nashc_value *in = nashc_node_in(b->via, 0);
        const si_val *v = si_of(S, in);
        const nashc_type *t = nashc_value_type(in);
        if (!v->mono || !si_channel_only(&v->dir, t) || !si_channel_only(&tensor->s, t) ||
            !si_channel_only(&v->tensor->s, t))
            return false;
        for (int64_t c = 0, n = nashc_type_channels(t); c < n; c++) {
            int64_t row = si_chain_rows(e->l) == 1 ? 0 : c;
            int code = e->p[si_chain_variant_of(e->l, row)].dir;
            double dir = si_channel(&v->dir, t, c);
            bool other = si_channel(&tensor->s, t, c) * si_channel(&v->tensor->s, t, c) < 0;
            dir = other ? -dir : dir; /* with respect to tensor */
            if (code != 0 && code * dir <= 0)
                return false;
        }
    }
    return true;
}

/* The pools from tensor up to top, applied to codes. */
static nashc_value *
pooled(si_state *S, nashc_value *codes, const si_tensor *tensor, const si_tensor *top)
{
    int n = 0;
    for (const si_tensor *b = top; b != tensor; b = b->before_via)
        n++;
    for (int k = n - 1; codes && k >= 0; k--) {
        const si_tensor *b = top;
        for (int i = 0; i < k; i++)
            b = b->before_via;
        nashc_node *m = nashc_build_like(S->b, b->via, &codes, 1);
        if (!m)
            si_fail(S, nashc_build_status(S->b));
        codes = m ? nashc_node_out(m, 0) : NULL;
    }
    return codes;
}

static void
drop(emission *e)
{
    si_thresholds_free(e->p, e->n);
    si_chain_free(e->l);
}

/* 1: done, 0: not possible, -1: failed. */
static int
pools_last(si_state *S, nashc_node *q, const si_val *x, bool rises, const si_array *s,
           const si_array *z)
{
    si_tensor *tensor = x->tensor;
    emission e;
    int done = 0;
    while (tensor->via && tensor->via_is_pool)
        tensor = tensor->before_via;
    if (tensor == x->tensor || !tensor->ival)
        return 0;
    const char *why = S->why;
    si_chain *l = si_chain_create(S, tensor, q, true);
    if (!l)
        goto out;
    if (!prepare(S, &e, q, l, rises)) {
        si_chain_free(l);
        goto out;
    }
    if (e.cmin < e.cmax && pools_may_follow(S, &e, tensor, x)) {
        nashc_value *c = pooled(S, emit_codes(S, &e, tensor), tensor, x->tensor);
        done = c && anchor_codes(S, q, c, s, z) ? 1 : -1;
    }
    drop(&e);
out:
    S->why = done == 1 ? S->why : why;
    return S->st != NASHC_OK ? -1 : done;
}

/* --- sums of unrelated scales ------------------------------------------------------------------
 */

/* Multipliers of the rows as an array against the result of q. */
static bool
row_array(si_state *S, const emission *e, const nashc_type *t, const int64_t *m, si_array *out)
{
    int64_t span = si_chain_rows(e->l), n = nashc_type_count(t);
    if (span == 1) {
        *out = si_scalar(S, (double)m[0]);
        return S->st == NASHC_OK;
    }
    double *v = si_alloc(S, span, sizeof(*v));
    for (int64_t r = 0; v && r < span; r++)
        v[r] = (double)m[si_chain_variant_of(e->l, r)];
    if (!v)
        return false;
    if (span != n)
        return si_per_channel(S, t, v, out);
    if (!si_shape_array(S, out, t->rank, t->dim))
        return false;
    memcpy(out->v, v, (size_t)n * sizeof(*v));
    si_squeeze(out);
    return true;
}

/* The sum with multipliers m by leaf and variant, and q on it. 1: done, -1: failed. */
static int
emit_sum_codes(si_state *S, const emission *e, const si_tensor *sum, const int64_t *m,
               const si_array *s, const si_array *z)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(e->q, 0));
    si_array a[SI_MAX_TERMS];
    for (int k = 0; k < sum->n_leaf; k++)
        if (!row_array(S, e, t, m + k * e->n, &a[k]))
            return -1;
    nashc_value *u = si_emit_sum(S, sum, a);
    nashc_value *c = !u ? NULL : e->table ? emit_table(S, e, u) : emit_thresholds(S, e, u, false);
    return c && anchor_codes(S, e->q, c, s, z) ? 1 : -1;
}

/* 1: done, 0: not in this way, -1: failed. */
static int
pending_chain(si_state *S, nashc_node *q, const si_val *x, const si_array *s, const si_array *z)
{
    const char *why = S->why;
    emission e;
    int done = 0;
    si_chain *l = si_chain_create(S, x->tensor, q, false);
    int64_t *m = l ? malloc((size_t)(si_chain_variants(l) * x->tensor->n_leaf) * sizeof(*m)) : NULL;
    si_thresholds *p = m ? si_thresholds_of_sum(S, l, x->tensor, x->mono, m) : NULL;
    if (l && !m)
        si_fail(S, nashc_enomem(S->diag));
    if (p) {
        start(&e, q, l, p);
        if (e.cmin == e.cmax)
            done = constant(S, &e, s, z) ? 1 : -1;
        else
            done = emit_sum_codes(S, &e, x->tensor, m, s, z);
        si_thresholds_free(p, e.n);
    }
    free(m);
    si_chain_free(l);
    S->why = why;
    return S->st != NASHC_OK ? -1 : done;
}

/* Is the result of q read by nothing but another quantiser, through element-wise ops? Then that one
 * has thresholds for both. */
static bool
feeds_quantiser_only(si_state *S, const nashc_node *q)
{
    const nashc_value *v = nashc_node_out(q, 0);
    for (;;) {
        const nashc_node *u = nashc_value_one_user(v);
        if (!u || nashc_node_n_out(u) != 1)
            return false;
        for (int i = 0; i < nashc_node_n_in(u); i++) {
            const nashc_value *c = nashc_node_in(u, i);
            if (c && c != v && !nashc_value_const(c) && !si_is_const(S, c))
                return false;
        }
        if (si_is_quantiser(u))
            return nashc_node_in(u, 0) == v;
        if (!si_is_eltwise(u) || !si_monotone(S, u, v) ||
            !nashc_type_same_shape(nashc_value_type(v), nashc_value_type(nashc_node_out(u, 0))))
            return false;
        v = nashc_node_out(u, 0);
    }
}

/* The result of q as one more function of the tensor of x. */
static bool
pass_on(si_state *S, nashc_node *q, const si_val *x)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(q, 0));
    si_val *y = si_of(S, nashc_node_out(q, 0));
    bool by_channel = x->by_channel;
    for (int i = 1; i < nashc_node_n_in(q); i++) {
        si_array a;
        const nashc_tensor *k = nashc_node_in(q, i) ? si_known(S, nashc_node_in(q, i)) : NULL;
        if (k && !si_from_tensor(S, k, &a))
            return false;
        by_channel =
            by_channel && (!k || nashc_node_is(q, "q.multithreshold") || si_channel_only(&a, t));
    }
    *y = *x;
    y->other = NULL;
    y->affine = false;
    y->by_channel = by_channel;
    return true;
}

bool
si_quantiser(si_state *S, nashc_node *q)
{
    nashc_value *xv = nashc_node_in(q, 0);
    si_val *x = si_of(S, xv);
    si_array s, z;
    emission e;

    if (x->kind != SI_FUN)
        return host_quantiser(S, q);
    if (!scale_of(S, q, &s, &z))
        return false;
    bool turns = nashc_node_is(q, "q.multithreshold") && nashc_node_in(q, 2);
    bool positive = !turns;
    for (int64_t i = 0; i < s.n; i++)
        positive = positive && s.v[i] > 0;
    if (x->mono && positive && feeds_quantiser_only(S, q))
        return pass_on(S, q, x);
    if (!x->tensor->ival) {
        int done = pending_chain(S, q, x, &s, &z);
        if (done != 0)
            return done > 0;
        if (!(x = si_with_fallback(S, x)))
            return false;
    }
    int early = pools_last(S, q, x, x->mono, &s, &z);
    if (early != 0)
        return early > 0;
    si_chain *l = si_chain_create(S, x->tensor, q, false);
    if (!l)
        return false;
    bool ok = prepare(S, &e, q, l, x->mono);
    if (!ok) {
        si_chain_free(l);
        return false;
    }
    if (e.cmin == e.cmax || e.n == 0) {
        ok = constant(S, &e, &s, &z);
    } else {
        bool all_const = !e.table;
        for (int64_t i = 0; i < e.n; i++)
            all_const = all_const && e.p[i].dir == 0;
        ok = all_const ? constant(S, &e, &s, &z)
                       : anchor_codes(S, q, emit_codes(S, &e, x->tensor), &s, &z);
    }
    drop(&e);
    return ok;
}
