/* gw1nr_9.c: resources of gw1nr-9. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_gw1nr_9;

const nashc_device nashc_device_gw1nr_9 = {
    .struct_size = sizeof(nashc_device),
    .name = "gw1nr-9",
    .help = "Gowin GW1NR-9, open flow",
    .part = "GW1NR-9",
    .family = "gowin",
    .source = "vendor data sheet",
    .lut = 8640,
    .ff = 6480,
    .bram18 = 26,
    .uram = 0,
    .dsp = 20,
    .lut_inputs = 4,
    .dsp_a = 18,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 20,
    .usable_lut = 0.9,
};
