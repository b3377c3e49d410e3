/* insert_fifo.c: FIFOs between layers, as deep as the interval of the slowest layer takes.
 *
 *     a -> b   becomes   a -> hw.fifo depth=n -> b    where beats wait (nashc_flow_size,
 *                                                     docs/fifos.md)
 */
#include "hw.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static nashc_status
insert(nashc_run *r, nashc_graph *f, const nashc_flow_sizing *z)
{
    nashc_build *b = nashc_run_build(r, f);
    nashc_diag *d = nashc_run_diag(r);
    nashc_status s = NASHC_OK;
    nashc_value *w;

    NASHC_EACH_NODE(f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK; i++) {
            nashc_value *v = nashc_node_out(n, i);
            uint32_t depth = nashc_value_id(v) < z->n_ids ? z->depth[nashc_value_id(v)] : 0;
            nashc_stream st;
            if (depth == 0 || !nashc_run_edit(r, "insert a FIFO", n))
                continue;
            if ((s = nashc_flow_stream(v, &st, d)) != NASHC_OK)
                return s;
            s = hw_splice(
                b, v, "hw.fifo",
                nashc_arena_printf(nashc_run_arena(r), "depth=%u lanes=%" PRId64, depth, st.lanes),
                &w);
            nashc_stat(r, 0, 1);
        }
    }
    return s;
}

/* Depths of "StreamingFIFO_rtl_<i>" entries of a folding file replace the computed ones. */
static nashc_status
apply_file(nashc_run *r, nashc_graph *f, const char *path)
{
    nashc_diag *d = nashc_run_diag(r);
    const char *const *names = nashc_flow_names(f, nashc_run_arena(r));
    json_error_t error = {0};
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 26, &text, &size, d);

    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (!root || !names) {
        json_decref(root);
        return nashc_error(d, &(nashc_loc){.file = path, .line = error.line}, "%s", error.text);
    }
    NASHC_EACH_NODE(f, n)
    {
        const json_t *entry = json_object_get(root, names[nashc_node_id(n)]);
        const json_t *depth = json_object_get(entry, "depth");
        if (!nashc_node_is(n, "hw.fifo") || !depth || s != NASHC_OK)
            continue;
        int64_t v = json_is_integer(depth) ? json_integer_value(depth) : -1;
        if (v < 2 || v > UINT32_MAX / 2)
            s = nashc_error(d, &(nashc_loc){.file = path}, "%s: depth must be an integer from 2",
                            names[nashc_node_id(n)]);
        else
            s = nashc_node_set_attr_int(n, "depth", v, d);
    }
    json_decref(root);
    return s;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    nashc_diag *d = nashc_run_diag(r);
    const char *file = nashc_opts_str(nashc_run_opts(r), "file");
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), d);
    nashc_flow_options o = {.struct_size = sizeof o};
    nashc_flow_sizing z;
    nashc_status s;

    if (!f)
        return NASHC_EINPUT;
    if (!(o.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    if ((s = nashc_flow_size(f, &o, &z, nashc_run_arena(r), d)) != NASHC_OK ||
        (s = insert(r, f, &z)) != NASHC_OK)
        return s;
    return file[0] ? apply_file(r, f, file) : NASHC_OK;
}

static const nashc_param options[] = {
    {.name = "file",
     .def = "",
     .help = "folding file whose FIFO depths replace the computed ones",
     .kind = NASHC_P_PATH},
    HW_BACKEND_OPTION,
    {0},
};

const nashc_pass nashc_pass_insert_fifo = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "insert-fifo",
    .alias = "InsertAndSetFIFODepths|InsertFIFO",
    .help = "put FIFOs, of the depths that the interval of the slowest layer takes",
    .options = options,
    .stats = (const char *const[]){"fifos", NULL},
    .needs = "hw-only",
    .run = run,
};
