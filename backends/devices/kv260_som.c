/* kv260_som.c: resources of KV260_SOM. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_kv260_som;

const nashc_device nashc_device_kv260_som = {
    .struct_size = sizeof(nashc_device),
    .name = "KV260_SOM",
    .help = "Kria module",
    .part = "xck26-sfvc784-2LV-c",
    .family = "xcup",
    .source = "vendor data sheet",
    .lut = 117120,
    .ff = 234240,
    .bram18 = 288,
    .uram = 64,
    .dsp = 1248,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
