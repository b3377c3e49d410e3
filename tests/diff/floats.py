#!/usr/bin/env python3
"""floats.py BUILD [FILTER]: `--executor-option floats=f32` of the reference executor gives the bits of the tool that
made the golden outputs, onnxruntime or qonnx (run anew, here, on the fixtures' inputs), ties included. Models with
operators whose order of float32 sums is not reproduced (docs/numerics.md) need only be close. Needs the Python
packages onnx, onnxruntime and qonnx; without them all is skipped with the reason."""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

BUILD = pathlib.Path(sys.argv[1]).resolve()
FILTER = sys.argv[2] if len(sys.argv) > 2 else ""
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

warnings.simplefilter("ignore")
onnxruntime.set_default_logger_severity(3)
NASHC = BUILD / "tools" / "nashc"
SAMPLES = 4
OTHER_ORDER = {"Softmax", "AveragePool", "GlobalAveragePool", "ReduceMean", "ConvTranspose", "Gemm", "Trunc",
               "QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearGlobalAveragePool", "Sigmoid", "Tanh"}


def reproduced(proto, tool):
    """Are all sums of the model of a kind that is taken in the same order? qonnx hands constant matrices to
    onnxruntime as inputs, which takes them in the order for computed ones."""
    constants = set() if tool.startswith("onnxruntime") else {i.name for i in proto.graph.initializer}
    return not any(n.op_type in OTHER_ORDER or n.op_type == "MatMul" and n.input[1] in constants or
                   n.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in n.attribute)
                   for n in proto.graph.node)


def with_batch(model):
    proto = onnx.load(model)
    for v in (*proto.graph.input, *proto.graph.output):
        for d in v.type.tensor_type.shape.dim:
            if d.dim_param:
                d.dim_value = 1
    return proto


def peer(proto, tool):
    if not tool.startswith("onnxruntime"):
        wrapper = ModelWrapper(proto).transform(InferShapes())
        return lambda feed: execute_onnx(wrapper, feed)
    o = onnxruntime.SessionOptions()
    o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.intra_op_num_threads = 1
    s = onnxruntime.InferenceSession(proto.SerializeToString(), o)
    return lambda feed: dict(zip([v.name for v in s.get_outputs()], s.run(None, feed)))


def ours(model, x, meta):
    with tempfile.TemporaryDirectory() as t:
        single = {i["name"]: i["shape"][0] == 1 for i in meta["inputs"]}
        np.savez(f"{t}/x.npz", **{k: v.reshape(-1, *v.shape[2:]) if single[k] else v for k, v in x.items()})
        r = subprocess.run([NASHC, "run", model, "--input", f"{t}/x.npz", "--output", f"{t}/y.npz",
                            "--executor-option", "floats=f32"], capture_output=True, text=True, timeout=600)
        if r.returncode:
            raise RuntimeError(r.stderr.strip()[-200:])
        return dict(np.load(f"{t}/y.npz"))


def samples(folder, meta):
    x = {}
    for i in meta["inputs"]:
        a = np.load(folder / i["file"])
        a = a[i["name"]] if hasattr(a, "files") else a
        x[i["name"]] = a[:SAMPLES].reshape(-1, *i["shape"])
    return x


def network(folder, meta):
    """None, or what is wrong; "near ..." where no more was to be expected."""
    model, x = folder / meta["model"], samples(folder, meta)
    got, proto = ours(model, x, meta), with_batch(model)
    run = peer(proto, meta["golden"]["tool"])
    differ = far = count = 0
    for i in range(len(next(iter(x.values())))):
        for name, want in run({k: v[i] for k, v in x.items()}).items():
            if name not in got:
                continue
            a, b = np.asarray(got[name])[i].reshape(-1), np.asarray(want).reshape(-1)
            differ += int(((a != b) & ~((a != a) & (b != b))).sum())
            far += int((~np.isclose(a.astype(float), b.astype(float), rtol=1e-4, atol=1e-4)).sum())
            count += a.size
    text = f"{differ} of {count} elements differ"
    if reproduced(proto, meta["golden"]["tool"]) or far > count // 50:
        return text if differ else None
    return "near: " + text if differ else None


def main():
    folders = sorted((ROOT / "tests" / "data").iterdir())
    shared = ROOT.parent / "shared" / "models"
    names = {f.name for f in folders}
    folders += sorted(p for p in shared.iterdir() if p.name not in names) if shared.is_dir() else []
    passed = failed = skipped = near = 0
    for f in folders:
        if FILTER not in f.name or not (f / "meta.json").is_file():
            continue
        meta = json.loads((f / "meta.json").read_text())
        tool = (meta.get("golden") or {}).get("tool", "none")
        why = "it has no values of a tool" if not meta.get("outputs") or tool == "none" \
            else "beyond the float32 of the peer" if "float64" in tool \
            else "too large for the peer" if meta.get("macs", 0) > 3e7 else None
        if why:
            skipped += 1
            print(f"skip {f.name}: {why}")
            continue
        try:
            why = network(f, meta)
        except Exception as e:  # noqa: BLE001  a peer that fails on its own fixture is reported, not hidden
            skipped += 1
            print(f"skip {f.name}: {type(e).__name__}: {str(e)[:120]}", flush=True)
            continue
        near += bool(why) and why.startswith("near")
        bad = bool(why) and not why.startswith("near")
        failed, passed = failed + bad, passed + (not bad)
        print(f"{'FAIL' if bad else 'ok  '} {f.name}{': ' + why if why else ''}", flush=True)
    print(f"{near} of them near, with operators whose sums have another order; all others equal")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
