/* window.c: hw.window to C: a ring of beats that is filled as the stream comes and read as the nest
 * of loops says, or a line of them that shows whole windows (ir/ring.c).
 *
 * A step of a ring takes a beat if there is room and gives one if it is there: both sides move on
 * their own. The ring goes on from one frame to the next, so what is left of it in one call is
 * static. A step of a line takes a beat, and gives what is seen when that completes a window.
 */
#include "backends/support/window.h"
#include "model.h"

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
    nashc_hls_int(h, "OUTS", (int64_t)beats_out(n));
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

static void
emit_ring(const nashc_node *n, nashc_hls *h, const nashc_ring *r)
{
    const char *x = nashc_hls_beat(h, true, 0);

    declare(n, h, r);
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
    advance(h, r);
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
}

/* Tap t of the line becomes tap t + 1, or what lay behind that in the memory of the loop of taps
 * that goes on between them. */
static void
shift(nashc_hls *h, const nashc_line *z, int64_t t)
{
    int64_t next = t + 1, size = 1;
    int k = z->inner - 1;

    for (; next % (size * z->tap_count[k]) == 0; k--)
        size *= z->tap_count[k];
    if (z->held[k] == 0) {
        nashc_hls_line(h, "line[%" PRId64 "] = line[%" PRId64 "];", t, next);
        return;
    }
    int64_t at = next / size,
            row = at / z->tap_count[k] * (z->tap_count[k] - 1) + at % z->tap_count[k] - 1;
    nashc_hls_line(h, "line[%" PRId64 "] = held%d[at%d][%" PRId64 "];", t, k, k, row);
    nashc_hls_line(h, "held%d[at%d][%" PRId64 "] = line[%" PRId64 "];", k, k, row, next);
}

static void
declare_line(const nashc_node *n, nashc_hls *h, const nashc_line *z)
{
    const char *x = nashc_hls_beat(h, true, 0);

    nashc_hls_int(h, "WORDS", z->words);
    nashc_hls_int(h, "TAPS", z->taps);
    nashc_hls_int(h, "SIMD", nashc_node_int(n, "simd"));
    nashc_hls_line(h, "static %s line[TAPS];", x);
    nashc_hls_line(h, "#pragma HLS array_partition variable=line complete");
    for (int k = 0; k < z->inner; k++) {
        if (z->held[k] == 0)
            continue;
        const char *name = nashc_hls_text(h, "held%d", k);
        nashc_hls_line(h, "static %s %s[%" PRId64 "][%" PRId64 "];", x, name, z->held[k],
                       z->rows[k]);
        nashc_hls_line(h, "int at%d = 0;", k);
        hls_memory(h, nashc_hls_line, name, 1, 2, "ram_s2p", nashc_node_str(n, "ram_style"));
    }
    nashc_hls_line(h, "int wait = %" PRId64 "; /* beats before that which completes a window */",
                   z->newest);
    for (int k = 0; k < z->loops; k++)
        nashc_hls_line(h, "int i%d = 0;", k);
    nashc_hls_line(h, "%s", "");
}

/* The window after this one: the loops, innermost first. */
static void
next_window(nashc_hls *h, const nashc_line *z)
{
    for (int k = z->loops - 1; k >= 0; k--) {
        nashc_hls_line(h, "%sif (i%d < %" PRId64 ") {", k == z->loops - 1 ? "" : "} else ", k,
                       z->count[k] - 1);
        nashc_hls_line(h, "i%d++;", k);
        for (int j = k + 1; j < z->loops; j++)
            nashc_hls_line(h, "i%d = 0;", j);
        nashc_hls_line(h, "wait = %" PRId64 ";", z->move[k] - 1);
    }
    nashc_hls_line(h, z->loops ? "} else {" : "{");
    nashc_hls_line(h, "wait = WORDS; /* no more in this frame */");
    hls_close(h);
}

static void
emit_line(const nashc_node *n, nashc_hls *h, const nashc_line *z)
{
    declare_line(n, h, z);
    nashc_hls_line(h, "for (int i = 0; i < WORDS; i++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    for (int64_t t = 0; t < z->taps - 1; t++)
        shift(h, z, t);
    nashc_hls_line(h, "line[TAPS - 1] = NASHC_READ(%s, in);", nashc_hls_beat(h, true, 0));
    for (int k = 0; k < z->inner; k++)
        if (z->held[k] > 0)
            nashc_hls_line(h, "at%d = at%d == %" PRId64 " ? 0 : at%d + 1;", k, k, z->held[k] - 1,
                           k);
    nashc_hls_line(h, "if (wait > 0) {");
    nashc_hls_line(h, "wait--;");
    nashc_hls_line(h, "} else {");
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    nashc_hls_line(h, "for (int t = 0; t < TAPS; t++)");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "    for (int s = 0; s < SIMD; s++)");
    nashc_hls_line(h, "        y.lane[t * SIMD + s] = line[t].lane[s];");
    hls_give(h, 0, "out", "y");
    next_window(h, z);
    hls_close(h);
    hls_close(h);
}

static nashc_status
emit_window(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    nashc_line z;
    nashc_ring r;

    if (window_line(n, &z))
        emit_line(n, h, &z);
    else if (window_ring(n, &r) == NASHC_OK)
        emit_ring(n, h, &r);
    else
        return nashc_node_unsup(d, n, "these loops have no layer");
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_window = NASHC_IMPL_HLS("hw.window", emit_window);

/* --- model --------------------------------------------------------------------------------------
 */

static nashc_status
window_timing(const nashc_node *n, nashc_timing *out)
{
    nashc_line z;

    if (window_line(n, &z)) {
        *out = hls_loop((uint64_t)z.words, 2);
        window_line_args(&z, out);
    } else {
        *out = (nashc_timing){.steps = 1, .latency = 2, .depth = 2, .kind = 2};
    }
    return NASHC_OK;
}

static uint64_t
window_cycles(const nashc_node *n)
{
    nashc_timing t;

    window_timing(n, &t);
    return t.kind == 2 ? window_beats(n) : t.steps;
}

static void
window_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (!hls_idle(t, i, reads, writes))
        window_line_step(t, i, reads, writes);
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .cycles = window_cycles, .timing = window_timing,
    .step = window_step,           .ring = window_ring,
};

const nashc_impl nashc_impl_hls_model_hw_window = MODEL("hw.window", model);
