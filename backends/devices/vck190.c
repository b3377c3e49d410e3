/* vck190.c: resources of VCK190. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_vck190;

const nashc_device nashc_device_vck190 = {
    .struct_size = sizeof(nashc_device),
    .name = "VCK190",
    .help = "Versal board",
    .part = "xcvc1902-vsva2197-2MP-e-S",
    .family = "versal",
    .source = "vendor data sheet",
    .lut = 899840,
    .ff = 1799680,
    .bram18 = 1934,
    .uram = 463,
    .dsp = 1968,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 24,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
