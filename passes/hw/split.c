/* split.c: which nodes of the integer graph become layers: what to-hw builds and check-streamlined
 * foretells.
 *
 * Prefix: what depends on nothing but inputs and other prefix nodes and has no layer, or only moves
 * elements. Layers: what has a lowering rule that accepts it. Tail: the rest, which must lead to no
 * layer any more. Neither end may compute integers from integers.
 */
#include "split.h"

split_place
split_of(const split *s, const nashc_value *v)
{
    const nashc_node *def = v ? nashc_value_def(v) : NULL;

    return def ? (split_place)s->where[nashc_node_id(def)] : SPLIT_PREFIX;
}

static split_place
place_node(const split *s, const nashc_node *n, bool through)
{
    bool pre = true, tail = false, refused = s->why[nashc_node_id(n)];
    bool moves = nashc_node_op(n)->flags & NASHC_OP_SHAPE;

    for (int i = 0; i < nashc_node_n_in(n); i++) {
        split_place p = split_of(s, nashc_node_in(n, i));
        pre = pre && p == SPLIT_PREFIX;
        tail = tail || p == SPLIT_TAIL;
    }
    if (through && nashc_node_is(n, "nn.identity"))
        moves = false;
    if (pre && (refused || moves))
        return SPLIT_PREFIX;
    return refused || tail ? SPLIT_TAIL : SPLIT_LAYER;
}

/* Marks what nodes that could be layers depend on. Those that only move elements do not count: the
 * host moves what lies behind. */
static void
mark_leading(split *s)
{
    for (nashc_node *n = nashc_graph_last(s->g); n; n = nashc_node_prev(n)) {
        uint32_t id = nashc_node_id(n);
        bool layer = !s->why[id] && !(nashc_node_op(n)->flags & NASHC_OP_SHAPE);
        if (!s->leads[id] && !layer)
            continue;
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            const nashc_value *v = nashc_node_in(n, i);
            if (v && nashc_value_def(v))
                s->leads[nashc_node_id(nashc_value_def(v))] = true;
        }
    }
}

/* Rules may take it for granted that there is something to compute. */
static bool
is_empty(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && nashc_type_count(nashc_value_type(nashc_node_in(n, i))) == 0)
            return true;
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (nashc_type_count(nashc_value_type(nashc_node_out(n, i))) == 0)
            return true;
    return false;
}

bool
split_graph(split *s, nashc_graph *g, bool through, nashc_arena *a)
{
    size_t ids = nashc_graph_max_id(g) + 1;

    *s = (split){.g = g, .a = a};
    s->where = NASHC_NEW_N(a, uint8_t, ids);
    s->why = NASHC_NEW_N(a, const char *, ids);
    s->leads = NASHC_NEW_N(a, bool, ids);
    if (!s->where || !s->why || !s->leads)
        return false;
    NASHC_EACH_NODE(g, n)
    {
        uint32_t id = nashc_node_id(n);
        s->why[id] = is_empty(n) ? "a tensor has no elements" : nashc_lower_why_not(n, a);
        s->where[id] = (uint8_t)place_node(s, n, through);
        s->n_layers += s->where[id] == SPLIT_LAYER;
    }
    mark_leading(s);
    return true;
}

/* Work on integers that the host must not silently take over: neither a quantiser of the chain at
 * the input, nor something that only moves elements, nor the choice of the largest at the end, nor
 * what reads a result of the host. */
static bool
integer_work(const split *s, const nashc_node *n)
{
    static const char *const light[] = {
        "q.quant", "q.bipolar_quant", "nn.cast", "nn.topk", "nn.argmax", "call", NULL};
    bool integer = false;

    if (nashc_node_is_any(n, light) || nashc_node_op(n)->flags & NASHC_OP_SHAPE ||
        nashc_node_n_out(n) == 0) /* some of other domains only take */
        return false;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (split_of(s, v) == SPLIT_TAIL)
            return false;
        integer = integer || (v && !nashc_value_const(v) && nashc_type_is_int(nashc_value_type(v)));
    }
    return integer && nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)));
}

const char *
split_fault(const split *s, const nashc_node *n)
{
    uint32_t id = nashc_node_id(n);
    bool between = s->where[id] == SPLIT_TAIL && s->leads[id];

    return s->where[id] != SPLIT_LAYER && (between || integer_work(s, n)) ? s->why[id] : NULL;
}

void
split_note_operands(const nashc_node *n, nashc_diag *d)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && !nashc_value_const(v))
            nashc_note(d, "input \"%%%s\" has type %s", nashc_quote(d, nashc_value_name(v)),
                       nashc_type_str(d, nashc_value_type(v)));
    }
}
