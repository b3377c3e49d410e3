/* flowcycles.c: simulation by bursts (core/host/flowsim.c) against one that goes from cycle to
 * cycle, as docs/timing.md tells it, on the same machines.
 */
#include "core/base/rng.h"
#include "core/host/flowsim.h"
#include "unit.h"

#define ROUNDS     60
#define FRAMES     5
#define LONG_AFTER 1000000 /* cycles that no network here takes */

/* A channel at the beginning of a cycle, and what this cycle adds. */
typedef struct wire {
    uint64_t data, space, given, freed;
    uint64_t total, frame;               /* tokens given in all; a frame */
    uint64_t last[FRAMES], here[FRAMES]; /* cycle of the last token of each frame; by bursts */
} wire;

typedef struct walker {
    const flow_machine *m;
    size_t at;
    uint64_t pos, rep, frames, pipe; /* bit k: stage k + 1 holds a result */
} walker;

typedef struct walk {
    const flow_sim *s;
    wire *wire;
    walker *walker;
} walk;

static wire *
wire_of(const walk *z, const flow_channel *c)
{
    return &z->wire[c - z->s->channels];
}

static bool
marked(const flow_marks *k, uint64_t pos, uint32_t port)
{
    return (k->ports >> port & 1) && pos >= k->at && (pos - k->at) % k->every == 0;
}

static bool
rigid(const flow_machine *m)
{
    return m->latency > 0 && m->out[0]->depth > 0;
}

static uint64_t
tokens(const flow_machine *m, const flow_run *r, uint32_t port)
{
    return (int)port == m->p->bulk_in ? r->take : 1;
}

/* Does the next step of w find all that it waits for? */
static bool
can_fire(const walk *z, const walker *w, const flow_run *r)
{
    for (uint32_t k = 0; k < w->m->n_in; k++)
        if (marked(&r->reads, w->pos, k) && !w->m->in[k]->source &&
            wire_of(z, w->m->in[k])->data < tokens(w->m, r, k))
            return false;
    for (uint32_t k = 0; k < w->m->n_out; k++)
        if (marked(&r->fills, w->pos, k) && w->m->out[k]->depth > 0 && !(k == 0 && rigid(w->m)) &&
            wire_of(z, w->m->out[k])->space == 0)
            return false;
    return true;
}

/* n tokens are given in cycle t. */
static void
hand_on(wire *w, uint64_t n, uint64_t t)
{
    w->given += n;
    w->total += n;
    uint64_t f = w->total / w->frame;
    if (w->total % w->frame == 0 && f <= FRAMES)
        w->last[f - 1] = t;
}

static void
fire(const walk *z, walker *w, const flow_run *r, uint64_t t)
{
    for (uint32_t k = 0; k < w->m->n_in; k++) {
        if (!marked(&r->reads, w->pos, k) || w->m->in[k]->source)
            continue;
        wire_of(z, w->m->in[k])->data -= tokens(w->m, r, k);
        wire_of(z, w->m->in[k])->freed += tokens(w->m, r, k);
    }
    for (uint32_t k = 0; k < w->m->n_out; k++) {
        wire *out = wire_of(z, w->m->out[k]);
        if (k == 0 && rigid(w->m)) {
            w->pipe |= marked(&r->writes, w->pos, 0);
            continue;
        }
        if (marked(&r->fills, w->pos, k) && w->m->out[k]->depth > 0)
            out->space--;
        if (marked(&r->writes, w->pos, k))
            hand_on(out, (int)k == w->m->p->bulk_out ? r->give : 1,
                    t + (k == 0 ? w->m->latency : 0));
    }
    if (++w->pos == r->n) {
        w->pos = 0;
        if (++w->at == w->m->p->n_runs) {
            w->at = 0;
            if (++w->rep == w->m->p->times) {
                w->rep = 0;
                w->frames++;
            }
        }
    }
}

/* One cycle of w, from the state at its beginning. */
static void
cycle(const walk *z, walker *w, uint64_t t)
{
    bool moves = true;

    if (rigid(w->m)) {
        wire *out = wire_of(z, w->m->out[0]);
        bool last = w->pipe >> (w->m->latency - 1) & 1;
        moves = !last || out->space > 0;
        if (moves && last) {
            out->space--;
            hand_on(out, 1, t);
        }
        if (moves)
            w->pipe = (w->pipe << 1) & ~(~(uint64_t)0 << w->m->latency);
    }
    const flow_run *r = &w->m->p->runs[w->at];
    if (moves && w->frames < FRAMES && can_fire(z, w, r))
        fire(z, w, r, t);
}

/* All machines, cycle by cycle, until each did its frames and its pipeline is empty. Places and
 * tokens of a cycle are seen in the next one. */
static void
go(walk *z)
{
    const flow_sim *s = z->s;
    uint32_t left = s->n_machines;

    for (uint64_t t = 0; left > 0; t++) {
        assert_true(t < LONG_AFTER);
        left = 0;
        for (uint32_t k = 0; k < s->n_machines; k++) {
            cycle(z, &z->walker[k], t);
            left += z->walker[k].frames < FRAMES || z->walker[k].pipe > 0;
        }
        for (uint32_t k = 0; k < s->n_channels; k++) {
            wire *w = &z->wire[k];
            w->data += w->given;
            w->space += w->freed;
            w->given = w->freed = 0;
        }
    }
}

/* Runs s by bursts; false: too little room, so there is nothing to compare. */
static bool
by_bursts(flow_sim *s, walk *z)
{
    for (int f = 0; f < FRAMES; f++) {
        if (flow_sim_frame(s, NULL) != NASHC_OK)
            return false;
        for (uint32_t k = 0; k < s->n_channels; k++) {
            z->wire[k].here[f] = s->channels[k].last;
            z->wire[k].frame = s->channels[k].moved / (uint64_t)(f + 1);
        }
    }
    return true;
}

static void
compare_channel(const flow_sim *s, const wire *w, const flow_channel *c)
{
    for (int f = 0; f < FRAMES && c->from; f++)
        if (w->here[f] != w->last[f])
            fail_msg("channel %d of %u, behind %s, frame %d: its last token in cycle %" PRIu64
                     " by bursts, %" PRIu64 " by cycles",
                     (int)(c - s->channels), s->n_channels,
                     c->from->layer ? nashc_node_opname(c->from->layer->n) : "a FIFO", f,
                     w->here[f], w->last[f]);
}

/* Both simulations of m with random FIFOs: channels have the last token of each frame in the same
 * cycle. True if there was something to compare. */
static bool
compare(nashc_ctx *c, const nashc_module *m, nashc_rng *rng)
{
    nashc_arena *a = nashc_arena_create();
    nashc_diag *d = nashc_ctx_diag(c);
    flow_net net;
    flow_sim s;

    if (flow_net_read(nashc_module_graph(m, "dataflow"), NULL, &net, a, d) != NASHC_OK)
        unit_print_messages(c);
    uint32_t *fifo = NASHC_NEW_N(a, uint32_t, net.n_ids);
    for (uint32_t id = 0; id < net.n_ids; id++)
        if (net.writer[id] > 0 && net.reader[id] > 0 && nashc_rng_range(rng, 0, 2) == 0)
            fifo[id] = (uint32_t)nashc_rng_range(rng, 2, 40);
    assert_int_equal(flow_sim_build(&s, &net, fifo, a, d), NASHC_OK);
    walk z = {&s, NASHC_NEW_N(a, wire, s.n_channels), NASHC_NEW_N(a, walker, s.n_machines)};
    for (uint32_t k = 0; k < s.n_channels; k++)
        z.wire[k] = (wire){.data = s.channels[k].data.n, .space = s.channels[k].space.n};
    for (uint32_t k = 0; k < s.n_machines; k++)
        z.walker[k].m = &s.machines[k];
    bool good = by_bursts(&s, &z);
    if (good)
        go(&z);
    for (uint32_t k = 0; k < s.n_channels && good; k++)
        compare_channel(&s, &z.wire[k], &s.channels[k]);
    flow_sim_free(&s);
    nashc_arena_free(a);
    return good;
}

/* --- networks -----------------------------------------------------------------------------------
 */

typedef struct drawn {
    char text[4096];
    size_t len;
    nashc_rng *rng;
    int n; /* values %v0 .. %v<n - 1>; the last is the end of the chain */
} drawn;

static void __attribute__((format(printf, 2, 3))) say(drawn *z, const char *form, ...)
{
    va_list list;

    va_start(list, form);
    z->len += (size_t)vsnprintf(z->text + z->len, sizeof z->text - z->len, form, list);
    va_end(list);
}

static int
power(drawn *z, int most)
{
    int n = 1;

    while (2 * n <= most && nashc_rng_range(z->rng, 0, 1) == 1)
        n *= 2;
    return n;
}

/* The end of the chain, of `lanes` elements a beat, with other ones; rows of 8 elements. */
static int
convert(drawn *z, int rows, int lanes)
{
    int to = power(z, 8);

    if (to != lanes)
        say(z, "  %%v%d: u2[%d,8] = hw.dwc(%%v%d) lanes_in=%d lanes_out=%d\n", z->n, rows, z->n - 1,
            lanes, to);
    z->n += to != lanes;
    return to;
}

/* A unit of random folding behind the end of the chain. */
static void
add_unit(drawn *z, int rows, int *lanes)
{
    int simd = *lanes, pe = power(z, 8);

    say(z, "  %%v%d: u2[%d,8] = hw.mvau(%%v%d, %%w, %%t) pe=%d simd=%d\n", z->n, rows, z->n - 1, pe,
        simd);
    z->n++;
    *lanes = pe;
}

/* An image of 6x6 pixels with borders and windows of 3x3, then a unit over them. */
static void
add_convolution(drawn *z, int *lanes)
{
    int simd = *lanes, pe = power(z, 8), n = z->n;

    say(z, "  %%v%d: u2[64,8] = hw.fmpadding(%%v%d, %%z) dim=[6,6] pads=[1,1,1,1] simd=%d\n", n,
        n - 1, simd);
    say(z,
        "  %%v%d: u2[324,8] = hw.window(%%v%d) dims=[6,6,1,3,3,8] strides=[64,8,8,64,8,1] "
        "simd=%d\n",
        n + 1, n, simd);
    say(z, "  %%v%d: u2[36,8] = hw.mvau(%%v%d, %%k, %%t) pe=%d simd=%d\n", n + 2, n + 1, pe, simd);
    z->n += 3;
    *lanes = pe;
}

/* A chain; half of them with a fork whose branches are joined at the end. */
static nashc_module *
draw(nashc_ctx *c, nashc_rng *rng)
{
    drawn z = {.rng = rng, .n = 1};
    int layers = (int)nashc_rng_range(rng, 1, 4), lanes = 1;
    bool fork = nashc_rng_range(rng, 0, 1) == 1;

    say(&z, "graph @dataflow(%%v0: u2[36,8]) -> (%%y) {\n"
            "  %%z: u1<0..0>[1,1] = [0]\n  %%t: i8[1,3] = [-5, 0, 5]\n"
            "  %%w: bip[8,8] = rand 1\n  %%k: bip[72,8] = rand 2\n");
    if (fork)
        say(&z, "  %%s: u2[36,8], %%v%d: u2[36,8] = hw.duplicate_streams(%%v0)\n", z.n++);
    for (int i = 0; i < layers; i++) {
        lanes = convert(&z, 36, lanes);
        if (nashc_rng_range(rng, 0, 1) == 1)
            add_convolution(&z, &lanes);
        else
            add_unit(&z, 36, &lanes);
    }
    if (fork && lanes > 1)
        say(&z, "  %%v%d: u2[36,8] = hw.dwc(%%v%d) lanes_in=%d lanes_out=1\n", z.n, z.n - 1, lanes);
    z.n += fork && lanes > 1;
    if (fork)
        say(&z, "  %%y: u2[36,8] = hw.add_streams(%%s, %%v%d) func=max\n}\n", z.n - 1);
    else
        say(&z, "  %%y: u2[36,8] = hw.dwc(%%v%d) lanes_in=%d lanes_out=%d\n}\n", z.n - 1, lanes,
            lanes == 8 ? 4 : 8);
    return unit_parse(c, z.text);
}

static void
random_networks(void **state)
{
    nashc_rng rng;

    int compared = 0;

    nashc_rng_seed(&rng, 11);
    for (int round = 0; round < ROUNDS; round++) {
        nashc_module *m = draw(*state, &rng);
        compared += compare(*state, m, &rng);
        nashc_module_free(m);
    }
    assert_in_range(compared, ROUNDS / 2, ROUNDS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(random_networks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
