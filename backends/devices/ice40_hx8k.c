/* ice40_hx8k.c: resources of ice40-hx8k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ice40_hx8k;

const nashc_device nashc_device_ice40_hx8k = {
    .struct_size = sizeof(nashc_device),
    .name = "ice40-hx8k",
    .help = "Lattice iCE40 HX8K, open flow",
    .part = "iCE40HX8K",
    .family = "ice40",
    .source = "vendor data sheet",
    .lut = 7680,
    .ff = 7680,
    .bram18 = 32,
    .uram = 0,
    .dsp = 0,
    .lut_inputs = 4,
    .dsp_a = 0,
    .dsp_b = 0,
    .ram_bits = 4096,
    .clk_ns = 20,
    .usable_lut = 0.9,
};
