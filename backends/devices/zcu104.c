/* zcu104.c: resources of ZCU104. Source: numbers of FINN's planner. */
#include <nashc/device.h>

extern const nashc_device nashc_device_zcu104;

const nashc_device nashc_device_zcu104 = {
    .struct_size = sizeof(nashc_device),
    .name = "ZCU104",
    .help = "Zynq UltraScale+ board",
    .part = "xczu7ev-ffvc1156-2-e",
    .family = "xcup",
    .source = "numbers of FINN's planner",
    .lut = 230000,
    .ff = 460000,
    .bram18 = 610,
    .uram = 92,
    .dsp = 1728,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
