/* ice40_up5k.c: resources of ice40-up5k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ice40_up5k;

const nashc_device nashc_device_ice40_up5k = {
    .struct_size = sizeof(nashc_device),
    .name = "ice40-up5k",
    .help = "Lattice iCE40 UltraPlus 5K, open flow",
    .part = "iCE40UP5K",
    .family = "ice40",
    .source = "vendor data sheet",
    .lut = 5280,
    .ff = 5280,
    .bram18 = 30,
    .uram = 0,
    .dsp = 8,
    .lut_inputs = 4,
    .dsp_a = 16,
    .dsp_b = 16,
    .ram_bits = 4096,
    .clk_ns = 40,
    .usable_lut = 0.9,
};
