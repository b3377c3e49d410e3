/* graph.c: names, order, inputs and outputs of an ONNX graph. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static onnx_sym *
symbol(onnx_in *r, const char *name)
{
    onnx_sym *s = onnx_names_get(r->names, name);

    if (s)
        return s;
    s = NASHC_NEW(r->arena, onnx_sym);
    if (!s || !onnx_names_put(r->names, name, s))
        return NULL;
    s->name = name;
    s->node = -1;
    return s;
}

static bool
defined(const onnx_sym *s)
{
    return s->proto || s->input || s->node >= 0;
}

static const char *
node_text(onnx_in *r, size_t i)
{
    const Onnx__NodeProto *n = r->g->node[i];

    if (n->name && *n->name)
        return nashc_arena_printf(r->arena, "\"%s\"", nashc_quote(r->d, n->name));
    return nashc_arena_printf(r->arena, "%zu (%s)", i, nashc_quote(r->d, n->op_type));
}

static nashc_status
node_symbols(onnx_in *r, size_t i)
{
    const Onnx__NodeProto *n = r->g->node[i];

    for (size_t k = 0; k < n->n_output; k++) {
        if (!*n->output[k])
            continue;
        onnx_sym *s = symbol(r, n->output[k]);
        if (!s)
            return nashc_enomem(r->d);
        if (s->node >= 0)
            return nashc_error(r->d, &r->file, "nodes %s and %s both write tensor \"%s\"",
                               node_text(r, (size_t)s->node), node_text(r, i),
                               nashc_quote(r->d, s->name));
        if (defined(s))
            return nashc_error(r->d, &r->file, "node %s writes \"%s\", which is %s",
                               node_text(r, i), nashc_quote(r->d, s->name),
                               s->proto ? "an initialiser" : "a graph input");
        s->node = (int)i;
    }
    return NASHC_OK;
}

/* A list literal of axis letters such as ['N', 'H', 'W', 'C'], by a strict grammar: upstream runs
 * it as code. False: not such a list. */
static bool
parse_layout(const char *s, char letters[NASHC_MAX_RANK + 1])
{
    int n = 0;

    while (*s == ' ')
        s++;
    if (*s++ != '[')
        return false;
    for (;;) {
        while (*s == ' ')
            s++;
        if (*s == ']' && n == 0)
            break;
        if ((s[0] != '\'' && s[0] != '"') || !s[1] || s[2] != s[0] || n == NASHC_MAX_RANK)
            return false;
        letters[n++] = s[1];
        s += 3;
        while (*s == ' ')
            s++;
        if (*s == ']')
            break;
        if (*s++ != ',')
            return false;
    }
    letters[n] = 0;
    return true;
}

static void
note_layout(onnx_in *r, onnx_sym *s, const char *text)
{
    char letters[NASHC_MAX_RANK + 1];

    if (!parse_layout(text, letters))
        nashc_warning(r->d, &r->file, "layout",
                      "tensor \"%s\" is annotated with the layout \"%s\", which is no list of axes",
                      nashc_quote(r->d, s->name), nashc_quote(r->d, text));
    else if (!strcmp(letters, "NHWC"))
        s->layout = NASHC_LAYOUT_NHWC;
    else if (!strcmp(letters, "NWC"))
        s->layout = NASHC_LAYOUT_NWC;
}

static nashc_status
annotation(onnx_in *r, const Onnx__TensorAnnotation *a)
{
    onnx_sym *s = onnx_sym_find(r, a->tensor_name);

    for (size_t k = 0; s && k < a->n_quant_parameter_tensor_names; k++) {
        const Onnx__StringStringEntryProto *e = a->quant_parameter_tensor_names[k];
        if (!e->key || !e->value)
            continue;
        if (!strcmp(e->key, "tensor_layout"))
            note_layout(r, s, e->value);
        if (strcmp(e->key, "finn_datatype"))
            continue;
        nashc_type *t = NASHC_NEW(r->arena, nashc_type);
        if (!t)
            return nashc_enomem(r->d);
        if (!nashc_type_from_finn_name(e->value, t)) {
            nashc_warning(r->d, &r->file, "datatype",
                          "tensor \"%s\" is annotated with the unknown datatype \"%s\"",
                          nashc_quote(r->d, s->name), nashc_quote(r->d, e->value));
            continue;
        }
        s->note = t;
    }
    return NASHC_OK;
}

static nashc_status
initialisers(onnx_in *r)
{
    for (size_t i = 0; i < r->g->n_initializer; i++) {
        const Onnx__TensorProto *t = r->g->initializer[i];
        if (!t->name || !*t->name)
            return nashc_error(r->d, &r->file, "initialiser %zu has no name", i);
        onnx_sym *s = symbol(r, t->name);
        if (!s)
            return nashc_enomem(r->d);
        if (s->proto)
            return nashc_error(r->d, &r->file, "two initialisers are named \"%s\"",
                               nashc_quote(r->d, t->name));
        s->proto = t;
        s->elem = t->data_type;
    }
    return NASHC_OK;
}

static void
mark_used(onnx_in *r)
{
    for (size_t i = 0; i < r->g->n_node; i++)
        for (size_t k = 0; k < r->g->node[i]->n_input; k++) {
            onnx_sym *s = onnx_sym_find(r, r->g->node[i]->input[k]);
            if (s)
                s->used = true;
        }
    for (size_t i = 0; i < r->g->n_output; i++) {
        onnx_sym *s = onnx_sym_find(r, r->g->output[i]->name);
        if (s)
            s->used = true;
    }
}

nashc_status
onnx_graph_symbols(onnx_in *r)
{
    nashc_status s;

    r->names = onnx_names_create(r->arena, r->g->n_initializer + r->g->n_node + r->g->n_input);
    if (!r->names)
        return nashc_enomem(r->d);
    if ((s = initialisers(r)))
        return s;
    for (size_t i = 0; i < r->g->n_input; i++) {
        const char *name = r->g->input[i]->name;
        if (!name || !*name)
            return nashc_error(r->d, &r->file, "graph input %zu has no name", i);
        onnx_sym *sym = symbol(r, name);
        if (!sym)
            return nashc_enomem(r->d);
        if (sym->input)
            return nashc_error(r->d, &r->file, "two graph inputs are named \"%s\"",
                               nashc_quote(r->d, name));
        sym->input =
            true; /* with an initialiser: a constant, as files up to IR version 3 list it */
    }
    for (size_t i = 0; i < r->g->n_node; i++) {
        if (!r->g->node[i]->op_type || !*r->g->node[i]->op_type)
            return nashc_error(r->d, &r->file, "node %zu has no operator type", i);
        if ((s = node_symbols(r, i)))
            return s;
    }
    mark_used(r);
    for (size_t i = 0; i < r->g->n_quantization_annotation; i++)
        if ((s = annotation(r, r->g->quantization_annotation[i])))
            return s;
    return NASHC_OK;
}

/* --- order --------------------------------------------------------------------------------------
 */

/* Names up to eight nodes of the cycle that ends the stack: from the entry of node to the top. */
static nashc_status
cycle(onnx_in *r, const size_t *stack, size_t top, size_t node)
{
    size_t from = top;
    const char *text = "";

    while (from > 0 && stack[from - 1] != node)
        from--;
    from = from ? from - 1 : 0;
    if (from + 1 == top)
        return nashc_error(r->d, &r->file, "node %s reads its own output", node_text(r, node));
    for (size_t i = top; i-- > from && i + 8 >= top;)
        text =
            nashc_arena_printf(r->arena, "%s%s%s", text, *text ? ", " : "", node_text(r, stack[i]));
    return nashc_error(r->d, &r->file, "the graph has a cycle of %zu nodes: %s%s", top - from, text,
                       top - from > 8 ? ", ..." : "");
}

/* Depth first from node root, with an explicit stack; state 1: on the stack, 2: done. */
static nashc_status
visit(onnx_in *r, size_t root, uint8_t *state, size_t *stack, size_t *next_in, size_t *order,
      size_t *n_order)
{
    size_t top = 0;

    stack[top] = root;
    next_in[top++] = 0;
    state[root] = 1;
    while (top) {
        size_t at = stack[top - 1];
        const Onnx__NodeProto *n = r->g->node[at];
        if (next_in[top - 1] == n->n_input) {
            state[at] = 2;
            order[(*n_order)++] = at;
            top--;
            continue;
        }
        const char *name = n->input[next_in[top - 1]++];
        if (!*name)
            continue;
        onnx_sym *s = onnx_sym_find(r, name);
        if (!s || !defined(s))
            return nashc_error(r->d, &r->file, "node %s reads \"%s\", which nothing defines",
                               node_text(r, at), nashc_quote(r->d, name));
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
onnx_graph_order(onnx_in *r, size_t **order)
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
option_for(const onnx_in *r, const char *option, const char *name)
{
    size_t n = strlen(name);

    for (int i = 0; r->opts && i < nashc_opts_n(r->opts, option); i++) {
        const char *v = nashc_opts_str_at(r->opts, option, i);
        if (!strncmp(v, name, n) && v[n] == '=')
            return v + n + 1;
    }
    return NULL;
}

static nashc_status
shape_from_option(onnx_in *r, const char *name, const char *text, nashc_type *out)
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
dimension(onnx_in *r, const char *what, const char *name, int axis,
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

nashc_status
onnx_value_type(onnx_in *r, const char *what, const char *name, const Onnx__TypeProto *tp,
                nashc_type *out, int *elem)
{
    const char *quoted = nashc_quote(r->d, name), *text = option_for(r, "input-shape", name);
    nashc_status s;

    if (!tp || !tp->tensor_type || !tp->tensor_type->has_elem_type || !tp->tensor_type->elem_type)
        return nashc_error(r->d, &r->file, "%s \"%s\" has no %s", what, quoted,
                           tp && !tp->tensor_type ? "tensor type" : "type");
    *elem = tp->tensor_type->elem_type;
    if (!onnx_elem_type(*elem, out) || *elem == ONNX_BFLOAT16 || *elem == ONNX_FLOAT8E8M0)
        return nashc_unsup(r->d, &r->file,
                           "%s \"%s\" has element type %d (%s), which is not "
                           "supported",
                           what, quoted, *elem, onnx_elem_name(*elem));
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

static nashc_status check_declared(onnx_in *r, const char *what, const char *name,
                                   const Onnx__TypeProto *tp, const nashc_type *have);

/* Inputs of a model that another one names: what the node's operands are, not what the file says of
 * them; but where it says something it must not contradict. */
static nashc_status
bound_inputs(onnx_in *r)
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
                               nashc_quote(r->d, sym->name), onnx_elem_name(elem),
                               onnx_elem_name(sym->elem));
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

nashc_status
onnx_graph_inputs(onnx_in *r)
{
    if (r->bound)
        return bound_inputs(r);
    for (size_t i = 0; i < r->g->n_input; i++) {
        onnx_sym *sym = onnx_sym_find(r, r->g->input[i]->name);
        nashc_type t;
        nashc_status s;
        if (sym->proto)
            continue;
        s = onnx_value_type(r, "input", sym->name, r->g->input[i]->type, &t, &sym->elem);
        if (s)
            return s;
        if (sym->note && onnx_elem_is_float(sym->elem) &&
            (nashc_type_is_int(sym->note) || nashc_type_is_fixed(sym->note)))
            t = nashc_type_with_elem(&t, sym->note);
        else if (onnx_elem_is_int(sym->elem))
            nashc_module_set_meta(r->module, nashc_arena_printf(r->arena, "elem.%s", sym->name),
                                  onnx_elem_name(sym->elem));
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
check_declared(onnx_in *r, const char *what, const char *name, const Onnx__TypeProto *tp,
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

nashc_status
onnx_graph_outputs(onnx_in *r)
{
    for (size_t i = 0; i < r->g->n_output; i++) {
        const Onnx__ValueInfoProto *out = r->g->output[i];
        onnx_sym *sym = onnx_sym_find(r, out->name);
        nashc_status s;
        if (!sym || !defined(sym))
            return nashc_error(r->d, &r->file, "graph output \"%s\" is never written",
                               nashc_quote(r->d, out->name ? out->name : ""));
        if (!sym->value && sym->proto && !sym->loaded) {
            s = onnx_tensor_read(r, sym->proto, "an initialiser that is a graph output", sym->note,
                                 &sym->tensor);
            if (s)
                return s;
        }
        if (!sym->value && sym->tensor)
            sym->value = onnx_const(r, sym->name, nashc_tensor_ref(sym->tensor));
        if (!sym->value)
            return nashc_error(r->d, &r->file, "graph output \"%s\" is never written",
                               nashc_quote(r->d, out->name));
        if ((s = check_declared(r, "output", sym->name, out->type, nashc_value_type(sym->value))))
            return s;
        nashc_graph_add_output(r->graph, sym->name, sym->value);
        if (r->bound && (int)i < r->bound->n_out)
            r->bound->out_elem[i] = sym->elem;
        else if (!r->bound && onnx_elem_is_int(sym->elem))
            nashc_module_set_meta(r->module, nashc_arena_printf(r->arena, "elem.%s", sym->name),
                                  onnx_elem_name(sym->elem));
    }
    return NASHC_OK;
}
