/* dwc.c: hw.dwc to nashc_dwc. */
#include "model.h"

static nashc_status
emit_dwc(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    (void)d;
    nashc_vlog_core(v, "nashc_dwc");
    nashc_vlog_int(v, "S_W", nashc_node_int(n, "lanes_in") * emit_bits_in(n));
    nashc_vlog_int(v, "M_W", nashc_node_int(n, "lanes_out") * emit_bits_in(n));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_dwc = NASHC_IMPL_VERILOG("hw.dwc", emit_dwc);

/* --- model --------------------------------------------------------------------------------------
 */

/* Steps move a beat of the side with fewer lanes. */
static uint64_t
dwc_cycles(const nashc_node *n)
{
    uint64_t in = beats_in(n), out = beats_out(n);

    return in > out ? in : out;
}

/* Whole multiples are put together in a line that is the output. */
static bool
is_line(const nashc_node *n)
{
    int64_t in = nashc_node_int(n, "lanes_in"), out = nashc_node_int(n, "lanes_out");

    return in < out && out % in == 0;
}

/* Whole ratios load or shift a register; others shift by any number of their common part. */
static nashc_status
dwc_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t bits = model_in(n, 0)->bits, in = (uint64_t)nashc_node_int(n, "lanes_in");
    uint64_t to = (uint64_t)nashc_node_int(n, "lanes_out"), unit = in, larger = in > to ? in : to;
    nashc_cost c = {COST_START};

    for (uint64_t a = to; a > 0;) { /* the greatest common divisor */
        uint64_t b = unit % a;
        unit = a;
        a = b;
    }
    if (is_line(n)) {
        cost_counter(&c, to / in);
        c.ff += bits * to;
        cost_line_end(&c, bits * in);
        cost_fit(&c, dev);
        *out = c;
        return NASHC_OK;
    }
    if (in != to) {
        uint64_t steps = larger / unit;
        /* A LUT chooses from three places as from two; beyond them, wider ones that are left or not
         * have a LUT of their own. */
        int places = to / unit <= 3 ? 1 : cost_clog2(to / unit) + (in < to);
        double shifted = unit < in && unit < to ? (double)(bits * (in + to - unit)) * places : 0;
        COST_LUTS(&c, COST_DWC, 1, in > to ? (double)(bits * (in - to)) : 0, in > to ? shifted : 0,
                  in > to ? 0 : shifted);
        cost_counter(&c, steps);
        c.ff += bits * (larger - unit);
    }
    cost_pipe(&c, 0, 1, bits * to);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

static nashc_status
dwc_timing(const nashc_node *n, nashc_timing *out)
{
    *out = (nashc_timing){
        .steps = dwc_cycles(n),
        .depth = 2,
        .kind = is_line(n) ? 3 : 0,
        .arg = {(uint64_t)nashc_node_int(n, "lanes_in"), (uint64_t)nashc_node_int(n, "lanes_out")}};
    return NASHC_OK;
}

/* Whole output beats after so many input beats, or input beats needed for so many outputs. */
static void
dwc_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t in = t->arg[0], out = t->arg[1];

    if (in <= out) {
        *reads = 1;
        *writes = (i + 1) * in / out > i * in / out;
    } else {
        *reads = ((i + 1) * out + in - 1) / in > (i * out + in - 1) / in;
        *writes = 1;
    }
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = dwc_cycles,
    .timing = dwc_timing,
    .step = dwc_step,
    .cost = dwc_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_dwc = MODEL("hw.dwc", model);
