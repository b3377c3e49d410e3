/* read.c: the ONNX frontend: file, versions, and the order of the steps.
 *
 *     bytes -> wire.c -> protobuf -> versions.c -> functions.c, branches.c -> symbols.c
 *           -> graph.c (order, inputs) -> node.c for each node: its row (rows.c), checks, the row's
 * function -> graph.c (outputs)
 *
 * The functions of rows (ops/, plugins) see the interface of nashc/onnx.h alone: operands.c,
 * attributes.c, emit.c, messages.c and handle.c. No file calls back into one before it.
 */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <string.h>

#define MAX_EVAL ((int64_t)1 << 30) /* products of sizes; a second or two at most */

static int
probe(const uint8_t *head, size_t n)
{
    /* ModelProto writers put ir_version (field 1, varint) first. */
    return n >= 2 && head[0] == 0x08 && head[1] > 0 && head[1] < 64 ? 80 : 0;
}

static nashc_status
read_graph(nashc_onnx_in *r)
{
    size_t *order;
    nashc_status s;

    r->g = r->model->graph;
    if (r->g->n_node > NASHC_MAX_NODES)
        return nashc_unsup(r->d, &r->file, "%zu nodes, at most %d are supported", r->g->n_node,
                           NASHC_MAX_NODES);
    if (!r->g->n_output)
        return nashc_error(r->d, &r->file, "the graph has no outputs");
    r->module = r->module ? r->module : nashc_module_create(r->ctx);
    r->graph = !r->module ? NULL
               : r->bound ? r->bound->graph
                          : nashc_module_add_graph(r->module, "main");
    r->build = r->graph ? nashc_build_create(r->graph, r->d) : NULL;
    if (!r->build)
        return nashc_enomem(r->d);
    if ((s = onnx_functions_open(r)) || (s = onnx_graph_symbols(r)) ||
        (s = onnx_graph_order(r, &order)) || (s = onnx_graph_inputs(r)))
        return s;
    for (size_t i = 0; i < r->g->n_node; i++) {
        bool taken;
        if ((s = onnx_node_taken(r, order[i], &taken)) ||
            (taken && (s = onnx_node_read(r, order[i]))))
            return s;
    }
    if ((s = onnx_graph_outputs(r)))
        return s;
    nashc_graph_remove_dead(r->graph);
    if (r->depth)
        return NASHC_OK; /* the module is looked at as a whole */
    if (r->model->producer_name && *r->model->producer_name) {
        const char *version = r->model->producer_version;
        nashc_module_set_meta(r->module, "producer",
                              nashc_arena_printf(r->arena, "%s%s%s", r->model->producer_name,
                                                 version && *version ? " " : "",
                                                 version ? version : ""));
    }
    return nashc_verify(r->module, 3, r->d);
}

/* Tensors are counted and outlive the arena: references of the symbols and of known results are
 * given back. */
static void
forget(nashc_onnx_in *r)
{
    for (size_t i = 0; r->names && i < onnx_names_count(r->names); i++)
        nashc_tensor_unref(((onnx_sym *)onnx_names_at(r->names, i))->tensor);
    for (size_t i = 0; i < r->n_known; i++)
        nashc_tensor_unref(r->known[i]);
}

/* Also for models that a node of another one names (ops/partition.c): the graph goes into the
 * module at hand, which is verified once, as a whole. */
nashc_status
onnx_model_read(nashc_onnx_in *r, const uint8_t *data, size_t size)
{
    onnx_budget budget;
    nashc_status s;

    if (size == 0)
        return nashc_error(r->d, &r->file, "empty file: no model");
    Onnx__ModelProto *model = onnx_unpack(data, size, &budget, &r->file, r->d, &s);
    if (!model)
        return s;
    r->model = model;
    s = onnx_check_versions(r);
    if (!s)
        s = read_graph(r);
    forget(r);
    onnx__model_proto__free_unpacked(model, &budget.allocator);
    return s;
}

/* On any error the module goes, and with it all that has been built. */
static nashc_status
read_onnx(nashc_ctx *c, const char *path, const nashc_opts *o, nashc_module **out, nashc_diag *d)
{
    nashc_onnx_in r = {
        .ctx = c, .d = d, .opts = o, .path = path, .file = {.file = path}, .eval_left = MAX_EVAL};
    char *data = NULL;
    size_t size = 0;
    nashc_status s = nashc_file_read(path, NASHC_MAX_BYTES, &data, &size, d);

    if (s)
        return s;
    r.arena = nashc_arena_create();
    r.allow_unknown = o && nashc_opts_bool(o, "allow-unknown");
    s = r.arena ? onnx_rows_build(c, r.arena, d, &r.rows) : nashc_enomem(d);
    s = s ? s : onnx_model_read(&r, (const uint8_t *)data, size);
    nashc_mem_free(data);
    nashc_arena_free(r.arena);
    if (s)
        nashc_module_free(r.module);
    else
        *out = r.module;
    return s;
}

static const nashc_param options[] = {
    {.name = "dim",
     .def = "",
     .help = "size of a symbolic dimension, NAME=SIZE; a symbolic batch is 1 unless given",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "input-shape",
     .def = "",
     .help = "shape of a graph input, NAME=1x3x32x32, in place of the declared one",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    {.name = "allow-unknown",
     .def = "false",
     .help = "keep operators that nobody knows as unknown.* instead of refusing the model",
     .kind = NASHC_P_BOOL},
    {0},
};

static bool
import_row(nashc_ctx *c, int i, nashc_import *out)
{
    const nashc_onnx_row *row = onnx_rows_at(c, i, &out->origin);

    if (!row)
        return false;
    out->domain = onnx_domain_of(row->domain);
    out->name = row->name;
    out->since = row->since;
    out->op = row->op;
    out->refused = row->flags & NASHC_ONNX_REFUSE ? row->attrs : NULL;
    return true;
}

extern const nashc_frontend nashc_frontend_onnx;

const nashc_frontend nashc_frontend_onnx = {
    NASHC_DESC(nashc_frontend),
    .name = "onnx",
    .help = "ONNX with the QONNX, FINN, QCDQ and QLinear quantised operators",
    .suffixes = ".onnx",
    .options = options,
    .probe = probe,
    .read = read_onnx,
    .import = import_row,
};
