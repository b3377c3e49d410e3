/* zcu111.c: resources of ZCU111. Source: numbers of FINN's planner. */
#include <nashc/device.h>

extern const nashc_device nashc_device_zcu111;

const nashc_device nashc_device_zcu111 = {
    .struct_size = sizeof(nashc_device),
    .name = "ZCU111",
    .help = "Zynq UltraScale+ RFSoC board",
    .part = "xczu28dr-ffvg1517-2-e",
    .family = "xcup",
    .source = "numbers of FINN's planner",
    .lut = 425000,
    .ff = 850000,
    .bram18 = 2160,
    .uram = 80,
    .dsp = 4272,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
