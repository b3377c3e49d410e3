/* flowcheck.c: checks a certificate of freedom from dead-lock by doing the frame again.
 *
 * It shares nothing with those who size FIFOs and write certificates: steps come one by one from
 * the models. The rule of the order stands in flowproof.c.
 */
#include <nashc/flow.h>

/* A stream that a unit reads or writes: bit `port` of what a step of its model reads or writes. */
typedef struct end {
    uint32_t id, port; /* id: of the value */
} end;

typedef struct unit {
    uint64_t i, steps;
    end *in, *out; /* without the inputs of the graph */
    uint32_t n_in, n_out;
    uint32_t reads, writes, wrote; /* of step i, if known; of the step before */
    int side;                      /* of a ring: 1 in, 2 out; 0: no ring */
    bool queued, known;
    const nashc_layer_model *m;
    int64_t level, ahead; /* of a ring: counts are with its input side */
    nashc_timing t;
    int64_t at[NASHC_RING_LOOPS];
    nashc_ring w;
    const nashc_node *n;
} unit;

typedef struct check {
    unit *units;
    uint32_t n_units, *queue, head, n_queue;
    uint32_t *writer, *reader; /* by value id: unit + 1; 0: an end of the graph */
    uint64_t *held;            /* by value id */
    nashc_flow_proof got;
} check;

static const nashc_value *
stream_in(const nashc_node *n, int k)
{
    const nashc_value *v = k < nashc_node_n_in(n) ? nashc_node_in(n, k) : NULL;

    return v && !nashc_value_const(v) ? v : NULL;
}

/* Is there a place for what a step of u that writes (or not) makes, if held tokens of its output
 * wait? A line keeps no result but that of the step before. */
static bool
has_room(const unit *u, uint64_t held, bool writes)
{
    if (u->t.kind != 3)
        return held <= u->t.depth && (u->t.latency > 0 || !writes || held < u->t.depth);
    return held <= (u->wrote & 1);
}

/* Does the next step of u if it can be done. */
static bool
step(check *c, unit *u)
{
    unit *counts = u->side == 2 ? u - 1 : u;

    if (u->i == u->steps || (u->side == 1 && u->level >= u->w.depth) ||
        (u->side == 2 && counts->ahead <= 0))
        return false;
    if (!u->known && u->side == 0)
        u->m->step(&u->t, u->i, &u->reads, &u->writes);
    u->known = true;
    for (uint32_t k = 0; k < u->n_in; k++)
        if ((u->reads >> u->in[k].port & 1) && c->held[u->in[k].id] == 0)
            return false;
    for (uint32_t k = 0; k < u->n_out; k++)
        if (!has_room(u, c->held[u->out[k].id], u->writes >> u->out[k].port & 1))
            return false;
    for (uint32_t k = 0; k < u->n_in; k++)
        c->held[u->in[k].id] -= u->reads >> u->in[k].port & 1;
    for (uint32_t k = 0; k < u->n_out; k++)
        c->held[u->out[k].id] += (u->writes >> u->out[k].port & 1) && c->reader[u->out[k].id] > 0;
    u->wrote = u->writes;
    u->known = false;
    u->i++;
    counts->level += u->side == 1;
    counts->ahead += u->side == 1;
    if (u->side != 2)
        return true;
    int k = u->w.loops;
    while (k > 0 && ++u->at[k - 1] == u->w.count[k - 1])
        u->at[--k] = 0;
    k = k == 0 ? u->w.loops : k - 1;
    counts->level -= u->w.release[k];
    counts->ahead -= u->w.move[k];
    return true;
}

static void
join_queue(check *c, uint32_t k)
{
    if (c->units[k].queued || c->units[k].i == c->units[k].steps)
        return;
    uint32_t at = c->head + c->n_queue++;
    c->units[k].queued = true;
    c->queue[at < c->n_units ? at : at - c->n_units] = k;
}

static void
visit(check *c, uint32_t k)
{
    unit *u = &c->units[k];
    uint64_t from = u->i;

    while (step(c, u))
        continue;
    if (u->i == from)
        return;
    c->got.steps += u->i - from;
    c->got.visits++;
    c->got.order = (c->got.order ^ k) * NASHC_FLOW_PRIME;
    c->got.order = (c->got.order ^ (u->i - from)) * NASHC_FLOW_PRIME;
    for (uint32_t i = 0; i < u->n_in; i++)
        join_queue(c, c->writer[u->in[i].id] - 1);
    if (u->side > 0)
        join_queue(c, u->side == 1 ? k + 1 : k - 1);
    for (uint32_t i = 0; i < u->n_out; i++) {
        uint32_t r = c->reader[u->out[i].id];
        if (r > 0)
            join_queue(c, r - 1);
    }
}

/* The units of layer n. */
static nashc_status
add_units(check *c, const nashc_node *n, const nashc_backend *b, nashc_diag *d)
{
    unit *u = &c->units[c->n_units++];
    nashc_status s;

    u->n = n;
    u->reads = u->writes = 1; /* what a side of a ring does, each time */
    if (!(u->m = nashc_layer_model_of(n, b, d)))
        return NASHC_EUNSUP;
    if ((s = u->m->timing(n, &u->t)) == NASHC_ENOMEM)
        return nashc_enomem(d);
    if (s != NASHC_OK || (u->t.kind == 2 && (!u->m->ring || u->m->ring(n, &u->w) != NASHC_OK)))
        return nashc_node_unsup(d, n, "this layer has no usable cycle model");
    u->steps = u->t.steps;
    for (int k = 0; k < nashc_node_n_in(n); k++)
        if (stream_in(n, k))
            c->reader[nashc_value_id(stream_in(n, k))] = c->n_units;
    if (u->t.kind == 2) {
        u->side = 1;
        u->steps = (uint64_t)u->w.words;
        u->level = u->ahead = -u->w.first;
        c->units[c->n_units++] = *u;
        u[1].side = 2;
        u[1].steps = 1;
        for (int k = 0; k < u->w.loops; k++)
            u[1].steps *= (uint64_t)u->w.count[k];
    }
    for (int k = 0; k < nashc_node_n_out(n); k++)
        c->writer[nashc_value_id(nashc_node_out(n, k))] = c->n_units;
    return NASHC_OK;
}

/* What unit u reads and writes, once all are known; only one side of a ring does either. */
static bool
connect(check *c, unit *u, nashc_arena *a)
{
    uint32_t port = 0;

    u->in = NASHC_NEW_N(a, end, nashc_node_n_in(u->n) + 1);
    u->out = NASHC_NEW_N(a, end, nashc_node_n_out(u->n) + 1);
    if (!u->in || !u->out)
        return false;
    for (int k = 0; k < nashc_node_n_in(u->n) && u->side != 2; k++) {
        const nashc_value *v = stream_in(u->n, k);
        if (v && c->writer[nashc_value_id(v)] > 0)
            u->in[u->n_in++] = (end){nashc_value_id(v), port};
        port += v != NULL;
    }
    for (int k = 0; k < nashc_node_n_out(u->n) && u->side != 1; k++)
        u->out[u->n_out++] = (end){nashc_value_id(nashc_node_out(u->n, k)), (uint32_t)k};
    return true;
}

/* The execution of a frame, compared with the certificate. */
static nashc_status
execute(check *c, const nashc_graph *g, const nashc_flow_proof *p, nashc_diag *d)
{
    for (uint32_t k = 0; k < c->n_units; k++)
        join_queue(c, k);
    while (c->n_queue > 0) {
        uint32_t k = c->queue[c->head];
        c->head = c->head + 1 < c->n_units ? c->head + 1 : 0;
        c->n_queue--;
        c->units[k].queued = false;
        visit(c, k);
    }
    for (uint32_t k = 0; k < c->n_units; k++)
        if (c->units[k].i != c->units[k].steps)
            return nashc_node_error(d, c->units[k].n, "this layer cannot end its frame");
    return c->n_units == p->units && c->got.steps == p->steps && c->got.visits == p->visits &&
                   c->got.order == p->order
               ? NASHC_OK
               : nashc_error(d, NULL, "the certificate of @%s is of another execution",
                             nashc_graph_name(g));
}

nashc_status
nashc_flow_check_proof(const nashc_graph *g, const nashc_flow_options *o, const nashc_flow_proof *p,
                       nashc_arena *a, nashc_diag *d)
{
    size_t ids = nashc_graph_max_id(g) + 1, n = 2 * (size_t)nashc_graph_n_nodes(g) + 1;
    check c = {.got = {.order = NASHC_FLOW_BASIS}};
    nashc_status s = nashc_flow_check(g, true, d);

    c.units = NASHC_NEW_N(a, unit, n);
    c.queue = NASHC_NEW_N(a, uint32_t, n);
    c.writer = NASHC_NEW_N(a, uint32_t, 2 * ids);
    c.held = NASHC_NEW_N(a, uint64_t, ids);
    if (!c.units || !c.queue || !c.writer || !c.held)
        return nashc_enomem(d);
    c.reader = c.writer + ids;
    NASHC_EACH_NODE(g, node)
    {
        if (s == NASHC_OK)
            s = add_units(&c, node, o && NASHC_HAS(o, backend) ? o->backend : NULL, d);
    }
    for (uint32_t k = 0; k < c.n_units && s == NASHC_OK; k++)
        s = connect(&c, &c.units[k], a) ? NASHC_OK : nashc_enomem(d);
    if (s == NASHC_OK)
        s = execute(&c, g, p, d);
    for (uint32_t k = 0; k < c.n_units; k++)
        if (c.units[k].m && c.units[k].side != 2)
            nashc_timing_end(c.units[k].m, &c.units[k].t);
    return s;
}
