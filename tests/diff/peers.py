#!/usr/bin/env python3
"""peers.py BUILD: the reference executor against onnxruntime (float and QLinear models) and the QONNX executor
(quantised ones), on inputs that are not the fixtures' own. Needs the Python packages onnx, onnxruntime and qonnx
(`tests/run` installs them into build/peers where it can); without them everything is skipped with the reason."""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

try:
    import numpy as np
    import onnx
    import onnxruntime
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes
except ImportError as e:
    print(f"skip: {e}; `pip install onnx onnxruntime qonnx` for this Python")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

from fixture import model_of

warnings.simplefilter("ignore")
onnxruntime.set_default_logger_severity(3)
NASHC = BUILD / "tools" / "nashc"
SAMPLES = 4
passed = failed = skipped = 0


def inputs_of(folder, meta, rng):
    """Fresh samples for each graph input: the fixture's own values, shuffled, so that grids and ranges hold."""
    fresh = {}
    for entry in meta["inputs"]:
        a = np.load(folder / entry["file"])
        a = a[entry["name"]] if hasattr(a, "files") else a
        flat = rng.permutation(a.reshape(-1))
        n = int(np.prod(entry["shape"]))
        flat = np.resize(flat, SAMPLES * n)
        fresh[entry["name"]] = flat.reshape(SAMPLES, *entry["shape"]).astype(a.dtype)
    return fresh


def expected(model, meta, x, i):
    feed = {k: v[i] for k, v in x.items()}
    if meta["golden"]["tool"].startswith("onnxruntime"):
        o = onnxruntime.SessionOptions()
        o.log_severity_level = 3
        o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        o.intra_op_num_threads = 1
        s = onnxruntime.InferenceSession(model, o)
        return dict(zip([v.name for v in s.get_outputs()], s.run(None, feed)))
    proto = onnx.load(model)
    for v in (*proto.graph.input, *proto.graph.output):
        for d in v.type.tensor_type.shape.dim:
            if d.dim_param:  # a symbolic batch: the peer wants a number
                d.dim_value = 1
    return execute_onnx(ModelWrapper(proto).transform(InferShapes()), feed)


def network(folder):
    global skipped
    meta = json.loads((folder / "meta.json").read_text())
    if not meta.get("outputs") or meta["golden"]["tool"] == "none":
        skipped += 1
        print(f"skip {folder.name}: it has no values of a tool")
        return
    if "float64" in meta["golden"]["tool"] or meta.get("macs", 0) > 2e8:
        skipped += 1
        float64 = "float64" in meta["golden"]["tool"]
        why = "beyond the float32 of the peer" if float64 else "too large for the peer"
        print(f"skip {folder.name}: {why}")
        return
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        compare(folder, meta, model_of(folder, meta, tmp), tmp)


def compare(folder, meta, model, tmp):
    global passed, failed
    x = inputs_of(folder, meta, np.random.default_rng(7))
    np.savez(tmp / "x.npz", **{k: v.reshape(-1, *v.shape[2:]) if v.shape[1] == 1 else v for k, v in x.items()})
    r = subprocess.run([NASHC, "run", model, "--input", tmp / "x.npz", "--output", tmp / "y.npz"],
                       capture_output=True, text=True, timeout=600)
    if r.returncode:
        failed += 1
        print(f"FAIL {folder.name}: {r.stderr.strip()[-200:]}")
        return
    got = dict(np.load(tmp / "y.npz"))
    tol = meta["tolerance"]
    atol = 0 if tol["kind"] == "exact" else max(tol.get("atol", 0), 1e-5)
    differing = 0
    for i in range(SAMPLES):
        want = expected(str(model), meta, x, i)
        off = 0
        for name in got:
            a, b = np.asarray(got[name])[i].reshape(-1), np.asarray(want[name]).reshape(-1)
            off += int((np.abs(a.astype(float) - b) > atol + 1e-5 * np.abs(b)).sum())
        differing += off > 0
    # A float32 peer may decide one rounding boundary the other way on inputs that were not screened for it
    # (docs/numerics.md, boundary cases); a fault of ours shows in more than one sample.
    if differing <= 1:
        passed += 1
        print(f"ok   {folder.name}" + (": one sample at a boundary" if differing else ""))
    else:
        failed += 1
        print(f"FAIL {folder.name}: {differing} of {SAMPLES} samples differ")


folders = sorted((ROOT / "tests" / "data").iterdir())
shared = ROOT.parent / "shared" / "models"
if shared.is_dir():
    folders += sorted(p for p in shared.iterdir() if p.is_dir() and p.name not in {f.name for f in folders})
else:
    skipped += 1
    print("skip the fixture networks: they are not beside the checkout")
for f in folders:
    if (f / "meta.json").is_file():
        try:
            network(f)
        except Exception as e:  # noqa: BLE001  a peer that fails on its own fixture is reported, not hidden
            skipped += 1
            print(f"skip {f.name}: the peer fails: {type(e).__name__}: {str(e)[:120]}")
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
