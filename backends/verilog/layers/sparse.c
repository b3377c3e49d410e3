/* sparse.c: the steps of hw.mvau without its weight words that are all zero.
 *
 *     step of a vector     0    1    2   ..  SF-1  ..  round-1
 *     reads beat           0    1    2   ..  SF-1
 *     computes             the words of result 0, of result 1, ..
 *
 * Results come in order, so words do, by result and then by beat. A step waits, with a word of
 * zeros, while the beat of the next word has not been read; a result of no words takes one step of
 * zeros. The last step of a vector reads no beat before the last one and does not meet beat 0,
 * which is written again in the next cycle. All groups take as many steps as the longest: the
 * others wait before their last one.
 */
#include "sparse.h"
#include <string.h>

/* Weights [MW, columns] as bytes: an integer is zero if all its bytes are. */
typedef struct matrix {
    const char *data;
    size_t cell, row; /* bytes of an element and of a row */
    int64_t pe, simd, sf, nf, groups;
} matrix;

static matrix
matrix_of(const nashc_node *n)
{
    const nashc_buf *w = nashc_tensor_buf(nashc_value_const(nashc_node_in(n, 1)));
    matrix m = {.data = w->data,
                .cell = nashc_cell_size(w->cell),
                .pe = nashc_node_int(n, "pe"),
                .simd = nashc_node_int(n, "simd"),
                .groups = nashc_node_int(n, "groups")};

    m.row = m.cell * (size_t)w->type.dim[1];
    m.sf = w->type.dim[0] / m.simd;
    m.nf = w->type.dim[1] / m.groups / m.pe;
    return m;
}

/* Is the word of rows pe*nf .. and columns simd*sf .. all zero? */
static bool
is_zero(const matrix *m, int64_t nf, int64_t sf)
{
    const size_t size = m->cell * (size_t)m->pe;
    const char *at = m->data + (size_t)(sf * m->simd) * m->row + (size_t)nf * size;

    for (int64_t s = 0; s < m->simd; s++, at += m->row)
        if (at[0] != 0 || memcmp(at, at + 1, size - 1) != 0)
            return false;
    return true;
}

/* Steps as they come; steps NULL: they are only counted. */
typedef struct list {
    sparse_step *steps;
    int64_t n, most; /* counting ends behind most */
    int64_t last;    /* beat of the vector */
} list;

static void
add(list *l, int64_t word, int64_t beat, bool last)
{
    if (l->steps)
        l->steps[l->n] = (sparse_step){word, beat, last};
    l->n++;
}

/* A step of zeros, with the beat that came last. */
static void
add_zero(list *l, bool last)
{
    add(l, -1, l->n < l->last ? l->n : l->last, last);
}

/* Result nf, the last one of a vector of at least `least` steps or not (0). */
static void
add_result(list *l, const matrix *m, int64_t nf, int64_t least)
{
    int64_t held = -1; /* a beat whose word is yet to come: it may be the last */

    for (int64_t sf = 0; sf < m->sf && l->n <= l->most; sf++) {
        if (is_zero(m, nf, sf))
            continue;
        if (held >= 0)
            add(l, nf * m->sf + held, held, false);
        for (held = sf; l->n < held;)
            add_zero(l, false);
    }
    if (least > 0 && held == 0) {
        add(l, nf * m->sf, 0, false);
        held = -1;
    }
    while (l->n < least - 1 && l->n <= l->most)
        add_zero(l, false);
    if (held < 0)
        add_zero(l, true);
    else
        add(l, nf * m->sf + held, held, true);
}

/* A vector of group g, of at least `least` steps, appended to l. */
static void
add_vector(list *l, const matrix *m, int64_t g, int64_t least)
{
    for (int64_t k = 0; k < m->nf && l->n <= l->most; k++)
        add_result(l, m, g * m->nf + k, k == m->nf - 1 ? least : 0);
}

/* Can zero words of n be known, and would their beats wait for nothing? */
static bool
possible(const nashc_node *n, const matrix *m)
{
    const nashc_type *w = model_in(n, 1);

    return w->kind != NASHC_K_BIP && m->sf > 1 && !nashc_flow_weights_free(n) &&
           strcmp(nashc_node_str(n, "res_type"), "adders") != 0;
}

/* Bits of a line of the steps. */
static int64_t
line_bits(const matrix *m)
{
    return cost_clog2((uint64_t)m->sf) + 1;
}

int64_t
sparse_round(const nashc_node *n)
{
    const char *how = nashc_node_str(n, "zero_words");
    const matrix m = matrix_of(n);
    const int64_t all = m.sf * m.nf, bits = m.pe * m.simd * model_in(n, 1)->bits;
    const bool asked = strcmp(how, "skip") == 0;
    int64_t most = asked ? INT64_MAX : all * 3 / 4, round = m.sf;

    if (strcmp(how, "read") == 0 || !possible(n, &m) || (!asked && round > most))
        return 0;
    if (!asked && most * (bits + line_bits(&m)) > all * bits)
        most = all * bits / (bits + line_bits(&m));
    for (int64_t g = 0; g < m.groups && round <= most; g++) {
        list l = {.most = most, .last = m.sf - 1};
        add_vector(&l, &m, g, m.sf);
        round = l.n > round ? l.n : round;
    }
    return round <= most ? round : 0;
}

sparse_step *
sparse_steps(const nashc_node *n, int64_t round)
{
    const matrix m = matrix_of(n);
    sparse_step *all = nashc_mem_alloc((size_t)(m.groups * round) * sizeof *all);

    for (int64_t g = 0; all && g < m.groups; g++) {
        list l = {.steps = all + g * round, .most = INT64_MAX, .last = m.sf - 1};
        add_vector(&l, &m, g, round);
    }
    return all;
}

/* --- Verilog -----------------------------------------------------------------------------------
 */

static void
emit_files(const nashc_node *n, nashc_vlog *v, const sparse_step *steps, int64_t lines)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const matrix m = matrix_of(n);
    const int64_t bits = line_bits(&m);
    nashc_weights w;

    nashc_flow_weights(n, &w);
    nashc_vlog_mem *s = nashc_vlog_memory(v, lines, bits);
    nashc_vlog_mem *words = nashc_vlog_memory(v, lines, w.lanes * w.elem.bits);
    for (int64_t i = 0; i < lines; i++) {
        nashc_vlog_put(s, i, 0, 1, steps[i].last);
        nashc_vlog_put(s, i, 1, (int)bits - 1, steps[i].beat);
        for (int64_t e = 0; e < w.lanes && steps[i].word >= 0; e++) {
            int64_t at = nashc_flow_weight_at(&w, steps[i].word * w.lanes + e);
            nashc_vlog_put(words, i, e * w.elem.bits, w.elem.bits,
                           emit_code(&w.elem, nashc_tensor_get_int(t, at)));
        }
    }
    nashc_vlog_int(v, "WW", w.elem.bits);
    nashc_vlog_int(v, "W_SIGNED", emit_signed(&w.elem));
    nashc_vlog_str(v, "W_RAM_STYLE",
                   nashc_node_int(n, "mem_mode") == 1 ? "distributed"
                                                      : nashc_node_str(n, "ram_style"));
    nashc_vlog_file(v, "W_FILE", "weights", words);
    nashc_vlog_file(v, "S_FILE", "steps", s);
}

nashc_status
emit_sparse(const nashc_node *n, nashc_vlog *v, int64_t round, nashc_diag *d)
{
    sparse_step *steps = sparse_steps(n, round);

    if (!steps)
        return nashc_enomem(d);
    nashc_vlog_core(v, "nashc_mvau_sparse");
    nashc_vlog_int(v, "ROUND", round);
    emit_files(n, v, steps, round * nashc_node_int(n, "groups"));
    nashc_mem_free(steps);
    return NASHC_OK;
}

/* --- cost --------------------------------------------------------------------------------------
 */

void
sparse_cost(const nashc_node *n, int64_t round, const nashc_device *dev, nashc_cost *c)
{
    const matrix m = matrix_of(n);
    const uint64_t sf = (uint64_t)m.sf, lines = (uint64_t)(round * m.groups);
    const uint64_t beat = (uint64_t)m.simd * model_in(n, 0)->bits;
    const uint64_t word = (uint64_t)(m.pe * m.simd) * model_in(n, 1)->bits;

    cost_counter(c, (uint64_t)round);
    cost_counter(c, lines);
    cost_counter(c, sf);
    c->ff += 3 + (uint64_t)cost_clog2(lines); /* reads, fired, first; the number of the word */
    cost_rom(c, dev, COST_AUTO, lines, (uint64_t)line_bits(&m));
    if (!cost_ram(c, dev, m.sf <= 64 ? COST_DISTRIBUTED : COST_AUTO, sf, beat) || sf <= 64)
        c->ff += beat; /* the register of the read */
    cost_rom(c, dev, mac_weight_style(n), lines, word);
}
