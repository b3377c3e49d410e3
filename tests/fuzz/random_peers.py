#!/usr/bin/env python3
"""random_peers.py BUILD [--count N] [--first SEED]: random networks in the QONNX executor.

For each seed whose arithmetic is exact in float32: the network as it is, its integer graph, and the network with its
quantisers as QuantizeLinear and DequantizeLinear are written as ONNX and executed by qonnx, or by onnxruntime where
all operators are standard; the results must be those of the reference executor. Needs the Python packages onnx,
onnxruntime and qonnx; without them it is skipped with the reason."""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile
import warnings

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

import random_inputs
import random_net

SAMPLES = 4
NOT_THERE = "Could not resolve rounding mode called: DPU"  # of Brevitas, which qonnx does not have


def call(*args):
    r = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=120)
    return r.stderr.strip() if r.returncode else None


def executor(path):
    """A function from the inputs to all outputs by name, and whether onnxruntime runs it."""
    proto = onnx.load(str(path))
    if any(n.domain not in ("", "ai.onnx") for n in proto.graph.node):
        model = ModelWrapper(proto).transform(InferShapes())
        return (lambda feed: execute_onnx(model, feed)), proto, False
    o = onnxruntime.SessionOptions()
    o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), o)
    names = [v.name for v in session.get_outputs()]
    return (lambda feed: dict(zip(names, session.run(names, feed)))), proto, True


def differences(path, x, got, n):
    """Names of outputs in which the peer gives something else for a sample."""
    run, proto, standard = executor(path)
    n["onnxruntime" if standard else "qonnx"] += 1
    entry = proto.graph.input[0]
    wrong = []
    for i in range(SAMPLES):
        sample = x[i:i + 1]
        if entry.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            sample = sample.astype(np.float32)
        want = run({entry.name: sample})
        for name in want:
            a, b = got[name][i].astype(float).reshape(-1), np.asarray(want[name]).astype(float).reshape(-1)
            if a.shape != b.shape or not np.allclose(a, b, rtol=1e-6, atol=1e-6):
                wrong.append(name)
    return wrong


def network(nashc, seed, tmp, n):
    """Problems of one network; None: its arithmetic is not exact."""
    net = random_net.Net(seed)
    text = net.text()
    if not net.exact:
        return None
    model = tmp / "m.nashir"
    model.write_text(text)
    x = random_inputs.draw(text, SAMPLES, seed)
    np.save(tmp / "x.npy", x)
    bad = call(nashc, "run", model, "--input", tmp / "x.npy", "--output", tmp / "y.npz")
    if bad:
        return [bad]
    got = np.load(tmp / "y.npz")
    found = []
    for passes in ("", "streamline", "try(quant-to-qcdq)"):
        bad = call(nashc, "opt", model, f"-passes={passes}", "-o", tmp / "m.onnx")
        try:
            wrong = [] if bad else differences(tmp / "m.onnx", x, got, n)
        except Exception as e:  # noqa: BLE001  whatever the peer raises is about the file it was given
            wrong = [] if NOT_THERE in str(e) else [f"the peer fails: {type(e).__name__}: {str(e)[:300]}"]
        if bad or wrong:
            found.append(f"-passes='{passes}': {bad or ', '.join(wrong)}")
    return found


def main():
    ap = argparse.ArgumentParser(prog="random_peers.py")
    ap.add_argument("build")
    ap.add_argument("--count", type=int, default=400)
    ap.add_argument("--first", type=int, default=0)
    ap.add_argument("--update", action="store_true", help=argparse.SUPPRESS)
    o = ap.parse_args()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(3)
    nashc = pathlib.Path(o.build).resolve() / "tools" / "nashc"
    n = collections.Counter()
    for seed in range(o.first, o.first + o.count):
        with tempfile.TemporaryDirectory() as tmp:
            found = network(nashc, seed, pathlib.Path(tmp), n)
        n["other" if found is None else "bad" if found else "good"] += 1
        for text in found or []:
            print(f"FAIL seed {seed}: {text}", flush=True)
    print(f"{n['other']} networks of the {o.count} are not exact in float32; "
          f"models run by qonnx {n['qonnx']}, by onnxruntime {n['onnxruntime']}")
    print(f"{n['good']} passed, {n['bad']} failed")
    return 1 if n["bad"] or not n["good"] else 0


if __name__ == "__main__":
    sys.exit(main())
