/* products.c: ways to multiply: how many products share a multiplier block, and what it takes. */
#include "products.h"
#include "emit.h"

int
products_mode(const nashc_type *x, const nashc_type *w)
{
    if (x->kind == NASHC_K_BIP)
        return w->kind == NASHC_K_BIP ? XNOR : PM1_X;
    return w->kind == NASHC_K_BIP ? PM1_W : PRODUCT;
}

/* Bits of the wider operand of a multiplier block, and of the other one, that any family has. */
enum { WIDE = 25, NARROW = 18 };

/* Rows whose weights stand so many bits apart in the wider operand. */
static int64_t
lanes_apart(int64_t apart, const nashc_type *w, int64_t rows)
{
    int64_t lanes = 1;

    while (lanes < rows && lanes * apart + w->bits + 1 <= WIDE)
        lanes++;
    return lanes;
}

/* LUTs of a product that overlaps its neighbours: its low half once more, and taking that off. */
static int64_t
overlap_luts(const nashc_type *x, const nashc_type *w)
{
    int64_t half = (x->bits + w->bits + 1) / 2;

    return half * half / 2 + half;
}

/* What a block is worth among blocks: where narrow products go to them, LUTs are what is short, or
 * somebody has asked for it. */
#define SHORT_BLOCK_LUTS 120

/* Do lanes share bits? Where that gives more of them than it costs in LUTs. */
static bool
overlaps(const nashc_type *x, const nashc_type *w, int64_t rows)
{
    int64_t one = lanes_apart(x->bits + w->bits, w, rows);
    int64_t two = lanes_apart((x->bits + w->bits + 1) / 2, w, rows);

    return x->lo >= 0 && !nashc_type_is_signed(x) && two > one &&
           SHORT_BLOCK_LUTS / two + overlap_luts(x, w) < SHORT_BLOCK_LUTS / one;
}

/* Do so many lanes share bits, as nashc_rows_packed has it? */
static bool
overlap(const nashc_type *x, const nashc_type *w, int64_t lanes)
{
    return lanes > 1 && (lanes - 1) * (x->bits + w->bits) + w->bits + 1 > WIDE;
}

int64_t
products_lanes(const nashc_type *x, const nashc_type *w, int64_t rows)
{
    int64_t bits = x->bits + w->bits;

    if (x->bits < 2 || x->bits >= NARROW || products_mode(x, w) != PRODUCT)
        return 1;
    return lanes_apart(overlaps(x, w, rows) ? (bits + 1) / 2 : bits, w, rows);
}

/* --- what it takes ------------------------------------------------------------------------------
 */

/* Of products that are added up, those that count: half of those with constants vanish, and of a
 * few lines of weights some bits are the same in all. */
double
products_counted(const mac_shape *z, uint64_t all)
{
    return z->lines < 32 ? (double)all - (double)all / (double)((uint64_t)1 << z->lines)
                         : (double)all;
}

/* Bits that extend signs of operands of so many bits to those of their sum. */
double
products_extension(const nashc_type *t, uint64_t bits, uint64_t sum)
{
    return emit_signed(t) && sum > bits ? (double)(sum - bits) : 0;
}

/* Chains of additions of what the bits of the narrower operand choose of pairs of columns, four
 * pairs a chain; their sums, and the sums of these over the bits. */
products
products_in_planes(const mac_shape *z, const nashc_type *x, const nashc_type *w, uint64_t sum)
{
    bool bip = x->kind == NASHC_K_BIP, x_planes = bip || x->bits < w->bits;
    uint64_t each = bip ? 2 : x_planes ? x->bits : w->bits, planes = z->pe * each;
    uint64_t bits = x_planes ? w->bits : x->bits, pairs = (z->simd + 1) / 2;
    uint64_t gated = bits + 1 + (uint64_t)cost_clog2(pairs), chain = bits + 1;

    chain += pairs < 3 ? pairs - 1 : 2;
    gated = gated < sum ? gated : sum;
    /* rows that share an x share the sums of its pairs, too */
    uint64_t added = pairs * chain + ((pairs + 3) / 4 - 1) * gated;
    uint64_t shared = (x_planes ? z->pe : z->blocks) * pairs * (bits + 1);
    products p = {.part = COST_PLANES,
                  .terms = {products_counted(z, planes * added), products_counted(z, shared),
                            (double)(planes * gated), (double)(z->pe * (each - 1) * sum)},
                  .ff = (z->piped ? planes * gated : 0) + z->pe * sum};

    /* what a single column lets through is part of the LUTs of the sums */
    p.adders = (z->simd > 1 ? p.terms[0] + p.terms[1] : 0) + p.terms[3];
    return p;
}

/* Registers behind sums of four columns, with what those of all lanes but the lowest lack, and
 * behind the sum of x. */
static uint64_t
packed_registers(const mac_shape *z, const nashc_type *x, const nashc_type *w, uint64_t sum)
{
    uint64_t mixed = !emit_signed(x) && emit_signed(w) && !overlap(x, w, z->lanes);
    uint64_t group = x->bits + w->bits + mixed + (uint64_t)cost_clog2(z->simd < 4 ? z->simd : 4);

    group = (group < sum ? group : sum) + (emit_signed(x) ? 1 : 0);
    return z->pe * ((z->simd + 3) / 4) * group + x->bits + (uint64_t)cost_clog2(z->simd);
}

/* Bits of an operand of nashc_rows_multiply beside the other one: both are signed or neither. */
static uint64_t
factor_bits(const nashc_type *t, const nashc_type *other)
{
    return (uint64_t)t->bits + (!emit_signed(t) && emit_signed(other));
}

/* A multiplier for each product; those that Yosys takes no block for are LUTs. */
static products
one_by_one(const mac_shape *z, const nashc_type *x, const nashc_type *w, const nashc_device *dev,
           uint64_t sum)
{
    uint64_t a = factor_bits(x, w), b = factor_bits(w, x), bits = a + b < sum ? a + b : sum;
    bool blocks = cost_takes_dsp(a, b, bits, dev);
    uint64_t all = z->pe * z->simd;
    double added = blocks ? (double)all : products_counted(z, all); /* blocks take constants too */
    double more = z->simd > 2 ? added * (double)(z->simd - 2) / (double)z->simd : 0;
    products p = {.part = COST_MULTIPLY,
                  .terms = {more * (double)bits,
                            more * products_extension(emit_signed(x) ? x : w, bits, sum),
                            z->simd > 1 ? (double)(z->pe * sum) : 0},
                  .in_luts = blocks ? 0 : added * (double)(a * b),
                  .ff = z->pe * sum + (z->piped ? all * bits : 0),
                  .dsp = blocks ? all * cost_dsps(x->bits, w->bits) : 0};

    p.adders = p.terms[0] + p.terms[1] + p.terms[2] + p.in_luts;
    return p;
}

/* Adds the multipliers of so many rows each, as blocks or as LUTs. */
static void
add_packed(products *p, const nashc_type *x, const nashc_type *w, const nashc_device *dev,
           uint64_t multipliers, uint64_t rows, uint64_t apart)
{
    uint64_t a = x->bits, b = w->bits, wide = (rows - 1) * apart + b + 1;

    if (cost_takes_dsp(a + 1, wide, (rows - 1) * apart + a + b, dev))
        p->dsp += multipliers * cost_dsps(a, b);
    else
        p->in_luts += (double)(multipliers * wide * a);
}

/* Products of several rows in a multiplier; the last one may have fewer. */
static products
packed(const mac_shape *z, const nashc_type *x, const nashc_type *w, const nashc_device *dev,
       uint64_t sum)
{
    uint64_t a = x->bits, b = w->bits, rows = z->pe / z->blocks, lanes = (uint64_t)z->lanes;
    bool half = overlap(x, w, z->lanes);
    uint64_t apart = half ? (a + b + 1) / 2 : a + b, places = z->blocks * z->simd;
    products p = {.part = COST_PACKED,
                  .terms = {products_counted(z, z->pe * z->simd) * (double)(a + b), 0,
                            (double)(z->pe * sum), (double)(z->simd * a)},
                  .lut = half ? z->pe * z->simd * (uint64_t)overlap_luts(x, w) : 0,
                  .ff = z->pe * sum + (z->piped ? packed_registers(z, x, w, sum) : 0)};

    add_packed(&p, x, w, dev, rows / lanes * places, lanes, apart);
    if (rows % lanes)
        add_packed(&p, x, w, dev, places, rows % lanes, apart);
    p.adders = p.terms[0] + p.terms[3] + p.in_luts;
    return p;
}

/* Products in multiplier blocks. Yosys leaves the registers behind them outside. */
products
products_in_blocks(const mac_shape *z, const nashc_type *x, const nashc_type *w,
                   const nashc_device *dev, uint64_t sum)
{
    return z->lanes > 1 ? packed(z, x, w, dev, sum) : one_by_one(z, x, w, dev, sum);
}

/* LUT equivalents, to choose by. A bit of an adder is a LUT: coefficients follow from designs, so
 * that designs must not follow from them. */
double
products_price(const products *p)
{
    return p->adders + (double)p->lut + (double)p->ff / 4 + (double)(COST_DSP_LUTS * p->dsp);
}
