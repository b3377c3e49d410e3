/* write.c: backend "brevitas": a training script of a network for PyTorch and Brevitas, whose QONNX
 * export is the network again.
 *
 * script.py is what all scripts have; in place of @NETWORK@ comes a class with a module for each
 * layer and quantiser, the forward pass, and a table of nashc's names. */
#include "brevitas.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

extern const char nashc_brevitas_script[];

/* --- what emitters use ----------------------------------------------------------------------- */

nashc_status
brev_refuse(brev *b, const nashc_node *n, const char *why)
{
    nashc_unsup(b->d, nashc_node_loc(n), "%s has no form in Brevitas: %s", nashc_node_opname(n),
                why);
    nashc_help(b->d, "export the network before passes change it, or train it with `nashc train`");
    return NASHC_EUNSUP;
}

double
brev_scalar(const nashc_value *v)
{
    return nashc_tensor_get(nashc_value_const(v), 0);
}

const char *
brev_in(brev *b, const nashc_node *n, int k)
{
    const nashc_value *v = nashc_node_in(n, k);
    bool quantised = nashc_value_def_by(v, "q.quant") || nashc_value_def_by(v, "q.trunc");

    if (nashc_value_const(v))
        return nashc_arena_printf(b->a, "%.9g", brev_scalar(v));
    return quantised ? nashc_arena_printf(b->a, "value(%s)", b->name[nashc_value_id(v)])
                     : b->name[nashc_value_id(v)];
}

const char *
brev_module(const brev *b, const nashc_node *n)
{
    return b->module[nashc_node_id(n)];
}

const char *
brev_list(brev *b, const int64_t *v, int n)
{
    const char *text = "(";

    for (int i = 0; text && i < n; i++)
        text = nashc_arena_printf(b->a, "%s%s%" PRId64, text, i ? ", " : "", v[i]);
    return text ? nashc_arena_printf(b->a, "%s)", text) : NULL;
}

const char *
brev_tuple(brev *b, const int64_t *v, int n)
{
    bool equal = true;

    for (int i = 1; i < n; i++)
        equal &= v[i] == v[0];
    return equal ? nashc_arena_printf(b->a, "%" PRId64, v[0]) : brev_list(b, v, n);
}

const int64_t *
brev_pads(const nashc_node *n, int *n_axes, bool *even)
{
    int k;
    const int64_t *pads = nashc_node_ints(n, "pads", &k);

    *n_axes = k / 2;
    *even = true;
    for (int i = 0; i < k / 2; i++)
        *even &= pads[i] == pads[k / 2 + i];
    return pads;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Letters, digits and underscores, unique by what is appended where it has to be. */
static const char *
identifier(brev *b, const char *name, const char *prefix, uint32_t id, const char *const *taken,
           uint32_t n_taken)
{
    char *text = NASHC_NEW_N(b->a, char, strlen(name) + 1);
    bool good = text && (isalpha((unsigned char)name[0]) || name[0] == '_');

    for (size_t i = 0; good && name[i]; i++)
        text[i] = isalnum((unsigned char)name[i]) ? name[i] : '_';
    for (uint32_t i = 0; good && i < n_taken; i++)
        good = !taken[i] || strcmp(taken[i], text) != 0;
    return good ? text : nashc_arena_printf(b->a, "%s%" PRIu32, prefix, id);
}

static const brev_emitter *
emitter_of(const nashc_node *n)
{
    const brev_emitter *const tables[] = {brev_layers, brev_quantisers, brev_plain};

    for (size_t t = 0; t < NASHC_COUNT(tables); t++)
        for (const brev_emitter *e = tables[t]; e->op; e++)
            if (nashc_node_is(n, e->op))
                return e;
    return NULL;
}

/* --- before writing -------------------------------------------------------------------------- */

static void
find_trained(brev *b, const nashc_node *n)
{
    static const char *const layers[] = {"nn.conv", "nn.gemm", "nn.matmul", "nn.batchnorm", NULL};
    bool trained = nashc_node_is_any(n, layers);

    for (int k = 0; k < nashc_node_n_in(n); k++)
        trained |= nashc_node_in(n, k) && b->trained[nashc_value_id(nashc_node_in(n, k))];
    for (int k = 0; k < nashc_node_n_out(n); k++)
        b->trained[nashc_value_id(nashc_node_out(n, k))] = trained;
}

static nashc_status
prepare_node(brev *b, const nashc_node *n)
{
    const brev_emitter *e = emitter_of(n);
    uint32_t id = nashc_node_id(n), max = nashc_graph_max_id(b->g);

    if (!e) /* it may have no result */
        return brev_refuse(b, n, "the exporter does not know the operator");
    uint32_t out = nashc_value_id(nashc_node_out(n, 0));
    find_trained(b, n);
    nashc_status s = e->check ? e->check(b, n) : NASHC_OK;
    if (s != NASHC_OK || brev_is_part(n))
        return s;
    b->name[out] = nashc_arena_printf(b->a, "v%" PRIu32, out);
    if (e->module && brev_module_of(b, n) == n) {
        const char *name = brev_module_name(b, n);
        b->module[id] = name ? identifier(b, name, "m", id, b->module, max) : NULL;
    }
    return b->name[out] && (!e->module || brev_module_of(b, n) != n || b->module[id])
               ? NASHC_OK
               : nashc_enomem(b->d);
}

static nashc_status
prepare(brev *b)
{
    uint32_t max = nashc_graph_max_id(b->g);
    nashc_status s = NASHC_OK;

    b->trained = NASHC_NEW_N(b->a, bool, max + 1);
    b->name = NASHC_NEW_N(b->a, const char *, max + 1);
    b->module = NASHC_NEW_N(b->a, const char *, max + 1);
    if (!b->trained || !b->name || !b->module)
        return nashc_enomem(b->d);
    if (nashc_graph_n_inputs(b->g) != 1 || nashc_graph_n_outputs(b->g) != 1)
        return nashc_unsup(b->d, NULL,
                           "only networks with one input and one output become a training script");
    b->name[nashc_value_id(nashc_graph_input(b->g, 0))] = "x";
    NASHC_EACH_NODE(b->g, n)
    {
        if (s == NASHC_OK)
            s = prepare_node(b, n);
    }
    const nashc_value *y = nashc_graph_output(b->g, 0);
    if (s == NASHC_OK && !b->name[nashc_value_id(y)])
        s = nashc_unsup(b->d, NULL, "the output \"%s\" is a constant or weights",
                        nashc_value_name(y));
    return s;
}

/* --- writing --------------------------------------------------------------------------------- */

static void
write_modules(brev *b)
{
    nashc_out_printf(b->f, "    def __init__(self):\n        super().__init__()\n");
    NASHC_EACH_NODE(b->g, n)
    {
        if (!b->module[nashc_node_id(n)])
            continue;
        nashc_out_printf(b->f, "        self.%s = ", b->module[nashc_node_id(n)]);
        emitter_of(n)->module(b, n);
        nashc_out_printf(b->f, "\n");
    }
}

static void
write_forward(brev *b)
{
    const nashc_value *y = nashc_graph_output(b->g, 0);
    bool quantised = nashc_value_def_by(y, "q.quant") || nashc_value_def_by(y, "q.trunc");

    nashc_out_printf(b->f, "\n    def forward(self, x):\n");
    NASHC_EACH_NODE(b->g, n)
    {
        const char *name = b->name[nashc_value_id(nashc_node_out(n, 0))];
        if (!name)
            continue;
        nashc_out_printf(b->f, "        %s = ", name);
        emitter_of(n)->call(b, n);
        nashc_out_printf(b->f, "\n");
    }
    nashc_out_printf(b->f, quantised ? "        return value(%s)\n" : "        return %s\n",
                     b->name[nashc_value_id(y)]);
}

static void
write_names(brev *b)
{
    nashc_out_printf(
        b->f, "\n    NAMES = {  # nashc's name: key of the state (@: a threshold); transposed\n");
    NASHC_EACH_NODE(b->g, n)
    {
        const brev_emitter *e = emitter_of(n);
        if (b->module[nashc_node_id(n)] && e->table)
            e->table(b, n);
    }
    nashc_out_printf(b->f, "    }\n");
}

static void
write_class(brev *b)
{
    const nashc_type *t = nashc_value_type(nashc_graph_input(b->g, 0));

    nashc_out_printf(b->f, "class Net(nn.Module):\n    INPUT = (");
    for (int i = 0; i < t->rank; i++)
        nashc_out_printf(b->f, "%" PRId64 ", ", t->dim[i] < 1 ? 1 : t->dim[i]);
    nashc_out_printf(b->f, ")\n");
    nashc_out_printf(b->f, "\n");
    write_modules(b);
    write_forward(b);
    write_names(b);
}

static void
write_script(brev *b)
{
    static const char title[] = "@TITLE@", network[] = "\n@NETWORK@\n";
    const char *s = nashc_brevitas_script, *at = strstr(s, title), *net = strstr(s, network);

    nashc_out_write(b->f, s, (size_t)(at - s));
    for (const char *c = nashc_graph_name(b->g); *c; c++)
        nashc_out_printf(b->f, "%c", isalnum((unsigned char)*c) ? *c : '_');
    at += sizeof title - 1;
    nashc_out_write(b->f, at, (size_t)(net - at) + 1);
    write_class(b);
    net += sizeof network - 1;
    nashc_out_write(b->f, net, strlen(net));
}

static nashc_status
brevitas_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    brev b = {.a = nashc_arena_create(), .d = d, .g = nashc_module_main(m)};
    nashc_status s = !b.a  ? nashc_enomem(d)
                     : b.g ? prepare(&b)
                           : nashc_error(d, NULL, "the module has no graph to write");

    (void)o;
    if (s == NASHC_OK) {
        b.f = nashc_out_open(path, d);
        s = b.f ? NASHC_OK : NASHC_EIO;
    }
    if (s == NASHC_OK) {
        write_script(&b);
        s = nashc_out_commit(b.f, d);
    }
    nashc_arena_free(b.a);
    return s;
}

const nashc_backend nashc_backend_brevitas = {
    NASHC_DESC(nashc_backend),
    .name = "brevitas",
    .help = "a training script for PyTorch and Brevitas",
    .suffixes = ".py",
    .write = brevitas_write,
};
