/* node.c: one ONNX node: finding its row, checking it, and what its function may ask and build. */
#include "frontends/onnx/family.h"
#include "frontends/onnx/graph.h"
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- messages -----------------------------------------------------------------------------------
 */

/* `node "conv" (Conv)`, or by number and output where it has no name. */
const char *
onnx_node_title(onnx_in *r)
{
    const Onnx__NodeProto *n = r->node;
    const char *type = nashc_quote(r->d, n->op_type);

    if (n->name && *n->name)
        return nashc_arena_printf(r->arena, "node \"%s\" (%s)", nashc_quote(r->d, n->name), type);
    return nashc_arena_printf(r->arena, "node %d (%s, writes \"%s\")", r->node_i, type,
                              n->n_output ? nashc_quote(r->d, n->output[0]) : "");
}

nashc_status
onnx_err(onnx_in *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    r->failed = true;
    return nashc_error(r->d, &r->file, "%s: %s", onnx_node_title(r), text);
}

nashc_status
onnx_unsup(onnx_in *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    r->failed = true;
    return nashc_unsup(r->d, &r->file, "%s: %s", onnx_node_title(r), text);
}

/* --- operands -----------------------------------------------------------------------------------
 */

int
onnx_n_in(const onnx_in *r)
{
    size_t n = r->node->n_input;

    while (n && !*r->node->input[n - 1])
        n--;
    return (int)n;
}

onnx_sym *
onnx_in_sym(const onnx_in *r, int i)
{
    return i >= 0 && (size_t)i < r->node->n_input ? onnx_sym_find(r, r->node->input[i]) : NULL;
}

const char *
onnx_in_name(const onnx_in *r, int i)
{
    return (size_t)i < r->node->n_input ? nashc_quote(r->d, r->node->input[i]) : "";
}

int
onnx_in_elem(const onnx_in *r, int i)
{
    const onnx_sym *s = onnx_in_sym(r, i);

    return s ? s->elem : 0;
}

static nashc_status
load(onnx_in *r, onnx_sym *s)
{
    const char *what;
    nashc_status st;

    if (s->loaded || !s->proto)
        return NASHC_OK;
    what = nashc_arena_printf(r->arena, "initialiser \"%s\"", nashc_quote(r->d, s->name));
    if ((st = onnx_tensor_read(r, s->proto, what, s->note, &s->tensor))) {
        nashc_note(r->d, "read by %s", onnx_node_title(r));
        r->failed = true;
        return st;
    }
    s->loaded = true;
    s->empty = !s->tensor;
    return NASHC_OK;
}

bool
onnx_has(const onnx_in *r, int i)
{
    const onnx_sym *s = onnx_in_sym(r, i);

    if (!s)
        return false;
    for (size_t k = 0; s->proto && k < s->proto->n_dims; k++)
        if (s->proto->dims[k] == 0)
            return false;
    return !s->empty;
}

nashc_value *
onnx_in_value(onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    if (!s || load(r, s))
        return NULL;
    if (s->tensor && (!s->value || nashc_value_const(s->value)) && !(r->row->flags & ONNX_R_INF) &&
        nashc_type_is_float(nashc_tensor_type(s->tensor)) && !nashc_tensor_all_finite(s->tensor)) {
        onnx_err(r, "%s \"%s\" holds an infinite value", s->proto ? "initialiser" : "constant",
                 nashc_quote(r->d, s->name));
        return NULL;
    }
    if (!s->value && s->tensor)
        s->value = onnx_const(r, s->name, nashc_tensor_ref(s->tensor));
    if (!s->value && s->empty)
        onnx_err(r, "operand \"%s\" has no elements", nashc_quote(r->d, s->name));
    return s->value;
}

const nashc_type *
onnx_in_type(onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    if (!s || load(r, s))
        return NULL;
    return s->value ? nashc_value_type(s->value) : s->tensor ? nashc_tensor_type(s->tensor) : NULL;
}

const nashc_tensor *
onnx_in_const(onnx_in *r, int i)
{
    onnx_sym *s = onnx_in_sym(r, i);

    return s && !load(r, s) ? s->tensor : NULL;
}

nashc_status
onnx_in_ints(onnx_in *r, int i, const char *what, const int64_t **v, int *n)
{
    onnx_sym *s = onnx_in_sym(r, i);
    nashc_status st;

    *v = NULL;
    *n = 0;
    if (!s)
        return NASHC_OK;
    if ((st = load(r, s)))
        return st;
    if (s->empty) {
        *v = NASHC_NEW_N(r->arena, int64_t, 1);
        return NASHC_OK;
    }
    if (!s->tensor) {
        onnx_unsup(r, "%s \"%s\" is not a constant", what, nashc_quote(r->d, s->name));
        nashc_help(r->d, "shapes and parameters must be known when the model is compiled");
        return NASHC_EUNSUP;
    }
    int64_t count = nashc_tensor_count(s->tensor);
    if (count > ONNX_SMALL)
        return onnx_err(r, "%s \"%s\" has %" PRId64 " elements", what, nashc_quote(r->d, s->name),
                        count);
    int64_t *out = NASHC_NEW_N(r->arena, int64_t, count);
    if (!out)
        return nashc_enomem(r->d);
    bool integer = nashc_type_is_int(nashc_tensor_type(s->tensor));
    for (int64_t k = 0; k < count; k++) {
        double f = nashc_tensor_get(s->tensor, k);
        if (!integer && (f != floor(f) || fabs(f) > 9e15))
            return onnx_err(r, "%s \"%s\" holds %g, not an integer", what,
                            nashc_quote(r->d, s->name), f);
        out[k] = integer ? nashc_tensor_get_int(s->tensor, k) : (int64_t)f;
    }
    *v = out;
    *n = (int)count;
    return NASHC_OK;
}

nashc_status
onnx_in_number(onnx_in *r, int i, const char *what, double def, double *out)
{
    const nashc_tensor *t = onnx_in_const(r, i);

    *out = def;
    if (!onnx_has(r, i))
        return NASHC_OK;
    if (!t)
        return onnx_unsup(r, "%s \"%s\" is not a constant", what, onnx_in_name(r, i));
    if (!nashc_tensor_is_scalar(t))
        return onnx_err(r, "%s \"%s\" has %" PRId64 " elements, expected 1", what,
                        onnx_in_name(r, i), nashc_tensor_count(t));
    *out = nashc_tensor_get(t, 0);
    return NASHC_OK;
}

/* --- attributes ---------------------------------------------------------------------------------
 */

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
static int
attr_type(const Onnx__AttributeProto *a)
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

static nashc_status
check_attr(onnx_in *r, const Onnx__AttributeProto *a)
{
    const char *at = r->row->attrs, *name = a->name ? a->name : "";
    onnx_attr_spec spec;
    int type = attr_type(a);

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
    if (r->row->domain != ONNX_OWN)
        nashc_warning(r->d, &r->file, "unknown-attribute", "%s: attribute %s is not one of %s-%d",
                      onnx_node_title(r), nashc_quote(r->d, name), r->row->name, r->row->since);
    return NASHC_OK;
}

const char *
onnx_ints(onnx_in *r, const int64_t *v, int n)
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

/* --- building -----------------------------------------------------------------------------------
 */

nashc_status
onnx_build_status(const onnx_in *r)
{
    nashc_status s = nashc_build_status(r->build);

    return s ? s : NASHC_EINPUT;
}

const nashc_tensor *
onnx_known(const onnx_in *r, const nashc_value *v)
{
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;

    if (t || !v)
        return t;
    return nashc_value_id(v) < r->n_known ? r->known[nashc_value_id(v)] : NULL;
}

static bool
remember(onnx_in *r, const nashc_value *v, nashc_tensor *t)
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

/* Evaluates n if its operands are known and small. Failure only means that nothing is known. */
static void
evaluate(onnx_in *r, nashc_node *n)
{
    enum { MAX = 16 };
    const nashc_buf *in[MAX];
    nashc_buf out[MAX];
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);

    if (!n_in || n_in > MAX || n_out > MAX || !nashc_node_op(n)->eval)
        return;
    for (int i = 0; i < n_in; i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = onnx_known(r, v);
        if (v && (!t || nashc_tensor_count(t) > ONNX_SMALL))
            return;
        in[i] = t ? nashc_tensor_buf(t) : NULL;
    }
    int64_t work = 0, results = 0;
    for (int i = 0; i < n_in; i++)
        work += in[i] ? in[i]->n : 0;
    for (int i = 0; i < n_out; i++) {
        int64_t count = nashc_type_count(nashc_value_type(nashc_node_out(n, i)));
        if (count > ONNX_SMALL)
            return;
        results += count;
    }
    r->eval_left -= (work + 1) * results; /* no operator does more */
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

nashc_node *
onnx_node(onnx_in *r, const char *op, nashc_value *const *in, int n_in, int n_out,
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
            onnx_err(r, "its result %s has more than %" PRId64 " elements", nashc_type_str(r->d, t),
                     (int64_t)NASHC_MAX_ELEMENTS);
            return NULL;
        }
    }
    evaluate(r, n);
    return n;
}

nashc_value *
onnx_const(onnx_in *r, const char *name, nashc_tensor *t)
{
    nashc_value *v = nashc_build_const(r->build, NULL, t);

    /* A name that a value without one in the file got first ("v3") is lost; nothing depends on it.
     */
    if (v && name)
        nashc_value_set_name(v, name);
    return v;
}

nashc_value *
onnx_op(onnx_in *r, const char *op, nashc_value *const *in, int n_in, const char *attrs, ...)
{
    const char *text = NULL;

    if (attrs) {
        va_list ap;
        va_start(ap, attrs);
        text = nashc_arena_vprintf(r->arena, attrs, ap);
        va_end(ap);
    }
    nashc_node *n = onnx_node(r, op, in, n_in, 1, text);
    if (!n)
        return NULL;
    nashc_value *v = nashc_node_out(n, 0);
    const nashc_tensor *t = onnx_known(r, v);
    if (!t || !nashc_type_is_int(nashc_tensor_type(t)) || !strncmp(op, "q.", 2))
        return v;
    nashc_value *c = onnx_const(r, NULL, nashc_tensor_ref((nashc_tensor *)t));
    if (c)
        nashc_node_erase(n, false);
    return c;
}

nashc_value *
onnx_op1(onnx_in *r, const char *op, nashc_value *a, const char *attrs, ...)
{
    const char *text = NULL;

    if (attrs) {
        va_list ap;
        va_start(ap, attrs);
        text = nashc_arena_vprintf(r->arena, attrs, ap);
        va_end(ap);
    }
    return onnx_op(r, op, &a, 1, text ? "%s" : NULL, text);
}

nashc_value *
onnx_op2(onnx_in *r, const char *op, nashc_value *a, nashc_value *b)
{
    return onnx_op(r, op, (nashc_value *[]){a, b}, 2, NULL);
}

nashc_value *
onnx_f32(onnx_in *r, double v)
{
    return nashc_build_f32(r->build, (float)v);
}

nashc_tensor *
onnx_tensor_f32(const double *v, int rank, const int64_t *dim)
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
onnx_reshape(onnx_in *r, nashc_value *x, const int64_t *dim, int rank)
{
    return onnx_op1(r, "nn.reshape", x, "shape=%s", onnx_ints(r, dim, rank));
}

nashc_value *
onnx_in_plain(onnx_in *r, int i)
{
    nashc_value *v = onnx_in_value(r, i);
    const nashc_type *t = v ? nashc_value_type(v) : NULL;

    return t && t->layout != NASHC_LAYOUT_DEFAULT ? onnx_reshape(r, v, t->dim, t->rank) : v;
}

nashc_value *
onnx_transpose(onnx_in *r, nashc_value *x, const int64_t *perm)
{
    return x ? onnx_op1(r, "nn.transpose", x, "perm=%s",
                        onnx_ints(r, perm, nashc_value_type(x)->rank))
             : NULL;
}

nashc_value *
onnx_cast(onnx_in *r, nashc_value *x, const char *type)
{
    return onnx_op1(r, "nn.cast", x, "to=%s", type);
}

bool
onnx_out_used(const onnx_in *r, int k)
{
    const onnx_sym *s = k < (int)r->node->n_output ? onnx_sym_find(r, r->node->output[k]) : NULL;

    return s && s->used;
}

nashc_status
onnx_set_tensor(onnx_in *r, int k, nashc_tensor *t, int elem)
{
    if (!t)
        return nashc_enomem(r->d);
    onnx_sym *s = onnx_out_used(r, k) ? onnx_sym_find(r, r->node->output[k]) : NULL;
    if (!s) {
        nashc_tensor_unref(t);
        return NASHC_OK;
    }
    s->tensor = t; /* becomes a value when something reads it */
    s->elem = elem;
    return NASHC_OK;
}

nashc_status
onnx_set(onnx_in *r, int k, nashc_value *v, int elem)
{
    onnx_sym *s;

    if (!v)
        return onnx_build_status(r);
    if (!onnx_out_used(r, k))
        return NASHC_OK;
    s = onnx_sym_find(r, r->node->output[k]);
    s->value = v;
    s->elem = elem;
    /* A value made for this node takes the name; one that only passes through keeps its own. */
    if (nashc_value_id(v) >= r->first_id)
        nashc_value_set_name(v, s->name);
    const nashc_tensor *t = onnx_known(r, v);
    s->tensor = t ? nashc_tensor_ref((nashc_tensor *)t) : NULL;
    return NASHC_OK;
}

nashc_status
onnx_axis(onnx_in *r, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return onnx_err(r, "axis %" PRId64 " is out of range for %d dimensions", axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return NASHC_OK;
}

nashc_status
onnx_axes(onnx_in *r, const int64_t *axes, int n, int rank, int64_t **out)
{
    bool seen[NASHC_MAX_RANK] = {false};
    int64_t *v = NASHC_NEW_N(r->arena, int64_t, NASHC_MAX_RANK + 1);
    int axis = 0, k = 0;
    nashc_status s;

    if (!v)
        return nashc_enomem(r->d);
    if (rank > NASHC_MAX_RANK)
        return onnx_unsup(r, "the result has %d dimensions, at most %d are supported", rank,
                          NASHC_MAX_RANK);
    for (int i = 0; i < n; i++) {
        if ((s = onnx_axis(r, axes[i], rank, &axis)))
            return s;
        if (seen[axis])
            return onnx_err(r, "axis %d is given twice", axis);
        seen[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        if (seen[i])
            v[k++] = i;
    *out = v;
    return NASHC_OK;
}

/* --- the node -----------------------------------------------------------------------------------
 */

static onnx_domain
domain_of(const onnx_in *r, const char *name)
{
    static const char *const general[] = {"qonnx.custom_op.general", "onnx.brevitas",
                                          "finn.custom_op.general"};

    if (!*name || !strcmp(name, "ai.onnx"))
        return ONNX_STD;
    for (size_t i = 0; i < NASHC_COUNT(general); i++)
        if (!strcmp(name, general[i]))
            return ONNX_QONNX;
    if (!strcmp(name, "finn")) {
        const Onnx__AttributeProto *a = onnx_attr(r, "backend");
        bool hardware = a && a->s.len == 12 && !memcmp(a->s.data, "fpgadataflow", 12);
        return hardware ? ONNX_FPGA : ONNX_QONNX;
    }
    if (!strncmp(name, "finn.custom_op.fpgadataflow", 27))
        return ONNX_FPGA;
    if (!strcmp(name, "qonnx.custom_op.channels_last"))
        return ONNX_CL;
    if (!strcmp(name, "com.microsoft"))
        return ONNX_MS;
    return !strcmp(name, "nashc") ? ONNX_OWN : ONNX_OTHER;
}

static nashc_status
unknown_error(onnx_in *r, const char *domain, int64_t version, int since)
{
    const char *type = nashc_quote(r->d, r->node->op_type);

    if (since)
        return onnx_err(r, "operator %s is part of opset %d and later, the file imports %" PRId64,
                        type, since, version);
    for (size_t i = 0; i < r->model->n_functions; i++) {
        const Onnx__FunctionProto *f = r->model->functions[i];
        if (f->name && !strcmp(f->name, r->node->op_type) &&
            !strcmp(f->domain ? f->domain : "", domain)) {
            onnx_unsup(r, "%s is a function of the model; functions are not supported", type);
            nashc_help(r->d, "inline them, for instance with onnx.inliner.inline_local_functions");
            return NASHC_EUNSUP;
        }
    }
    if (*domain)
        onnx_unsup(r, "unknown operator %s.%s", nashc_quote(r->d, domain), type);
    else
        onnx_unsup(r, "unknown operator '%s' (opset %" PRId64 ")", type, version);
    nashc_help(r->d,
               "a plugin may bring it (--load-plugin); allow-unknown=true of the onnx frontend "
               "keeps it for inspection");
    return NASHC_EUNSUP;
}

static nashc_status
check_arity(onnx_in *r)
{
    const onnx_row *row = r->row;
    int n = onnx_n_in(r);

    if (n < row->min_in || (row->max_in >= 0 && n > row->max_in)) {
        if (row->max_in < 0)
            return onnx_err(r, "%d inputs, at least %d expected", n, row->min_in);
        if (row->min_in == row->max_in)
            return onnx_err(r, "%d inputs, %d expected", n, row->min_in);
        return onnx_err(r, "%d inputs, %d to %d expected", n, row->min_in, row->max_in);
    }
    for (int i = 0; i < n; i++)
        if ((i < row->min_in || row->max_in < 0) && !*r->node->input[i])
            return onnx_err(r, "input %d is left out, but is required", i);
    if ((int)r->node->n_output > row->max_out)
        return onnx_err(r, "%zu outputs, at most %d expected", r->node->n_output, row->max_out);
    return NASHC_OK;
}

static nashc_status
check_operands(onnx_in *r)
{
    int first = 0;

    for (int i = 0; i < onnx_n_in(r); i++) {
        const onnx_sym *s = onnx_in_sym(r, i);
        if (!s || !onnx_elem_get(s->elem)->bits)
            continue; /* reading it says what is wrong */
        if (r->row->flags & ONNX_R_SAME && first && s->elem != first)
            return onnx_err(r, "input 0 is %s, input \"%s\" is %s; they must be of one type",
                            onnx_elem_name(first), onnx_in_name(r, i), onnx_elem_name(s->elem));
        first = first ? first : s->elem;
    }
    return NASHC_OK;
}

/* Attributes and operands as they are. */
static nashc_status
read_plain(onnx_in *r)
{
    int n = onnx_n_in(r);
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);

    for (int i = 0; in && i < n; i++) {
        in[i] = onnx_in_value(r, i);
        if (!in[i] && onnx_in_sym(r, i))
            return onnx_build_status(r);
    }
    const char *attrs = onnx_copied_attrs(r);
    return onnx_set(r, 0, onnx_op(r, r->row->op, in, n, *attrs ? "%s" : NULL, attrs),
                    onnx_in_elem(r, 0));
}

/* What the file declares about a result that no rule can infer: a static shape, and the annotated
 * datatype. */
static bool
declared_type(onnx_in *r, onnx_sym *s, nashc_type *out)
{
    const Onnx__TypeProto__Tensor *t = NULL;

    for (size_t i = 0; i < r->g->n_value_info + r->g->n_output && !t; i++) {
        const Onnx__ValueInfoProto *v =
            i < r->g->n_value_info ? r->g->value_info[i] : r->g->output[i - r->g->n_value_info];
        if (v->name && !strcmp(v->name, s->name) && v->type)
            t = v->type->tensor_type;
    }
    if (!t || !t->shape || t->shape->n_dim > NASHC_MAX_RANK || !onnx_elem_type(t->elem_type, out))
        return false;
    out->rank = (uint8_t)t->shape->n_dim;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = t->shape->dim[i]->dim_value;
        if (out->dim[i] < 1)
            return false;
    }
    if (s->note)
        *out = nashc_type_with_elem(out, s->note);
    s->elem = t->elem_type;
    return nashc_type_count(out) > 0;
}

/* Keeps a node that nobody knows: unknown.<Name> with its attributes as text. */
static nashc_status
read_unknown(onnx_in *r, const char *domain)
{
    static const onnx_row row = {.name = "", .flags = ONNX_R_INF};
    int n = (int)r->node->n_input, n_out = (int)r->node->n_output;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);
    const char *text = "";

    r->row = &row;
    for (int i = 0; in && i < n; i++)
        in[i] = onnx_in_value(r, i);
    for (size_t i = 0; i < r->node->n_attribute; i++) {
        const Onnx__AttributeProto *a = r->node->attribute[i];
        const char *value = "...";
        switch (attr_type(a)) {
        case 1:
            value = nashc_arena_printf(r->arena, "%.9g", (double)a->f);
            break;
        case 2:
            value = nashc_arena_printf(r->arena, "%" PRId64, a->i);
            break;
        case 3:
            value = nashc_quote(r->d, onnx_attr_str(r, a->name, ""));
            break;
        case 7:
            value = onnx_ints(r, a->ints, (int)(a->n_ints > 64 ? 64 : a->n_ints));
            break;
        default:
            break;
        }
        text = nashc_arena_printf(r->arena, "%s%s%s=%s", text, i ? " " : "",
                                  nashc_quote(r->d, a->name ? a->name : ""), value);
    }
    nashc_node *node =
        onnx_node(r, nashc_arena_printf(r->arena, "unknown.%s", r->node->op_type), in, n, n_out,
                  nashc_arena_printf(r->arena, "domain=\"%s\" attributes=\"%s\"",
                                     nashc_quote(r->d, domain), nashc_quote(r->d, text)));
    if (!node)
        return onnx_build_status(r);
    for (int k = 0; k < n_out; k++) {
        onnx_sym *s = onnx_sym_find(r, r->node->output[k]);
        nashc_status st = onnx_set(r, k, nashc_node_out(node, k), s ? s->elem : 0);
        if (st)
            return st;
        nashc_type t;
        if (s && declared_type(r, s, &t))
            nashc_value_set_type(s->value, &t);
    }
    return NASHC_OK;
}

nashc_status
onnx_node_read(onnx_in *r, size_t i)
{
    const Onnx__NodeProto *n = r->g->node[i];
    const char *domain_name = n->domain ? n->domain : "";
    int since = 0;
    nashc_status s;

    r->node = n;
    r->node_i = (int)i;
    r->first_id = nashc_graph_max_id(r->graph);
    const char *label = n->name && *n->name ? n->name : n->n_output ? n->output[0] : "";
    nashc_loc loc = {.file = r->path, .name = label};
    nashc_build_loc(r->build, &loc);

    onnx_domain domain = domain_of(r, domain_name);
    r->version = domain == ONNX_STD ? r->opset : onnx_import_version(r, domain_name);
    if (!r->version)
        r->version = 1; /* a domain that is not imported, as old files have it */
    r->row = onnx_row_find(domain, n->op_type, r->version, &since);
    if (!r->row && !r->allow_unknown && domain != ONNX_FPGA)
        return unknown_error(r, domain_name, r->version, since);
    if (!r->row || (r->allow_unknown && r->row->flags & ONNX_R_FILE && !onnx_partition_near(r)))
        return read_unknown(r, domain_name);
    if (r->row->flags & ONNX_R_REFUSE)
        return onnx_unsup(r, "%s %s", n->op_type, r->row->attrs);
    if ((s = check_arity(r)))
        return s;
    for (size_t k = 0; k < n->n_attribute; k++)
        if ((s = check_attr(r, n->attribute[k])))
            return s;
    if ((s = check_operands(r)))
        return s;
    return r->row->read ? r->row->read(r) : read_plain(r);
}
