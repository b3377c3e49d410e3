/* flowtokens.c: queues of tokens, stored as runs of equal distances. */
#include "core/base/mem.h"
#include "flownet.h"
#include <string.h>

/* Can (t, n, d) be one run with the last one? *d_all: of both. */
static bool
continues(const flow_seg *last, uint64_t t, uint64_t n, uint64_t d, uint64_t *d_all)
{
    uint64_t gap = t - (last->t + (last->n - 1) * last->d);

    *d_all = gap;
    return (last->n == 1 || last->d == gap) && (n == 1 || d == gap);
}

/* Room for one more segment. */
static bool
make_room(flow_tokens *q)
{
    if (q->head > q->cap / 2) { /* the front half is used up */
        memmove(q->s, q->s + q->head, (q->len - q->head) * sizeof *q->s);
        q->len -= q->head;
        q->head = 0;
        return true;
    }
    return nashc_mem_grow((void **)&q->s, &q->cap, q->len + 1, sizeof *q->s);
}

bool
flow_put(flow_tokens *q, uint64_t t, uint64_t n, uint64_t d)
{
    uint64_t all;

    if (n == 0)
        return true;
    if (q->head == q->len) {
        q->head = q->len = 0;
    } else if (continues(&q->s[q->len - 1], t, n, d, &all)) {
        q->n += n;
        q->s[q->len - 1].d = all;
        q->s[q->len - 1].n += n;
        return true;
    }
    if (q->len == q->cap && !make_room(q))
        return false;
    q->n += n;
    q->s[q->len++] = (flow_seg){t, n, n > 1 ? d : 0};
    return true;
}

void
flow_drop(flow_tokens *q, uint64_t n)
{
    q->n -= n;
    while (n > 0) {
        flow_seg *s = &q->s[q->head];
        if (s->n > n) {
            s->t += n * s->d;
            s->n -= n;
            return;
        }
        n -= s->n;
        q->head++;
    }
}

uint64_t
flow_time(const flow_tokens *q, uint64_t i)
{
    const flow_seg *s = &q->s[q->head];

    for (; i >= s->n; s++)
        i -= s->n;
    return s->t + i * s->d;
}

void
flow_clear(flow_tokens *q)
{
    q->head = q->len = 0;
    q->n = 0;
}

void
flow_free(flow_tokens *q)
{
    nashc_mem_free(q->s);
    *q = (flow_tokens){0};
}

/* A place in the gets, which may repeat. */
typedef struct cursor {
    const flow_tokens *q;
    size_t i;
    uint64_t k;     /* of segment i */
    int64_t shift;  /* added to its times */
    int64_t before; /* gets before segment i, all frames counted */
} cursor;

/* Gets whose time is at most t; t never falls from call to call. */
static int64_t
gets_until(cursor *c, int64_t t, uint64_t period)
{
    for (;;) {
        if (c->i == c->q->len) {
            if (period == 0)
                return c->before;
            c->i = c->q->head;
            c->shift += (int64_t)period;
        }
        const flow_seg *s = &c->q->s[c->i];
        int64_t first = (int64_t)s->t + c->shift, last = first + (int64_t)((s->n - 1) * s->d);
        if (t < first)
            return c->before;
        if (t < last)
            return c->before + (t - first) / (int64_t)s->d + 1;
        c->before += (int64_t)s->n;
        c->i++;
    }
}

/* Frames that a token stays at most, rounded up, from the last put to the last get. */
static int64_t
frames_back(const flow_tokens *puts, const flow_tokens *gets, int64_t late, uint64_t period)
{
    const flow_seg *p = &puts->s[puts->head], *g = &gets->s[gets->len - 1];
    int64_t stay = (int64_t)(g->t + (g->n - 1) * g->d) + late - (int64_t)p->t;

    return period == 0 ? 0 : (stay < 0 ? 0 : stay / (int64_t)period) + 1;
}

uint64_t
flow_most(const flow_tokens *puts, const flow_tokens *gets, int64_t late, uint64_t base,
          uint64_t period)
{
    if (puts->n == 0 || gets->n == 0)
        return base + puts->n;
    int64_t back = frames_back(puts, gets, late, period), most = 0;
    cursor c = {gets, gets->head, 0, late - back * (int64_t)period, -back * (int64_t)gets->n};
    int64_t index = (int64_t)base;

    /* Between breaks of either curve the count rises or falls all along: breaks are enough. */
    for (size_t i = puts->head; i < puts->len; i++) {
        const flow_seg *s = &puts->s[i];
        uint64_t k = 0;
        while (k < s->n) {
            int64_t t = (int64_t)(s->t + k * s->d), held = index + (int64_t)k + 1;
            held -= gets_until(&c, t, period);
            most = held > most ? held : most;
            if (k + 1 == s->n)
                break;
            /* next break: the put before, and the one at or after, the end of this run of gets */
            uint64_t next = s->n - 1;
            if (c.i < gets->len && s->d > 0) {
                const flow_seg *g = &gets->s[c.i];
                int64_t begin = (int64_t)g->t + c.shift, end = begin + (int64_t)((g->n - 1) * g->d);
                int64_t edge = t < begin ? begin : end;
                uint64_t to = edge > t ? (uint64_t)(edge - t) / s->d : 0; /* last put up to it */
                if (to > 0 && (uint64_t)(edge - t) % s->d == 0)
                    to--; /* in the cycle of the edge the get counts already */
                next = k + (to == 0 ? 1 : to);
                next = next > s->n - 1 ? s->n - 1 : next;
            }
            k = next;
        }
        index += (int64_t)s->n;
    }
    return (uint64_t)most;
}
