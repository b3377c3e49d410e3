/* gw2a_18.c: resources of gw2a-18. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_gw2a_18;

const nashc_device nashc_device_gw2a_18 = {
    .struct_size = sizeof(nashc_device),
    .name = "gw2a-18",
    .help = "Gowin GW2A-18, open flow",
    .part = "GW2A-18",
    .family = "gowin",
    .source = "vendor data sheet",
    .lut = 20736,
    .ff = 15552,
    .bram18 = 46,
    .uram = 0,
    .dsp = 48,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 20,
    .usable_lut = 0.9,
};
