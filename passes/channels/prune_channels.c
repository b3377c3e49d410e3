/* prune_channels.c: removes output channels of the layer called `node`, and all that goes with
 * them.
 *
 *     conv W [O,C,k,k] -- batchnorm, quant, pool, ... -- conv V [P,O,k,k]
 *     ==>  conv W [O-n,C,k,k] -- ... -- conv V [P,O-n,k,k]
 *
 * A mask of removed channels spreads over values: through element-wise ops, thresholds, pools and
 * flattens forwards and backwards (so both branches of an add lose the same channels), through
 * depthwise convolutions, up to the layers that make and those that read the channels. Where it
 * reaches an input, an output or any other op, the pass refuses and says where.
 * Changes values on purpose, unless the channels were 0 for their readers.
 */
#include "passes/support/match.h"
#include <string.h>

typedef struct pruning {
    nashc_run *r;
    nashc_graph *g;
    nashc_build *b;
    uint8_t **mask; /* by value id: 1 for a removed channel; NULL: untouched */
    nashc_value **todo;
    int64_t n_todo, cap;
    nashc_status status;
} pruning;

static int
axis_of(const nashc_value *v)
{
    return nashc_type_channel_axis(nashc_value_type(v));
}

static void
refuse(pruning *p, const nashc_node *n, const char *why)
{
    if (p->status == NASHC_OK)
        p->status = nashc_node_unsup(nashc_run_diag(p->r), n, "prune-channels: %s", why);
}

/* Adds mask m (of n channels) to v's. */
static void
spread(pruning *p, nashc_value *v, const uint8_t *m, int64_t n)
{
    bool grown = false;

    if (nashc_value_const(v) || p->status != NASHC_OK)
        return;
    uint8_t **own = &p->mask[nashc_value_id(v)];
    if (!*own)
        *own = nashc_arena_alloc(nashc_run_arena(p->r), (size_t)n + 1);
    if (!*own || p->n_todo == p->cap) {
        p->status = nashc_enomem(nashc_run_diag(p->r));
        return;
    }
    for (int64_t c = 0; c < n; c++) {
        grown = grown || (m[c] && !(*own)[c]);
        (*own)[c] |= m[c];
    }
    if (grown)
        p->todo[p->n_todo++] = v;
}

enum { OTHER, DENSE, DEPTHWISE, THROUGH, FLATTEN };

/* How n relates the channels of its data operand to those of its result. */
static int
kind_of(const nashc_node *n)
{
    static const char *const through[] = {
        "q.multithreshold", "nn.batchnorm",      "nn.maxpool",        "nn.avgpool",
        "nn.sumpool",       "nn.global_avgpool", "nn.global_maxpool", "nn.global_sumpool"};
    const nashc_value *x = nashc_node_in(n, 0), *w = nashc_node_in(n, 1);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));

    if (nashc_node_is(n, "nn.conv") || nashc_node_is(n, "nn.conv_transpose")) {
        int64_t group = nashc_node_int(n, "group");
        if (!nashc_value_const(w) && !match_quantised(w))
            return OTHER;
        if (group == 1)
            return DENSE;
        return nashc_node_is(n, "nn.conv") && group == nashc_type_channels(y) &&
                       group == nashc_type_channels(nashc_value_type(x))
                   ? DEPTHWISE
                   : OTHER;
    }
    if (nashc_node_is(n, "nn.matmul"))
        return (nashc_value_const(w) || match_quantised(w)) && nashc_value_type(x)->rank == 2 &&
                       nashc_value_type(w)->rank == 2
                   ? DENSE
                   : OTHER;
    if (nashc_node_is(n, "nn.reshape"))
        return nashc_value_type(x)->rank > 2 && y->rank == 2 && axis_of(x) == 1 &&
                       y->dim[0] == nashc_value_type(x)->dim[0]
                   ? FLATTEN
                   : OTHER;
    for (size_t i = 0; i < NASHC_COUNT(through); i++)
        if (nashc_node_is(n, through[i]))
            return THROUGH;
    return nashc_node_op(n)->flags & NASHC_OP_ELTWISE ? THROUGH : OTHER;
}

/* Spreads v's mask to the operands of its definition. */
static void
spread_back(pruning *p, nashc_value *v, const uint8_t *m, int64_t n)
{
    nashc_node *def = nashc_value_def(v);

    if (!def) {
        p->status = nashc_unsup(nashc_run_diag(p->r), NULL,
                                "prune-channels: the channels of input \"%s\" would change",
                                nashc_value_name(v));
        return;
    }
    switch (kind_of(def)) {
    case DENSE:
        return;
    case DEPTHWISE:
        spread(p, nashc_node_in(def, 0), m, n);
        return;
    case THROUGH:
        for (int i = 0; i < nashc_node_n_in(def); i++) {
            nashc_value *in = nashc_node_in(def, i);
            if (!in || nashc_value_const(in))
                continue;
            if (nashc_type_channels(nashc_value_type(in)) != n ||
                nashc_value_type(in)->rank != nashc_value_type(v)->rank)
                refuse(p, def, "an operand is broadcast along the channels");
            else
                spread(p, in, m, n);
        }
        return;
    default:
        refuse(p, def, "removed channels cannot be followed to its operands");
    }
}

/* Spreads v's mask to the results of its readers. */
static void
spread_on(pruning *p, nashc_value *v, const uint8_t *m, int64_t n)
{
    int n_users;
    nashc_node **users = nashc_value_users(v, nashc_run_arena(p->r), &n_users);

    if (nashc_value_is_output(v)) {
        refuse(p, nashc_value_def(v), "the channels of an output would change");
        return;
    }
    for (int u = 0; u < n_users && p->status == NASHC_OK; u++) {
        nashc_value *y = nashc_node_out(users[u], 0);
        int kind = kind_of(users[u]);
        if (kind == DENSE && nashc_node_in(users[u], 0) == v)
            continue;
        if (kind == DEPTHWISE || kind == THROUGH) {
            spread(p, y, m, n);
        } else if (kind == FLATTEN) {
            int64_t k = nashc_value_type(y)->dim[1] / n;
            uint8_t *wide = nashc_arena_alloc(nashc_run_arena(p->r), (size_t)(k * n) + 1);
            for (int64_t i = 0; wide && i < k * n; i++)
                wide[i] = m[i / k];
            if (wide)
                spread(p, y, wide, k * n);
        } else {
            refuse(p, users[u], "removed channels cannot be followed through it");
        }
    }
}

/* Constant v (or a quantiser of constants) without the masked entries along axis of type w; parts
 * of extent 1 there stay. */
static nashc_value *
without(pruning *p, nashc_value *v, const nashc_type *w, int axis, const uint8_t *m)
{
    const nashc_tensor *t = nashc_value_const(v);
    nashc_node *q = match_quantised(v);

    if (q) {
        nashc_value *in[4] = {0};
        for (int i = 0; i < nashc_node_n_in(q) && i < 4; i++)
            in[i] = without(p, nashc_node_in(q, i), w, axis, m);
        nashc_node *made = nashc_build_like(p->b, q, in, nashc_node_n_in(q));
        return made ? nashc_node_out(made, 0) : NULL;
    }
    const nashc_type *type = nashc_tensor_type(t);
    int at = axis - (w->rank - type->rank);
    if (at < 0 || type->dim[at] == 1)
        return v;
    int64_t keep = 0, inner = 1, n = type->dim[at], used = 0;
    for (int64_t c = 0; c < n; c++)
        keep += !m[c];
    for (int i = at + 1; i < type->rank; i++)
        inner *= type->dim[i];
    nashc_type to = *type;
    to.dim[at] = keep;
    double *out = NASHC_NEW_N(nashc_run_arena(p->r), double, nashc_type_count(&to) + 1);
    for (int64_t i = 0; out && i < nashc_tensor_count(t); i++)
        if (!m[i / inner % n])
            out[used++] = nashc_tensor_get(t, i);
    return nashc_build_const(p->b, NULL, out ? nashc_tensor_from_f64(&to, out) : NULL);
}

static void
cut_operand(pruning *p, nashc_node *n, int i, const nashc_type *w, int axis, const uint8_t *m)
{
    nashc_value *v = nashc_node_in(n, i);

    if (!v || (!nashc_value_const(v) && !match_quantised(v)))
        return;
    nashc_build_before(p->b, n);
    nashc_value *c = without(p, v, w, axis, m);
    if (c)
        nashc_node_set_in(n, i, c);
}

/* Cuts constants and attributes of n by the masks of its result and of its data operand. */
static void
cut(pruning *p, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0), *y = nashc_node_out(n, 0);
    const uint8_t *out = p->mask[nashc_value_id(y)], *in = p->mask[nashc_value_id(x)];
    nashc_diag *d = nashc_run_diag(p->r);
    int kind = kind_of(n);
    int64_t keep = 0, channels = nashc_type_channels(nashc_value_type(y));

    for (int64_t c = 0; out && c < channels; c++)
        keep += !out[c];
    if (out && keep == 0)
        refuse(p, n, "no channel would be left");
    if (p->status != NASHC_OK || (!out && (kind != DENSE || !in)))
        return;
    if (kind == DENSE || kind == DEPTHWISE) {
        nashc_type w = *nashc_value_type(nashc_node_in(n, 1));
        bool matmul = nashc_node_is(n, "nn.matmul"), up = nashc_node_is(n, "nn.conv_transpose");
        int second = axis_of(x) == 1 ? 1 : w.rank - 1;
        nashc_type bias = nashc_type_shaped(nashc_type_f64(), 1, &channels);
        if (out) {
            cut_operand(p, n, 1, &w, matmul ? 1 : up ? second : 0, out);
            cut_operand(p, n, 2, &bias, 0, out);
        }
        if (in && kind == DENSE)
            cut_operand(p, n, 1, &w, matmul ? 0 : up ? 0 : second, in);
        if (kind == DEPTHWISE)
            p->status = nashc_node_set_attr_int(n, "group", keep, d);
        return;
    }
    if (kind == FLATTEN) {
        int64_t dim[] = {nashc_value_type(y)->dim[0], keep};
        p->status = nashc_node_set_attr(n, "shape", nashc_build_ints(p->b, dim, 2), d);
        return;
    }
    bool rows = nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "nn.batchnorm");
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (v && nashc_value_const(v)) /* [C,K] and [C] have the channels first */
            cut_operand(p, n, i, rows ? nashc_value_type(v) : nashc_value_type(y),
                        rows ? 0 : axis_of(y), out);
    }
}

static nashc_status
prune(nashc_run *r, nashc_graph *g)
{
    const char *name = nashc_opts_str(nashc_run_opts(r), "node");
    nashc_arena *a = nashc_run_arena(r);
    pruning p = {.r = r, .g = g, .b = nashc_run_build(r, g)};
    int n_list, n_values = (int)nashc_graph_max_id(g) + 1;
    const int64_t *list = nashc_opts_ints(nashc_run_opts(r), "channels", &n_list);
    nashc_node *root = NULL;

    p.cap = (int64_t)n_values * 8;
    p.mask = NASHC_NEW_N(a, uint8_t *, n_values);
    p.todo = NASHC_NEW_N(a, nashc_value *, p.cap);
    if (!p.mask || !p.todo)
        return nashc_enomem(nashc_run_diag(r));
    NASHC_EACH_NODE(g, n)
    if (nashc_node_loc(n)->name && !strcmp(nashc_node_loc(n)->name, name))
        root = n;
    if (!root || kind_of(root) != DENSE)
        return nashc_error(nashc_run_diag(r), NULL,
                           "prune-channels: no convolution or matmul of constant weights is "
                           "called \"%s\"",
                           nashc_quote(nashc_run_diag(r), name));
    int64_t channels = nashc_type_channels(nashc_value_type(nashc_node_out(root, 0)));
    uint8_t *m = nashc_arena_alloc(a, (size_t)channels + 1);
    for (int i = 0; m && i < n_list; i++) {
        if (list[i] < 0 || list[i] >= channels)
            return nashc_node_error(nashc_run_diag(r), root,
                                    "prune-channels: there is no channel %" PRId64, list[i]);
        m[list[i]] = 1;
    }
    if (!m || !nashc_run_edit(r, "prune", root))
        return m ? NASHC_OK : nashc_enomem(nashc_run_diag(r));

    spread(&p, nashc_node_out(root, 0), m, channels);
    while (p.n_todo > 0 && p.status == NASHC_OK) {
        nashc_value *v = p.todo[--p.n_todo];
        int64_t n = nashc_type_channels(nashc_value_type(v));
        if (nashc_node_is(nashc_value_def(v), "nn.reshape")) {
            spread_on(&p, v, p.mask[nashc_value_id(v)], n);
            continue; /* its operand's mask is where this one came from */
        }
        spread_back(&p, v, p.mask[nashc_value_id(v)], n);
        spread_on(&p, v, p.mask[nashc_value_id(v)], n);
    }
    NASHC_EACH_NODE(g, n)
    if (p.status == NASHC_OK && nashc_node_n_in(n) > 0 && nashc_node_n_out(n) == 1 &&
        (int)nashc_value_id(nashc_node_out(n, 0)) < n_values && nashc_node_in(n, 0) &&
        (int)nashc_value_id(nashc_node_in(n, 0)) < n_values)
        cut(&p, n);
    if (p.status == NASHC_OK)
        p.status = nashc_build_status(p.b);
    return p.status ? p.status : nashc_graph_infer(g, nashc_run_diag(r));
}

static const nashc_param prune_options[] = {
    {.name = "node", .def = NULL, .help = "name of the layer", .kind = NASHC_P_STRING},
    {.name = "channels", .def = NULL, .help = "its output channels to go", .kind = NASHC_P_INTS},
    {0},
};

const nashc_pass nashc_pass_prune_channels = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE | NASHC_PASS_INEXACT,
    .name = "prune-channels",
    .alias = "PruneChannels|RemoveMaskedChannels|ApplyMasks|PropagateMasks",
    .help = "remove channels of a layer and what belongs to them (changes values)",
    .options = prune_options,
    .run = prune,
};
