/* flowsim.c: exact simulation of a graph of hw.* layers, after docs/timing.md.
 *
 * Each stream is a buffer behind its producer, maybe with an assumed FIFO behind that. Machines go
 * on frame by frame (flowgo.c). At the end of a frame all of them rest, and what decides the future
 * is, relative to the cycle in which each may go on, when its free places can be filled and which
 * stalls of its pipeline it may meet. Once that is as it was some frames ago, and all cycles of a
 * part that streams connect are later by the same number, it repeats for ever: intervals are
 * proven, not estimated.
 */
#include "flowsim.h"
#include "core/base/mem.h"
#include <string.h>

#define PLAIN     UINT32_MAX
#define PATIENCE  16
#define MUCH_WORK 2000000u /* runs of steps */

static flow_channel *
add_channel(flow_sim *s, flow_machine *from, uint32_t depth)
{
    flow_channel *c = &s->channels[s->n_channels++];

    c->from = from;
    c->depth = depth;
    c->lag = 1;
    if (depth > 0 && !flow_put(&c->space, 0, depth, 0))
        s->list.full = true;
    return c;
}

/* A FIFO of depth words behind c; returns what its reader sees. */
static flow_channel *
add_fifo(flow_sim *s, flow_channel *c, uint64_t n, uint32_t depth)
{
    flow_machine *m = &s->machines[s->n_machines++];
    flow_pattern *p = NASHC_NEW(s->a, flow_pattern);
    flow_run *r = NASHC_NEW(s->a, flow_run);

    m->in = NASHC_NEW_N(s->a, flow_channel *, 2);
    if (!m->in || !p || !r)
        return NULL;
    *r = (flow_run){n, {1, 0, 1}, {1, 0, 1}, {1, 0, 1}, 1, 1};
    *p = (flow_pattern){r, 1, 1, n, -1, -1};
    m->p = p;
    m->out = m->in + 1;
    m->n_in = m->n_out = 1;
    m->in[0] = c;
    c->to = m;
    return m->out[0] = add_channel(s, m, depth);
}

/* What is read of stream id, written into c: c itself or the FIFO behind it. */
static nashc_status
add_stream(flow_sim *s, flow_channel *c, uint32_t id, const uint32_t *fifo, nashc_diag *d)
{
    if (fifo && fifo[id] > 0 && !(c = add_fifo(s, c, s->z->beats[id], fifo[id])))
        return nashc_enomem(d);
    bool is_fifo = c->from && (!c->from->layer || nashc_node_is(c->from->layer->n, "hw.fifo"));
    c->id = id;
    c->logged = c->source || is_fifo;
    s->stream[id] = c;
    return NASHC_OK;
}

static nashc_status
add_machine(flow_sim *s, const flow_layer *l, int side, nashc_diag *d)
{
    flow_machine *m = &s->machines[s->n_machines++];
    bool in_side = l->ring && side == 0;

    m->layer = l;
    m->p = &l->p[side];
    m->latency = in_side ? 0 : l->latency;
    m->in = NASHC_NEW_N(s->a, flow_channel *, l->n_in + l->n_out + 4);
    if (!m->in)
        return nashc_enomem(d);
    m->out = m->in + l->n_in + 2;
    return NASHC_OK;
}

static void
connect(flow_machine *m, flow_channel *c)
{
    m->in[m->n_in++] = c;
    c->to = m;
}

static nashc_status
add_layer(flow_sim *s, const flow_layer *l, const uint32_t *fifo, nashc_diag *d)
{
    flow_machine *in = &s->machines[s->n_machines], *out = in + l->ring;
    nashc_status st = add_machine(s, l, 0, d);

    if (st == NASHC_OK && l->ring)
        st = add_machine(s, l, 1, d);
    for (uint32_t k = 0; k < l->n_in && st == NASHC_OK; k++)
        connect(in, s->stream[l->in[k]]);
    flow_channel *words = st == NASHC_OK && l->ring ? add_channel(s, in, 0) : NULL;
    if (words) {
        in->out[in->n_out++] = words;
        connect(out, words);
        if (!flow_put(&words->data, 0, l->tail, 0))
            st = nashc_enomem(d);
    }
    for (uint32_t k = 0; k < l->n_out && st == NASHC_OK; k++) {
        flow_channel *c = out->out[out->n_out++] = add_channel(s, out, l->depth);
        flow_drop(&c->space, l->depth - l->free);
        st = add_stream(s, out->out[k], l->out[k], fifo, d);
    }
    if (words && st == NASHC_OK) {
        flow_channel *places = out->out[out->n_out++] = add_channel(s, out, 0);
        connect(in, places);
        if (!flow_put(&places->data, 0, l->room, 0))
            st = nashc_enomem(d);
    }
    return st;
}

static nashc_status
alloc(flow_sim *s, nashc_diag *d)
{
    size_t n = 2 * (size_t)s->z->n_ids + 2 * (size_t)s->z->n_layers + 4;

    s->channels = NASHC_NEW_N(s->a, flow_channel, 2 * n);
    s->machines = NASHC_NEW_N(s->a, flow_machine, n);
    s->stream = NASHC_NEW_N(s->a, flow_channel *, s->z->n_ids);
    for (s->list.cap = 1; s->list.cap <= n;)
        s->list.cap *= 2;
    s->list.m = NASHC_NEW_N(s->a, flow_machine *, s->list.cap);
    s->later = NASHC_NEW_N(s->a, uint64_t, n);
    return s->channels && s->machines && s->stream && s->list.m && s->later ? NASHC_OK
                                                                            : nashc_enomem(d);
}

/* Paths are halved on the way (Tarjan, van Leeuwen), or chains would take quadratic time. */
static uint32_t
part_of(flow_sim *s, uint32_t k)
{
    flow_machine *m = s->machines;

    while (m[k].part != k)
        k = m[k].part = m[m[k].part].part;
    return k;
}

static void
find_parts(flow_sim *s)
{
    for (uint32_t k = 0; k < s->n_machines; k++)
        s->machines[k].part = k;
    for (uint32_t k = 0; k < s->n_channels; k++) {
        const flow_channel *c = &s->channels[k];
        if (!c->from || !c->to)
            continue;
        uint32_t a = part_of(s, (uint32_t)(c->from - s->machines));
        s->machines[a].part = part_of(s, (uint32_t)(c->to - s->machines));
    }
    for (uint32_t k = 0; k < s->n_machines; k++)
        s->machines[k].part = part_of(s, k);
}

nashc_status
flow_sim_build(flow_sim *s, const flow_net *z, const uint32_t *fifo, nashc_arena *a, nashc_diag *d)
{
    *s = (flow_sim){.z = z, .a = a};
    nashc_status st = alloc(s, d);

    for (int i = 0; i < nashc_graph_n_inputs(z->g) && st == NASHC_OK; i++) {
        flow_channel *c = add_channel(s, NULL, 0);
        c->source = c->logged = true;
        st = add_stream(s, c, nashc_value_id(nashc_graph_input(z->g, i)), fifo, d);
    }
    for (uint32_t i = 0; i < z->n_layers && st == NASHC_OK; i++)
        st = add_layer(s, &z->layers[i], fifo, d);
    for (uint32_t k = 0; k < s->n_channels && st == NASHC_OK; k++)
        if (!s->channels[k].to) /* the end of the graph always takes */
            s->channels[k].depth = 0;
    if (st == NASHC_OK)
        find_parts(s);
    return st == NASHC_OK && s->list.full ? nashc_enomem(d) : st;
}

void
flow_sim_free(flow_sim *s)
{
    for (uint32_t k = 0; k < s->n_channels; k++) {
        flow_free(&s->channels[k].data);
        flow_free(&s->channels[k].space);
        flow_free(&s->channels[k].given);
        flow_free(&s->channels[k].taken);
    }
    for (uint32_t k = 0; k < s->n_machines; k++)
        flow_free(&s->machines[k].pipe);
    for (uint32_t k = 0; k < s->n_states; k++)
        nashc_mem_free(s->states[k].word);
    nashc_mem_free(s->states);
    *s = (flow_sim){0};
}

/* --- frames ------------------------------------------------------------------------------------
 */

/* A layer that cannot hand on. */
static bool
is_full(const flow_machine *m)
{
    if (m->frames == m->goal || !m->layer)
        return false;
    if (m->latency > 0 && m->out[0]->depth > 0)
        return m->pipe.n > 0;
    const flow_marks *fills = &m->p->runs[m->at].fills;
    for (uint32_t k = 0; k < m->n_out && flow_to_mark(fills, m->pos) == 0; k++)
        if ((fills->ports >> k & 1) && m->out[k]->depth > 0 && m->out[k]->space.n == 0)
            return true;
    return false;
}

static nashc_status
blocked(const flow_sim *s, nashc_diag *d)
{
    for (uint32_t k = 0; k < s->n_machines; k++) {
        const flow_machine *m = &s->machines[k];
        if (!is_full(m))
            continue;
        nashc_status st =
            nashc_node_error(d, m->layer->n, "the streams dead-lock: this layer cannot hand on");
        if (d)
            nashc_help(d, "a FIFO on the shorter of two joining branches is too small");
        return st;
    }
    return nashc_error(d, NULL, "the streams dead-lock");
}

/* The cycle of the first beat that is taken from outside. */
static uint64_t
first_beat(const flow_sim *s)
{
    uint64_t first = UINT64_MAX;

    for (uint32_t k = 0; k < s->n_channels; k++) {
        const flow_channel *c = &s->channels[k];
        if (c->source && c->taken.n > 0 && c->taken.s[c->taken.head].t < first)
            first = c->taken.s[c->taken.head].t;
    }
    return first == UINT64_MAX ? 0 : first;
}

nashc_status
flow_sim_frame(flow_sim *s, nashc_diag *d)
{
    for (uint32_t k = 0; k < s->n_machines; k++) {
        s->machines[k].goal++;
        flow_wake(&s->list, &s->machines[k]);
    }
    flow_go(&s->list);
    if (s->list.full)
        return nashc_enomem(d);
    for (uint32_t k = 0; k < s->n_machines; k++)
        if (s->machines[k].frames < s->machines[k].goal)
            return blocked(s, d);
    if (s->frames == 0)
        s->first = first_beat(s);
    s->frames++;
    s->done = 0;
    for (uint32_t k = 0; k < s->n_channels; k++) {
        flow_channel *c = &s->channels[k];
        if (!c->to && c->last + 1 > s->done)
            s->done = c->last + 1; /* taken in the cycle after it is given */
        if (c->to && !c->source && c->logged) {
            flow_held(c);
            continue;
        }
        c->logged = false;
        flow_clear(&c->given);
        flow_clear(&c->taken);
    }
    return NASHC_OK;
}

/* A cycle, of machine m; PLAIN: a number that is none. */
static void
add_word(flow_sim *s, flow_state *x, uint64_t w, uint32_t m)
{
    if (s->list.full || !nashc_mem_grow((void **)&x->word, &x->cap, x->n + 1, sizeof *x->word))
        s->list.full = true;
    else
        x->word[x->n++] = (flow_word){w, m};
}

/* Cycles of tokens that machine m takes or fills from cycle `least` on, one a cycle unless in bulk:
 * those before that make no difference, so count as then. What was promised (flowgo.c) is among
 * them, so the state does not depend on what was. */
static void
add_tokens(flow_sim *s, flow_state *x, const flow_tokens *q, uint64_t least, bool bulk, uint32_t m)
{
    for (size_t i = q->head; i < q->len; i++)
        for (uint64_t k = 0; k < q->s[i].n; k++, least += !bulk) {
            uint64_t t = q->s[i].t + k * q->s[i].d;
            add_word(s, x, t > least ? t : least, m);
        }
}

/* All that decides the future. */
static flow_state *
add_state(flow_sim *s)
{
    if (!nashc_mem_grow((void **)&s->states, &s->cap_states, s->n_states + 1, sizeof *s->states)) {
        s->list.full = true;
        return NULL;
    }
    flow_state *x = &s->states[s->n_states++];
    *x = (flow_state){.done = s->done};
    for (uint32_t k = 0; k < s->n_machines; k++) {
        const flow_machine *m = &s->machines[k];
        add_word(s, x, m->next, k);
        add_word(s, x, m->n_stalls, PLAIN);
        for (uint32_t i = 0; i < m->n_stalls; i++) {
            add_word(s, x, m->stall[i].from, k);
            add_word(s, x, m->stall[i].to, k);
        }
    }
    for (uint32_t k = 0; k < s->n_channels; k++) {
        const flow_channel *c = &s->channels[k];
        if (c->depth > 0)
            add_tokens(s, x, &c->space, c->from->next + c->from->latency, false,
                       (uint32_t)(c->from - s->machines));
        if (c->to)
            add_tokens(s, x, &c->data, c->to->next,
                       c->to->p->bulk_in >= 0 && c->to->in[c->to->p->bulk_in] == c,
                       (uint32_t)(c->to - s->machines));
    }
    return s->list.full ? NULL : x;
}

/* Is b what a was, later by a number of cycles that is the same within each part? *cycles: the
 * most of them. */
static bool
repeats(const flow_sim *s, const flow_state *a, const flow_state *b, uint64_t *cycles)
{
    uint64_t *later = s->later;

    *cycles = 0;
    if (a->n != b->n)
        return false;
    memset(later, 0, s->n_machines * sizeof *later);
    for (size_t i = 0; i < a->n; i++) {
        uint64_t by = b->word[i].w - a->word[i].w;
        uint32_t m = a->word[i].of;
        if (m != b->word[i].of || (m == PLAIN && by != 0))
            return false;
        if (m == PLAIN)
            continue;
        uint32_t part = s->machines[m].part;
        later[part] = later[part] == 0 ? by : later[part];
        if (by != later[part])
            return false;
        *cycles = by > *cycles ? by : *cycles;
    }
    return true;
}

/* Is nothing in b later than in a by more than the slowest layer takes? What is no later is
 * followed by what is no later, and in the long run no frame takes less: so it stays, also if some
 * FIFO is still filling up, which may take hundreds of frames. Rigid pipelines may break that rule
 * (flowplan.c), so it is asked only after PATIENCE frames, or much work. */
static bool
holds(const flow_sim *s, const flow_state *a, const flow_state *b)
{
    if (a->n != b->n || b->done - a->done > s->z->slowest)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->word[i].of != b->word[i].of ||
            (a->word[i].of == PLAIN && a->word[i].w != b->word[i].w) ||
            b->word[i].w > a->word[i].w + s->z->slowest)
            return false;
    }
    return true;
}

/* Frames after the last of which, and all that were seen later, another ends each so many cycles.
 */
static uint32_t
frames_to_see(const flow_sim *s, uint64_t cycles)
{
    size_t n = s->n_states;

    while (n > 1 && s->states[n - 1].done - s->states[n - 2].done == cycles)
        n--;
    return (uint32_t)(n < s->n_states ? n + 1 : n);
}

nashc_status
flow_sim_run(flow_sim *s, uint32_t max_frames, nashc_flow_result *r, nashc_diag *d)
{
    nashc_status st = NASHC_OK;

    while (st == NASHC_OK && s->frames < max_frames && !r->steady) {
        if ((st = flow_sim_frame(s, d)) != NASHC_OK)
            break;
        const flow_state *now = add_state(s);
        if (!now)
            return nashc_enomem(d);
        for (uint32_t p = 1; p < s->n_states && !r->steady; p++) {
            r->steady = repeats(s, now - p, now, &r->cycles);
            r->period = p;
        }
        bool long_ago = s->frames >= PATIENCE || (s->frames > 1 && s->list.events > MUCH_WORK);
        if (!r->steady && long_ago && holds(s, now - 1, now)) {
            r->steady = true;
            r->period = 1;
            r->cycles = s->z->slowest;
        }
    }
    if (st != NASHC_OK)
        return st;
    r->frames = r->steady && r->period == 1 ? frames_to_see(s, r->cycles) : s->frames;
    r->work = s->list.events;
    r->latency = s->states[0].done - s->first;
    if (!r->steady) {
        r->period = 1;
        r->cycles = s->frames > 1 ? s->states[s->frames - 1].done - s->states[s->frames - 2].done
                                  : r->latency + 1;
    }
    for (uint32_t id = 0; id < s->z->n_ids && r->occupancy; id++)
        if (s->stream[id])
            r->occupancy[id] = (uint32_t)s->stream[id]->most;
    return NASHC_OK;
}

nashc_status
nashc_flow_simulate(const nashc_graph *g, const nashc_flow_options *o, nashc_flow_result *out,
                    nashc_arena *a, nashc_diag *d)
{
    uint32_t max = o && o->max_frames > 0 ? (uint32_t)o->max_frames : 64;
    nashc_flow_result r = {0};
    flow_sim s = {0};
    flow_net z;
    nashc_status st = flow_net_read(g, o && NASHC_HAS(o, backend) ? o->backend : NULL, &z, a, d);

    if (st != NASHC_OK)
        return st;
    r.occupancy = NASHC_NEW_N(a, uint32_t, z.n_ids);
    st = r.occupancy ? flow_sim_build(&s, &z, o ? o->fifo : NULL, a, d) : nashc_enomem(d);
    flow_key key;
    if (st == NASHC_OK && !flow_seen_key(&s, max, &key))
        st = nashc_enomem(d);
    if (st == NASHC_OK && !flow_seen_get(&s, &key, &r) &&
        (st = flow_sim_run(&s, max, &r, d)) == NASHC_OK)
        flow_seen_put(&s, &key, &r);
    flow_sim_free(&s);
    if (st == NASHC_OK)
        *out = r;
    return st;
}
