/* flowbench.c: one layer alone: as it is on its own, or with tokens that come when they are told
 * to.
 */
#include "core/base/mem.h"
#include "flownet.h"
#include <string.h>

#define MAX_FRAMES 32 /* until a layer that nothing holds repeats */

/* In reversed time what was an input is an output, so a and b change places. */
static void
set_side(flow_bench *b, int side, const flow_pattern *p, uint32_t n_a, uint32_t n_b)
{
    flow_machine *m = &b->m[side];

    m->p = p;
    m->in = b->back ? b->b[side] : b->a[side];
    m->out = b->back ? b->a[side] : b->b[side];
    m->n_in = b->back ? n_b : n_a;
    m->n_out = b->back ? n_a : n_b;
    for (uint32_t k = 0; k < m->n_in; k++)
        m->in[k]->to = m;
    for (uint32_t k = 0; k < m->n_out; k++)
        m->out[k]->from = m;
}

/* Ports are logged: what a frame takes and gives, and when, is what the bench is for. A ring's two
 * sides exchange words and places over two channels of their own, each a cycle late. */
void
flow_bench_start(flow_bench *b, const flow_layer *l, const flow_pattern *q, bool back)
{
    uint32_t n_a = l->n_in, n_b = l->n_out;

    memset(b, 0, sizeof *b);
    b->l = l;
    b->back = back;
    b->list = (flow_list){.m = b->slots, .cap = NASHC_COUNT(b->slots)};
    for (uint32_t k = 0; k < l->n_in; k++)
        b->a[0][k] = &b->in[k];
    for (uint32_t k = 0; k < l->n_out; k++)
        b->b[l->ring][k] = &b->out[k];
    for (uint32_t k = 0; k < NASHC_FLOW_PORTS; k++)
        b->in[k].logged = b->out[k].logged = true;
    b->words.lag = b->places.lag = 1;
    b->m[0].filled = l->line ? &b->filled : NULL;
    if (!l->ring) {
        set_side(b, 0, &q[0], n_a, n_b);
        return;
    }
    b->a[0][n_a++] = b->b[1][n_b++] = &b->places;
    b->b[0][0] = b->a[1][0] = &b->words;
    set_side(b, 0, &q[0], n_a, 1);
    set_side(b, 1, &q[1], 1, n_b);
    b->list.full =
        !flow_put(&b->words.data, 0, l->tail, 0) || !flow_put(&b->places.data, 0, l->room, 0);
}

void
flow_bench_end(flow_bench *b)
{
    for (uint32_t k = 0; k < NASHC_FLOW_PORTS; k++) {
        flow_free(&b->in[k].data);
        flow_free(&b->in[k].given);
        flow_free(&b->in[k].taken);
        flow_free(&b->out[k].data);
        flow_free(&b->out[k].given);
        flow_free(&b->out[k].taken);
    }
    flow_free(&b->filled);
    flow_free(&b->words.data);
    flow_free(&b->places.data);
}

static void
clear_logs(flow_bench *b)
{
    for (uint32_t k = 0; k < NASHC_FLOW_PORTS; k++) {
        flow_clear(&b->in[k].given);
        flow_clear(&b->in[k].taken);
        flow_clear(&b->out[k].given);
        flow_clear(&b->out[k].taken);
    }
    flow_clear(&b->filled);
}

/* Logs are of one frame, so their length does not grow with the number of frames. */
bool
flow_bench_frame(flow_bench *b, uint64_t next[2])
{
    clear_logs(b);
    for (int side = 0; side <= b->l->ring; side++) {
        b->m[side].goal++;
        flow_wake(&b->list, &b->m[side]);
    }
    flow_go(&b->list);
    next[0] = b->m[0].next;
    next[1] = b->m[b->l->ring].next;
    return !b->list.full;
}

/* Until two frames in a row take the same on both sides: then it repeats. 32 frames without that,
 * or a side that cannot end its frame, and the answer is 0. */
uint64_t
flow_alone(const flow_layer *l)
{
    flow_bench *b = nashc_mem_alloc(sizeof *b);
    uint64_t next[2], last[2] = {0}, cycles = 0;
    bool ok = b != NULL, same = false;

    if (ok)
        flow_bench_start(b, l, l->p, false);
    for (uint32_t k = 0; ok && k < l->n_in; k++)
        b->in[k].source = true;
    for (int f = 0; ok && f < MAX_FRAMES && !same; f++) {
        ok = flow_bench_frame(b, next) && b->m[0].frames == b->m[0].goal &&
             b->m[l->ring].frames == b->m[l->ring].goal;
        uint64_t in = next[0] - last[0], out = next[1] - last[1];
        same = f > 0 && in == out && out == cycles;
        cycles = in > out ? in : out;
        memcpy(last, next, sizeof last);
    }
    if (b)
        flow_bench_end(b);
    nashc_mem_free(b);
    return ok ? cycles : 0;
}
