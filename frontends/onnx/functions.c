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
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_OPENED = 1 << 20, MAX_PREFIX = 64 };

/* The graph that comes out, and what is known of the file. */
typedef struct opening {
    nashc_onnx_in *r;
    onnx_names *functions; /* "domain/name/overload" to Onnx__FunctionProto */
    onnx_names *taken;     /* tensor names and prefixes in use */
    Onnx__NodeProto **node;
    const Onnx__FunctionProto **origin;
    size_t n, cap, n_calls;
} opening;

/* One node that calls a function, inside of another call or at the top. */
typedef struct call {
    const struct call *up;
    const Onnx__FunctionProto *f;
    const Onnx__NodeProto *node; /* with its own references resolved */
    const char *prefix;
    onnx_names *actual; /* names of the body to names outside */
    int depth;
} call;

static const char *
text(const char *s)
{
    return s ? s : "";
}

/* --- functions of the file ----------------------------------------------------------------------
 */

static const char *
key(nashc_arena *a, const char *domain, const char *name, const char *overload)
{
    domain = !strcmp(text(domain), "ai.onnx") ? "" : text(domain);
    return nashc_arena_printf(a, "%s/%s/%s", domain, text(name), text(overload));
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
                               nashc_quote(o->r->d, text(f->name)));
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

    for (size_t k = o->n + o->n_calls; try && onnx_names_get(o->taken, try); k++)
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
bind(call *c, const char *name, const char *actual)
{
    return onnx_names_put(c->actual, name, (void *)(uintptr_t)actual);
}

/* What name of the body is outside: an operand or result of the call, else a name of its own. */
static const char *
outside(opening *o, call *c, const char *name)
{
    const char *actual = *name ? onnx_names_get(c->actual, name) : name;

    if (actual)
        return actual;
    actual = nashc_arena_printf(o->r->arena, "%s:%s", c->prefix, name);
    actual = actual ? fresh(o, actual) : NULL;
    return actual && bind(c, name, actual) ? actual : NULL;
}

/* --- nodes ---------------------------------------------------------------------------------------
 */

static nashc_status
append(opening *o, Onnx__NodeProto *n, const Onnx__FunctionProto *f)
{
    if (o->n == o->cap) {
        size_t cap = 2 * o->cap + 64;
        Onnx__NodeProto **node = NASHC_NEW_N(o->r->arena, Onnx__NodeProto *, cap);
        const Onnx__FunctionProto **origin =
            NASHC_NEW_N(o->r->arena, const Onnx__FunctionProto *, cap);
        if (!node || !origin)
            return nashc_enomem(o->r->d);
        if (o->n) {
            memcpy(node, o->node, o->n * sizeof(*node));
            memcpy(origin, o->origin, o->n * sizeof(*origin));
        }
        o->node = node;
        o->origin = origin;
        o->cap = cap;
    }
    o->node[o->n] = n;
    o->origin[o->n++] = f;
    return NASHC_OK;
}

static char **
outside_all(opening *o, call *c, char *const *name, size_t n)
{
    char **out = NASHC_NEW_N(o->r->arena, char *, n + 1);

    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = (char *)(uintptr_t)outside(o, c, name[i])))
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

/* Attributes of a node of the body with what they refer to. */
static bool
resolve_attributes(opening *o, const call *c, Onnx__NodeProto *n)
{
    Onnx__AttributeProto **own =
        NASHC_NEW_N(o->r->arena, Onnx__AttributeProto *, n->n_attribute + 1);
    size_t kept = 0;

    for (size_t i = 0; own && i < n->n_attribute; i++) {
        Onnx__AttributeProto *a = n->attribute[i], *value = a;
        const char *ref = text(a->ref_attr_name);
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

/* Node i of the body, as it is outside. NULL: no memory. */
static Onnx__NodeProto *
copy_node(opening *o, call *c, size_t i)
{
    const Onnx__NodeProto *in = c->f->node[i];
    Onnx__NodeProto *n = NASHC_NEW(o->r->arena, Onnx__NodeProto);

    if (!n)
        return NULL;
    *n = *in;
    const char *name = *text(in->name) ? in->name
                       : in->n_output  ? in->output[0]
                                       : text(in->op_type);
    n->name = nashc_arena_printf(o->r->arena, "%s:%s", c->prefix, name);
    n->input = outside_all(o, c, in->input, in->n_input);
    n->output = outside_all(o, c, in->output, in->n_output);
    return n->name && n->input && n->output && resolve_attributes(o, c, n) ? n : NULL;
}

/* A result that is an operand, or another result: a node that passes it on. */
static nashc_status
pass_on(opening *o, const call *c, const char *from, const char *to)
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
    return append(o, n, c->f);
}

/* --- calls ---------------------------------------------------------------------------------------
 */

static nashc_status
call_error(opening *o, const call *c, const char *what)
{
    return nashc_error(o->r->d, &o->r->file, "node \"%s\": function \"%s\" of the model %s",
                       nashc_quote(o->r->d, c->prefix), nashc_quote(o->r->d, text(c->f->name)),
                       what);
}

/* Is the call one that a file may have? */
static nashc_status
check_call(opening *o, const call *c)
{
    for (const call *up = c->up; up; up = up->up)
        if (up->f == c->f)
            return call_error(o, c, "calls itself");
    if (c->depth > MAX_DEPTH)
        return call_error(o, c, "is nested more than 64 deep");
    if (o->n_calls > MAX_OPENED || o->n > MAX_OPENED + o->r->g->n_node)
        return call_error(o, c, "makes the graph larger than 1048576 nodes");
    if (c->node->n_input > c->f->n_input)
        return call_error(o, c, "has fewer inputs than the node gives");
    if (c->node->n_output > c->f->n_output)
        return call_error(o, c, "has fewer outputs than the node names");
    return NASHC_OK;
}

/* Operands and results of the call under the names that the body has for them. */
static nashc_status
bind_ends(opening *o, call *c)
{
    const Onnx__FunctionProto *f = c->f;

    for (size_t i = 0; i < f->n_input; i++) {
        if (!*f->input[i] || onnx_names_get(c->actual, f->input[i]))
            return call_error(o, c, "has an input without a name of its own");
        if (!bind(c, f->input[i], i < c->node->n_input ? c->node->input[i] : ""))
            return nashc_enomem(o->r->d);
    }
    for (size_t i = 0; i < c->node->n_output; i++)
        if (*c->node->output[i] && *f->output[i] && !onnx_names_get(c->actual, f->output[i]) &&
            !bind(c, f->output[i], c->node->output[i]))
            return nashc_enomem(o->r->d);
    return NASHC_OK;
}

static nashc_status add(opening *o, Onnx__NodeProto *n, const call *up,
                        const Onnx__FunctionProto *from);

/* The body, and what passes on results that no node of it writes under their name. */
static nashc_status
open_call(opening *o, call *c)
{
    nashc_status s = check_call(o, c);

    c->actual = s ? NULL : onnx_names_create(o->r->arena, c->f->n_input + 2 * c->f->n_node);
    if (s || (s = c->actual ? bind_ends(o, c) : nashc_enomem(o->r->d)))
        return s;
    for (size_t i = 0; i < c->f->n_node; i++) {
        Onnx__NodeProto *n = copy_node(o, c, i);
        if ((s = n ? add(o, n, c, c->f) : nashc_enomem(o->r->d)))
            return s;
    }
    for (size_t i = 0; i < c->node->n_output; i++) {
        const char *to = c->node->output[i], *from = outside(o, c, c->f->output[i]);
        if (!from)
            return nashc_enomem(o->r->d);
        if (*to && strcmp(from, to) && (s = pass_on(o, c, from, to)))
            return s;
    }
    return NASHC_OK;
}

/* n as it is, or what it calls. from: the function whose body it is of; NULL: none. */
static nashc_status
add(opening *o, Onnx__NodeProto *n, const call *up, const Onnx__FunctionProto *from)
{
    call c = {.up = up, .node = n, .depth = up ? up->depth + 1 : 1};
    nashc_status s = function_of(o, n, &c.f);

    if (s || !c.f)
        return s ? s : append(o, n, from);
    const char *name = *text(n->name) ? n->name : n->n_output ? n->output[0] : text(n->op_type);
    o->n_calls++;
    c.prefix = nashc_arena_printf(o->r->arena, "%.*s", MAX_PREFIX * c.depth, name);
    c.prefix = c.prefix ? fresh(o, c.prefix) : NULL;
    return c.prefix ? open_call(o, &c) : nashc_enomem(o->r->d);
}

nashc_status
onnx_functions_open(nashc_onnx_in *r)
{
    opening o = {.r = r};
    nashc_status s;

    if (!r->model->n_functions)
        return NASHC_OK;
    Onnx__GraphProto *g = NASHC_NEW(r->arena, Onnx__GraphProto);
    if (!g)
        return nashc_enomem(r->d);
    if ((s = list_functions(&o)) || (s = take_names(&o)))
        return s;
    for (size_t i = 0; i < r->g->n_node; i++)
        if ((s = add(&o, r->g->node[i], NULL, NULL)))
            return s;
    *g = *r->g;
    g->n_node = o.n;
    g->node = o.node;
    r->g = g;
    r->origin = o.origin;
    return NASHC_OK;
}
