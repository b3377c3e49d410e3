/* functions.c: functions that a model brings, opened.
 *
 *     y = f(x, w; k=3)        f(a, b; k): t = Conv(a, b; kernel_shape=@k), c = Relu(t) -> c
 * becomes
 *     y:t = Conv(x, w; kernel_shape=3), y = Relu(y:t)
 *
 * Names of a body are local to a call, so each call gives them a prefix of its own: the name of the
 * calling node. Attributes of a body that refer to one of the function get what the call says, else
 * the function's default, else they are left out. The protobuf messages of the file are not
 * changed: what differs is a copy in the arena.
 */
#include "frontends/onnx/opening.h"
#include <inttypes.h>
#include <string.h>

enum { MAX_PREFIX = 64 };

const char *
onnx_or_empty(const char *s)
{
    return s ? s : "";
}

/* What a node is called: by its first result where it has no name. */
static const char *
name_of(const Onnx__NodeProto *n)
{
    return *onnx_or_empty(n->name) ? n->name
           : n->n_output           ? n->output[0]
                                   : onnx_or_empty(n->op_type);
}

/* --- functions of the file ----------------------------------------------------------------------
 */

static const char *
key(nashc_arena *a, const char *domain, const char *name, const char *overload)
{
    domain = !strcmp(onnx_or_empty(domain), "ai.onnx") ? "" : onnx_or_empty(domain);
    return nashc_arena_printf(a, "%s/%s/%s", domain, onnx_or_empty(name), onnx_or_empty(overload));
}

static nashc_status
list_functions(opening *o)
{
    const Onnx__ModelProto *m = o->r->model;

    o->functions = onnx_names_create(o->r->arena, m->n_functions);
    for (size_t i = 0; o->functions && i < m->n_functions; i++) {
        Onnx__FunctionProto *f = m->functions[i];
        const char *k = key(o->r->arena, f->domain, f->name, f->overload);
        if (!k)
            return nashc_enomem(o->r->d);
        if (onnx_names_get(o->functions, k))
            return nashc_error(o->r->d, &o->r->file, "two functions of the model are named \"%s\"",
                               nashc_quote(o->r->d, onnx_or_empty(f->name)));
        if (!onnx_names_put(o->functions, k, f))
            return nashc_enomem(o->r->d);
    }
    return o->functions ? NASHC_OK : nashc_enomem(o->r->d);
}

/* The function that n calls; NULL: none. */
static nashc_status
function_of(const opening *o, const Onnx__NodeProto *n, const Onnx__FunctionProto **f)
{
    const char *k = key(o->r->arena, n->domain, n->op_type, n->overload);

    *f = k ? onnx_names_get(o->functions, k) : NULL;
    return k ? NASHC_OK : nashc_enomem(o->r->d);
}

/* --- names ---------------------------------------------------------------------------------------
 */

/* name, or one with a number behind it that nothing else has. NULL: no memory. */
static const char *
fresh(opening *o, const char *name)
{
    const char *try = name;

    for (size_t k = o->n + o->n_scopes; try && onnx_names_get(o->taken, try); k++)
        try = nashc_arena_printf(o->r->arena, "%s_%zu", name, k);
    return try && onnx_names_put(o->taken, try, o) ?
    try : NULL
        ;
}

static bool
take(opening *o, const char *name)
{
    return !name || !*name || onnx_names_get(o->taken, name) || onnx_names_put(o->taken, name, o);
}

static nashc_status
take_names(opening *o)
{
    const Onnx__GraphProto *g = o->r->g;
    bool ok = (o->taken = onnx_names_create(o->r->arena, 2 * g->n_node + g->n_input)) != NULL;

    for (size_t i = 0; ok && i < g->n_input; i++)
        ok = take(o, g->input[i]->name);
    for (size_t i = 0; ok && i < g->n_initializer; i++)
        ok = take(o, g->initializer[i]->name);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; ok && k < g->node[i]->n_output; k++)
            ok = take(o, g->node[i]->output[k]);
    return ok ? NASHC_OK : nashc_enomem(o->r->d);
}

static bool
bind(const scope *c, const char *name, const char *actual)
{
    return onnx_names_put(c->actual, name, (void *)(uintptr_t)actual);
}

bool
onnx_scope_own(opening *o, const scope *c, const char *name)
{
    if (!*name || onnx_names_get(c->actual, name))
        return true;
    const char *actual = nashc_arena_printf(o->r->arena, "%s:%s", c->prefix, name);
    actual = actual ? fresh(o, actual) : NULL;
    return actual && bind(c, name, actual);
}

const char *
onnx_scope_name(opening *o, const scope *c, const char *name)
{
    const char *actual = *name ? onnx_names_get(c->actual, name) : name;

    if (actual)
        return actual;
    if (!c->f)
        return c->up ? onnx_scope_name(o, c->up, name) : name;
    return onnx_scope_own(o, c, name) ? onnx_names_get(c->actual, name) : NULL;
}

/* --- nodes ---------------------------------------------------------------------------------------
 */

nashc_status
onnx_open_append(opening *o, Onnx__NodeProto *n, const scope *c, const Onnx__FunctionProto *from)
{
    if (o->n == o->cap) {
        size_t cap = 2 * o->cap + 64;
        Onnx__NodeProto **node = NASHC_NEW_N(o->r->arena, Onnx__NodeProto *, cap);
        const Onnx__FunctionProto **origin =
            NASHC_NEW_N(o->r->arena, const Onnx__FunctionProto *, cap);
        onnx_guard **guard = NASHC_NEW_N(o->r->arena, onnx_guard *, cap);
        if (!node || !origin || !guard)
            return nashc_enomem(o->r->d);
        if (o->n) {
            memcpy(node, o->node, o->n * sizeof(*node));
            memcpy(origin, o->origin, o->n * sizeof(*origin));
            memcpy(guard, o->guard, o->n * sizeof(*guard));
        }
        o->node = node;
        o->origin = origin;
        o->guard = guard;
        o->cap = cap;
    }
    o->node[o->n] = n;
    o->guard[o->n] = c ? c->guard : NULL;
    o->origin[o->n++] = from;
    return NASHC_OK;
}

static char **
outside_all(opening *o, const scope *c, char *const *name, size_t n)
{
    char **out = NASHC_NEW_N(o->r->arena, char *, n + 1);

    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = (char *)(uintptr_t)onnx_scope_name(o, c, name[i])))
            return NULL;
    return out;
}

static Onnx__AttributeProto *
find_attribute(Onnx__AttributeProto *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->name && !strcmp(list[i]->name, name))
            return list[i];
    return NULL;
}

/* Attributes of a node of the body with what they refer to: of the function that it stands in. */
static bool
resolve_attributes(opening *o, const scope *c, Onnx__NodeProto *n)
{
    while (c && !c->f)
        c = c->up;
    if (!c)
        return true;
    Onnx__AttributeProto **own =
        NASHC_NEW_N(o->r->arena, Onnx__AttributeProto *, n->n_attribute + 1);
    size_t kept = 0;

    for (size_t i = 0; own && i < n->n_attribute; i++) {
        Onnx__AttributeProto *a = n->attribute[i], *value = a;
        const char *ref = onnx_or_empty(a->ref_attr_name);
        if (*ref) {
            value = find_attribute(c->node->attribute, c->node->n_attribute, ref);
            if (!value)
                value = find_attribute(c->f->attribute_proto, c->f->n_attribute_proto, ref);
            if (!value)
                continue;
            own[kept] = NASHC_NEW(o->r->arena, Onnx__AttributeProto);
            if (!own[kept])
                return false;
            *own[kept] = *value;
            own[kept]->name = a->name;
            value = own[kept];
        }
        own[kept++] = value;
    }
    n->attribute = own;
    n->n_attribute = kept;
    return own != NULL;
}

Onnx__NodeProto *
onnx_scope_node(opening *o, const scope *c, const Onnx__NodeProto *in)
{
    Onnx__NodeProto *n = NASHC_NEW(o->r->arena, Onnx__NodeProto);

    if (!n)
        return NULL;
    *n = *in;
    n->name = nashc_arena_printf(o->r->arena, "%s:%s", c->prefix, name_of(in));
    n->input = outside_all(o, c, in->input, in->n_input);
    n->output = outside_all(o, c, in->output, in->n_output);
    return n->name && n->input && n->output && resolve_attributes(o, c, n) ? n : NULL;
}

/* A result that is an operand, or another result: a node that passes it on. */
static nashc_status
pass_on(opening *o, const scope *c, const char *from, const char *to)
{
    Onnx__NodeProto *n = NASHC_NEW(o->r->arena, Onnx__NodeProto);
    char **name = NASHC_NEW_N(o->r->arena, char *, 2);

    if (!n || !name)
        return nashc_enomem(o->r->d);
    onnx__node_proto__init(n);
    name[0] = (char *)(uintptr_t)from;
    name[1] = (char *)(uintptr_t)to;
    n->op_type = (char *)(uintptr_t) "Identity";
    n->domain = n->name = (char *)(uintptr_t) "";
    n->n_input = n->n_output = 1;
    n->input = &name[0];
    n->output = &name[1];
    return onnx_open_append(o, n, c, c->f);
}

/* --- calls ---------------------------------------------------------------------------------------
 */

static nashc_status
scope_error(opening *o, const scope *c, const char *what)
{
    return nashc_error(o->r->d, &o->r->file, "node \"%s\": %s%s%s%s",
                       nashc_quote(o->r->d, c->prefix), c->f ? "function \"" : "a branch ",
                       c->f ? nashc_quote(o->r->d, onnx_or_empty(c->f->name)) : "",
                       c->f ? "\" of the model " : "", what);
}

nashc_status
onnx_scope_enter(opening *o, scope *c, const char *what, size_t n_names)
{
    c->depth = c->up ? c->up->depth + 1 : 1;
    c->guard = c->guard ? c->guard : c->up ? c->up->guard : NULL;
    o->n_scopes++;
    c->prefix =
        nashc_arena_printf(o->r->arena, "%.*s%s", MAX_PREFIX * c->depth, name_of(c->node), what);
    c->prefix = c->prefix ? fresh(o, c->prefix) : NULL;
    c->actual = c->prefix ? onnx_names_create(o->r->arena, n_names) : NULL;
    if (!c->actual)
        return nashc_enomem(o->r->d);
    if (c->depth > ONNX_MAX_NESTED)
        return scope_error(o, c, "is nested more than 64 deep");
    if (o->n_scopes > ONNX_MAX_OPENED || o->n > ONNX_MAX_OPENED + o->r->g->n_node)
        return scope_error(o, c, "makes the graph larger than 1048576 nodes");
    return NASHC_OK;
}

/* Is the call one that a file may have? */
static nashc_status
check_call(opening *o, const scope *c)
{
    for (const scope *up = c->up; up; up = up->up)
        if (up->f == c->f)
            return scope_error(o, c, "calls itself");
    if (c->node->n_input > c->f->n_input)
        return scope_error(o, c, "has fewer inputs than the node gives");
    if (c->node->n_output > c->f->n_output)
        return scope_error(o, c, "has fewer outputs than the node names");
    return NASHC_OK;
}

/* Operands and results of the call under the names that the body has for them. */
static nashc_status
bind_ends(opening *o, const scope *c)
{
    const Onnx__FunctionProto *f = c->f;

    for (size_t i = 0; i < f->n_input; i++) {
        if (!*f->input[i] || onnx_names_get(c->actual, f->input[i]))
            return scope_error(o, c, "has an input without a name of its own");
        if (!bind(c, f->input[i], i < c->node->n_input ? c->node->input[i] : ""))
            return nashc_enomem(o->r->d);
    }
    for (size_t i = 0; i < c->node->n_output; i++)
        if (*c->node->output[i] && *f->output[i] && !onnx_names_get(c->actual, f->output[i]) &&
            !bind(c, f->output[i], c->node->output[i]))
            return nashc_enomem(o->r->d);
    return NASHC_OK;
}

/* The body, and what passes on results that no node of it writes under their name. */
static nashc_status
open_call(opening *o, scope *c)
{
    nashc_status s = onnx_scope_enter(o, c, "", c->f->n_input + 2 * c->f->n_node);

    if (s || (s = check_call(o, c)) || (s = bind_ends(o, c)))
        return s;
    for (size_t i = 0; i < c->f->n_node; i++) {
        Onnx__NodeProto *n = onnx_scope_node(o, c, c->f->node[i]);
        if ((s = n ? onnx_open_add(o, n, c, c->f) : nashc_enomem(o->r->d)))
            return s;
    }
    for (size_t i = 0; i < c->node->n_output; i++) {
        const char *to = c->node->output[i], *from = onnx_scope_name(o, c, c->f->output[i]);
        if (!from)
            return nashc_enomem(o->r->d);
        if (*to && strcmp(from, to) && (s = pass_on(o, c, from, to)))
            return s;
    }
    return NASHC_OK;
}

nashc_status
onnx_open_add(opening *o, Onnx__NodeProto *n, const scope *up, const Onnx__FunctionProto *from)
{
    scope c = {.up = up, .node = n};
    nashc_status s = function_of(o, n, &c.f);

    if (s)
        return s;
    return c.f                    ? open_call(o, &c)
           : onnx_has_branches(n) ? onnx_open_branches(o, n, up, from)
                                  : onnx_open_append(o, n, up, from);
}

/* Is there anything to open? */
static bool
is_nested(const nashc_onnx_in *r)
{
    bool found = r->model->n_functions > 0;

    for (size_t i = 0; !found && i < r->g->n_node; i++)
        found = onnx_has_branches(r->g->node[i]);
    return found;
}

nashc_status
onnx_functions_open(nashc_onnx_in *r)
{
    opening o = {.r = r};
    nashc_status s;

    if (!is_nested(r))
        return NASHC_OK;
    Onnx__GraphProto *g = NASHC_NEW(r->arena, Onnx__GraphProto);
    if (!g)
        return nashc_enomem(r->d);
    if ((s = list_functions(&o)) || (s = take_names(&o)))
        return s;
    for (size_t i = 0; i < r->g->n_node; i++)
        if ((s = onnx_open_add(&o, r->g->node[i], NULL, NULL)))
            return s;
    *g = *r->g;
    g->n_node = o.n;
    g->node = o.node;
    r->g = g;
    r->origin = o.origin;
    r->guard = o.guard;
    return NASHC_OK;
}
