/* move.c: operators that move elements, as code that copies.
 *
 * Which element goes where is asked of the operator itself: it is evaluated once on the numbers of
 * the elements, from 1 on, in place of the elements; a 0 in the result is an element of no operand.
 */
#include "move.h"
#include <stdlib.h>
#include <string.h>

#define MOST (1 << 24) /* elements of a move that is worth a table */

/* Operands that are moved, not told how to move: all of a concatenation, else the first. */
static int
n_moved(const nashc_node *n)
{
    return nashc_node_is(n, "nn.concat") ? nashc_node_n_in(n) : 1;
}

/* Operators that move elements with some of their attributes only. */
static bool
moves_here(const nashc_node *n)
{
    const nashc_value *fill = nashc_node_in(n, 1);

    if (nashc_node_is(n, "nn.pad"))
        return !fill || nashc_value_const(fill);
    if (nashc_node_is(n, "nn.resize"))
        return nashc_attr_int(n, 1) == 0; /* nearest */
    return nashc_node_op(n)->flags & NASHC_OP_SHAPE;
}

static bool
is_number(const nashc_value *v)
{
    const nashc_type *t = nashc_value_type(v);

    return nashc_type_is_int(t) || t->kind == NASHC_K_F32 || t->kind == NASHC_K_F64;
}

static bool
is_move(const cpu_program *p, const nashc_node *n)
{
    const nashc_value *y = nashc_node_out(n, 0);
    int64_t count = 0;

    if (!moves_here(n))
        return false;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!v || (i >= n_moved(n) && !nashc_value_const(v)))
            return false;
        if (i < n_moved(n))
            count += nashc_type_count(nashc_value_type(v));
        if (i < n_moved(n) && p->value[cpu_id(v)].cell != p->value[cpu_id(y)].cell &&
            !(is_number(v) && is_number(y)))
            return false; /* elements change their form on the way */
    }
    return count < MOST && nashc_type_count(nashc_value_type(y)) <= MOST;
}

/* Numbers 1, 2, ... over all moved operands, in the shapes of the operands. */
static bool
number_operands(const nashc_node *n, nashc_buf *in)
{
    int64_t next = 1;

    for (int i = 0; i < n_moved(n); i++) {
        nashc_type t = *nashc_value_type(nashc_node_in(n, i)), elem = nashc_type_uint(32);
        t = nashc_type_with_elem(&t, &elem);
        if (!nashc_buf_alloc(&in[i], &t))
            return false;
        for (int64_t k = 0; k < in[i].n; k++)
            ((uint32_t *)in[i].data)[k] = (uint32_t)next++;
    }
    return true;
}

/* Evaluates a copy of n on those numbers. */
static nashc_status
trace(const nashc_node *n, nashc_buf *in, nashc_buf *out)
{
    nashc_module *m =
        nashc_module_create(nashc_module_ctx(nashc_graph_module(nashc_node_graph(n))));
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_build *b = g ? nashc_build_create(g, NULL) : NULL;
    nashc_value **v = calloc((size_t)nashc_node_n_in(n) + 1, sizeof *v);
    const nashc_buf **at = calloc((size_t)nashc_node_n_in(n) + 1, sizeof *at);
    nashc_status s = b && v && at ? NASHC_OK : NASHC_ENOMEM;

    for (int i = 0; s == NASHC_OK && i < nashc_node_n_in(n); i++) {
        const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));
        if (i < n_moved(n)) {
            v[i] = nashc_graph_add_input(g, NULL, &in[i].type);
            at[i] = &in[i];
        } else if (!nashc_node_is(n, "nn.pad")) { /* whose value would look like a number */
            v[i] = nashc_build_const(b, NULL, nashc_tensor_ref((nashc_tensor *)(uintptr_t)t));
            at[i] = nashc_tensor_buf(t);
        }
    }
    nashc_node *copy = s == NASHC_OK ? nashc_build_like(b, n, v, nashc_node_n_in(n)) : NULL;
    s = copy ? nashc_eval_node(copy, at, out, 0, NULL) : NASHC_ENOMEM;
    free(v);
    free(at);
    nashc_module_free(m);
    return s;
}

/* Start of operand k among the numbers, and k itself, for number v. */
static int
operand_of(const nashc_buf *in, int n, int64_t v, int64_t *base)
{
    int k = 0;

    *base = 1;
    while (k + 1 < n && v >= *base + in[k].n)
        *base += in[k++].n;
    return k;
}

/* Runs of numbers that follow each other, as copies. */
static bool
pieces_of(const nashc_buf *in, int n_in, const nashc_buf *map, cpu_map *m)
{
    for (int pass = 0; pass < 2; pass++) {
        int64_t n = 0, base;
        for (int64_t i = 0, run; i < map->n; i += run) {
            int64_t v = nashc_buf_get_int(map, i);
            int k = operand_of(in, n_in, v, &base);
            for (run = 1; i + run < map->n && v && v + run < base + in[k].n &&
                          nashc_buf_get_int(map, i + run) == v + run;)
                run++;
            m->holes |= v == 0;
            if (v && pass)
                m->piece[n] = (cpu_piece){k, run, v - base, i};
            n += v != 0;
        }
        m->n_piece = n;
        if (!pass && !(m->piece = malloc((size_t)(n + 1) * sizeof *m->piece)))
            return false;
    }
    return true;
}

/* What n puts where no element of its operand comes from, if that is not 0. */
static bool
fill_of(const cpu_program *p, const nashc_node *n, cpu_map *m)
{
    const nashc_value *v = n_moved(n) == 1 ? nashc_node_in(n, 1) : NULL;
    nashc_buf x;

    if (!v || !m->holes || nashc_tensor_all_eq(nashc_value_const(v), 0))
        return true;
    if (!nashc_buf_alloc(&x, nashc_value_type(nashc_node_in(n, 0))))
        return false;
    nashc_fill(&x, 0, 1, NULL, NULL);
    const nashc_buf *in[] = {&x, nashc_tensor_buf(nashc_value_const(v))};
    bool ok = nashc_eval_node(n, in, &m->fill, NASHC_EVAL_WIDE, NULL) == NASHC_OK;
    nashc_buf_free(&x);
    return ok && m->fill.cell == p->value[cpu_id(nashc_node_out(n, 0))].cell;
}

/* Short runs: element by element. */
static bool
index_of(const nashc_buf *map, cpu_map *m)
{
    m->index = malloc((size_t)map->n * sizeof *m->index);
    for (int64_t i = 0; m->index && i < map->n; i++)
        m->index[i] = (int32_t)nashc_buf_get_int(map, i) - 1;
    return m->index != NULL;
}

bool
cpu_map_of(const cpu_program *p, const nashc_node *n, int out, cpu_map *m)
{
    int n_in = n_moved(n), n_out = nashc_node_n_out(n);

    *m = (cpu_map){.n_operand = n_in};
    if (!is_move(p, n))
        return false;
    nashc_buf *in = calloc((size_t)n_in, sizeof *in), *map = calloc((size_t)n_out, sizeof *map);
    bool ok = in && map && number_operands(n, in) && trace(n, in, map) == NASHC_OK &&
              pieces_of(in, n_in, &map[out], m) && fill_of(p, n, m);
    m->whole = ok && !m->holes && m->n_piece == 1 && n_in == 1 && m->piece[0].src == 0 &&
               map[out].n == in[0].n;
    if (ok && n_in == 1 && !m->holes && m->n_piece > map[out].n / 8)
        ok = index_of(&map[out], m);
    for (int i = 0; in && i < n_in; i++)
        nashc_buf_free(&in[i]);
    for (int i = 0; map && i < n_out; i++)
        nashc_buf_free(&map[i]);
    free(in);
    free(map);
    if (!ok)
        cpu_map_free(m);
    return ok;
}

void
cpu_map_free(cpu_map *m)
{
    free(m->piece);
    free(m->index);
    nashc_buf_free(&m->fill);
    *m = (cpu_map){0};
}

/* --- code ------------------------------------------------------------------------------------ */

typedef cpu_route route;

static LLVMValueRef
bytes_of(cpu_cg *g, LLVMValueRef elements, nashc_cell c)
{
    return cpu_muli(g, elements, (int64_t)nashc_cell_size(c));
}

static void
convert_lanes(cpu_cg *g, const route *r, LLVMValueRef src, LLVMValueRef dst, int lanes)
{
    bool whole = r->from_cell < NASHC_FLOAT, wide = r->from_cell >= NASHC_U32;

    g->lanes = lanes;
    cpu_put(g,
            cpu_fetch(g, r->from, r->from_cell, src, 1,
                      !whole ? CPU_F64
                      : wide ? CPU_I64
                             : CPU_I32),
            r->to, r->to_cell, dst);
}

/* n elements from src to dst; lanes: how many at once where they change their form. */
static void
copy_elements(cpu_cg *g, const route *r, LLVMValueRef src, LLVMValueRef dst, LLVMValueRef n,
              int lanes)
{
    cpu_loop l;

    if (r->from_cell == r->to_cell) {
        int align = (int)nashc_cell_size(r->to_cell);
        LLVMBuildMemCpy(g->b, cpu_at(g, r->to, bytes_of(g, dst, r->to_cell)), (unsigned)align,
                        cpu_at(g, r->from, bytes_of(g, src, r->from_cell)), (unsigned)align,
                        bytes_of(g, n, r->to_cell));
        return;
    }
    cpu_loop_begin(g, &l, cpu_int(g, 0), n, lanes, NULL, 0);
    convert_lanes(g, r, cpu_addi(g, src, l.i), cpu_addi(g, dst, l.i), lanes);
    cpu_loop_end(g, &l, NULL);
}

void
cpu_copy_cells(cpu_cg *g, LLVMValueRef from, nashc_cell from_cell, LLVMValueRef to,
               nashc_cell to_cell, int64_t n)
{
    route r = {from, to, from_cell, to_cell};
    int64_t bulk = from_cell == to_cell ? n : n / 16 * 16;

    if (bulk)
        copy_elements(g, &r, cpu_int(g, 0), cpu_int(g, 0), cpu_int(g, bulk), 16);
    if (n > bulk)
        convert_lanes(g, &r, cpu_int(g, bulk), cpu_int(g, bulk), (int)(n - bulk));
}

/* n pieces of one operand, the first of which is unit number `first` of the step: a loop over a
 * table of those that are in the function's part. */
static void
copy_pieces(cpu_cg *g, const route *r, const cpu_piece *piece, int64_t n, int64_t first)
{
    int64_t *table = cpu_blob(g, (size_t)n * 3 * sizeof *table);
    LLVMValueRef field[3];
    cpu_if some;
    cpu_loop l;

    for (int64_t i = 0; table && i < n; i++) {
        table[3 * i] = piece[i].src;
        table[3 * i + 1] = piece[i].dst;
        table[3 * i + 2] = piece[i].n;
    }
    if (!table)
        return;
    LLVMValueRef lo = cpu_greatest(g, cpu_plus(g, g->from, -first), cpu_int(g, 0));
    LLVMValueRef hi = cpu_least(g, cpu_plus(g, g->to, -first), cpu_int(g, n));
    cpu_if_begin(g, &some, LLVMBuildICmp(g->b, LLVMIntSLT, lo, hi, ""), NULL, 0);
    cpu_loop_begin(g, &l, lo, hi, 1, NULL, 0);
    for (int k = 0; k < 3; k++)
        field[k] = cpu_load(
            g, g->i64,
            cpu_at(g, cpu_ptr_const(g, table), cpu_muli(g, cpu_plus(g, cpu_muli(g, l.i, 3), k), 8)),
            8);
    copy_elements(g, r, field[0], field[1], field[2], 1);
    cpu_loop_end(g, &l, NULL);
    cpu_if_end(g, &some, NULL);
}

/* One piece, and no other: units are its elements. */
static void
copy_piece(cpu_cg *g, const route *r, const cpu_piece *piece)
{
    copy_elements(g, r, cpu_plus(g, g->from, piece->src), cpu_plus(g, g->from, piece->dst),
                  LLVMBuildSub(g->b, g->to, g->from, ""), 1);
}

static void
copy_by_index(cpu_cg *g, const route *r, const int32_t *index, int64_t n)
{
    int32_t *table = cpu_blob(g, (size_t)n * sizeof *table);
    cpu_loop l;

    if (!table)
        return;
    memcpy(table, index, (size_t)n * sizeof *table);
    cpu_loop_begin(g, &l, g->from, g->to, 1, NULL, 0);
    LLVMValueRef at = cpu_at(g, cpu_ptr_const(g, table), cpu_muli(g, l.i, sizeof *table));
    at = LLVMBuildSExt(g->b, cpu_load(g, g->i32, at, sizeof *table), g->i64, "");
    if (r->from_cell == r->to_cell) {
        int size = (int)nashc_cell_size(r->to_cell);
        LLVMTypeRef t = LLVMIntTypeInContext(g->ctx, 8u * (unsigned)size);
        LLVMValueRef v = cpu_load(g, t, cpu_at(g, r->from, cpu_muli(g, at, size)), size);
        cpu_store(g, v, cpu_at(g, r->to, cpu_muli(g, l.i, size)), size);
    } else {
        convert_lanes(g, r, at, l.i, 1);
    }
    cpu_loop_end(g, &l, NULL);
}

static int
by_operand(const void *a, const void *b)
{
    const cpu_piece *p = a, *q = b;

    return p->operand != q->operand ? p->operand - q->operand
                                    : (p->dst > q->dst) - (p->dst < q->dst);
}

void
cpu_fill_emit(cpu_cg *g, cpu_step *s, const cpu_map *m)
{
    const cpu_value *y = &g->p->value[cpu_id(nashc_node_out(s->node, s->out))];
    size_t size = (size_t)y->n * nashc_cell_size(y->cell);
    char *fill = m->fill.data ? cpu_blob(g, size) : NULL;
    int align = (int)nashc_cell_size(y->cell);

    s->units = y->n;
    s->cost = (double)size / 32;
    cpu_fn_begin(g, s);
    LLVMValueRef at = bytes_of(g, g->from, y->cell);
    LLVMValueRef to = cpu_at(g, cpu_ptr_value(g, cpu_id(y->v)), at);
    LLVMValueRef n = bytes_of(g, LLVMBuildSub(g->b, g->to, g->from, ""), y->cell);
    if (fill) {
        memcpy(fill, m->fill.data, size);
        LLVMBuildMemCpy(g->b, to, (unsigned)align, cpu_at(g, cpu_ptr_const(g, fill), at),
                        (unsigned)align, n);
    } else {
        LLVMBuildMemSet(g->b, to, LLVMConstNull(g->i8), n, (unsigned)align);
    }
    cpu_fn_end(g);
}

/* Units of a move, and its cycles. */
static void
share(cpu_step *s, const cpu_map *m, const cpu_value *y, bool turned, int64_t rows, int64_t cols)
{
    double bytes = (double)y->n * (double)nashc_cell_size(y->cell);

    s->units = turned            ? cpu_turn_units(y->n, rows, cols)
               : m->index        ? y->n
               : m->n_piece == 1 ? m->piece[0].n
                                 : m->n_piece;
    s->cost = turned     ? bytes / 8
              : m->index ? 2.0 * (double)y->n
                         : bytes / 16 + 10.0 * (double)m->n_piece;
}

void
cpu_move_emit(cpu_cg *g, cpu_step *s, cpu_map *m)
{
    const nashc_node *n = s->node;
    const cpu_value *value = g->p->value, *y = &value[cpu_id(nashc_node_out(n, s->out))];
    const cpu_value *x = &value[cpu_id(nashc_node_in(n, 0))];
    int64_t rows = 1, cols = 1;
    bool turned = m->index && x->cell == y->cell && cpu_turn_of(m->index, y->n, &rows, &cols);

    share(s, m, y, turned, rows, cols);
    cpu_fn_begin(g, s);
    route r = {.to = cpu_ptr_value(g, cpu_id(y->v)), .to_cell = y->cell};
    qsort(m->piece, (size_t)m->n_piece, sizeof *m->piece, by_operand);
    for (int64_t i = 0, end; i < m->n_piece; i = end) {
        x = &value[cpu_id(nashc_node_in(n, m->piece[i].operand))];
        for (end = i; end < m->n_piece && m->piece[end].operand == m->piece[i].operand;)
            end++;
        r.from = cpu_ptr_value(g, cpu_id(x->v));
        r.from_cell = x->cell;
        if (turned)
            cpu_turn_emit(g, &r, rows, cols);
        else if (m->index)
            copy_by_index(g, &r, m->index, y->n);
        else if (m->n_piece == 1)
            copy_piece(g, &r, &m->piece[0]);
        else
            copy_pieces(g, &r, &m->piece[i], end - i, i);
    }
    cpu_fn_end(g);
}
