/* hello.c: the smallest plugin: one pass that counts the nodes of a graph by operator.
 *
 *   cc -shared -fPIC hello.c -o hello.so $(pkg-config --cflags --libs nashc)
 *   nashc opt --load-plugin=./hello.so -passes='hello(op=nn.matmul)' model.onnx -o -
 *
 * Valid C11 and C++17.
 */
#include <nashc/plugin.h>

static const nashc_param hello_options[] = {
    {"op", "", NULL, "count only this operator", NASHC_P_STRING, 0, {NULL, NULL, NULL}},
    {NULL, NULL, NULL, NULL, 0, 0, {NULL, NULL, NULL}},
};

static const char *const hello_stats[] = {"nodes-seen", NULL};

static nashc_status
hello_run(nashc_run *r, nashc_graph *g)
{
    const char *op = nashc_opts_str(nashc_run_opts(r), "op");
    int count = 0;

    NASHC_EACH_NODE(g, n)
    count += !*op || nashc_node_is(n, op);
    nashc_stat(r, 0, count);
    nashc_remark(nashc_run_diag(r), NULL, "hello: graph @%s has %d node%s%s%s", nashc_graph_name(g),
                 count, count == 1 ? "" : "s", *op ? " of " : "", op);
    return NASHC_OK;
}

static const nashc_pass hello_pass = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_CHECK,
    .name = "hello",
    .alias = "Hello",
    .help = "count the nodes of each graph",
    .options = hello_options,
    .stats = hello_stats,
    .needs = NULL,
    .gives = NULL,
    .patterns = NULL,
    .run = hello_run,
};

static const nashc_pass *const hello_passes[] = {&hello_pass, NULL};

static const nashc_plugin hello = {
    NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "hello",        .version = "1.0",
    .help = "counts nodes",   .ops = NULL,      .passes = hello_passes,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &hello;
}
