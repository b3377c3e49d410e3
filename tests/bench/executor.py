#!/usr/bin/env python3
"""executor.py BUILD [--update]: images a second of the executor cpu, one thread and all, beside the reference
executor, onnxruntime where it is installed, and the processor's peaks, all measured in this run. --update writes the
table into docs/executor.md."""
import json
import lzma
import math
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = BUILD / "tools" / "nashc"
PLACES = [ROOT / "tests" / "data", ROOT.parent / "shared" / "models", ROOT.parent.parent / "shared" / "models"]
NETWORKS = ["tfc_w1a1_fmnist", "tfc_w2a2_fmnist", "cnv_w1a1_full", "nash_v4_r18_32", "resnet18_base_w4a4_32",
            "mobilenet_v1_w4a4_32"]
PAGE, BEGIN, END = ROOT / "docs" / "executor.md", "<!-- table -->\n", "<!-- end of table -->\n"


def call(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True).stdout


def rate(graph, x, executor, seconds, *more):
    """Images a second, best of three; the work is scaled to take about that long."""
    def run(repeat):
        out = call(NASHC, "run", graph, "--executor", executor, "--input", x, "--output", x.parent / "y.npz",
                   "--repeat", repeat, *more)
        return float(out.split("a sample,")[1].split()[0])
    n = len(np.load(x)[np.load(x).files[0]])
    repeat = max(1, int(run(1) * seconds / n))
    return max(run(repeat) for _ in range(3 if seconds else 1))


def peaks(tmp):
    """Gop/s of one thread: popcounts of bits, bytes, doubles."""
    call("cc", "-O2", "-march=native", "-o", tmp / "peaks", ROOT / "tests" / "bench" / "peaks.c")
    runs = [[float(v) for v in call(tmp / "peaks").split()] for _ in range(5)]
    return [max(r[i] for r in runs) for i in range(3)]


def onnxruntime_rate(model, x):
    try:
        import onnxruntime
    except ImportError:
        return None
    try:
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    except Exception:  # quantisers of QONNX are unknown to it
        return None
    feed = {i.name: x[k][:1] for i, k in zip(session.get_inputs(), x.files)}
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < 1:
        session.run(None, feed)
        n += 1
    return n / (time.perf_counter() - start)


def network(name, tmp):
    folder = next((p / name for p in PLACES if (p / name).is_dir()), None)
    if not folder:
        return None
    meta = json.loads((folder / "meta.json").read_text())
    model = folder / meta["model"]
    if model.suffix == ".xz":
        (tmp / model.stem).write_bytes(lzma.open(model).read())
        model = tmp / model.stem
    data = np.load(folder / meta["inputs"][0]["file"])
    data = data[meta["inputs"][0]["name"]] if hasattr(data, "files") else data
    np.savez(tmp / "x.npz", **{meta["inputs"][0]["name"]: np.tile(data[:8], (32,) + (1,) * (data.ndim - 1))})
    np.savez(tmp / "x1.npz", **{meta["inputs"][0]["name"]: data[:1]})
    call(NASHC, "opt", model, "-passes=streamline", "-o", tmp / "s.nashir")
    macs = multiply_adds((tmp / "s.nashir").read_text())
    one = rate(tmp / "s.nashir", tmp / "x.npz", "cpu", 1, "--threads", "1")
    all_ = rate(tmp / "s.nashir", tmp / "x.npz", "cpu", 1, "--threads", str(os.cpu_count()))
    ref = rate(tmp / "s.nashir", tmp / "x1.npz", "reference", 0)
    return macs, one, all_, ref, onnxruntime_rate(model, np.load(tmp / "x1.npz"))


def multiply_adds(text):
    """Of all convolutions and products of a graph in text form, channels first."""
    shape = {n: [int(d) for d in dims.split(",") if d] for n, dims in
             re.findall(r"%([\w.]+): [^\[\]]*\[([\d,]*)\]", text)}
    total = 0
    for out, op, args in re.findall(r"%([\w.]+): \S+ = (nn\.conv|nn\.matmul|nn\.gemm)\(([^)]*)\)", text):
        y, w = shape[out], shape[args.split(",")[1].strip().lstrip("%")]
        total += math.prod(y) * (math.prod(w[1:]) if op == "nn.conv" else w[-2])
    return total


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def table(tmp):
    p = peaks(tmp)
    yield f"{processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}. Peaks of one thread in the same "
    yield f"run: {p[0]:.0f} Gop/s of 1 bit by popcount, {p[1]:.0f} of bytes, {p[2]:.0f} of doubles (2 operations a "
    yield "multiply-add).\n\n| network, streamlined | one thread, images/s | all threads | Gop/s, one thread "
    yield "| reference | times | onnxruntime, imported |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- |\n"
    for name in NETWORKS:
        r = network(name, tmp)
        if not r:
            print(f"skip: {name} is not there", file=sys.stderr)
            continue
        macs, one, all_, ref, peer = r
        yield (f"| {name} | {one:,.0f} | {all_:,.0f} | {2e-9 * macs * one:.0f} | {ref:,.1f} | {one / ref:,.0f} | "
               f"{f'{peer:,.0f}' if peer else '-'} |\n")


def main():
    with tempfile.TemporaryDirectory() as t:
        text = "".join(table(pathlib.Path(t)))
    print(text)
    if "--update" in sys.argv:
        page = PAGE.read_text()
        PAGE.write_text(page[:page.index(BEGIN) + len(BEGIN)] + text + page[page.index(END):])


main()
