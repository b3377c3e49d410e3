/* window.c: hw.window to C: a ring of beats that is filled as the stream comes and read as the nest
 * of loops says (core/host/ring.c).
 *
 * A step takes a beat if the ring has room and gives one if it is there: both sides move on their
 * own. The ring goes on from one frame to the next, so what is left of it in one call is static.
 */
#include "model.h"

static nashc_status
window_ring(const nashc_node *n, nashc_ring *out)
{
    nashc_loops l = {.first = nashc_node_int(n, "offset"),
                     .count = nashc_type_count(hls_in(n, 0)),
                     .lanes = nashc_node_int(n, "simd"),
                     .depth = nashc_node_int(n, "depth")};

    l.dim = nashc_node_ints(n, "dims", &l.n);
    l.stride = nashc_node_ints(n, "strides", &l.n);
    return nashc_ring_of(&l, out);
}

/* Where the next beat lies, and what it frees, when loop k goes on. */
static void
move(nashc_hls *h, const nashc_ring *r, int k)
{
    nashc_hls_line(h, "address += %" PRId64 ";", r->move[k]);
    nashc_hls_line(h, "get += %" PRId64 ";", r->move[k] % r->depth);
    if (r->release[k] != 0)
        nashc_hls_line(h, "oldest += %" PRId64 ";", r->release[k]);
}

/* The loops, innermost first: the first one that is not at its end goes on. */
static void
advance(nashc_hls *h, const nashc_ring *r)
{
    for (int k = r->loops - 1; k >= 0; k--) {
        nashc_hls_line(h, "%sif (i%d < %" PRId64 ") {", k == r->loops - 1 ? "" : "} else ", k,
                       r->count[k] - 1);
        nashc_hls_line(h, "i%d++;", k);
        for (int j = k + 1; j < r->loops; j++)
            nashc_hls_line(h, "i%d = 0;", j);
        move(h, r, k);
    }
    nashc_hls_line(h, r->loops ? "} else {" : "{");
    for (int j = 0; j < r->loops; j++)
        nashc_hls_line(h, "i%d = 0;", j);
    move(h, r, r->loops);
    hls_close(h);
}

static void
declare(const nashc_node *n, nashc_hls *h, const nashc_ring *r)
{
    nashc_hls_int(h, "WORDS", r->words);
    nashc_hls_int(h, "DEPTH", r->depth);
    nashc_hls_int(h, "OUTS", (int64_t)hls_beats_out(n));
    nashc_hls_line(h, "static %s ring[DEPTH];", nashc_hls_beat(h, true, 0));
    nashc_hls_line(h, "/* Addresses in the frame: to be read, to be given, still needed. */");
    nashc_hls_line(h, "static int read = 0, address = %" PRId64 ", oldest = %" PRId64 ";", r->first,
                   r->first);
    nashc_hls_line(h, "static int put = 0, get = %" PRId64 "; /* places of read and address */",
                   r->first % r->depth);
    for (int k = 0; k < r->loops; k++)
        nashc_hls_line(h, "int i%d = 0;", k);
    nashc_hls_line(h, "int given = 0;");
    nashc_hls_line(h, "#pragma HLS aggregate variable=ring");
    nashc_hls_line(h, "#pragma HLS dependence variable=ring type=inter false");
    hls_memory(h, nashc_hls_line, "ring", 1, 1, "ram_s2p", nashc_node_str(n, "ram_style"));
    nashc_hls_line(h, "%s", "");
}

static nashc_status
emit_window(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    const char *x = nashc_hls_beat(h, true, 0);
    nashc_ring r;

    if (window_ring(n, &r) != NASHC_OK)
        return nashc_node_unsup(d, n, "these loops have no layer");
    declare(n, h, &r);
    nashc_hls_line(h, "while (given < OUTS || read < WORDS) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    nashc_hls_line(h, "const int there = given < OUTS && address < read;");
    nashc_hls_line(h, "if (read - oldest < DEPTH && !NASHC_EMPTY(in)) {");
    nashc_hls_line(h, "ring[put] = NASHC_READ(%s, in);", x);
    nashc_hls_line(h, "put = put == DEPTH - 1 ? 0 : put + 1;");
    nashc_hls_line(h, "read++;");
    hls_close(h);
    nashc_hls_line(h, "if (there && !NASHC_FULL(out)) {");
    nashc_hls_line(h, "NASHC_WRITE(%s, out, ring[get]);", x);
    nashc_hls_line(h, "given++;");
    advance(h, &r);
    nashc_hls_line(h, "if (get >= DEPTH)");
    nashc_hls_line(h, "    get -= DEPTH;");
    nashc_hls_line(h, "else if (get < 0)");
    nashc_hls_line(h, "    get += DEPTH;");
    hls_close(h);
    hls_close(h);
    nashc_hls_line(h, "/* The next frame starts at address 0 again. */");
    nashc_hls_line(h, "read -= WORDS;");
    nashc_hls_line(h, "address -= WORDS;");
    nashc_hls_line(h, "oldest -= WORDS;");
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_window = NASHC_IMPL_HLS("hw.window", emit_window);

/* --- model --------------------------------------------------------------------------------------
 */

/* Both sides of the ring move at once: the longer one counts. */
static uint64_t
window_cycles(const nashc_node *n)
{
    uint64_t in = hls_beats_in(n), out = hls_beats_out(n);

    return in > out ? in : out;
}

static nashc_status
window_timing(const nashc_node *n, nashc_timing *out)
{
    (void)n;
    *out = (nashc_timing){.steps = 1, .latency = 2, .depth = 2, .kind = 2};
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = window_cycles,
    .timing = window_timing,
    .ring = window_ring,
};

const nashc_impl nashc_impl_hls_model_hw_window = MODEL("hw.window", model);
