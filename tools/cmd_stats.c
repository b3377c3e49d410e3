/* cmd_stats.c: nashc stats: counts of a model without running it. */
#include "tool.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {TOOL_LOAD_OPTIONS, {0}};

/* Parts of a network made from a genotype, by the names of its parameters and nodes. */
enum { STEM, BACKBONE, DOWN, BRANCH, FC, N_PARTS };
static const char *const part_names[N_PARTS] = {"stem", "backbone", "down", "branch", "fc"};

#define MAX_BITS 64

typedef struct stats {
    bool parts; /* the model was made from a genotype */
    int64_t weights, part_weights[N_PARTS];
    int64_t macs, part_macs[N_PARTS];
    int64_t bias, bn, scales, thresholds, compares;
    int64_t weight_bits[MAX_BITS + 1]; /* weights of each width */
    int64_t act_bits[2][MAX_BITS + 1]; /* quantisers of activations: unsigned, signed */
    int64_t n_nodes;
    const char **op; /* of every node, sorted in the end */
    bool *seen;      /* by the value's id within the graph at hand: a constant that is counted */
    nashc_arena *arena;
} stats;

/* --- parts ----------------------------------------------------------------------------------- */

/* By the names that the genotype frontend gives; in another model they may mean anything, so only
 * there. */
static int
part_of(const char *name)
{
    static const struct {
        const char *word;
        int part;
    } words[] = {{"stem.", STEM},
                 {".layer", BACKBONE},
                 {".down.", DOWN},
                 {".branch", BRANCH},
                 {"head.", FC}};
    for (size_t i = 0; name && i < NASHC_COUNT(words); i++)
        if (strstr(name, words[i].word))
            return words[i].part;
    return -1;
}

static void
add(int64_t *total, int64_t *parts, int part, int64_t n)
{
    *total += n;
    if (part >= 0)
        parts[part] += n;
}

/* --- parameters ------------------------------------------------------------------------------ */

/* The first time that this constant is met? Weights that several nodes share count once. */
static bool
first_time(stats *s, const nashc_value *v)
{
    bool *seen = &s->seen[nashc_value_id(v)];
    bool first = !*seen;
    *seen = true;
    return first;
}

/* The constant that v is made of by quantisers and moves alone; NULL: there is none. *bits: width
 * that the last quantiser on the way gives, 0 without one. */
static nashc_value *
source_constant(nashc_value *v, int *bits)
{
    static const char *const moves[] = {
        "q.quant",    "q.bipolar_quant", "q.float_quant", "nn.transpose",
        "nn.reshape", "nn.flatten",      "nn.identity",   NULL};
    nashc_node *n;
    *bits = 0;
    while (v && !nashc_value_const(v) && (n = nashc_value_def(v)) && nashc_node_is_any(n, moves)) {
        if (nashc_node_is(n, "q.bipolar_quant"))
            *bits = 1;
        else if (nashc_node_is(n, "q.quant") && *bits == 0) {
            nashc_type t = nashc_type_for_range(nashc_attr_int(n, nashc_attr_index(n, "qmin")),
                                                nashc_attr_int(n, nashc_attr_index(n, "qmax")));
            *bits = t.bits;
        }
        v = nashc_node_in(n, 0);
    }
    return v && nashc_value_const(v) ? v : NULL;
}

static void
count_weights(stats *s, const nashc_node *n, int operand)
{
    int bits;
    nashc_value *w = source_constant(nashc_node_in(n, operand), &bits);
    if (!w || !first_time(s, w))
        return;
    const nashc_type *t = nashc_value_type(w);
    int64_t count = nashc_tensor_count(nashc_value_const(w));
    add(&s->weights, s->part_weights, s->parts ? part_of(nashc_value_name(w)) : -1, count);
    s->weight_bits[bits ? bits : t->bits <= MAX_BITS ? t->bits : 0] += count;
}

static int64_t
constant_count(stats *s, const nashc_node *n, int operand)
{
    nashc_value *v = nashc_node_in(n, operand);
    return v && nashc_value_const(v) && first_time(s, v) ? nashc_tensor_count(nashc_value_const(v))
                                                         : 0;
}

/* Scales of activations; that of an input is no parameter. */
static void
count_quantiser(stats *s, const nashc_node *n)
{
    int bits;
    const nashc_value *x = nashc_node_in(n, 0);
    if (source_constant(nashc_node_in(n, 0), &bits))
        return;
    nashc_type t = nashc_type_bip();
    if (nashc_node_is(n, "q.quant"))
        t = nashc_type_for_range(nashc_attr_int(n, nashc_attr_index(n, "qmin")),
                                 nashc_attr_int(n, nashc_attr_index(n, "qmax")));
    s->act_bits[nashc_type_is_signed(&t)][t.bits]++;
    if (!nashc_value_is_input(x))
        s->scales += constant_count(s, n, 1);
}

/* --- work ------------------------------------------------------------------------------------ */

/* Comparisons of a maximum: one less than its window has elements, for each result. */
static int64_t
compares_of(const nashc_node *n)
{
    int rank;
    int64_t window = 1;
    const int64_t *k = nashc_attr_ints(n, nashc_attr_index(n, "kernel"), &rank);
    for (int i = 0; i < rank; i++)
        window *= k[i];
    return (window - 1) * nashc_type_count(nashc_value_type(nashc_node_out(n, 0)));
}

static void
count_node(stats *s, const nashc_node *n)
{
    static const char *const layers[] = {"nn.conv", "nn.conv_transpose", "nn.matmul", "nn.gemm",
                                         NULL};
    const nashc_loc *loc = nashc_node_loc(n);
    int part = s->parts && loc ? part_of(loc->name) : -1;
    s->op[s->n_nodes++] = nashc_node_opname(n);
    if (nashc_node_is_any(n, layers)) {
        add(&s->macs, s->part_macs, part, nashc_node_macs(n));
        count_weights(s, n, 1);
        count_weights(s, n, 0); /* a constant from the left */
        s->bias += constant_count(s, n, 2);
    } else if (nashc_node_is(n, "nn.batchnorm")) {
        s->bn += constant_count(s, n, 1) + constant_count(s, n, 2);
    } else if (nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant")) {
        count_quantiser(s, n);
    } else if (nashc_node_is(n, "q.multithreshold")) {
        s->thresholds += constant_count(s, n, 1);
    } else if (nashc_node_is(n, "nn.maxpool") && part != STEM) {
        s->compares += compares_of(n); /* every version of a genotype has the stem's */
    }
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What the graph cannot show: a genotype's scales that nothing reads count too. */
static nashc_status
count_genotype(nashc_ctx *c, const nashc_module *m, stats *s, nashc_diag *d)
{
    nashc_genotype *g;
    const char *text = nashc_module_meta(m, "genotype");
    if (!text)
        return NASHC_OK;
    nashc_status st =
        nashc_genotype_parse(c, s->arena, "metadata genotype", text, strlen(text), NULL, &g, d);
    if (st == NASHC_OK)
        s->scales = nashc_genotype_scales(g);
    return st;
}

static nashc_status
count(nashc_ctx *c, const nashc_module *m, stats *s, nashc_diag *d)
{
    int64_t nodes = 0;
    s->parts = nashc_module_meta(m, "genotype") != NULL;
    for (int i = 0; i < nashc_module_n_graphs(m); i++)
        nodes += nashc_graph_n_nodes(nashc_module_graph_at(m, i));
    s->op = NASHC_NEW_N(s->arena, const char *, nodes + 1);
    if (!s->op)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_module_n_graphs(m); i++) {
        const nashc_graph *g = nashc_module_graph_at(m, i);
        /* values belong to one graph, and so do their ids */
        s->seen = NASHC_NEW_N(s->arena, bool, nashc_graph_max_id(g) + 1);
        if (!s->seen)
            return nashc_enomem(d);
        NASHC_EACH_NODE(g, n)
        {
            count_node(s, n);
        }
    }
    qsort(s->op, (size_t)s->n_nodes, sizeof *s->op, by_text);
    return count_genotype(c, m, s, d);
}

/* --- output ---------------------------------------------------------------------------------- */

static void
put(json_t *o, const char *key, int64_t v)
{
    json_object_set_new(o, key, json_integer(v));
}

static json_t *
nodes_json(const stats *s)
{
    json_t *o = json_object();
    for (int64_t i = 0, from = 0; i < s->n_nodes; i++)
        if (i + 1 == s->n_nodes || strcmp(s->op[i], s->op[i + 1]) != 0) {
            put(o, s->op[i], i + 1 - from);
            from = i + 1;
        }
    return o;
}

static json_t *
bits_json(const stats *s)
{
    json_t *weights = json_object(), *acts = json_object();
    char key[16];
    for (int b = 0; b <= MAX_BITS; b++) {
        snprintf(key, sizeof key, "%d", b);
        if (s->weight_bits[b])
            put(weights, key, s->weight_bits[b]);
        for (int sign = 0; sign < 2; sign++) {
            snprintf(key, sizeof key, "%c%d", sign ? 's' : 'u', b);
            if (s->act_bits[sign][b])
                put(acts, key, s->act_bits[sign][b]);
        }
    }
    return json_pack("{s:o, s:o}", "weights", weights, "activations", acts);
}

static void
put_parts(json_t *o, const stats *s, const int64_t *v)
{
    for (int i = 0; i < N_PARTS && s->parts; i++)
        put(o, part_names[i], v[i]);
}

static json_t *
to_json(const stats *s)
{
    json_t *p = json_object(), *macs = json_object(), *o = json_object();
    put(p, "weights", s->weights);
    put_parts(p, s, s->part_weights);
    put(p, "bias", s->bias);
    put(p, "bn", s->bn);
    put(p, "scales", s->scales);
    put(p, "thresholds", s->thresholds);
    json_object_set_new(o, "parameters", p);
    put(o, "macs", s->macs);
    put_parts(macs, s, s->part_macs);
    if (s->parts)
        json_object_set_new(o, "macs_by_part", macs);
    else
        json_decref(macs);
    put(o, "pool_compares", s->compares);
    json_object_set_new(o, "nodes", nodes_json(s));
    json_object_set_new(o, "bits", bits_json(s));
    return o;
}

/* "key value, key value" of an object. */
static void
print_row(const char *title, const json_t *o)
{
    const char *key, *comma = "";
    json_t *v;
    printf("%-14s", title);
    json_object_foreach((json_t *)o, key, v)
    {
        printf("%s%s %" JSON_INTEGER_FORMAT, comma, key, json_integer_value(v));
        comma = ", ";
    }
    printf("%s\n", comma[0] ? "" : "none");
}

static void
print_text(const json_t *o)
{
    const json_t *bits = json_object_get(o, "bits"), *parts = json_object_get(o, "macs_by_part");
    print_row("parameters", json_object_get(o, "parameters"));
    printf("%-14s%" JSON_INTEGER_FORMAT "\n", "macs",
           json_integer_value(json_object_get(o, "macs")));
    if (parts)
        print_row("  by part", parts);
    printf("%-14s%" JSON_INTEGER_FORMAT "\n", "pool compares",
           json_integer_value(json_object_get(o, "pool_compares")));
    print_row("nodes", json_object_get(o, "nodes"));
    print_row("weight bits", json_object_get(bits, "weights"));
    print_row("act bits", json_object_get(bits, "activations"));
}

static nashc_status
print(const stats *s, nashc_diag *d)
{
    json_t *o = to_json(s);
    char *text = tool_json() ? json_dumps(o, JSON_INDENT(2)) : NULL;
    if (text)
        puts(text);
    else if (!tool_json())
        print_text(o);
    nashc_status st = tool_json() && !text ? nashc_enomem(d) : NASHC_OK;
    free(text);
    json_decref(o);
    return st;
}

static int
stats_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL;
    stats s = {.arena = nashc_arena_create()};
    (void)n_args;
    nashc_status st = s.arena ? tool_load(c, o, args[0], &m) : nashc_enomem(d);
    if (st == NASHC_OK)
        st = tool_make_static(&m, d);
    if (st == NASHC_OK)
        st = count(c, m, &s, d);
    if (st == NASHC_OK)
        st = print(&s, d);
    nashc_arena_free(s.arena);
    nashc_module_free(m);
    return nashc_status_exit(st);
}

const nashc_command nashc_command_stats = {
    NASHC_DESC(nashc_command),
    .name = "stats",
    .help = "count parameters, work and nodes",
    .usage = "MODEL [--json] [options]",
    .example = "nashc stats net.onnx\nnashc stats genotype.ngt --json",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = stats_main,
};
