/* write.c: the HLS backend: a graph of hw.* layers to a folder with C.
 *
 *     src/   TOP.c, a function a layer in files of their own, their constants, TOP.h, nashc_hls.h
 *     tb/    a bench with vectors of the reference executor
 *     Makefile (host), vitis.tcl, bambu.sh, manifest.json
 *
 * docs/hls.md reads one generated layer line by line.
 */
#include "backends/support/folder.h"
#include "build.h"
#include <nashc/compile.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "top", .def = "finn_design", .help = "name of the top", .kind = NASHC_P_STRING},
    {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},
    {.name = "device", .def = "", .help = "device whose part is named", .kind = NASHC_P_STRING},
    {.name = "vectors",
     .def = "4",
     .domain = "1..1024",
     .help = "frames that the bench checks",
     .kind = NASHC_P_INT},
    {.name = "seed", .def = "1", .help = "of the bench's random frames", .kind = NASHC_P_INT},
    {0},
};

const hls_link *
hls_input(const hls_design *z, int i)
{
    return &z->links[nashc_value_id(nashc_graph_input(z->f, i))];
}

const hls_link *
hls_output(const hls_design *z, int i)
{
    return &z->links[nashc_value_id(nashc_graph_output(z->f, i))];
}

const char *
hls_port_name(hls_design *z, bool input, int k, int n)
{
    const char *side = input ? "in" : "out";

    return n > 1 ? nashc_arena_printf(z->a, "%s%d", side, k) : side;
}

/* Neither control characters nor what ends the comment. */
const char *
hls_comment(hls_design *z, const char *s)
{
    char *t = nashc_arena_strdup(z->a, s ? s : "");

    for (char *p = t; p && *p; p++)
        if ((unsigned char)*p < 32 || (unsigned char)*p > 126 || *p == '\\' ||
            (*p == '/' && p > t && p[-1] == '*') || (*p == '*' && p > t && p[-1] == '/'))
            *p = '?';
    return t ? t : "";
}

nashc_outfile *
hls_open(hls_design *z, const char *name)
{
    const char *path = name ? nashc_arena_printf(z->a, "%s/%s", z->dir, name) : NULL;

    if (path)
        return nashc_out_open(path, z->d);
    nashc_enomem(z->d);
    return NULL;
}

static nashc_status
add_link(hls_design *z, const nashc_value *v, const char *name)
{
    hls_link *l = &z->links[nashc_value_id(v)];
    nashc_status s = nashc_flow_stream(v, &l->s, z->d);

    l->v = v;
    l->name = name;
    l->input = l->output = -1;
    l->beat = s == NASHC_OK ? hls_beat_name(z, &l->s) : NULL;
    return s == NASHC_OK && !(name && l->beat) ? nashc_enomem(z->d) : s;
}

static nashc_status
collect_links(hls_design *z)
{
    nashc_status s = NASHC_OK;
    int count = 0;

    for (int i = 0; i < nashc_graph_n_inputs(z->f) && s == NASHC_OK; i++) {
        const nashc_value *v = nashc_graph_input(z->f, i);
        s = add_link(z, v, nashc_arena_printf(z->a, "s_axis_%d", i));
        z->links[nashc_value_id(v)].input = i;
    }
    NASHC_EACH_NODE(z->f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK; i++)
            s = add_link(z, nashc_node_out(n, i), nashc_arena_printf(z->a, "w%d", count++));
    }
    for (int i = 0; i < nashc_graph_n_outputs(z->f) && s == NASHC_OK; i++) {
        hls_link *l = &z->links[nashc_value_id(nashc_graph_output(z->f, i))];
        l->output = i;
        l->name = nashc_arena_printf(z->a, "m_axis_%d", i);
        s = l->name ? NASHC_OK : nashc_enomem(z->d);
    }
    return s;
}

static nashc_status
prepare(hls_design *z)
{
    const char *device = nashc_opts_str(z->o, "device");
    nashc_status s;

    z->top = nashc_opts_str(z->o, "top");
    z->clk_ns = nashc_opts_float(z->o, "clock-ns");
    if (!nashc_is_top_name(z->top))
        return nashc_usage(z->d, "\"%s\" is no name for the top", nashc_quote(z->d, z->top));
    if (!(z->clk_ns > 0))
        return nashc_usage(z->d, "the clock period must be positive");
    if (device[0] && !(z->dev = nashc_lookup(z->ctx, NASHC_D_DEVICE, device, z->d)))
        return NASHC_EINPUT;
    if (!z->f)
        return NASHC_EINPUT;
    if ((s = nashc_flow_check(z->f, true, z->d)) != NASHC_OK)
        return s;
    int most = nashc_graph_max_id(z->f) + 1; /* values; no layer has beats that no value has */
    z->links = NASHC_NEW_N(z->a, hls_link, most);
    z->beats = NASHC_NEW_N(z->a, const char *, 2 * most);
    z->beat_of = NASHC_NEW_N(z->a, nashc_stream, 2 * most);
    z->names = nashc_flow_names(z->f, z->a);
    if (!z->links || !z->beats || !z->beat_of || !z->names)
        return nashc_enomem(z->d);
    return collect_links(z);
}

static nashc_status
write_all(hls_design *z)
{
    nashc_status (*const steps[])(hls_design *) = {
        hls_write_layers,  hls_write_header,  hls_write_top,      hls_write_bench,
        hls_write_vectors, hls_write_scripts, hls_write_manifest,
    };
    nashc_status s = prepare(z);

    if (s == NASHC_OK)
        s = make_folder(z->dir, "src", z->d);
    if (s == NASHC_OK)
        s = make_folder(z->dir, "tb", z->d);
    for (size_t i = 0; i < NASHC_COUNT(steps) && s == NASHC_OK; i++)
        s = steps[i](z);
    return s;
}

static nashc_status
write_design(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    hls_design z = {.o = o,
                    .d = d,
                    .dir = path,
                    .ctx = nashc_module_ctx(m),
                    .f = nashc_flow_graph(m, d),
                    .a = nashc_arena_create()};

    nashc_status s = z.a ? write_all(&z) : nashc_enomem(d);
    nashc_arena_free(z.a);
    return s;
}

const nashc_backend nashc_backend_hls = {
    NASHC_DESC(nashc_backend),
    .name = "hls",
    .help = "C for high-level synthesis, one function a layer, with test bench and scripts",
    .options = options,
    .needs = "folded",
    .write = write_design,
    .model = "hls.model",
    .bench = "make -s check && make -s clean",
    .bench_needs = "make cc",
};
