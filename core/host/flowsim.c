/* flowsim.c: cycle-exact simulation of a graph of hw.* layers, after docs/timing.md.
 *
 * Each stream is a buffer of `depth` beats behind its producer. A cycle has two phases: every layer
 * decides from the state at the beginning of the cycle whether it fires and pushes; then all
 * buffers, pipelines and steps move. A layer that did nothing does nothing again until one of its
 * buffers changes: only those that may act are looked at. The state repeats once the network is in
 * its steady state; that is looked for at each completed frame, so intervals are proven, not
 * estimated.
 */
#include <nashc/flow.h>
#include <string.h>

typedef struct layer layer;

typedef struct buffer {
    uint32_t occ, depth, most;
    uint8_t push, pop;
    bool source;                   /* graph input: always valid */
    bool sink;                     /* graph output: always ready */
    bool touched;                  /* in the list of this cycle */
    uint64_t beats, moved, frames; /* of the sink: beats a frame, moved in all, frames done */
    layer *writer, *reader;        /* NULL: an end of the graph */
    const nashc_value *v;          /* stream whose occupancy this is; NULL: skid before a FIFO */
} buffer;

/* The ring of a layer of kind 2. */
typedef struct ring {
    nashc_ring w;
    int64_t at[NASHC_RING_LOOPS]; /* iteration of each loop */
    int64_t level, ahead;         /* beats read since the oldest needed one, since the next one */
} ring;

struct layer {
    const nashc_node *n; /* NULL: an assumed FIFO */
    const nashc_layer_model *model;
    nashc_timing timing;
    ring *ring;       /* of a layer of kind 2; NULL: none */
    uint64_t i, pipe; /* step; pipe bit k: stage k + 1 holds a result */
    uint32_t latency, n_in, n_out;
    uint32_t reads, writes; /* of step i */
    buffer **in, **out;
    bool fire, take, en;
    bool awake;     /* in the list of the next cycle */
    layer *in_part; /* a layer that streams connect it with, in the end the same one for all */
    uint64_t alive; /* of that one: 1 + the last cycle in which something moved */
};

typedef struct sim {
    const nashc_graph *g;
    nashc_arena *a;
    layer *layers;
    buffer *buffers;
    uint32_t n_layers, n_buffers;
    layer **awake, **next; /* lists, with their lengths */
    uint32_t n_awake, n_next;
    buffer **touched;
    uint32_t n_touched;
    buffer **from; /* by value id: buffer its reader sees */
    bool started;
    uint64_t first;
    uint32_t n_parts; /* that no stream connects */
} sim;

/* --- building ----------------------------------------------------------------------------------
 */

static buffer *
add_buffer(sim *s, layer *writer, uint32_t depth)
{
    buffer *b = &s->buffers[s->n_buffers++];

    b->writer = writer;
    b->depth = depth;
    return b;
}

static void
load_step(layer *l)
{
    if (l->ring || !l->n)
        l->reads = l->writes = 1;
    else
        l->model->step(&l->timing, l->i, &l->reads, &l->writes);
}

/* Layer and buffer of an assumed FIFO of depth beats behind b. */
static buffer *
add_fifo(sim *s, buffer *b, uint32_t depth)
{
    layer *l = &s->layers[s->n_layers++];

    l->timing.steps = 1;
    l->n_in = l->n_out = 1;
    l->in = NASHC_NEW_N(s->a, buffer *, 2);
    if (!l->in)
        return NULL;
    l->out = l->in + 1;
    l->in[0] = b;
    b->reader = l;
    l->out[0] = add_buffer(s, l, depth);
    load_step(l);
    return l->out[0];
}

static nashc_status
set_ring(sim *s, layer *l, nashc_diag *d)
{
    l->ring = NASHC_NEW(s->a, ring);
    if (!l->ring)
        return nashc_enomem(d);
    if (!l->model->ring || l->latency == 0 || l->model->ring(l->n, &l->ring->w) != NASHC_OK)
        return nashc_node_unsup(d, l->n, "this layer has no usable cycle model");
    l->ring->level = l->ring->ahead = -l->ring->w.first;
    return NASHC_OK;
}

static nashc_status
set_timing(sim *s, layer *l, const nashc_flow_options *o, nashc_diag *d)
{
    const nashc_timing *t = &l->timing;
    bool shallow = o && NASHC_HAS(o, shallow) && o->shallow;
    nashc_status st = NASHC_OK;

    l->model = nashc_layer_model_of(l->n, o && NASHC_HAS(o, backend) ? o->backend : NULL, d);
    if (!l->model)
        return NASHC_EUNSUP;
    if (l->model->timing(l->n, &l->timing) != NASHC_OK || t->steps == 0 || t->latency > 63)
        return nashc_node_unsup(d, l->n, "this layer has no usable cycle model");
    l->latency = shallow && t->latency > 1 ? 1 : t->latency;
    if (t->kind == 2)
        st = set_ring(s, l, d);
    else if (!l->model->step)
        st = nashc_node_unsup(d, l->n, "this layer has no cycle model");
    if (st == NASHC_OK)
        load_step(l);
    return st;
}

static nashc_status
add_layer(sim *s, const nashc_node *n, const nashc_flow_options *o, nashc_diag *d)
{
    layer *l = &s->layers[s->n_layers++];

    l->n = n;
    nashc_status st = set_timing(s, l, o, d);
    if (st != NASHC_OK)
        return st;
    l->in = NASHC_NEW_N(s->a, buffer *, nashc_node_n_in(n) + 1);
    l->out = NASHC_NEW_N(s->a, buffer *, nashc_node_n_out(n) + 1);
    if (!l->in || !l->out)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!v || nashc_value_const(v))
            continue;
        l->in[l->n_in] = s->from[nashc_value_id(v)];
        l->in[l->n_in++]->reader = l;
    }
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        const nashc_value *v = nashc_node_out(n, i);
        uint32_t id = nashc_value_id(v), fifo = o && o->fifo ? o->fifo[id] : 0;
        buffer *b = add_buffer(s, l, l->timing.depth);
        l->out[l->n_out++] = b;
        s->from[id] = b;
        if (fifo && !(s->from[id] = add_fifo(s, b, fifo)))
            return nashc_enomem(d);
        s->from[id]->v = v;
    }
    return NASHC_OK;
}

static nashc_status
sim_alloc(sim *s, nashc_diag *d)
{
    size_t ids = nashc_graph_max_id(s->g) + 1, slots = 2 * ids;

    s->layers = NASHC_NEW_N(s->a, layer, slots);
    s->buffers = NASHC_NEW_N(s->a, buffer, slots);
    s->awake = NASHC_NEW_N(s->a, layer *, slots);
    s->next = NASHC_NEW_N(s->a, layer *, slots);
    s->touched = NASHC_NEW_N(s->a, buffer *, slots);
    s->from = NASHC_NEW_N(s->a, buffer *, ids);
    return s->layers && s->buffers && s->awake && s->next && s->touched && s->from
               ? NASHC_OK
               : nashc_enomem(d);
}

static layer *
part_of(layer *l)
{
    while (l->in_part != l)
        l = l->in_part = l->in_part->in_part;
    return l;
}

static void
find_parts(sim *s)
{
    s->n_parts = s->n_layers;
    for (uint32_t k = 0; k < s->n_layers; k++)
        s->layers[k].in_part = &s->layers[k];
    for (uint32_t k = 0; k < s->n_buffers; k++) {
        const buffer *b = &s->buffers[k];
        layer *w = b->writer ? part_of(b->writer) : NULL, *r = b->reader ? part_of(b->reader) : w;
        if (!w || w == r)
            continue;
        w->in_part = r;
        s->n_parts--;
    }
}

static nashc_status
sim_build(sim *s, const nashc_flow_options *o, nashc_diag *d)
{
    nashc_stream stream;
    nashc_status st = nashc_flow_check(s->g, true, d);

    if (st != NASHC_OK || (st = sim_alloc(s, d)) != NASHC_OK)
        return st;
    for (int i = 0; i < nashc_graph_n_inputs(s->g); i++) {
        const nashc_value *v = nashc_graph_input(s->g, i);
        buffer *b = add_buffer(s, NULL, UINT32_MAX);
        if ((st = nashc_flow_stream(v, &stream, d)) != NASHC_OK)
            return st;
        uint32_t id = nashc_value_id(v), fifo = o && o->fifo ? o->fifo[id] : 0;
        b->source = true;
        s->from[id] = b;
        if (fifo && !(s->from[id] = add_fifo(s, b, fifo)))
            return nashc_enomem(d);
        s->from[id]->v = v;
    }
    NASHC_EACH_NODE(s->g, n)
    {
        if ((st = add_layer(s, n, o, d)) != NASHC_OK)
            return st;
    }
    for (int i = 0; i < nashc_graph_n_outputs(s->g); i++) {
        const nashc_value *v = nashc_graph_output(s->g, i);
        buffer *b = s->from[nashc_value_id(v)];
        if (!nashc_value_def(v))
            return nashc_error(d, NULL, "output %%%s is no result of a layer", nashc_value_name(v));
        if ((st = nashc_flow_stream(v, &stream, d)) != NASHC_OK)
            return st;
        b->sink = true;
        b->beats = (uint64_t)stream.beats;
    }
    for (uint32_t k = 0; k < s->n_layers; k++)
        s->awake[s->n_awake++] = &s->layers[k];
    find_parts(s);
    return NASHC_OK;
}

/* --- a cycle -----------------------------------------------------------------------------------
 */

static void
wake(sim *s, layer *l)
{
    if (!l || l->awake)
        return;
    l->awake = true;
    s->next[s->n_next++] = l;
}

static void
touch(sim *s, buffer *b)
{
    if (b->touched)
        return;
    b->touched = true;
    s->touched[s->n_touched++] = b;
}

static void
pop(sim *s, buffer *b)
{
    b->pop = 1;
    touch(s, b);
}

static void
push(sim *s, buffer *b)
{
    b->push = 1;
    touch(s, b);
}

static bool
has_beat(const buffer *b)
{
    return b->source || b->occ > 0;
}

static bool
has_room(const buffer *b)
{
    return b->occ < b->depth;
}

/* May a pipeline move, or a step write? */
static bool
enabled(const layer *l)
{
    if (l->latency > 0)
        return !(l->pipe >> (l->latency - 1) & 1) || has_room(l->out[0]);
    for (uint32_t k = 0; k < l->n_out; k++)
        if ((l->writes >> k & 1) && !has_room(l->out[k]))
            return false;
    return true;
}

/* Phase one for one layer. */
static void
decide(sim *s, layer *l)
{
    l->en = enabled(l);
    l->fire = l->en;
    if (l->ring) {
        l->take = has_beat(l->in[0]) && l->ring->level < l->ring->w.depth;
        l->fire = l->en && l->ring->ahead > 0;
        if (l->take)
            pop(s, l->in[0]);
    } else {
        for (uint32_t k = 0; k < l->n_in && l->fire; k++)
            if ((l->reads >> k & 1) && !has_beat(l->in[k]))
                l->fire = false;
        for (uint32_t k = 0; k < l->n_in && l->fire; k++)
            if (l->reads >> k & 1)
                pop(s, l->in[k]);
    }
    if (l->latency == 0) {
        for (uint32_t k = 0; k < l->n_out && l->fire; k++)
            if (l->writes >> k & 1)
                push(s, l->out[k]);
    } else if (l->en && (l->pipe >> (l->latency - 1) & 1)) {
        push(s, l->out[0]);
    }
}

/* The next beat of a ring. */
static void
next_beat(ring *r)
{
    int k = r->w.loops;

    while (k > 0 && ++r->at[k - 1] == r->w.count[k - 1])
        r->at[--k] = 0;
    k = k == 0 ? r->w.loops : k - 1;
    r->level -= r->w.release[k];
    r->ahead -= r->w.move[k];
}

/* Phase two for one layer. */
static void
move(sim *s, layer *l)
{
    bool moved = l->fire || l->take;

    if (l->latency > 0 && l->en) {
        uint64_t next = l->pipe << 1 | (l->fire && (l->writes & 1));
        next &= ((uint64_t)1 << l->latency) - 1;
        moved |= next != l->pipe;
        l->pipe = next;
    }
    if (l->ring) {
        l->ring->level += l->take;
        l->ring->ahead += l->take;
        if (l->fire)
            next_beat(l->ring);
    } else if (l->fire && l->timing.steps > 1) {
        l->i = l->i + 1 == l->timing.steps ? 0 : l->i + 1;
        load_step(l);
    }
    l->take = false;
    if (moved)
        wake(s, l);
}

/* Phase two for one buffer. */
static void
settle(sim *s, buffer *b, uint64_t cycle, bool *done)
{
    b->touched = false;
    if (b->source) {
        if (b->pop && !s->started) {
            s->started = true;
            s->first = cycle;
        }
        b->pop = 0;
        return;
    }
    if (b->sink && b->occ > 0) {
        b->pop = 1;
        if (++b->moved == b->beats) {
            b->moved = 0;
            b->frames++;
            *done = true;
        }
    }
    b->occ += b->push;
    b->occ -= b->pop;
    b->most = b->occ > b->most ? b->occ : b->most;
    b->push = b->pop = 0;
    wake(s, b->writer);
    wake(s, b->reader);
}

/* One cycle. True if anything moved; *done: some output completed a frame. */
static bool
advance(sim *s, uint64_t cycle, bool *done)
{
    uint32_t n = s->n_touched;

    s->n_touched = 0;
    for (uint32_t k = 0; k < n; k++) /* what a sink holds leaves */
        if (s->touched[k]->sink && s->touched[k]->occ > 0)
            s->touched[s->n_touched++] = s->touched[k];
    for (uint32_t k = 0; k < s->n_touched; k++)
        s->touched[k]->touched = true;
    s->n_next = 0;
    for (uint32_t k = 0; k < s->n_awake; k++)
        decide(s, s->awake[k]);
    for (uint32_t k = 0; k < s->n_awake; k++)
        s->awake[k]->awake = false;
    for (uint32_t k = 0; k < s->n_awake; k++)
        move(s, s->awake[k]);
    for (uint32_t k = 0; k < s->n_touched; k++)
        settle(s, s->touched[k], cycle, done);
    layer **list = s->awake;
    s->awake = s->next;
    s->n_awake = s->n_next;
    s->next = list;
    return s->n_awake > 0 || s->n_touched > 0;
}

/* Did something move in every part? One of several can dead-lock while others go on. */
static bool
all_alive(sim *s, uint64_t cycle)
{
    uint32_t alive = 0;

    if (s->n_parts == 1)
        return true;
    for (uint32_t k = 0; k < s->n_awake + s->n_touched; k++) {
        const buffer *b = k < s->n_awake ? NULL : s->touched[k - s->n_awake];
        layer *p = part_of(!b ? s->awake[k] : b->writer ? b->writer : b->reader);
        alive += p->alive != cycle + 1;
        p->alive = cycle + 1;
    }
    return alive == s->n_parts;
}

/* --- frames ------------------------------------------------------------------------------------
 */

/* Frames that every output has completed. */
static uint64_t
frames_done(const sim *s)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t k = 0; k < s->n_buffers; k++)
        if (s->buffers[k].sink && s->buffers[k].frames < least)
            least = s->buffers[k].frames;
    return least;
}

/* Which beat of its frame a ring gives next. */
static uint64_t
ring_index(const ring *r)
{
    uint64_t i = 0;

    for (int k = 0; k < r->w.loops; k++)
        i = i * (uint64_t)r->w.count[k] + (uint64_t)r->at[k];
    return i;
}

/* All of the state that decides the future, as words into out (NULL: only their number). */
static size_t
snapshot(const sim *s, uint64_t *out)
{
    size_t n = 0, words = (size_t)3 * s->n_layers + (size_t)2 * s->n_buffers;

    if (!out)
        return words;
    uint64_t done = frames_done(s);
    for (uint32_t k = 0; k < s->n_layers; k++) {
        const layer *l = &s->layers[k];
        out[n++] = l->ring ? ring_index(l->ring) : l->i;
        out[n++] = l->ring ? (uint64_t)l->ring->level : 0;
        out[n++] = l->pipe;
    }
    for (uint32_t k = 0; k < s->n_buffers; k++) {
        out[n++] = s->buffers[k].occ;
        out[n++] =
            s->buffers[k].sink ? s->buffers[k].moved << 32 | (s->buffers[k].frames - done) : 0;
    }
    return words;
}

static nashc_status
blocked(const sim *s, uint64_t cycle, nashc_diag *d)
{
    for (uint32_t k = 0; k < s->n_layers; k++) {
        layer *l = &s->layers[k];
        if (l->n && !enabled(l) && part_of(l)->alive != cycle + 1) {
            nashc_status st =
                nashc_node_error(d, l->n, "the streams dead-lock: this layer cannot hand on");
            if (d)
                nashc_help(d, "a FIFO on the shorter of two joining branches is too small");
            return st;
        }
    }
    return nashc_error(d, NULL, "the streams dead-lock");
}

nashc_status
nashc_flow_simulate(const nashc_graph *g, const nashc_flow_options *o, nashc_flow_result *out,
                    nashc_arena *a, nashc_diag *d)
{
    sim s = {.g = g, .a = a};
    nashc_status st = sim_build(&s, o, d);
    uint32_t max = o && o->max_frames > 0 ? (uint32_t)o->max_frames : 64;
    nashc_flow_result r = {0};

    if (st != NASHC_OK)
        return st;
    if (nashc_graph_n_outputs(g) == 0 || nashc_graph_n_inputs(g) == 0)
        return nashc_error(d, NULL, "graph @%s has no stream in or none out", nashc_graph_name(g));
    size_t words = snapshot(&s, NULL);
    uint64_t *states = NASHC_NEW_N(a, uint64_t, words * max);
    uint64_t *when = NASHC_NEW_N(a, uint64_t, max + 1);
    r.occupancy = NASHC_NEW_N(a, uint32_t, nashc_graph_max_id(g) + 1);
    if (!states || !when || !r.occupancy)
        return nashc_enomem(d);
    for (uint64_t cycle = 0; r.frames < max && !r.steady; cycle++) {
        bool done = false;
        r.work += s.n_awake;
        if (!advance(&s, cycle, &done) || !all_alive(&s, cycle))
            return blocked(&s, cycle, d);
        if (!done || frames_done(&s) == r.frames)
            continue;
        uint64_t *now = states + words * r.frames;
        snapshot(&s, now);
        when[r.frames++] = cycle;
        for (uint32_t p = 1; p < r.frames && !r.steady; p++) {
            if (memcmp(now, now - words * p, words * sizeof *now) != 0)
                continue;
            r.steady = true;
            r.period = p;
            r.cycles = when[r.frames - 1] - when[r.frames - 1 - p];
        }
    }
    r.latency = when[0] - s.first;
    if (!r.steady) {
        r.period = 1;
        r.cycles = r.frames > 1 ? when[r.frames - 1] - when[r.frames - 2] : r.latency + 1;
    }
    for (uint32_t k = 0; k < s.n_buffers; k++)
        if (s.buffers[k].v)
            r.occupancy[nashc_value_id(s.buffers[k].v)] = s.buffers[k].most;
    *out = r;
    return NASHC_OK;
}
