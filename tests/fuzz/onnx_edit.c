/* onnx_edit.c: random changes of an unpacked ONNX model, one function a kind; see edits. */
#include "onnx_edit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct edit {
    Onnx__GraphProto *g;
    Onnx__ModelProto *m;
    uint64_t state;
} edit;

/* --- chance ------------------------------------------------------------------------------------
 */

static uint64_t
next(edit *e)
{
    e->state = e->state * 6364136223846793005u + 1442695040888963407u;
    return e->state >> 33;
}

static size_t
below(edit *e, size_t n)
{
    return n ? next(e) % n : 0;
}

static int64_t
whole(edit *e)
{
    static const int64_t v[] = {0, 1, -1, 2, 3, 4, 5, 7, -2, -4, 8, 16, 127, -128, 255, 65535};
    return v[below(e, sizeof v / sizeof *v)];
}

static float
real(edit *e)
{
    static const float v[] = {0,        1,    -1,      0.5f,      2,      0.1f,    -0.3f,
                              3,        127,  0.0625f, 1e-10f,    -65536, 0.7f,    NAN,
                              INFINITY, 0.3f, 1.5f,    0.333333f, -0.25f, 16777217};
    return v[below(e, sizeof v / sizeof *v)];
}

/* --- parts -------------------------------------------------------------------------------------
 */

static char *
copy(const char *s)
{
    char *r = malloc(strlen(s) + 1);

    if (!r)
        abort();
    return strcpy(r, s);
}

static void
put(char **at, const char *s)
{
    char *new_name = copy(s);
    if (*at != protobuf_c_empty_string)
        free(*at);
    *at = new_name;
}

static Onnx__NodeProto *
some_node(edit *e)
{
    return e->g->n_node ? e->g->node[below(e, e->g->n_node)] : NULL;
}

static Onnx__TensorProto *
some_constant(edit *e)
{
    return e->g->n_initializer ? e->g->initializer[below(e, e->g->n_initializer)] : NULL;
}

/* The name of some value; "" where there is none. */
static const char *
some_value(edit *e)
{
    const Onnx__NodeProto *n = some_node(e);
    switch (below(e, 4)) {
    case 0:
        return e->g->n_input ? e->g->input[below(e, e->g->n_input)]->name : "";
    case 1:
        return e->g->n_initializer ? some_constant(e)->name : "";
    default:
        return n && n->n_output ? n->output[below(e, n->n_output)] : "";
    }
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void
change_attribute(edit *e)
{
    Onnx__NodeProto *n = some_node(e);
    Onnx__AttributeProto *a = n && n->n_attribute ? n->attribute[below(e, n->n_attribute)] : NULL;
    if (!a)
        return;
    if (a->n_ints)
        a->ints[below(e, a->n_ints)] = whole(e);
    else if (a->n_floats)
        a->floats[below(e, a->n_floats)] = real(e);
    else if (a->has_i)
        a->i = whole(e);
    else if (a->has_f)
        a->f = real(e);
}

static void
drop_attribute(edit *e)
{
    Onnx__NodeProto *n = some_node(e);
    if (!n || !n->n_attribute)
        return;
    size_t k = below(e, n->n_attribute);
    onnx__attribute_proto__free_unpacked(n->attribute[k], NULL);
    n->attribute[k] = n->attribute[--n->n_attribute];
}

static void
rewire(edit *e)
{
    Onnx__NodeProto *n = some_node(e);
    if (n && n->n_input)
        put(&n->input[below(e, n->n_input)], some_value(e));
}

static void
drop_operand(edit *e)
{
    Onnx__NodeProto *n = some_node(e);
    if (n && n->n_input > 1)
        free(n->input[--n->n_input]);
}

/* Another operator with as many operands. */
static void
change_operator(edit *e)
{
    static const char *const one[] = {"Relu",    "Sigmoid", "Tanh",      "Abs",   "Neg",
                                      "Sign",    "Floor",   "Ceil",      "Round", "Identity",
                                      "Sqrt",    "Exp",     "HardSwish", "Mish",  "Softplus",
                                      "Softmax", "Erf",     "LeakyRelu", "Elu",   "GlobalMaxPool"};
    static const char *const two[] = {"Add",     "Sub",  "Mul",   "Max",   "Min",
                                      "Greater", "Less", "PRelu", "MatMul"};
    Onnx__NodeProto *n = some_node(e);
    if (n && n->n_input == 1)
        put(&n->op_type, one[below(e, sizeof one / sizeof *one)]);
    else if (n && n->n_input == 2)
        put(&n->op_type, two[below(e, sizeof two / sizeof *two)]);
}

static void
change_shape(edit *e)
{
    Onnx__TensorProto *t = some_constant(e);
    if (!t || !t->n_dims)
        return;
    size_t i = below(e, t->n_dims), k = below(e, t->n_dims);
    int64_t d = t->dims[i]; /* the same number of elements: two axes change places */
    t->dims[i] = t->dims[k];
    t->dims[k] = d;
}

static void
change_input_shape(edit *e)
{
    if (!e->g->n_input)
        return;
    Onnx__TypeProto *t = e->g->input[below(e, e->g->n_input)]->type;
    Onnx__TensorShapeProto *s = t && t->tensor_type ? t->tensor_type->shape : NULL;
    if (s && s->n_dim)
        s->dim[below(e, s->n_dim)]->dim_value = 1 + (int64_t)below(e, 8);
}

static void
change_number(edit *e)
{
    Onnx__TensorProto *t = some_constant(e);
    float v = real(e);
    if (!t)
        return;
    if (t->n_float_data)
        t->float_data[below(e, t->n_float_data)] = v;
    else if (t->data_type == 1 && t->raw_data.len >= sizeof v)
        memcpy(t->raw_data.data + sizeof v * below(e, t->raw_data.len / sizeof v), &v, sizeof v);
    else if (t->raw_data.len)
        t->raw_data.data[below(e, t->raw_data.len)] = (uint8_t)whole(e);
}

/* Between types of one width: float and int32, the bytes, the halves. */
static void
change_element(edit *e)
{
    static const int32_t twin[] = {0, 6, 3, 2, 5, 4, 1};
    Onnx__TensorProto *t = some_constant(e);
    if (t && t->data_type > 0 && t->data_type < 7)
        t->data_type = twin[t->data_type];
}

static void
show_value(edit *e)
{
    if (e->g->n_output)
        put(&e->g->output[below(e, e->g->n_output)]->name, some_value(e));
}

static void
change_version(edit *e)
{
    if (e->m->n_opset_import)
        e->m->opset_import[below(e, e->m->n_opset_import)]->version = 7 + (int64_t)below(e, 17);
}

/* Every use of a name, so that the model stays one. */
static void
rename_value(edit *e)
{
    static const char *const names[] = {"\xc3\xa9", "a b", "module", "x;y", "\"", "%v0", "0"};
    char *from = copy(some_value(e));
    const char *to = names[below(e, sizeof names / sizeof *names)];
    Onnx__GraphProto *g = e->g;

    for (size_t i = 0; *from && i < g->n_node; i++) {
        for (size_t k = 0; k < g->node[i]->n_input; k++)
            if (!strcmp(g->node[i]->input[k], from))
                put(&g->node[i]->input[k], to);
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (!strcmp(g->node[i]->output[k], from))
                put(&g->node[i]->output[k], to);
    }
    for (size_t i = 0; *from && i < g->n_initializer; i++)
        if (!strcmp(g->initializer[i]->name, from))
            put(&g->initializer[i]->name, to);
    for (size_t i = 0; *from && i < g->n_input; i++)
        if (!strcmp(g->input[i]->name, from))
            put(&g->input[i]->name, to);
    for (size_t i = 0; *from && i < g->n_output; i++)
        if (!strcmp(g->output[i]->name, from))
            put(&g->output[i]->name, to);
    free(from);
}

/* A node of one operand in front of an operand of another node. */
static void
insert_node(edit *e)
{
    static const char *const ops[] = {"Relu", "Neg", "Abs", "Sigmoid", "Round", "Identity", "Tanh"};
    Onnx__NodeProto *n = some_node(e), *new_node = malloc(sizeof *new_node), **nodes;
    size_t at = 0;

    if (!n || !n->n_input || !new_node) {
        free(new_node);
        return;
    }
    size_t k = below(e, n->n_input);
    char name[32] = "edit";
    for (int i = 4; i < 12; i++)
        name[i] = (char)('a' + below(e, 26));
    onnx__node_proto__init(new_node);
    new_node->op_type = copy(ops[below(e, sizeof ops / sizeof *ops)]);
    new_node->n_input = new_node->n_output = 1;
    new_node->input = malloc(sizeof(char *));
    new_node->output = malloc(sizeof(char *));
    nodes = realloc(e->g->node, (e->g->n_node + 1) * sizeof *nodes);
    if (!nodes || !new_node->input || !new_node->output)
        abort();
    new_node->input[0] = n->input[k];
    new_node->output[0] = copy(name);
    n->input[k] = copy(name);
    while (nodes[at] != n)
        at++;
    memmove(nodes + at + 1, nodes + at, (e->g->n_node - at) * sizeof *nodes);
    nodes[at] = new_node;
    e->g->node = nodes;
    e->g->n_node++;
}

static void (*const edits[])(edit *) = {
    change_attribute, change_attribute, drop_attribute,  rewire,         rewire,
    drop_operand,     change_operator,  change_operator, change_shape,   change_input_shape,
    change_number,    change_number,    change_number,   change_element, show_value,
    change_version,   rename_value,     insert_node,     insert_node,
};

void
onnx_edit(Onnx__ModelProto *m, unsigned seed)
{
    edit e = {m->graph, m, seed * 2654435761u + 1};

    for (size_t n = 1 + below(&e, 4); n; n--)
        edits[below(&e, sizeof edits / sizeof *edits)](&e);
}
