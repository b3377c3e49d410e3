/* wiring.c: a plugin with a backend: writes each graph as a list "producer -> consumer".
 *
 *   cc -shared -fPIC wiring.c -o wiring.so $(pkg-config --cflags --libs nashc)
 *   nashc opt --load-plugin=./wiring.so -passes= model.onnx -o model.wires
 *
 * Valid C11 and C++17.
 */
#include <nashc/plugin.h>

static const char *
producer(const nashc_value *v)
{
    const nashc_node *def = nashc_value_def(v);

    if (def)
        return nashc_node_opname(def);
    return nashc_value_const(v) ? "constant" : "input";
}

static nashc_status
wiring_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);

    (void)o;
    if (!f)
        return NASHC_EIO;
    for (int k = 0; k < nashc_module_n_graphs(m); k++) {
        const nashc_graph *g = nashc_module_graph_at(m, k);

        nashc_out_printf(f, "@%s\n", nashc_graph_name(g));
        NASHC_EACH_NODE(g, n)
        {
            for (int i = 0; i < nashc_node_n_in(n); i++) {
                const nashc_value *v = nashc_node_in(n, i);
                if (v)
                    nashc_out_printf(f, "%s -> %s\n", producer(v), nashc_node_opname(n));
            }
        }
    }
    return nashc_out_commit(f, d);
}

static const nashc_backend wiring_backend = {
    NASHC_DESC(nashc_backend),
    .flags = 0,
    .name = "wiring",
    .help = "list of producer and consumer operators",
    .suffixes = ".wires",
    .options = NULL,
    .needs = NULL,
    .write = wiring_write,
};

static const nashc_backend *const wiring_backends[] = {&wiring_backend, NULL};

static const nashc_plugin wiring = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "wiring",
    .version = "1.0",
    .help = "writes who reads whom",
    .ops = NULL,
    .passes = NULL,
    .pipelines = NULL,
    .frontends = NULL,
    .backends = wiring_backends,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &wiring;
}
