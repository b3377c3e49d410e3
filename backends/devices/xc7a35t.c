/* xc7a35t.c: resources of xc7a35t. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_xc7a35t;

const nashc_device nashc_device_xc7a35t = {
    .struct_size = sizeof(nashc_device),
    .name = "xc7a35t",
    .help = "Artix-7 35T, open or vendor flow",
    .part = "xc7a35t",
    .family = "xc7",
    .source = "vendor data sheet",
    .lut = 20800,
    .ff = 41600,
    .bram18 = 100,
    .uram = 0,
    .dsp = 90,
    .lut_inputs = 6,
    .dsp_a = 25,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.7,
};
