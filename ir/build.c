/* build.c: builders: nodes and constants made at a point, with sticky failure. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <nashc/plugin.h>
#include <string.h>

#define MAX_OPERANDS (1 << 20)

nashc_build *
nashc_build_create(nashc_graph *g, nashc_diag *d)
{
    nashc_build *b = NASHC_NEW(g->module->arena, nashc_build);

    if (!b)
        return NULL;
    b->graph = g;
    b->diag = d;
    return b;
}

nashc_status
nashc_build_status(const nashc_build *b)
{
    return b ? b->status : NASHC_ENOMEM;
}

nashc_graph *
nashc_build_graph(const nashc_build *b)
{
    return b ? b->graph : NULL;
}

nashc_arena *
nashc_build_arena(nashc_build *b)
{
    return b ? b->graph->module->arena : NULL;
}

void
nashc_build_before(nashc_build *b, nashc_node *n)
{
    if (b)
        b->before = n;
}

/* Strings are interned, since the caller's may go before the node. */
void
nashc_build_loc(nashc_build *b, const nashc_loc *loc)
{
    nashc_irctx *x;

    if (!b)
        return;
    x = b->graph->module->x;
    b->loc = loc ? *loc : (nashc_loc){0};
    b->loc.file = b->loc.file ? nashc_intern(x, b->loc.file) : NULL;
    b->loc.name = b->loc.name ? nashc_intern(x, b->loc.name) : NULL;
}

/* Keeps the first cause. */
static void *
fail(nashc_build *b, nashc_status s)
{
    if (!b->status)
        b->status = s;
    return NULL;
}

static void *
out_of_memory(nashc_build *b)
{
    return b->status ? NULL : fail(b, nashc_enomem(b->diag));
}

/* Types are inferred into an array apart from the node: a failing infer leaves it as it was. */
static nashc_status
infer_new(nashc_node *n, nashc_diag *d)
{
    nashc_type few[4], *types = few;
    nashc_status s;

    if (n->n_out > NASHC_COUNT(few))
        types = nashc_mem_alloc(n->n_out * sizeof(*types));
    if (!types)
        return nashc_enomem(d);
    s = nashc_node_infer(n, types, d);
    for (uint32_t i = 0; !s && i < n->n_out; i++)
        n->out[i].type = types[i];
    if (types != few)
        nashc_mem_free(types);
    return s;
}

/* Operand and result counts against the descriptor. Trailing operands left out do not count. */
static bool
check_arity(nashc_build *b, const nashc_op *op, nashc_value *const *in, int *n_in, int n_out)
{
    /* ONNX writes such operands as empty names; "" and a shorter list are the same node */
    while (*n_in > op->min_in && !in[*n_in - 1])
        --*n_in;
    if (*n_in < op->min_in || (op->max_in >= 0 && *n_in > op->max_in) || *n_in > MAX_OPERANDS) {
        fail(b, nashc_error(b->diag, &b->loc, "%s has %d operands, expected %d%s", op->name, *n_in,
                            op->min_in, op->max_in < 0 ? " or more" : ""));
        return false;
    }
    if (n_out < op->min_out || (op->max_out >= 0 && n_out > op->max_out) || n_out > MAX_OPERANDS) {
        fail(b, nashc_error(b->diag, &b->loc, "%s has %d results, expected %d%s", op->name, n_out,
                            op->min_out, op->max_out < 0 ? " or more" : ""));
        return false;
    }
    for (int i = 0; i < *n_in; i++) {
        if (in[i] ? in[i]->graph == b->graph && in[i]->name : i >= op->min_in)
            continue;
        fail(b, nashc_bug(b->diag, &b->loc, "operand %d of a new %s is %s", i, op->name,
                          in[i] ? "dead or of another graph" : "missing"));
        return false;
    }
    return true;
}

/* A node in place, without attributes and types; NULL: failed. */
static nashc_node *
start(nashc_build *b, const nashc_op *op, nashc_value *const *in, int n_in, int n_out)
{
    const nashc_op_info *info;
    nashc_node *n;

    if (!check_arity(b, op, in, &n_in, n_out))
        return NULL;
    info = nashc_op_schema(b->graph->module->x, op, b->diag);
    n = info ? nashc_node_alloc(b->graph, info, (uint32_t)n_in, (uint32_t)n_out) : NULL;
    if (!n)
        return out_of_memory(b);
    n->loc = b->loc;
    nashc_node_link(n, b->before);
    for (int i = 0; i < n_in; i++)
        nashc_use_set(&n->in[i], in[i]);
    for (int i = 0; i < n_out; i++)
        if (!nashc_value_bind(&n->out[i], nashc_graph_fresh_name(b->graph))) {
            nashc_node_erase(n, false);
            return out_of_memory(b);
        }
    return n;
}

static nashc_node *
finish(nashc_build *b, nashc_node *n)
{
    nashc_status s = infer_new(n, b->diag);

    if (s) {
        nashc_node_erase(n, false);
        return fail(b, s);
    }
    return n;
}

static nashc_status
parse_attrs(nashc_node *n, const char *text, nashc_diag *d)
{
    nashc_attr_fault f;
    const char *s = text;
    nashc_status status = nashc_node_parse_attrs(n, &s, &f, d);

    if (status == NASHC_ENOMEM)
        return nashc_enomem(d);
    if (!status && *s) {
        f.at = s;
        f.len = 1;
        strcpy(f.text, "unexpected text behind the attributes");
        status = NASHC_EINPUT;
    }
    if (!status)
        return NASHC_OK;
    status = nashc_node_error(d, n, "%s", f.text);
    if (*text && d && !strchr(text, '\n'))
        nashc_caret(d, text, (int)(f.at - text), f.len);
    return status;
}

/* The node is linked first, and erased again where its attributes or types are refused. */
static nashc_node *
build_node(nashc_build *b, const char *op_name, nashc_value *const *in, int n_in, int n_out,
           const char *attrs, va_list ap)
{
    const nashc_op *op;
    const char *text;
    nashc_status s;
    nashc_node *n;

    if (!b || b->status)
        return NULL;
    op = nashc_lookup(b->graph->module->ctx, NASHC_D_OP, op_name, b->diag);
    if (!op)
        return fail(b, NASHC_EINPUT);
    text = !attrs ? ""
           /* no format: not copied */
           : !strchr(attrs, '%') ? attrs
                                 : nashc_arena_vprintf(b->graph->module->arena, attrs, ap);
    if (!text)
        return out_of_memory(b);
    /* nashc_build_op: the least that the op allows, but one that can be returned */
    if (n_out < 0)
        n_out = op->min_out > 1 ? op->min_out : 1;
    n = start(b, op, in, n_in, n_out);
    if (!n)
        return NULL;
    s = parse_attrs(n, text, b->diag);
    if (s) {
        nashc_node_erase(n, false);
        return fail(b, s);
    }
    return finish(b, n);
}

nashc_value *
nashc_build_op(nashc_build *b, const char *op, nashc_value *const *in, int n_in, const char *attrs,
               ...)
{
    nashc_node *n;
    va_list ap;

    va_start(ap, attrs);
    n = build_node(b, op, in, n_in, -1, attrs, ap);
    va_end(ap);
    return n ? &n->out[0] : NULL;
}

nashc_node *
nashc_build_node(nashc_build *b, const char *op, nashc_value *const *in, int n_in, int n_out,
                 const char *attrs, ...)
{
    nashc_node *n;
    va_list ap;

    va_start(ap, attrs);
    n = build_node(b, op, in, n_in, n_out < 0 ? 0 : n_out, attrs, ap);
    va_end(ap);
    return n;
}

nashc_node *
nashc_build_like(nashc_build *b, const nashc_node *like, nashc_value *const *in, int n_in)
{
    return nashc_build_like_with(b, like, in, n_in, "");
}

/* The attributes of like first, then those of the text over them. */
nashc_node *
nashc_build_like_with(nashc_build *b, const nashc_node *like, nashc_value *const *in, int n_in,
                      const char *attrs)
{
    nashc_node *n;
    nashc_status s;

    if (!b || b->status)
        return NULL;
    n = start(b, like->op, in, n_in, (int)like->n_out);
    if (!n)
        return NULL;
    if (nashc_node_copy_attrs(n, like)) {
        nashc_node_erase(n, false);
        return out_of_memory(b);
    }
    s = *attrs ? parse_attrs(n, attrs, b->diag) : NASHC_OK;
    if (s) {
        nashc_node_erase(n, false);
        return fail(b, s);
    }
    for (uint32_t i = 0; i < n->n_out; i++)
        n->out[i].type = like->out[i].type; /* kept where nothing infers them */
    return finish(b, n);
}

/* --- constants ------------------------------------------------------------------------------- */

/* Takes t over in any case. A NULL t is memory out of the call that was to make it, so that
 * constructors may be nested without a check. */
nashc_value *
nashc_build_const(nashc_build *b, const char *name, nashc_tensor *t)
{
    nashc_value *v;

    if (!b || b->status || !t) {
        nashc_tensor_unref(t);
        return b ? out_of_memory(b) : NULL;
    }
    t = nashc_module_intern(b->graph->module, t);
    if (!t)
        return out_of_memory(b);
    if (name) {
        const char *sym = nashc_intern(b->graph->module->x, name);
        if (sym && nashc_map_get(&b->graph->names, sym))
            return fail(b, nashc_error(b->diag, &b->loc, "two values have the name %s",
                                       b->diag ? nashc_quote(b->diag, name) : name));
    }
    v = nashc_graph_add_const(b->graph, name, t);
    return v ? v : out_of_memory(b);
}

nashc_value *
nashc_build_f64(nashc_build *b, double v)
{
    nashc_type t = nashc_type_f64();

    return b && !b->status ? nashc_build_const(b, NULL, nashc_tensor_create(&t, &v)) : NULL;
}

nashc_value *
nashc_build_f32(nashc_build *b, float v)
{
    nashc_type t = nashc_type_f32();

    return b && !b->status ? nashc_build_const(b, NULL, nashc_tensor_create(&t, &v)) : NULL;
}

/* The narrowest element that holds v, over the whole interval of its bits. */
nashc_value *
nashc_build_int(nashc_build *b, int64_t v)
{
    nashc_type t = nashc_type_for_range(v, v), full = t;

    nashc_type_limits(&full, &full.lo, &full.hi);
    return b && !b->status ? nashc_build_const(b, NULL, nashc_tensor_from_i64(&full, &v)) : NULL;
}

const char *
nashc_build_ints(nashc_build *b, const int64_t *v, int n)
{
    nashc_str s = {0};
    const char *text;

    if (!b)
        return NULL;
    nashc_str_putc(&s, '[');
    for (int i = 0; i < n; i++) {
        if (i)
            nashc_str_putc(&s, ',');
        nashc_str_int(&s, v[i]);
    }
    nashc_str_putc(&s, ']');
    text = s.bad ? NULL : nashc_arena_strdup(b->graph->module->arena, s.data);
    nashc_str_free(&s);
    if (!text)
        out_of_memory(b);
    return text ? text : "[]"; /* may stand as an argument of a failed builder */
}
