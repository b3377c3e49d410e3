/* generic.c: resources of generic. Source: a size that nothing exceeds. */
#include <nashc/device.h>

extern const nashc_device nashc_device_generic;

const nashc_device nashc_device_generic = {
    .struct_size = sizeof(nashc_device),
    .name = "generic",
    .help = "no particular device: gates or any FPGA with 6-input tables",
    .part = "generic",
    .family = "generic",
    .source = "a size that nothing exceeds",
    .lut = 1000000000,
    .ff = 1000000000,
    .bram18 = 100000000,
    .uram = 0,
    .dsp = 0,
    .lut_inputs = 6,
    .dsp_a = 0,
    .dsp_b = 0,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 1.0,
};
