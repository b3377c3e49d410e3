/* node.c: one ONNX node: finding its row, checking it, and what its function may ask and build. */
#include "frontends/onnx/graph.h"
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    return !strcmp(name, "nashc") ? ONNX_VENDOR : ONNX_OTHER;
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
        switch (onnx_attr_type(a)) {
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
        if ((s = onnx_attr_check(r, n->attribute[k])))
            return s;
    if ((s = check_operands(r)))
        return s;
    return r->row->read ? r->row->read(r) : read_plain(r);
}

bool
onnx_partition_near(onnx_in *r)
{
    const char *location = onnx_attr_str(r, "model", "");

    return *location && *location != '/' && !strchr(location, '\\') && !strstr(location, "..");
}
