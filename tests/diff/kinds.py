#!/usr/bin/env python3
"""kinds.py BUILD [--filter TEXT] [--seed N]: members of every kind of fault that outsiders found.

The cases of the acceptance are one network of each kind; these are others of the same kinds, drawn with a seed. Each is
executed by onnxruntime, as it is and compared with `nashc run`; then streamlined with --check-each, compiled with
--verify ir, and, where the network says so, simulated. It may also be refused, where the kind says with what words.
--random tries others, drawn by kinds_random.py: those that are refused are listed with the words, as they must make
sense to a reader; a wrong value, a crash or any other end is a failure.
Needs the Python packages onnx and onnxruntime; without them everything is skipped with the reason."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import kinds_more
    import onnxruntime
    from kinds_net import NETWORKS
    from kinds_random import random_member
except ImportError as e:
    print(f"skip: {e}; `pip install onnx onnxruntime` for this Python")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

SAMPLES = 6
ROUNDED = 0.03  # of the elements may differ by a step of a quantiser from the peer's float32 sums


def call(*args):
    r = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=300)
    return r.returncode, r.stdout + r.stderr


def peer(model, feeds):
    o = onnxruntime.SessionOptions()
    o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    o.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, o)
    names = [v.name for v in session.get_outputs()]
    runs = [session.run(names, feed) for feed in feeds]
    return {k: np.stack([r[i] for r in runs]) for i, k in enumerate(names)}


def differences(want, got):
    """What is wrong with the outputs of `nashc run`; None: nothing."""
    for k, w in want.items():
        if k not in got:
            return f"no output {k}"
        g = got[k].reshape(w.shape).astype(np.float64)
        w = w.astype(np.float64)
        off = ~np.isclose(g, w, rtol=1e-5, atol=1e-6)
        if off.mean() > ROUNDED:
            i = tuple(np.argwhere(off)[0])
            return f"{k}: {int(off.sum())} of {off.size} differ from onnxruntime, {g[i]} and {w[i]} at {i}"
    return None


def run_beside(nashc, t, feeds):
    """Results of `nashc run` against those of onnxruntime; what is wrong, or None. Comparisons of sums that are equal
    but for rounding go another way in float32: what differs is computed once more with onnxruntime's roundings."""
    np.savez(t / "x.npz", **{k: np.concatenate([f[k] for f in feeds]) for k in feeds[0]})
    want, wrong = None, None
    for more in ((), ("--executor-option", "floats=f32")):
        rc, out = call(nashc, "run", t / "m.onnx", "--input", t / "x.npz", "--output",
                       t / ("f32.npz" if more else "y.npz"), *more)
        if rc:
            return f"run: exit {rc}: {out[-400:]}"
        want = want or peer(str(t / "m.onnx"), feeds)
        wrong = differences(want, np.load(t / ("f32.npz" if more else "y.npz")))
        if not wrong:
            return None
    return wrong


STREAMLINE = ("-passes=streamline,check-streamlined", "--check-each=12")


def check_model(nashc, t, feeds):
    """What is wrong with the model m.onnx in t, or None; and is it a refusal?"""
    why = run_beside(nashc, t, feeds)
    steps = [("opt", t / "m.onnx", *STREAMLINE, "-o", t / "s.nashir"),
             ("compile", t / "m.onnx", "-o", t / "hw", "--verify", "ir")]
    for args in steps:
        rc, out = (0, "") if why else call(nashc, *args)
        why = f"{args[0]}: exit {rc}: {out}" if rc else why
    if not why or ": exit 1: " not in why:
        return why, False
    return "".join([line.split(": error: ")[-1] for line in why.splitlines() if "error: " in line][:1]), True


def check(nashc, net, t, sim):
    (t / "m.onnx").write_bytes(net.model.SerializeToString())
    wrong = run_beside(nashc, t, [net.feed() for _ in range(SAMPLES)])
    if wrong:
        return None if net.refused and net.refused in wrong else wrong
    steps = [("streamline", "opt", t / "m.onnx", *STREAMLINE, "-o", t / "s.nashir"),
             ("compile", "compile", t / "m.onnx", "-o", t / "hw", "--verify", "ir")]
    if sim and net.sim:
        steps.append(("sim", "sim", t / "hw", "--input", t / "x.npz", "--output", t / "z.npz", "--throttle", "7"))
    for name, *args in steps:
        rc, out = call(nashc, *args)
        if net.refused and rc == 1:
            return None if net.refused in out else f"{name}: refused with other words: {out[-400:]}"
        if rc:
            return f"{name}: exit {rc}: {out[-500:]}"
    if net.refused:
        return f"accepted, expected '{net.refused}'"
    if sim and net.sim:
        y, z = np.load(t / "y.npz"), np.load(t / "z.npz")
        for k in y.files:
            off = ~np.isclose(y[k].reshape(-1), z[k].reshape(-1), rtol=1e-5, atol=1e-6)
            if off.any():
                return f"sim: {k}: {int(off.sum())} elements differ from the model"
    return None


def try_random(nashc, first, count):
    """Passed, failed, refused of so many seeds."""
    passed = failed = refused = 0
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as tmp:
            t, net = pathlib.Path(tmp), random_member(seed)
            (t / "m.onnx").write_bytes(net.model.SerializeToString())
            why, no = check_model(nashc, t, [net.feed() for _ in range(SAMPLES)])
        passed, failed, refused = passed + (not why), failed + (bool(why) and not no), refused + no
        if why:
            print(f"{'refused' if no else 'FAIL'} {seed}: {why}", flush=True)
    return passed, failed, refused


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="models in the folder kinds")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random networks, from --seed on")
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    nashc = pathlib.Path(o.build).resolve() / "tools" / "nashc"
    sim = shutil.which("iverilog") is not None
    if o.random:
        passed, failed, refused = try_random(nashc, o.seed, o.random)
        print(f"{refused} refused\n{passed} passed, {failed} failed")
        return 1 if failed else 0
    passed = failed = 0
    for make in NETWORKS:
        if o.filter not in make.__name__:
            continue
        with tempfile.TemporaryDirectory() as tmp:
            t = pathlib.Path(tmp)
            why = check(nashc, make(np.random.default_rng(o.seed)), t, sim)
            if o.keep:
                pathlib.Path("kinds").mkdir(exist_ok=True)
                shutil.copy(t / "m.onnx", f"kinds/{make.__name__}.onnx")
        passed, failed = passed + (not why), failed + bool(why)
        if why:
            print(f"FAIL {make.__name__}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
