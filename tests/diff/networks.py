#!/usr/bin/env python3
"""networks.py BUILD: every network of tests/data against its golden output: imported, streamlined, read back from
text and from ONNX, as generated Verilog in Icarus, with free and with stalled streams, and as generated C."""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
NASHC = pathlib.Path(sys.argv[1]).resolve() / "tools" / "nashc"
passed = failed = 0


def nashc(*args):
    r = subprocess.run([NASHC, *map(str, args)], capture_output=True, text=True, timeout=600)
    if r.returncode:
        raise RuntimeError(f"nashc {args[0]} exits {r.returncode}: {r.stderr.strip()[-300:]}")


def compare(meta, got, want):
    got = np.load(got)
    got = got[got.files[0]] if hasattr(got, "files") else got
    tol = meta["tolerance"]
    atol = 0 if tol["kind"] == "exact" else tol["atol"]
    if got.size != want.size:
        raise RuntimeError(f"shape {got.shape}, expected {want.shape}")
    worst = float(np.abs(got.reshape(want.shape).astype(float) - want).max())
    if worst > atol:
        raise RuntimeError(f"off by {worst:g}, allowed {atol:g}")


def check(name, step):
    global passed, failed
    try:
        step()
        passed += 1
        print("ok  ", name)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as e:
        failed += 1
        print("FAIL", name, e)


def network(folder, tmp):
    meta = json.loads((folder / "meta.json").read_text())
    model, x = folder / "model.onnx", folder / "input.npy"
    want = np.load(folder / "output.npy")
    y, z = tmp / "y.npy", tmp / "z.npy"

    def run(m):
        nashc("run", m, "--input", x, "--output", y)
        compare(meta, y, want)

    def through(out, passes):
        nashc("opt", model, f"-passes={passes}", "--verify-each", "-o", out)
        run(out)

    def hardware():
        nashc("compile", model, "-o", tmp / "hw", "--device", "U250", "--clock-ns", "5")
        nashc("sim", tmp / "hw", "--input", x, "--output", y)
        compare(meta, y, want)

    def stalled():
        nashc("sim", tmp / "hw", "--input", x, "--output", z, "--throttle", "7")
        if not np.array_equal(np.load(y), np.load(z)):
            raise RuntimeError("stalled streams change the result")

    def compiled():
        nashc("compile", model, "-o", tmp / "hls", "--backend", "hls", "--device", "U250", "--clock-ns", "5")
        nashc("sim", tmp / "hls", "--simulator", "cc", "--input", x, "--output", z)
        if not np.array_equal(np.load(y), np.load(z)):
            raise RuntimeError("the C differs from the Verilog")

    check(f"{folder.name}: reference executor", lambda: run(model))
    check(f"{folder.name}: text round trip", lambda: through(tmp / "a.nashir", ""))
    check(f"{folder.name}: ONNX round trip", lambda: through(tmp / "b.onnx", ""))
    check(f"{folder.name}: streamlined", lambda: through(tmp / "s.nashir", "streamline,check-streamlined"))
    check(f"{folder.name}: streamlined, through ONNX", lambda: through(tmp / "t.onnx", "streamline"))
    check(f"{folder.name}: Verilog in Icarus", hardware)
    check(f"{folder.name}: Verilog, stalled", stalled)
    check(f"{folder.name}: C of the hls backend", compiled)


for net in sorted(p for p in DATA.iterdir() if (p / "meta.json").is_file()):
    with tempfile.TemporaryDirectory() as t:
        network(net, pathlib.Path(t))
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
