/* insert_fifo.c: FIFOs between layers, as small as the steady-state interval allows.
 *
 * Depths come from the exact simulation (nashc_flow_simulate), which also tells that nothing
 * blocks, whatever stalls. It is asked about ever deeper FIFOs, first of all in front of layers
 * that join streams, until the network runs at the interval of its slowest layer. Then no FIFO
 * keeps more than it was ever filled with, and each in turn, the costliest first, is bisected down
 * to the smallest depth (0: none) that keeps interval, and, with keep-latency, the latency of the
 * first frame; on large networks until `effort` is used up. docs/hardware.md, FIFO depths.
 */
#include "hw.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH  (1u << 24)  /* of a FIFO, in beats */
#define MIN_FRAMES 6           /* simulated until the state repeats, */
#define MAX_FRAMES 64          /* or more where that is little work */
#define SLACK      (1.0 / 512) /* of an interval that does not matter */

typedef struct edge {
    nashc_value *v;
    uint32_t id, beats, width;
    bool joins; /* its reader has other inputs */
} edge;

typedef struct sizing {
    nashc_run *r;
    const nashc_backend *backend; /* whose layers these are */
    nashc_graph *f;
    edge *edges;
    int n;
    uint32_t *depth; /* by value id */
    uint32_t *most;  /* by value id: what the last good simulation saw */
    uint64_t work, effort;
    int frames; /* most that are simulated at a time */
    double interval;
    uint64_t latency;
    bool keep_latency;
} sizing;

static int
edge_cmp(const void *a, const void *b)
{
    const edge *x = a, *y = b;
    uint64_t p = (uint64_t)x->beats * x->width, q = (uint64_t)y->beats * y->width;

    if (p != q)
        return p > q ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Runs the network; shallow: to see whether it blocks under some stalls. What FIFOs hold at most
 * goes to z->most, or on top of what is there. */
static nashc_status
simulate(sizing *z, bool shallow, nashc_flow_result *out, nashc_diag *d)
{
    nashc_flow_options o = {.struct_size = sizeof o,
                            .max_frames = z->frames,
                            .fifo = z->depth,
                            .shallow = shallow,
                            .backend = z->backend};
    nashc_arena *a = nashc_arena_create();

    if (!a)
        return nashc_enomem(d);
    nashc_status s = nashc_flow_simulate(z->f, &o, out, a, d);
    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        uint32_t *most = &z->most[z->edges[i].id], seen = out->occupancy[z->edges[i].id];
        *most = shallow && *most > seen ? *most : seen;
    }
    z->work += out->work;
    out->occupancy = NULL;
    nashc_arena_free(a);
    return s;
}

static bool
holds(sizing *z)
{
    nashc_flow_result r = {0};

    return simulate(z, true, &r, NULL) == NASHC_OK;
}

static bool
good(sizing *z)
{
    nashc_flow_result r = {0};

    return simulate(z, false, &r, NULL) == NASHC_OK && nashc_flow_interval(&r) <= z->interval &&
           (!z->keep_latency || r.latency <= z->latency) && holds(z);
}

static int
streams_in(const nashc_node *n)
{
    int k = 0;

    for (int i = 0; i < nashc_node_n_in(n); i++)
        k += nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i));
    return k;
}

static nashc_status
collect(sizing *z, nashc_diag *d)
{
    nashc_arena *a = nashc_run_arena(z->r);

    z->edges = NASHC_NEW_N(a, edge, nashc_graph_max_id(z->f) + 1);
    z->depth = NASHC_NEW_N(a, uint32_t, nashc_graph_max_id(z->f) + 1);
    z->most = NASHC_NEW_N(a, uint32_t, nashc_graph_max_id(z->f) + 1);
    if (!z->edges || !z->depth || !z->most)
        return nashc_enomem(d);
    NASHC_EACH_NODE(z->f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n); i++) {
            nashc_value *v = nashc_node_out(n, i);
            nashc_stream s;
            nashc_node *reader = nashc_value_one_user(v);
            if (!reader || nashc_node_is(reader, "hw.fifo") || nashc_node_is(n, "hw.fifo"))
                continue;
            nashc_status st = nashc_flow_stream(v, &s, d);
            if (st != NASHC_OK)
                return st;
            z->edges[z->n++] = (edge){.v = v,
                                      .id = nashc_value_id(v),
                                      .beats = (uint32_t)s.beats,
                                      .width = s.width,
                                      .joins = streams_in(reader) > 1};
        }
    }
    qsort(z->edges, (size_t)z->n, sizeof *z->edges, edge_cmp);
    return NASHC_OK;
}

/* Smallest good depth of e; the others stay. As it is when no effort is left. */
static void
shrink(sizing *z, const edge *e)
{
    uint32_t bad, ok = z->depth[e->id];

    if (ok == 0 || z->work >= z->effort)
        return;
    z->depth[e->id] = 0;
    if (good(z))
        return;
    bad = 1; /* a FIFO has at least 2 words */
    while (ok - bad > 1 && z->work < z->effort) {
        uint32_t mid = bad + (ok - bad) / 2;
        z->depth[e->id] = mid;
        if (good(z))
            ok = mid;
        else
            bad = mid;
    }
    z->depth[e->id] = ok;
}

/* No FIFO holds more than it was filled with: that changes nothing. */
static void
trim(sizing *z)
{
    for (int i = 0; i < z->n; i++) {
        uint32_t *depth = &z->depth[z->edges[i].id], most = z->most[z->edges[i].id];
        most = most < 2 ? 2 : most;
        *depth = *depth > most ? most : *depth;
    }
}

/* FIFOs to begin with: frames in front of joins, frames in front of other layers, and no more than
 * so many beats there. From cheap to dear. */
typedef struct plan {
    uint32_t joins, others, most;
} plan;

static const plan plans[] = {
    {0, 0, 0}, {1, 0, 0}, {4, 0, 0}, {1, 1, MAX_DEPTH}, {2, 2, MAX_DEPTH}, {8, 8, MAX_DEPTH},
};

static void
fill_depths(sizing *z, const plan *p)
{
    for (int i = 0; i < z->n; i++) {
        const edge *e = &z->edges[i];
        uint64_t depth = (uint64_t)e->beats * (e->joins ? p->joins : p->others);
        uint64_t most = e->joins ? MAX_DEPTH : p->most;
        depth = depth > most ? most : depth;
        z->depth[e->id] = depth == 0 ? 0 : depth < 2 ? 2 : (uint32_t)depth;
    }
}

/* Cycles of the slowest layer: no interval is shorter. */
static double
bound(const sizing *z)
{
    uint64_t most = 0;

    NASHC_EACH_NODE(z->f, n)
    {
        uint64_t c = nashc_layer_cycles(n, z->backend);
        most = c > most ? c : most;
    }
    return (double)most;
}

/* Does the network run with p in fewer cycles a frame than limit? Then these are the ones to keep.
 */
static bool
betters(sizing *z, const plan *p, double limit)
{
    nashc_flow_result r = {0};

    fill_depths(z, p);
    if (simulate(z, false, &r, NULL) != NASHC_OK || !r.steady || nashc_flow_interval(&r) >= limit ||
        !holds(z))
        return false;
    z->interval = nashc_flow_interval(&r);
    z->latency = r.latency;
    return true;
}

/* The cheapest plan whose interval no other betters by more than a five-hundredth, then with the
 * least depth of plain FIFOs that keeps it. */
static nashc_status
choose_plan(sizing *z, nashc_diag *d)
{
    const double slowest = bound(z), least = slowest * (1 + SLACK);
    const double frames = (double)z->effort / 10 / (slowest * nashc_graph_n_nodes(z->f));
    plan best = plans[NASHC_COUNT(plans) - 1];
    nashc_flow_result r = {0};

    z->frames = frames < MIN_FRAMES ? MIN_FRAMES : frames > MAX_FRAMES ? MAX_FRAMES : (int)frames;
    z->interval = INFINITY;
    for (size_t i = 0; i < NASHC_COUNT(plans) && z->interval > least; i++)
        if (betters(z, &plans[i], z->interval / (1 + SLACK)))
            best = plans[i];
    for (uint32_t most = 16; best.others > 0 && most < best.most && z->work < z->effort;
         most *= 8) {
        plan less = {best.joins, best.others, most};
        if (betters(z, &less, z->interval * (1 + SLACK)))
            best = less;
    }
    fill_depths(z, &best);
    nashc_status s = simulate(z, false, &r, d); /* what it fills; or why nothing runs */
    if (s == NASHC_OK)
        s = simulate(z, true, &r, d);
    return s;
}

static nashc_status
size_fifos(sizing *z, nashc_diag *d)
{
    nashc_status s = choose_plan(z, d);

    if (s != NASHC_OK)
        return s;
    trim(z);
    for (int i = 0; i < z->n; i++)
        shrink(z, &z->edges[i]);
    return NASHC_OK;
}

static nashc_status
insert(sizing *z)
{
    nashc_run *r = z->r;
    nashc_build *b = nashc_run_build(r, z->f);
    nashc_status s = NASHC_OK;

    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        edge *e = &z->edges[i];
        nashc_stream st;
        nashc_value *w;
        if (z->depth[e->id] == 0 || !nashc_run_edit(r, "insert a FIFO", nashc_value_def(e->v)))
            continue;
        if ((s = nashc_flow_stream(e->v, &st, nashc_run_diag(r))) != NASHC_OK)
            return s;
        s = hw_splice(b, e->v, "hw.fifo",
                      nashc_arena_printf(nashc_run_arena(r), "depth=%u lanes=%" PRId64,
                                         z->depth[e->id], st.lanes),
                      &w);
        nashc_stat(r, 0, 1);
    }
    return s;
}

/* Depths of "StreamingFIFO_rtl_<i>" entries of a folding file replace the computed ones. */
static nashc_status
apply_file(nashc_run *r, nashc_graph *f, const char *path)
{
    nashc_diag *d = nashc_run_diag(r);
    const char *const *names = nashc_flow_names(f, nashc_run_arena(r));
    json_error_t error = {0};
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 26, &text, &size, d);

    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (!root || !names) {
        json_decref(root);
        return nashc_error(d, &(nashc_loc){.file = path, .line = error.line}, "%s", error.text);
    }
    NASHC_EACH_NODE(f, n)
    {
        const json_t *entry = json_object_get(root, names[nashc_node_id(n)]);
        const json_t *depth = json_object_get(entry, "depth");
        if (!nashc_node_is(n, "hw.fifo") || !depth || s != NASHC_OK)
            continue;
        int64_t v = json_is_integer(depth) ? json_integer_value(depth) : -1;
        if (v < 2 || v > UINT32_MAX / 2)
            s = nashc_error(d, &(nashc_loc){.file = path}, "%s: depth must be an integer from 2",
                            names[nashc_node_id(n)]);
        else
            s = nashc_node_set_attr_int(n, "depth", v, d);
    }
    json_decref(root);
    return s;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    nashc_diag *d = nashc_run_diag(r);
    const char *file = nashc_opts_str(nashc_run_opts(r), "file");
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), d);
    sizing z = {.r = r, .f = f};
    nashc_status s;

    if (!f)
        return NASHC_EINPUT;
    if (!(z.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    z.keep_latency = nashc_opts_bool(nashc_run_opts(r), "keep-latency");
    z.effort = (uint64_t)nashc_opts_int(nashc_run_opts(r), "effort") * 1000000;
    if ((s = nashc_flow_check(f, true, d)) != NASHC_OK || (s = collect(&z, d)) != NASHC_OK ||
        (s = size_fifos(&z, d)) != NASHC_OK || (s = insert(&z)) != NASHC_OK)
        return s;
    return file[0] ? apply_file(r, f, file) : NASHC_OK;
}

static const nashc_param options[] = {
    {.name = "keep-latency",
     .def = "false",
     .help = "keep the latency of the first frame too, not only the interval",
     .kind = NASHC_P_BOOL},
    {.name = "effort",
     .def = "100",
     .domain = "0..1000000",
     .help = "steps of layers, in millions, that may be simulated to make FIFOs smaller",
     .kind = NASHC_P_INT},
    {.name = "file",
     .def = "",
     .help = "folding file whose FIFO depths replace the computed ones",
     .kind = NASHC_P_PATH},
    HW_BACKEND_OPTION,
    {0},
};

const nashc_pass nashc_pass_insert_fifo = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "insert-fifo",
    .alias = "InsertAndSetFIFODepths|InsertFIFO",
    .help = "put FIFOs of the smallest depths that keep the throughput",
    .options = options,
    .stats = (const char *const[]){"fifos", NULL},
    .needs = "hw-only",
    .run = run,
};
