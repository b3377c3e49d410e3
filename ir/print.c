/* print.c: the canonical text of modules. */
#include "core/base/mem.h"
#include "core/base/num.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <string.h>

#define INLINE_MAX 16 /* elements printed in place */

static void
print_type(nashc_str *out, const nashc_type *t)
{
    char text[NASHC_TYPE_STR_MAX];

    nashc_str_puts(out, nashc_type_print(t, text, sizeof(text)));
}

/* --- constants ------------------------------------------------------------------------------- */

static void
print_element(nashc_str *out, const nashc_buf *b, int64_t i)
{
    if (b->cell == NASHC_FLOAT)
        nashc_str_f32(out, ((const float *)b->data)[i]);
    else if (b->cell == NASHC_DOUBLE)
        nashc_str_f64(out, ((const double *)b->data)[i]);
    else
        nashc_str_int(out, nashc_buf_get_int(b, i)); /* fixed point: the mantissa */
}

/* All cells have the same bits? By memory, each cell against the next one. */
static bool
is_splat(const nashc_tensor *t)
{
    size_t size = nashc_tensor_bytes(t), cell = nashc_cell_size(nashc_tensor_buf(t)->cell);
    const char *p = nashc_tensor_data(t);

    return size == cell || memcmp(p, p + cell, size - cell) == 0;
}

bool
nashc_tensor_needs_blob(const nashc_tensor *t)
{
    return nashc_tensor_count(t) > INLINE_MAX && !is_splat(t);
}

/* Up to 16 elements in place, one number, or the begin of the hash that the blob file is searched
 * by. */
void
nashc_print_data(nashc_str *out, const nashc_tensor *t)
{
    static const char hex[] = "0123456789abcdef";
    const nashc_buf *b = nashc_tensor_buf(t);

    if (b->n <= INLINE_MAX) {
        nashc_str_putc(out, '[');
        for (int64_t i = 0; i < b->n; i++) {
            if (i)
                nashc_str_putc(out, ',');
            print_element(out, b, i);
        }
        nashc_str_putc(out, ']');
    } else if (is_splat(t)) {
        nashc_str_puts(out, "splat ");
        print_element(out, b, 0);
    } else {
        const uint8_t *hash = nashc_tensor_hash(t);
        nashc_str_puts(out, "blob ");
        for (int i = 0; i < 8; i++) {
            nashc_str_putc(out, hex[hash[i] >> 4]);
            nashc_str_putc(out, hex[hash[i] & 15]);
        }
    }
}

static void
print_const(nashc_str *out, const nashc_value *v)
{
    nashc_str_puts(out, "  ");
    nashc_print_name(out, '%', v->name);
    nashc_str_puts(out, ": ");
    print_type(out, &v->type);
    nashc_str_puts(out, " = ");
    nashc_print_data(out, v->data);
    nashc_str_putc(out, '\n');
}

/* --- nodes ----------------------------------------------------------------------------------- */

static void
print_node(nashc_str *out, const nashc_node *n)
{
    uint32_t n_in = n->n_in;

    while (n_in && !n->in[n_in - 1].val)
        n_in--; /* left out behind the last one given: not written */
    for (uint32_t i = 0; i < n->n_out; i++) {
        if (i)
            nashc_str_puts(out, ", ");
        nashc_print_name(out, '%', n->out[i].name ? n->out[i].name : "");
        nashc_str_puts(out, ": ");
        print_type(out, &n->out[i].type);
    }
    nashc_str_puts(out, n->n_out ? " = " : "= ");
    nashc_str_puts(out, n->op->name);
    nashc_str_putc(out, '(');
    for (uint32_t i = 0; i < n_in; i++) {
        if (i)
            nashc_str_puts(out, ", ");
        if (n->in[i].val)
            nashc_print_name(out, '%', n->in[i].val->name);
        else
            nashc_str_putc(out, '_');
    }
    nashc_str_putc(out, ')');
    nashc_node_print_attrs(n, out);
    if (n->loc.name && *n->loc.name) {
        nashc_str_puts(out, " !");
        nashc_str_quoted(out, n->loc.name);
    }
}

const char *
nashc_node_line(const nashc_node *n, nashc_arena *a)
{
    nashc_str s = {0};
    const char *line;

    if (!n->op || nashc_node_dead(n))
        return nashc_arena_strdup(a, "<dead>");
    print_node(&s, n);
    line = s.bad ? NULL : nashc_arena_strdup(a, s.data);
    nashc_str_free(&s);
    return line;
}

/* --- graphs ---------------------------------------------------------------------------------- */

/* Constants of n not seen before, in operand order: so each is printed before its first reader, and
 * those that nothing reads are not printed. False: f gave up. */
static bool
visit_consts(const nashc_node *n, uint8_t *seen, nashc_const_fn *f, void *user)
{
    for (uint32_t i = 0; i < n->n_in; i++) {
        const nashc_value *v = n->in[i].val;
        if (!v || !v->data || seen[v->id])
            continue;
        seen[v->id] = 1;
        if (!f(user, v))
            return false;
    }
    return true;
}

bool
nashc_graph_each_const(const nashc_graph *g, nashc_const_fn *f, void *user)
{
    uint8_t *seen = nashc_mem_calloc(g->next_value_id, 1);
    bool ok = seen != NULL;

    for (const nashc_node *n = g->first; ok && n; n = n->next)
        ok = visit_consts(n, seen, f, user);
    ok = ok && visit_consts(&g->outputs, seen, f, user);
    nashc_mem_free(seen);
    return ok;
}

static void
print_head(nashc_str *out, const nashc_graph *g)
{
    nashc_str_puts(out, "graph ");
    nashc_print_name(out, '@', g->name);
    nashc_str_putc(out, '(');
    for (size_t i = 0; i < g->n_inputs; i++) {
        if (i)
            nashc_str_puts(out, ", ");
        nashc_print_name(out, '%', g->inputs[i]->name);
        nashc_str_puts(out, ": ");
        print_type(out, &g->inputs[i]->type);
    }
    nashc_str_puts(out, ") -> (");
    for (uint32_t i = 0; i < g->outputs.n_in; i++) {
        const nashc_value *v = g->outputs.in[i].val;
        if (i)
            nashc_str_puts(out, ", ");
        /* interned: one address a text */
        if (g->output_names[i] != v->name) {
            nashc_print_name(out, 0, g->output_names[i]);
            nashc_str_putc(out, '=');
        }
        nashc_print_name(out, '%', v->name);
    }
    nashc_str_puts(out, ") {\n");
}

static bool
print_one_const(void *user, const nashc_value *v)
{
    print_const(user, v);
    return true;
}

/* Constants stand where they are first read, so that a text is read top down like a program. */
static void
print_graph(nashc_str *out, const nashc_graph *g)
{
    uint8_t *seen = nashc_mem_calloc(g->next_value_id, 1);

    if (!seen) {
        out->bad = true;
        return;
    }
    print_head(out, g);
    for (const nashc_node *n = g->first; n && !out->bad; n = n->next) {
        visit_consts(n, seen, print_one_const, out);
        nashc_str_puts(out, "  ");
        print_node(out, n);
        nashc_str_putc(out, '\n');
    }
    visit_consts(&g->outputs, seen, print_one_const, out);
    nashc_str_puts(out, "}\n");
    nashc_mem_free(seen);
}

/* NULL: memory out. The text ends with a 0 that *size does not count. */
char *
nashc_print(const nashc_module *m, size_t *size)
{
    nashc_str out = {0};

    nashc_str_puts(&out, "nashc 1\n");
    for (size_t i = 0; i < m->n_meta; i++) {
        nashc_str_puts(&out, i ? " " : "meta ");
        nashc_print_name(&out, 0, m->meta[i].key);
        nashc_str_putc(&out, '=');
        nashc_str_quoted(&out, m->meta[i].value);
    }
    if (m->n_meta)
        nashc_str_putc(&out, '\n');
    for (size_t i = 0; i < m->n_graphs; i++) {
        nashc_str_putc(&out, '\n');
        print_graph(&out, m->graphs[i]);
    }
    return nashc_str_take(&out, size);
}
