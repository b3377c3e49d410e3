/* ultra96_v2.c: resources of Ultra96-V2. Source: numbers of FINN's planner for Ultra96. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ultra96_v2;

const nashc_device nashc_device_ultra96_v2 = {
    .struct_size = sizeof(nashc_device),
    .name = "Ultra96-V2",
    .help = "Zynq UltraScale+ board",
    .part = "xczu3eg-sbva484-1-i",
    .family = "xcup",
    .source = "numbers of FINN's planner for Ultra96",
    .lut = 71000,
    .ff = 142000,
    .bram18 = 412,
    .uram = 0,
    .dsp = 360,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
