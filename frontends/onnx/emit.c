/* emit.c: IR nodes and constants that an operator of the file becomes. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
nashc_onnx_ints(nashc_onnx_in *r, const int64_t *v, int n)
{
    char *text = nashc_arena_alloc(r->arena, (size_t)n * 21 + 3), *p = text;

    if (!text)
        return "[]";
    *p++ = '[';
    for (int i = 0; i < n; i++)
        p += snprintf(p, 22, "%s%" PRId64, i ? "," : "", v[i]);
    *p = ']';
    return text;
}

/* Contents are remembered by value id beside the graph: the node stays, in case something needs it
 * at run time. */
const nashc_tensor *
nashc_onnx_known(const nashc_onnx_in *r, const nashc_value *v)
{
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;

    if (t || !v)
        return t;
    return nashc_value_id(v) < r->n_known ? r->known[nashc_value_id(v)] : NULL;
}

/* Grows by doubling; ids are dense. */
static bool
remember(nashc_onnx_in *r, const nashc_value *v, nashc_tensor *t)
{
    size_t id = nashc_value_id(v);

    if (id >= r->n_known) {
        size_t n = 2 * id + 64;
        nashc_tensor **known = NASHC_NEW_N(r->arena, nashc_tensor *, n);
        if (!known)
            return false;
        if (r->n_known)
            memcpy(known, r->known, r->n_known * sizeof *known);
        r->known = known;
        r->n_known = n;
    }
    r->known[id] = t;
    return true;
}

/* What evaluating n takes at most. */
static int64_t
work_of(const nashc_node *n, int64_t operands, int64_t results)
{
    bool by_element = nashc_node_op(n)->flags & (NASHC_OP_ELTWISE | NASHC_OP_SHAPE);

    return by_element ? operands + results : (operands + 1) * results;
}

/* Evaluates n if its operands are known, and neither they nor its results have more than limit
 * elements. Failure only means that nothing is known. */
static void
evaluate(nashc_onnx_in *r, nashc_node *n, int64_t limit)
{
    enum { MAX = 16 };
    const nashc_buf *in[MAX];
    nashc_buf out[MAX];
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);

    if (!n_in || n_in > MAX || n_out > MAX || !nashc_node_op(n)->eval)
        return;
    for (int i = 0; i < n_in; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = nashc_onnx_known(r, v);
        if (v && (!t || nashc_tensor_count(t) > limit))
            return;
        in[i] = t ? nashc_tensor_buf(t) : NULL;
    }
    int64_t work = 0, results = 0;
    for (int i = 0; i < n_in; i++)
        work += in[i] ? in[i]->n : 0;
    for (int i = 0; i < n_out; i++) {
        int64_t count = nashc_type_count(nashc_value_type(nashc_node_out(n, i)));
        if (count > limit)
            return;
        results += count;
    }
    r->eval_left -= work_of(n, work, results);
    if (r->eval_left < 0)
        return;
    memset(out, 0, sizeof out);
    if (nashc_eval_node(n, in, out, 0, NULL))
        return;
    for (int i = 0; i < n_out; i++) {
        nashc_tensor *t = nashc_tensor_take(&out[i]);
        if (!t || !remember(r, nashc_node_out(n, i), t)) {
            nashc_tensor_unref(t);
            nashc_buf_free(&out[i]);
        }
    }
}

/* All nodes of the reader are made here: the result is checked to be countable before anything
 * computes with it. */
nashc_node *
nashc_onnx_node(nashc_onnx_in *r, const char *op, nashc_value *const *in, int n_in, int n_out,
                const char *attrs)
{
    nashc_node *n;

    if (r->failed)
        return NULL;
    n = attrs && *attrs ? nashc_build_node(r->build, op, in, n_in, n_out, "%s", attrs)
                        : nashc_build_node(r->build, op, in, n_in, n_out, NULL);
    if (!n)
        return NULL;
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        const nashc_type *t = nashc_value_type(nashc_node_out(n, i));
        if (t->kind != NASHC_K_NONE && nashc_type_count(t) < 0) {
            nashc_onnx_error(r, "its result %s has more than %" PRId64 " elements",
                             nashc_type_str(r->d, t), (int64_t)NASHC_MAX_ELEMENTS);
            return NULL;
        }
    }
    evaluate(r, n, ONNX_SMALL);
    return n;
}

/* An operand of v's node that is not known; NULL: all are. */
static nashc_value *
unknown_operand(const nashc_onnx_in *r, const nashc_value *v)
{
    const nashc_node *n = nashc_value_def(v);

    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_onnx_known(r, nashc_node_in(n, i)))
            return nashc_node_in(n, i);
    return NULL;
}

/* Depth first over what v is computed from, with an explicit stack: an input of the graph ends it.
 */
const nashc_tensor *
onnx_find_out(nashc_onnx_in *r, nashc_value *v)
{
    size_t top = 0, cap = 64;
    nashc_value **stack = NASHC_NEW_N(r->arena, nashc_value *, cap);

    for (nashc_value *next = v; next && stack && !nashc_onnx_known(r, v);) {
        if (!nashc_value_def(next) || nashc_node_op(nashc_value_def(next))->flags & NASHC_OP_OPAQUE)
            return NULL;
        if (top == cap) {
            nashc_value **more = NASHC_NEW_N(r->arena, nashc_value *, 2 * cap);
            if (!more)
                return NULL;
            memcpy(more, stack, cap * sizeof(*stack));
            stack = more;
            cap *= 2;
        }
        stack[top++] = next;
        while (top && !(next = unknown_operand(r, stack[top - 1]))) {
            evaluate(r, nashc_value_def(stack[top - 1]), ONNX_LARGE);
            if (!nashc_onnx_known(r, stack[--top]))
                return NULL;
        }
    }
    return nashc_onnx_known(r, v);
}

nashc_value *
nashc_onnx_const(nashc_onnx_in *r, const char *name, nashc_tensor *t)
{
    nashc_value *v = nashc_build_const(r->build, NULL, t);

    /* A name that a value without one in the file got first ("v3") is lost; nothing depends on it.
     */
    if (v && name)
        nashc_value_set_name(v, name);
    return v;
}

/* An integer that is known becomes a constant, which shape arithmetic is full of. Quantisers stay
 * nodes, as their place in the graph is what passes look for. */
nashc_value *
nashc_onnx_op(nashc_onnx_in *r, const char *op, nashc_value *const *in, int n_in, const char *attrs,
              ...)
{
    const char *text = NULL;

    if (attrs) {
        va_list ap;
        va_start(ap, attrs);
        text = nashc_arena_vprintf(r->arena, attrs, ap);
        va_end(ap);
    }
    nashc_node *n = nashc_onnx_node(r, op, in, n_in, 1, text);
    if (!n)
        return NULL;
    nashc_value *v = nashc_node_out(n, 0);
    const nashc_tensor *t = nashc_onnx_known(r, v);
    if (!t || !nashc_type_is_int(nashc_tensor_type(t)) || !strncmp(op, "q.", 2))
        return v;
    nashc_value *c = nashc_onnx_const(r, NULL, nashc_tensor_ref((nashc_tensor *)t));
    if (c)
        nashc_node_erase(n, false);
    return c;
}

nashc_value *
nashc_onnx_op1(nashc_onnx_in *r, const char *op, nashc_value *a, const char *attrs, ...)
{
    const char *text = NULL;

    if (attrs) {
        va_list ap;
        va_start(ap, attrs);
        text = nashc_arena_vprintf(r->arena, attrs, ap);
        va_end(ap);
    }
    return nashc_onnx_op(r, op, &a, 1, text ? "%s" : NULL, text);
}

nashc_value *
nashc_onnx_op2(nashc_onnx_in *r, const char *op, nashc_value *a, nashc_value *b)
{
    return nashc_onnx_op(r, op, (nashc_value *[]){a, b}, 2, NULL);
}

nashc_value *
nashc_onnx_f32(nashc_onnx_in *r, double v)
{
    return nashc_build_f32(r->build, (float)v);
}

nashc_tensor *
nashc_onnx_tensor_f32(const double *v, int rank, const int64_t *dim)
{
    nashc_type t = nashc_type_shaped(nashc_type_f32(), rank, dim);
    nashc_buf b;

    if (nashc_type_count(&t) < 0 || !nashc_buf_alloc(&b, &t))
        return NULL;
    for (int64_t i = 0; i < b.n; i++)
        ((float *)b.data)[i] = (float)v[i];
    nashc_tensor *out = nashc_tensor_take(&b);
    if (!out)
        nashc_buf_free(&b);
    return out;
}

nashc_value *
nashc_onnx_reshape(nashc_onnx_in *r, nashc_value *x, const int64_t *dim, int rank)
{
    return nashc_onnx_op1(r, "nn.reshape", x, "shape=%s", nashc_onnx_ints(r, dim, rank));
}

nashc_value *
nashc_onnx_transpose(nashc_onnx_in *r, nashc_value *x, const int64_t *perm)
{
    return x ? nashc_onnx_op1(r, "nn.transpose", x, "perm=%s",
                              nashc_onnx_ints(r, perm, nashc_value_type(x)->rank))
             : NULL;
}

nashc_value *
nashc_onnx_cast(nashc_onnx_in *r, nashc_value *x, const char *type)
{
    return nashc_onnx_op1(r, "nn.cast", x, "to=%s", type);
}

/* Outputs that nobody reads are often named all the same: the mask of a Dropout, the mean of a
 * normalisation. */
bool
nashc_onnx_out_used(const nashc_onnx_in *r, int k)
{
    const onnx_sym *s = k < (int)r->node->n_output ? onnx_sym_find(r, r->node->output[k]) : NULL;

    return s && s->used;
}

const nashc_type *
nashc_onnx_out_note(const nashc_onnx_in *r, int k)
{
    const onnx_sym *s = k < nashc_onnx_n_out(r) ? onnx_sym_find(r, r->node->output[k]) : NULL;

    return s ? s->note : NULL;
}

/* Nothing is built yet: a constant that only shapes need never reaches the graph. */
nashc_status
nashc_onnx_set_tensor(nashc_onnx_in *r, int k, nashc_tensor *t, int elem)
{
    if (!t)
        return nashc_enomem(r->d);
    onnx_sym *s = nashc_onnx_out_used(r, k) ? onnx_sym_find(r, r->node->output[k]) : NULL;
    if (!s) {
        nashc_tensor_unref(t);
        return NASHC_OK;
    }
    s->tensor = t; /* becomes a value when something reads it */
    s->elem = elem;
    return NASHC_OK;
}

nashc_status
nashc_onnx_set(nashc_onnx_in *r, int k, nashc_value *v, int elem)
{
    onnx_sym *s;

    if (!v)
        return nashc_onnx_status(r);
    if (!nashc_onnx_out_used(r, k))
        return NASHC_OK;
    s = onnx_sym_find(r, r->node->output[k]);
    s->value = v;
    s->elem = elem;
    /* A value made for this node takes the name; one that only passes through keeps its own. */
    if (nashc_value_id(v) >= r->first_id)
        nashc_value_set_name(v, s->name);
    const nashc_tensor *t = nashc_onnx_known(r, v);
    s->tensor = t ? nashc_tensor_ref((nashc_tensor *)t) : NULL;
    return NASHC_OK;
}
