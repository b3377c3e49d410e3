/* node.c: one ONNX node: finding its row, checking it, and what needs no function of its own. */
#include "frontends/onnx/graph.h"
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <string.h>

/* The domain of the node's row. "finn", which old files have for all of FINN's operators, is the
 * one of its layers where the attribute says so. */
static const char *
domain_of(const nashc_onnx_in *r, const char *name)
{
    if (!strcmp(name, "finn")) {
        const Onnx__AttributeProto *a = onnx_attr(r, "backend");
        bool hardware = a && a->s.len == 12 && !memcmp(a->s.data, "fpgadataflow", 12);
        return hardware ? ONNX_DOMAIN_FINN : ONNX_DOMAIN_QONNX;
    }
    return onnx_domain_of(name);
}

/* since: first version that has the operator; 0: none has. */
static nashc_status
unknown_error(nashc_onnx_in *r, int since)
{
    const char *type = nashc_quote(r->d, r->node->op_type), *domain = nashc_onnx_domain(r);

    if (since)
        return nashc_onnx_error(r,
                                "operator %s is part of opset %d and later, the file imports "
                                "%" PRId64,
                                type, since, r->version);
    if (*domain)
        nashc_onnx_unsup(r, "unknown operator %s.%s", nashc_quote(r->d, domain), type);
    else
        nashc_onnx_unsup(r, "unknown operator '%s' (opset %" PRId64 ")", type, r->version);
    const char *lead = "a plugin may bring it";
    if (!onnx_rows_has_domain(r->rows, domain_of(r, domain)))
        lead = nashc_arena_printf(
            r->arena, "no operator of the domain \"%s\" is known; a plugin may bring them",
            nashc_quote(r->d, domain));
    nashc_help(
        r->d, "%s (--load-plugin); allow-unknown=true of the onnx frontend keeps it for inspection",
        lead);
    return NASHC_EUNSUP;
}

/* Outputs may be fewer than the row has: those at the end are left out. */
static nashc_status
check_arity(nashc_onnx_in *r)
{
    const nashc_onnx_row *row = r->row;
    int n = nashc_onnx_n_in(r);

    if (n < row->min_in || (row->max_in >= 0 && n > row->max_in)) {
        if (row->max_in < 0)
            return nashc_onnx_error(r, "%d inputs, at least %d expected", n, row->min_in);
        if (row->min_in == row->max_in)
            return nashc_onnx_error(r, "%d inputs, %d expected", n, row->min_in);
        return nashc_onnx_error(r, "%d inputs, %d to %d expected", n, row->min_in, row->max_in);
    }
    for (int i = 0; i < n; i++)
        if ((i < row->min_in || row->max_in < 0) && !*r->node->input[i])
            return nashc_onnx_error(r, "input %d is left out, but is required", i);
    if ((int)r->node->n_output > row->max_out)
        return nashc_onnx_error(r, "%zu outputs, at most %d expected", r->node->n_output,
                                row->max_out);
    return NASHC_OK;
}

/* The standard has one type variable T for all of them; broadcasting mixes shapes, never element
 * types. */
static nashc_status
check_operands(nashc_onnx_in *r)
{
    int first = 0;

    for (int i = 0; i < nashc_onnx_n_in(r); i++) {
        const onnx_sym *s = onnx_in_sym(r, i);
        if (!s || !onnx_elem_get(s->elem)->bits)
            continue; /* reading it says what is wrong */
        if (r->row->flags & NASHC_ONNX_SAME && first && s->elem != first)
            return nashc_onnx_error(r,
                                    "input 0 is %s, input \"%s\" is %s; they must be of one type",
                                    nashc_onnx_elem_name(first), nashc_onnx_in_name(r, i),
                                    nashc_onnx_elem_name(s->elem));
        first = first ? first : s->elem;
    }
    return NASHC_OK;
}

/* Results as those of the IR operator. */
static nashc_status
set_results(nashc_onnx_in *r, nashc_value **in, int n, const char *attrs)
{
    int n_out = (int)r->node->n_output, elem = nashc_onnx_in_elem(r, 0);
    nashc_status s = NASHC_OK;

    if (n_out <= 1)
        return nashc_onnx_set(
            r, 0, nashc_onnx_op(r, r->row->op, in, n, *attrs ? "%s" : NULL, attrs), elem);
    nashc_node *node = nashc_onnx_node(r, r->row->op, in, n, n_out, attrs);
    for (int k = 0; node && !s && k < n_out; k++)
        s = nashc_onnx_set(r, k, nashc_node_out(node, k), elem);
    return node ? s : nashc_onnx_status(r);
}

/* Attributes and operands as they are. */
static nashc_status
read_plain(nashc_onnx_in *r)
{
    int n = nashc_onnx_n_in(r);
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);

    if (!in)
        return nashc_enomem(r->d);
    for (int i = 0; i < n; i++) {
        in[i] = nashc_onnx_in_value(r, i);
        if (!in[i] && onnx_in_sym(r, i))
            return nashc_onnx_status(r);
    }
    return set_results(r, in, n, onnx_copied_attrs(r));
}

/* What the file declares about a result that no rule can infer: a static shape, and the annotated
 * datatype. */
static bool
declared_type(nashc_onnx_in *r, onnx_sym *s, nashc_type *out)
{
    const Onnx__TypeProto__Tensor *t = NULL;

    for (size_t i = 0; i < r->g->n_value_info + r->g->n_output && !t; i++) {
        const Onnx__ValueInfoProto *v =
            i < r->g->n_value_info ? r->g->value_info[i] : r->g->output[i - r->g->n_value_info];
        if (v->name && !strcmp(v->name, s->name) && v->type)
            t = v->type->tensor_type;
    }
    if (!t || !t->shape || t->shape->n_dim > NASHC_MAX_RANK ||
        !nashc_onnx_elem_type(t->elem_type, out))
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

/* Value of an attribute as text; what is too much for a line is "...". */
static const char *
attr_text(nashc_onnx_in *r, const Onnx__AttributeProto *a)
{
    switch (onnx_attr_type(a)) {
    case 1:
        return nashc_arena_printf(r->arena, "%.9g", (double)a->f);
    case 2:
        return nashc_arena_printf(r->arena, "%" PRId64, a->i);
    case 3:
        return nashc_quote(r->d, nashc_onnx_attr_str(r, a->name, ""));
    case 7:
        return nashc_onnx_ints(r, a->ints, (int)(a->n_ints > 64 ? 64 : a->n_ints));
    default:
        return "...";
    }
}

static const char *
attrs_text(nashc_onnx_in *r)
{
    const char *text = "";

    for (size_t i = 0; i < r->node->n_attribute; i++) {
        const Onnx__AttributeProto *a = r->node->attribute[i];
        const char *value = attr_text(r, a);
        text = nashc_arena_printf(r->arena, "%s%s%s=%s", text, i ? " " : "",
                                  nashc_quote(r->d, a->name ? a->name : ""), value);
    }
    return text;
}

/* Keeps a node that nobody knows: unknown.<Name> with its attributes as text. */
static nashc_status
read_unknown(nashc_onnx_in *r)
{
    static const nashc_onnx_row row = {.name = "", .flags = NASHC_ONNX_INF};
    int n = (int)r->node->n_input, n_out = (int)r->node->n_output;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, n + 1);

    r->row = &row;
    for (int i = 0; in && i < n; i++)
        in[i] = nashc_onnx_in_value(r, i);
    const char *text = attrs_text(r);
    nashc_node *node = nashc_onnx_node(
        r, nashc_arena_printf(r->arena, "unknown.%s", r->node->op_type), in, n, n_out,
        nashc_arena_printf(r->arena, "domain=\"%s\" attributes=\"%s\"",
                           nashc_quote(r->d, nashc_onnx_domain(r)), nashc_quote(r->d, text)));
    if (!node)
        return nashc_onnx_status(r);
    for (int k = 0; k < n_out; k++) {
        onnx_sym *s = onnx_sym_find(r, r->node->output[k]);
        nashc_status st = nashc_onnx_set(r, k, nashc_node_out(node, k), s ? s->elem : 0);
        if (st)
            return st;
        nashc_type t;
        if (s && declared_type(r, s, &t))
            nashc_value_set_type(s->value, &t);
    }
    return NASHC_OK;
}

/* Does the node name a file that may lie below the model's folder? */
static bool
file_near(nashc_onnx_in *r)
{
    const char *location = nashc_onnx_attr_str(r, "model", "");

    return *location && *location != '/' && !strchr(location, '\\') && !strstr(location, "..");
}

/* What the row promises its function about the node. */
static nashc_status
check(nashc_onnx_in *r)
{
    nashc_status s = check_arity(r);

    for (size_t k = 0; !s && k < r->node->n_attribute; k++)
        s = onnx_attr_check(r, r->node->attribute[k]);
    return s ? s : check_operands(r);
}

/* A function of a plugin may forget what its row promises; say so here, where the node is known. */
static nashc_status
check_results(nashc_onnx_in *r)
{
    if (r->failed)
        return nashc_onnx_status(r);
    for (int k = 0; k < (int)r->node->n_output; k++) {
        const onnx_sym *s = nashc_onnx_out_used(r, k) ? onnx_sym_find(r, r->node->output[k]) : NULL;
        if (s && !s->value && !s->tensor && !s->empty && !s->part)
            return nashc_onnx_error(r, "the function of row %s-%d has not set output %d",
                                    r->row->name, (int)r->row->since, k);
    }
    return NASHC_OK;
}

/* Also finds its row; *since as for onnx_rows_find. */
static void
enter(nashc_onnx_in *r, size_t i, int *since)
{
    const Onnx__NodeProto *n = r->node = r->g->node[i];
    const char *label = n->name && *n->name ? n->name : n->n_output ? n->output[0] : "";
    nashc_loc loc = {.file = r->path, .name = label};

    r->node_i = (int)i;
    r->first_id = nashc_graph_max_id(r->graph);
    nashc_build_loc(r->build, &loc);
    const char *domain = domain_of(r, nashc_onnx_domain(r));
    r->version = onnx_import_version(r, r->node_i,
                                     strcmp(domain, ONNX_DOMAIN_STD) ? nashc_onnx_domain(r) : "");
    if (!r->version)
        r->version = 1; /* a domain that is not imported, as old files have it */
    r->row = onnx_rows_find(r->rows, domain, n->op_type, r->version, since);
}

void
onnx_node_enter(nashc_onnx_in *r, size_t i)
{
    int since;

    enter(r, i, &since);
}

nashc_status
onnx_node_read(nashc_onnx_in *r, size_t i)
{
    int since = 0;
    nashc_status s;

    enter(r, i, &since);
    if (!r->row && !r->allow_unknown)
        return unknown_error(r, since);
    if (!r->row || r->row->flags & NASHC_ONNX_KEEP ||
        (r->allow_unknown && r->row->flags & NASHC_ONNX_FILE && !file_near(r)))
        return read_unknown(r);
    if (r->row->flags & NASHC_ONNX_REFUSE)
        return nashc_onnx_unsup(r, "%s %s", r->node->op_type, r->row->attrs);
    if ((s = check(r)))
        return s;
    s = r->row->read ? r->row->read(r) : read_plain(r);
    return s ? s : check_results(r);
}
