/* rfsoc4x2.c: resources of RFSoC4x2. Source: vendor data sheet. */
#include <nashc/device.h>

extern const nashc_device nashc_device_rfsoc4x2;

const nashc_device nashc_device_rfsoc4x2 = {
    .struct_size = sizeof(nashc_device),
    .name = "RFSoC4x2",
    .help = "Zynq UltraScale+ RFSoC board",
    .part = "xczu48dr-ffvg1517-2-e",
    .family = "xcup",
    .source = "vendor data sheet",
    .lut = 425280,
    .ff = 850560,
    .bram18 = 2160,
    .uram = 80,
    .dsp = 4272,
    .lut_inputs = 6,
    .dsp_a = 27,
    .dsp_b = 18,
    .ram_bits = 18432,
    .clk_ns = 5,
    .usable_lut = 0.7,
};
