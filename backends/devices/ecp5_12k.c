/* ecp5_12k.c: resources of ecp5-12k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ecp5_12k;

const nashc_device nashc_device_ecp5_12k = {
    .struct_size = sizeof(nashc_device),
    .name = "ecp5-12k",
    .help = "Lattice ECP5 12F, open flow",
    .part = "LFE5U-12F",
    .family = "ecp5",
    .source = "vendor data sheet",
    .lut = 12000,
    .ff = 12000,
    .bram18 = 32,
    .uram = 0,
    .dsp = 28,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.9,
};
