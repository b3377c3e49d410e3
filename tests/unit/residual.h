/* residual.h: a block whose branches differ in length, for tests of FIFOs. */
#ifndef NASHC_UNIT_RESIDUAL_H
#define NASHC_UNIT_RESIDUAL_H

/* A residual block: 3x3 on 6x6 pixels of 2 channels; the bypass must hold what comes in before the
 * first window is complete, (W + 2) * C beats (docs/fifos.md), and little more. */
static const char *const residual =
    "graph @dataflow(%x: u2[36,2]) -> (%y) {\n"
    "  %l: u2[36,2], %r: u2[36,2] = hw.duplicate_streams(%x)\n"
    "  %z: u1<0..0>[1,1] = [0]\n"
    "  %p: u2[64,2] = hw.fmpadding(%l, %z) dim=[6,6] pads=[1,1,1,1]\n"
    "  %v: u2[324,2] = hw.window(%p) dims=[6,6,1,3,3,2] strides=[16,2,2,16,2,1]\n"
    "  %w: bip[18,2] = rand 1\n"
    "  %t: i8[1,3] = [-5, 0, 5]\n"
    "  %a: u2[36,2] = hw.mvau(%v, %w, %t)\n"
    "  %y: u2[36,2] = hw.add_streams(%a, %r) func=max\n"
    "}\n";

#endif
