/* attributes.c: attributes of the node at hand, checked against its row. */
#include "frontends/onnx/graph.h"
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const Onnx__AttributeProto *
onnx_attr(const onnx_in *r, const char *name)
{
    for (size_t i = 0; i < r->node->n_attribute; i++)
        if (r->node->attribute[i]->name && !strcmp(r->node->attribute[i]->name, name))
            return r->node->attribute[i];
    return NULL;
}

int64_t
onnx_attr_int(const onnx_in *r, const char *name, int64_t def)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    return a ? a->i : def;
}

double
onnx_attr_float(const onnx_in *r, const char *name, double def)
{
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    return a ? (double)a->f : def;
}

const char *
onnx_attr_str(const onnx_in *r, const char *name, const char *def)
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
onnx_attr_ints(const onnx_in *r, const char *name, int *n)
{
    static const int64_t none[1];
    const Onnx__AttributeProto *a = onnx_attr(r, name);

    *n = 0;
    if (!a)
        return NULL;
    *n = a->n_ints > ONNX_SMALL ? ONNX_SMALL : (int)a->n_ints;
    return a->n_ints ? a->ints : none;
}

bool
onnx_attr_next(const char **at, onnx_attr_spec *out)
{
    const char *s = *at;
    size_t n;

    if (!s)
        return false;
    while (*s == ' ')
        s++;
    if (!*s)
        return false;
    *out = (onnx_attr_spec){.copied = true};
    n = strcspn(s, ">-:");
    memcpy(out->name, s, n < sizeof out->name ? n : sizeof out->name - 1);
    memcpy(out->ir, out->name, sizeof out->ir);
    s += n;
    if (*s == '-') {
        out->copied = false;
        s++;
    } else if (*s == '>') {
        n = strcspn(++s, ":");
        memset(out->ir, 0, sizeof out->ir);
        memcpy(out->ir, s, n < sizeof out->ir ? n : sizeof out->ir - 1);
        s += n;
    }
    out->kind = s[1];
    *at = s + 2;
    return true;
}

static const char *
kind_name(int type)
{
    static const char *const names[] = {"UNDEFINED", "FLOAT",   "INT",    "STRING",
                                        "TENSOR",    "GRAPH",   "FLOATS", "INTS",
                                        "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR"};

    return type >= 0 && (size_t)type < NASHC_COUNT(names) ? names[type] : "unknown";
}

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

nashc_status
onnx_attr_check(onnx_in *r, const Onnx__AttributeProto *a)
{
    const char *at = r->row->attrs, *name = a->name ? a->name : "";
    onnx_attr_spec spec;
    int type = onnx_attr_type(a);

    if (a->ref_attr_name && *a->ref_attr_name)
        return onnx_err(r, "attribute %s refers to a function's attribute, outside a function",
                        nashc_quote(r->d, name));
    if (type == 5 || type == 10)
        return onnx_unsup(r, "attribute %s is a sub-graph; control flow has no hardware form",
                          nashc_quote(r->d, name));
    while (onnx_attr_next(&at, &spec)) {
        if (strcmp(spec.name, name))
            continue;
        if (spec.kind == '*' || kind_code(spec.kind) == type)
            return NASHC_OK;
        return onnx_err(r, "attribute %s has type %s, %s expected", name, kind_name(type),
                        kind_name(kind_code(spec.kind)));
    }
    if (r->row->domain != ONNX_VENDOR)
        nashc_warning(r->d, &r->file, "unknown-attribute", "%s: attribute %s is not one of %s-%d",
                      onnx_node_title(r), nashc_quote(r->d, name), r->row->name, r->row->since);
    return NASHC_OK;
}

const char *
onnx_copied_attrs(onnx_in *r)
{
    const char *at = r->row->attrs, *text = "";
    onnx_attr_spec spec;

    while (onnx_attr_next(&at, &spec)) {
        const Onnx__AttributeProto *a = spec.copied ? onnx_attr(r, spec.name) : NULL;
        const char *space = *text ? " " : "";
        if (!a)
            continue;
        if (spec.kind == 'f')
            text = nashc_arena_printf(r->arena, "%s%s%s=%.9g", text, space, spec.ir, (double)a->f);
        else if (spec.kind == 'i')
            text = nashc_arena_printf(r->arena, "%s%s%s=%" PRId64, text, space, spec.ir, a->i);
        else if (spec.kind == 's')
            text = nashc_arena_printf(r->arena, "%s%s%s=%s", text, space, spec.ir,
                                      onnx_attr_str(r, spec.name, ""));
        else if (spec.kind == 'I')
            text = nashc_arena_printf(r->arena, "%s%s%s=%s", text, space, spec.ir,
                                      onnx_ints(r, a->ints, (int)a->n_ints));
    }
    return text;
}
