/* insert_fifo.c: FIFOs between layers, as deep as the interval of the slowest layer takes.
 *
 *     a -> b   becomes   a -> hw.fifo depth=n -> b    where beats wait (nashc_flow_size,
 *                                                     docs/fifos.md)
 */
#include "hw.h"
#include <inttypes.h>
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

/* A folding file with what FIFOs it asks for. */
typedef struct asked {
    nashc_diag *d;
    nashc_graph *f;
    const char *const *names;
    nashc_loc loc;
    json_t *root;
} asked;

/* Depth of the FIFO that carries v on; 0: none. */
static int64_t
depth_behind(const nashc_value *v)
{
    const nashc_node *to = nashc_value_one_user(v);

    while (to && nashc_node_is(to, "hw.dwc"))
        to = nashc_value_one_user(nashc_node_out(to, 0));
    return to && nashc_node_is(to, "hw.fifo") ? nashc_node_int(to, "depth") : 0;
}

static int64_t
depth_before(const nashc_value *v)
{
    const nashc_node *from = v ? nashc_value_def(v) : NULL;

    while (from && nashc_node_is(from, "hw.dwc"))
        from = nashc_value_def(nashc_node_in(from, 0));
    return from && nashc_node_is(from, "hw.fifo") ? nashc_node_int(from, "depth") : 0;
}

/* FIFOs shallower than a layer of the file asks for: one warning, with the first. FINN writes 2
 * where it asks for nothing. */
static void
compare_depths(const asked *z)
{
    static const char *const keys[] = {"inFIFODepths", "outFIFODepths"};
    const char *layer = NULL, *key = NULL;
    int64_t want = 0, have = 0;
    int n_short = 0;

    NASHC_EACH_NODE(z->f, n)
    {
        const char *name = z->names[nashc_node_id(n)];
        for (int side = 0; side < 2; side++) {
            const json_t *list = json_object_get(json_object_get(z->root, name), keys[side]);
            int ends = side ? nashc_node_n_out(n) : nashc_node_n_in(n);
            for (int i = 0; i < ends && (size_t)i < json_array_size(list); i++) {
                int64_t ask = json_integer_value(json_array_get(list, (size_t)i));
                int64_t got =
                    side ? depth_behind(nashc_node_out(n, i)) : depth_before(nashc_node_in(n, i));
                if (ask <= 2 || got >= ask || n_short++ > 0)
                    continue;
                layer = name;
                key = keys[side];
                want = ask;
                have = got;
            }
        }
    }
    if (n_short > 0)
        nashc_warning(z->d, &z->loc, "folding-ignored",
                      "%d of the depths asked for are not used, FIFOs are as deep as the schedule "
                      "takes: %s of %s first, %" PRId64 " instead of %" PRId64,
                      n_short, key, layer, have, want);
}

/* FIFOs that the file names and the design has not. */
static void
report_unknown(const asked *z)
{
    const char *name, *first = NULL;
    json_t *entry;
    int n = 0;

    json_object_foreach(z->root, name, entry)
    {
        bool found = strncmp(name, "StreamingFIFO", 13) != 0 || !json_object_get(entry, "depth");
        NASHC_EACH_NODE(z->f, node)
        {
            found = found || strcmp(z->names[nashc_node_id(node)], name) == 0;
        }
        if (!found && n++ == 0)
            first = name;
    }
    if (n > 0)
        nashc_warning(z->d, &z->loc, "folding-ignored",
                      "%d FIFO%s of the file %s not there, %s first: their depths are not used", n,
                      n > 1 ? "s" : "", n > 1 ? "are" : "is", nashc_quote(z->d, first));
}

/* Depths of "StreamingFIFO_rtl_<i>" entries of a folding file replace the computed ones. */
static nashc_status
set_depths(const asked *z)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(z->f, n)
    {
        const char *name = z->names[nashc_node_id(n)];
        const json_t *depth = json_object_get(json_object_get(z->root, name), "depth");
        if (!nashc_node_is(n, "hw.fifo") || !depth || s != NASHC_OK)
            continue;
        int64_t v = json_is_integer(depth) ? json_integer_value(depth) : -1;
        if (v < 2 || v > UINT32_MAX / 2)
            s = nashc_error(z->d, &z->loc, "%s: depth must be an integer from 2", name);
        else
            s = nashc_node_set_attr_int(n, "depth", v, z->d);
    }
    return s;
}

static nashc_status
apply_file(nashc_run *r, nashc_graph *f, const char *path)
{
    asked z = {.d = nashc_run_diag(r),
               .f = f,
               .names = nashc_flow_names(f, nashc_run_arena(r)),
               .loc = {.file = path}};
    json_error_t error = {0};
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 26, &text, &size, z.d);

    if (s != NASHC_OK)
        return s;
    z.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (!z.root || !z.names) {
        json_decref(z.root);
        return nashc_error(z.d, &(nashc_loc){.file = path, .line = error.line}, "%s", error.text);
    }
    s = set_depths(&z);
    if (s == NASHC_OK) {
        compare_depths(&z);
        report_unknown(&z);
    }
    json_decref(z.root);
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
