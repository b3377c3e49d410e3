/* give_unique_node_names.c: names every node <prefix><Op>_<n>, n counting the nodes of an op.
 *
 * The name is for display and for configuration files (it is the text behind the node's IR line);
 * nothing in the compiler depends on it.
 */
#include <ctype.h>
#include <nashc/pass.h>
#include <string.h>

/* ONNX spelling of the ops whose name is not just in other case. */
static const char *const spelled[][2] = {
    {"nn.matmul", "MatMul"},
    {"nn.maxpool", "MaxPool"},
    {"nn.avgpool", "AveragePool"},
    {"nn.sumpool", "SumPool"},
    {"nn.global_avgpool", "GlobalAveragePool"},
    {"nn.global_maxpool", "GlobalMaxPool"},
    {"nn.batchnorm", "BatchNormalization"},
    {"nn.argmax", "ArgMax"},
    {"nn.topk", "TopK"},
    {"q.multithreshold", "MultiThreshold"},
};

/* "nn.conv_transpose" to "ConvTranspose". */
static const char *
camel(nashc_arena *a, const char *op)
{
    for (size_t i = 0; i < NASHC_COUNT(spelled); i++)
        if (!strcmp(op, spelled[i][0]))
            return spelled[i][1];

    const char *dot = strchr(op, '.');
    char *s = nashc_arena_strdup(a, dot ? dot + 1 : op), *w = s;
    bool up = true;
    for (const char *p = s; s && *p; p++) {
        if (*p == '_') {
            up = true;
            continue;
        }
        *w++ = up ? (char)toupper((unsigned char)*p) : *p;
        up = false;
    }
    if (s)
        *w = 0;
    return s;
}

static nashc_status
give_names(nashc_run *r, nashc_graph *g)
{
    nashc_arena *mem = nashc_module_arena(nashc_graph_module(g)), *a = nashc_run_arena(r);
    const char *prefix = nashc_opts_str(nashc_run_opts(r), "prefix");
    int n_ops = 0, n_nodes = nashc_graph_n_nodes(g);
    const char **ops = NASHC_NEW_N(a, const char *, n_nodes + 1);
    int *counts = NASHC_NEW_N(a, int, n_nodes + 1);

    if (!ops || !counts)
        return nashc_enomem(nashc_run_diag(r));
    NASHC_EACH_NODE(g, n)
    {
        const char *op = nashc_node_opname(n);
        int i = 0;
        while (i < n_ops && strcmp(ops[i], op))
            i++;
        if (i == n_ops)
            ops[n_ops++] = op;
        nashc_loc loc = *nashc_node_loc(n);
        const char *name = nashc_arena_printf(mem, "%s%s_%d", prefix, camel(a, op), counts[i]++);
        if (loc.name && name && !strcmp(loc.name, name))
            continue;
        if (!nashc_run_edit(r, "name", n))
            break;
        loc.name = name;
        nashc_node_set_loc(n, &loc);
    }
    return NASHC_OK;
}

static const nashc_param give_names_options[] = {
    {.name = "prefix", .def = "", .help = "text in front of each name", .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_give_unique_node_names = {
    NASHC_DESC(nashc_pass),         .name = "give-unique-node-names",
    .alias = "GiveUniqueNodeNames", .help = "name nodes by op and number",
    .options = give_names_options,  .run = give_names,
};
