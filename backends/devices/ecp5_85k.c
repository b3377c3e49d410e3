/* ecp5_85k.c: resources of ecp5-85k. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_ecp5_85k;

const nashc_device nashc_device_ecp5_85k = {
    .struct_size = sizeof(nashc_device),
    .name = "ecp5-85k",
    .help = "Lattice ECP5 85F, open flow",
    .part = "LFE5U-85F",
    .family = "ecp5",
    .source = "vendor data sheet",
    .lut = 83640,
    .ff = 83640,
    .bram18 = 208,
    .uram = 0,
    .dsp = 156,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.9,
};
