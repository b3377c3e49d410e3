/* folder.c: a plugin with a backend that writes a folder: a list of the layers, and a key of its
 * own in the manifest.
 *
 *   cc -shared -fPIC folder.c -o folder.so $(pkg-config --cflags --libs nashc)
 *   nashc compile --load-plugin=./folder.so --backend=layer-list model.onnx -o design
 *
 * The host calls write with an empty folder, puts model.nashir, model.onnx and manifest.json beside
 * what it finds there, and makes all of it visible at once. Valid C11 and C++17.
 */
#include <nashc/compile.h>
#include <nashc/plugin.h>

static nashc_status
write_list(const nashc_graph *g, const char *path, bool cycles, int *n_layers, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);

    if (!f)
        return NASHC_EIO;
    NASHC_EACH_NODE(g, n)
    {
        nashc_out_printf(f, "%s", nashc_node_opname(n));
        if (cycles)
            nashc_out_printf(f, " %" PRIu64, nashc_layer_cycles(n, NULL));
        nashc_out_printf(f, "\n");
        ++*n_layers;
    }
    return nashc_out_commit(f, d);
}

/* Only what this backend knows; tool, options, cycles and so on are written by the host. */
static nashc_status
write_key(const char *path, int n_layers, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "{\"layers\": %d}\n", n_layers);
    return nashc_out_commit(f, d);
}

static nashc_status
folder_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    const nashc_graph *g = nashc_flow_graph(m, d);
    nashc_arena *a = nashc_arena_create();
    const char *list = a ? nashc_arena_printf(a, "%s/layers.txt", path) : NULL;
    const char *manifest = a ? nashc_arena_printf(a, "%s/manifest.json", path) : NULL;
    nashc_status s = g ? NASHC_OK : NASHC_EINPUT;
    int n_layers = 0;

    if (s == NASHC_OK && (!list || !manifest))
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = write_list(g, list, nashc_opts_bool(o, "cycles"), &n_layers, d);
    if (s == NASHC_OK)
        s = write_key(manifest, n_layers, d);
    nashc_arena_free(a);
    return s;
}

static const nashc_param folder_options[] = {
    {"cycles", "false", NULL, "cycles of each layer behind its name", NASHC_P_BOOL, 0, {NULL}},
    {NULL, NULL, NULL, NULL, 0, 0, {NULL}},
};

static const nashc_backend folder_backend = {
    NASHC_DESC(nashc_backend), .flags = 0,
    .name = "layer-list",      .help = "list of the hardware layers",
    .suffixes = NULL,          .options = folder_options,
    .needs = "hw-only",        .write = folder_write,
    .model = "verilog.model",
};

static const nashc_backend *const folder_backends[] = {&folder_backend, NULL};

static const nashc_plugin folder = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "folder",
    .version = "1.0",
    .help = "writes a list of layers",
    .ops = NULL,
    .passes = NULL,
    .pipelines = NULL,
    .frontends = NULL,
    .backends = folder_backends,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &folder;
}
