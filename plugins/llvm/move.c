/* move.c: operators that move elements, as copies.
 *
 * Which element goes where is asked of the operator itself: it is evaluated once on the numbers of
 * the elements in place of the elements.
 */
#include "program.h"
#include <stdlib.h>
#include <string.h>

#define MOST (1 << 24) /* elements of a move that is worth a table */

/* Operands that are moved, not told how to move: all of a concatenation, else the first. */
static int
n_moved(const nashc_node *n)
{
    return nashc_node_is(n, "nn.concat") ? nashc_node_n_in(n) : 1;
}

static bool
is_move(const cpu_program *p, const nashc_node *n)
{
    const cpu_value *y = &p->value[cpu_id(nashc_node_out(n, 0))];
    int64_t count = 0;

    if (!(nashc_node_op(n)->flags & NASHC_OP_SHAPE))
        return false;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!v || (i >= n_moved(n) && !nashc_value_const(v)))
            return false;
        if (i < n_moved(n))
            count += nashc_type_count(nashc_value_type(v));
        if (n_moved(n) > 1 && p->value[cpu_id(v)].cell != y->cell)
            return false; /* elements change their form on the way */
    }
    return count <= MOST && nashc_type_count(nashc_value_type(nashc_node_out(n, 0))) <= MOST;
}

/* Numbers 0, 1, ... over all moved operands, in the shapes of the operands. */
static bool
number_operands(const nashc_node *n, nashc_buf *in)
{
    int64_t next = 0;

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
        } else {
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

    *base = 0;
    while (k + 1 < n && v >= *base + in[k].n)
        *base += in[k++].n;
    return k;
}

/* Runs of numbers that follow each other, as copies. */
static bool
pieces_of(const nashc_buf *in, int n_in, const nashc_buf *map, cpu_step *s)
{
    int64_t count = 0;

    for (int pass = 0; pass < 2; pass++) {
        int64_t n = 0, base;
        for (int64_t i = 0, run; i < map->n; i += run, n++) {
            int64_t v = nashc_buf_get_int(map, i);
            int k = operand_of(in, n_in, v, &base);
            for (run = 1; i + run < map->n && v + run < base + in[k].n &&
                          nashc_buf_get_int(map, i + run) == v + run;)
                run++;
            if (pass)
                s->piece[n] = (cpu_piece){k, (int32_t)run, v - base, i};
        }
        count = n;
        if (!pass && !(s->piece = malloc((size_t)n * sizeof *s->piece)))
            return false;
    }
    s->n_piece = (int)count;
    return true;
}

bool
cpu_move_of(cpu_program *p, const nashc_node *n, int out, cpu_step *s, bool *alias)
{
    int n_in = n_moved(n), n_out = nashc_node_n_out(n);

    if (!is_move(p, n))
        return false;
    nashc_buf *in = calloc((size_t)n_in, sizeof *in), *map = calloc((size_t)n_out, sizeof *map);
    bool ok = in && map && number_operands(n, in) && trace(n, in, map) == NASHC_OK &&
              pieces_of(in, n_in, &map[out], s);
    *alias = ok && s->n_piece == 1 && n_in == 1 && s->piece[0].src == 0 && map[out].n == in[0].n;
    if (ok && n_in == 1 && s->n_piece > map[out].n / 8) { /* short runs: element by element */
        s->index = malloc((size_t)map[out].n * sizeof *s->index);
        for (int64_t i = 0; s->index && i < map[out].n; i++)
            s->index[i] = (int32_t)nashc_buf_get_int(&map[out], i);
        ok = s->index != NULL;
    }
    for (int i = 0; in && i < n_in; i++)
        nashc_buf_free(&in[i]);
    for (int i = 0; map && i < n_out; i++)
        nashc_buf_free(&map[i]);
    free(in);
    free(map);
    if (!ok || *alias || s->index) {
        free(s->piece);
        s->piece = NULL;
    }
    return ok;
}

#define MOVE_CELLS(T)                                                                              \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((T *)(void *)to)[i] = ((const T *)from)[s->index[i]]

static void
move_by_index(const cpu_step *s, const void *from, char *to, size_t cell, int64_t n)
{
    if (cell == 1)
        MOVE_CELLS(uint8_t);
    else if (cell == 2)
        MOVE_CELLS(uint16_t);
    else if (cell == 4)
        MOVE_CELLS(uint32_t);
    else
        MOVE_CELLS(uint64_t);
}

void
cpu_move(const cpu_step *s, const nashc_buf *const *in, char *to, size_t cell)
{
    if (s->index) {
        move_by_index(s, in[0]->data, to, cell,
                      nashc_type_count(nashc_value_type(nashc_node_out(s->node, s->out))));
        return;
    }
    for (int i = 0; i < s->n_piece; i++) {
        const cpu_piece *c = &s->piece[i];
        memcpy(to + (size_t)c->dst * cell,
               (const char *)in[c->operand]->data + (size_t)c->src * cell, (size_t)c->n * cell);
    }
}
