/* symbols.c: the tensor names of an ONNX graph: who defines each, who reads it, what is noted of
 * it. */
#include "frontends/onnx/graph.h"
#include <string.h>

/* One entry for each name, made where it is first seen. */
static onnx_sym *
symbol(nashc_onnx_in *r, const char *name)
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

onnx_sym *
onnx_sym_find(const nashc_onnx_in *r, const char *name)
{
    return name && *name ? onnx_names_get(r->names, name) : NULL;
}

bool
onnx_sym_defined(const onnx_sym *s)
{
    return s->proto || s->input || s->node >= 0;
}

static nashc_status
node_symbols(nashc_onnx_in *r, size_t i)
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
                               onnx_node_text(r, (size_t)s->node), onnx_node_text(r, i),
                               nashc_quote(r->d, s->name));
        if (onnx_sym_defined(s))
            return nashc_error(r->d, &r->file, "node %s writes \"%s\", which is %s",
                               onnx_node_text(r, i), nashc_quote(r->d, s->name),
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
note_layout(nashc_onnx_in *r, onnx_sym *s, const char *text)
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

/* Upstream keeps datatypes and layouts that ONNX has no field for as quantisation annotations. */
static nashc_status
annotation(nashc_onnx_in *r, const Onnx__TensorAnnotation *a)
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

/* Initialiser i is t, or what sparse says of it, under the name of its values. */
static nashc_status
initialiser(nashc_onnx_in *r, size_t i, const Onnx__TensorProto *t,
            const Onnx__SparseTensorProto *sparse)
{
    const char *name = t ? t->name : NULL;

    if (!name || !*name)
        return nashc_error(r->d, &r->file, "%sinitialiser %zu has no name", sparse ? "sparse " : "",
                           i);
    onnx_sym *s = symbol(r, name);
    if (!s)
        return nashc_enomem(r->d);
    if (s->proto)
        return nashc_error(r->d, &r->file, "two initialisers are named \"%s\"",
                           nashc_quote(r->d, name));
    s->proto = t;
    s->elem = t->data_type;
    if ((s->sparse = sparse)) {
        Onnx__TensorProto *head = NASHC_NEW(r->arena, Onnx__TensorProto);
        if (!head)
            return nashc_enomem(r->d);
        onnx__tensor_proto__init(head);
        head->n_dims = sparse->n_dims;
        head->dims = sparse->dims;
        s->proto = head;
    }
    return NASHC_OK;
}

static nashc_status
initialisers(nashc_onnx_in *r)
{
    nashc_status s = NASHC_OK;

    for (size_t i = 0; !s && i < r->g->n_initializer; i++)
        s = initialiser(r, i, r->g->initializer[i], NULL);
    for (size_t i = 0; !s && i < r->g->n_sparse_initializer; i++)
        s = initialiser(r, i, r->g->sparse_initializer[i]->values, r->g->sparse_initializer[i]);
    return s;
}

/* What nothing reads is neither loaded nor built. */
static void
mark_used(nashc_onnx_in *r)
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

/* Initialisers first: what a node or an input may not define again is then known. */
nashc_status
onnx_graph_symbols(nashc_onnx_in *r)
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
