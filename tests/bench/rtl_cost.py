#!/usr/bin/env python3
# rtl_cost.py: cells of the RTL modules for a fixed parameter set each, as Yosys counts them.
"""rtl_cost.py [--target xc7|ice40] [--only TEXT] [-j JOBS]

Rows: module, parameters, LUTs, flip-flops, LUT RAM, block RAM (18 Kbit), multipliers, seconds. One clock
and no timing: figures compare codings with each other, not with a vendor's tools. The Yosys version is
printed, since counts differ between versions."""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RTL = ROOT / "backends" / "verilog" / "rtl"
sys.path.insert(0, str(ROOT / "tests" / "rtl"))
import vectors  # noqa: E402

SETS = [
    ("skid", dict(w=32)),
    ("fifo", dict(w=32, depth=2)),
    ("fifo", dict(w=32, depth=32)),
    ("fifo", dict(w=32, depth=256)),
    ("fifo", dict(w=64, depth=1024)),
    ("dwc", dict(a=8, b=32)),
    ("dwc", dict(a=64, b=8)),
    ("dwc", dict(a=24, b=72)),
    ("dwc", dict(a=24, b=32)),
    ("dwc", dict(a=48, b=36)),
    ("join2", dict(w0=16, w1=16)),
    ("fork", dict(w=32, n=2)),
    ("concat", dict(pe=8, na=64, nb=128, a="u4", b="u4", ow=4)),
    ("concat", dict(pe=8, na=64, nb=128, a="bip", b="u4", ow=5)),
    ("split", dict(pe=8, na=64, nb=128, xw=4)),
    ("fmpadding", dict(c=64, simd=8, h=32, w=32, x="u4", ow=4, shared=1)),
    ("fmpadding", dict(c=64, simd=8, h=32, w=32, x="u4", ow=4)),
    ("fmpadding", dict(c=64, simd=8, h=32, w=32, gaps=(1, 1), x="u4", ow=4)),
    ("fmpadding", dict(c=1, simd=1, h=224, w=224, top=3, left=3, bottom=3, right=3, x="i8", ow=8)),
    ("thresh_par", dict(c=64, pe=8, xw=8, xs=1, tw=8, k=3, ow=2)),
    ("thresh_par", dict(c=64, pe=8, xw=8, xs=1, tw=8, k=15, ow=4)),
    ("thresh_bs", dict(c=64, pe=8, xw=8, xs=1, tw=8, k=3, ow=2, deep=1)),
    ("thresh_bs", dict(c=64, pe=8, xw=8, xs=1, tw=8, k=15, ow=4, deep=1)),
    ("thresh_bs", dict(c=64, pe=2, xw=16, xs=1, tw=16, k=255, ow=8, deep=1)),
    ("channelwise", dict(c=64, pe=8, func=0)),
    ("requant", dict(c=64, pe=8, xw=16, mw=10, aw=26, shift=16, qmin=-128, qmax=127)),
    ("lut", dict(c=64, pe=2, xw=4, n=16, ow=8)),
    ("labelselect", dict(labels=10, pe=1, k=1, xw=16)),
    ("labelselect", dict(labels=10, pe=10, k=1, xw=16)),
    ("labelselect", dict(labels=10, pe=2, k=5, xw=16)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=0)),
    ("mvau", dict(mw=1024, mh=16, pe=4, simd=64, mode=0)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=1, xw=8)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=2, ww=2, mul=0)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=2, ww=2, mul=1)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=4, ww=4, mul=0)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=4, ww=4, mul=1)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=8, ww=8, mul=0)),
    ("mvau", dict(mw=64, mh=64, pe=8, simd=8, mode=2, xw=8, ww=8, mul=1)),
]
HARNESS = ("NIN", "NIN1", "NOUT", "STEPS", "LATENCY", "DEPTH_OUT", "LINE", "TOTAL", "BEATS")
CELLS = {
    "xc7": (r"LUT[1-6]", r"FD[RSCP]E", r"RAM\d+X?\d*[MDXS]\w*|SRL\w+", r"RAMB(18|36)E1", r"DSP48E1"),
    "ice40": (r"SB_LUT4", r"SB_DFF\w*", r"-", r"SB_RAM40_4K\w*", r"SB_MAC16"),
}


def measure(job):
    module, kw, target = job
    rnd = random.Random(1)
    params, files = vectors.MAKERS[module](rnd, **kw)
    with tempfile.TemporaryDirectory() as tmp:
        for name, text in files.items():
            pathlib.Path(tmp, name).write_text(text)
        top = "nashc_" + module
        chparam = " ".join(f"-chparam {k} {v}" for k, v in params.items() if k not in HARNESS)
        synth = {"xc7": "synth_xilinx -flatten -noiopad -noclkbuf", "ice40": "synth_ice40 -dsp"}[target]
        names = " ".join(str(p) for p in sorted(RTL.glob("nashc_*.v")))
        script = (f"read_verilog -defer {names}; hierarchy -check -top {top} {chparam}; rename -top {top}; "
                  f"{synth} -top {top}; tee -o stat.txt stat")
        start = time.monotonic()
        done = subprocess.run(["yosys", "-q", "-p", script], cwd=tmp, capture_output=True, text=True)
        seconds = time.monotonic() - start
        if done.returncode:
            return module, kw, None, done.stderr[-500:]
        stat = pathlib.Path(tmp, "stat.txt").read_text()
    found = [(m[0], int(m[1])) for m in re.findall(r"^\s+(\w+)\s+(\d+)$", stat, re.M)]
    counts = []
    for kind in CELLS[target]:
        counts.append(sum(n * (2 if name == "RAMB36E1" else 1) for name, n in found
                          if re.fullmatch(kind, name)))
    return module, kw, counts, seconds


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--target", choices=sorted(CELLS), default="xc7")
    ap.add_argument("--only", default="")
    ap.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    o = ap.parse_args()
    print(subprocess.run(["yosys", "-V"], capture_output=True, text=True).stdout.strip(), "target", o.target)
    print(f"{'module':12} {'LUT':>6} {'FF':>6} {'LUTRAM':>6} {'BRAM18':>6} {'MUL':>5} {'s':>6}  parameters")
    bad = 0
    jobs = [(m, kw, o.target) for m, kw in SETS if o.only in m]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for module, kw, counts, note in pool.map(measure, jobs):
            text = " ".join(f"{k}={v}" for k, v in kw.items())
            if counts is None:
                bad += 1
                print(f"{module:12} failed: {text}\n{note}")
            else:
                print("%-12s %6d %6d %6d %6d %5d %6.1f  %s" % (module, *counts, note, text), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
