/* ecp5_25k.c: resources of ecp5-25k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ecp5_25k;

const nashc_device nashc_device_ecp5_25k = {
    .struct_size = sizeof(nashc_device),
    .name = "ecp5-25k",
    .help = "Lattice ECP5 25F, open flow",
    .part = "LFE5U-25F",
    .family = "ecp5",
    .source = "vendor data sheet",
    .lut = 24288,
    .ff = 24288,
    .bram18 = 56,
    .uram = 0,
    .dsp = 28,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.9,
};
