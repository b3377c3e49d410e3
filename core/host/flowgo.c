/* flowgo.c: machines go on, each as far as the times of tokens are known.
 *
 * When a step is done depends on nothing but the times of the tokens that it takes and of the
 * places that it fills, never on which machine is looked at first. So each goes on by itself, many
 * steps at a time, while they follow one another at equal distances. Three things are exact here
 * that are easily missed (docs/timing.md):
 *
 * - Pipelines are rigid. A result that finds no place stops all of its pipeline: no step is done in
 *   the cycles from..to of that stall, and results still inside are later by its length.
 * - A machine that waits for tokens of one input, and for nothing else in its next n steps, takes
 *   each of them at once when it comes. The places are given back ahead, promised: as if taken in
 *   the cycles t, t+1, ... in which nothing else holds the steps. A token that comes later frees
 *   its place later, but then who fills it is no less late: with 2 places or more, whoever gives a
 *   token in cycle c gives the one after the next in c + 2 or later, when the first is gone.
 * - A machine rests at the end of a frame, until all of them are there.
 */
#include "flownet.h"
#include <string.h>

/* Steps that follow one another: n at t, t + d, .. */
typedef struct burst {
    uint64_t t, n, d;
} burst;

#define MOST_PORTS (2 * NASHC_FLOW_PORTS + 2)

/* A token at each mark: `to` steps on, then every so many. */
typedef struct wait {
    const flow_seg *on;
    uint64_t to, every;
} wait;

/* What the next steps of a machine, at most `most`, wait for. */
typedef struct waits {
    wait on[MOST_PORTS];
    int n;
    uint64_t most;
} waits;

void
flow_wake(flow_list *l, flow_machine *m)
{
    if (!m || m->listed)
        return;
    m->listed = true;
    l->m[(l->head + l->n++) & (l->cap - 1)] = m;
}

static void
put(flow_list *l, flow_tokens *q, uint64_t t, uint64_t n, uint64_t d)
{
    if (!flow_put(q, t, n, d))
        l->full = true;
}

static void
give(flow_list *l, flow_channel *c, uint64_t t, uint64_t n, uint64_t d)
{
    c->moved += n;
    c->last = t + (n - 1) * d;
    if (c->logged)
        put(l, &c->given, t, n, d);
    if (!c->to)
        return;
    put(l, &c->data, t + c->lag, n, d);
    flow_wake(l, c->to);
}

/* n tokens are taken at t, t + d, ..; what was promised is no news. */
static void
take(flow_list *l, flow_channel *c, uint64_t t, uint64_t n, uint64_t d)
{
    if (c->logged)
        put(l, &c->taken, t, n, d);
    if (c->source)
        return;
    flow_drop(&c->data, n);
    if (c->depth == 0)
        return;
    uint64_t known = c->promised < n ? c->promised : n;
    c->promised -= known;
    if (known == n)
        return;
    put(l, &c->space, t + known * d + 1, n - known, d);
    flow_wake(l, c->from);
}

/* a / b; most b are 1, and divisions are what a burst costs. */
static uint64_t
quotient(uint64_t a, uint64_t b)
{
    return b == 1 ? a : a / b;
}

/* How many of the tokens of s come in time for marks at t, t + d, ..: s->t + i * s->d <= t + i * d.
 */
static uint64_t
in_time(const flow_seg *s, uint64_t t, uint64_t d)
{
    if (s->t > t)
        return 0;
    if (s->d <= d || s->n == 1)
        return s->n;
    uint64_t n = quotient(t - s->t, s->d - d) + 1;
    return n < s->n ? n : s->n;
}

/* Cuts b before the first mark whose token is not there, or not in time. */
static void
cut(burst *b, const wait *w)
{
    uint64_t most = w->to + in_time(w->on, b->t + w->to * b->d, w->every * b->d) * w->every;

    b->n = most < b->n ? most : b->n;
}

/* The longest burst of steps, not before cycle t, that waits for w. */
static burst
burst_of(const waits *w, uint64_t t)
{
    burst b = {t, w->most, 1};

    for (int i = 0; i < w->n; i++)
        if (w->on[i].to == 0)
            b.t = w->on[i].on->t > b.t ? w->on[i].on->t : b.t;
    for (int i = 0; i < w->n;
         i++) { /* steps that each wait are as far apart as what they wait for */
        const flow_seg *s = w->on[i].on;
        if (w->on[i].to == 0 && w->on[i].every == 1 && s->t == b.t && s->n > 1 && s->d > b.d)
            b.d = s->d;
    }
    for (int i = 0; i < w->n; i++)
        cut(&b, &w->on[i]);
    return b;
}

static const flow_seg *
first(const flow_tokens *q)
{
    return &q->s[q->head];
}

/* --- pipelines ---------------------------------------------------------------------------------
 */

/* Its results go through a pipeline that can be stopped. */
static bool
can_stall(const flow_machine *m)
{
    return m->latency > 0 && m->out[0]->depth > 0;
}

/* The pipeline stands still in cycles from .. to - 1: results inside are later, steps that are to
 * come may meet it. */
static void
stall(flow_machine *m, uint64_t from, uint64_t to)
{
    for (size_t i = m->pipe.head; i < m->pipe.len; i++)
        m->pipe.s[i].t += to - from;
    if (m->next >= from)
        m->next = m->next > to ? m->next : to;
    else
        m->stall[m->n_stalls++] = (flow_stall){from, to};
}

/* Hands on what is due and has a place. */
static void
flush(flow_list *l, flow_machine *m)
{
    flow_channel *c = m->out[0];

    while (m->pipe.n > 0 && c->space.n > 0 && m->n_stalls < FLOW_STAGES) {
        const flow_seg *s = first(&c->space);
        const flow_seg due = *first(&m->pipe);
        if (s->t > due.t) {
            stall(m, due.t, s->t);
            c->stalled = true;
            continue;
        }
        uint64_t n = in_time(s, due.t, due.d);
        n = n < due.n ? n : due.n;
        flow_drop(&c->space, n);
        flow_drop(&m->pipe, n);
        give(l, c, due.t, n, due.d);
    }
}

/* Moves b behind the stalls that it meets, and cuts it before the next one. What it gives is *later
 * by the stalls that it will be inside for. */
static burst
around_stalls(flow_machine *m, const waits *w, burst b, uint64_t *later)
{
    uint32_t k = 0;

    while (k < m->n_stalls && b.t >= m->stall[k].from) {
        uint64_t t = b.t > m->stall[k].to ? b.t : m->stall[k].to;
        b = burst_of(w, t);
        k++;
    }
    m->n_stalls -= k;
    memmove(m->stall, m->stall + k, m->n_stalls * sizeof *m->stall);
    *later = 0;
    for (k = 0; k < m->n_stalls; k++)
        *later += m->stall[k].to - m->stall[k].from;
    if (m->n_stalls > 0 && b.t + (b.n - 1) * b.d >= m->stall[0].from)
        b.n = quotient(m->stall[0].from - 1 - b.t, b.d) + 1;
    return b;
}

/* Cuts b before the first cycle in which it is not known that the pipeline moves. */
static burst
while_moving(const flow_machine *m, const flow_run *r, burst b, uint64_t later)
{
    const flow_tokens *space = &m->out[0]->space;

    if (m->pipe.n > 0) { /* it has no place yet */
        uint64_t due = first(&m->pipe)->t;
        b.n = b.t >= due                     ? 0
              : b.t + (b.n - 1) * b.d >= due ? quotient(due - 1 - b.t, b.d) + 1
                                             : b.n;
    } else if (r->writes.ports & 1) {
        uint64_t to = flow_to_mark(&r->writes, m->pos), stay = m->latency + later;
        uint64_t good = 0; /* results whose place is known to be there in time */
        if (space->n > 0)
            good = in_time(first(space), b.t + to * b.d + stay, r->writes.every * b.d);
        uint64_t most = to + good * r->writes.every + quotient(stay + b.d - 1, b.d);
        b.n = most < b.n ? most : b.n;
    }
    return b;
}

/* --- steps -------------------------------------------------------------------------------------
 */

/* Gathers what the next steps, with run r, wait for; *t: and not before. Returns the first input
 * whose next token is not known, -1: none. *room: so are all places. What is not known later only
 * ends the burst. */
static int
gather(const flow_machine *m, const flow_run *r, waits *w, uint64_t *t, bool *room)
{
    uint64_t reads = flow_to_mark(&r->reads, m->pos), fills = flow_to_mark(&r->fills, m->pos);
    int missing = -1;

    w->n = 0;
    w->most = r->n - m->pos;
    *room = true;
    for (uint32_t k = 0; k < m->n_in && reads < w->most; k++) {
        const flow_channel *c = m->in[k];
        if (!(r->reads.ports >> k & 1) || c->source)
            continue;
        uint64_t n = (int)k == m->p->bulk_in ? r->take : 1;
        if (c->data.n < n) {
            missing = missing < 0 && reads == 0 ? (int)k : missing;
            w->most = reads == 0 || reads > w->most ? w->most : reads;
        } else if (n > 1) {
            uint64_t all = flow_time(&c->data, n - 1);
            *t = all > *t ? all : *t;
        } else {
            w->on[w->n++] = (wait){first(&c->data), reads, r->reads.every};
        }
    }
    for (uint32_t k = 0; k < m->n_out && fills < w->most; k++) {
        const flow_channel *c = m->out[k];
        if (!(r->fills.ports >> k & 1) || c->depth == 0 || (k == 0 && can_stall(m)))
            continue;
        if (c->space.n > 0)
            w->on[w->n++] = (wait){first(&c->space), fills, r->fills.every};
        else if (fills == 0)
            *room = false;
        else
            w->most = fills;
    }
    return missing;
}

/* m waits for input k alone: gives places back ahead, for as many steps as that holds for. Where
 * steps without a token lie between those that take one, for the next token alone: if some came
 * late and then fast, the places of those would come later than promised. */
static void
promise(flow_list *l, flow_machine *m, const flow_run *r, int k, const waits *w, uint64_t t)
{
    flow_channel *c = m->in[k];
    burst b = {t, r->reads.every > 1 ? 1 : w->most, 1};

    if (c->depth == 0 || k == m->p->bulk_in || m->pipe.n > 0 || m->n_stalls > 0)
        return;
    for (uint32_t i = 0; i < m->n_in; i++) /* it is the only one */
        if ((int)i != k && (r->reads.ports >> i & 1) && !m->in[i]->source && m->in[i]->data.n == 0)
            return;
    for (int i = 0; i < w->n; i++)
        if (w->on[i].to == 0)
            b.t = w->on[i].on->t > b.t ? w->on[i].on->t : b.t;
    for (int i = 0; i < w->n; i++)
        cut(&b, &w->on[i]);
    if (can_stall(m) && (r->writes.ports & 1)) {
        const flow_tokens *space = &m->out[0]->space;
        const flow_seg none = {UINT64_MAX, 0, 0};
        wait place = {space->n > 0 ? first(space) : &none, flow_to_mark(&r->writes, m->pos),
                      r->writes.every};
        burst due = {b.t + m->latency, b.n, 1};
        cut(&due, &place);
        b.n = due.n;
    }
    if (b.n <= c->promised)
        return;
    put(l, &c->space, b.t + c->promised + 1, b.n - c->promised, 1);
    c->promised = b.n;
    flow_wake(l, c->from);
}

/* The marks of k in the steps of b, as a burst. */
static burst
marks_of(const flow_machine *m, const flow_marks *k, const burst *b)
{
    uint64_t to = k->ports == 0 ? b->n : flow_to_mark(k, m->pos);

    return (burst){b->t + to * b->d, flow_n_marks(k, to, b->n), k->every * b->d};
}

/* Does the steps of b with run r; what goes through a pipeline is `later` there. */
static void
commit(flow_list *l, flow_machine *m, const flow_run *r, const burst *b, uint64_t later)
{
    const burst reads = marks_of(m, &r->reads, b), writes = marks_of(m, &r->writes, b);
    const burst fills = marks_of(m, &r->fills, b);

    for (uint32_t k = 0; k < m->n_in && reads.n > 0; k++) {
        if (!(r->reads.ports >> k & 1))
            continue;
        if ((int)k == m->p->bulk_in && r->take > 1)
            take(l, m->in[k], reads.t, r->take, 0);
        else
            take(l, m->in[k], reads.t, reads.n, reads.d);
    }
    for (uint32_t k = 0; k < m->n_out; k++) {
        flow_channel *c = m->out[k];
        bool stalls = k == 0 && can_stall(m);
        if ((r->fills.ports >> k & 1) && c->depth > 0 && !stalls)
            flow_drop(&c->space, fills.n);
        if (!(r->writes.ports >> k & 1) || writes.n == 0)
            continue;
        if (stalls) {
            put(l, &m->pipe, writes.t + m->latency + later, writes.n, writes.d);
            continue;
        }
        if ((int)k == m->p->bulk_out && r->give > 1)
            give(l, c, writes.t, r->give, 0);
        else
            give(l, c, writes.t + (k == 0 ? m->latency : 0), writes.n, writes.d);
    }
    if (m->filled && (r->fills.ports & 1))
        put(l, m->filled, fills.t, fills.n, fills.d);
    m->next = b->t + (b->n - 1) * b->d + 1;
    m->pos += b->n;
    l->events++;
    if (m->pos < r->n)
        return;
    m->pos = 0;
    if (++m->at < m->p->n_runs)
        return;
    m->at = 0;
    if (++m->rep < m->p->times)
        return;
    m->rep = 0;
    m->frames++;
}

/* One burst; false: m waits. */
static bool
go_on(flow_list *l, flow_machine *m)
{
    const flow_run *r = &m->p->runs[m->at];
    bool stalls = can_stall(m), room;
    uint64_t later = 0, t = m->next;
    waits w;

    int missing = gather(m, r, &w, &t, &room);
    if (missing >= 0) {
        if (room)
            promise(l, m, r, missing, &w, t);
        return false;
    }
    if (!room)
        return false;
    burst b = burst_of(&w, t);
    if (stalls) {
        b = around_stalls(m, &w, b, &later);
        b = while_moving(m, r, b, later);
        if (b.n == 0)
            return false;
    }
    commit(l, m, r, &b, later);
    if (stalls)
        flush(l, m);
    return true;
}

void
flow_go(flow_list *l)
{
    while (l->n > 0 && !l->full) {
        flow_machine *m = l->m[l->head];
        l->head = (l->head + 1) & (l->cap - 1);
        l->n--;
        m->listed = false;
        if (can_stall(m))
            flush(l, m);
        while (m->frames < m->goal && !l->full && go_on(l, m))
            continue;
    }
}

/* Tokens that are taken in or before cycle t. */
static uint64_t
taken_until(const flow_tokens *q, uint64_t t)
{
    uint64_t n = 0;

    for (size_t i = q->head; i < q->len && q->s[i].t <= t; i++) {
        const flow_seg *s = &q->s[i];
        n += s->t + (s->n - 1) * s->d <= t ? s->n : (t - s->t) / s->d + 1;
    }
    return n;
}

void
flow_held(flow_channel *c)
{
    uint64_t most = flow_most(&c->given, &c->taken, 0, 0, 0);
    uint64_t gone = taken_until(&c->taken, c->last);

    c->most = most > c->most ? most : c->most;
    flow_drop(&c->given, gone);
    flow_drop(&c->taken, gone);
}
