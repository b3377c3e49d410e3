/* window.c: pools and depthwise convolutions: a loop over the window's positions inside the image,
 * channels in the lanes. */
#include "window.h"
#include <math.h>
#include <string.h>

/* --- what it is ------------------------------------------------------------------------------ */

static int64_t
item(const nashc_node *n, int attr, int i, int64_t def)
{
    int count;
    const int64_t *a = nashc_attr_ints(n, attr, &count);

    return i < count ? a[i] : def;
}

static const struct pool {
    const char *name;
    cpu_window_kind kind;
    bool global;
} pools[] = {
    {"nn.maxpool", CPU_MAX, false},        {"nn.avgpool", CPU_MEAN, false},
    {"nn.sumpool", CPU_SUM, false},        {"nn.global_maxpool", CPU_MAX, true},
    {"nn.global_avgpool", CPU_MEAN, true}, {"nn.global_sumpool", CPU_SUM, true},
};

/* Steps, borders and extents from the attributes stride, pads, dilation, from index attr on. */
static void
geometry(cpu_window *w, const nashc_type *x, const nashc_type *y, int attr)
{
    const nashc_node *n = w->node;
    int nd = x->rank - 2, a = nd - 1;

    w->sh = nd == 2 ? item(n, attr, 0, 1) : 1;
    w->sw = item(n, attr, a, 1);
    w->top = nd == 2 ? item(n, attr + 1, 0, 0) : 0;
    w->left = item(n, attr + 1, a, 0);
    w->dh = nd == 2 ? item(n, attr + 2, 0, 1) : 1;
    w->dw = item(n, attr + 2, a, 1);
    w->oh = nd == 2 ? y->dim[1] : 1;
    w->ow = y->dim[1 + a];
}

/* One of the six pools; the global ones are a window as large as the image. */
static bool
pool_of(cpu_window *w, const struct pool *p, const nashc_type *x, const nashc_type *y)
{
    const nashc_node *n = w->node;
    int nd = x->rank - 2;

    w->kind = p->kind;
    w->kh = w->h;
    w->kw = w->width;
    w->sh = w->sw = w->dh = w->dw = w->oh = w->ow = 1;
    if (p->global)
        return true;
    if (p->kind == CPU_MEAN && nashc_attr_bool(n, 5)) /* counts the border: rare */
        return false;
    w->kh = nd == 2 ? item(n, 0, 0, 1) : 1;
    w->kw = item(n, 0, nd - 1, 1);
    geometry(w, x, y, 1);
    return true;
}

/* A convolution with one input and one output channel a group. */
static bool
depthwise_of(cpu_window *w, const nashc_type *x, const nashc_type *y)
{
    const nashc_node *n = w->node;
    const nashc_value *v = nashc_node_in(n, 1), *b = nashc_node_in(n, 2);
    const nashc_type *t = nashc_value_type(v);
    int nd = x->rank - 2;

    if (!nashc_value_const(v) || (b && !nashc_value_const(b)) || nashc_attr_int(n, 3) != w->c ||
        t->dim[0] != w->c || t->dim[t->rank - 1] != 1)
        return false;
    w->kind = CPU_DEPTHWISE;
    w->kh = nd == 2 ? t->dim[1] : 1;
    w->kw = t->dim[nd];
    geometry(w, x, y, 0);
    return true;
}

static bool
plain(const nashc_type *t)
{
    return nashc_type_is_int(t) || t->kind == NASHC_K_F32 || t->kind == NASHC_K_F64;
}

bool
cpu_window_of(const nashc_node *n, cpu_window *w)
{
    const nashc_type *x = nashc_node_n_in(n) ? nashc_value_type(nashc_node_in(n, 0)) : NULL;
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if (!x || (x->rank != 3 && x->rank != 4) || nashc_type_channel_axis(x) != x->rank - 1 ||
        !plain(x) || !plain(y))
        return false;
    *w = (cpu_window){.node = n, .x = nashc_node_in(n, 0), .batch = x->dim[0]};
    w->c = x->dim[x->rank - 1];
    w->h = x->rank == 4 ? x->dim[1] : 1;
    w->width = x->dim[x->rank - 2];
    w->cls = cpu_class_of_type(y);
    if (nashc_type_is_int(y) && cpu_class_of_type(x) > w->cls)
        w->cls = CPU_I64;
    bool known = nashc_node_is(n, "nn.conv") && depthwise_of(w, x, y);
    for (size_t i = 0; !known && i < NASHC_COUNT(pools); i++)
        known = nashc_node_is(n, pools[i].name) && pool_of(w, &pools[i], x, y);
    bool integers = nashc_type_is_int(x) && nashc_type_is_int(y);
    w->narrow = w->kind == CPU_MAX && integers;
    w->half = (w->kind == CPU_SUM || w->kind == CPU_DEPTHWISE) && integers && y->lo >= INT16_MIN &&
              y->hi <= INT16_MAX;
    return known;
}

/* --- code ------------------------------------------------------------------------------------ */

static nashc_cell
weight_cell(const cpu_window *w)
{
    return w->half             ? NASHC_I16
           : w->cls == CPU_F64 ? NASHC_DOUBLE
           : w->cls == CPU_I64 ? NASHC_I64
                               : NASHC_I32;
}

/* Weights as [tap][channel] in cells that suit the accumulator. */
static const void *
weights_by_tap(cpu_cg *g, const cpu_window *w)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(w->node, 1));
    int64_t taps = w->kh * w->kw;
    char *to = cpu_blob(g, (size_t)(taps * w->c) * 8);

    for (int64_t i = 0; to && i < taps * w->c; i++) {
        int64_t at = i % w->c * taps + i / w->c;
        if (w->cls == CPU_F64)
            ((double *)(void *)to)[i] = nashc_tensor_get(t, at);
        else if (w->cls == CPU_I64)
            ((int64_t *)(void *)to)[i] = nashc_tensor_get_int(t, at);
        else if (w->half)
            ((int16_t *)(void *)to)[i] = (int16_t)nashc_tensor_get_int(t, at);
        else
            ((int32_t *)(void *)to)[i] = (int32_t)nashc_tensor_get_int(t, at);
    }
    return to;
}

typedef cpu_window_at place;

/* Elements of the accumulator. */
static LLVMTypeRef
acc_type(cpu_cg *g, const cpu_window *w)
{
    return w->narrow ? cpu_cell_type(g, g->p->value[cpu_id(w->x)].cell)
           : w->half ? g->i16
                     : cpu_class_type(g, w->cls);
}

/* g->lanes elements of cell as those of the accumulator of a sum. */
static LLVMValueRef
fetch(cpu_cg *g, const cpu_window *w, LLVMValueRef base, nashc_cell cell, LLVMValueRef index)
{
    int size = (int)nashc_cell_size(cell);

    if (!w->half)
        return cpu_fetch(g, base, cell, index, 1, w->cls).v;
    LLVMValueRef v = cpu_load(g, cpu_vec_type(g, cpu_cell_type(g, cell)),
                              cpu_at(g, base, cpu_muli(g, index, size)), size);
    return LLVMBuildIntCast2(g->b, v, cpu_vec_type(g, g->i16), cpu_cell_signed(cell), "");
}

LLVMValueRef
cpu_window_take(cpu_cg *g, const cpu_window *w, const cpu_window_at *at, LLVMValueRef base,
                LLVMValueRef index, LLVMValueRef tap, LLVMValueRef acc)
{
    nashc_cell cell = g->p->value[cpu_id(w->x)].cell;
    LLVMValueRef v, keep;
    bool f = w->cls == CPU_F64;

    if (w->narrow) {
        int size = (int)nashc_cell_size(cell);
        v = cpu_load(g, cpu_vec_type(g, cpu_cell_type(g, cell)),
                     cpu_at(g, base, cpu_muli(g, index, size)), size);
        keep = LLVMBuildICmp(g->b, cpu_cell_signed(cell) ? LLVMIntSGT : LLVMIntUGT, v, acc, "");
        return LLVMBuildSelect(g->b, keep, v, acc, "");
    }
    v = fetch(g, w, base, cell, index);
    if (w->kind == CPU_MAX) { /* of floats; NaN wins, and then stays */
        keep =
            LLVMBuildOr(g->b, LLVMBuildFCmp(g->b, LLVMRealOGT, v, acc, ""), cpu_is_nan(g, v), "");
        return LLVMBuildSelect(g->b, keep, v, acc, "");
    }
    if (w->kind == CPU_DEPTHWISE) {
        LLVMValueRef wi = cpu_addi(g, cpu_muli(g, tap, w->c), at->c);
        LLVMValueRef k = fetch(g, w, cpu_ptr_const(g, at->weights), weight_cell(w), wi);
        v = f ? LLVMBuildFMul(g->b, v, k, "") : LLVMBuildMul(g->b, v, k, "");
    }
    return f ? LLVMBuildFAdd(g->b, acc, v, "") : LLVMBuildAdd(g->b, acc, v, "");
}

static LLVMValueRef
inside(cpu_cg *g, LLVMValueRef i, int64_t size)
{
    return LLVMBuildICmp(g->b, LLVMIntULT, i, cpu_int(g, size), "");
}

/* The window at a position: carry[0] accumulator, carry[1] how many elements. */
static void
gather_window(cpu_cg *g, const cpu_window *w, const place *at, LLVMValueRef *carry)
{
    cpu_loop ly, lx;
    cpu_if fy, fx;

    cpu_loop_begin(g, &ly, cpu_int(g, 0), cpu_int(g, w->kh), 1, carry, 2);
    LLVMValueRef iy = cpu_addi(g, cpu_muli(g, at->oy, w->sh), cpu_muli(g, ly.i, w->dh));
    iy = cpu_plus(g, iy, -w->top);
    cpu_if_begin(g, &fy, inside(g, iy, w->h), carry, 2);
    LLVMValueRef row = cpu_addi(g, cpu_muli(g, at->n, w->h), iy);
    row = cpu_muli(g, row, w->width);
    cpu_loop_begin(g, &lx, cpu_int(g, 0), cpu_int(g, w->kw), 1, carry, 2);
    LLVMValueRef ix = cpu_addi(g, cpu_muli(g, at->ox, w->sw), cpu_muli(g, lx.i, w->dw));
    ix = cpu_plus(g, ix, -w->left);
    cpu_if_begin(g, &fx, inside(g, ix, w->width), carry, 2);
    LLVMValueRef index = cpu_addi(g, cpu_muli(g, cpu_addi(g, row, ix), w->c), at->c);
    LLVMValueRef tap = cpu_addi(g, cpu_muli(g, ly.i, w->kw), lx.i);
    carry[0] = cpu_window_take(g, w, at, cpu_ptr_value(g, cpu_id(w->x)), index, tap, carry[0]);
    carry[1] = cpu_plus(g, carry[1], 1);
    cpu_if_end(g, &fx, carry);
    cpu_loop_end(g, &lx, carry);
    cpu_if_end(g, &fy, carry);
    cpu_loop_end(g, &ly, carry);
}

/* What the accumulator starts from. */
static LLVMValueRef
start_of(cpu_cg *g, const cpu_window *w, const place *at)
{
    const nashc_value *b = w->kind == CPU_DEPTHWISE ? nashc_node_in(w->node, 2) : NULL;

    if (b && w->cls != CPU_F64) {
        const nashc_tensor *t = nashc_value_const(b);
        return fetch(g, w, cpu_ptr_const(g, nashc_tensor_data(t)), nashc_tensor_buf(t)->cell,
                     at->c);
    }
    if (w->narrow) {
        nashc_cell cell = g->p->value[cpu_id(w->x)].cell;
        LLVMTypeRef t = cpu_cell_type(g, cell);
        int64_t least = cpu_cell_signed(cell) ? INT64_MIN >> (64 - 8 * nashc_cell_size(cell)) : 0;
        return cpu_splat(g, LLVMConstInt(t, (unsigned long long)least, 1));
    }
    if (w->kind == CPU_MAX)
        return cpu_splat_f64(g, -INFINITY).v;
    return LLVMConstNull(cpu_vec_type(g, acc_type(g, w)));
}

/* g->lanes channels of one output position. */
static void
one_vector(cpu_cg *g, const cpu_window *w, const cpu_space *space, const place *at, cpu_sink *sink,
           void *user)
{
    LLVMValueRef carry[2] = {start_of(g, w, at), cpu_int(g, 0)};
    LLVMValueRef line = cpu_addi(g, cpu_muli(g, at->n, w->oh), at->oy);
    cpu_point pt = {space, {cpu_addi(g, cpu_muli(g, line, w->ow), at->ox), at->c}};
    const nashc_value *b = w->kind == CPU_DEPTHWISE ? nashc_node_in(w->node, 2) : NULL;

    if (at->image) {
        carry[0] = cpu_slide_window(g, w, at, carry[0]);
        carry[1] = cpu_int(g, w->kh * w->kw);
    } else {
        gather_window(g, w, at, carry);
    }
    if (w->narrow || w->half)
        carry[0] =
            LLVMBuildIntCast2(g->b, carry[0], cpu_vec_type(g, cpu_class_type(g, w->cls)),
                              w->half || cpu_cell_signed(g->p->value[cpu_id(w->x)].cell), "");
    if (w->kind == CPU_MEAN) {
        LLVMValueRef count = LLVMBuildSIToFP(g->b, carry[1], g->f64, "");
        carry[0] = LLVMBuildFDiv(g->b, carry[0], cpu_splat(g, count), "");
    }
    if (b && w->cls == CPU_F64) { /* the bias last, as the reference adds it */
        const nashc_tensor *t = nashc_value_const(b);
        cpu_vec add = cpu_fetch(g, cpu_ptr_const(g, nashc_tensor_data(t)),
                                nashc_tensor_buf(t)->cell, at->c, 1, CPU_F64);
        carry[0] = LLVMBuildFAdd(g->b, carry[0], add.v, "");
    }
    sink(g, &pt, (cpu_vec){carry[0], w->cls}, user);
}

/* Channels at a time: a register of the accumulator's elements, where they are small. */
static int
lanes_of(const cpu_cg *g, const cpu_window *w)
{
    int lanes = 16, size = w->half ? 2 : 4;

    if (w->narrow)
        size = (int)nashc_cell_size(g->p->value[cpu_id(w->x)].cell);
    while (size < 4 && 2 * lanes * size <= g->host.vector && 2 * lanes <= w->c)
        lanes *= 2;
    return lanes;
}

/* All channels of one output position. */
static void
one_position(cpu_cg *g, const cpu_window *w, const cpu_space *space, place *at, cpu_sink *sink,
             void *user)
{
    int lanes = lanes_of(g, w);
    int64_t bulk = w->c / lanes * lanes;
    cpu_loop lc;

    if (bulk) {
        g->lanes = lanes;
        cpu_loop_begin(g, &lc, cpu_int(g, 0), cpu_int(g, bulk), lanes, NULL, 0);
        at->c = lc.i;
        one_vector(g, w, space, at, sink, user);
        cpu_loop_end(g, &lc, NULL);
    }
    if (w->c > bulk) {
        g->lanes = (int)(w->c - bulk);
        at->c = cpu_int(g, bulk);
        one_vector(g, w, space, at, sink, user);
    }
}

/* Positions that are one unit: a row, or each of an image that is one. */
static int64_t
unit_of(const cpu_window *w)
{
    return w->oh == 1 ? 1 : w->ow;
}

void
cpu_window_emit(cpu_cg *g, const cpu_window *w, const cpu_space *space, cpu_sink *sink, void *user)
{
    int64_t unit = unit_of(w), units = w->oh * w->ow / unit;
    cpu_loop lu, lx;
    place at = {.weights = w->kind == CPU_DEPTHWISE ? weights_by_tap(g, w) : NULL};

    cpu_loop_begin(g, &lu, g->from, g->to, 1, NULL, 0);
    cpu_divide(g, lu.i, w->batch, units, &at.n, &at.oy);
    at.image = cpu_slide_can(g->p, w) ? cpu_slide_image(g, w, at.n) : NULL;
    if (w->oh == 1) {
        at.ox = at.oy;
        at.oy = cpu_int(g, 0);
        one_position(g, w, space, &at, sink, user);
    } else {
        cpu_loop_begin(g, &lx, cpu_int(g, 0), cpu_int(g, unit), 1, NULL, 0);
        at.ox = lx.i;
        one_position(g, w, space, &at, sink, user);
        cpu_loop_end(g, &lx, NULL);
    }
    cpu_loop_end(g, &lu, NULL);
}

double
cpu_window_share(const cpu_program *p, const cpu_window *w, int64_t *units)
{
    double vectors = (double)(w->batch * w->oh * w->ow) * (double)((w->c + 15) / 16);

    *units = w->batch * w->oh * w->ow / unit_of(w);
    return vectors * ((double)(w->kh * w->kw) * (cpu_slide_can(p, w) ? 1 : 4) + 10);
}
