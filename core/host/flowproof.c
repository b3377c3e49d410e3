/* flowproof.c: the certificate that streams never dead-lock: one frame, step by step, without time.
 *
 * Units are the layers in graph order; a ring is two of them, its input side and its output side.
 * All stand in a queue. The first one leaves it and does as many steps of its frame as tokens and
 * places allow; if that is one or more, those join the end of the queue that are not in it: writers
 * of its inputs, the other side of the ring, readers of its outputs. Of each such visit the number
 * of the unit and of its steps go into the hash (FNV-1a, by words). A layer with a pipeline does a
 * step if at most as many of its results wait as its buffer holds: whatever bubbles there are, one
 * more can wait at the end of the pipeline.
 *
 * If each unit does its frame, all is as before it, so any number of frames can be done. And if
 * that can be done in one order, no order and no timing ends in a dead-lock: look at the first step
 * of this order that a stopped network has not done. All before it are done, so its tokens are
 * there, and its places are free, as others can only have added to that; its unit did no later
 * step. So it can be done, and nothing has stopped.
 */
#include "flownet.h"

typedef struct unit {
    const flow_layer *l;
    const flow_pattern *p;
    size_t at;
    uint64_t pos, rep;
    bool queued, done;
} unit;

typedef struct proof {
    const flow_net *z;
    unit *units;
    uint32_t n_units, *first; /* unit of each layer: its input side */
    uint64_t *held, *free;    /* by value id: tokens there; places of writers without a pipeline */
    uint64_t *words, *places; /* by layer, of rings */
    uint32_t *queue, head, n_queue, n_done;
    const uint32_t *fifo; /* by value id: assumed behind the buffer of its writer; NULL: none */
    nashc_flow_proof *out;
} proof;

/* Places of stream id, written by l, that are free at the start. */
static uint64_t
capacity(const proof *z, const flow_layer *l, uint32_t id)
{
    return l->free + (z->fifo ? z->fifo[id] : 0);
}

static bool
is_input_side(const unit *u)
{
    return u->l->ring && u->p == &u->l->p[0];
}

static bool
is_output_side(const unit *u)
{
    return u->l->ring && u->p == &u->l->p[1];
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Is there no place left in stream id? */
static bool
is_full(const proof *z, uint32_t id)
{
    const flow_layer *l = &z->z->layers[z->z->writer[id] - 1];

    return l->latency > 0 ? z->held[id] >= capacity(z, l, id) : z->held[id] > 0 && z->free[id] == 0;
}

/* Steps before the first mark of k, `to` steps on, for which there is no token, of `tokens`. */
static uint64_t
steps_for(const flow_marks *k, uint64_t to, uint64_t tokens)
{
    return tokens > (UINT64_MAX - to) / k->every ? UINT64_MAX : to + tokens * k->every;
}

/* How many of the n next steps, all of run r, can be done at once. */
static uint64_t
possible(const proof *z, const unit *u, const flow_run *r, uint64_t n)
{
    const flow_layer *l = u->l;
    size_t i = (size_t)(l - z->z->layers);
    uint64_t reads = flow_to_mark(&r->reads, u->pos), writes = flow_to_mark(&r->writes, u->pos);
    uint64_t fills = flow_to_mark(&r->fills, u->pos);

    for (uint32_t k = 0; k < l->n_in && !is_output_side(u); k++)
        if ((r->reads.ports >> k & 1) && z->z->writer[l->in[k]] > 0)
            n = least(n, steps_for(&r->reads, reads, z->held[l->in[k]]));
    if (is_input_side(u))
        return least(n, z->places[i]);
    if (is_output_side(u) && (r->reads.ports & 1))
        n = least(n, steps_for(&r->reads, reads, z->words[i] / r->take));
    for (uint32_t k = 0; k < l->n_out; k++) {
        uint64_t held = z->held[l->out[k]], most = capacity(z, l, l->out[k]);
        if (z->z->reader[l->out[k]] == 0)
            continue;
        if (n == 0 || (l->latency > 0 && held > most))
            return 0;
        if (l->latency > 0 && (r->writes.ports >> k & 1))
            n = least(n - 1, steps_for(&r->writes, writes, most - held)) + 1;
        else if (l->latency == 0 && (r->fills.ports >> k & 1))
            n = least(n, steps_for(&r->fills, fills, z->free[l->out[k]]));
    }
    return n;
}

/* n tokens of stream id are taken. */
static void
give_back(proof *z, uint32_t id, uint64_t n)
{
    z->held[id] -= n;
    z->free[id] += z->z->layers[z->z->writer[id] - 1].latency == 0 ? n : 0;
}

static void
do_steps(proof *z, unit *u, const flow_run *r, uint64_t n)
{
    const flow_layer *l = u->l;
    size_t i = (size_t)(l - z->z->layers);
    uint64_t reads = flow_n_marks(&r->reads, flow_to_mark(&r->reads, u->pos), n);
    uint64_t writes = flow_n_marks(&r->writes, flow_to_mark(&r->writes, u->pos), n);
    uint64_t fills = flow_n_marks(&r->fills, flow_to_mark(&r->fills, u->pos), n);

    for (uint32_t k = 0; k < l->n_in && !is_output_side(u); k++)
        if ((r->reads.ports >> k & 1) && z->z->writer[l->in[k]] > 0)
            give_back(z, l->in[k], reads);
    for (uint32_t k = 0; k < l->n_out && !is_input_side(u); k++) {
        if (z->z->reader[l->out[k]] == 0)
            continue;
        z->held[l->out[k]] += (r->writes.ports >> k & 1) ? writes : 0;
        z->free[l->out[k]] -= (r->fills.ports >> k & 1) && l->latency == 0 ? fills : 0;
    }
    if (is_input_side(u)) {
        z->places[i] -= n;
        z->words[i] += n;
    } else if (l->ring) {
        z->words[i] -= (r->reads.ports & 1) ? reads * r->take : 0;
        z->places[i] += (r->writes.ports & 2) ? writes * r->give : 0;
    }
    u->pos += n;
    if (u->pos < r->n)
        return;
    u->pos = 0;
    u->at++;
    if (u->at == u->p->n_runs) {
        u->at = 0;
        u->done = ++u->rep == u->p->times;
    }
}

static void
join_queue(proof *z, uint32_t k)
{
    if (z->units[k].queued || z->units[k].done)
        return;
    z->units[k].queued = true;
    z->queue[(z->head + z->n_queue++) % z->n_units] = k;
}

static void
wake_others(proof *z, const unit *u)
{
    const flow_layer *l = u->l;
    uint32_t here = z->first[l - z->z->layers];

    for (uint32_t k = 0; k < l->n_in && !is_output_side(u); k++) {
        uint32_t w = z->z->writer[l->in[k]];
        if (w > 0)
            join_queue(z, z->first[w - 1] + z->z->layers[w - 1].ring);
    }
    if (l->ring)
        join_queue(z, is_input_side(u) ? here + 1 : here);
    for (uint32_t k = 0; k < l->n_out && !is_input_side(u); k++) {
        uint32_t r = z->z->reader[l->out[k]];
        if (r > 0)
            join_queue(z, z->first[r - 1]);
    }
}

static void
visit(proof *z, uint32_t k)
{
    unit *u = &z->units[k];
    uint64_t steps = 0;

    while (!u->done) {
        const flow_run *r = &u->p->runs[u->at];
        uint64_t n = possible(z, u, r, r->n - u->pos);
        if (n == 0)
            break;
        do_steps(z, u, r, n);
        steps += n;
    }
    if (steps == 0)
        return;
    z->n_done += u->done;
    z->out->steps += steps;
    z->out->visits++;
    z->out->order = (z->out->order ^ k) * NASHC_FLOW_PRIME;
    z->out->order = (z->out->order ^ steps) * NASHC_FLOW_PRIME;
    wake_others(z, u);
}

static nashc_status
set_up(proof *z, nashc_arena *a, nashc_diag *d)
{
    uint32_t n = z->z->n_layers;

    z->units = NASHC_NEW_N(a, unit, 2 * (size_t)n + 1);
    z->first = NASHC_NEW_N(a, uint32_t, 3 * (size_t)n + 1);
    z->words = NASHC_NEW_N(a, uint64_t, 2 * (size_t)n + 1);
    z->held = NASHC_NEW_N(a, uint64_t, 2 * (size_t)z->z->n_ids);
    if (!z->units || !z->first || !z->words || !z->held)
        return nashc_enomem(d);
    z->queue = z->first + n;
    z->places = z->words + n;
    z->free = z->held + z->z->n_ids;
    for (uint32_t id = 0; id < z->z->n_ids; id++)
        if (z->z->writer[id] > 0)
            z->free[id] = capacity(z, &z->z->layers[z->z->writer[id] - 1], id);
    for (uint32_t i = 0; i < n; i++) {
        const flow_layer *l = &z->z->layers[i];
        z->first[i] = z->n_units;
        z->words[i] = l->tail;
        z->places[i] = l->room;
        for (int side = 0; side <= l->ring; side++)
            z->units[z->n_units++] = (unit){.l = l, .p = &l->p[side]};
    }
    for (uint32_t k = 0; k < z->n_units; k++)
        join_queue(z, k);
    return NASHC_OK;
}

nashc_status
flow_prove(const flow_net *net, const uint32_t *fifo, nashc_flow_proof *out, bool *full,
           nashc_arena *a, nashc_diag *d)
{
    proof z = {.z = net, .out = out, .fifo = fifo};
    nashc_status s = set_up(&z, a, d);

    *out = (nashc_flow_proof){.units = z.n_units, .order = NASHC_FLOW_BASIS};
    while (s == NASHC_OK && z.n_queue > 0) {
        uint32_t k = z.queue[z.head];
        z.head = (z.head + 1) % z.n_units;
        z.n_queue--;
        z.units[k].queued = false;
        visit(&z, k);
    }
    if (s != NASHC_OK || z.n_done == z.n_units)
        return s;
    for (uint32_t id = 0; id < net->n_ids && full; id++)
        full[id] = net->writer[id] > 0 && is_full(&z, id);
    uint32_t k = 0;
    while (z.units[k].done)
        k++;
    return nashc_node_error(d, z.units[k].l->n,
                            "the streams can dead-lock: this layer cannot end its frame");
}

nashc_status
nashc_flow_prove(const nashc_graph *g, const nashc_flow_options *o, nashc_flow_proof *out,
                 nashc_arena *a, nashc_diag *d)
{
    flow_net net;
    nashc_status s = flow_net_read(g, o && NASHC_HAS(o, backend) ? o->backend : NULL, &net, a, d);

    return s == NASHC_OK ? flow_prove(&net, o ? o->fifo : NULL, out, NULL, a, d) : s;
}
