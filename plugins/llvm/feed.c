/* feed.c: an image as the words a sum of products reads, with its border of zeros.
 *
 *     [plane][row][pixel][group][word]
 *
 * A border of zeros holds what x = 0 becomes in the code of the operand. Channels that fill up the
 * last word of bit planes are 0; of other words they may hold anything, their weights are 0.
 */
#include "dot.h"

static int64_t
pixel_size(const cpu_dot *d)
{
    return d->groups * d->words * d->word_size;
}

static int
planes_of(const cpu_dot *d)
{
    return d->kind == CPU_DOT_BITS ? d->x_code.planes : 1;
}

int64_t
cpu_feed_size(const cpu_dot *d)
{
    return d->direct ? 0 : (planes_of(d) * d->hp * d->wp * pixel_size(d) + 127) / 64 * 64;
}

/* The word that x = 0 becomes, for word number `word` of a pixel and plane. */
static uint32_t
border_word(const cpu_dot *d, int plane, int64_t word)
{
    int64_t u = -d->x_code.lo / d->x_code.step, left = d->cg - word * d->per_word;

    if (d->kind == CPU_DOT_U8)
        return 0x01010101u * (uint32_t)(u & 255);
    if (d->kind != CPU_DOT_BITS || !(u >> plane & 1))
        return 0;
    return left >= 32 ? UINT32_MAX : (1u << left) - 1;
}

/* Fills a row of one plane with its border word; what lies inside is overwritten. */
static void
fill_row(cpu_cg *g, const cpu_dot *d, LLVMValueRef to, int plane)
{
    int64_t words = d->groups * d->words * (d->word_size / 4), n = d->wp * words;
    int64_t bulk = n / 16 * 16;
    bool alike = d->kind != CPU_DOT_BITS || d->words == 1 || !border_word(d, plane, 0);
    cpu_loop l;

    if (alike && bulk) {
        g->lanes = 16;
        cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, bulk), 16, NULL, 0);
        cpu_store(g, cpu_splat_int(g, CPU_I32, (int32_t)border_word(d, plane, 0)),
                  cpu_at(g, to, cpu_muli(g, l.i, 4)), 4);
        cpu_loop_end(g, &l, NULL);
    }
    if (alike) {
        for (int64_t i = bulk; i < n; i++)
            cpu_store(g, LLVMConstInt(g->i32, border_word(d, plane, 0), 0),
                      cpu_at(g, to, cpu_int(g, 4 * i)), 4);
        return;
    }
    cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, n), words, NULL, 0);
    for (int64_t w = 0; w < words; w++)
        cpu_store(g, LLVMConstInt(g->i32, border_word(d, plane, w % d->words), 0),
                  cpu_at(g, to, cpu_muli(g, cpu_plus(g, l.i, w), 4)), 4);
    cpu_loop_end(g, &l, NULL);
}

/* Gives each d->cg lanes of v a word of their own; what fills it up does not matter. */
static LLVMValueRef
spread(cpu_cg *g, const cpu_dot *d, LLVMValueRef v)
{
    LLVMValueRef from[64];
    int lanes = (int)(g->lanes / d->cg * d->per_word);

    for (int i = 0; i < lanes; i++) {
        uint64_t word = (uint64_t)(i / d->per_word), k = (uint64_t)(i % d->per_word);
        from[i] = k < (uint64_t)d->cg ? LLVMConstInt(g->i32, word * (uint64_t)d->cg + k, 0)
                                      : LLVMGetUndef(g->i32);
    }
    return LLVMBuildShuffleVector(g->b, v, LLVMGetUndef(LLVMTypeOf(v)),
                                  LLVMConstVector(from, (unsigned)lanes), "");
}

/* g->lanes elements from index at on, as the element of a word; to: where their first byte goes;
 * apart: a word for each d->cg of them. */
static void
move_lanes(cpu_cg *g, const cpu_dot *d, LLVMValueRef at, LLVMValueRef to, bool apart)
{
    nashc_cell cell = g->p->value[cpu_id(d->x)].cell;
    LLVMValueRef from = cpu_ptr_value(g, cpu_id(d->x));
    int size = (int)nashc_cell_size(cell);
    LLVMTypeRef elem = d->kind == CPU_DOT_U8    ? g->i8
                       : d->kind == CPU_DOT_I16 ? g->i16
                       : d->kind == CPU_DOT_I32 ? g->i32
                                                : g->i64;

    if (d->kind == CPU_DOT_F64) {
        cpu_vec v = cpu_fetch(g, from, cell, at, 1, CPU_F64);
        cpu_store(g, v.v, to, 8);
        return;
    }
    LLVMValueRef v = cpu_load(g, cpu_vec_type(g, cpu_cell_type(g, cell)),
                              cpu_at(g, from, cpu_muli(g, at, size)), size);
    v = LLVMBuildIntCast2(g->b, v, cpu_vec_type(g, elem), cpu_cell_signed(cell), "");
    if (d->x_code.lo) { /* of U8: adds 128, modulo 256 */
        LLVMValueRef all[64], off = LLVMConstInt(g->i8, 128, 0);
        for (int k = 0; k < g->lanes; k++)
            all[k] = off;
        v = LLVMBuildAdd(g->b, v, LLVMConstVector(all, (unsigned)g->lanes), "");
    }
    cpu_store(g, apart ? spread(g, d, v) : v, to, 1);
}

/* Up to 32 channels, or 64, from index at on, one bit of each plane; to: their word, or two of
 * them, in plane 0. */
static void
move_bits(cpu_cg *g, const cpu_dot *d, LLVMValueRef at, LLVMValueRef to)
{
    nashc_cell cell = g->p->value[cpu_id(d->x)].cell;
    int size = (int)nashc_cell_size(cell);
    LLVMTypeRef elem = cpu_cell_type(g, cell), vec = cpu_vec_type(g, elem);
    LLVMValueRef from = cpu_at(g, cpu_ptr_value(g, cpu_id(d->x)), cpu_muli(g, at, size));
    LLVMValueRef v = cpu_load(g, vec, from, size), all[64], zero = LLVMConstNull(vec);
    int64_t plane = d->hp * d->wp * pixel_size(d);

    for (int i = 0; i < d->x_code.planes; i++) {
        LLVMValueRef bit;
        if (d->x_code.step == 2) { /* -1 and +1 */
            bit = LLVMBuildICmp(g->b, LLVMIntSGT, v, zero, "");
        } else { /* bit i of x - lo, whose low bits need no more than the low bits of x */
            for (int k = 0; k < g->lanes; k++)
                all[k] = LLVMConstInt(elem, (unsigned long long)-d->x_code.lo, 1);
            bit = LLVMBuildAdd(g->b, v, LLVMConstVector(all, (unsigned)g->lanes), "");
            for (int k = 0; k < g->lanes; k++)
                all[k] = LLVMConstInt(elem, 1ull << i, 0);
            bit = LLVMBuildAnd(g->b, bit, LLVMConstVector(all, (unsigned)g->lanes), "");
            bit = LLVMBuildICmp(g->b, LLVMIntNE, bit, zero, "");
        }
        bit = LLVMBuildBitCast(g->b, bit, LLVMIntTypeInContext(g->ctx, (unsigned)g->lanes), "");
        if (g->lanes <= 32)
            bit = LLVMBuildZExt(g->b, bit, g->i32, "");
        cpu_store(g, bit, cpu_at(g, to, cpu_int(g, i * plane)), 4);
    }
}

/* n channels in a row from element index at on, to words from `to` on. */
static void
move_row(cpu_cg *g, const cpu_dot *d, LLVMValueRef at, LLVMValueRef to, int64_t n)
{
    bool bits = d->kind == CPU_DOT_BITS;
    bool bytes64 = d->cg % 64 == 0 && g->host.vector == 64 &&
                   nashc_cell_size(g->p->value[cpu_id(d->x)].cell) == 1;
    int64_t chunk = bits ? 32 << bytes64 : d->word_size == 8 ? 16 : 64 / (4 / d->per_word);
    int64_t bulk = n / chunk * chunk, elem = bits ? 0 : d->word_size / d->per_word;
    cpu_loop l;

    for (int part = 0; part < 2; part++) {
        int64_t count = part ? n - bulk : bulk;
        if (!count)
            continue;
        g->lanes = (int)(part ? count : chunk);
        LLVMValueRef c = cpu_int(g, bulk);
        if (!part) {
            cpu_loop_begin(g, &l, cpu_int(g, 0), c, chunk, NULL, 0);
            c = l.i;
        }
        LLVMValueRef bytes =
            bits ? LLVMBuildLShr(g->b, c, cpu_int(g, 3), "") : cpu_muli(g, c, elem);
        if (bits)
            move_bits(g, d, cpu_addi(g, at, c), cpu_at(g, to, bytes));
        else
            move_lanes(g, d, cpu_addi(g, at, c), cpu_at(g, to, bytes), false);
        if (!part)
            cpu_loop_end(g, &l, NULL);
    }
}

/* One pixel, group by group. */
static void
move_pixel(cpu_cg *g, const cpu_dot *d, LLVMValueRef at, LLVMValueRef to)
{
    cpu_loop l;

    if (d->groups == 1) {
        move_row(g, d, at, to, d->cg);
        return;
    }
    cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, d->groups), 1, NULL, 0);
    move_row(g, d, cpu_addi(g, at, cpu_muli(g, l.i, d->cg)),
             cpu_at(g, to, cpu_muli(g, l.i, d->words * d->word_size)), d->cg);
    cpu_loop_end(g, &l, NULL);
}

#define PIXELS 16 /* of less than a word, spread at a time */

/* Pixels of a few channels each, one word each: n elements in a row from index at on. */
static void
spread_pixels(cpu_cg *g, const cpu_dot *d, LLVMValueRef at, LLVMValueRef to, int64_t pixels)
{
    cpu_loop l;
    int64_t bulk = pixels / PIXELS * PIXELS;

    cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, bulk), PIXELS, NULL, 0);
    g->lanes = (int)(PIXELS * d->cg);
    move_lanes(g, d, cpu_addi(g, at, cpu_muli(g, l.i, d->cg)),
               cpu_at(g, to, cpu_muli(g, l.i, d->word_size)), true);
    cpu_loop_end(g, &l, NULL);
    for (int64_t i = bulk; i < pixels; i++) {
        g->lanes = (int)d->cg;
        move_lanes(g, d, cpu_plus(g, at, i * d->cg), cpu_at(g, to, cpu_int(g, i * d->word_size)),
                   false);
    }
}

/* Row iy of image n, from the first pixel inside the border on. */
static void
move_image_row(cpu_cg *g, const cpu_dot *d, LLVMValueRef n, LLVMValueRef iy, LLVMValueRef to)
{
    int64_t channels = d->groups * d->cg;
    LLVMValueRef line = cpu_addi(g, cpu_muli(g, n, d->h), iy);
    LLVMValueRef from = cpu_muli(g, line, d->width * channels);
    cpu_loop lx;

    if (d->cg % d->per_word == 0) { /* no gaps: the row as a whole */
        move_row(g, d, from, to, d->width * channels);
    } else if (d->words == 1 && d->groups == 1 && d->kind != CPU_DOT_BITS && d->width >= PIXELS) {
        spread_pixels(g, d, from, to, d->width);
    } else {
        cpu_loop_begin(g, &lx, cpu_int(g, 0), cpu_int(g, d->width), 1, NULL, 0);
        move_pixel(g, d, cpu_addi(g, from, cpu_muli(g, lx.i, channels)),
                   cpu_at(g, to, cpu_muli(g, lx.i, pixel_size(d))));
        cpu_loop_end(g, &lx, NULL);
    }
}

void
cpu_feed_emit(cpu_cg *g, const cpu_dot *d)
{
    int64_t row = d->wp * pixel_size(d);
    LLVMValueRef n, y;
    cpu_loop l;
    cpu_if inside;

    cpu_loop_begin(g, &l, g->from, g->to, 1, NULL, 0);
    cpu_divide(g, l.i, d->batch, d->hp, &n, &y);
    LLVMValueRef to = cpu_at(g, cpu_ptr_scratch(g), cpu_muli(g, n, cpu_feed_size(d)));
    to = cpu_at(g, to, cpu_muli(g, y, row));
    for (int i = 0; i < planes_of(d) && d->padded; i++)
        fill_row(g, d, cpu_at(g, to, cpu_int(g, i * d->hp * row)), i);
    LLVMValueRef iy = cpu_plus(g, y, -d->top);
    if (d->hp > d->h)
        cpu_if_begin(g, &inside, LLVMBuildICmp(g->b, LLVMIntULT, iy, cpu_int(g, d->h), ""), NULL,
                     0);
    move_image_row(g, d, n, iy, cpu_at(g, to, cpu_int(g, d->left * pixel_size(d))));
    if (d->hp > d->h)
        cpu_if_end(g, &inside, NULL);
    cpu_loop_end(g, &l, NULL);
}

double
cpu_feed_share(const cpu_dot *d, int64_t *units)
{
    double words = (double)(d->hp * d->wp * d->groups * d->words);

    *units = d->batch * d->hp;
    return (double)d->batch * words * (planes_of(d) + 1) * (d->cg % d->per_word ? 1.0 : 0.25);
}
