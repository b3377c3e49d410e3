/* lifcl_40.c: resources of lifcl-40. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_lifcl_40;

const nashc_device nashc_device_lifcl_40 = {
    .struct_size = sizeof(nashc_device),
    .name = "lifcl-40",
    .help = "Lattice Nexus LIFCL-40, open flow",
    .part = "LIFCL-40",
    .family = "nexus",
    .source = "vendor data sheet",
    .lut = 39000,
    .ff = 39000,
    .bram18 = 84,
    .uram = 0,
    .dsp = 56,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.9,
};
