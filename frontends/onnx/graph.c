/* graph.c: order, inputs and outputs of an ONNX graph. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- order --------------------------------------------------------------------------------------
 */

/* Names up to eight nodes of the cycle that ends the stack: from the entry of node to the top. */
static nashc_status
cycle(nashc_onnx_in *r, const size_t *stack, size_t top, size_t node)
{
    size_t from = top;
    const char *text = "";

    while (from > 0 && stack[from - 1] != node)
        from--;
    from = from ? from - 1 : 0;
    if (from + 1 == top)
        return nashc_error(r->d, &r->file, "node %s reads its own output", onnx_node_text(r, node));
    for (size_t i = top; i-- > from && i + 8 >= top;)
        text = nashc_arena_printf(r->arena, "%s%s%s", text, *text ? ", " : "",
                                  onnx_node_text(r, stack[i]));
    return nashc_error(r->d, &r->file, "the graph has a cycle of %zu nodes: %s%s", top - from, text,
                       top - from > 8 ? ", ..." : "");
}

/* What node i waits for, number k: its operands, then the conditions of the branches that it is of.
 * NULL: no more. */
static const char *
awaited(const nashc_onnx_in *r, size_t i, size_t k)
{
    const Onnx__NodeProto *n = r->g->node[i];
    const onnx_guard *g = r->guard ? r->guard[i] : NULL;

    if (k < n->n_input)
        return n->input[k];
    for (k -= n->n_input; g && k > 0; k--)
        g = g->up;
    return g ? g->condition : NULL;
}

/* Depth first from node root, with an explicit stack; state 1: on the stack, 2: done. */
static nashc_status
visit(nashc_onnx_in *r, size_t root, uint8_t *state, size_t *stack, size_t *next_in, size_t *order,
      size_t *n_order)
{
    size_t top = 0;

    stack[top] = root;
    next_in[top++] = 0;
    state[root] = 1;
    while (top) {
        size_t at = stack[top - 1];
        const char *name = awaited(r, at, next_in[top - 1]);
        if (!name) {
            state[at] = 2;
            order[(*n_order)++] = at;
            top--;
            continue;
        }
        next_in[top - 1]++;
        if (!*name)
            continue;
        onnx_sym *s = onnx_sym_find(r, name);
        if (!s || !onnx_sym_defined(s))
            return nashc_error(r->d, &r->file, "node %s reads \"%s\", which nothing defines",
                               onnx_node_text(r, at), nashc_quote(r->d, name));
        if (s->node < 0 || state[s->node] == 2)
            continue;
        if (state[s->node] == 1)
            return cycle(r, stack, top, (size_t)s->node);
        state[s->node] = 1;
        stack[top] = (size_t)s->node;
        next_in[top++] = 0;
    }
    return NASHC_OK;
}

nashc_status
onnx_graph_order(nashc_onnx_in *r, size_t **order)
{
    size_t n = r->g->n_node, n_order = 0;
    uint8_t *state = nashc_arena_alloc(r->arena, n + 1);
    size_t *stack = NASHC_NEW_N(r->arena, size_t, n + 1);
    size_t *next_in = NASHC_NEW_N(r->arena, size_t, n + 1);

    *order = NASHC_NEW_N(r->arena, size_t, n + 1);
    if (!state || !stack || !next_in || !*order)
        return nashc_enomem(r->d);
    for (size_t i = 0; i < n; i++) {
        nashc_status s = state[i] ? NASHC_OK : visit(r, i, state, stack, next_in, *order, &n_order);
        if (s)
            return s;
    }
    return NASHC_OK;
}

/* --- inputs and outputs -------------------------------------------------------------------------
 */

/* "NAME=REST" among the values of a repeated option; NULL: NAME is not there. */
static const char *
option_for(const nashc_onnx_in *r, const char *option, const char *name)
{
    size_t n = strlen(name);

    for (int i = 0; r->opts && i < nashc_opts_n(r->opts, option); i++) {
        const char *v = nashc_opts_str_at(r->opts, option, i);
        if (!strncmp(v, name, n) && v[n] == '=')
            return v + n + 1;
    }
    return NULL;
}

/* An option overrides whatever the file declares, the rank too. */
static nashc_status
shape_from_option(nashc_onnx_in *r, const char *name, const char *text, nashc_type *out)
{
    const char *p = text;

    out->rank = 0;
    while (*p) {
        char *end;
        long long v = strtoll(p, &end, 10);
        if (end == p || v < 1 || out->rank == NASHC_MAX_RANK || (*end && !strchr("x,", *end)))
            return nashc_usage(r->d, "input-shape=%s=%s is no shape; write %s=1x3x32x32", name,
                               text, name);
        out->dim[out->rank++] = v;
        p = *end ? end + 1 : end;
    }
    return NASHC_OK;
}

static nashc_status
dimension(nashc_onnx_in *r, const char *what, const char *name, int axis,
          const Onnx__TensorShapeProto__Dimension *dim, int64_t *out)
{
    const char *symbol_name = dim->dim_param ? dim->dim_param : "", *text;

    if (dim->has_dim_value) {
        if (dim->dim_value < 0)
            return nashc_error(r->d, &r->file, "%s \"%s\" has the negative dimension %" PRId64,
                               what, name, dim->dim_value);
        if (dim->dim_value == 0)
            return nashc_error(r->d, &r->file, "%s \"%s\": dimension %d is zero", what, name, axis);
        *out = dim->dim_value;
        return NASHC_OK;
    }
    if ((text = *symbol_name ? option_for(r, "dim", symbol_name) : NULL)) {
        char *end;
        long long v = strtoll(text, &end, 10);
        if (end == text || *end || v < 1)
            return nashc_usage(r->d, "dim=%s=%s: the size must be a positive number",
                               nashc_quote(r->d, symbol_name), nashc_quote(r->d, text));
        *out = v;
        return NASHC_OK;
    }
    if (axis == 0) { /* the batch: hardware takes one frame at a time */
        *out = 1;
        if (!nashc_module_meta(r->module, "batch"))
            nashc_module_set_meta(r->module, "batch", *symbol_name ? symbol_name : "?");
        return NASHC_OK;
    }
    nashc_error(r->d, &r->file, "%s \"%s\": dimension %d has no size%s%s%s", what, name, axis,
                *symbol_name ? ", only the symbol \"" : "", nashc_quote(r->d, symbol_name),
                *symbol_name ? "\"" : "");
    if (*symbol_name)
        nashc_help(r->d, "give one by the frontend option dim=%s=SIZE",
                   nashc_quote(r->d, symbol_name));
    else
        nashc_help(r->d, "give a shape by the frontend option input-shape=%s=1x3x32x32", name);
    return NASHC_EINPUT;
}

static nashc_status
value_type(nashc_onnx_in *r, const char *what, const char *name, const Onnx__TypeProto *tp,
           nashc_type *out, int *elem)
{
    const char *quoted = nashc_quote(r->d, name), *text = option_for(r, "input-shape", name);
    nashc_status s;

    if (!tp || !tp->tensor_type || !tp->tensor_type->has_elem_type || !tp->tensor_type->elem_type)
        return nashc_error(r->d, &r->file, "%s \"%s\" has no %s", what, quoted,
                           tp && !tp->tensor_type ? "tensor type" : "type");
    *elem = tp->tensor_type->elem_type;
    if (!nashc_onnx_elem_type(*elem, out) || *elem == NASHC_ONNX_BFLOAT16 ||
        *elem == NASHC_ONNX_FLOAT8E8M0)
        return nashc_unsup(r->d, &r->file,
                           "%s \"%s\" has element type %d (%s), which is not "
                           "supported",
                           what, quoted, *elem, nashc_onnx_elem_name(*elem));
    if (text)
        return shape_from_option(r, quoted, text, out);
    if (!tp->tensor_type->shape) {
        nashc_error(r->d, &r->file, "%s \"%s\" has no shape", what, quoted);
        nashc_help(r->d, "give one by the frontend option input-shape=%s=1x3x32x32", quoted);
        return NASHC_EINPUT;
    }
    const Onnx__TensorShapeProto *shape = tp->tensor_type->shape;
    if (shape->n_dim > NASHC_MAX_RANK)
        return nashc_unsup(r->d, &r->file, "%s \"%s\" has %zu dimensions, at most %d are supported",
                           what, quoted, shape->n_dim, NASHC_MAX_RANK);
    out->rank = (uint8_t)shape->n_dim;
    for (int i = 0; i < out->rank; i++)
        if ((s = dimension(r, what, quoted, i, shape->dim[i], &out->dim[i])))
            return s;
    if (nashc_type_count(out) < 0)
        return nashc_error(r->d, &r->file, "%s \"%s\" has more than %" PRId64 " elements", what,
                           quoted, (int64_t)NASHC_MAX_ELEMENTS);
    return NASHC_OK;
}

static nashc_status check_declared(nashc_onnx_in *r, const char *what, const char *name,
                                   const Onnx__TypeProto *tp, const nashc_type *have);

/* Inputs of a model that another one names: what the node's operands are, not what the file says of
 * them; but where it says something it must not contradict. */
static nashc_status
bound_inputs(nashc_onnx_in *r)
{
    int k = 0;

    for (size_t i = 0; i < r->g->n_input; i++) {
        onnx_sym *sym = onnx_sym_find(r, r->g->input[i]->name);
        const Onnx__TypeProto *tp = r->g->input[i]->type;
        int elem = tp && tp->tensor_type ? tp->tensor_type->elem_type : 0;
        nashc_status s;
        if (sym->proto || k++ >= r->bound->n_in)
            continue;
        const nashc_type *t = &r->bound->in[k - 1];
        sym->elem = r->bound->in_elem[k - 1] ? r->bound->in_elem[k - 1] : elem;
        if (elem && elem != sym->elem)
            return nashc_error(r->d, &r->file, "input \"%s\" is declared as %s, but gets %s",
                               nashc_quote(r->d, sym->name), nashc_onnx_elem_name(elem),
                               nashc_onnx_elem_name(sym->elem));
        if ((s = check_declared(r, "input", sym->name, tp, t)))
            return s;
        sym->value = nashc_graph_add_input(r->graph, sym->name, t);
        if (!sym->value)
            return nashc_enomem(r->d);
    }
    if (k == r->bound->n_in)
        return NASHC_OK;
    return nashc_error(r->d, &r->file, "the model has %d inputs, but gets %d", k, r->bound->n_in);
}

/* Inputs with an initialiser are constants: up to IR version 3 every initialiser had to be listed
 * as input. */
nashc_status
onnx_graph_inputs(nashc_onnx_in *r)
{
    if (r->bound)
        return bound_inputs(r);
    for (size_t i = 0; i < r->g->n_input; i++) {
        onnx_sym *sym = onnx_sym_find(r, r->g->input[i]->name);
        nashc_type t;
        nashc_status s;
        if (sym->proto)
            continue;
        s = value_type(r, "input", sym->name, r->g->input[i]->type, &t, &sym->elem);
        if (s)
            return s;
        if (sym->note && nashc_onnx_elem_is_float(sym->elem) &&
            (nashc_type_is_int(sym->note) || nashc_type_is_fixed(sym->note)))
            t = nashc_type_with_elem(&t, sym->note);
        else if (nashc_onnx_elem_is_int(sym->elem))
            nashc_module_set_meta(r->module, nashc_arena_printf(r->arena, "elem.%s", sym->name),
                                  nashc_onnx_elem_name(sym->elem));
        if (t.rank == (sym->layout == NASHC_LAYOUT_NHWC ? 4 : 3) && sym->layout)
            t.layout = (uint8_t)sym->layout;
        sym->value = nashc_graph_add_input(r->graph, sym->name, &t);
        if (!sym->value)
            return nashc_enomem(r->d);
    }
    return NASHC_OK;
}

/* A declared size that contradicts the inferred one; symbols and option shapes may be anything. */
static nashc_status
check_declared(nashc_onnx_in *r, const char *what, const char *name, const Onnx__TypeProto *tp,
               const nashc_type *have)
{
    const Onnx__TensorShapeProto *shape = tp && tp->tensor_type ? tp->tensor_type->shape : NULL;
    bool differs = shape && shape->n_dim != have->rank;

    if (have->kind == NASHC_K_NONE) /* of an unknown operator */
        return NASHC_OK;

    for (size_t i = 0; shape && !differs && i < shape->n_dim; i++)
        differs = shape->dim[i]->has_dim_value && shape->dim[i]->dim_value != have->dim[i];
    if (!differs)
        return NASHC_OK;
    const char *text = "";
    for (size_t i = 0; i < shape->n_dim; i++)
        text = shape->dim[i]->has_dim_value
                   ? nashc_arena_printf(r->arena, "%s%s%" PRId64, text, i ? "," : "",
                                        shape->dim[i]->dim_value)
                   : nashc_arena_printf(r->arena, "%s%s?", text, i ? "," : "");
    return nashc_error(r->d, &r->file, "%s \"%s\" is declared with shape [%s], %s is %s", what,
                       nashc_quote(r->d, name), text,
                       r->bound && *what == 'i' ? "given" : "inferred", nashc_type_str(r->d, have));
}

/* An output may be an initialiser that no node reads, or an input; both are legal. */
nashc_status
onnx_graph_outputs(nashc_onnx_in *r)
{
    for (size_t i = 0; i < r->g->n_output; i++) {
        const Onnx__ValueInfoProto *out = r->g->output[i];
        onnx_sym *sym = onnx_sym_find(r, out->name);
        nashc_status s;
        if (!sym || !onnx_sym_defined(sym))
            return nashc_error(r->d, &r->file, "graph output \"%s\" is never written",
                               nashc_quote(r->d, out->name ? out->name : ""));
        if (!sym->value && sym->proto && !sym->loaded) {
            s = onnx_sym_read(r, sym, "an initialiser that is a graph output", &sym->tensor);
            if (s)
                return s;
        }
        if (!sym->value && sym->tensor)
            sym->value = nashc_onnx_const(r, sym->name, nashc_tensor_ref(sym->tensor));
        if (!sym->value)
            return nashc_error(r->d, &r->file, "graph output \"%s\" is never written",
                               nashc_quote(r->d, out->name));
        if ((s = check_declared(r, "output", sym->name, out->type, nashc_value_type(sym->value))))
            return s;
        nashc_graph_add_output(r->graph, sym->name, sym->value);
        if (r->bound && (int)i < r->bound->n_out)
            r->bound->out_elem[i] = sym->elem;
        else if (!r->bound && nashc_onnx_elem_is_int(sym->elem))
            nashc_module_set_meta(r->module, nashc_arena_printf(r->arena, "elem.%s", sym->name),
                                  nashc_onnx_elem_name(sym->elem));
    }
    return NASHC_OK;
}
