#!/usr/bin/env python3
"""executor.py BUILD [--update]: the executor cpu beside qonnx and onnxruntime (where this Python has them; `tests/run
--suite bench-executor` uses one that does) and beside the processor's peaks. All is processor time on one core in one
run, peers and nashc by turns, so that other work on the machine counts little; then the networks on all cores, on the
clock. --update writes the tables into docs/executor.md."""
import os
import sys

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # they would slow the peers' numpy
    os.environ.pop(name, None)
ALL = "--all-cores" in sys.argv  # how this script calls itself for the second table: a pinned process stays so
ALL_CORES = os.sched_getaffinity(0)
os.sched_setaffinity(0, set(range(os.cpu_count())) if ALL else {max(ALL_CORES)})
THREADS = len(os.sched_getaffinity(0))

import json  # noqa: E402
import lzma  # noqa: E402
import math  # noqa: E402
import pathlib  # noqa: E402
import platform  # noqa: E402
import re  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402

try:
    import numpy as np  # noqa: E402
except ImportError:
    print("skip: this Python has no numpy\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)
try:
    import peers
except ImportError as e:
    peers = None
    print(f"skip: the peers: {e}", file=sys.stderr)

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = BUILD / "tools" / "nashc"
PLACES = [ROOT / "tests" / "data", ROOT.parent / "shared" / "models", ROOT.parent.parent / "shared" / "models"]
NETWORKS = ["tfc_w1a1_fmnist", "tfc_w2a2_fmnist", "cnv_w1a1_full", "cnv_q_w2a2_fmnist", "nash_v4_r18_32",
            "nash_v4_w1a1_r18_32", "resnet18_base_w4a4_32", "mobilenet_v1_w4a4_32", "qcdq_cnn_w8a8",
            "qdq_cnn_s8s8_perch"]
SINGLE = ["nash_v4_r18_32", "nash_v4_r18_224_full", "cnv_w1a1_full", "resnet18_base_w4a4_32"]
SECONDS, ROUNDS = 0.2, 3
PAGE = ROOT / "docs" / "executor.md"


def call(*args):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, check=True).stdout


class Run:
    """A graph in the executor, a thread a core."""

    def __init__(self, graph, x, threads=THREADS):
        self.args = [NASHC, "run", graph, "--executor", "cpu", "--threads", str(threads), "--input", x, "--output",
                     x.parent / "y.npz", "--json", "--executor-option", f"cache={x.parent / 'kept'}"]
        self.samples = len(np.load(x)[np.load(x).files[0]])
        self.repeat = 1
        self.repeat = max(1, int(SECONDS / self.seconds() / self.samples))

    def seconds(self):
        """Processor time of a sample; on all cores the clock's."""
        r = json.loads(call(*self.args, "--repeat", self.repeat))
        return r["seconds" if ALL else "cpu_seconds"] / self.samples / self.repeat


class Call:
    """A peer: a function that runs one sample."""

    def __init__(self, function):
        self.function = function
        function()

    def seconds(self):
        clock = time.perf_counter if ALL else time.process_time
        start, n = clock(), 0
        while n == 0 or clock() - start < SECONDS:
            self.function()
            n += 1
        return (clock() - start) / n


def measure(ours, others):
    """Our best seconds a sample, and for each other the seconds and the ratio, by turns: medians."""
    times, ratios = [[] for _ in others], [[] for _ in others]
    best = math.inf
    for _ in range(ROUNDS):
        mine = ours.seconds()
        best = min(best, mine)
        for i, o in enumerate(others):
            t = o.seconds() if o else math.nan
            times[i].append(t)
            ratios[i].append(t / mine)
    return best, [(statistics.median(t), statistics.median(r)) for t, r in zip(times, ratios)]


# --- networks ------------------------------------------------------------------------------------------------------

def find(name):
    return next((p / name for p in PLACES if (p / name).is_dir()), None)


def model_of(folder, meta, tmp):
    model = folder / meta["model"]
    if model.suffix != ".xz":
        return model
    (tmp / model.stem).write_bytes(lzma.open(model).read())
    return tmp / model.stem


def inputs_of(folder, meta):
    data = np.load(folder / meta["inputs"][0]["file"])
    return data[meta["inputs"][0]["name"]] if hasattr(data, "files") else data


def network(name, tmp):
    """Images a second, Gop/s, and the peers' images a second with the ratios; None: it is not there."""
    folder = find(name)
    if not folder:
        return None
    meta = json.loads((folder / "meta.json").read_text())
    model, data = model_of(folder, meta, tmp), inputs_of(folder, meta)
    key = meta["inputs"][0]["name"]
    np.savez(tmp / "x.npz", **{key: np.tile(data[:8], (8,) + (1,) * (data.ndim - 1))})
    call(NASHC, "opt", model, "-passes=streamline", "-o", tmp / "s.nashir")
    macs = multiply_adds((tmp / "s.nashir").read_text())
    others = [None, None]
    if peers:
        one = {key: data[:1] if data.ndim == len(meta["inputs"][0]["shape"]) else data[0]}
        others = [Call(f) if f else None for f in (peers.qonnx(model, one), peers.onnxruntime(model, one))]
    best, results = measure(Run(tmp / "s.nashir", tmp / "x.npz"), others)
    return 1 / best, 2e-9 * macs / best, [(1 / t, r) for t, r in results]


def multiply_adds(text):
    """Of all convolutions and products of a graph in text form, channels first."""
    shape = {n: [int(d) for d in dims.split(",") if d] for n, dims in
             re.findall(r"%([\w.]+): [^\[\]]*\[([\d,]*)\]", text)}
    total = 0
    for out, op, args in re.findall(r"%([\w.]+): \S+ = (nn\.conv|nn\.matmul|nn\.gemm)\(([^)]*)\)", text):
        y, w = shape[out], shape[args.split(",")[1].strip().lstrip("%")]
        total += math.prod(y) * (math.prod(w[1:]) if op == "nn.conv" else w[-2])
    return total


def number(x):
    return "-" if x is None or math.isnan(x) else f"{x:,.0f}" if x >= 10 else f"{x:.3g}"


def network_table(tmp):
    title = f"{THREADS} cores" if ALL else "streamlined"
    yield f"| network, {title} | images/s | Gop/s | qonnx | times | onnxruntime | times |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- |\n"
    for name in NETWORKS:
        r = network(name, tmp)
        if not r:
            print(f"skip: {name} is not there", file=sys.stderr)
            continue
        rate, gops, others = r
        cells = " | ".join(f"{number(a)} | {number(b)}" for a, b in others)
        yield f"| {name} | {number(rate)} | {number(gops)} | {cells} |\n"


def latency_table(tmp):
    """One image at a time, whose rows threads share, on the clock."""
    yield f"| one image at a time | 1 thread, us | {THREADS} threads, us | times |\n"
    yield "| --- | --- | --- | --- |\n"
    for name in SINGLE:
        folder = find(name)
        if not folder:
            print(f"skip: {name} is not there", file=sys.stderr)
            continue
        meta = json.loads((folder / "meta.json").read_text())
        model, data = model_of(folder, meta, tmp), inputs_of(folder, meta)
        np.savez(tmp / "one.npz", **{meta["inputs"][0]["name"]: data[:1]})
        call(NASHC, "opt", model, "-passes=streamline", "-o", tmp / "s.nashir")
        runs = [Run(tmp / "s.nashir", tmp / "one.npz", n) for n in (1, THREADS)]
        one, all_of_them = (min(t) for t in zip(*([r.seconds() for r in runs] for _ in range(ROUNDS))))
        yield f"| {name} | {number(1e6 * one)} | {number(1e6 * all_of_them)} | {one / all_of_them:.2f} |\n"


def data_set(tmp):
    """Seconds on the clock of 10,000 images through the TFC: start, compilation, files and all. The images are those
    beside the model, over and over."""
    folder = find("tfc_w1a1_fmnist")
    images = np.load(folder / "input.npy").reshape(-1, 1, 28, 28)
    times = -(-10000 // len(images))
    np.savez(tmp / "all.npz", global_in=np.tile(images, (times, 1, 1, 1))[:10000])
    call(NASHC, "opt", folder / "model.onnx", "-passes=streamline", "-o", tmp / "s.nashir")
    os.sched_setaffinity(0, ALL_CORES)
    seconds, of_executor = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        out = call(NASHC, "run", tmp / "s.nashir", "--executor", "cpu", "--input", tmp / "all.npz", "--output",
                   tmp / "y.npz", "--repeat", "1", "--json")
        seconds.append(time.perf_counter() - start)
        of_executor.append(json.loads(out)["seconds"])
    return min(seconds), min(of_executor)


# --- layers --------------------------------------------------------------------------------------------------------

LAYERS = [  # name, element and range of inputs, weights, channels, size; which peak
    ("1-bit weights, 1-bit inputs", "bip", (-1, 1), [-1, 1], 256, 14, "bits", 1),
    ("1-bit weights, 2-bit inputs", "u2", (0, 3), [-1, 1], 256, 14, "bits", 2),
    ("2-bit weights, 2-bit inputs", "u2", (0, 3), [-2, -1, 0, 1], 256, 14, "bytes", 1),
    ("4-bit weights, 4-bit inputs", "u4", (0, 15), list(range(-8, 8)), 256, 14, "bytes", 1),
    ("1-bit weights, 8-bit inputs", "u8", (0, 255), [-1, 1], 256, 14, "bytes", 1),
    ("8-bit weights, 8-bit inputs", "i8", (-128, 127), list(range(-128, 128)), 256, 14, "bytes", 1),
    ("floats", "f32", None, None, 128, 14, "doubles", 1),
]
KERNEL = 3


def layer_text(kind, reach, values, c, size, rng):
    """A convolution, and thresholds behind it, channels last."""
    out, taps = size - KERNEL + 1, KERNEL * KERNEL
    shape = f"[1,{size},{size},{c}]NHWC"
    if values is None:
        w = rng.standard_normal(taps * c * c).astype(np.float32)
        return (f"nashc 1\n\ngraph @main(%x: f32{shape}) -> (%y) {{\n"
                f"  %w: f32[{c},{KERNEL},{KERNEL},{c}]NHWC = {[float(v) for v in w]}\n"
                f"  %y: f32[1,{out},{out},{c}]NHWC = nn.conv(%x, %w)\n}}\n")
    w = rng.choice(np.array(values), (c, taps * c))
    bits = "bip" if values == [-1, 1] else f"i{max(2, math.ceil(math.log2(-2 * min(values))))}"
    up, down = np.maximum(w, 0).sum(1), np.minimum(w, 0).sum(1)
    lo = int((up * reach[0] + down * reach[1]).min())
    hi = int((up * reach[1] + down * reach[0]).max())
    acc = f"i{max(hi, -lo - 1).bit_length() + 1}"
    steps = {1: 1, 3: 3, 15: 15}.get(reach[1], 15)
    t = np.sort(rng.integers(lo // 20, hi // 20, (c, steps)), axis=1)
    return (f"nashc 1\n\ngraph @main(%x: {kind}{shape}) -> (%z) {{\n"
            f"  %w: {bits}[{c},{KERNEL},{KERNEL},{c}]NHWC = {w.reshape(-1).tolist()}\n"
            f"  %t: {acc}[{c},{steps}] = {t.reshape(-1).tolist()}\n"
            f"  %y: {acc}<{lo}..{hi}>[1,{out},{out},{c}]NHWC = nn.conv(%x, %w)\n"
            f"  %z: u{steps.bit_length()}[1,{out},{out},{c}]NHWC = q.multithreshold(%y, %t)\n}}\n")


def layer_table(tmp, peak):
    yield f"| {KERNEL} x {KERNEL} convolution with thresholds, one image | Gop/s | peak | per cent |\n"
    yield "| --- | --- | --- | --- |\n"
    for name, kind, reach, values, c, size, which, planes in LAYERS:
        rng = np.random.default_rng(1)
        (tmp / "l.nashir").write_text(layer_text(kind, reach, values, c, size, rng))
        x = rng.standard_normal((16, size, size, c)).astype(np.float32) if values is None else \
            rng.choice([-1, 1], (16, size, size, c)) if kind == "bip" else \
            rng.integers(reach[0], reach[1] + 1, (16, size, size, c))
        np.savez(tmp / "lx.npz", x=x)
        run = Run(tmp / "l.nashir", tmp / "lx.npz")
        best = min(run.seconds() for _ in range(ROUNDS))
        gops = 2e-9 * (size - KERNEL + 1) ** 2 * c * c * KERNEL * KERNEL / best
        top = peak[which] / planes
        yield f"| {c} channels, {size} x {size}, {name} | {gops:.0f} | {top:.0f} | {100 * gops / top:.0f} |\n"


# --- the page ------------------------------------------------------------------------------------------------------

def peaks(tmp):
    """Gop/s of one thread, by kind."""
    call("cc", "-O2", "-march=native", "-o", tmp / "peaks", ROOT / "tests" / "bench" / "peaks.c")
    runs = [dict(line.split() for line in call(tmp / "peaks").splitlines()) for _ in range(ROUNDS)]
    return {k: max(float(r[k]) for r in runs) for k in runs[0]}


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def page(tmp):
    p = peaks(tmp)
    yield (f"{processor()}, one core, processor time; load {os.getloadavg()[0]:.1f}. Peaks in the same run, in Gop/s: "
           f"{p['bits']:.0f} by popcount of bits, {p['bytes']:.0f} by dot products of bytes, {p['tables']:.0f} by "
           f"look-ups of 4 inputs with 1-bit weights, {p['floats']:.0f} and {p['doubles']:.0f} by multiplying and "
           "adding floats and doubles (2 operations a multiply-add). ")
    yield (f"Peers: {peers.VERSIONS}.\n\n" if peers else "\n\n")
    yield from network_table(tmp)
    yield "\n"
    if len(ALL_CORES) > 1:
        yield (f"On all cores, on the clock; load {os.getloadavg()[0]:.1f}: what else runs takes its share, more of "
               "those that wait for all their threads.\n\n")
        yield from call(sys.executable, __file__, BUILD, "--all-cores").splitlines(keepends=True)
        yield "\n"
    yield from layer_table(tmp, p)
    whole, part = data_set(tmp)
    yield (f"\n10,000 images of 28 x 28 pixels through the TFC: {1e3 * whole:.0f} ms from start to end of `nashc run`, "
           f"{1e3 * part:.1f} ms of them in the executor, on the clock.\n")


def all_cores(tmp):
    yield from network_table(tmp)
    yield "\n"
    yield from latency_table(tmp)


def main():
    with tempfile.TemporaryDirectory() as t:
        text = ""
        for part in (all_cores if ALL else page)(pathlib.Path(t)):
            print(part, end="", flush=True)
            text += part
    if ALL:
        return
    if "--update" in sys.argv:
        old, begin, end = PAGE.read_text(), "<!-- table -->\n", "<!-- end of table -->\n"
        PAGE.write_text(old[:old.index(begin) + len(begin)] + text + old[old.index(end):])
    print("1 passed, 0 failed, 0 skipped")


main()
