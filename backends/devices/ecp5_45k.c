/* ecp5_45k.c: resources of ecp5-45k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ecp5_45k;

const nashc_device nashc_device_ecp5_45k = {
    .struct_size = sizeof(nashc_device),
    .name = "ecp5-45k",
    .help = "Lattice ECP5 45F, open flow",
    .part = "LFE5U-45F",
    .family = "ecp5",
    .source = "vendor data sheet",
    .lut = 43848,
    .ff = 43848,
    .bram18 = 108,
    .uram = 0,
    .dsp = 72,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.9,
};
