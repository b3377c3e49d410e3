/* partition.c: nodes that stand for a model in another file: a graph of the module, and its call.
 *
 * The file is found as external data are, from the folder of the file that names it. Its inputs are
 * what the operands are, so that opening the call gives the graph as if it had been one file. A
 * file that several nodes name is read once for each set of operand types.
 */
#include "frontends/onnx/graph.h"
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/sandbox.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 8, MAX_MODELS = 1024 };

typedef struct part {
    struct part *next;
    uint64_t device, inode;
    onnx_bound *bound; /* NULL: of the first model */
    bool reading;      /* whatever names it now is inside of it */
} part;

struct onnx_parts {
    part *first;
    int n;
    int64_t bytes_left; /* all files together */
};

/* `reading` is set while the part is read: who names it then is inside of it. */
static part *
add_part(nashc_onnx_in *r, uint64_t device, uint64_t inode, onnx_bound *bound)
{
    part *p = NASHC_NEW(r->arena, part);

    if (p) {
        *p = (part){r->parts->first, device, inode, bound, true};
        r->parts->first = p;
        r->parts->n++;
    }
    return p;
}

/* The first model counts as a part, so that a part that names it is found out. By device and inode,
 * as one file may have many names. */
static nashc_status
init_parts(nashc_onnx_in *r)
{
    struct stat st;

    if (r->parts)
        return NASHC_OK;
    r->parts = NASHC_NEW(r->arena, onnx_parts);
    if (!r->parts)
        return nashc_enomem(r->d);
    r->parts->bytes_left = NASHC_MAX_BYTES;
    if (!stat(r->path, &st) && !add_part(r, (uint64_t)st.st_dev, (uint64_t)st.st_ino, NULL))
        return nashc_enomem(r->d);
    return NASHC_OK;
}

static bool
same_operands(const onnx_bound *a, const onnx_bound *b)
{
    bool same = a->n_in == b->n_in;

    for (int i = 0; same && i < a->n_in; i++)
        same = a->in_elem[i] == b->in_elem[i] && nashc_type_eq(&a->in[i], &b->in[i]);
    return same;
}

/* What the node hands over; values into args. Types are those of the operands, not of the file's
 * own inputs, so a part needs no shapes of its own. */
static nashc_status
operands(nashc_onnx_in *r, onnx_bound *b, nashc_value **args)
{
    for (int i = 0; i < b->n_in; i++) {
        args[i] = nashc_onnx_in_value(r, i);
        if (!args[i])
            return nashc_onnx_status(r);
        b->in[i] = *nashc_value_type(args[i]);
        b->in_elem[i] = nashc_onnx_in_elem(r, i);
    }
    return NASHC_OK;
}

/* A graph named after the file: "models/front-1.onnx" gives @front_1. */
static nashc_graph *
add_graph(nashc_onnx_in *r, const char *location)
{
    const char *slash = strrchr(location, '/'), *base = slash ? slash + 1 : location;
    const char *dot = strrchr(base, '.');
    char *stem = nashc_arena_strdup(r->arena, base), *name = stem;

    if (stem && dot && dot != base)
        stem[dot - base] = 0;
    for (char *p = stem; p && *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '.')
            *p = '_';
    for (int k = 2; name && nashc_module_graph(r->module, name); k++)
        name = nashc_arena_printf(r->arena, "%s_%d", stem, k);
    return name ? nashc_module_add_graph(r->module, name) : NULL;
}

/* The path of location for messages, as the user could type it. */
static const char *
path_of(nashc_onnx_in *r, const char *location)
{
    const char *slash = strrchr(r->path, '/');

    return nashc_arena_printf(r->arena, "%.*s%s", slash ? (int)(slash - r->path) + 1 : 0, r->path,
                              location);
}

/* One level down; levels are counted. What may be computed while reading is one budget for all
 * files, so that many small ones cannot exceed it. */
static nashc_status
read_part(nashc_onnx_in *r, const onnx_sandbox *f, onnx_bound *b, const char *location)
{
    uint8_t *data = NULL;
    nashc_status s;
    nashc_onnx_in sub = {.ctx = r->ctx,
                         .rows = r->rows,
                         .d = r->d,
                         .opts = r->opts,
                         .arena = r->arena,
                         .module = r->module,
                         .path = path_of(r, location),
                         .eval_left = r->eval_left,
                         .allow_unknown = r->allow_unknown,
                         .depth = r->depth + 1,
                         .folder = f->folder,
                         .bound = b,
                         .parts = r->parts};

    b->graph = add_graph(r, location);
    if (!sub.path || !b->graph)
        return nashc_enomem(r->d);
    sub.file.file = sub.path;
    if ((s = onnx_sandbox_read(r, f, 0, f->size, &data)))
        return s;
    s = onnx_model_read(&sub, data, (size_t)f->size);
    free(data);
    r->eval_left = sub.eval_left;
    if (s)
        nashc_note(r->d, "read as the model of %s of %s", onnx_node_title(r),
                   nashc_quote(r->d, r->path));
    r->failed = r->failed || s;
    return s;
}

/* *b becomes what has been read before of the same file for the same operands. Depth, number and
 * bytes are limited, since a few files that name each other ask for any amount of work. */
static nashc_status
read_once(nashc_onnx_in *r, const onnx_sandbox *f, onnx_bound **b, const char *location)
{
    const char *name = nashc_quote(r->d, location);

    for (part *p = r->parts->first; p; p = p->next) {
        if (p->device != f->device || p->inode != f->inode)
            continue;
        if (p->reading) {
            nashc_onnx_error(r, "model \"%s\" contains itself", name);
            nashc_help(r->d, "a partition is another model than those that it is a part of");
            return NASHC_EINPUT;
        }
        if (same_operands(p->bound, *b)) {
            *b = p->bound;
            return NASHC_OK;
        }
    }
    if (r->depth == MAX_DEPTH || r->parts->n >= MAX_MODELS || f->size > r->parts->bytes_left) {
        if (r->depth == MAX_DEPTH)
            nashc_onnx_unsup(r, "model \"%s\" is nested more than %d deep", name, MAX_DEPTH);
        else if (r->parts->n >= MAX_MODELS)
            nashc_onnx_unsup(r, "model \"%s\" is one of more than %d", name, MAX_MODELS);
        else
            nashc_onnx_unsup(r, "model \"%s\" is too large: all models together take at most 2 GiB",
                             name);
        nashc_help(r->d, "inline partitions before the model is exported");
        return NASHC_EUNSUP;
    }
    r->parts->bytes_left -= f->size;
    part *p = add_part(r, f->device, f->inode, *b);
    nashc_status s = p ? read_part(r, f, *b, location) : nashc_enomem(r->d);
    if (p)
        p->reading = false;
    return s;
}

/* The file lies in the folder of the one that names it, reached without links (sandbox.c). */
static nashc_status
read_partition(nashc_onnx_in *r)
{
    const char *location = nashc_onnx_attr_str(r, "model", "");
    int n_in = nashc_onnx_n_in(r), n_out = (int)r->node->n_output;
    onnx_bound *b = NASHC_NEW(r->arena, onnx_bound);
    nashc_value **args = NASHC_NEW_N(r->arena, nashc_value *, n_in + 1);
    onnx_sandbox f = {.what = onnx_node_title(r), .kind = "model"};
    nashc_status s;

    if (b)
        *b = (onnx_bound){.n_in = n_in,
                          .n_out = n_out,
                          .in = NASHC_NEW_N(r->arena, nashc_type, n_in + 1),
                          .in_elem = NASHC_NEW_N(r->arena, int, n_in + 1),
                          .out_elem = NASHC_NEW_N(r->arena, int, n_out + 1)};
    if (!b || !args || !b->in || !b->in_elem || !b->out_elem)
        return nashc_enomem(r->d);
    if (!*location)
        return nashc_onnx_error(r, "attribute model, the file that it stands for, is missing");
    if ((s = operands(r, b, args)) || (s = init_parts(r)))
        return s;
    if ((s = onnx_sandbox_open(r, &f, location))) {
        nashc_help(r->d, "put that model beside this one, as a plain file, and write its name "
                         "relative to this one's folder");
        r->failed = true;
        return s;
    }
    s = read_once(r, &f, &b, location);
    onnx_sandbox_close(&f);
    if (s)
        return s;
    if (nashc_graph_n_outputs(b->graph) != n_out)
        return nashc_onnx_error(r, "%d outputs, but model \"%s\" has %d", n_out,
                                nashc_quote(r->d, location), nashc_graph_n_outputs(b->graph));
    nashc_node *call = nashc_build_node(r->build, "call", args, n_in, n_out, "graph=@%s",
                                        nashc_graph_name(b->graph));
    for (int k = 0; call && k < n_out; k++)
        if ((s = nashc_onnx_set(r, k, nashc_node_out(call, k), b->out_elem[k])))
            return s;
    return call ? NASHC_OK : nashc_onnx_status(r);
}

static const nashc_onnx_row rows[] = {
    {QONNX, "GenericPartition", 1, "call", "model-:s return_full_exec_context-:i", 0, ANY, 127,
     INF | NASHC_ONNX_FILE, read_partition},
    {FINN, "StreamingDataflowPartition", 1, "call",
     "backend-:s device_id-:i instance_name-:s mem_port-:s model-:s partition_id-:i "
     "res_estimate-:s res_hls-:s res_synth-:s return_full_exec_context-:i slr-:i",
     0, ANY, 127, INF | NASHC_ONNX_FILE, read_partition},
    {FINN, "*", 1, NULL, "", 0, ANY, 127, NASHC_ONNX_KEEP, NULL},
    {0},
};

extern const nashc_impl nashc_impl_onnx_partition;

const nashc_impl nashc_impl_onnx_partition = NASHC_IMPL_ONNX("partition", rows);
