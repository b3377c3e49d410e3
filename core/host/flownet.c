/* flownet.c: the layers of a graph as patterns of steps, from the models of a backend. */
#include "flownet.h"
#include "core/base/mem.h"
#include <string.h>

/* n equal steps. */
typedef struct same_steps {
    uint64_t n;
    uint32_t reads, writes, fills, take, give;
} same_steps;

/* Steps as they are told, one by one. Equal steps in a row become one record, so that a layer of a
 * million steps takes a few. */
typedef struct recorder {
    same_steps *runs;
    size_t n, cap;
    uint64_t steps;
    bool full;
} recorder;

static void
record(recorder *r, uint32_t reads, uint32_t writes, uint32_t fills, uint32_t take, uint32_t give)
{
    same_steps *last = r->n > 0 ? &r->runs[r->n - 1] : NULL;

    r->steps++;
    /* runs of steps that take or give several at once are never joined: their counts are of one
     * step */
    if (last && last->reads == reads && last->writes == writes && last->fills == fills &&
        take == 1 && give == 1 && last->take == 1 && last->give == 1) {
        last->n++;
        return;
    }
    if (r->full || !nashc_mem_grow((void **)&r->runs, &r->cap, r->n + 1, sizeof *r->runs)) {
        r->full = true;
        return;
    }
    r->runs[r->n++] = (same_steps){1, reads, writes, fills, take, give};
}

static bool
run_equal(const same_steps *a, const same_steps *b)
{
    return a->n == b->n && a->reads == b->reads && a->writes == b->writes && a->fills == b->fills &&
           a->take == b->take && a->give == b->give;
}

/* Smallest number of runs, a divisor of n, whose repetition all are: from the borders of prefixes
 * (Knuth, Morris and Pratt 1977). n if memory is out. */
static size_t
period_of(const same_steps *r, size_t n)
{
    size_t *border = nashc_mem_alloc(n * sizeof *border), k = 0;

    if (!border || n == 0) {
        nashc_mem_free(border);
        return n;
    }
    border[0] = 0;
    for (size_t i = 1; i < n; i++) {
        while (k > 0 && !run_equal(&r[i], &r[k]))
            k = border[k - 1];
        k += run_equal(&r[i], &r[k]);
        border[i] = k;
    }
    nashc_mem_free(border);
    return n % (n - k) == 0 ? n - k : n;
}

/* Can marks k of a run of `len` steps go on with n steps, at each of which there are `ports`? *k is
 * as it is then. */
static bool
marks_go_on(flow_marks *k, uint64_t len, uint64_t n, uint32_t ports)
{
    uint64_t gap = len - k->at; /* from the first mark to these steps */

    if (ports == 0)
        return k->ports == 0 || k->every == 0 || flow_to_mark(k, len) >= n;
    if (k->ports == 0) { /* the first mark, no later than any gap between marks is long */
        *k = (flow_marks){ports, (uint32_t)len, n > 1};
        return n == 1 || len == 0;
    }
    if (k->ports != ports)
        return false;
    if (k->every == 0) {
        k->every = (uint32_t)gap;
        return k->at < gap && (n == 1 || gap == 1);
    }
    return flow_to_mark(k, len) == 0 && (n == 1 || k->every == 1);
}

/* Appends the steps of s to *r, if they can be one run. */
static bool
append(flow_run *r, const same_steps *s)
{
    flow_run all = *r;

    if (r->take > 1 || r->give > 1 || s->take > 1 || s->give > 1 ||
        !marks_go_on(&all.reads, r->n, s->n, s->reads) ||
        !marks_go_on(&all.writes, r->n, s->n, s->writes) ||
        !marks_go_on(&all.fills, r->n, s->n, s->fills))
        return false;
    all.n += s->n;
    *r = all;
    return true;
}

/* Marks of a run that is ended: a lone one is the only one in all of its n steps. */
static void
end_marks(flow_marks *k, uint64_t n)
{
    k->every = k->every == 0 ? (uint32_t)n : k->every;
}

/* Do marks of a run of n steps lie as evenly if it is repeated? */
static bool
marks_repeat(const flow_marks *k, uint64_t n)
{
    return k->ports == 0 || flow_n_marks(k, k->at, n) * k->every == n;
}

/* n records as runs as long as their marks are even, written to `runs`: how many. */
static size_t
join_steps(const same_steps *s, size_t n, flow_run *runs)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        bool small = len > 0 && runs[len - 1].n + s[i].n <= UINT32_MAX; /* as marks are told */
        if (small && append(&runs[len - 1], &s[i]))
            continue;
        flow_run *r = &runs[len++];
        *r = (flow_run){.take = 1, .give = 1};
        (void)append(r, &(same_steps){s[i].n, s[i].reads, s[i].writes, s[i].fills, 1, 1});
        r->take = s[i].take;
        r->give = s[i].give;
    }
    for (size_t i = 0; i < len; i++) {
        end_marks(&runs[i].reads, runs[i].n);
        end_marks(&runs[i].writes, runs[i].n);
        end_marks(&runs[i].fills, runs[i].n);
    }
    return len;
}

/* What was recorded as a pattern; the recorder is done. */
static nashc_status
finish(recorder *r, flow_pattern *out, nashc_arena *a, nashc_diag *d)
{
    size_t n = period_of(r->runs, r->n);
    flow_run *runs = r->full ? NULL : NASHC_NEW_N(a, flow_run, n);
    uint64_t times = r->n / n;

    if (runs)
        n = join_steps(r->runs, n, runs);
    nashc_mem_free(r->runs);
    if (!runs)
        return nashc_enomem(d);
    if (n == 1 && runs->take == 1 && runs->give == 1 && marks_repeat(&runs->reads, runs->n) &&
        marks_repeat(&runs->writes, runs->n) && marks_repeat(&runs->fills, runs->n)) {
        runs->n *= times;
        times = 1;
    }
    *out = (flow_pattern){.runs = runs,
                          .n_runs = n,
                          .times = times,
                          .steps = r->steps,
                          .bulk_in = -1,
                          .bulk_out = -1};
    return NASHC_OK;
}

/* The output side: a step a beat, which first takes the words that no beat before it needed. The
 * loops run as an odometer; `seen` counts the words that came in this frame. */
static nashc_status
read_output_side(flow_layer *l, const nashc_ring *w, nashc_arena *a, nashc_diag *d)
{
    int64_t at[NASHC_RING_LOOPS] = {0}, address = w->first, seen = 0;
    recorder r = {0};
    bool last = false;

    while (!last) {
        int64_t need = address + 1 > seen ? address + 1 - seen : 0;
        int k = w->loops;
        seen += need;
        while (k > 0 && ++at[k - 1] == w->count[k - 1])
            at[--k] = 0;
        last = k == 0;
        k = last ? w->loops : k - 1;
        address += w->move[k];
        int64_t gone = w->release[k];
        uint32_t writes = 1u | (gone > 0) << 1;
        record(&r, need > 0, writes, writes, need > 0 ? (uint32_t)need : 1,
               gone > 0 ? (uint32_t)gone : 1);
    }
    /* The first beat of a frame also takes the words that the last frame left. */
    l->tail = (uint64_t)(w->words - seen);
    if (!r.full) {
        r.runs[0].take += (uint32_t)l->tail;
        if (r.runs[0].n > 1 && l->tail > 0) { /* it stands alone then */
            r.runs[0].n--;
            r.runs[0].take = 1;
            if (!nashc_mem_grow((void **)&r.runs, &r.cap, r.n + 1, sizeof *r.runs)) {
                r.full = true;
            } else {
                memmove(r.runs + 1, r.runs, r.n++ * sizeof *r.runs);
                r.runs[0].n = 1;
                r.runs[0].take = 1 + (uint32_t)l->tail;
            }
        }
    }
    nashc_status s = finish(&r, &l->p[1], a, d);
    l->p[1].bulk_in = 0;
    l->p[1].bulk_out = 1;
    return s;
}

/* The input side is one run: a word in, a place less, for each word of the frame. At the start
 * depth places are free, and those of the words before `first`, which no beat asks for. */
static nashc_status
read_ring(flow_layer *l, const nashc_layer_model *m, nashc_arena *a, nashc_diag *d)
{
    flow_run *in = NASHC_NEW(a, flow_run);
    nashc_ring w;

    if (!m->ring || l->latency == 0 || m->ring(l->n, &w) != NASHC_OK)
        return nashc_node_unsup(d, l->n, "this layer has no usable cycle model");
    if (!in)
        return nashc_enomem(d);
    *in = (flow_run){(uint64_t)w.words, {3, 0, 1}, {1, 0, 1}, {1, 0, 1}, 1, 1};
    l->ring = true;
    l->room = (uint64_t)(w.depth + w.first);
    l->p[0] = (flow_pattern){
        .runs = in, .n_runs = 1, .times = 1, .steps = in->n, .bulk_in = -1, .bulk_out = -1};
    return read_output_side(l, &w, a, d);
}

/* A line fills the place of a result two steps later: the fills are the writes, shifted by two
 * steps around the end of the frame. */
static nashc_status
read_steps(flow_layer *l, const nashc_layer_model *m, const nashc_timing *t, nashc_arena *a,
           nashc_diag *d)
{
    recorder r = {0};
    uint32_t reads, writes, before[2] = {0}; /* what the last two steps wrote */

    if (!m->step)
        return nashc_node_unsup(d, l->n, "this layer has no cycle model");
    for (int k = 0; k < 2 && l->line; k++) {
        m->step(t, (t->steps * 2 - 2 + (uint64_t)k) % t->steps, &reads, &before[k]);
        l->free += before[k] & 1;
    }
    for (uint64_t i = 0; i < t->steps && !r.full; i++) {
        m->step(t, i, &reads, &writes);
        record(&r, reads, writes, l->line ? before[0] : writes, 1, 1);
        before[0] = before[1];
        before[1] = writes;
    }
    return finish(&r, &l->p[0], a, d);
}

/* Kind 2 is a ring, kind 3 a line (nashc_timing). The limits are what the simulation is written
 * for; a model beyond them is refused, never approximated. */
static nashc_status
read_layer(flow_net *z, flow_layer *l, const nashc_backend *b, nashc_arena *a, nashc_diag *d)
{
    const nashc_layer_model *m = nashc_layer_model_of(l->n, b, d);
    nashc_timing t = {0};
    nashc_status s;

    if (!m)
        return NASHC_EUNSUP;
    if ((s = m->timing(l->n, &t)) == NASHC_ENOMEM)
        return nashc_enomem(d);
    l->latency = t.latency;
    l->depth = t.depth;
    l->line = t.kind == 3;
    l->free = l->line ? 0 : l->depth;
    bool fits = !l->line || (l->latency == 0 && l->depth == 2 && l->n_out == 1);
    if (s != NASHC_OK || t.steps == 0 || t.latency >= FLOW_STAGES || t.depth < 2 || !fits)
        s = nashc_node_unsup(d, l->n, "this layer has no usable cycle model");
    else
        s = t.kind == 2 ? read_ring(l, m, a, d) : read_steps(l, m, &t, a, d);
    nashc_timing_end(m, &t);
    if (s != NASHC_OK)
        return s;
    uint64_t cycles = l->ring ? 0 : l->p[0].steps;
    if (l->ring && (cycles = flow_alone(l)) == 0)
        s = nashc_node_error(d, l->n, "this layer never gives its frame: its ring is too small");
    z->slowest = cycles > z->slowest ? cycles : z->slowest;
    return s;
}

/* Streams of layer l, as value ids, and their ends. */
static nashc_status
read_streams(flow_net *z, flow_layer *l, nashc_arena *a, nashc_diag *d)
{
    uint32_t index = (uint32_t)(l - z->layers) + 1;

    l->in = NASHC_NEW_N(a, uint32_t, nashc_node_n_in(l->n) + nashc_node_n_out(l->n) + 1);
    if (!l->in)
        return nashc_enomem(d);
    for (int i = 0; i < nashc_node_n_in(l->n); i++) {
        const nashc_value *v = nashc_node_in(l->n, i);
        if (!v || nashc_value_const(v))
            continue;
        l->in[l->n_in++] = nashc_value_id(v);
        z->reader[nashc_value_id(v)] = index;
    }
    l->out = l->in + l->n_in;
    for (int i = 0; i < nashc_node_n_out(l->n); i++) {
        l->out[l->n_out++] = nashc_value_id(nashc_node_out(l->n, i));
        z->writer[l->out[i]] = index;
    }
    return NASHC_OK;
}

static nashc_status
read_width(flow_net *z, const nashc_value *v, nashc_diag *d)
{
    nashc_stream s;
    nashc_status st = nashc_flow_stream(v, &s, d);

    if (st == NASHC_OK) {
        z->width[nashc_value_id(v)] = s.width;
        z->beats[nashc_value_id(v)] = (uint32_t)s.beats;
    }
    return st;
}

/* Everything is checked before the first step is read: streams that do not fit would make nonsense
 * of times. */
nashc_status
flow_net_read(const nashc_graph *g, const nashc_backend *b, flow_net *out, nashc_arena *a,
              nashc_diag *d)
{
    nashc_status s = nashc_flow_check(g, true, d);

    if (s != NASHC_OK)
        return s;
    if (nashc_graph_n_outputs(g) == 0 || nashc_graph_n_inputs(g) == 0)
        return nashc_error(d, NULL, "graph @%s has no stream in or none out", nashc_graph_name(g));
    *out = (flow_net){.g = g, .n_ids = (uint32_t)nashc_graph_max_id(g) + 1, .slowest = 1};
    out->layers = NASHC_NEW_N(a, flow_layer, nashc_graph_n_nodes(g) + 1);
    out->writer = NASHC_NEW_N(a, uint32_t, 4 * (size_t)out->n_ids);
    if (!out->layers || !out->writer)
        return nashc_enomem(d);
    out->reader = out->writer + out->n_ids;
    out->width = out->reader + out->n_ids;
    out->beats = out->width + out->n_ids;
    for (int i = 0; i < nashc_graph_n_inputs(g) && s == NASHC_OK; i++)
        s = read_width(out, nashc_graph_input(g, i), d);
    NASHC_EACH_NODE(g, n)
    {
        flow_layer *l = &out->layers[out->n_layers++];
        l->n = n;
        if (s != NASHC_OK || (s = read_streams(out, l, a, d)) != NASHC_OK ||
            (s = read_layer(out, l, b, a, d)) != NASHC_OK)
            return s;
        for (uint32_t k = 0; k < l->n_out && s == NASHC_OK; k++)
            s = read_width(out, nashc_node_out(n, (int)k), d);
    }
    for (int i = 0; i < nashc_graph_n_outputs(g) && s == NASHC_OK; i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        if (!nashc_value_def(v))
            s = nashc_error(d, NULL, "output %%%s is no result of a layer", nashc_value_name(v));
    }
    return s;
}

/* Marks of a run of n steps, seen from its end. */
static flow_marks
from_end(flow_marks k, uint64_t n)
{
    uint64_t marks = k.ports == 0 ? 0 : flow_n_marks(&k, k.at, n);

    if (marks > 0)
        k.at = (uint32_t)(n - 1 - (k.at + (marks - 1) * k.every));
    return k;
}

/* For curves seen from the end: the last possible times of a schedule are the first possible ones
 * of the reverse. */
flow_pattern
flow_reversed(const flow_pattern *p, nashc_arena *a)
{
    flow_run *runs = NASHC_NEW_N(a, flow_run, p->n_runs);
    flow_pattern out = *p;

    for (size_t i = 0; i < p->n_runs && runs; i++) {
        const flow_run *r = &p->runs[p->n_runs - 1 - i];
        runs[i] = (flow_run){r->n,
                             from_end(r->writes, r->n),
                             from_end(r->reads, r->n),
                             from_end(r->fills, r->n),
                             r->give,
                             r->take};
    }
    out.runs = runs;
    out.bulk_in = p->bulk_out;
    out.bulk_out = p->bulk_in;
    return out;
}
