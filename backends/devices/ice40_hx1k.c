/* ice40_hx1k.c: resources of ice40-hx1k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ice40_hx1k;

const nashc_device nashc_device_ice40_hx1k = {
    .struct_size = sizeof(nashc_device),
    .name = "ice40-hx1k",
    .help = "Lattice iCE40 HX1K, open flow",
    .part = "iCE40HX1K",
    .family = "ice40",
    .source = "vendor data sheet",
    .lut = 1280,
    .ff = 1280,
    .bram18 = 16,
    .uram = 0,
    .dsp = 0,
    .lut_inputs = 4,
    .dsp_a = 0,
    .dsp_b = 0,
    .ram_bits = 4096,
    .clk_ns = 20,
    .usable_lut = 0.9,
};
