/* xc7a100t.c: resources of xc7a100t. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_xc7a100t;

const nashc_device nashc_device_xc7a100t = {
    .struct_size = sizeof(nashc_device),
    .name = "xc7a100t",
    .help = "Artix-7 100T, open or vendor flow",
    .part = "xc7a100t",
    .family = "xc7",
    .source = "vendor data sheet",
    .lut = 63400,
    .ff = 126800,
    .bram18 = 270,
    .uram = 0,
    .dsp = 240,
    .lut_inputs = 6,
    .dsp_a = 25,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.7,
};
