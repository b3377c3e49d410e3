/* compile.h: the whole way from a model in memory to hardware: layers, cycles, costs, a folder. */
#ifndef NASHC_COMPILE_H
#define NASHC_COMPILE_H

#include <nashc/flow.h>
#include <nashc/io.h>
#include <nashc/pass.h>

NASHC_BEGIN

typedef enum nashc_folding {
    NASHC_FOLDING_EXACT, /* the cheapest folding that reaches the target */
    NASHC_FOLDING_COMPAT /* FINN's SetFolding */
} nashc_folding;

/* What is wanted. Start with NASHC_COMPILE_DEFAULTS; members beyond struct_size have their
 * defaults. Strings are borrowed; NULL means "not given" for each. */
typedef struct nashc_compile_options {
    uint32_t struct_size;
    nashc_folding folding;
    const char *device;      /* name or part of a nashc_device */
    double clock_ns;         /* clock period, 0.01 .. 1e6 */
    double target_fps;       /* frames a second to reach; 0: at most 64 multipliers a layer, which
                              * a note says */
    int64_t mvau_wwidth_max; /* most weight bits a PE reads a cycle; 0: no limit */
    bool two_pass;           /* compat: fold again if the target is missed */

    /* FINN folding file: pe, simd and FIFO depths of its layers replace those found. A model that
     * consists of layers already is folded anew by it. No '"' and no newline in the name. */
    const char *folding_file;

    const char *first_passes; /* run before all others, such as set-input-datatype(...) */
    const char *passes;       /* in place of the pipeline `compile`; must end in layers, unless the
                               * backend writes a program */

    /* How passes are run: checks, dumps, progress, extra_passes. NULL: plainly, unchecked. */
    const nashc_pm_options *pm;

    /* --- of nashc_compile_write only, but checked by nashc_compile too --- */
    const char *backend;                /* one that writes a folder; NULL: verilog */
    const char *const *backend_options; /* "KEY=VALUE", NULL-terminated */
    const char *top;                    /* name of the top module; NULL: the backend's choice */

    /* For the manifest: SHA-256 of the model, and "KEY=VALUE" pairs (NULL-terminated) that are
     * noted among the options; for the report: what was verified. */
    const char *input_sha256;
    const char *const *notes;
    const char *verified;

    /* In place of target_fps: most frames a second that the device has room for, each of its
     * resources filled to `fill` per cent, 0..100 (0: as much as the device allows planners). */
    bool fit;
    double fill;

    /* FINN's attributes for all layers with weights, before the folding file says it a layer:
     * "internal_decoupled", "internal_embedded" or "external" (NULL: the first); can AXI-Lite
     * replace them? Of the pipeline `compile` only. docs/weights.md. */
    const char *mem_mode;
    bool runtime_writeable_weights;

    const char *mul;          /* what multiplies: "auto" (as the device has room), "lut", "dsp" */
    const char *adder_graphs; /* constant weights as additions: "auto" (where that is cheaper),
                               * "off", "on" */
    const char *zero_words;   /* all-zero weight words: "auto", "read", "skip" (docs/weights.md) */
} nashc_compile_options;

#define NASHC_TARGET_SHORT 5.0 /* docs/folding.md says why */

#define NASHC_COMPILE_DEFAULTS                                                                     \
    {                                                                                              \
        .struct_size = sizeof(nashc_compile_options), .clock_ns = 10, .two_pass = true             \
    }

/* What came out; set struct_size before the call. All is owned by the arena of the call, except
 * graph, which lives as long as the module is not changed. */
typedef struct nashc_compile_result {
    uint32_t struct_size;
    bool fits;                     /* the sum of the costs is within the device; true without one */
    const nashc_device *device;    /* NULL: none given */
    const nashc_graph *graph;      /* of layers, or what a program was made of */
    const char *const *names;      /* of the layers, by node id (nashc_flow_names) */
    const nashc_flow_result *flow; /* the exact simulation of graph; NULL: it is no hardware */
    double interval;               /* cycles a frame in the steady state */
    uint64_t latency;              /* cycles of the first frame */
    double fps;                    /* frames a second at clock_ns */
    const nashc_cost *cost;        /* of all layers */
    const nashc_cost *layer_cost;  /* by node id; zero where a layer tells none */
    const nashc_backend *backend;  /* whose models of layers were asked */
    const uint64_t *layer_cycles;  /* by node id: cycles a frame without stalls */
} nashc_compile_result;

/* Checks o (NULL: defaults) without a model: EUSAGE for an unknown device or backend, a number out
 * of range, an option that the backend has not, a fault in first_passes or passes. The names of
 * extra passes are looked for when a model is there. nashc_compile does all of this itself. */
NASHC_API nashc_status nashc_compile_check(nashc_ctx *c, const nashc_compile_options *o,
                                           nashc_diag *d);

/* Turns *m, an imported model or a graph of layers, into folded layers with converters and FIFOs,
 * simulates them and adds up their costs. Writes no file.
 *
 * It runs first_passes and then passes; or the named pipeline `compile` with the values of o; or,
 * if *m has layers already, `refold`, without first_passes. *m is replaced as by
 * nashc_run_pipeline: on failure it is what the failing pass was given.
 *
 * Where every layer is fast enough for target_fps but the simulation is not, because streams wait
 * for each other, the layers are folded again for fewer cycles, three times at most, and the
 * fastest design is kept; with fit, while layers and FIFOs together are beyond what may be filled,
 * with room left for FIFOs. Not with extra passes, passes of the caller, a folding file or compat.
 *
 * For a backend that writes a program (nashc_backend.needs is "streamlined") the passes are
 * fix-batch, first_passes and `streamline`, or o->passes in its place; only graph of *out is
 * filled.
 *
 * What a device cannot hold is a warning (out->fits), as is a target_fps missed by at most
 * NASHC_TARGET_SHORT per cent. One missed by more is EINPUT with *out filled: the message names the
 * slowest layer. Other failures, which leave *out alone: EUSAGE
 * (nashc_compile_check), EINPUT (a model or folding file at fault, no layers, streams that block),
 * EUNSUP (an operator that has no hardware), and those of the checks of o->pm.
 *
 * Cost: that of the passes, of which insert-fifo simulates most, and of nashc_flow_simulate. */
NASHC_API nashc_status nashc_compile(nashc_module **m, const nashc_compile_options *o,
                                     nashc_compile_result *out, nashc_arena *a, nashc_diag *d);

/* Writes what nashc_compile made of m with the same o into dir: the files of the backend,
 * model.nashir, model.onnx if there is such a backend, and manifest.json. The caller commits or
 * drops dir, so that all of it becomes visible at once or not at all.
 *
 * The backend gets o->backend_options and, where it has options of these names: top, clock-ns,
 * device, verified. manifest.json has what every design has (tool, backend, options, clock, device,
 * cycles, inputs and outputs of the model) and the keys that the backend left in a manifest.json of
 * its own; where both have one the former counts. EUSAGE: options of the backend; else what the
 * backend and the files say. */
NASHC_API nashc_status nashc_compile_write(const nashc_module *m, const nashc_compile_options *o,
                                           const nashc_compile_result *r, const nashc_outdir *dir,
                                           nashc_diag *d);

/* May the top of a design be called s? An ASCII identifier of at most 64 characters that begins
 * with a letter, not with "nashc_", and is no word of Verilog, SystemVerilog, C or C++. What reads
 * a name back from a manifest asks again. */
NASHC_API bool nashc_is_top_name(const char *s);

NASHC_END
#endif
