/* u55c.c: resources of U55C. Source: numbers of FINN's planner, sum of 3 SLRs. */
#include <nashc/device.h>

extern const nashc_device nashc_device_u55c;

const nashc_device nashc_device_u55c = {
    .struct_size = sizeof(nashc_device),
    .name = "U55C",
    .help = "Alveo card",
    .part = "xcu55c-fsvh2892-2L-e",
    .family = "xcup",
    .source = "numbers of FINN's planner, sum of 3 SLRs",
    .lut = 1131000,
    .ff = 2265000,
    .bram18 = 3552,
    .uram = 960,
    .dsp = 8304,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
