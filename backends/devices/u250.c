/* u250.c: resources of U250. Source: numbers of FINN's planner, sum of 4 SLRs. */
#include <nashc/device.h>

extern const nashc_device nashc_device_u250;

const nashc_device nashc_device_u250 = {
    .struct_size = sizeof(nashc_device),
    .name = "U250",
    .help = "Alveo card",
    .part = "xcu250-figd2104-2L-e",
    .family = "xcup",
    .source = "numbers of FINN's planner, sum of 4 SLRs",
    .lut = 1500000,
    .ff = 3000000,
    .bram18 = 4608,
    .uram = 1280,
    .dsp = 11520,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
