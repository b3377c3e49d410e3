/* device.h: boards and parts, as data. */
#ifndef NASHC_DEVICE_H
#define NASHC_DEVICE_H

#include <nashc/base.h>

NASHC_BEGIN

typedef struct nashc_device {
    uint32_t struct_size, flags;
    const char *name, *help;             /* "Pynq-Z1" */
    const char *part;                    /* "xc7z020clg400-1"; accepted in place of the name */
    const char *family;                  /* xc7, xcup, versal, ice40, ecp5, nexus, gowin, generic */
    const char *source;                  /* where the numbers come from */
    uint64_t lut, ff, bram18, uram, dsp; /* of the whole device */
    uint32_t lut_inputs;                 /* 4 or 6 */
    uint32_t dsp_a, dsp_b;               /* signed multiplier operand widths; 0: no DSP */
    uint32_t ram_bits;                   /* of one block RAM (18432, 4096) */
    double clk_ns;                       /* usual clock period */
    double usable_lut;                   /* fraction planners may fill, 0.7 */
} nashc_device;

NASHC_END
#endif
