/* u280.c: resources of U280. Source: numbers of FINN's planner, sum of 3 SLRs. */
#include <nashc/device.h>

extern const nashc_device nashc_device_u280;

const nashc_device nashc_device_u280 = {
    .struct_size = sizeof(nashc_device),
    .name = "U280",
    .help = "Alveo card",
    .part = "xcu280-fsvh2892-2L-e",
    .family = "xcup",
    .source = "numbers of FINN's planner, sum of 3 SLRs",
    .lut = 1163520,
    .ff = 2327040,
    .bram18 = 3504,
    .uram = 960,
    .dsp = 8496,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
