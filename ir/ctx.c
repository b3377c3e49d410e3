/* ctx.c: what the IR keeps in a context: interned strings and op schemas with parsed defaults. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <string.h>

struct nashc_irctx {
    nashc_arena *arena;
    nashc_map strings; /* text to its one copy */
    nashc_map ops;     /* address of the descriptor to nashc_op_info */
    nashc_map unknown; /* name to the descriptor made for it */
};

nashc_irctx *
nashc_irctx_create(void)
{
    nashc_irctx *x = nashc_mem_calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    x->ops.by_address = true;
    x->arena = nashc_arena_create();
    if (!x->arena) {
        nashc_mem_free(x);
        return NULL;
    }
    return x;
}

/* Every interned string dies here, so modules must be gone before their context. */
void
nashc_irctx_free(nashc_irctx *x)
{
    if (!x)
        return;
    nashc_map_free(&x->strings);
    nashc_map_free(&x->ops);
    nashc_map_free(&x->unknown);
    nashc_arena_free(x->arena);
    nashc_mem_free(x);
}

/* Not freed before the context: names of erased values add up over a long run, a few bytes each. */
const char *
nashc_intern(nashc_irctx *x, const char *s)
{
    char *copy = nashc_map_get(&x->strings, s);

    if (copy)
        return copy;
    copy = nashc_arena_strdup(x->arena, s);
    return copy && nashc_map_put(&x->strings, copy, copy) ? copy : NULL;
}

const char *
nashc_intern_n(nashc_irctx *x, const char *s, size_t n)
{
    char small[128], *copy = n < sizeof(small) ? small : nashc_mem_alloc(n + 1);
    const char *out;

    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = 0;
    out = nashc_intern(x, copy);
    if (copy != small)
        nashc_mem_free(copy);
    return out;
}

/* Parsed at first use of an op and kept: all nodes share the defaults. By the address of the
 * descriptor, as a name may be taken by another plugin's op. */
const nashc_op_info *
nashc_op_schema(nashc_irctx *x, const nashc_op *op, nashc_diag *d)
{
    nashc_op_info *info = nashc_map_get(&x->ops, (const char *)op);
    char err[NASHC_ATTR_ERR];
    nashc_attr *v;

    if (info)
        return info;
    info = NASHC_NEW(x->arena, nashc_op_info);
    if (!info)
        return NULL;
    info->op = op;
    while (op->attrs && op->attrs[info->n_attrs].name)
        info->n_attrs++;
    info->defaults = v = NASHC_NEW_N(x->arena, nashc_attr, info->n_attrs);
    if (!v)
        return NULL;
    for (uint32_t i = 0; i < info->n_attrs; i++) {
        nashc_status s = nashc_attr_default(&op->attrs[i], x->arena, &v[i], err);
        if (s == NASHC_ENOMEM)
            return NULL;
        if (s) {
            nashc_bug(d, NULL, "default of attribute %s of op %s: %s", op->attrs[i].name, op->name,
                      err);
            return NULL;
        }
    }
    return nashc_map_put(&x->ops, (const char *)op, info) ? info : NULL;
}

/* --- unknown operators ----------------------------------------------------------------------- */

static const nashc_param unknown_attrs[] = {
    {.name = "domain", .def = "", .help = "domain of the operator", .kind = NASHC_P_STRING},
    {.name = "attributes",
     .def = "",
     .help = "attributes as the source file has them",
     .kind = NASHC_P_STRING},
    {0},
};

const nashc_op *
nashc_op_unknown(nashc_irctx *x, const char *name)
{
    static const char prefix[] = "unknown.";
    nashc_op *op = nashc_map_get(&x->unknown, name);
    size_t n = sizeof(prefix) - 1;

    if (op || strncmp(name, prefix, n) != 0 || !nashc_is_ident(name + n) || strchr(name + n, '.'))
        return op;
    op = NASHC_NEW(x->arena, nashc_op);
    if (!op)
        return NULL;
    *op = (nashc_op){NASHC_DESC(nashc_op), .flags = NASHC_OP_OPAQUE, .name = nashc_intern(x, name),
                     .help = "an operator whose meaning is not known", .max_in = -1,
                     /* any number of operands and results: the graph is kept as it came */
                     .min_out = 0, .max_out = -1, .attrs = unknown_attrs};
    return op->name && nashc_map_put(&x->unknown, op->name, op) ? op : NULL;
}
