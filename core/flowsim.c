/* flowsim.c: cycle-exact simulation of a graph of hw.* layers, after docs/timing.md.
 *
 * Each stream is a buffer of `depth` beats behind its producer. A cycle has two phases: every layer
 * decides from the state at the beginning of the cycle whether it fires and pushes; then all
 * buffers, pipelines and steps move. The state repeats once the network is in its steady state;
 * that is looked for at each completed frame, so intervals are proven, not estimated.
 */
#include <nashc/flow.h>
#include <string.h>

typedef struct buffer {
    uint64_t left; /* beats a source still has to give, of the current frame */
    uint32_t occ, depth, most;
    uint8_t push, pop;
    bool source;                   /* graph input: always valid */
    bool sink;                     /* graph output: always ready */
    uint64_t beats, moved, frames; /* of the sink: beats a frame, moved in all, frames done */
    const nashc_value *v;          /* stream whose occupancy this is; NULL: skid before a FIFO */
} buffer;

typedef struct layer {
    const nashc_node *n; /* NULL: an assumed FIFO */
    const nashc_hw *hw;
    uint64_t steps, i, pipe; /* pipe bit k: stage k + 1 holds a result */
    uint32_t latency, n_in, n_out;
    uint32_t reads, writes; /* of step i */
    buffer **in, **out;
    bool fire, en;
} layer;

typedef struct sim {
    const nashc_graph *g;
    nashc_arena *a;
    layer *layers;
    buffer *buffers;
    uint32_t n_layers, n_buffers;
    buffer **from, **to; /* by value id: buffer its reader sees, its writer fills */
    bool started;
    uint64_t first;
} sim;

static buffer *
add_buffer(sim *s, uint32_t depth)
{
    buffer *b = &s->buffers[s->n_buffers++];

    b->depth = depth;
    return b;
}

static void
load_step(layer *l)
{
    if (l->n)
        l->hw->step(l->n, l->i, &l->reads, &l->writes);
    else
        l->reads = l->writes = 1;
}

/* Layer and buffer of an assumed FIFO of depth beats behind b. */
static buffer *
add_fifo(sim *s, buffer *b, uint32_t depth)
{
    layer *l = &s->layers[s->n_layers++];

    l->steps = 1;
    l->n_in = l->n_out = 1;
    l->in = NASHC_NEW_N(s->a, buffer *, 2);
    if (!l->in)
        return NULL;
    l->out = l->in + 1;
    l->in[0] = b;
    l->out[0] = add_buffer(s, depth);
    load_step(l);
    return l->out[0];
}

static nashc_status
add_layer(sim *s, const nashc_node *n, const nashc_flow_options *o, nashc_diag *d)
{
    layer *l = &s->layers[s->n_layers++];
    nashc_timing t;
    nashc_status st;

    l->n = n;
    l->hw = nashc_node_op(n)->hw;
    if (!l->hw->timing || !l->hw->step)
        return nashc_node_unsup(d, n, "this layer has no cycle model");
    if ((st = l->hw->timing(n, &t)) != NASHC_OK || t.steps == 0 || t.latency > 63)
        return nashc_node_unsup(d, n, "this layer has no usable cycle model");
    l->steps = t.steps;
    l->latency = t.latency;
    l->in = NASHC_NEW_N(s->a, buffer *, nashc_node_n_in(n) + 1);
    l->out = NASHC_NEW_N(s->a, buffer *, nashc_node_n_out(n) + 1);
    if (!l->in || !l->out)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && !nashc_value_const(v))
            l->in[l->n_in++] = s->from[nashc_value_id(v)];
    }
    for (int i = 0; i < nashc_node_n_out(n); i++) {
        const nashc_value *v = nashc_node_out(n, i);
        uint32_t id = nashc_value_id(v), fifo = o && o->fifo ? o->fifo[id] : 0;
        buffer *b = add_buffer(s, t.depth);
        l->out[l->n_out++] = b;
        s->to[id] = s->from[id] = b;
        if (fifo && !(s->from[id] = add_fifo(s, b, fifo)))
            return nashc_enomem(d);
        s->from[id]->v = v;
    }
    load_step(l);
    return NASHC_OK;
}

static nashc_status
sim_build(sim *s, const nashc_flow_options *o, nashc_diag *d)
{
    uint32_t ids = nashc_graph_max_id(s->g) + 1, slots = ids;
    nashc_stream stream;
    nashc_status st = nashc_flow_check(s->g, true, d);

    if (st != NASHC_OK)
        return st;
    s->layers = NASHC_NEW_N(s->a, layer, 2 * slots);
    s->buffers = NASHC_NEW_N(s->a, buffer, 2 * slots);
    s->from = NASHC_NEW_N(s->a, buffer *, ids);
    s->to = NASHC_NEW_N(s->a, buffer *, ids);
    if (!s->layers || !s->buffers || !s->from || !s->to)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_graph_n_inputs(s->g); i++) {
        const nashc_value *v = nashc_graph_input(s->g, i);
        buffer *b = add_buffer(s, UINT32_MAX);
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
    return NASHC_OK;
}

static bool
has_beat(const buffer *b)
{
    return b->source || b->occ > 0;
}

/* Phase one for one layer. */
static void
decide(layer *l)
{
    bool fire;

    if (l->latency == 0) {
        l->en = true;
        for (uint32_t k = 0; k < l->n_out; k++)
            if ((l->writes >> k & 1) && l->out[k]->occ >= l->out[k]->depth)
                l->en = false;
    } else {
        l->en = !(l->pipe >> (l->latency - 1) & 1) || l->out[0]->occ < l->out[0]->depth;
    }
    fire = l->en;
    for (uint32_t k = 0; k < l->n_in && fire; k++)
        if ((l->reads >> k & 1) && !has_beat(l->in[k]))
            fire = false;
    l->fire = fire;
    for (uint32_t k = 0; k < l->n_in && fire; k++)
        if (l->reads >> k & 1)
            l->in[k]->pop = 1;
    if (l->latency == 0) {
        for (uint32_t k = 0; k < l->n_out && fire; k++)
            if (l->writes >> k & 1)
                l->out[k]->push = 1;
    } else if (l->en && (l->pipe >> (l->latency - 1) & 1)) {
        l->out[0]->push = 1;
    }
}

/* Phase two. True if anything moved; *done: some output completed a frame. */
static bool
advance(sim *s, uint64_t cycle, bool *done)
{
    bool moved = false;

    for (uint32_t k = 0; k < s->n_layers; k++) {
        layer *l = &s->layers[k];
        if (l->latency > 0 && l->en) {
            uint64_t next = l->pipe << 1 | (l->fire && (l->writes & 1));
            next &= ((uint64_t)1 << l->latency) - 1;
            moved |= next != l->pipe;
            l->pipe = next;
        }
        if (l->fire) {
            moved = true;
            if (l->steps > 1) {
                l->i = l->i + 1 == l->steps ? 0 : l->i + 1;
                load_step(l);
            }
        }
    }
    for (uint32_t k = 0; k < s->n_buffers; k++) {
        buffer *b = &s->buffers[k];
        if (b->source) {
            if (b->pop && !s->started) {
                s->started = true;
                s->first = cycle;
            }
        } else {
            if (b->sink && b->occ > 0) {
                b->pop = 1;
                if (++b->moved == b->beats) {
                    b->moved = 0;
                    b->frames++;
                    *done = true;
                }
            }
            moved |= b->push || b->pop;
            b->occ += b->push;
            b->occ -= b->pop;
            if (b->occ > b->most)
                b->most = b->occ;
        }
        b->push = b->pop = 0;
    }
    return moved;
}

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

/* All of the state that decides the future, as words into out (NULL: only their number). */
static size_t
snapshot(const sim *s, uint64_t *out)
{
    size_t n = 0, words = (size_t)2 * s->n_layers + (size_t)2 * s->n_buffers;

    if (!out)
        return words;
    uint64_t done = frames_done(s);
    for (uint32_t k = 0; k < s->n_layers; k++) {
        out[n++] = s->layers[k].i;
        out[n++] = s->layers[k].pipe;
    }
    for (uint32_t k = 0; k < s->n_buffers; k++) {
        out[n++] = s->buffers[k].occ;
        out[n++] =
            s->buffers[k].sink ? s->buffers[k].moved << 32 | (s->buffers[k].frames - done) : 0;
    }
    return words;
}

static nashc_status
blocked(const sim *s, nashc_diag *d)
{
    for (uint32_t k = 0; k < s->n_layers; k++) {
        const layer *l = &s->layers[k];
        if (l->n && !l->en) {
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
        for (uint32_t k = 0; k < s.n_layers; k++)
            decide(&s.layers[k]);
        if (!advance(&s, cycle, &done))
            return blocked(&s, d);
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
