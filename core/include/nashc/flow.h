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
    /* Pipelines hold one result, as if all other stages held bubbles. Cycles are not right then,
     * but what does not dead-lock so never does, however its inputs and outputs stall. */
    bool shallow;
    const nashc_backend *backend; /* whose layer models count; NULL: NASHC_MODEL_BACKEND */
} nashc_flow_options;

typedef struct nashc_flow_result {
    uint64_t latency;    /* cycles from the first beat taken to the last beat of frame 0 given */
    uint64_t cycles;     /* `period` consecutive frames take so many cycles, for ever */
    uint32_t period;     /* usually 1 */
    uint32_t frames;     /* frames until that was proven: simulate as many to see it */
    bool steady;         /* false: max_frames reached; cycles is that of the last frame */
    uint32_t *occupancy; /* by value id: most beats held by the buffer or FIFO behind it */
    uint64_t work; /* what the simulation took: layers looked at, some 20 to 50 million a second */
} nashc_flow_result;

/* Runs g cycle by cycle (docs/timing.md), inputs always valid, outputs always ready, from reset
 * until the state at the end of a frame repeats. EINPUT names the layer that blocks when the
 * streams dead-lock, EUNSUP one without a model. Results are owned by a. O(layers * cycles). */
NASHC_API nashc_status nashc_flow_simulate(const nashc_graph *g, const nashc_flow_options *o,
                                           nashc_flow_result *out, nashc_arena *a, nashc_diag *d);

/* Cycles a frame in the steady state: cycles / period. */
NASHC_API double nashc_flow_interval(const nashc_flow_result *r);

NASHC_END
#endif
