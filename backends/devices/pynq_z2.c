/* pynq_z2.c: resources of Pynq-Z2. Source: numbers of FINN's planner. */
#include <nashc/device.h>

extern const nashc_device nashc_device_pynq_z2;

const nashc_device nashc_device_pynq_z2 = {
    .struct_size = sizeof(nashc_device),
    .name = "Pynq-Z2",
    .help = "Zynq-7000 board, same part as Pynq-Z1",
    .part = "xc7z020clg400-1",
    .family = "xc7",
    .source = "numbers of FINN's planner",
    .lut = 53200,
    .ff = 106400,
    .bram18 = 280,
    .uram = 0,
    .dsp = 220,
    .lut_inputs = 6,
    .dsp_a = 25,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 10,
    .usable_lut = 0.7,
};
