/* flow.h: a graph of hw.* layers as a clocked machine: names, streams, exact cycle counts. */
#ifndef NASHC_FLOW_H
#define NASHC_FLOW_H

#include <nashc/model.h>

NASHC_BEGIN

/* Most streams at one side of a layer. */
#define NASHC_FLOW_PORTS 32

/* The first graph of m that holds hw.* layers and nothing else; NULL, reported to d, if there is
 * none. Borrowed from m. */
NASHC_API nashc_graph *nashc_flow_graph(const nashc_module *m, nashc_diag *d);

/* Layer names as FINN gives them, "MVAU_hls_0": kind and index by topological order per kind.
 * Array by node id, NULL for nodes that are no layers; owned by a. */
NASHC_API const char *const *nashc_flow_names(const nashc_graph *g, nashc_arena *a);

/* Kind of layer n, "MVAU_hls" (nashc_hw.layer_kind, or derived from the op's name). */
NASHC_API const char *nashc_flow_kind(const nashc_node *n, nashc_arena *a);

/* The stream that carries v: as its producer writes it or, for a graph input, as its reader reads
 * it. EINPUT if v is neither written nor read by a layer. */
NASHC_API nashc_status nashc_flow_stream(const nashc_value *v, nashc_stream *out, nashc_diag *d);

/* How n reads its weights. False: it has none, or tells nothing of them. */
NASHC_API bool nashc_flow_weights(const nashc_node *n, nashc_weights *out);

/* May the weights of n be others than its constant? Then nothing may be taken from their values. */
NASHC_API bool nashc_flow_weights_free(const nashc_node *n);

/* Element e of all lines: its place in the operand. */
NASHC_API int64_t nashc_flow_weight_at(const nashc_weights *w, int64_t e);

/* t, which has the elements of the operand, in lines of hex digits as nashc_flow_print_beats writes
 * them: what W_FILE holds, and the beats of a stream of weights. Freed by nashc_mem_free; NULL when
 * memory is out. */
NASHC_API char *nashc_flow_print_weights(const nashc_weights *w, const nashc_buf *t, size_t *size);

/* The same in words of 32 bits, eight digits a line, as AXI-Lite writes them from address 0 on: a
 * line is nashc_flow_weight_words words, low bits first, the bits above it 0. */
NASHC_API char *nashc_flow_print_weight_words(const nashc_weights *w, const nashc_buf *t,
                                              size_t *size);
NASHC_API int64_t nashc_flow_weight_words(const nashc_weights *w); /* a power of two */

/* Every node is a layer, every value has exactly one reader, and both ends of each stream agree on
 * element width and, if asked, on lanes. */
NASHC_API nashc_status nashc_flow_check(const nashc_graph *g, bool lanes, nashc_diag *d);

/* One frame as hex text, a line a beat, element 0 in the low bits, bip -1 as 0: what $readmemh
 * takes. b has s->lanes * s->beats elements. Freed by nashc_mem_free; NULL when memory is out. */
NASHC_API char *nashc_flow_print_beats(const nashc_stream *s, const nashc_buf *b, size_t *size);

/* The reverse: reads s->beats lines from *text, moves *text behind them, stores the elements into
 * b. EINPUT: an undefined bit, a wrong line, or too few. */
NASHC_API nashc_status nashc_flow_parse_beats(const nashc_stream *s, const char **text,
                                              nashc_buf *b, nashc_diag *d);

typedef struct nashc_flow_options {
    uint32_t struct_size;
    int max_frames;       /* give up the search for a steady state after so many; 0: 64 */
    const uint32_t *fifo; /* by value id: depth of a FIFO assumed on that stream, 0: none; NULL */
    const nashc_backend *backend; /* whose layer models count; NULL: NASHC_MODEL_BACKEND */
} nashc_flow_options;

typedef struct nashc_flow_result {
    uint64_t latency; /* cycles from the first beat taken to the last beat of frame 0 given */
    uint64_t cycles;  /* `period` consecutive frames take so many cycles, for ever */
    uint32_t period;  /* usually 1 */
    uint32_t
        frames;  /* simulate as many to see it: the last of them takes `cycles`, if period is 1 */
    bool steady; /* false: max_frames reached; cycles is that of the last frame */
    uint32_t *occupancy; /* by value id: most beats that the FIFO which gives it held; 0: none */
    uint64_t work;       /* what the simulation took: runs of steps, some 10 million a second */
} nashc_flow_result;

/* Runs g exactly (docs/timing.md), inputs always valid, outputs always ready, from reset
 * until the state at the end of a frame repeats. EINPUT names the layer that blocks when the
 * streams dead-lock, EUNSUP one without a model. Results are owned by a. O(runs of equal steps). */
NASHC_API nashc_status nashc_flow_simulate(const nashc_graph *g, const nashc_flow_options *o,
                                           nashc_flow_result *out, nashc_arena *a, nashc_diag *d);

/* Cycles a frame in the steady state: cycles / period. */
NASHC_API double nashc_flow_interval(const nashc_flow_result *r);

typedef struct nashc_flow_sizing {
    uint32_t *depth;        /* by value id: of the FIFO to put on that stream; 0: none */
    uint32_t n_ids;         /* entries of depth */
    uint64_t slowest;       /* cycles a frame of the slowest layer: no network is faster */
    nashc_flow_result flow; /* with these FIFOs; occupancy is NULL */
    uint32_t rounds;        /* schedules until one held in simulation */
    uint32_t saved;         /* FIFOs that take a memory less than in the schedule */
    uint32_t untried;       /* FIFOs that might, but to try took too long */
} nashc_flow_sizing;

/* Depths of FIFOs, of small memory, with which g does a frame in `slowest` cycles and never
 * dead-locks: from a schedule (docs/fifos.md), confirmed by simulation. o: backend and max_frames
 * count. Warns with figures if the interval is missed (-Wfifo-interval) or something was left
 * untried (-Wfifo-effort). EINPUT: no FIFOs help g. Results are owned by a. Time as that of some
 * simulations. */
NASHC_API nashc_status nashc_flow_size(const nashc_graph *g, const nashc_flow_options *o,
                                       nashc_flow_sizing *out, nashc_arena *a, nashc_diag *d);

/* An execution of one frame without time, with the buffers and FIFOs that g has, in an order of
 * which this is the hash: it proves that g never dead-locks (core/host/flowproof.c has the rule of
 * the order and the argument). */
typedef struct nashc_flow_proof {
    uint32_t units;  /* that do steps: layers, two for a ring */
    uint64_t steps;  /* of the frame, of all units */
    uint64_t visits; /* parts of the order: a unit and how many steps it does */
    uint64_t order;  /* FNV-1a of the visits */
} nashc_flow_proof;

#define NASHC_FLOW_BASIS 0xcbf29ce484222325u
#define NASHC_FLOW_PRIME 0x100000001b3u

/* Of o the backend counts. EINPUT names a layer that cannot end its frame: g can dead-lock. */
NASHC_API nashc_status nashc_flow_prove(const nashc_graph *g, const nashc_flow_options *o,
                                        nashc_flow_proof *out, nashc_arena *a, nashc_diag *d);

/* Does the execution again, step by step and by other means. EINPUT: it is not *p, or it does not
 * end. O(steps), 10^8 a second or so. */
NASHC_API nashc_status nashc_flow_check_proof(const nashc_graph *g, const nashc_flow_options *o,
                                              const nashc_flow_proof *p, nashc_arena *a,
                                              nashc_diag *d);

NASHC_END
#endif
