#!/usr/bin/env python3
"""run.py BUILD: figures with a ratio to a peer or a limit, all from this run; nothing fails on time.

Peers' figures that cannot be had here are quoted with their source beside the ratio."""
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = BUILD / "tools" / "nashc"
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared" / "models"
QONNX_MS = (25, 43)  # qonnx 1.0.0, one sample of these networks, 2-core machine
ran = 0


def best(cmd, runs=3):
    """Best wall time of some runs in seconds, and the peak memory of the children in MB."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        r = subprocess.run([str(c) for c in cmd], capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if r.returncode:
            print(f"  failed: {' '.join(map(str, cmd))}: {r.stderr.strip()[-200:]}")
            return None, 0
    return min(times), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def compile_time():
    global ran
    print("compile, --verify ir included; limit 1 s; beside it qonnx 1.0.0 executing one sample, 25 to 43 ms")
    nets = [p for p in sorted(DATA.iterdir()) if (p / "model.onnx").is_file()]
    nets += [p for n in ("zoo_tfc_w1a1", "zoo_tfc_w1a2", "zoo_tfc_w2a2", "zoo_kwsmlp_w3a3", "zoo_unsw_nb15_w2a2",
                         "zoo_finn_fpga_flow_tfc") if (p := SHARED / n).is_dir()]
    for p in nets:
        with tempfile.TemporaryDirectory() as tmp:
            t, _ = best([NASHC, "compile", p / "model.onnx", "-o", f"{tmp}/hw", "-q"])
        if t:
            ran += 1
            print(f"  {p.name:28} {t * 1e3:8.1f} ms   {t:5.2f} of the limit   "
                  f"{t * 1e3 / QONNX_MS[1]:5.1f} to {t * 1e3 / QONNX_MS[0]:5.1f} x one qonnx sample")


def big_network():
    global ran
    packed = SHARED / "nash_v4_r18_224_full" / "model.onnx.xz"
    if not packed.is_file():
        print("skip front end on NASH-ResNet18 at 224x224: the fixture is not beside the checkout")
        return
    with tempfile.TemporaryDirectory() as tmp:
        model = pathlib.Path(tmp, "m.onnx")
        model.write_bytes(subprocess.run(["xz", "-dc", packed], capture_output=True, check=True).stdout)
        t, mb = best([NASHC, "opt", model, "-passes=streamline", "-o", f"{tmp}/s.nashir", "-q"])
        size = model.stat().st_size / 1e6
        if t:
            ran += 1
            print(f"front end + streamline, NASH-ResNet18 at 224x224: {t:.2f} s, {t / 3:.2f} of the limit of 3 s "
                  f"(the reference flow: 77 s); {mb:.0f} MB, {mb / (6 * size + 200):.2f} of the limit")


def chain():
    """No quadratic step: ten times the layers may take twenty times as long at most."""
    global ran
    times = {}
    with tempfile.TemporaryDirectory() as tmp:
        for n in (2000, 20000):
            lines = ["nashc 1", "", "graph @main(%x: f32[1,8]) -> (%y) {", "  %s: f32[] = [0.5]", "  %z: f32[] = [0]",
                     "  %a0: f32[1,8] = q.quant(%x, %s, %z) qmin=-8 qmax=7"]
            for i in range(n):
                lines += [f"  %w{i}: f32[8,8] = rand {i + 1}",
                          f"  %q{i}: f32[8,8] = q.quant(%w{i}, %s, %z) qmin=-7 qmax=7",
                          f"  %m{i}: f32[1,8] = nn.matmul(%a{i}, %q{i})",
                          f"  %a{i + 1}: f32[1,8] = q.quant(%m{i}, %s, %z) qmin=-8 qmax=7"]
            lines += [f"  %y: f32[1,8] = nn.identity(%a{n})", "}", ""]
            path = pathlib.Path(tmp, f"{n}.nashir")
            path.write_text("\n".join(lines))
            times[n], _ = best([NASHC, "opt", path, "-passes=streamline", "-o", f"{tmp}/s.nashir", "-q"])
    if all(times.values()):
        ran += 1
        ratio = times[20000] / times[2000]
        print(f"streamline on a chain: 2,000 layers {times[2000]:.2f} s, 20,000 layers {times[20000]:.2f} s: "
              f"{ratio:.1f} times, {ratio / 20:.2f} of the limit of 20")


def programs():
    """Benchmarks written in C print their own table."""
    global ran
    for exe in sorted((BUILD / "tests" / "bench").iterdir()):
        if exe.is_file() and exe.stat().st_mode & 0o100:
            r = subprocess.run([exe], capture_output=True, text=True)
            print(r.stdout.rstrip())
            ran += r.returncode == 0


compile_time()
big_network()
chain()
programs()
print(f"{ran} passed, 0 failed")
