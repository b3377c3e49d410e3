/* attr_node.c: attributes of nodes as text: reading, copying, printing, setting. */
#include "ir/impl.h"
#include <inttypes.h>
#include <nashc/diag.h>
#include <stdio.h>
#include <string.h>

/* Attributes of its own for n, so far those it had: copy on write, as nodes start with the defaults
 * of their op, one array for all (ctx.c). The copy is flat: lists and strings that values point to
 * are never changed in place. */
static nashc_attr *
own_attrs(nashc_node *n)
{
    nashc_attr *v;

    if (n->flags & NASHC_NODE_OWN_ATTRS)
        return (nashc_attr *)n->attrs;
    v = NASHC_NEW_N(n->graph->module->arena, nashc_attr, n->n_attrs);
    if (!v)
        return NULL;
    if (n->n_attrs)
        memcpy(v, n->attrs, n->n_attrs * sizeof(*v));
    n->attrs = v;
    n->flags |= NASHC_NODE_OWN_ATTRS;
    return v;
}

/* Names of attributes may hold '-', which identifiers of the text do not, and no '.'. */
static size_t
key_len(const char *s)
{
    size_t n = 0;

    while ((s[n] >= '0' && s[n] <= '9') || (s[n] >= 'a' && s[n] <= 'z') ||
           (s[n] >= 'A' && s[n] <= 'Z') || s[n] == '_' || s[n] == '-')
        n++;
    return n;
}

/* Says which attribute was meant. The text goes to f and not to d: only the caller knows whether
 * there is a line to show under it. */
static nashc_status
unknown_attr(const nashc_node *n, const char *key, size_t len, nashc_attr_fault *f, nashc_diag *d)
{
    nashc_arena *a = n->graph->module->arena;
    const char **names = NASHC_NEW_N(a, const char *, n->n_attrs + 1);
    const char *name = nashc_arena_printf(a, "%.*s", len > 60 ? 60 : (int)len, key), *near = "";

    if (!names || !name)
        return NASHC_ENOMEM;
    for (uint32_t i = 0; i < n->n_attrs; i++)
        names[i] = n->op->attrs[i].name;
    if (d)
        near = nashc_nearest(d, name, names);
    snprintf(f->text, sizeof(f->text), "%s has no attribute \"%s\"%s%s", n->op->name, name,
             *near ? "; " : "", near);
    return NASHC_EINPUT;
}

/* One `key=value`; seen has a byte for each attribute. */
static nashc_status
parse_one(nashc_node *n, nashc_attr *v, uint8_t *seen, const char **text, nashc_attr_fault *f,
          nashc_diag *d)
{
    const char *key = *text, *s;
    size_t len = key_len(key);
    nashc_status status;
    char err[NASHC_ATTR_ERR];
    uint32_t i = 0;

    f->at = key;
    f->len = len ? (int)len : 1;
    if (!len || key[len] != '=') {
        f->at = key + len;
        f->len = 1;
        snprintf(f->text, sizeof(f->text), "expected %s",
                 len ? "= behind the name of the attribute" : "an attribute");
        return NASHC_EINPUT;
    }
    while (i < n->n_attrs &&
           (strlen(n->op->attrs[i].name) != len || memcmp(n->op->attrs[i].name, key, len) != 0))
        i++;
    if (i == n->n_attrs)
        return unknown_attr(n, key, len, f, d);
    if (seen[i]) {
        snprintf(f->text, sizeof(f->text), "attribute %s is given twice", n->op->attrs[i].name);
        return NASHC_EINPUT;
    }
    seen[i] = 1;
    s = key + len + 1;
    status = nashc_attr_parse(&n->op->attrs[i], &s, n->graph->module->arena, &v[i], err);
    *text = s;
    if (status) {
        size_t rest = strcspn(s, " \t\r\n");
        f->at = s;
        f->len = rest > 0 && rest < 60 ? (int)rest : 1;
        snprintf(f->text, sizeof(f->text), "attribute %s of %s: %.200s", n->op->attrs[i].name,
                 n->op->name, err);
    }
    return status;
}

nashc_status
nashc_node_parse_attrs(nashc_node *n, const char **text, nashc_attr_fault *f, nashc_diag *d)
{
    const char *start = *text, *s = start;
    uint8_t few[32] = {0}, *seen = few;
    nashc_attr *v = NULL;

    for (;;) {
        nashc_status status;
        while (*s == ' ' || *s == '\t' || *s == '\r')
            s++;
        if (!*s || *s == '\n' || *s == '!' || *s == '#')
            break;
        /* Only now: a node without attributes in its text keeps those all share. */
        if (!v) {
            v = own_attrs(n);
            if (n->n_attrs > sizeof(few))
                seen = nashc_arena_alloc(n->graph->module->arena, n->n_attrs);
            if (!v || !seen)
                return NASHC_ENOMEM;
        }
        status = parse_one(n, v, seen, &s, f, d);
        *text = s;
        if (status)
            return status;
    }
    *text = s;
    for (uint32_t i = 0; i < n->n_attrs; i++)
        if (!n->attrs[i].set) {
            f->at = start;
            f->len = 1;
            snprintf(f->text, sizeof(f->text), "%s lacks the attribute %s", n->op->name,
                     n->op->attrs[i].name);
            return NASHC_EINPUT;
        }
    return NASHC_OK;
}

/* What the value points to moves to arena a. */
static bool
copy_value(const nashc_param *p, nashc_attr *v, const nashc_attr *def, nashc_arena *a)
{
    size_t size = (size_t)v->n * sizeof(int64_t);
    nashc_type *t;
    void *list;

    if (!v->set)
        return true;
    switch (p->kind) {
    case NASHC_P_INTS:
    case NASHC_P_FLOATS:
        if (v->u.ints == def->u.ints)
            return true;
        list = nashc_arena_alloc(a, size);
        if (list && size)
            memcpy(list, v->u.ints, size);
        v->u.ints = list;
        return list != NULL;
    case NASHC_P_TYPE:
        if (v->u.type == def->u.type)
            return true;
        t = NASHC_NEW(a, nashc_type);
        if (t)
            *t = *v->u.type;
        v->u.type = t;
        return t != NULL;
    default:
        if (v->s && v->s != def->s)
            v->s = nashc_arena_strdup(a, v->s);
        return v->s || p->kind == NASHC_P_BOOL || p->kind == NASHC_P_INT ||
               p->kind == NASHC_P_FLOAT;
    }
}

/* Within a module the values are shared; across modules they move to the arena of n, as the other
 * module may go first. Those that point into the defaults stay: the context outlives both. */
nashc_status
nashc_node_copy_attrs(nashc_node *n, const nashc_node *from)
{
    const nashc_attr *defaults = n->attrs;
    nashc_attr *v;

    if (!(from->flags & NASHC_NODE_OWN_ATTRS) || !n->n_attrs)
        return NASHC_OK;
    v = own_attrs(n);
    if (!v)
        return NASHC_ENOMEM;
    for (uint32_t i = 0; i < n->n_attrs; i++) {
        v[i] = from->attrs[i];
        if (n->graph->module != from->graph->module &&
            !copy_value(&n->op->attrs[i], &v[i], &defaults[i], n->graph->module->arena))
            return NASHC_ENOMEM;
    }
    return NASHC_OK;
}

/* Attributes that have their default are not printed, so that there is one text for one node,
 * however it was made. */
void
nashc_node_print_attrs(const nashc_node *n, nashc_str *out)
{
    const nashc_op_info *info;

    if (!(n->flags & NASHC_NODE_OWN_ATTRS))
        return;
    info = nashc_op_schema(n->graph->module->x, n->op, NULL);
    for (uint32_t i = 0; info && i < n->n_attrs; i++) {
        const nashc_param *p = &n->op->attrs[i];
        if (nashc_attr_eq(p, &n->attrs[i], &info->defaults[i]) || !n->attrs[i].set)
            continue;
        nashc_str_putc(out, ' ');
        nashc_str_puts(out, p->name);
        nashc_str_putc(out, '=');
        nashc_attr_print(p, &n->attrs[i], out);
    }
    out->bad |= !info;
}

const char *
nashc_node_attr_text(const nashc_node *n, nashc_arena *a)
{
    nashc_str s = {0};
    const char *text;

    nashc_node_print_attrs(n, &s);
    text = s.bad ? NULL : nashc_arena_strdup(a, s.n ? s.data + 1 : "");
    nashc_str_free(&s);
    return text;
}

static nashc_status
find_attr(const nashc_node *n, const char *name, int *i, nashc_diag *d)
{
    nashc_attr_fault f;

    *i = nashc_attr_index(n, name);
    if (*i >= 0)
        return NASHC_OK;
    if (unknown_attr(n, name, strlen(name), &f, d) == NASHC_ENOMEM)
        return nashc_enomem(d);
    return nashc_node_error(d, n, "%s", f.text);
}

/* Counts as an edit only if the value differs: analyses that depend on attributes stay valid
 * otherwise. */
static nashc_status
store_attr(nashc_node *n, int i, const nashc_attr *value, nashc_diag *d)
{
    nashc_attr *v;

    if (nashc_attr_eq(&n->op->attrs[i], &n->attrs[i], value))
        return NASHC_OK;
    v = own_attrs(n);
    if (!v)
        return nashc_enomem(d);
    v[i] = *value;
    n->graph->edits.attrs++;
    return NASHC_OK;
}

nashc_status
nashc_node_set_attr(nashc_node *n, const char *name, const char *text, nashc_diag *d)
{
    char err[NASHC_ATTR_ERR];
    const char *s = text;
    nashc_status status;
    nashc_attr v;
    int i;

    status = find_attr(n, name, &i, d);
    if (status)
        return status;
    status = nashc_attr_parse(&n->op->attrs[i], &s, n->graph->module->arena, &v, err);
    if (status == NASHC_ENOMEM)
        return nashc_enomem(d);
    if (!status && *s) {
        snprintf(err, sizeof(err), "unexpected \"%.40s\" behind the value", s);
        status = NASHC_EINPUT;
    }
    if (status)
        return nashc_node_error(d, n, "attribute %s: %s", name, err);
    return store_attr(n, i, &v, d);
}

nashc_status
nashc_node_set_attr_int(nashc_node *n, const char *name, int64_t v, nashc_diag *d)
{
    char err[NASHC_ATTR_ERR];
    nashc_attr value = {.u.i = v, .set = true};
    nashc_status status;
    int i;

    status = find_attr(n, name, &i, d);
    if (status)
        return status;
    /* Other kinds go through text, which knows how each is checked; INT is the one that passes set
     * in numbers (pe, simd, depth), so it has a way without. */
    if (n->op->attrs[i].kind != NASHC_P_INT) {
        snprintf(err, sizeof(err), "%" PRId64, v);
        if (n->op->attrs[i].kind == NASHC_P_BOOL && (v == 0 || v == 1))
            return nashc_node_set_attr(n, name, v ? "true" : "false", d);
        return nashc_node_set_attr(n, name, err, d);
    }
    if (!nashc_attr_check(&n->op->attrs[i], &value, err))
        return nashc_node_error(d, n, "attribute %s: %s", name, err);
    return store_attr(n, i, &value, d);
}
