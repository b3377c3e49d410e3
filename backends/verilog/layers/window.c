/* window.c: hw.window to nashc_window_ring or nashc_window_line. */
#include "backends/support/window.h"
#include "model.h"
#include <stdio.h>

static void
put_numbered(nashc_vlog *v, const char *name, int k, int64_t value)
{
    char text[16];

    snprintf(text, sizeof text, "%s%d", name, k);
    nashc_vlog_int(v, text, value);
}

/* The module counts loops from the innermost. */
static void
emit_line(const nashc_line *z, nashc_vlog *v)
{
    nashc_vlog_core(v, "nashc_window_line");
    nashc_vlog_int(v, "NEWEST", z->newest);
    for (int k = 0; k < z->loops; k++) {
        put_numbered(v, "COUNT", k, z->count[z->loops - 1 - k]);
        put_numbered(v, "MOVE", k, z->move[z->loops - 1 - k]);
    }
    put_numbered(v, "MOVE", NASHC_RING_LOOPS, z->move[z->loops]);
    for (int k = 0; k < z->inner; k++) {
        put_numbered(v, "TAPS", k, z->tap_count[z->inner - 1 - k]);
        put_numbered(v, "GAP", k, z->tap_stride[z->inner - 1 - k]);
    }
}

static void
emit_ring(const nashc_ring *r, nashc_vlog *v)
{
    nashc_vlog_core(v, "nashc_window_ring");
    nashc_vlog_int(v, "WORDS", r->words);
    nashc_vlog_int(v, "DEPTH", r->depth);
    nashc_vlog_int(v, "FIRST", r->first);
    for (int k = 0; k < r->loops; k++) {
        int inner = r->loops - 1 - k;
        put_numbered(v, "COUNT", k, r->count[inner]);
        put_numbered(v, "MOVE", k, r->move[inner]);
        put_numbered(v, "FREE", k, r->release[inner]);
    }
    put_numbered(v, "MOVE", NASHC_RING_LOOPS, r->move[r->loops]);
    put_numbered(v, "FREE", NASHC_RING_LOOPS, r->release[r->loops]);
}

/* The same line, of words of several positions, and which of them belong to a window. */
static void
emit_windows(const nashc_windows *w, nashc_vlog *v)
{
    emit_line(&w->line, v);
    nashc_vlog_core(v, "nashc_window_positions");
    nashc_vlog_int(v, "WINDOWS", w->windows);
    nashc_vlog_int(v, "SPAN", w->span);
    nashc_vlog_int(v, "COLUMNS", w->columns);
    nashc_vlog_int(v, "BEGIN", w->first);
    nashc_vlog_int(v, "STEP", w->step);
    nashc_vlog_int(v, "APART", w->apart);
}

static nashc_status
emit_window(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    nashc_windows w;
    nashc_line z;
    nashc_ring r;

    if (window_several(n, &w)) {
        emit_windows(&w, v);
        nashc_vlog_int(v, "POSITIONS", nashc_hw_positions(n));
    } else if (window_line(n, &z))
        emit_line(&z, v);
    else if (window_ring(n, &r) == NASHC_OK)
        emit_ring(&r, v);
    else
        return nashc_node_unsup(d, n, "these loops have no layer");
    nashc_vlog_int(v, "W", nashc_node_int(n, "simd") * emit_bits_in(n));
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_window = NASHC_IMPL_VERILOG("hw.window", emit_window);

/* --- model --------------------------------------------------------------------------------------
 */

/* The outermost loop whose end is to be told from what goes on: where the last word of a loop and
 * of all around it move as far as any other, Yosys leaves out their counters. free: moves of a
 * second kind, or NULL. */
static int
first_loop(const int64_t *count, const int64_t *move, const int64_t *free, int loops)
{
    int k = 0;

    while (k < loops &&
           (count[k] <= 1 || (move[k] == move[loops] && (!free || free[k] == free[loops]))))
        k++;
    return k;
}

/* Counters that end in a register. */
static void
cost_loops(nashc_cost *c, const int64_t *count, int first, int loops)
{
    uint64_t bits = 0, n = 0;

    for (int k = first; k < loops; k++)
        if (count[k] > 1) {
            bits += (uint64_t)cost_clog2((uint64_t)count[k]);
            n++;
        }
    COST_LUTS(c, COST_LOOPS, (double)n, (double)bits);
    c->ff += bits + n;
}

/* Registers for what is seen of words of width bits, which are the output; the rest of the line in
 * memories, rows of it next to each other. */
static void
cost_line(const nashc_node *n, const nashc_line *z, uint64_t width, const nashc_device *dev,
          nashc_cost *c)
{
    uint64_t count = (uint64_t)cost_clog2((uint64_t)z->newest + 1), addresses = 0;

    cost_loops(c, z->count, first_loop(z->count, z->move, NULL, z->loops), z->loops);
    c->ff += count + width;
    for (int k = 0; k < z->inner; k++) {
        uint64_t held = (uint64_t)z->held[k], row = width * (uint64_t)z->rows[k];
        if (held < 2) {
            c->ff += (held + 1) * row;
            continue;
        }
        addresses += (uint64_t)cost_clog2(held);
        c->ff += cost_delay(c, dev, nashc_node_int(n, "ram_style"), held, row) ? 0 : row;
    }
    c->ff += addresses;
    COST_LUTS(c, COST_LINE, 1, (double)count, (double)addresses);
    cost_line_end(c, width);
}

/* Which of the entries of a table have bit `bit` of what the loops that go on add. */
static uint64_t
column(const nashc_ring *r, const int64_t *table, int64_t turn, int bit)
{
    uint64_t mask = 0;

    for (int k = 0; k <= r->loops; k++) {
        int64_t v = turn ? table[k] % turn : -table[k];
        if (k == r->loops || r->count[k] > 1)
            mask |= ((uint64_t)v >> bit & 1) << k;
    }
    return mask;
}

/* Functions of the loops that go on: bits of what is added to both distances and to the address;
 * equal ones are made once, as those of signs are. */
static uint64_t
ring_functions(const nashc_ring *r, int distance, int address)
{
    uint64_t seen[3 * 64], n = 0;

    for (int i = 0; i < 2 * distance + address; i++) {
        uint64_t mask = i < distance       ? column(r, r->move, 0, i)
                        : i < 2 * distance ? column(r, r->release, 0, i - distance)
                                           : column(r, r->move, r->depth, i - 2 * distance);
        bool known = mask == 0;
        for (uint64_t k = 0; k < n && !known; k++)
            known = seen[k] == mask;
        if (!known)
            seen[n++] = mask;
    }
    return n;
}

static void
cost_ring(const nashc_node *n, const nashc_ring *r, uint64_t width, const nashc_device *dev,
          nashc_cost *c)
{
    uint64_t address = (uint64_t)cost_clog2((uint64_t)r->depth);
    int64_t most = r->first + 1;

    for (int k = 0; k <= r->loops; k++)
        if (k == r->loops || r->count[k] > 1)
            most = r->move[k] > most ? r->move[k] : most;
    uint64_t distance = (uint64_t)cost_clog2((uint64_t)(r->depth + most)) + 1;

    cost_loops(c, r->count, first_loop(r->count, r->move, r->release, r->loops), r->loops);
    bool wraps = ((uint64_t)1 << address) != (uint64_t)r->depth;
    COST_LUTS(c, COST_RING, 1, (double)distance, (double)address, wraps ? (double)address : 0,
              (double)ring_functions(r, (int)distance, (int)address));
    c->ff += 2 * (distance + address);
    c->ff +=
        cost_ram(c, dev, nashc_node_int(n, "ram_style"), (uint64_t)r->depth, width) ? 0 : width;
    cost_pipe(c, 1, 1, width);
}

static nashc_status
window_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t width = (uint64_t)nashc_node_int(n, "simd") * model_in(n, 0)->bits;
    nashc_cost c = {COST_START};
    nashc_windows w;
    nashc_line z;
    nashc_ring r;

    if (window_several(n, &w))
        cost_line(n, &w.line, width * (uint64_t)nashc_hw_positions(n), dev, &c);
    else if (window_line(n, &z))
        cost_line(n, &z, width, dev, &c);
    else if (window_ring(n, &r) == NASHC_OK)
        cost_ring(n, &r, width, dev, &c);
    else
        return NASHC_EUNSUP;
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
window_timing(const nashc_node *n, nashc_timing *out)
{
    nashc_line z;
    bool line = window_line(n, &z);

    *out = (nashc_timing){.steps = 1, .latency = 1, .depth = 2, .kind = 2};
    if (line) {
        *out = (nashc_timing){.steps = (uint64_t)z.words, .depth = 2, .kind = 3};
        window_line_args(&z, out);
    }
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .flags = NASHC_MODEL_POSITIONS, .cycles = window_beats,
    .timing = window_timing,       .step = window_line_step,       .ring = window_ring,
    .cost = window_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_window = MODEL("hw.window", model);
