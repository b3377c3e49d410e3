#!/usr/bin/env python3
"""executors.py BUILD [FILTER]: the executor cpu against the reference executor: every operator case of ops.py, and
every network of tests/data, of the shared models and of the shared cases, imported (within rounding; those of the
cases that have expected values within the rule of their case.json) and streamlined (to the bit)."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from fixture import inputs_of, model_of
from op_case import CASES, bits, lit, np
import ops_hw  # noqa: F401: their cases go into CASES
import ops_nn  # noqa: F401
import ops_q  # noqa: F401

BUILD = pathlib.Path(sys.argv[1]).resolve()
NASHC = BUILD / "tools" / "nashc"
FILTER = sys.argv[2] if len(sys.argv) > 2 else ""
ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent.parent / "shared" / "models"
CASES_DIR = SHARED.parent / "cases"
SECONDS = 300
LAYERS = 140
ARGS = {"micro_no_input_quant": ["--input-datatype", "UINT8", "--input-scale", "1"],  # what their inputs mean
        "nash_v2_r18_32": ["--input-datatype", "UINT8", "--input-scale", "0.00392156862745098"]}


def nashc(*args):
    return subprocess.run([NASHC, *map(str, args)], capture_output=True, text=True, timeout=SECONDS)


def run(graph, x, executor, y, *more):
    r = nashc("run", graph, "--input", x, "--output", y, "--executor", executor, *more)
    return r.returncode, r.stderr.strip()


def difference(a, b, tol):
    """What differs between two files of results; tol 0: to the bit, NaN equal to NaN."""
    a, b = np.load(a), np.load(b)
    if a.files != b.files:
        return f"outputs {a.files} and {b.files}"
    for k in a.files:
        same = (a[k] == b[k]) | ((a[k] != a[k]) & (b[k] != b[k]))
        if tol and not np.issubdtype(a[k].dtype, np.integer):
            same |= np.isclose(b[k], a[k], rtol=tol, atol=tol, equal_nan=True)
        if not same.all():
            i = int(np.argmin(same.reshape(-1)))
            return (f"{k}: {int((~same).sum())} of {same.size} differ, first [{i}]: reference "
                    f"{a[k].reshape(-1)[i]!r}, cpu {b[k].reshape(-1)[i]!r}")
    return None


def compare(graph, x, t, tol, *more):
    """None, or how the executors differ on a graph; failing alike is being equal."""
    want, err = run(graph, x, "reference", t / "r.npz")
    got, err2 = run(graph, x, "cpu", t / "c.npz", *more)
    if want != got:
        return f"exit {want} and {got}: {err or err2}"[:400]
    return difference(t / "r.npz", t / "c.npz", tol) if want == 0 else None


def shared(threads):
    """Options with which every step is shared out, however small, where there are fewer samples than threads."""
    return "--threads", threads, "--executor-option", "grain=0"


def op_case(c):
    name, text, inputs, want, tol = c
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        (t / "g.nashir").write_text(text)
        np.savez(t / "x.npz", **inputs)
        return [(f"op {name}", compare(t / "g.nashir", t / "x.npz", t, 1e-6, *shared(3)))]


def extra_cases():
    """What the operators' own cases are too small for: matrices turned by vectors, lines of many elements, NaN."""
    rng = np.random.default_rng(5)

    def one(name, y, body, x):
        kind = "f32" if x.dtype == np.float32 else "i16"
        text = f"nashc 1\n\ngraph @main(%x: {kind}[{','.join(map(str, x.shape))}]) -> ({y}) {{\n  {body}\n}}\n"
        return name, text, {"x": x}, None, 0

    for shape in ((2, 3, 5, 7), (1, 2, 4, 4), (1, 15, 3, 6), (1, 16, 4, 4), (3, 17, 4, 5), (1, 3, 4, 4)):
        for kind in (np.float32, np.int16):
            x = rng.integers(-99, 99, shape).astype(kind)
            to = f"{'f32' if kind == np.float32 else 'i16'}[{shape[0]},{shape[2]},{shape[3]},{shape[1]}]"
            yield one(f"turn {shape} {kind.__name__}", "%y", f"%y: {to} = nn.transpose(%x) perm=[0,2,3,1]", x)
    x = rng.integers(-5, 5, (2, 9, 4)).astype(np.float32)
    x[0, 3, 1] = x[0, 5, 1] = x[1, 0, 2] = np.nan
    for k, largest in ((1, "true"), (4, "false"), (9, "true"), (9, "false")):
        out = f"%v: f32[2,{k},4], %i: u4<0..8>[2,{k},4]"
        yield one(f"topk {k} {largest}", "%v, %i", f"{out} = nn.topk(%x) k={k} axis=1 largest={largest}", x)
    for last in ("true", "false"):
        yield one(f"argmax {last}", "%y",
                  f"%y: u4<0..8>[2,1,4] = nn.argmax(%x) axis=1 select_last={last}", x)
    for op in ("reduce_max", "reduce_min", "reduce_mean", "reduce_sum"):
        yield one(op, "%y", f"%y: f32[1,9,1] = nn.{op}(%x) axes=[0,2]", x)
    x = rng.standard_normal((2, 5, 3)).astype(np.float32)
    for axis in (1, 2):
        yield one(f"softmax {axis}", "%y", f"%y: f32[2,5,3] = nn.softmax(%x) axis={axis}", x)


# --- random layers: every kind of word, tile and threshold ---------------------------------------------------------

KINDS = [("bip", -1, 1), ("u1", 0, 1), ("u2", 0, 3), ("i2", -2, 1), ("u4", 0, 15), ("i8", -128, 127), ("u8", 0, 255),
         ("i12", -2048, 2047), ("i20", -524288, 524287), ("i40", -2**39, 2**39 - 1)]
WEIGHTS = [[-1, 1], [-1, 0, 1], [-3, 3], [-2, -1, 0, 1], range(-8, 8), range(-128, 128), range(-3000, 3000)]


def reach(w, lo, hi):
    """Least and greatest sum of w x, over the rows of w."""
    w = w.reshape(w.shape[0], -1).astype(object)
    low = [sum(v * (lo if v > 0 else hi) for v in row) for row in w]
    high = [sum(v * (hi if v > 0 else lo) for v in row) for row in w]
    return min(low), max(high)


def values(rng, kind, lo, hi, shape):
    return rng.choice([-1, 1], shape) if kind == "bip" else rng.integers(lo, hi + 1, shape)


def random_layer(seed):
    """A convolution and thresholds, of random sizes and types, as text and input."""
    rng = np.random.default_rng(seed)
    pick = lambda *a: a[rng.integers(len(a))]  # noqa: E731
    kind, lo, hi = KINDS[seed % len(KINDS)]
    group = pick(1, 1, 1, 2, 3)
    cg, mg = pick(1, 3, 5, 8, 16, 33, 64, 70), pick(1, 2, 7, 16, 20, 33, 64, 100)
    k, stride, dil, pad = pick(1, 2, 3), pick(1, 1, 2), pick(1, 1, 2), pick(0, 0, 1, 2)
    if pick(0, 0, 0, 1):
        group, cg, mg = pick(3, 16, 21), 1, pick(1, 1, 2)  # depthwise
    size, batch, c, m = pick(7, 9, 12), pick(1, 1, 2), cg * group, mg * group
    out = (size + 2 * pad - (k - 1) * dil - 1) // stride + 1
    w = rng.choice(np.array(list(WEIGHTS[seed // len(KINDS) % len(WEIGHTS)])), (m, cg, k, k))
    ylo, yhi = reach(w, min(lo, 0) if pad else lo, max(hi, 0) if pad else hi)
    n = pick(1, 3, 15, 40)
    spread = max(1, (int(yhi) - int(ylo)) // 4)
    rows = pick(1, m)
    t = np.sort(rng.integers(-spread, spread + 1, (rows, n)), axis=1)
    tlo, thi = int(t.min()), int(t.max())
    bias = pick(0, -n // 2)
    shape = f"[{batch},{m},{out},{out}]"
    text = f"""nashc 1

graph @main(%x: {kind}[{batch},{c},{size},{size}]) -> (%y, %z) {{
  %w: {bits(int(w.min()), int(w.max()))}[{m},{cg},{k},{k}] = {lit(w)}
  %t: {bits(tlo, thi)}[{rows},{n}] = {lit(t)}
  %y: {bits(int(ylo), int(yhi))}{shape} = nn.conv(%x, %w) stride=[{stride},{stride}] pads=[{pad},{pad},{pad},{pad}] """
    text += f"""dilation=[{dil},{dil}] group={group}
  %v: {bits(int(ylo), int(yhi))}{shape} = nn.conv(%x, %w) stride=[{stride},{stride}] pads=[{pad},{pad},{pad},{pad}] """
    text += f"""dilation=[{dil},{dil}] group={group}
  %z: {bits(bias, bias + n)}{shape} = q.multithreshold(%v, %t) out_bias={bias}
}}
"""
    return text, values(rng, kind, lo, hi, (2 * batch, c, size, size))


def layer(seed):
    text, x = random_layer(seed)
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        (t / "g.nashir").write_text(text)
        np.savez(t / "x.npz", x=x)
        width = (64, 32, 16)[seed % 3]
        why = compare(t / "g.nashir", t / "x.npz", t, 0, "--executor-option", f"width={width}",
                      *shared((4, 7)[seed % 2]))
        r = nashc("run", t / "g.nashir", "--input", t / "x.npz", "--output", t / "y.npz")
        return [(f"layer {seed}", why or (f"cannot be run: {r.stderr.strip()[:300]}" if r.returncode else None))]


def fault(executor):
    """What no integer is must be reported, as the reference does."""
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        (t / "g.nashir").write_text("""nashc 1

graph @main(%x: f32[1,40]) -> (%y) {
  %s: f32[] = [0.5]
  %z: f32[] = [0]
  %y: i4[1,40] = q.quant(%x, %s, %z) qmin=-8 qmax=7 codes=true
}
""")
        x = np.zeros((3, 40), np.float32)
        x[1, 37] = np.nan
        np.savez(t / "x.npz", x=x)
        status, text = run(t / "g.nashir", t / "x.npz", executor, t / "y.npz")
        whose = re.compile(r"\n  note: in executor .*")  # the cpu executor is a plugin, which is told
        return status, whose.sub("", text.replace(str(t), ""))


def same_fault(_):
    want, got = fault("reference"), fault("cpu")
    return [("fault of a NaN", None if want == got and want[0] == 1 else f"{want} and {got}")]


# --- networks ------------------------------------------------------------------------------------------------------

def network(folder):
    meta = json.loads((folder / "meta.json").read_text())
    if "inputs" not in meta:
        return [(f"net {folder.name}", "skip: no inputs")]
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        model = model_of(folder, meta, t)
        np.savez(t / "x.npz", **{k: v[:3] for k, v in inputs_of(folder, meta).items()})
        return [(f"net {folder.name}", compare(model, t / "x.npz", t, 1e-5)),
                streamlined(f"net {folder.name}", model, t / "x.npz", t, *ARGS.get(folder.name, ()))]


def streamlined(name, model, x, t, *args):
    """The outcome of the integer graph of a model: the bits of the reference."""
    r = nashc("opt", model, "-passes=streamline", *args, "-o", t / "s.nashir")
    if r.returncode:
        return f"{name} streamlined", f"skip: {r.stderr.strip()[:200]}"
    return f"{name} streamlined", compare(t / "s.nashir", x, t, 0, *shared(2))


ROWS = ["tfc_w1a1_fmnist", "cnv_q_w2a2_fmnist", "nash_v4_r18_32", "mobilenet_v1_w4a4_32", "qcdq_cnn_w8a8", "float_cnn",
        "micro_conv1d", "micro_channel_shuffle", "micro_pad_reflect_edge", "micro_global_avgpool", "micro_softmax_tail",
        "micro_conv_grouped", "zoo_espcn_nn_quant"]


def rows(folder):
    """One sample on several threads: the bits of one, and of the reference for integers."""
    meta = json.loads((folder / "meta.json").read_text())
    name = f"rows {folder.name}"
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        np.savez(t / "x.npz", **{k: v[:1] for k, v in inputs_of(folder, meta).items()})
        model = model_of(folder, meta, t)
        if nashc("opt", model, "-passes=streamline", "-o", t / "s.nashir").returncode == 0:
            model = t / "s.nashir"
        why = compare(model, t / "x.npz", t, 0 if model.suffix == ".nashir" else 1e-5, *shared(1))
        for threads in (2, 3, 5):
            status, err = run(model, t / "x.npz", "cpu", t / "n.npz", *shared(threads), "--repeat", 3,
                              "--executor-option", f"cache={t / 'kept'}")
            why = why or (f"exit {status}: {err[:300]}" if status else difference(t / "c.npz", t / "n.npz", 0))
        return [(name, why)]


def unexpected(got, folder, how):
    """None, or where results are not the expected ones of a case."""
    got, want = np.load(got), np.load(folder / "expect.npz")
    for k in want.files:
        w = want[k].astype(np.float64)
        off = ~np.isclose(got[k].reshape(w.shape).astype(np.float64), w, rtol=how["rtol"], atol=how["atol"])
        if off.mean() > how.get("may_differ", 0):
            return f"{k}: {int(off.sum())} of {w.size} elements off"
    return None


def case(folder):
    """A small network after a bug report."""
    how, x, model = json.loads((folder / "case.json").read_text()), folder / "input.npz", folder / "model.onnx"
    name = f"case {folder.name}"
    if not x.is_file():
        return [(name, "skip: no inputs")]
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        if how["want"] == "build" and (folder / "expect.npz").is_file():
            status, err = run(model, x, "cpu", t / "c.npz")
            why = f"exit {status}: {err[:400]}" if status else unexpected(t / "c.npz", folder, how)
        else:
            why = compare(model, x, t, 1e-5)
        return [(name, why), streamlined(name, model, x, t)]


def main():
    r = nashc("list", "executors")
    if not any(line.strip() == "cpu" for line in r.stdout.splitlines()):
        print("skip: the executor cpu is not built")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    folders = sorted(f.parent for root in (ROOT / "data", SHARED) for f in root.glob("*/meta.json"))
    cases = sorted(f.parent for f in CASES_DIR.glob("*/case.json"))
    if not SHARED.is_dir():
        print(f"skip: {SHARED} is not there")
    work = [(op_case, c) for c in (*CASES, *extra_cases()) if FILTER in "op " + c[0]]
    work += [(layer, s) for s in range(LAYERS) if FILTER in f"layer {s}"]
    work += [(same_fault, 0)] if FILTER in "fault of a NaN" else []
    work += [(network, f) for f in folders if FILTER in "net " + f.name]
    work += [(rows, f) for f in folders if f.name in ROWS and FILTER in "rows " + f.name]
    work += [(case, f) for f in cases if FILTER in "case " + f.name]
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for results in pool.map(lambda w: w[0](w[1]), work):
            for name, why in results:
                skip = bool(why) and why.startswith("skip")
                failed, skipped, passed = failed + bool(why and not skip), skipped + skip, passed + (not why)
                if why:
                    print("skip" if skip else "FAIL", name, why.removeprefix("skip: "), flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
