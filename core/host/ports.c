/* ports.c: the streams of a design and the host's part of the model, read off @main:
 *
 *     input -- mul, sub, ... -- quant -- [call of the layers] -- dequant or mul -- ... -- output
 *              \__ scale, zero point, bias of a port __/         \__ of a port __/
 */
#include <nashc/flow.h>
#include <nashc/ports.h>
#include <string.h>

#define MAX_CHANNELS 65536

/* Of a port: x = scale * (q - zero) + bias, one number or one a channel. */
typedef struct affine {
    double *scale, *zero, *bias;
    int n;
} affine;

/* Makes room for n numbers of each; those there were, or the one there was, are kept. */
static bool
widen(affine *f, int n, nashc_arena *a)
{
    double *to[3];

    if (n == f->n || n == 1)
        return true;
    if (f->n != 1 || n > MAX_CHANNELS)
        return false;
    for (int k = 0; k < 3; k++) {
        const double *from = k == 0 ? f->scale : k == 1 ? f->zero : f->bias;
        to[k] = NASHC_NEW_N(a, double, n);
        for (int i = 0; to[k] && i < n; i++)
            to[k][i] = from[0];
    }
    if (!to[0] || !to[1] || !to[2])
        return false;
    *f = (affine){to[0], to[1], to[2], n};
    return true;
}

/* Operand i of n, if it is a constant with one number, or one a channel of x. */
static const nashc_tensor *
parameter(const nashc_node *n, int i, const nashc_type *x)
{
    const nashc_value *v = i < nashc_node_n_in(n) ? nashc_node_in(n, i) : NULL;
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;

    return t && (nashc_tensor_count(t) == 1 || nashc_tensor_is_per_channel(t, x)) ? t : NULL;
}

static double
number(const nashc_tensor *t, int i)
{
    return nashc_tensor_get(t, nashc_tensor_count(t) == 1 ? 0 : i);
}

static bool
room_for(affine *f, const nashc_tensor *t, nashc_arena *a)
{
    return t && widen(f, (int)nashc_tensor_count(t), a);
}

/* Order and values of elements stay as the hardware sees them, as far as scales are concerned. */
static bool
moves_only(const nashc_node *n)
{
    return nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.transpose") ||
           nashc_node_is(n, "nn.flatten");
}

/* Scale and zero point of operands 1 and 2 of a quantiser. */
static bool
take_grid(const nashc_node *n, affine *f, nashc_arena *a)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *s = parameter(n, 1, x), *z = parameter(n, 2, x);
    bool zero = nashc_node_n_in(n) > 2 && nashc_node_in(n, 2);

    if (!room_for(f, s, a) || (zero && !room_for(f, z, a)))
        return false;
    for (int i = 0; i < f->n; i++) {
        f->scale[i] = number(s, i);
        f->zero[i] = zero ? number(z, i) : 0;
    }
    return true;
}

/* y = scale * (q - zero) + bias with y = n(x): the same for x. back: n is in front of a quantiser,
 * so it is undone; else it is done. False where n is not affine, or has no inverse. */
static bool
take_step(const nashc_node *n, affine *f, bool back, nashc_arena *a)
{
    const nashc_tensor *t = parameter(n, 1, nashc_value_type(nashc_node_in(n, 0)));
    bool mul = nashc_node_is(n, "nn.mul"), div = nashc_node_is(n, "nn.div");
    bool add = nashc_node_is(n, "nn.add"), sub = nashc_node_is(n, "nn.sub");

    if (!(mul || div || add || sub) || !room_for(f, t, a))
        return false;
    for (int i = 0; (mul || div) && i < nashc_tensor_count(t); i++)
        if (nashc_tensor_get(t, i) == 0)
            return false;
    for (int i = 0; i < f->n; i++) {
        double c = number(t, i);
        if (add || sub) {
            f->bias[i] += add == back ? -c : c;
        } else {
            f->scale[i] = mul == back ? f->scale[i] / c : f->scale[i] * c;
            f->bias[i] = mul == back ? f->bias[i] / c : f->bias[i] * c;
        }
    }
    return true;
}

static bool
identity(affine *f, nashc_arena *a)
{
    *f = (affine){NASHC_NEW_N(a, double, 1), NASHC_NEW_N(a, double, 1), NASHC_NEW_N(a, double, 1),
                  1};
    if (!f->scale || !f->zero || !f->bias)
        return false;
    f->scale[0] = 1;
    return true;
}

static void
store(nashc_port *p, const affine *f)
{
    p->scale = f->scale;
    p->zero_point = f->zero;
    p->bias = f->bias;
    p->n = f->n;
}

/* From the operand of the call back to the input of the model: the quantiser first, then what
 * stands before it, each undone. Behind the first node that is not affine the numbers stay as they
 * are, and only the name is looked for. */
static bool
trace_input(nashc_port *p, const nashc_value *v, nashc_arena *a)
{
    const nashc_node *n;
    bool grid = false;
    affine f;

    if (!identity(&f, a))
        return false;
    p->type = nashc_value_type(v);
    for (; (n = nashc_value_def(v)); v = nashc_node_in(n, 0)) {
        if (moves_only(n)) {
            if (!grid && nashc_node_is(n, "nn.reshape"))
                p->type = nashc_value_type(nashc_node_in(n, 0));
        } else if (!grid && (nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant"))) {
            if (!take_grid(n, &f, a))
                break;
            grid = true;
        } else if (!grid || !take_step(n, &f, true, a)) {
            break;
        }
    }
    store(p, &f);
    while (nashc_value_def(v) && nashc_node_n_in(nashc_value_def(v)) > 0)
        v = nashc_node_in(nashc_value_def(v), 0);
    p->name = nashc_value_name(v);
    return true;
}

static const char *
output_name(const nashc_graph *g, const nashc_value *v)
{
    for (int i = 0; i < nashc_graph_n_outputs(g); i++)
        if (nashc_graph_output(g, i) == v)
            return nashc_graph_output_name(g, i);
    return NULL;
}

/* From the result of the call on to the output of the model. Behind the first node that is not
 * affine the numbers stay as they are. */
static bool
trace_output(nashc_port *p, const nashc_graph *g, const nashc_value *v, nashc_arena *a)
{
    bool affine_so_far = true, first = true;
    const nashc_node *n;
    affine f;

    if (!identity(&f, a))
        return false;
    p->type = nashc_value_type(v);
    p->name = output_name(g, v);
    while (!p->name && (n = nashc_value_one_user(v)) && nashc_node_in(n, 0) == v) {
        const nashc_value *next = nashc_node_n_out(n) == 1 ? nashc_node_out(n, 0) : NULL;
        if (!next)
            break;
        if (first && nashc_node_is(n, "nn.reshape"))
            p->type = nashc_value_type(next);
        else if (affine_so_far && !moves_only(n))
            affine_so_far = first && nashc_node_is(n, "q.dequant") ? take_grid(n, &f, a)
                                                                   : take_step(n, &f, false, a);
        first = first && moves_only(n);
        v = next;
        p->name = output_name(g, v);
    }
    store(p, &f);
    return true;
}

/* --- the host's part -------------------------------------------------------------------------- */

/* Adds the name of n's op to a list, unless it is there. */
static const char *
add_op(const char *list, const nashc_node *n, nashc_arena *a)
{
    const char *name = nashc_node_opname(n), *dot = strchr(name, '.');
    name = dot ? dot + 1 : name;
    size_t len = strlen(name);

    for (const char *p = list; (p = strstr(p, name)); p += len)
        if ((p == list || p[-1] == ' ') && (!p[len] || p[len] == ','))
            return list;
    return nashc_arena_printf(a, "%s%s%s", list, list[0] ? ", " : "", name);
}

/* Ops before and behind the call, for people: what the host has to do. A node that does not depend
 * on the call counts as in front. */
static bool
list_ops(const nashc_graph *g, const nashc_node *call, nashc_ports *out, nashc_arena *a)
{
    bool *after = NASHC_NEW_N(a, bool, nashc_graph_max_id(g) + 1);

    NASHC_EACH_NODE(g, n)
    {
        bool behind = false;
        for (int i = 0; after && i < nashc_node_n_in(n); i++) {
            const nashc_node *def =
                nashc_node_in(n, i) ? nashc_value_def(nashc_node_in(n, i)) : NULL;
            behind = behind || (def && (def == call || after[nashc_node_id(def)]));
        }
        if (!after || n == call)
            continue;
        after[nashc_node_id(n)] = behind;
        const char **list = behind ? &out->behind : &out->front;
        if (*list)
            *list = add_op(*list, n, a);
    }
    return after && out->front && out->behind;
}

/* By name and by the number of streams, as @main may be of another version. */
static const nashc_node *
find_call(const nashc_graph *g, const nashc_graph *f)
{
    NASHC_EACH_NODE(g, n)
    {
        if (nashc_node_is(n, "call") &&
            strcmp(nashc_node_str(n, "graph"), nashc_graph_name(f)) == 0 &&
            nashc_node_n_in(n) == nashc_graph_n_inputs(f) &&
            nashc_node_n_out(n) == nashc_graph_n_outputs(f))
            return n;
    }
    return NULL;
}

static const char *
layout_of(const nashc_type *t)
{
    static const char *const by_rank[] = {"", "C", "NC", "NWC", "NHWC"};

    return t->rank < NASHC_COUNT(by_rank) ? by_rank[t->rank] : "";
}

static nashc_status
fill(nashc_port *p, const nashc_graph *main, const nashc_node *call, int i, bool input,
     const nashc_value *v, nashc_arena *a, nashc_diag *d)
{
    nashc_status s = nashc_flow_stream(v, &p->s, d);
    bool ok = true;

    p->v = v;
    if (s != NASHC_OK)
        return s;
    if (call && input) {
        ok = trace_input(p, nashc_node_in(call, i), a);
    } else if (call) {
        ok = trace_output(p, main, nashc_node_out(call, i), a);
    } else {
        affine f;
        ok = identity(&f, a);
        p->type = nashc_value_type(v);
        store(p, &f);
    }
    if (!p->name)
        p->name = nashc_value_name(v);
    p->layout = layout_of(p->type);
    return ok ? NASHC_OK : nashc_enomem(d);
}

/* Owned by a. A graph of layers without @main has ports with scale 1. */
nashc_status
nashc_ports_of(const nashc_module *m, const nashc_graph *f, nashc_ports *out, nashc_arena *a,
               nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    const nashc_node *call = g && g != f ? find_call(g, f) : NULL;
    nashc_status s = NASHC_OK;

    *out = (nashc_ports){.n_in = nashc_graph_n_inputs(f),
                         .n_out = nashc_graph_n_outputs(f),
                         .front = "",
                         .behind = ""};
    out->in = NASHC_NEW_N(a, nashc_port, out->n_in + 1);
    out->out = NASHC_NEW_N(a, nashc_port, out->n_out + 1);
    if (!out->in || !out->out || (call && !list_ops(g, call, out, a)))
        return nashc_enomem(d);
    for (int i = 0; i < out->n_in && s == NASHC_OK; i++)
        s = fill(&out->in[i], g, call, i, true, nashc_graph_input(f, i), a, d);
    for (int i = 0; i < out->n_out && s == NASHC_OK; i++)
        s = fill(&out->out[i], g, call, i, false, nashc_graph_output(f, i), a, d);
    return s;
}

const char *
nashc_port_encoding(const nashc_port *p)
{
    const nashc_type *t = &p->s.elem;

    return t->kind == NASHC_K_BIP    ? "bipolar"
           : nashc_type_is_signed(t) ? "twos_complement"
                                     : "unsigned";
}
