/* partition.c: nodes of the main graph move into graphs of their own, which are called.
 *
 *     a -- p -- q -- b     ==>     a -- call @part -- b       @part:  x -- p -- q -- output
 *
 * Nodes are chosen by op (all of them make one partition, connected or not), by name, or by a file
 * of several partitions:
 *
 *     { "part0": ["Conv_0", "Relu_0"], "part1": ["Conv_1"] }
 *
 * A node without a name goes by that of a value it defines. Constants move along, as copies where
 * others read them too; what the nodes read becomes inputs, what others read of them outputs. No
 * path may lead out of a partition and back in: partition_cut.c.
 */
#include "partition.h"
#include <jansson.h>
#include <nashc/io.h>
#include <stdlib.h>
#include <string.h>

/* A node that an option or the file names. */
typedef struct want {
    const char *name;
    int set;
    bool found;
} want;

typedef struct wants {
    want *item;
    size_t n, cap;
} wants;

static bool
add(nashc_arena *a, wants *w, const char *name, int set)
{
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 16;
        want *item = NASHC_NEW_N(a, want, cap);
        if (!item)
            return false;
        if (w->n)
            memcpy(item, w->item, w->n * sizeof *item);
        w->item = item;
        w->cap = cap;
    }
    w->item[w->n++] = (want){.name = name, .set = set};
    return name != NULL;
}

static int
by_name(const void *x, const void *y)
{
    const want *p = x, *q = y;
    int order = strcmp(p->name, q->name);

    return order ? order : (p->set > q->set) - (p->set < q->set);
}

/* --- by op -------------------------------------------------------------------------------------
 */

/* Is op an item of the list: "nn.conv", "conv", or "nn.*" for all that begin so? */
static bool
op_listed(const char *list, const char *op)
{
    const char *dot = strchr(op, '.'), *bare = dot ? dot + 1 : op;

    for (const char *s = list; *s;) {
        s += strspn(s, ", ");
        size_t len = strcspn(s, ", ");
        bool all = len && s[len - 1] == '*';
        if (all ? !strncmp(op, s, len - 1)
                : len && ((strlen(op) == len && !memcmp(s, op, len)) ||
                          (strlen(bare) == len && !memcmp(s, bare, len))))
            return true;
        s += len;
    }
    return false;
}

static nashc_status
take_ops(parts *p, const char *list)
{
    bool any = false;

    NASHC_EACH_NODE(p->g, n)
    {
        if (op_listed(list, nashc_node_opname(n)))
            any = (p->of[nashc_node_id(n)] = 1) != 0;
    }
    if (any || !*list)
        return NASHC_OK;
    nashc_error(p->d, NULL, "partition: no node of graph @%s has an op of \"%s\"",
                nashc_graph_name(p->g), nashc_quote(p->d, list));
    nashc_help(p->d, "ops are listed as \"nn.conv,nn.relu\", or \"nn.*\" for all that begin so");
    return NASHC_EINPUT;
}

/* --- by name -----------------------------------------------------------------------------------
 */

static nashc_status
take_node(parts *p, wants *w, nashc_node *n, const char *name)
{
    want key = {.name = name};
    size_t lo = 0, hi = w->n;

    while (lo < hi) { /* the first item that is not below key */
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(w->item[mid].name, key.name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < w->n && !strcmp(w->item[lo].name, name); lo++) {
        int *of = &p->of[nashc_node_id(n)], set = w->item[lo].set;
        if (*of && *of != set) {
            nashc_node_error(p->d, n, "it stands in two partitions, @%s and @%s",
                             nashc_quote(p->d, p->name[*of]), nashc_quote(p->d, p->name[set]));
            nashc_help(p->d, "name each node once");
            return NASHC_EINPUT;
        }
        *of = set;
        w->item[lo].found = true;
    }
    return NASHC_OK;
}

static nashc_status
report_missing(parts *p, const want *missing, const nashc_loc *loc)
{
    const char **names = NASHC_NEW_N(p->a, const char *, nashc_graph_n_nodes(p->g) + 1);
    int k = 0;

    nashc_error(p->d, loc, "partition: no node of graph @%s is called \"%s\"",
                nashc_graph_name(p->g), nashc_quote(p->d, missing->name));
    NASHC_EACH_NODE(p->g, n)
    {
        if (names)
            names[k++] = nashc_node_loc(n)->name ? nashc_node_loc(n)->name
                         : nashc_node_n_out(n)   ? nashc_value_name(nashc_node_out(n, 0))
                                                 : "";
    }
    const char *near = names ? nashc_nearest(p->d, missing->name, names) : "";
    nashc_help(p->d, "%s", *near ? near : "`nashc show MODEL` lists them");
    return NASHC_EINPUT;
}

static nashc_status
take_names(parts *p, wants *w, const nashc_loc *loc)
{
    nashc_status s = NASHC_OK;

    if (w->n)
        qsort(w->item, w->n, sizeof *w->item, by_name);
    NASHC_EACH_NODE(p->g, n)
    {
        const char *name = nashc_node_loc(n)->name;
        if (s == NASHC_OK && name)
            s = take_node(p, w, n, name);
        for (int i = 0; i < nashc_node_n_out(n) && s == NASHC_OK && !name; i++)
            s = take_node(p, w, n, nashc_value_name(nashc_node_out(n, i)));
    }
    for (size_t i = 0; i < w->n && s == NASHC_OK; i++)
        if (!w->item[i].found)
            s = report_missing(p, &w->item[i], loc);
    return s;
}

static nashc_status
split(parts *p, wants *w, const char *list)
{
    for (const char *s = list; *s;) {
        s += strspn(s, ", ");
        size_t len = strcspn(s, ",");
        while (len && s[len - 1] == ' ')
            len--;
        if (len && !add(p->a, w, nashc_arena_printf(p->a, "%.*s", (int)len, s), 1))
            return nashc_enomem(p->d);
        s += strcspn(s, ",");
    }
    return NASHC_OK;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static nashc_status
read_sets(parts *p, wants *w, json_t *root, const nashc_loc *loc)
{
    const char *name;
    json_t *list, *node;
    size_t k;
    int set = 0;

    json_object_foreach(root, name, list)
    {
        p->name[++set] = nashc_arena_strdup(p->a, name);
        if (!p->name[set])
            return nashc_enomem(p->d);
        if (!*name || !json_is_array(list) || !json_array_size(list))
            return nashc_error(p->d, loc,
                               "partition \"%s\" must have a name and a list of node names",
                               nashc_quote(p->d, name));
        json_array_foreach(list, k, node)
        {
            if (!json_is_string(node))
                return nashc_error(p->d, loc,
                                   "partition \"%s\": item %zu is not the name of a node",
                                   nashc_quote(p->d, name), k);
            if (!add(p->a, w, nashc_arena_strdup(p->a, json_string_value(node)), set))
                return nashc_enomem(p->d);
        }
    }
    return set ? NASHC_OK : nashc_error(p->d, loc, "there is no partition in the file");
}

static nashc_status
by_file(nashc_run *r, nashc_graph *g, parts *p, const char *path)
{
    nashc_diag *d = nashc_run_diag(r);
    nashc_loc loc = {.file = path};
    json_error_t error;
    char *text;
    size_t size;
    wants w = {0};
    nashc_status s = nashc_file_read(path, 1 << 26, &text, &size, d);

    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (!root || !json_is_object(root)) {
        const char *why = root ? "a partition file is a JSON object" : error.text;
        loc.line = root ? 1 : error.line;
        json_decref(root);
        s = nashc_error(d, &loc, "%s", why);
        nashc_help(d,
                   "it looks like {\"part0\": [\"Conv_0\", \"Relu_0\"], \"part1\": [\"Conv_1\"]}");
        return s;
    }
    s = parts_init(p, r, g, (int)json_object_size(root)) ? read_sets(p, &w, root, &loc)
                                                         : nashc_enomem(d);
    json_decref(root);
    return s != NASHC_OK ? s : take_names(p, &w, &loc);
}

static nashc_status
by_options(nashc_run *r, nashc_graph *g, parts *p)
{
    const nashc_opts *o = nashc_run_opts(r);
    const char *ops = nashc_opts_str(o, "ops"), *nodes = nashc_opts_str(o, "nodes");
    wants w = {0};
    nashc_status s;

    if (!parts_init(p, r, g, 1))
        return nashc_enomem(nashc_run_diag(r));
    p->name[1] = nashc_opts_str(o, "name");
    if (!*p->name[1])
        return nashc_error(p->d, NULL, "partition: the graph must have a name");
    if ((s = take_ops(p, ops)) != NASHC_OK || (s = split(p, &w, nodes)) != NASHC_OK ||
        (s = take_names(p, &w, NULL)) != NASHC_OK || *ops || w.n)
        return s;
    nashc_error(p->d, NULL, "partition: which nodes? no option says it");
    nashc_help(p->d, "give `ops`, `nodes` or `file`, as in partition(ops=nn.conv,nn.relu)");
    return NASHC_EINPUT;
}

static nashc_status
partition(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    const char *file = nashc_opts_str(o, "file");
    parts p;
    nashc_status s;

    if (*file &&
        (nashc_opts_given(o, "name") || nashc_opts_given(o, "ops") || nashc_opts_given(o, "nodes")))
        return nashc_error(nashc_run_diag(r), NULL,
                           "partition: `file` names graphs and nodes; give it alone");
    s = *file ? by_file(r, g, &p, file) : by_options(r, g, &p);
    return s != NASHC_OK ? s : parts_cut(&p);
}

static const nashc_param partition_options[] = {
    {.name = "name", .def = "partition", .help = "name of the graph", .kind = NASHC_P_STRING},
    {.name = "ops",
     .def = "",
     .help = "ops whose nodes are meant; nn.* for all that begin so",
     .kind = NASHC_P_STRING},
    {.name = "nodes", .def = "", .help = "names of nodes", .kind = NASHC_P_STRING},
    {.name = "file",
     .def = "",
     .help = "JSON file of several partitions, {\"graph\": [\"node\", ...], ...}",
     .kind = NASHC_P_PATH},
    {0},
};

const nashc_pass nashc_pass_partition = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "partition",
    .alias = "PartitionFromLambda|PartitionFromDict",
    .help = "move nodes of the main graph into a graph of their own that is called",
    .options = partition_options,
    .stats = (const char *const[]){"partitions", NULL},
    .run = partition,
};
