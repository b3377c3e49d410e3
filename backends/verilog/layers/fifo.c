/* fifo.c: hw.fifo to nashc_fifo. */
#include "model.h"

enum { BY_DEPTH, IN_REGISTERS, READ_AT_ONCE, READ_IN_A_CYCLE };

/* Parameter STYLE: only a read that takes its cycle is one of block RAM or UltraRAM. */
static int
style_of(const nashc_node *n)
{
    int64_t ram = nashc_node_int(n, "ram_style");

    if (ram == COST_AUTO || nashc_node_int(n, "depth") == 2)
        return BY_DEPTH;
    return ram == COST_DISTRIBUTED ? READ_AT_ONCE : READ_IN_A_CYCLE;
}

static nashc_status
emit_fifo(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    int bits = 1; /* of a count from 0 to depth */

    (void)d;
    while (bits < 62 && (int64_t)1 << bits < nashc_node_int(n, "depth") + 1)
        bits++;
    nashc_vlog_core(v, "nashc_fifo");
    nashc_vlog_int(v, "W", nashc_node_int(n, "lanes") * emit_bits_in(n));
    nashc_vlog_int(v, "DEPTH", nashc_node_int(n, "depth"));
    nashc_vlog_int(v, "STYLE", style_of(n));
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    nashc_vlog_open(v, "count", bits);
    nashc_vlog_open(v, "maxcount", bits);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_fifo = NASHC_IMPL_VERILOG("hw.fifo", emit_fifo);

/* --- model --------------------------------------------------------------------------------------
 */

/* A skid, or a memory with a register behind it that a word may also enter at once. */
static nashc_status
fifo_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t depth = (uint64_t)nashc_node_int(n, "depth"),
             address = (uint64_t)cost_clog2(depth - 1);
    uint64_t width = (uint64_t)nashc_node_int(n, "lanes") * model_in(n, 0)->bits;
    uint64_t count = (uint64_t)cost_clog2(depth + 1);
    int style = style_of(n);
    nashc_cost c = {COST_START};

    if (depth == 2) {
        cost_pipe(&c, 0, 1, width);
    } else {
        bool at_once = style == READ_AT_ONCE || (style == BY_DEPTH && depth <= 65);
        COST_LUTS(&c, COST_FIFO, 1, (double)address, (double)width, (double)count);
        c.ff += count + (at_once ? 3 : 2) * address + 3 + width + !at_once;
        int64_t ram = nashc_node_int(n, "ram_style");
        if (!cost_ram(&c, dev, at_once && ram == COST_AUTO ? COST_AT_ONCE : ram, depth - 1, width))
            c.ff += at_once ? 0 : width;
    }
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
fifo_timing(const nashc_node *n, nashc_timing *out)
{
    *out = model_beat_timing(n, 0);
    out->kind = 1;
    out->depth = (uint32_t)nashc_node_int(n, "depth");
    return NASHC_OK;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model), .cycles = beats_in, .timing = fifo_timing,
    .step = beats_all_step,        .cost = fifo_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_fifo = MODEL("hw.fifo", model);
