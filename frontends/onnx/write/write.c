/* write.c: the ONNX backend: a module as one ONNX file that Netron, QONNX and nashc read.
 *
 * Operators of QONNX's domains are used where they say what the IR says; the domain "nashc" keeps
 * what no other has. Called graphs are written in place of their call.
 */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_OPSET = 17, MAX_CALLS = 16 };

static nashc_status write_graph(onnx_out *o, const nashc_graph *g, int depth);

static onnx_scope *
open_scope(onnx_out *o, const nashc_graph *g, const char *prefix)
{
    onnx_scope *s = NASHC_NEW(o->arena, onnx_scope);

    if (!s)
        return NULL;
    s->graph = g;
    s->prefix = prefix;
    s->caller = o->scope;
    s->values = NASHC_NEW_N(o->arena, onnx_value, nashc_graph_max_id(g) + 1);
    return s->values ? s : NULL;
}

/* The nodes of the called graph, whose inputs are the operands and whose outputs the results. */
static nashc_status
write_call(onnx_out *o, const nashc_node *n, int depth)
{
    const nashc_graph *g = nashc_module_graph(o->module, nashc_node_str(n, "graph"));
    onnx_scope *caller = o->scope, *scope;
    nashc_status s;

    if (!g || depth == MAX_CALLS)
        return nashc_node_unsup(o->d, n, "calls nest more than %d deep", MAX_CALLS);
    scope = open_scope(o, g, nashc_arena_printf(o->arena, "%s/", nashc_graph_name(g)));
    if (!scope)
        return nashc_enomem(o->d);
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        onnx_value *to = &scope->values[nashc_value_id(nashc_graph_input(g, i))];
        to->elem = onnx_elem_of(o, v);
        to->name = onnx_use(o, v, 0);
    }
    o->scope = scope;
    s = write_graph(o, g, depth + 1);
    for (int i = 0; !s && i < nashc_graph_n_outputs(g); i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        const char *name = onnx_use(o, v, 0);
        int elem = onnx_elem_of(o, v);
        o->scope = caller;
        o->node = n;
        onnx_emit1(o, "Identity", name, NULL, NULL, onnx_define(o, nashc_node_out(n, i), elem));
        o->scope = scope;
    }
    o->scope = caller;
    return s;
}

static nashc_status
write_graph(onnx_out *o, const nashc_graph *g, int depth)
{
    NASHC_EACH_NODE(g, n)
    {
        nashc_status s = nashc_node_is(n, "call") ? write_call(o, n, depth) : onnx_write_node(o, n);
        if (s)
            return s;
    }
    return NASHC_OK;
}

/* Container of a graph input or output: as the file had it that the module was read from, where it
 * still fits. */
static int
interface_elem(const onnx_out *o, const char *name, const nashc_type *t)
{
    const char *meta = nashc_module_meta(o->module, nashc_arena_printf(o->arena, "elem.%s", name));
    nashc_type elem;

    for (int e = 1; meta && e < NASHC_ONNX_ELEM_COUNT; e++)
        if (!strcmp(nashc_onnx_elem_name(e), meta) && nashc_onnx_elem_is_int(e) &&
            e != NASHC_ONNX_BOOL && nashc_type_is_int(t) && nashc_onnx_elem_type(e, &elem) &&
            elem.lo <= t->lo && elem.hi >= t->hi)
            return e;
    return onnx_container(t);
}

/* Will the node that defines v write it in container elem? */
static bool
made_in(const nashc_value *v, int elem)
{
    const nashc_node *n = nashc_value_def(v);
    bool indices = nashc_node_is(n, "nn.argmax") ||
                   (nashc_node_is(n, "nn.topk") && nashc_value_def_index(v) == 1);

    return elem == (indices ? NASHC_ONNX_INT64 : onnx_container(nashc_value_type(v)));
}

/* False: another one has it, or memory is out. */
static bool
take_name(onnx_out *o, const char *name)
{
    char *copy = nashc_arena_strdup(o->arena, name);
    onnx_taken *own = NASHC_NEW(o->arena, onnx_taken);

    if (copy && own && !onnx_names_get(o->taken, copy) && onnx_names_put(o->taken, copy, own))
        return true;
    o->no_memory = o->no_memory || !copy || !own;
    return false;
}

/* Names of inputs and outputs come first; other tensors make way. */
static nashc_status
name_interface(onnx_out *o, const nashc_graph *g, Onnx__GraphProto *p)
{
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        const nashc_value *v = nashc_graph_input(g, i);
        const nashc_type *t = nashc_value_type(v);
        onnx_value *x = &o->scope->values[nashc_value_id(v)];
        int elem = interface_elem(o, nashc_value_name(v), t);
        take_name(o, nashc_value_name(v));
        x->name = nashc_value_name(v);
        nashc_type standard;
        onnx_define(o, v, elem);
        p->input[i] = o->infos.items[--o->infos.n];
        /* a standard integer container needs no annotation, but others do */
        if (nashc_onnx_elem_is_int(elem) && nashc_onnx_elem_type(elem, &standard) &&
            nashc_type_same_elem(&standard, t) && t->layout == NASHC_LAYOUT_DEFAULT && o->notes.n)
            o->notes.n--;
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        onnx_value *x = &o->scope->values[nashc_value_id(v)];
        const char *name = nashc_graph_output_name(g, i);
        if (!take_name(o, name))
            continue; /* also an input or another output: an Identity cannot help either */
        if (!x->name && !nashc_value_const(v) &&
            made_in(v, interface_elem(o, name, nashc_value_type(v))))
            x->name = name;
    }
    return NASHC_OK;
}

/* What is not named as its slot gets a last node that does it. */
static nashc_status
write_outputs(onnx_out *o, const nashc_graph *g, Onnx__GraphProto *p)
{
    onnx_names *slots = onnx_names_create(o->arena, p->n_output);
    size_t n = 0;

    o->node = NULL;
    if (!slots)
        return nashc_enomem(o->d);
    for (int i = 0; i < nashc_graph_n_outputs(g); i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        const nashc_type *t = nashc_value_type(v);
        const char *slot = nashc_graph_output_name(g, i);
        int have = onnx_elem_of(o, v), want = interface_elem(o, slot, t);
        const char *name = onnx_use(o, v, 0);
        if (nashc_onnx_elem_is_int(have))
            want = have;
        o->n_parts = 0;
        if (strcmp(name, slot)) {
            if (have == want)
                onnx_emit1(o, "Identity", name, NULL, NULL, slot);
            else
                onnx_emit_cast(o, name, want, slot);
            onnx_put_note(o, slot, t);
        }
        onnx_put_info(o, slot, t, want);
        p->output[i] = o->infos.items[--o->infos.n];
        if (!onnx_names_get(slots, slot) &&
            !onnx_names_put(slots, p->output[i]->name, p->output[i]))
            return nashc_enomem(o->d);
    }
    /* an interface tensor is not listed among the inner ones as well */
    for (size_t k = 0; k < o->infos.n; k++)
        if (!onnx_names_get(slots, ((Onnx__ValueInfoProto *)o->infos.items[k])->name))
            o->infos.items[n++] = o->infos.items[k];
    o->infos.n = n;
    return NASHC_OK;
}

/* The version of QONNX's domain in which the Trunc nodes of the module are what they mean: 2 if one
 * has an output scale. Only Trunc differs. */
static int
trunc_version(const nashc_module *m)
{
    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        NASHC_EACH_NODE(nashc_module_graph_at(m, i), n)
    if (nashc_node_is(n, "q.trunc") && nashc_node_in(n, 3))
        return 2;
    return 1;
}

static void
import(onnx_out *o, Onnx__ModelProto *m, const char *domain, int64_t version)
{
    Onnx__OperatorSetIdProto *p = NASHC_NEW(o->arena, Onnx__OperatorSetIdProto);

    if (!p) {
        o->no_memory = true;
        return;
    }
    *p = (Onnx__OperatorSetIdProto)ONNX__OPERATOR_SET_ID_PROTO__INIT;
    p->domain = (char *)domain;
    p->has_version = true;
    p->version = version;
    m->opset_import[m->n_opset_import++] = p;
}

/* Those that are known from the start come first, and in versions that the whole module decides. */
static void
known_domains(onnx_out *o)
{
    o->trunc_version = trunc_version(o->module);
    onnx_add_domain(o, ONNX_DOMAIN_QONNX, o->trunc_version, false);
    onnx_add_domain(o, ONNX_DOMAIN_CL, o->opset, false);
    onnx_add_domain(o, ONNX_DOMAIN_OWN, 1, false);
}

/* The imports, behind the nodes that decide them. */
static nashc_status
import_all(onnx_out *o, Onnx__ModelProto *m)
{
    m->opset_import = NASHC_NEW_N(o->arena, Onnx__OperatorSetIdProto *, o->domains.n + 1);
    if (!m->opset_import)
        return nashc_enomem(o->d);
    import(o, m, "", o->opset);
    for (size_t i = 0; i < o->domains.n; i++) {
        const onnx_domain *d = o->domains.items[i];
        if (d->used)
            import(o, m, d->name, d->version);
    }
    return NASHC_OK;
}

static nashc_status
fill_model(onnx_out *o, Onnx__ModelProto *m)
{
    Onnx__GraphProto *p = NASHC_NEW(o->arena, Onnx__GraphProto);
    const nashc_graph *g = nashc_module_main(o->module);
    nashc_status s;

    if (!g)
        return nashc_error(o->d, NULL, "the module has no graph to write");
    if (!p || !(o->taken = onnx_names_create(o->arena, 64)) ||
        !(o->scalars = onnx_names_create(o->arena, 16)) || !(o->scope = open_scope(o, g, "")))
        return nashc_enomem(o->d);
    *p = (Onnx__GraphProto)ONNX__GRAPH_PROTO__INIT;
    m->graph = p;
    p->name = nashc_arena_strdup(o->arena, nashc_graph_name(g));
    p->n_input = (size_t)nashc_graph_n_inputs(g);
    p->n_output = (size_t)nashc_graph_n_outputs(g);
    p->input = NASHC_NEW_N(o->arena, Onnx__ValueInfoProto *, p->n_input + 1);
    p->output = NASHC_NEW_N(o->arena, Onnx__ValueInfoProto *, p->n_output + 1);
    if (!p->name || !p->input || !p->output)
        return nashc_enomem(o->d);
    known_domains(o);
    if ((s = name_interface(o, g, p)) || (s = write_graph(o, g, 0)) ||
        (s = write_outputs(o, g, p)) || (s = import_all(o, m)))
        return s;
    p->n_node = o->nodes.n;
    p->node = (Onnx__NodeProto **)o->nodes.items;
    p->n_initializer = o->initialisers.n;
    p->initializer = (Onnx__TensorProto **)o->initialisers.items;
    p->n_value_info = o->infos.n;
    p->value_info = (Onnx__ValueInfoProto **)o->infos.items;
    p->n_quantization_annotation = o->notes.n;
    p->quantization_annotation = (Onnx__TensorAnnotation **)o->notes.items;
    m->has_ir_version = true;
    m->ir_version = o->opset > 17 ? 9 : 8;
    m->producer_name = (char *)"nashc";
    m->producer_version = (char *)NASHC_VERSION;
    return o->no_memory ? nashc_enomem(o->d) : NASHC_OK;
}

static nashc_status
pack(onnx_out *o, const Onnx__ModelProto *m, const char *path)
{
    size_t size = onnx__model_proto__get_packed_size(m);
    uint8_t *data = size <= NASHC_MAX_BYTES ? malloc(size ? size : 1) : NULL;

    if (!data)
        return size > NASHC_MAX_BYTES
                   ? nashc_unsup(o->d, NULL,
                                 "the model takes %zu bytes, more than an ONNX file holds", size)
                   : nashc_enomem(o->d);
    onnx__model_proto__pack(m, data);
    /* a failed write leaves the old file: commit renames */
    nashc_outfile *f = nashc_out_open(path, o->d);
    nashc_status s = NASHC_EIO;
    if (f) {
        nashc_out_write(f, data, size);
        s = nashc_out_commit(f, o->d);
    }
    free(data);
    return s;
}

static nashc_status
write_onnx(const nashc_module *module, const char *path, const nashc_opts *opts, nashc_diag *d)
{
    int opset = FIRST_OPSET;

    (void)opts;
    for (;;) {
        onnx_out *o = calloc(1, sizeof *o);
        Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
        nashc_status s;
        if (!o || !(o->arena = nashc_arena_create())) {
            free(o);
            return nashc_enomem(d);
        }
        o->module = module;
        o->d = d;
        o->opset = opset;
        s = onnx_rows_build(nashc_module_ctx(module), o->arena, d, &o->rows);
        s = s ? s : fill_model(o, &m);
        bool again = !s && o->opset != opset; /* a node needs a newer one, and so do all others */
        opset = o->opset;
        if (!s && !again)
            s = pack(o, &m, path);
        nashc_arena_free(o->arena);
        free(o);
        if (!again)
            return s;
    }
}

extern const nashc_backend nashc_backend_onnx;

const nashc_backend nashc_backend_onnx = {
    NASHC_DESC(nashc_backend),
    .name = "onnx",
    .help = "ONNX with QONNX operators and FINN datatype annotations",
    .suffixes = ".onnx",
    .write = write_onnx,
};
