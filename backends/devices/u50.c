/* u50.c: resources of U50. Source: numbers of FINN's planner, sum of 2 SLRs. */
#include <nashc/device.h>

extern const nashc_device nashc_device_u50;

const nashc_device nashc_device_u50 = {
    .struct_size = sizeof(nashc_device),
    .name = "U50",
    .help = "Alveo card",
    .part = "xcu50-fsvh2104-2L-e",
    .family = "xcup",
    .source = "numbers of FINN's planner, sum of 2 SLRs",
    .lut = 742560,
    .ff = 1485120,
    .bram18 = 2256,
    .uram = 608,
    .dsp = 5352,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
