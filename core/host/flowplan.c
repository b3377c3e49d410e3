/* flowplan.c: an admissible periodic schedule of least memory (docs/fifos.md).
 *
 * The period is T, the steps of the slowest layer. The schedule says in which cycles each layer
 * does its steps, so in which cycles each stream is written and read; it is admissible if every
 * beat is written early enough to be read. The depth that an edge needs is then the most beats that
 * are there at a time. Why such depths are enough for the network as built, which keeps no schedule
 * but does every step as soon as it can:
 *
 *   Say each step of the schedule finds, in the cycle it is planned for, its operands and a place
 *   for its results. Then, by induction over cycles, no step of the network is later than planned:
 *   what it waits for happened no later than planned. This is monotone, since a step waits for the
 *   latest of fixed events: the step before, the writing of its operands, the reading of beats
 *   whose places it takes. Kind by kind (docs/timing.md):
 *   - Steps, converters, duplicates, joins: as said. A duplicate waits for the last of its outputs,
 *     which is one more event. That skids have 2 places is seen as FIFOs of 2.
 *   - Lines: a step waits for the step before, for its operand, and for the reading of the result
 *     of the step before that one; the schedule counts that place as filled in this step.
 *   - FIFOs: a beat leaves its writer's skid a cycle after it is written at the earliest, and can
 * be read a cycle after that: slack `TRANSFER`. Its place in the skid comes back a cycle later than
 *     that in the FIFO.
 *   - Rings: two chains of steps, words in and beats out, which exchange words and places; each
 *     waits for fixed events of the other.
 *   - Rigid pipelines of L stages are not monotone: a result that is early may find no place and
 *     stop those behind it, so that a step is later than planned because another one was earlier.
 * If there is a place for each result from the cycle of its step on (L cycles longer), nothing ever
 *     stops: slack `reserved`. Proof: a pipeline stands still only while all places behind it are
 *     taken by results older than the one at its end; the plan has a place for the latter, whose
 *     step was done, so one of these was read no later than that. Depths are tried without this
 *     slack first, as it is mostly not needed, and the simulation tells.
 *
 * The paces: first each layer does its steps as early as its operands allow, the inputs of the
 * graph coming evenly. Then, from the outputs backward, each layer that does not write less bits
 * than it reads does them as late as its readers allow; then, forward, each that does as early as
 * its writers allow. So beats wait where they are few bits. Both are the same machines in
 * simulation, one at a time and without bounds, forward and in reversed time. At last whole layers
 * are moved against each other: differences of start at least the lag of each edge, at the least
 * sum of bits that wait (base/mincost.c).
 */
#include "flowplan.h"
#include "core/base/mem.h"
#include "core/base/mincost.h"
#include <string.h>

#define TRANSFER   1                   /* cycles from the end of a pipeline to the reader */
#define HORIZON    ((uint64_t)1 << 50) /* reversed time t is HORIZON - t */
#define MAX_FRAMES 12                  /* until a layer alone repeats */

/* Cycles from the step that writes a beat of stream id until it can be read. */
static uint64_t
lag_of(const flow_net *z, uint32_t id)
{
    return z->writer[id] > 0 ? z->layers[z->writer[id] - 1].latency + TRANSFER : 0;
}

/* Beats that come, frame f, written or, in reversed time, read as in q. */
static bool
feed(flow_bench *b, flow_channel *c, const flow_tokens *q, uint64_t add)
{
    bool ok = true;

    for (size_t i = 0; i < q->len && ok; i++) {
        const flow_seg *s = &q->s[b->back ? q->len - 1 - i : i];
        uint64_t t = b->back ? HORIZON - (s->t + (s->n - 1) * s->d) : s->t;
        ok = flow_put(&c->data, t + add, s->n, s->d);
    }
    return ok;
}

static bool
feed_all(flow_bench *b, const flow_plan *p, uint64_t frame)
{
    const flow_layer *l = b->l;
    bool ok = true;

    for (uint32_t k = 0; k < l->n_in && !b->back && ok; k++)
        ok = feed(b, &b->in[k], &p->put[l->in[k]], frame * p->period + lag_of(p->z, l->in[k]));
    for (uint32_t k = 0; k < l->n_out && b->back && ok; k++)
        ok = feed(b, &b->out[k], &p->get[l->out[k]], frame * p->period + l->latency + TRANSFER);
    return ok;
}

/* The cycles in a log, of a frame that began `off` cycles after the first, forward again. */
static bool
keep(const flow_bench *b, flow_tokens *out, const flow_tokens *log, uint64_t off)
{
    bool ok = true;

    flow_clear(out);
    for (size_t i = 0; i < log->len && ok; i++) {
        const flow_seg *s = &log->s[b->back ? log->len - 1 - i : i];
        uint64_t t = b->back ? HORIZON - (s->t + (s->n - 1) * s->d) + off : s->t - off;
        ok = flow_put(out, t, s->n, s->d);
    }
    return ok;
}

static bool
keep_all(const flow_bench *b, flow_plan *p, uint64_t off)
{
    const flow_layer *l = b->l;
    bool ok = true;

    for (uint32_t k = 0; k < l->n_in && ok; k++)
        ok = keep(b, &p->get[l->in[k]], b->back ? &b->in[k].given : &b->in[k].taken, off);
    for (uint32_t k = 0; k < l->n_out && ok; k++)
        ok = keep(b, &p->put[l->out[k]], b->back ? &b->out[k].taken : &b->out[k].given, off);
    return ok && (!l->line || keep(b, &p->fill[l->out[0]], &b->filled, off));
}

/* Layer l does its steps as early as its writers allow, or as late as its readers do. */
static nashc_status
retime(flow_plan *p, const flow_layer *l, bool back, nashc_diag *d)
{
    const flow_pattern *patterns = back ? &p->back[2 * (l - p->z->layers)] : l->p;
    flow_bench *b = nashc_mem_alloc(sizeof *b);
    uint64_t next[2], last[2] = {0}, f = 0;
    int same = 0;
    bool ok = b != NULL;

    if (ok)
        flow_bench_start(b, l, patterns, back);
    for (; ok && same < 1 + l->ring && f < MAX_FRAMES; f++) {
        ok = feed_all(b, p, f) && flow_bench_frame(b, next);
        bool again = f > 0 && next[0] == last[0] + p->period && next[1] == last[1] + p->period;
        same = again ? same + 1 : 0;
        memcpy(last, next, sizeof last);
    }
    bool stuck = ok && b->m[0].frames + b->m[l->ring].frames < 2 * f;
    ok = ok && (stuck || keep_all(b, p, (f - 1) * p->period));
    if (b) {
        p->events += b->list.events;
        flow_bench_end(b);
    }
    nashc_mem_free(b);
    if (stuck)
        return nashc_node_error(d, l->n, "this layer never gives its frame: its ring is too small");
    return ok ? NASHC_OK : nashc_enomem(d);
}

/* Bits a frame that l writes less those that it reads. */
static int64_t
growth(const flow_net *z, const flow_layer *l)
{
    int64_t bits = 0;

    for (uint32_t k = 0; k < l->n_out; k++)
        bits += (int64_t)z->width[l->out[k]] * z->beats[l->out[k]];
    for (uint32_t k = 0; k < l->n_in; k++)
        bits -= (int64_t)z->width[l->in[k]] * z->beats[l->in[k]];
    return bits;
}

/* Beats of the inputs, evenly, some frames after 0 for what runs ahead. */
static bool
pace_inputs(flow_plan *p)
{
    bool ok = true;

    for (int i = 0; i < nashc_graph_n_inputs(p->z->g) && ok; i++) {
        uint32_t id = nashc_value_id(nashc_graph_input(p->z->g, i));
        uint64_t n = p->z->beats[id], d = p->period / n;
        ok = flow_put(&p->put[id], 4 * p->period, n, d > 0 ? d : 1);
    }
    return ok;
}

/* The ends of the graph take each beat as soon as they can. */
static bool
end_outputs(flow_plan *p)
{
    bool ok = true;

    for (uint32_t id = 0; id < p->z->n_ids; id++) {
        const flow_tokens *put = &p->put[id];
        if (p->z->reader[id] > 0 || p->z->writer[id] == 0)
            continue;
        flow_clear(&p->get[id]);
        for (size_t i = 0; i < put->len && ok; i++)
            ok = flow_put(&p->get[id], put->s[i].t + lag_of(p->z, id), put->s[i].n, put->s[i].d);
    }
    return ok;
}

typedef enum sweep { ALL_EARLY, GROWING_LATE, SHRINKING_EARLY, N_SWEEPS } sweep;

static nashc_status
sweep_layers(flow_plan *p, sweep w, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (uint32_t i = 0; i < p->z->n_layers && s == NASHC_OK; i++) {
        bool back = w == GROWING_LATE;
        const flow_layer *l = &p->z->layers[back ? p->z->n_layers - 1 - i : i];
        if (w == ALL_EARLY || (growth(p->z, l) >= 0) == back)
            s = retime(p, l, back, d);
    }
    if (s == NASHC_OK && w == ALL_EARLY && !end_outputs(p))
        s = nashc_enomem(d);
    return s;
}

/* --- starts ------------------------------------------------------------------------------------
 */

/* The least difference of the starts of reader and writer of stream id: most cycles that a beat is
 * written after it is to be read. Between breaks of either curve that rises or falls. */
static int64_t
least_lag(const flow_plan *p, uint32_t id)
{
    const flow_tokens *put = &p->put[id], *get = &p->get[id];
    int64_t lag = INT64_MIN, late = (int64_t)lag_of(p->z, id);
    size_t i = 0, j = 0;
    uint64_t a = 0, b = 0;

    while (i < put->len && j < get->len) {
        const flow_seg *s = &put->s[i], *t = &get->s[j];
        uint64_t n = s->n - a < t->n - b ? s->n - a : t->n - b;
        for (uint64_t k = 0; k<n; k += n> 1 ? n - 1 : 1) {
            int64_t gap =
                (int64_t)(s->t + (a + k) * s->d) + late - (int64_t)(t->t + (b + k) * t->d);
            lag = gap > lag ? gap : lag;
        }
        a += n;
        b += n;
        i += a == s->n;
        j += b == t->n;
        a = a == s->n ? 0 : a;
        b = b == t->n ? 0 : b;
    }
    return lag;
}

bool
flow_plan_edge(const flow_net *z, uint32_t id)
{
    return z->writer[id] > 0 && z->reader[id] > 0 &&
           !nashc_node_is(z->layers[z->writer[id] - 1].n, "hw.fifo") &&
           !nashc_node_is(z->layers[z->reader[id] - 1].n, "hw.fifo");
}

uint32_t
flow_plan_depth(const flow_plan *p, uint32_t id)
{
    const flow_net *z = p->z;
    const flow_layer *w = &z->layers[z->writer[id] - 1];
    int64_t late = p->start[z->reader[id] - 1] - p->start[z->writer[id] - 1] + 1;

    const flow_tokens *fill = w->line ? &p->fill[id] : &p->put[id];

    late -= p->reserved[id] ? 0 : w->latency;
    uint64_t places = flow_most(fill, &p->get[id], late, 0, p->period);
    if (places <= w->free && !p->queue[id])
        return 0;
    places = flow_most(fill, &p->get[id], late + 1, 0, p->period);
    if (places > UINT32_MAX / 2)
        return UINT32_MAX / 2;
    return places <= w->free + 2 ? 2 : (uint32_t)(places - w->free);
}

/* Edges that need a FIFO at these starts and were not taken for such: how many. A FIFO takes each
 * beat a cycle longer. */
static uint32_t
find_queues(flow_plan *p)
{
    uint32_t found = 0;

    for (uint32_t id = 0; id < p->z->n_ids; id++)
        if (flow_plan_edge(p->z, id) && !p->queue[id] && flow_plan_depth(p, id) > 0) {
            p->queue[id] = true;
            found++;
        }
    return found;
}

/* Each cycle of an edge costs its bits a period. */
bool
flow_plan_starts(flow_plan *p)
{
    const flow_net *z = p->z;
    nashc_distance *e = nashc_mem_calloc((size_t)z->n_ids + 1, sizeof *e);
    uint32_t m = 0;

    memset(p->queue, 0, z->n_ids * sizeof *p->queue);
    for (uint32_t id = 0; id < z->n_ids && e; id++)
        if (z->writer[id] > 0 && z->reader[id] > 0)
            e[m++] = (nashc_distance){z->writer[id] - 1, z->reader[id] - 1, least_lag(p, id),
                                      (int64_t)z->width[id] * z->beats[id]};
    bool ok = e && nashc_mincost(z->n_layers, e, m, p->start);
    while (ok && find_queues(p) > 0) {
        m = 0;
        for (uint32_t id = 0; id < z->n_ids; id++)
            if (z->writer[id] > 0 && z->reader[id] > 0)
                e[m++].lag += p->queue[id] && !p->slower[id];
        for (uint32_t id = 0; id < z->n_ids; id++)
            p->slower[id] = p->queue[id];
        ok = nashc_mincost(z->n_layers, e, m, p->start);
    }
    memset(p->slower, 0, z->n_ids * sizeof *p->slower);
    nashc_mem_free(e);
    return ok;
}

/* Bits of all FIFOs. */
static uint64_t
bits_of(const flow_plan *p)
{
    uint64_t bits = 0;

    for (uint32_t id = 0; id < p->z->n_ids; id++)
        if (flow_plan_edge(p->z, id))
            bits += (uint64_t)flow_plan_depth(p, id) * p->z->width[id];
    return bits;
}

static nashc_status
alloc(flow_plan *p, nashc_diag *d)
{
    const flow_net *z = p->z;

    p->put = NASHC_NEW_N(p->a, flow_tokens, 3 * (size_t)z->n_ids);
    p->start = NASHC_NEW_N(p->a, int64_t, (size_t)z->n_layers + 1);
    p->back = NASHC_NEW_N(p->a, flow_pattern, 2 * (size_t)z->n_layers + 1);
    p->queue = NASHC_NEW_N(p->a, bool, 3 * (size_t)z->n_ids);
    if (!p->put || !p->start || !p->back || !p->queue)
        return nashc_enomem(d);
    p->get = p->put + z->n_ids;
    p->fill = p->get + z->n_ids;
    p->slower = p->queue + z->n_ids;
    p->reserved = p->slower + z->n_ids;
    for (uint32_t i = 0; i < z->n_layers; i++)
        for (int side = 0; side <= z->layers[i].ring; side++) {
            p->back[2 * i + side] = flow_reversed(&z->layers[i].p[side], p->a);
            if (!p->back[2 * i + side].runs)
                return nashc_enomem(d);
        }
    return NASHC_OK;
}

/* Sweeps 0 .. last, and the starts after them. */
static nashc_status
make(flow_plan *p, sweep last, uint64_t bits[N_SWEEPS], nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (sweep w = ALL_EARLY; w <= last && s == NASHC_OK; w++) {
        if ((s = sweep_layers(p, w, d)) == NASHC_OK && !flow_plan_starts(p))
            s = nashc_enomem(d);
        if (s == NASHC_OK)
            bits[w] = bits_of(p);
    }
    return s;
}

nashc_status
flow_plan_make(flow_plan *p, const flow_net *z, nashc_arena *a, nashc_diag *d)
{
    uint64_t bits[N_SWEEPS] = {0};
    sweep best = SHRINKING_EARLY;

    *p = (flow_plan){.z = z, .a = a, .period = z->slowest};
    nashc_status s = alloc(p, d);
    if (s == NASHC_OK && !pace_inputs(p))
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = make(p, SHRINKING_EARLY, bits, d);
    for (sweep w = ALL_EARLY; w < SHRINKING_EARLY; w++)
        best = bits[w] < bits[best] ? w : best;
    return s == NASHC_OK && best < SHRINKING_EARLY ? make(p, best, bits, d) : s;
}

void
flow_plan_free(flow_plan *p)
{
    for (uint32_t id = 0; p->put && id < p->z->n_ids; id++) {
        flow_free(&p->put[id]);
        flow_free(&p->get[id]);
        flow_free(&p->fill[id]);
    }
    *p = (flow_plan){0};
}
