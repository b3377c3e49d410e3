#!/usr/bin/env python3
"""executors.py BUILD [FILTER]: the executor cpu against the reference executor: every operator case of ops.py, and
every network of tests/data and of the shared models, imported (within rounding) and streamlined (to the bit)."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from op_case import CASES, np
import ops_hw  # noqa: F401: their cases go into CASES
import ops_nn  # noqa: F401
import ops_q  # noqa: F401

BUILD = pathlib.Path(sys.argv[1]).resolve()
NASHC = BUILD / "tools" / "nashc"
FILTER = sys.argv[2] if len(sys.argv) > 2 else ""
ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent.parent / "shared" / "models"
SECONDS = 300
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


def op_case(c):
    name, text, inputs, want, tol = c
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        (t / "g.nashir").write_text(text)
        np.savez(t / "x.npz", **inputs)
        return [(f"op {name}", compare(t / "g.nashir", t / "x.npz", t, 1e-6))]


def inputs_of(folder, meta):
    out = {}
    for i in meta["inputs"]:
        a = np.load(folder / i["file"])
        a = a[i["name"]] if isinstance(a, np.lib.npyio.NpzFile) else a
        out[i["name"]] = a[:, 0] if a.ndim == len(i["shape"]) + 1 and i["shape"][0] == 1 else a
    return out


def network(folder):
    meta = json.loads((folder / "meta.json").read_text())
    if "inputs" not in meta:
        return [(f"net {folder.name}", "skip: no inputs")]
    model = folder / meta["model"]
    if model.suffix != ".onnx":
        return [(f"net {folder.name}", "skip: packed")]
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        np.savez(t / "x.npz", **{k: v[:3] for k, v in inputs_of(folder, meta).items()})
        got = [(f"net {folder.name}", compare(model, t / "x.npz", t, 1e-5))]
        r = nashc("opt", model, "-passes=streamline", *ARGS.get(folder.name, ()), "-o", t / "s.nashir")
        if r.returncode:
            return got + [(f"net {folder.name} streamlined", f"skip: {r.stderr.strip()[:200]}")]
        why = compare(t / "s.nashir", t / "x.npz", t, 0, "--executor-option", "threads=2")
        return got + [(f"net {folder.name} streamlined", why)]


def main():
    r = nashc("list", "executors")
    if not any(line.strip() == "cpu" for line in r.stdout.splitlines()):
        print("skip: the executor cpu is not built")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    folders = sorted(f.parent for root in (ROOT / "data", SHARED) for f in root.glob("*/meta.json"))
    if not SHARED.is_dir():
        print(f"skip: {SHARED} is not there")
    work = [(op_case, c) for c in CASES if FILTER in "op " + c[0]]
    work += [(network, f) for f in folders if FILTER in "net " + f.name]
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
