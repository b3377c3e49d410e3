/* flownet.h: layers as machines that exchange tokens: what simulation, schedule and certificate of
 * a graph of hw.* layers share.
 *
 * Times are cycles. Whoever looks at a whole network works on runs: many steps that do the same, or
 * many tokens at equal distances, are one record.
 */
#ifndef NASHC_HOST_FLOWNET_H
#define NASHC_HOST_FLOWNET_H

#include <nashc/flow.h>

/* n tokens at t, t + d, t + 2d, .. */
typedef struct flow_seg {
    uint64_t t, n, d;
} flow_seg;

/* Tokens in the order of their times, which never fall. s[head] .. s[len - 1] are there. */
typedef struct flow_tokens {
    flow_seg *s;
    size_t head, len, cap;
    uint64_t n; /* tokens in all */
} flow_tokens;

/* Appends; false: memory is out. O(1) amortised. */
bool flow_put(flow_tokens *q, uint64_t t, uint64_t n, uint64_t d);
/* Removes the first n, which are there. */
void flow_drop(flow_tokens *q, uint64_t n);
/* Time of token i < q->n. O(segments). */
uint64_t flow_time(const flow_tokens *q, uint64_t i);
void flow_clear(flow_tokens *q);
void flow_free(flow_tokens *q);

/* What happens at steps at, at + every, .. of a run, at all of these ports; ports 0: nothing. */
typedef struct flow_marks {
    uint32_t ports, at, every;
} flow_marks;

/* n steps: they take a token at the inputs of reads, fill a place at the outputs of fills and give
 * a token at those of writes; at the ports bulk_in and bulk_out of the pattern it is `take` and
 * `give` tokens, 1 where n > 1. A line fills the place of a result two steps after it
 * (nashc_timing.kind). */
typedef struct flow_run {
    uint64_t n;
    flow_marks reads, writes, fills;
    uint32_t take, give;
} flow_run;

/* Steps from step pos to the next mark, which may be none of the run's: beyond its end. */
static inline uint64_t
flow_to_mark(const flow_marks *k, uint64_t pos)
{
    if (pos <= k->at)
        return k->at - pos;
    uint64_t over = k->every == 1 ? 0 : (pos - k->at) % k->every;
    return over > 0 ? k->every - over : 0;
}

/* Marks among n steps, the first of them `to` steps on. */
static inline uint64_t
flow_n_marks(const flow_marks *k, uint64_t to, uint64_t n)
{
    return n <= to ? 0 : k->every == 1 ? n - to : (n - 1 - to) / k->every + 1;
}

/* The steps of a frame: the runs, `times` over. */
typedef struct flow_pattern {
    const flow_run *runs;
    size_t n_runs;
    uint64_t times, steps;
    int bulk_in, bulk_out; /* -1: none */
} flow_pattern;

/* One layer. A ring is two patterns, of its input and its output side, that exchange tokens: words
 * that came in, of which `tail` are there from the start (those behind the last one that a frame
 * needs), and places that are free, of which `room` are there from the start. Ports of the input
 * side: stream and place in, word out; of the output side: words in, stream and places out. */
typedef struct flow_layer {
    const nashc_node *n;
    flow_pattern p[2];
    bool ring, line;
    uint64_t tail, room;
    uint32_t free; /* places of each output that no step has filled at the start */
    uint32_t latency, depth, n_in, n_out;
    uint32_t *in, *out; /* value ids of the streams */
} flow_layer;

typedef struct flow_net {
    const nashc_graph *g;
    flow_layer *layers; /* in graph order, which is topological */
    uint32_t n_layers;
    uint32_t *writer, *reader; /* by value id: layer + 1; 0: an end of the graph */
    uint32_t *width, *beats;   /* by value id of streams */
    uint32_t n_ids;
    uint64_t slowest; /* most cycles a frame of any layer alone */
} flow_net;

/* Reads the layers of g from the models of b; owned by a. EUNSUP: one has no usable model. O(steps
 * of a frame). */
nashc_status flow_net_read(const nashc_graph *g, const nashc_backend *b, flow_net *out,
                           nashc_arena *a, nashc_diag *d);

/* The pattern in reverse: last step first, inputs and outputs exchanged. NULL runs: memory out. */
flow_pattern flow_reversed(const flow_pattern *p, nashc_arena *a);

/* The certificate of z with FIFOs of these depths (NULL: none). EINPUT: there is none; then full,
 * by value id, tells the streams that have no place left (NULL: not asked for). */
nashc_status flow_prove(const flow_net *z, const uint32_t *fifo, nashc_flow_proof *out, bool *full,
                        nashc_arena *a, nashc_diag *d);

typedef struct flow_machine flow_machine;

/* Where tokens pass from one machine to the next. */
typedef struct flow_channel {
    flow_machine *from, *to; /* NULL: an end */
    flow_tokens data, space; /* when a token can be taken; when a free place can be filled */
    uint64_t lag;            /* cycles from giving to taking */
    uint64_t promised;       /* of the places given back, those whose tokens are yet to be taken */
    uint64_t moved, last;    /* tokens given in all; when the last one was */
    uint32_t depth;          /* places; 0: no bound */
    bool source;             /* always has tokens */
    bool stalled;            /* it stopped the pipeline of its writer */
    bool logged;             /* keeps the times of giving and taking: */
    flow_tokens given, taken;
    uint64_t most; /* tokens it held at most, as far as flow_held was asked */
    uint32_t id;   /* of its value; 0: inside a layer or before an assumed FIFO */
} flow_channel;

#define FLOW_STAGES 64

/* The pipeline stood still in cycles from .. to - 1. */
typedef struct flow_stall {
    uint64_t from, to;
} flow_stall;

struct flow_machine {
    const flow_layer *layer; /* NULL: an assumed FIFO */
    const flow_pattern *p;
    flow_channel **in, **out;
    uint32_t n_in, n_out, latency;
    size_t at;                     /* run, */
    uint64_t pos, rep;             /* steps of it done, repetitions of the runs done */
    uint64_t next;                 /* the next step is in this cycle or later */
    uint64_t frames, goal;         /* done; to do before it rests */
    flow_tokens *filled;           /* when steps fill a place of output 0; NULL: nobody asks */
    flow_tokens pipe;              /* when results are due at the end of the pipeline */
    flow_stall stall[FLOW_STAGES]; /* that later steps may meet */
    uint32_t n_stalls;
    uint32_t part;
    bool listed;
};

/* Machines that may go on. */
typedef struct flow_list {
    flow_machine **m;
    uint32_t head, n, cap; /* cap is a power of two above the number of machines */
    uint64_t events;       /* runs of steps done */
    bool full;             /* memory is out: all stands still */
} flow_list;

void flow_wake(flow_list *l, flow_machine *m);
/* Lets machines go on until none can, or all rest. */
void flow_go(flow_list *l);
/* Updates c->most from the logs of c; all times in them are final and every token given was taken.
 * Those stay in the logs that the next frame's may meet: taken after the last one was given. */
void flow_held(flow_channel *c);

/* Most tokens between two curves of equal length: max over puts of 1 + their index - gets in or
 * before that cycle, which come `late` cycles after what the curve says. base: tokens there before.
 * The curves repeat every period cycles with a frame's tokens; period 0: they do not. */
uint64_t flow_most(const flow_tokens *puts, const flow_tokens *gets, int64_t late, uint64_t base,
                   uint64_t period);

/* One layer alone. a: channels at inputs of its sides, b: at outputs. */
typedef struct flow_bench {
    const flow_layer *l;
    flow_machine m[2];
    flow_channel in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS], words, places;
    flow_channel *a[2][NASHC_FLOW_PORTS + 1], *b[2][NASHC_FLOW_PORTS + 1];
    flow_tokens filled; /* of a line */
    flow_machine *slots[4];
    flow_list list;
    bool back;
} flow_bench;

/* l from the start, without bounds; patterns are those of l, or back, in reversed time: then all
 * that is an input here is an output. Ended by flow_bench_end. */
void flow_bench_start(flow_bench *b, const flow_layer *l, const flow_pattern *patterns, bool back);
/* One more frame of the tokens there; logs are of this frame then. *next: when each side may go on.
 * False: memory is out. */
bool flow_bench_frame(flow_bench *b, uint64_t next[2]);
void flow_bench_end(flow_bench *b);

/* Cycles a frame of l if its inputs always have tokens and its outputs always take them: its steps,
 * or more for a ring whose sides wait for each other. 0: memory is out, or it never ends. */
uint64_t flow_alone(const flow_layer *l);

#endif
