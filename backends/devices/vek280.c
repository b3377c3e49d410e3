/* vek280.c: resources of VEK280. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_vek280;

const nashc_device nashc_device_vek280 = {
    .struct_size = sizeof(nashc_device),
    .name = "VEK280",
    .help = "Versal board",
    .part = "xcve2802-vsvh1760-2MP-e-S",
    .family = "versal",
    .source = "vendor data sheet",
    .lut = 520704,
    .ff = 1041408,
    .bram18 = 1200,
    .uram = 264,
    .dsp = 1312,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 24,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
