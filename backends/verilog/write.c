/* write.c: the Verilog backend: a graph of hw.* layers to a folder with a design.
 *
 *     weights/   those that come in from outside, or can
 *     rtl/   stitched top, a module a layer, the library modules used, memory images
 *     tb/    self-checking bench with vectors of the reference executor
 *     ip/    IP-XACT description;   report/   FINN's reports and a page;   manifest.json
 */
#include "backends/support/folder.h"
#include "build.h"
#include <inttypes.h>
#include <nashc/compile.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "top", .def = "finn_design", .help = "name of the top module", .kind = NASHC_P_STRING},
    {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},
    {.name = "device",
     .def = "",
     .help = "device that resources are estimated for",
     .kind = NASHC_P_STRING},
    {.name = "vectors",
     .def = "4",
     .domain = "1..1024",
     .help = "frames that the bench checks",
     .kind = NASHC_P_INT},
    {.name = "seed", .def = "1", .help = "of the bench's random frames", .kind = NASHC_P_INT},
    {.name = "verified",
     .def = "",
     .help = "what was verified, for the report",
     .kind = NASHC_P_STRING},
    {0},
};

/* Wires are numbered in the order of the graph: a change at one place renames no wire before it. */
static nashc_status
add_link(design *z, const nashc_value *v, int *count)
{
    link *l = &z->links[nashc_value_id(v)];

    l->v = v;
    l->wire = nashc_arena_printf(z->a, "w%d", (*count)++);
    l->input = l->output = -1;
    nashc_status s = nashc_flow_stream(v, &l->s, z->d);
    l->padded = (l->s.width + 7) / 8 * 8;
    return s;
}

/* An input or output is a link with a port; every link has one reader, see nashc_flow_check. */
static nashc_status
collect_links(design *z)
{
    nashc_status s = NASHC_OK;
    int count = 0;

    z->links = NASHC_NEW_N(z->a, link, nashc_graph_max_id(z->f) + 1);
    z->has_memory = NASHC_NEW_N(z->a, bool, nashc_graph_max_id(z->f) + 1);
    if (!z->links || !z->has_memory)
        return nashc_enomem(z->d);
    for (int i = 0; i < nashc_graph_n_inputs(z->f) && s == NASHC_OK; i++) {
        s = add_link(z, nashc_graph_input(z->f, i), &count);
        z->links[nashc_value_id(nashc_graph_input(z->f, i))].input = i;
    }
    NASHC_EACH_NODE(z->f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK; i++)
            s = add_link(z, nashc_node_out(n, i), &count);
    }
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        z->links[nashc_value_id(nashc_graph_output(z->f, i))].output = i;
    return s;
}

/* Streams are numbered behind the inputs, slaves by themselves, as FINN's tops have them. */
static nashc_status
collect_weights(design *z)
{
    int streams = nashc_graph_n_inputs(z->f), slaves = 0;

    z->weights = NASHC_NEW_N(z->a, weight_port, nashc_graph_n_nodes(z->f) + 1);
    if (!z->weights)
        return nashc_enomem(z->d);
    NASHC_EACH_NODE(z->f, n)
    {
        weight_port *p = &z->weights[z->n_weights];
        if (!nashc_flow_weights_free(n))
            continue;
        nashc_flow_weights(n, &p->w);
        p->n = n;
        p->k = p->w.streamed ? streams++ : slaves++;
        p->padded = ((uint32_t)p->w.lanes * p->w.elem.bits + 7) / 8 * 8;
        p->name = nashc_arena_printf(z->a, p->w.streamed ? "s_axis_%d" : "s_axilite_%d", p->k);
        z->n_weights++;
    }
    return NASHC_OK;
}

/* All that may refuse comes here, before the first file: streams, then the simulation, whose
 * figures go into comments and reports. */
static nashc_status
prepare(design *z)
{
    const char *device = nashc_opts_str(z->o, "device");
    nashc_status s;
    int n = 0;

    z->top = nashc_opts_str(z->o, "top");
    z->verified = nashc_opts_str(z->o, "verified");
    z->clk_ns = nashc_opts_float(z->o, "clock-ns");
    if (!nashc_is_top_name(z->top))
        return nashc_usage(z->d, "\"%s\" is no name for the top module", nashc_quote(z->d, z->top));
    if (!(z->clk_ns > 0))
        return nashc_usage(z->d, "the clock period must be positive");
    if (device[0] && !(z->dev = nashc_lookup(z->ctx, NASHC_D_DEVICE, device, z->d)))
        return NASHC_EINPUT;
    z->f = nashc_flow_graph(z->m, z->d);
    if (!z->f)
        return NASHC_EINPUT;
    const nashc_flow_options flow = {.struct_size = sizeof flow, .backend = z->backend};
    if ((s = nashc_flow_check(z->f, true, z->d)) != NASHC_OK ||
        (s = collect_links(z)) != NASHC_OK || (s = collect_weights(z)) != NASHC_OK ||
        (s = nashc_flow_simulate(z->f, &flow, &z->flow, z->a, z->d)) != NASHC_OK)
        return s;
    while (nashc_rtl_files[n].name)
        n++;
    z->used = NASHC_NEW_N(z->a, bool, n + 1);
    z->names = nashc_flow_names(z->f, z->a);
    return z->used && z->names ? NASHC_OK : nashc_enomem(z->d);
}

/* The order matters: layers name library modules and images, the top lists all files, reports and
 * page read what was collected. */
static nashc_status
write_all(design *z)
{
    static const char *const folders[] = {"rtl", "tb", "ip", "report", "weights"};
    nashc_status (*const steps[])(design *) = {
        write_layers,  write_library, write_top,  write_tb, write_weights,
        write_reports, write_config,  write_html, write_ip, write_manifest,
    };
    nashc_status s = prepare(z);

    for (size_t i = 0; i + (z->n_weights == 0) < NASHC_COUNT(folders) && s == NASHC_OK; i++)
        s = make_folder(z->dir, folders[i], z->d);
    for (size_t i = 0; i < NASHC_COUNT(steps) && s == NASHC_OK; i++)
        s = steps[i](z);
    return s;
}

extern const nashc_backend nashc_backend_verilog;

static nashc_status
write_design(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    design z = {.m = m,
                .o = o,
                .d = d,
                .dir = path,
                .ctx = nashc_module_ctx(m),
                .backend = &nashc_backend_verilog};

    z.a = nashc_arena_create();
    if (!z.a)
        return nashc_enomem(d);
    nashc_status s = write_all(&z);
    nashc_arena_free(z.a);
    return s;
}

const nashc_backend nashc_backend_verilog = {
    NASHC_DESC(nashc_backend),
    .name = "verilog",
    .help = "synthesizable Verilog-2005 with test bench and reports",
    .options = options,
    .needs = "folded",
    .write = write_design,
    .model = "verilog.model",
    .bench = "cd tb && sh run_iverilog.sh && rm -f tb_*.vvp tb_*.log",
    .bench_needs = "iverilog vvp",
};
