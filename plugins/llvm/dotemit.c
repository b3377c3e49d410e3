/* dotemit.c: the loops of a sum of products, and its weights in the order they are read. */
#include "dot.h"
#include <string.h>

/* --- weights --------------------------------------------------------------------------------- */

/* Integer weight of output channel m of group gr at kernel position y, x and channel c; 0 beyond.
 */
static int64_t
weight_at(const cpu_dot *d, const nashc_tensor *w, int64_t gr, int64_t m, int64_t tap, int64_t c)
{
    if (m >= d->mg || c >= d->cg)
        return 0;
    return nashc_tensor_get_int(w, gr * d->w_g + m * d->w_m + tap / d->kw * d->w_y +
                                       tap % d->kw * d->w_x + c * d->w_c);
}

/* Word number `word` of a pixel for output channel m: per_word weights, the first in the low bits.
 */
static int64_t
word_of(const cpu_dot *d, const nashc_tensor *w, int plane, int64_t gr, int64_t m, int64_t tap,
        int64_t word)
{
    int bits = (int)(8 * d->word_size / d->per_word);
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, v = 0;

    for (int64_t k = 0; k < d->per_word && m < d->mg; k++) {
        int64_t c = word * d->per_word + k;
        uint64_t one = (uint64_t)weight_at(d, w, gr, m, tap, c);
        if (d->kind == CPU_DOT_BITS)
            one = c < d->cg && cpu_weight_bit(&d->w_code, (int64_t)one, plane);
        v |= (one & mask) << (k * bits);
    }
    return (int64_t)v;
}

/* Words [group][plane][tap][word][m_pad]. */
static const void *
weight_words(cpu_cg *g, const cpu_dot *d)
{
    const nashc_tensor *w = nashc_value_const(d->w);
    int planes = d->kind == CPU_DOT_BITS ? d->w_code.planes : 1;
    int64_t taps = d->kh * d->kw, n = d->groups * planes * taps * d->words * d->m_pad;
    char *to = cpu_blob(g, (size_t)(n * d->word_size));

    for (int64_t i = 0; to && i < n; i++) {
        int64_t m = i % d->m_pad, r = i / d->m_pad, word = r % d->words, tap = r / d->words % taps;
        int64_t gp = r / d->words / taps, gr = gp / planes;
        if (d->kind == CPU_DOT_F64) {
            int64_t at = gr * d->w_g + m * d->w_m + tap / d->kw * d->w_y + tap % d->kw * d->w_x +
                         word * d->w_c;
            ((double *)(void *)to)[i] = m < d->mg ? nashc_tensor_get(w, at) : 0.0;
        } else if (d->word_size == 8) {
            ((int64_t *)(void *)to)[i] = weight_at(d, w, gr, m, tap, word);
        } else {
            ((int32_t *)(void *)to)[i] =
                (int32_t)word_of(d, w, (int)(gp % planes), gr, m, tap, word);
        }
    }
    return to;
}

/* What is added to the sum of output channel m, and the factor of the sum, as integers. */
static void
affine_of(const cpu_dot *d, int64_t gr, int64_t m, int64_t *factor, int64_t *constant)
{
    const nashc_tensor *w = nashc_value_const(d->w);
    int64_t sum = 0, ones = 0;

    for (int64_t tap = 0; tap < d->kh * d->kw; tap++)
        for (int64_t c = 0; c < d->cg; c++) {
            int64_t v = weight_at(d, w, gr, m, tap, c);
            sum += v;
            ones += d->kind == CPU_DOT_BITS && cpu_weight_bit(&d->w_code, v, 0);
        }
    if (d->kind == CPU_DOT_BITS) {
        cpu_terms_affine(&d->x_code, &d->w_code, sum, ones, factor, constant);
        return;
    }
    *factor = 1;
    *constant = d->x_code.lo * sum; /* x - lo was multiplied */
}

/* The addend of every output channel, and the common factor; floats: the bias as doubles. */
static const void *
addends(cpu_cg *g, const cpu_dot *d, int64_t *factor)
{
    const nashc_tensor *b = d->bias ? nashc_value_const(d->bias) : NULL;
    int64_t m_all = d->groups * d->mg, constant;
    bool wide = d->kind >= CPU_DOT_I64;
    char *to = cpu_blob(g, (size_t)m_all * 8);

    *factor = 1;
    for (int64_t m = 0; to && m < m_all; m++) {
        if (d->kind == CPU_DOT_F64) {
            ((double *)(void *)to)[m] = b ? nashc_tensor_get(b, m) : 0.0;
            continue;
        }
        affine_of(d, m / d->mg, m % d->mg, factor, &constant);
        constant += b ? nashc_tensor_get_int(b, m) : 0;
        if (wide)
            ((int64_t *)(void *)to)[m] = constant;
        else
            ((int32_t *)(void *)to)[m] = (int32_t)constant;
    }
    return to;
}

/* --- one word -------------------------------------------------------------------------------- */

/* The pairs of lanes of two vectors of 16-bit integers multiplied and added, as pmaddwd does: LLVM
 * knows the pattern on every processor that has it. */
static LLVMValueRef
multiply_pairs(cpu_cg *g, LLVMValueRef a, LLVMValueRef b)
{
    unsigned n = 2 * (unsigned)g->lanes;
    LLVMTypeRef narrow = LLVMVectorType(g->i16, n), wide = LLVMVectorType(g->i32, n);
    LLVMValueRef even[32], odd[32], none = LLVMGetUndef(wide);

    a = LLVMBuildSExt(g->b, LLVMBuildBitCast(g->b, a, narrow, ""), wide, "");
    b = LLVMBuildSExt(g->b, LLVMBuildBitCast(g->b, b, narrow, ""), wide, "");
    LLVMValueRef m = LLVMBuildMul(g->b, a, b, "");
    for (int i = 0; i < g->lanes; i++) {
        even[i] = LLVMConstInt(g->i32, 2u * (unsigned)i, 0);
        odd[i] = LLVMConstInt(g->i32, 2u * (unsigned)i + 1, 0);
    }
    LLVMValueRef lo = LLVMConstVector(even, (unsigned)g->lanes);
    LLVMValueRef hi = LLVMConstVector(odd, (unsigned)g->lanes);
    return LLVMBuildAdd(g->b, LLVMBuildShuffleVector(g->b, m, none, lo, ""),
                        LLVMBuildShuffleVector(g->b, m, none, hi, ""), "");
}

/* acc + dot of four unsigned bytes of x with four signed ones of w, in every lane. */
static LLVMValueRef
multiply_bytes(cpu_cg *g, LLVMValueRef acc, LLVMValueRef x, LLVMValueRef w)
{
    const char *name = g->lanes == 16  ? "llvm.x86.avx512.vpdpbusd.512"
                       : g->lanes == 8 ? "llvm.x86.avx512.vpdpbusd.256"
                                       : "llvm.x86.avx512.vpdpbusd.128";
    LLVMTypeRef t =
        LLVMIntrinsicGetType(g->ctx, LLVMLookupIntrinsicID(name, strlen(name)), NULL, 0);
    LLVMTypeRef in[3];

    LLVMGetParamTypes(t, in); /* newer versions take vectors of bytes */
    return cpu_call(g, name, NULL, 0,
                    (LLVMValueRef[]){acc, LLVMBuildBitCast(g->b, x, in[1], ""),
                                     LLVMBuildBitCast(g->b, w, in[2], "")},
                    3);
}

/* One word of x, the same in all lanes, against one of w in each. */
static LLVMValueRef
accumulate(cpu_cg *g, const cpu_dot *d, LLVMValueRef acc, LLVMValueRef x, LLVMValueRef w)
{
    LLVMValueRef v;

    switch (d->kind) {
    case CPU_DOT_BITS:
        v = d->w_code.exclusive ? LLVMBuildXor(g->b, x, w, "") : LLVMBuildAnd(g->b, x, w, "");
        return LLVMBuildAdd(g->b, acc, cpu_f64_call(g, "llvm.ctpop", v), "");
    case CPU_DOT_U8:
        return multiply_bytes(g, acc, x, w);
    case CPU_DOT_I16:
        return LLVMBuildAdd(g->b, acc, multiply_pairs(g, x, w), "");
    case CPU_DOT_F64:
        if (g->host.fma) /* of doubles: the difference is gone in an f32 */
            return cpu_call(g, "llvm.fma", (LLVMTypeRef[]){LLVMTypeOf(x)}, 1,
                            (LLVMValueRef[]){x, w, acc}, 3);
        return LLVMBuildFAdd(g->b, acc, LLVMBuildFMul(g->b, x, w, ""), "");
    default:
        return LLVMBuildAdd(g->b, acc, LLVMBuildMul(g->b, x, w, ""), "");
    }
}

/* --- one tile -------------------------------------------------------------------------------- */

typedef struct tile {
    const cpu_dot *d;
    LLVMValueRef x, w; /* first word of the first position; of the group, plane 0 and vectors */
    int positions;
    LLVMTypeRef word;
} tile;

/* Words that one turn of a loop over n takes: a divisor of n, for not too much code. */
static int64_t
unrolled(int64_t n, int accumulators)
{
    int64_t by = 6;

    while (by > 1 && (n % by || by * accumulators > 80))
        by--;
    return by;
}

/* n words in a row, from x and w on; carry: accumulators [position][vector]. */
static void
words_in_a_row(cpu_cg *g, const tile *t, LLVMValueRef x, LLVMValueRef w, int64_t n,
               LLVMValueRef *acc)
{
    const cpu_dot *d = t->d;
    int64_t by = unrolled(n, t->positions * d->tile_r);
    int64_t pixel = d->groups * d->words * d->word_size, size = d->word_size;
    int align = (int)(d->kind == CPU_DOT_BITS ? size : size / d->per_word); /* x may lie as given */
    LLVMTypeRef vec = cpu_vec_type(g, t->word);
    cpu_loop l;

    cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, n), by, acc, t->positions * d->tile_r);
    LLVMValueRef xi = cpu_at(g, x, cpu_muli(g, l.i, size));
    LLVMValueRef wi = cpu_at(g, w, cpu_muli(g, l.i, d->m_pad * size));
    for (int64_t u = 0; u < by; u++) {
        LLVMValueRef wv[8];
        for (int r = 0; r < d->tile_r; r++)
            wv[r] = cpu_load(g, vec,
                             cpu_at(g, wi, cpu_int(g, (u * d->m_pad + r * d->lanes) * size)), 64);
        for (int p = 0; p < t->positions; p++) {
            LLVMValueRef at = cpu_at(g, xi, cpu_int(g, p * d->sw * pixel + u * size));
            LLVMValueRef xv = cpu_splat(g, cpu_load(g, t->word, at, align));
            for (int r = 0; r < d->tile_r; r++)
                acc[p * d->tile_r + r] = accumulate(g, d, acc[p * d->tile_r + r], xv, wv[r]);
        }
    }
    cpu_loop_end(g, &l, acc);
}

/* All kernel positions, for one plane of x and one of w. */
static void
kernel_window(cpu_cg *g, const tile *t, int px, int pw, LLVMValueRef *acc)
{
    const cpu_dot *d = t->d;
    int64_t pixel = d->groups * d->words * d->word_size, row = d->wp * pixel;
    int64_t w_word = d->m_pad * d->word_size, w_row = d->kw * d->words * w_word;
    bool joined = d->dw == 1 && d->groups == 1;
    int n = t->positions * d->tile_r;
    LLVMValueRef x = cpu_at(g, t->x, cpu_int(g, px * d->hp * row));
    LLVMValueRef w = cpu_at(g, t->w, cpu_int(g, pw * d->kh * w_row));
    cpu_loop ly, lx;

    cpu_loop_begin(g, &ly, cpu_int(g, 0), cpu_int(g, d->kh), 1, acc, n);
    x = cpu_at(g, x, cpu_muli(g, ly.i, d->dh * row));
    w = cpu_at(g, w, cpu_muli(g, ly.i, w_row));
    if (joined) {
        words_in_a_row(g, t, x, w, d->kw * d->words, acc);
    } else {
        cpu_loop_begin(g, &lx, cpu_int(g, 0), cpu_int(g, d->kw), 1, acc, n);
        words_in_a_row(g, t, cpu_at(g, x, cpu_muli(g, lx.i, d->dw * pixel)),
                       cpu_at(g, w, cpu_muli(g, lx.i, d->words * w_word)), d->words, acc);
        cpu_loop_end(g, &lx, acc);
    }
    cpu_loop_end(g, &ly, acc);
}

/* Sums of one tile, to the frame at `to`; bit planes by Horner's rule over their worth. Returns the
 * factor that is left. */
static int64_t
sum_tile(cpu_cg *g, const tile *t, LLVMValueRef to)
{
    const cpu_dot *d = t->d;
    int n = t->positions * d->tile_r, n_terms = 1;
    cpu_term terms[CPU_MAX_TERMS] = {{0, 0, 1}};
    LLVMValueRef acc[CPU_MAX_CARRY];

    for (int i = 0; i < n; i++)
        acc[i] = LLVMConstNull(cpu_vec_type(g, t->word));
    if (d->kind == CPU_DOT_BITS)
        n_terms = cpu_terms_of(&d->x_code, &d->w_code, terms);
    for (int k = 0; k < n_terms; k++) {
        kernel_window(g, t, terms[k].x, terms[k].w, acc);
        int64_t ratio = k + 1 < n_terms ? terms[k].worth / terms[k + 1].worth : 1;
        for (int i = 0; i < n && ratio != 1; i++)
            acc[i] = LLVMBuildMul(g->b, acc[i], cpu_splat_int(g, CPU_I32, ratio), "");
    }
    for (int i = 0; i < n; i++)
        cpu_store(g, acc[i], cpu_at(g, to, cpu_int(g, i * d->lanes * d->word_size)), 64);
    return terms[n_terms - 1].worth;
}

/* --- what becomes of the sums ---------------------------------------------------------------- */

typedef struct finish {
    const cpu_space *space;
    cpu_sink *sink;
    void *user;
    const void *addend;
    int64_t factor;
} finish;

/* Hands lanes lanes of the sum at `from` on: channel m of position pos. */
static void
finish_lanes(cpu_cg *g, const cpu_dot *d, const finish *f, LLVMValueRef from, LLVMValueRef pos,
             LLVMValueRef m, int lanes)
{
    cpu_class c = d->kind == CPU_DOT_F64 ? CPU_F64 : d->kind == CPU_DOT_I64 ? CPU_I64 : CPU_I32;
    nashc_cell cell = c == CPU_F64 ? NASHC_DOUBLE : c == CPU_I64 ? NASHC_I64 : NASHC_I32;
    cpu_affine affine = {f->factor, f->addend, d->groups * d->mg};
    cpu_point pt = {f->space, {pos, m}, c == CPU_I32 ? &affine : NULL};
    int full = g->lanes;

    g->lanes = lanes;
    cpu_vec v = cpu_fetch(g, from, cell, cpu_int(g, 0), 1, c);
    if (c != CPU_I32) {
        LLVMValueRef add = cpu_fetch(g, cpu_ptr_const(g, f->addend), cell, m, 1, c).v;
        v.v = c == CPU_F64 ? LLVMBuildFAdd(g->b, v.v, add, "") : LLVMBuildAdd(g->b, v.v, add, "");
    }
    f->sink(g, &pt, v, f->user);
    g->lanes = full;
}

/* One vector of the tile: channels of group gr from in_group on, if it has them.
 */
static void
finish_vector(cpu_cg *g, const cpu_dot *d, const finish *f, LLVMValueRef from, LLVMValueRef pos,
              LLVMValueRef gr, LLVMValueRef in_group)
{
    LLVMValueRef channel = cpu_addi(g, cpu_muli(g, gr, d->mg), in_group);
    int rest = (int)(d->mg % d->lanes);
    cpu_if fi;

    if (d->mg == d->m_pad) { /* no vector but is full */
        finish_lanes(g, d, f, from, pos, channel, d->lanes);
    } else if (d->mg >= d->lanes) {
        cpu_if_begin(g, &fi,
                     LLVMBuildICmp(g->b, LLVMIntSLE, in_group, cpu_int(g, d->mg - d->lanes), ""),
                     NULL, 0);
        finish_lanes(g, d, f, from, pos, channel, d->lanes);
        cpu_if_end(g, &fi, NULL);
    }
    if (rest && d->m_pad == d->lanes) {
        finish_lanes(g, d, f, from, pos, channel, rest);
    } else if (rest) {
        cpu_if_begin(g, &fi, LLVMBuildICmp(g->b, LLVMIntEQ, in_group, cpu_int(g, d->mg - rest), ""),
                     NULL, 0);
        finish_lanes(g, d, f, from, pos, channel, rest);
        cpu_if_end(g, &fi, NULL);
    }
}

/* The tile in the frame: positions from pos on, channels of group gr from m (in it) on. */
static void
finish_tile(cpu_cg *g, const cpu_dot *d, const finish *f, LLVMValueRef frame, int positions,
            LLVMValueRef pos, LLVMValueRef gr, LLVMValueRef m)
{
    int64_t vector = d->lanes * d->word_size;
    cpu_loop lp;

    cpu_loop_begin(g, &lp, cpu_int(g, 0), cpu_int(g, positions), 1, NULL, 0);
    LLVMValueRef from = cpu_at(g, frame, cpu_muli(g, lp.i, d->tile_r * vector));
    for (int r = 0; r < d->tile_r; r++)
        finish_vector(g, d, f, cpu_at(g, from, cpu_int(g, r * vector)), cpu_addi(g, pos, lp.i), gr,
                      cpu_plus(g, m, r * d->lanes));
    cpu_loop_end(g, &lp, NULL);
}

/* --- the whole ------------------------------------------------------------------------------- */

typedef struct place {
    LLVMValueRef n, gr, m, oy; /* image, group, first channel in the group, output row */
    LLVMValueRef image, w;     /* packed image; weights of the group */
    LLVMValueRef frame;
} place;

/* One tile of positions outputs from ox on. */
static void
one_tile(cpu_cg *g, const cpu_dot *d, finish *f, const place *at, LLVMValueRef ox, int positions)
{
    int64_t pixel = d->groups * d->words * d->word_size, row = d->wp * pixel;
    tile t = {.d = d, .positions = positions};
    int64_t factor = f->factor;

    t.word = d->kind == CPU_DOT_F64 ? g->f64 : d->word_size == 8 ? g->i64 : g->i32;
    t.x = cpu_at(g, at->image, cpu_muli(g, at->oy, d->sh * row));
    t.x = cpu_at(g, t.x, cpu_muli(g, ox, d->sw * pixel));
    t.x = cpu_at(g, t.x, cpu_muli(g, at->gr, d->words * d->word_size));
    t.w = cpu_at(g, at->w, cpu_muli(g, at->m, d->word_size));
    f->factor *= sum_tile(g, &t, at->frame);
    LLVMValueRef line = cpu_addi(g, cpu_muli(g, at->n, d->oh), at->oy);
    finish_tile(g, d, f, at->frame, positions, cpu_addi(g, cpu_muli(g, line, d->ow), ox), at->gr,
                at->m);
    f->factor = factor;
}

/* One row of outputs for a few channels: whole tiles, then what is left of the row. */
static void
one_row(cpu_cg *g, const cpu_dot *d, finish *f, const place *at)
{
    int64_t tiles = (d->ow + d->tile_p - 1) / d->tile_p;
    int per = (int)((d->ow + tiles - 1) / tiles); /* alike, as far as it goes */
    int64_t whole = d->ow / per;
    int rest = (int)(d->ow - whole * per);
    cpu_loop l;

    if (whole) {
        cpu_loop_begin(g, &l, cpu_int(g, 0), cpu_int(g, whole * per), per, NULL, 0);
        one_tile(g, d, f, at, l.i, per);
        cpu_loop_end(g, &l, NULL);
    }
    if (rest)
        one_tile(g, d, f, at, cpu_int(g, whole * per), rest);
}

void
cpu_dot_emit(cpu_cg *g, const cpu_dot *d, const cpu_space *space, cpu_sink *sink, void *user)
{
    finish f = {.space = space, .sink = sink, .user = user};
    int planes = d->kind == CPU_DOT_BITS ? d->w_code.planes : 1;
    int64_t w_group = planes * d->kh * d->kw * d->words * d->m_pad * d->word_size;
    const void *weights = weight_words(g, d);
    int64_t blocks = d->m_pad / (d->tile_r * d->lanes), image = d->h * d->width;
    LLVMValueRef rest;
    cpu_blocks lb;
    cpu_loop ly;
    place at;

    f.addend = addends(g, d, &f.factor);
    if (!weights || !f.addend)
        return;
    g->lanes = d->lanes;
    at.frame = cpu_frame(g, d->tile_p * d->tile_r * d->lanes * d->word_size);
    cpu_blocks_begin(g, &lb, d->oh); /* [image][group][channels], of which rows are computed */
    cpu_divide(g, lb.outer.i, d->batch, d->groups * blocks, &at.n, &rest);
    cpu_divide(g, rest, d->groups, blocks, &at.gr, &at.m);
    at.m = cpu_muli(g, at.m, d->tile_r * d->lanes);
    if (d->direct)
        at.image = cpu_at(g, cpu_ptr_value(g, cpu_id(d->x)),
                          cpu_muli(g, at.n, image * d->groups * d->words * d->word_size));
    else
        at.image = cpu_at(g, cpu_ptr_scratch(g), cpu_muli(g, at.n, cpu_feed_size(d)));
    at.w = cpu_at(g, cpu_ptr_const(g, weights), cpu_muli(g, at.gr, w_group));
    cpu_loop_begin(g, &ly, lb.lo, lb.hi, 1, NULL, 0);
    at.oy = ly.i;
    one_row(g, d, &f, &at);
    cpu_loop_end(g, &ly, NULL);
    cpu_blocks_end(g, &lb);
}

double
cpu_dot_share(const cpu_dot *d, const cpu_host *h, int64_t *units)
{
    double outputs = (double)d->batch * (double)d->groups * (double)d->m_pad / d->lanes *
                     (double)d->oh * (double)d->ow;
    double word = d->kind == CPU_DOT_I16 ? 1.0 : 0.6;
    cpu_term terms[CPU_MAX_TERMS];

    if (d->kind == CPU_DOT_BITS)
        word = (h->popcount ? 1.5 : 8.0) * cpu_terms_of(&d->x_code, &d->w_code, terms);
    *units = d->batch * d->groups * (d->m_pad / (d->tile_r * d->lanes)) * d->oh;
    return outputs * ((double)(d->kh * d->kw * d->words) * word + 10);
}
