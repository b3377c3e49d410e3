/* u200.c: resources of U200. Source: numbers of FINN's planner, sum of 3 SLRs. */
#include <nashc/device.h>

extern const nashc_device nashc_device_u200;

const nashc_device nashc_device_u200 = {
    .struct_size = sizeof(nashc_device),
    .name = "U200",
    .help = "Alveo card",
    .part = "xcu200-fsgd2104-2-e",
    .family = "xcup",
    .source = "numbers of FINN's planner, sum of 3 SLRs",
    .lut = 971520,
    .ff = 1943040,
    .bram18 = 3696,
    .uram = 800,
    .dsp = 5856,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
