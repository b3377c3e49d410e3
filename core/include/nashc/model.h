/* model.h: what a backend says about its layers: cycles, steps, pipelines, cost.
 *
 * A hw.* operator says what a layer computes and what its streams carry (nashc_hw). How many
 * cycles that takes, and what it costs, depends on who builds it: each backend names an interface
 * of impls (nashc_backend.model), and each impl of that interface holds the model of one operator.
 * Folding, FIFO sizes, estimates and reports ask the models of the backend in use.
 */
#ifndef NASHC_MODEL_H
#define NASHC_MODEL_H

#include <nashc/io.h>

NASHC_BEGIN

typedef struct nashc_cost {
    uint64_t lut, ff, bram18, uram, dsp;
    double bram_efficiency, uram_efficiency; /* stored bits / capacity; 1 if none is used */
} nashc_cost;

#define NASHC_STEP_ARGS 12

/* Cycle-exact behaviour of a layer: steps 0 .. steps-1 a frame, at most one a cycle; a step waits
 * for the inputs it reads; what it writes enters a pipeline of latency stages, which moves on in
 * every cycle in which its end is empty or can be handed to the output's skid buffer
 * (docs/timing.md). */
typedef struct nashc_timing {
    uint64_t steps;   /* a frame, >= 1 */
    uint32_t latency; /* pipeline stages between step and output skid, <= 63; 0: none */
    uint32_t depth;   /* words that the output buffer holds: 2 for a skid, more for a FIFO */
    uint32_t kind;    /* 0: as described; 1: FIFO of depth words with registered flags;
                         2: a ring (below): no step, steps is 1;
                         3: a line, without a pipeline and with one output: what a step makes stays
                            in it, so it waits until all results have left but that of the step
                            before it, which may be behind it still */
    uint64_t arg[NASHC_STEP_ARGS]; /* what step needs to know of the layer, worked out once */
    void *table;                   /* more of that; NULL: nothing; nashc_timing_end ends it */
} nashc_timing;

#define NASHC_RING_LOOPS 8

/* A layer of kind 2 reads words beats a frame into a ring of depth beats and, on its own, gives
 * beats from there in the order of a nest of loops (docs/timing.md). Changes are those of the
 * address of a beat in its frame, and of the oldest address that is still needed, when loop k goes
 * on and those inside it start anew; entry [loops]: when the next frame starts. */
typedef struct nashc_ring {
    int64_t words, depth;
    int64_t least;                         /* depth below which it blocks */
    int64_t first;                         /* both addresses at the start of a frame */
    int64_t count[NASHC_RING_LOOPS];       /* iterations, outermost loop first */
    int64_t move[NASHC_RING_LOOPS + 1];    /* of the address */
    int64_t release[NASHC_RING_LOOPS + 1]; /* of the oldest one, >= 0 */
    int loops;
} nashc_ring;

/* Elements first + i0 * stride[0] + i1 * stride[1] + .. of a frame of count, for i0 < dim[0], for
 * i1 < dim[1], .. in beats of lanes neighbours, which divide first, count, all strides but the last
 * one, 1, and the last dim. depth: of the ring; 0: as much as keeps both sides moving. */
typedef struct nashc_loops {
    int n;
    const int64_t *dim, *stride; /* n each, n <= 2 * NASHC_MAX_RANK; outermost first */
    int64_t first, count, lanes, depth;
} nashc_loops;

/* The ring that gives those beats; loops of one iteration are left out, loops that go on where the
 * next one ends are one with it. EUNSUP: more than NASHC_RING_LOOPS are left. O(n^3). */
NASHC_API nashc_status nashc_ring_of(const nashc_loops *l, nashc_ring *out);

#define NASHC_LINE_LOOPS 4
#define NASHC_LINE_TAPS  256

/* The same loops without a ring: beats pass through a line, and when the newest one is beat
 * newest + i0 * stride[0] + i1 * stride[1] + .. of its frame, i0 < count[0], .., all that the other
 * loops ask for, taps beats, is given at once. */
typedef struct nashc_line {
    int64_t words;  /* beats a frame */
    int64_t newest; /* of the first ones that are given */
    int64_t count[NASHC_LINE_LOOPS], stride[NASHC_LINE_LOOPS]; /* outermost loop first */
    int64_t move[NASHC_LINE_LOOPS + 1]; /* beats from one time to the next one when loop k goes on;
                                           [loops]: when the next frame starts */
    int64_t tap_count[NASHC_LINE_LOOPS], tap_stride[NASHC_LINE_LOOPS]; /* of the other loops */
    int64_t held[NASHC_LINE_LOOPS]; /* beats in the line between what one iteration of such a loop
                                       gives last and the next one first, */
    int64_t rows[NASHC_LINE_LOOPS]; /* and in how many places of the line that is so */
    int64_t taps;
    int loops, inner; /* how many there are of either */
} nashc_line;

/* The line that gives those beats; l->depth does not matter. EUNSUP: they need a ring, as a beat is
 * given twice or after a later one, in loops that are not given at once. parallel: loops inside
 * the outer ones, whose addresses rise, are given at once; else nothing is. EUNSUP also: more than
 * NASHC_LINE_LOOPS of either, or NASHC_LINE_TAPS beats. O(n^3). */
NASHC_API nashc_status nashc_line_of(const nashc_loops *l, bool parallel, nashc_line *out);

/* Is something given when beat `place` of a frame is the newest one? */
NASHC_API bool nashc_line_gives(const nashc_line *z, int64_t place);

/* Windows of a nest of loops over positions of l->lanes elements, several of which come in a beat.
 * What is seen of the line is rows * span beats, span of them neighbours in each row; position
 * first + w * step + c * apart of those, columns of them in each row, belong to window w. */
typedef struct nashc_windows {
    nashc_line line; /* of beats; its taps are rows * span */
    int64_t windows; /* given at once, next to each other */
    int64_t rows, span, columns;
    int64_t first, step, apart; /* in positions */
} nashc_windows;

/* The windows that the loops of l, which are as for nashc_line_of with parallel set, give from
 * beats of `positions` > 1 of l->lanes elements: as few at once as keep their place in a beat.
 * EUNSUP: they need a ring, or rows, or those windows, are no multiples of the positions, or limits
 * of nashc_line. O(n^3). */
NASHC_API nashc_status nashc_windows_of(const nashc_loops *l, int64_t positions,
                                        nashc_windows *out);

/* How one backend builds one operator. n is verified; functions are called as often as there are
 * foldings to compare, and keep nothing. */
#define NASHC_MODEL_POSITIONS 1u /* beats of several positions (nashc_hw.positions) are built */
typedef struct nashc_layer_model {
    uint32_t struct_size, flags;

    /* Cycles a frame without stalls, >= 1: what foldings are compared by. */
    uint64_t (*cycles)(const nashc_node *n);

    /* What a simulation needs; EUNSUP: there is no cycle-exact model of this layer. A table is
     * ended by end. */
    nashc_status (*timing)(const nashc_node *n, nashc_timing *out);

    /* What step i (below t->steps) does, t from timing: bit k of *reads and *writes for input and
     * output k. Called in every step of a simulation. NULL where all layers are of kind 2. */
    void (*step)(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes);

    /* Layers whose timing is of kind 2; else NULL. */
    nashc_status (*ring)(const nashc_node *n, nashc_ring *out);

    /* Estimate for dev, whose family may count otherwise (NULL: FPGAs with 6-input LUTs and DSPs).
     * NULL: not known, counted as nothing. */
    nashc_status (*cost)(const nashc_node *n, const nashc_device *dev, nashc_cost *out);

    /* Frees the table of t. NULL: timing makes none. */
    void (*end)(nashc_timing *t);

    /* As cost, which is found to be no less in each count, without what takes long to work out:
     * what is dear even so need not be asked for its cost. EUNSUP where cost gives that. NULL:
     * cost takes no effort. */
    nashc_status (*least)(const nashc_node *n, const nashc_device *dev, nashc_cost *out);
} nashc_layer_model;

/* Initialises a nashc_impl: the model of op_name for backends whose .model is iface_name. */
#define NASHC_IMPL_MODEL(iface_name, op_name, layer_model)                                         \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = iface_name, .op = op_name,                                \
                                .rule = (1 ? &(layer_model) : (const nashc_layer_model *)0)        \
    }

#define NASHC_MODEL_BACKEND "verilog" /* whose models count where no backend is named */

/* The backend of that name ("" or NULL: NASHC_MODEL_BACKEND), which must have layer models. NULL:
 * reported to d. */
NASHC_API const nashc_backend *nashc_model_backend(nashc_ctx *c, const char *name, nashc_diag *d);

/* Model of layer n for backend b (NULL: NASHC_MODEL_BACKEND). NULL, reported to d: the backend has
 * none for this operator, or one without cycles and timing. A look-up by name: ask once a layer. */
NASHC_API const nashc_layer_model *nashc_layer_model_of(const nashc_node *n, const nashc_backend *b,
                                                        nashc_diag *d);

/* Frees what m->timing allocated for t; afterwards t has no table. */
NASHC_API void nashc_timing_end(const nashc_layer_model *m, nashc_timing *t);

/* Cycles of layer n; 0 if it has no model. */
NASHC_API uint64_t nashc_layer_cycles(const nashc_node *n, const nashc_backend *b);

/* Cost of layer n on dev (NULL: none given) into *out, or nothing at full efficiency, and false, if
 * that is not known. */
NASHC_API bool nashc_layer_cost(const nashc_node *n, const nashc_backend *b,
                                const nashc_device *dev, nashc_cost *out);

/* Counts that those of nashc_layer_cost are not below, without its effort where that is large;
 * equal to them where it is not. */
NASHC_API bool nashc_layer_least_cost(const nashc_node *n, const nashc_backend *b,
                                      const nashc_device *dev, nashc_cost *out);

/* Adds what c counts to *sum; efficiencies of *sum stay. */
NASHC_API void nashc_cost_add(nashc_cost *sum, const nashc_cost *c);

/* What of one resource of a device is needed. */
typedef struct nashc_demand {
    const char *name; /* "LUT", "FF", "BRAM_18K", "URAM", "DSP"; static */
    uint64_t need, have;
    double percent; /* 0 where nothing is needed, infinite where there is nothing */
} nashc_demand;

#define NASHC_DEMANDS 5

/* The resources in the order above. */
NASHC_API void nashc_device_demand(const nashc_device *dev, const nashc_cost *c,
                                   nashc_demand out[NASHC_DEMANDS]);

/* The part of each resource of dev, 0..1, that may be filled: percent of it, 0: what the device
 * allows planners, 0.7 where it does not say. */
NASHC_API double nashc_device_room(const nashc_device *dev, double percent);

NASHC_END
#endif
