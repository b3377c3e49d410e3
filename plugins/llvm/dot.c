/* dot.c: which kernel a convolution or product gets, and its weights in words. */
#include "dot.h"
#include <stdlib.h>
#include <string.h>

static const nashc_type *
type_of(const nashc_value *v)
{
    return nashc_value_type(v);
}

/* --- geometry -------------------------------------------------------------------------------- */

/* Item i of an attribute list that may be empty. */
static int64_t
item(const nashc_node *n, int attr, int i, int64_t def)
{
    int count;
    const int64_t *a = nashc_attr_ints(n, attr, &count);

    return i < count ? a[i] : def;
}

/* nn.conv on channels-last data of rank 3 or 4. */
static bool
conv_geometry(const nashc_node *n, cpu_dot *d)
{
    const nashc_type *x = type_of(nashc_node_in(n, 0)), *w = type_of(nashc_node_in(n, 1));
    const nashc_type *y = type_of(nashc_node_out(n, 0));
    int nd = x->rank - 2, a = nd - 1;

    if ((nd != 1 && nd != 2) || nashc_type_channel_axis(x) != x->rank - 1)
        return false;
    d->x = nashc_node_in(n, 0);
    d->w = nashc_node_in(n, 1);
    d->bias = nashc_node_in(n, 2);
    d->batch = x->dim[0];
    d->groups = nashc_attr_int(n, 3);
    d->cg = w->dim[w->rank - 1];
    d->mg = w->dim[0] / d->groups;
    d->h = nd == 2 ? x->dim[1] : 1;
    d->width = x->dim[1 + a];
    d->kh = nd == 2 ? w->dim[1] : 1;
    d->kw = w->dim[1 + a];
    d->oh = nd == 2 ? y->dim[1] : 1;
    d->ow = y->dim[1 + a];
    d->sh = nd == 2 ? item(n, 0, 0, 1) : 1;
    d->sw = item(n, 0, a, 1);
    d->top = nd == 2 ? item(n, 1, 0, 0) : 0;
    d->left = item(n, 1, a, 0);
    d->dh = nd == 2 ? item(n, 2, 0, 1) : 1;
    d->dw = item(n, 2, a, 1);
    d->w_c = 1;
    d->w_x = d->cg;
    d->w_y = d->cg * d->kw;
    d->w_m = d->w_y * d->kh;
    d->w_g = d->w_m * d->mg;
    return true;
}

/* nn.matmul by a matrix, and nn.gemm of that form: rows are positions. */
static bool
product_geometry(const nashc_node *n, cpu_dot *d)
{
    const nashc_type *a = type_of(nashc_node_in(n, 0)), *b = type_of(nashc_node_in(n, 1));
    const nashc_value *c = nashc_node_in(n, 2);
    bool gemm = nashc_node_is(n, "nn.gemm"), turned = gemm && nashc_attr_bool(n, 3);

    if (a->rank < 1 || b->rank != 2)
        return false;
    if (gemm && (nashc_attr_float(n, 0) != 1.0 || nashc_attr_bool(n, 2) ||
                 (c && nashc_attr_float(n, 1) != 1.0)))
        return false;
    d->x = nashc_node_in(n, 0);
    d->w = nashc_node_in(n, 1);
    d->bias = c;
    d->batch = d->groups = d->h = d->kh = d->kw = d->oh = 1;
    d->sh = d->sw = d->dh = d->dw = 1;
    d->cg = a->dim[a->rank - 1];
    d->mg = b->dim[!turned];
    d->width = d->ow = nashc_type_count(a) / d->cg;
    d->w_c = turned ? 1 : d->mg;
    d->w_m = turned ? d->cg : 1;
    return !c || (nashc_type_count(type_of(c)) == d->mg &&
                  (type_of(c)->rank == 1 || type_of(c)->dim[type_of(c)->rank - 1] == d->mg));
}

#define ROW 96 /* positions that a row of a product has at least, where they can be parted so */

/* A convolution that looks at single pixels is a product of all of them, and a product with many
 * rows is one with an image of long ones. */
static void
flatten(cpu_dot *d)
{
    int64_t n = d->batch * d->oh * d->ow, rows = n / ROW;

    if (d->kh * d->kw != 1 || d->sh * d->sw != 1 || d->padded)
        return;
    while (rows > 1 && n % rows)
        rows--;
    d->batch = 1;
    d->h = d->oh = rows > 1 ? rows : 1;
    d->width = d->ow = n / d->h;
}

/* --- choice ---------------------------------------------------------------------------------- */

static bool
fits(const nashc_type *t, int64_t lo, int64_t hi)
{
    return t->lo >= lo && t->hi <= hi;
}

static int64_t *
weights_of(const cpu_dot *d, int64_t *n)
{
    *n = nashc_tensor_count(nashc_value_const(d->w));
    return nashc_buf_to_i64(nashc_tensor_buf(nashc_value_const(d->w)));
}

/* Rough cycles a channel and vector of outputs of a kernel: of its words, and what a word costs. */
static double
cost_of(const cpu_cg *g, cpu_dot_kind kind, int64_t channels, int terms)
{
    double bits = g->host.popcount ? 1.5 : 8.0;

    if (kind == CPU_DOT_BITS)
        return (double)((channels + 31) / 32 * terms) * bits;
    if (kind == CPU_DOT_U8)
        return (double)((channels + 3) / 4) * 0.5;
    return (double)((channels + 1) / 2) * 1.0;
}

/* Bit planes where they are few enough to be the fastest. */
static bool
wants_bits(const cpu_cg *g, cpu_dot *d, const int64_t *w, int64_t n, cpu_dot_kind other)
{
    const nashc_type *x = type_of(d->x);
    cpu_term terms[CPU_MAX_TERMS];
    bool bipolar = x->kind == NASHC_K_BIP && !d->padded;

    d->x_code = cpu_code_of(x->lo, x->hi, bipolar);
    d->w_code = cpu_weight_code_of(w, n);
    if (!d->x_code.planes || !d->w_code.planes)
        return false;
    int count = cpu_terms_of(&d->x_code, &d->w_code, terms);
    return cost_of(g, CPU_DOT_BITS, d->cg, count) < cost_of(g, other, d->cg, 0);
}

/* Integers: products and sums wrap modulo 2^32, so only operands and result need to fit. */
static bool
integer_kind(const cpu_cg *g, cpu_dot *d)
{
    const nashc_type *x = type_of(d->x), *y = type_of(nashc_node_out(d->node, 0));
    int64_t n, lo = 0, hi = 0, *w = weights_of(d, &n);
    bool small = fits(x, -128, 127) || fits(x, 0, 255);

    if (!w)
        return false;
    for (int64_t i = 0; i < n; i++) {
        lo = w[i] < lo ? w[i] : lo;
        hi = w[i] > hi ? w[i] : hi;
    }
    if (cpu_class_of(y->lo, y->hi) == CPU_I64)
        d->kind = CPU_DOT_I64;
    else if (g->host.vnni && small && lo >= -128 && hi <= 127)
        d->kind = CPU_DOT_U8;
    else if (fits(x, -32768, 32767) && lo >= -32768 && hi <= 32767)
        d->kind = CPU_DOT_I16;
    else
        d->kind = CPU_DOT_I32;
    if (d->kind <= CPU_DOT_I16 && wants_bits(g, d, w, n, d->kind))
        d->kind = CPU_DOT_BITS;
    else
        d->x_code = (cpu_code){d->kind == CPU_DOT_U8 && x->lo < 0 ? -128 : 0, 1, 1};
    nashc_mem_free(w);
    return true;
}

/* Words of a pixel, extents with border, and whether x will do as it lies. */
static void
lay_out(const cpu_cg *g, cpu_dot *d)
{
    static const int per_word[] = {32, 4, 2, 1, 1, 1};
    nashc_cell cell = g->p->value[cpu_id(d->x)].cell;
    nashc_cell in_place[] = {NASHC_DOUBLE, NASHC_U8, NASHC_I16, NASHC_I32, NASHC_I64, NASHC_DOUBLE};

    d->per_word = per_word[d->kind];
    d->word_size = d->kind >= CPU_DOT_I64 ? 8 : 4;
    d->words = (d->cg + d->per_word - 1) / d->per_word;
    d->lanes = g->host.vector / (int)d->word_size;
    d->direct = !d->padded && d->kind != CPU_DOT_BITS && cell == in_place[d->kind] &&
                d->cg % d->per_word == 0 && d->x_code.lo == 0;
    int64_t need_h = (d->oh - 1) * d->sh + (d->kh - 1) * d->dh + 1;
    int64_t need_w = (d->ow - 1) * d->sw + (d->kw - 1) * d->dw + 1;
    d->hp = d->direct ? d->h : need_h > d->top + d->h ? need_h : d->top + d->h;
    d->wp = d->direct ? d->width : need_w > d->left + d->width ? need_w : d->left + d->width;
}

/* Positions and vectors of a tile: the least work, with all accumulators in registers. */
static void
choose_tile(const cpu_cg *g, cpu_dot *d)
{
    int64_t blocks = (d->mg + d->lanes - 1) / d->lanes;
    double best = -1;

    for (int r = 1; r <= 8 && r <= blocks; r++)
        for (int p = 1; p <= 16 && p <= d->ow; p++) {
            if (p * r + r + 2 > g->host.registers)
                continue;
            double tiles = (double)((blocks + r - 1) / r) * (double)((d->ow + p - 1) / p);
            double latency = p * r < 10 ? 10 - p * r : 0;
            double work = tiles * (p * r + 0.5 * r + 0.5 * p + 1.0 + latency);
            if (best < 0 || work < best) {
                best = work;
                d->tile_p = p;
                d->tile_r = r;
            }
        }
    d->m_pad = (blocks + d->tile_r - 1) / d->tile_r * d->tile_r * d->lanes;
}

bool
cpu_dot_of(cpu_cg *g, const nashc_node *n, cpu_dot *d)
{
    const nashc_type *y = type_of(nashc_node_out(n, 0));
    bool product = nashc_node_is(n, "nn.matmul") || nashc_node_is(n, "nn.gemm");

    memset(d, 0, sizeof *d);
    d->node = n;
    if (!(product ? product_geometry(n, d) : nashc_node_is(n, "nn.conv") && conv_geometry(n, d)))
        return false;
    if (!nashc_value_const(d->w) || (d->bias && !nashc_value_const(d->bias)))
        return false;
    for (int i = 0; i < 3; i++) {
        const nashc_type *t = nashc_node_in(n, i) ? type_of(nashc_node_in(n, i)) : y;
        if (!nashc_type_is_int(t) && t->kind != NASHC_K_F32 && t->kind != NASHC_K_F64)
            return false;
    }
    d->padded = d->top > 0 || d->left > 0 || (d->oh - 1) * d->sh + (d->kh - 1) * d->dh >= d->h ||
                (d->ow - 1) * d->sw + (d->kw - 1) * d->dw >= d->width;
    if (nashc_type_is_int(y)) {
        if (!integer_kind(g, d))
            return false;
    } else {
        if (y->kind != NASHC_K_F32 && y->kind != NASHC_K_F64)
            return false;
        d->kind = CPU_DOT_F64;
        d->x_code = (cpu_code){0, 1, 1};
    }
    flatten(d);
    lay_out(g, d);
    choose_tile(g, d);
    return true;
}
