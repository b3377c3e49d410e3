/* attributes.c: attributes of the node at hand, checked against its row. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Linear: nodes have a handful of attributes. */
const Onnx__AttributeProto *
onnx_attr(const nashc_onnx_in *r, const char *name)
{
    for (size_t i = 0; i < r->node->n_attribute; i++)
        if (r->node->attribute[i]->name && !strcmp(r->node->attribute[i]->name, name))
            return r->node->attribute[i];
    return NULL;
}

bool
nashc_onnx_has_attr(const nashc_onnx_in *r, const char *name)
{
    return onnx_attr(r, name) != NULL;
}

int64_t
nashc_onnx_attr_int(const nashc_onnx_in *r, const char *name, int64_t def)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    return a ? a->i : def;
}

double
nashc_onnx_attr_float(const nashc_onnx_in *r, const char *name, double def)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    return a ? (double)a->f : def;
}

/* The bytes of the file, with a 0 behind them; the wire check has refused NUL bytes inside names
 * only, so what is behind one is lost. */
const char *
nashc_onnx_attr_str(const nashc_onnx_in *r, const char *name, const char *def)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    if (!a)
        return def;
    char *s = nashc_arena_alloc(r->arena, a->s.len + 1);
    if (s && a->s.len)
        memcpy(s, a->s.data, a->s.len);
    return s ? s : def;
}

const int64_t *
nashc_onnx_attr_ints(const nashc_onnx_in *r, const char *name, int *n)
{
    static const int64_t none[1];
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    *n = 0;
    if (!a)
        return NULL;
    *n = a->n_ints > ONNX_SMALL ? ONNX_SMALL : (int)a->n_ints;
    return a->n_ints ? a->ints : none;
}

const float *
nashc_onnx_attr_floats(const nashc_onnx_in *r, const char *name, int *n)
{
    static const float none[1];
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    *n = 0;
    if (!a)
        return NULL;
    *n = a->n_floats > ONNX_SMALL ? ONNX_SMALL : (int)a->n_floats;
    return a->n_floats ? a->floats : none;
}

nashc_status
nashc_onnx_attr_tensor(nashc_onnx_in *r, const char *name, nashc_tensor **out, int *elem)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    *out = NULL;
    if (!a || !a->t)
        return NASHC_OK;
    *elem = a->t->data_type;
    return onnx_tensor_read(r, a->t, nashc_arena_printf(r->arena, "attribute %s", name), NULL, out);
}

/* Names as AttributeProto.AttributeType has them, for messages. */
static const char *
kind_name(int type)
{
    static const char *const names[] = {"UNDEFINED", "FLOAT",   "INT",    "STRING",
                                        "TENSOR",    "GRAPH",   "FLOATS", "INTS",
                                        "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR"};

    return type >= 0 && (size_t)type < NASHC_COUNT(names) ? names[type] : "unknown";
}

/* AttributeType of a letter of a row: its place in the list. */
static int
kind_code(char kind)
{
    static const char letters[] = "?fistgFIS";

    return (int)(strchr(letters, kind) - letters);
}

/* Type of an attribute; files that do not say it are read by what is there. */
int
onnx_attr_type(const Onnx__AttributeProto *a)
{
    if (a->has_type && a->type)
        return a->type;
    return a->has_f       ? 1
           : a->has_i     ? 2
           : a->has_s     ? 3
           : a->t         ? 4
           : a->g         ? 5
           : a->n_floats  ? 6
           : a->n_strings ? 8
                          : 7;
}

/* Every attribute of the node passes here before the row's function runs, so that the accessors
 * above need no checks of kinds. */
nashc_status
onnx_attr_check(nashc_onnx_in *r, const Onnx__AttributeProto *a)
{
    const char *at = r->row->attrs, *name = a->name ? a->name : "";
    onnx_attr_spec spec;
    int type = onnx_attr_type(a);

    if (a->ref_attr_name && *a->ref_attr_name)
        return nashc_onnx_error(r,
                                "attribute %s refers to a function's attribute, outside a function",
                                nashc_quote(r->d, name));
    if (type == 5 || type == 10)
        return nashc_onnx_unsup(r, "attribute %s is a sub-graph; control flow has no hardware form",
                                nashc_quote(r->d, name));
    while (onnx_attr_next(&at, &spec)) {
        if (strcmp(spec.name, name))
            continue;
        if (spec.kind == '*' || kind_code(spec.kind) == type)
            return NASHC_OK;
        return nashc_onnx_error(r, "attribute %s has type %s, %s expected", name, kind_name(type),
                                kind_name(kind_code(spec.kind)));
    }
    if (!(r->row->flags & NASHC_ONNX_MORE))
        nashc_warning(r->d, &r->file, "unknown-attribute", "%s: attribute %s is not one of %s-%d",
                      onnx_node_title(r), nashc_quote(r->d, name), r->row->name, r->row->since);
    return NASHC_OK;
}

/* "[0.5,1]" as IR text. */
static const char *
floats_text(nashc_onnx_in *r, const float *v, size_t n)
{
    const char *text = "";

    for (size_t i = 0; i < n; i++)
        text = nashc_arena_printf(r->arena, "%s%s%.9g", text, i ? "," : "", (double)v[i]);
    return nashc_arena_printf(r->arena, "[%s]", text);
}

/* s as a string of IR text, whole. */
static const char *
quoted(nashc_onnx_in *r, const char *s)
{
    char *text = nashc_arena_alloc(r->arena, 4 * strlen(s) + 3), *p = text;

    if (!text)
        return "\"\"";
    *p++ = '"';
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            *p++ = '\\';
        if ((unsigned char)*s < 0x20)
            p += snprintf(p, 5, "\\x%02x", (unsigned)*s);
        else
            *p++ = *s;
    }
    *p = '"';
    return text;
}

/* Kind of the attribute that the row's operator has under this name. */
static uint32_t
ir_kind(const nashc_onnx_in *r, const char *name)
{
    const nashc_op *op = nashc_find(r->ctx, NASHC_D_OP, r->row->op);

    for (const nashc_param *p = op ? op->attrs : NULL; p && p->name; p++)
        if (!strcmp(p->name, name))
            return p->kind;
    return 0;
}

static const char *
copied(nashc_onnx_in *r, const onnx_attr_spec *spec, const Onnx__AttributeProto *a)
{
    uint32_t kind = ir_kind(r, spec->ir);
    const char *text;

    switch (spec->kind) {
    case 'f':
        return nashc_arena_printf(r->arena, "%.9g", (double)a->f);
    case 'i':
        if (kind == NASHC_P_BOOL)
            return a->i ? "true" : "false";
        return nashc_arena_printf(r->arena, "%" PRId64, a->i);
    case 's':
        text = nashc_onnx_attr_str(r, spec->name, "");
        /* What is no word, such as "tanh alpha=2", must not become two attributes. */
        return kind == NASHC_P_STRING || strpbrk(text, " \t\n\"=") ? quoted(r, text) : text;
    case 'I':
        return nashc_onnx_ints(r, a->ints, (int)a->n_ints);
    default:
        return floats_text(r, a->floats, a->n_floats);
    }
}

/* Attributes that the file leaves out stay out: the IR operator's own default is what ONNX says, as
 * rows promise. */
const char *
onnx_copied_attrs(nashc_onnx_in *r)
{
    const char *at = r->row->attrs, *text = "";
    onnx_attr_spec spec;

    while (onnx_attr_next(&at, &spec)) {
        const Onnx__AttributeProto *a = spec.copied ? onnx_attr(r, spec.name) : NULL;
        if (a)
            text = nashc_arena_printf(r->arena, "%s%s%s=%s", text, *text ? " " : "", spec.ir,
                                      copied(r, &spec, a));
    }
    return text;
}
