/* branches.c: the branches of an If, of which the condition chooses one while the file is read.
 *
 *     y = If(c; then: t = Relu(x) -> t, else: e = Neg(x) -> e)
 * becomes
 *     y:then:t = Relu(x)  guarded by c;  y:else:e = Neg(x)  guarded by not c
 *     y = If(c, y:then:t, y:else:e)
 *
 * Conditions follow from constants, shapes and attributes, so they are known when the nodes behind
 * them are read, but not before. A guarded node is read after its condition, and only if that lets
 * it through: what is not taken may even be wrong, as a Squeeze of an axis that is not 1.
 */
#include "frontends/onnx/opening.h"
#include <string.h>

static const Onnx__GraphProto *
branch_of(const Onnx__NodeProto *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (!strcmp(onnx_or_empty(n->attribute[i]->name), name))
            return n->attribute[i]->g;
    return NULL;
}

bool
onnx_has_branches(const Onnx__NodeProto *n)
{
    const char *domain = onnx_or_empty(n->domain);
    return !strcmp(onnx_or_empty(n->op_type), "If") && (!*domain || !strcmp(domain, "ai.onnx")) &&
           n->n_input == 1 && branch_of(n, "then_branch") && branch_of(n, "else_branch");
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* An initialiser of a branch as a Constant of the graph. */
static nashc_status
append_constant(opening *o, const scope *c, const Onnx__TensorProto *t,
                const Onnx__FunctionProto *from)
{
    Onnx__NodeProto *n = NASHC_NEW(o->r->arena, Onnx__NodeProto);
    Onnx__AttributeProto *value = NASHC_NEW(o->r->arena, Onnx__AttributeProto);
    char **name = NASHC_NEW_N(o->r->arena, char *, 1);
    Onnx__AttributeProto **list = NASHC_NEW_N(o->r->arena, Onnx__AttributeProto *, 1);

    if (!n || !value || !name || !list)
        return nashc_enomem(o->r->d);
    onnx__node_proto__init(n);
    onnx__attribute_proto__init(value);
    name[0] = (char *)(uintptr_t)onnx_scope_name(o, c, t->name);
    value->name = (char *)(uintptr_t) "value";
    value->t = (Onnx__TensorProto *)(uintptr_t)t;
    list[0] = value;
    n->op_type = (char *)(uintptr_t) "Constant";
    n->name = name[0];
    n->domain = (char *)(uintptr_t) "";
    n->output = name;
    n->attribute = list;
    n->n_output = n->n_attribute = 1;
    return onnx_open_append(o, n, c, from);
}

static nashc_status
branch_error(opening *o, const scope *c, const char *what)
{
    return nashc_error(o->r->d, &o->r->file, "node \"%s\": %s", nashc_quote(o->r->d, c->prefix),
                       what);
}

/* Names that the branch defines are its own, whatever else has them. */
static nashc_status
own_names(opening *o, const scope *c, const Onnx__GraphProto *g)
{
    bool ok = true;

    if (g->n_input)
        return branch_error(o, c, "a branch has inputs");
    if (g->n_sparse_initializer)
        return branch_error(o, c, "a branch has sparse initialisers; store them dense");
    for (size_t i = 0; i < g->n_initializer; i++)
        if (!*onnx_or_empty(g->initializer[i]->name))
            return branch_error(o, c, "a branch has an initialiser without a name");
    for (size_t i = 0; ok && i < g->n_initializer; i++)
        ok = onnx_scope_own(o, c, g->initializer[i]->name);
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; ok && k < g->node[i]->n_output; k++)
            ok = onnx_scope_own(o, c, g->node[i]->output[k]);
    return ok ? NASHC_OK : nashc_enomem(o->r->d);
}

/* The nodes of branch g of n; result[k] becomes the name of its output k. */
static nashc_status
open_branch(opening *o, scope *c, const Onnx__GraphProto *g, char **result,
            const Onnx__FunctionProto *from)
{
    nashc_status s =
        onnx_scope_enter(o, c, c->guard->then ? ":then" : ":else", g->n_initializer + g->n_node);

    if (!s && g->n_output != c->node->n_output)
        s = branch_error(o, c, "the node has another number of outputs than its branch");
    if (s || (s = own_names(o, c, g)))
        return s;
    for (size_t i = 0; i < g->n_initializer; i++)
        if ((s = append_constant(o, c, g->initializer[i], from)))
            return s;
    for (size_t i = 0; i < g->n_node; i++) {
        Onnx__NodeProto *n = onnx_scope_node(o, c, g->node[i]);
        if ((s = n ? onnx_open_add(o, n, c, from) : nashc_enomem(o->r->d)))
            return s;
    }
    for (size_t k = 0; k < g->n_output; k++) {
        const char *name = onnx_scope_name(o, c, onnx_or_empty(g->output[k]->name));
        if (!name)
            return nashc_enomem(o->r->d);
        result[k] = (char *)(uintptr_t)name;
    }
    return NASHC_OK;
}

nashc_status
onnx_open_branches(opening *o, const Onnx__NodeProto *n, const scope *up,
                   const Onnx__FunctionProto *from)
{
    Onnx__NodeProto *chooser = NASHC_NEW(o->r->arena, Onnx__NodeProto);
    char **in = NASHC_NEW_N(o->r->arena, char *, 1 + 2 * n->n_output);
    onnx_guard *guard[2];
    nashc_status s;

    if (!chooser || !in)
        return nashc_enomem(o->r->d);
    in[0] = n->input[0];
    for (int k = 0; k < 2; k++) {
        scope c = {.up = up, .node = n};
        c.guard = guard[k] = NASHC_NEW(o->r->arena, onnx_guard);
        if (!c.guard)
            return nashc_enomem(o->r->d);
        *guard[k] = (onnx_guard){.up = up ? up->guard : NULL, .then = k == 0, .condition = in[0]};
        s = open_branch(o, &c, branch_of(n, k ? "else_branch" : "then_branch"),
                        in + 1 + (size_t)k * n->n_output, from);
        if (s)
            return s;
    }
    guard[0]->chooser = guard[1]->chooser = o->n;
    *chooser = *n;
    chooser->input = in;
    chooser->n_input = 1 + 2 * n->n_output;
    chooser->n_attribute = 0;
    return onnx_open_append(o, chooser, up, from);
}

/* --- choosing -----------------------------------------------------------------------------------
 */

/* What the condition of the node at hand says. */
nashc_status
onnx_if_condition(nashc_onnx_in *r, bool *holds)
{
    const nashc_tensor *t = nashc_onnx_in_param(r, 0);

    if (r->failed)
        return nashc_onnx_status(r);
    if (!t) {
        nashc_onnx_unsup(r,
                         "its condition \"%s\" depends on the data: hardware has one of the "
                         "branches",
                         nashc_onnx_in_name(r, 0));
        nashc_help(r->d, "conditions may follow from constants, shapes and attributes; Where "
                         "chooses between two tensors by the data");
        return NASHC_EUNSUP;
    }
    if (nashc_tensor_count(t) != 1)
        return nashc_onnx_error(r, "its condition \"%s\" has more than one element",
                                nashc_onnx_in_name(r, 0));
    *holds = nashc_tensor_get(t, 0) != 0;
    return NASHC_OK;
}

/* From the outermost one on: what is behind a closed one need not have a condition. */
static nashc_status
decide(nashc_onnx_in *r, onnx_guard *g)
{
    bool holds;
    nashc_status s;

    if (g->state != ONNX_GUARD_OPEN && g->state != ONNX_GUARD_CLOSED) {
        if (g->up && (s = decide(r, g->up)))
            return s;
        g->state = ONNX_GUARD_CLOSED;
        if (g->up && g->up->state == ONNX_GUARD_CLOSED)
            return NASHC_OK;
        onnx_node_enter(r, g->chooser);
        if ((s = onnx_if_condition(r, &holds)))
            return s;
        g->state = holds == g->then ? ONNX_GUARD_OPEN : ONNX_GUARD_CLOSED;
    }
    return NASHC_OK;
}

nashc_status
onnx_node_taken(nashc_onnx_in *r, size_t i, bool *taken)
{
    onnx_guard *g = r->guard ? r->guard[i] : NULL;
    nashc_status s = g ? decide(r, g) : NASHC_OK;

    *taken = !s && (!g || g->state == ONNX_GUARD_OPEN);
    return s;
}
