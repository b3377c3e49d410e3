/* zcu102.c: resources of ZCU102. Source: numbers of FINN's planner. */
#include <nashc/device.h>

extern const nashc_device nashc_device_zcu102;

const nashc_device nashc_device_zcu102 = {
    .struct_size = sizeof(nashc_device),
    .name = "ZCU102",
    .help = "Zynq UltraScale+ board",
    .part = "xczu9eg-ffvb1156-2-e",
    .family = "xcup",
    .source = "numbers of FINN's planner",
    .lut = 274000,
    .ff = 548000,
    .bram18 = 1824,
    .uram = 0,
    .dsp = 2520,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
