#!/usr/bin/env python3
"""hardware.py BUILD: from a genotype to hardware with the predictions of training.

NASH v4 ResNet18 of width 16, weights of 1 bit and activations of 2, is trained on Fashion-MNIST (1 epoch). Its integer
graph must then predict as training does on all 10,000 images of the test, and its hardware, simulated, on 100.
Other data: --data images:cifar10-jpeg.zip --input 3x32x32 --accuracy 0.4"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPTIONS = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
OPTIONS.add_argument("build", nargs="?", default="build")
OPTIONS.add_argument("--epochs", default="1")
OPTIONS.add_argument("--images", type=int, default=100, help="that are simulated")
OPTIONS.add_argument("--data", default="fashion-mnist")
OPTIONS.add_argument("--input", default="1x28x28", help="channels, height, width")
OPTIONS.add_argument("--accuracy", type=float, default=0.78, help="at least")
O = OPTIONS.parse_args()
NASHC = ROOT / O.build / "tools/nashc"
SHAPE = [int(x) for x in O.input.split("x")]

GENOTYPE = f"""nash-genotype 1
name nash
backbone resnet18
version v4
width 16
input {O.input} dtype=uint8 scale=0.00390625
classes 10
stem conv=7x7/2 pad=3 pool=none wbits=8
head pool=2 poolbits=4 wbits=8 bias=0
bits weight=1 act=2 nas=8 down=8 resid=8 state=8
group 0: conv_1x1@0 conv_1x1@1 conv_1x1@0 conv_1x1@2
group 1: conv_5x5@0 conv_3x3@0 conv_5x5@0 conv_3x3@0
group 2: conv_3x3@0 conv_3x3@0 conv_5x5@0 conv_1x1@2
group 3: conv_5x5@0 conv_1x1@0 conv_3x3@1 conv_1x1@0
"""


def nashc(*args):
    r = subprocess.run([NASHC, *map(str, args)], capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


def compared(model, run, images, *options):
    """What eval says of a model beside the run's best epoch in training's own arithmetic."""
    code, out, err = nashc("eval", model, "--data", f"{O.data},limit={images}", "--compare", run / "best.onnx",
                           "--json", *options)
    r = json.loads(out) if code in (0, 3) and out else {}
    print(f"{model.name}: {r.get('images')} images, {r.get('differ')} predictions differ, accuracy {r.get('top1')} "
          f"and {r.get('other', {}).get('top1')}", "" if code in (0, 3) else err, flush=True)
    return r


def rows_of(path, numbers, out):
    """Some images of an .npy of float32, as another."""
    raw = path.read_bytes()
    start = 10 + int.from_bytes(raw[8:10], "little")
    size = (len(raw) - start) // 10000
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {(len(numbers), *SHAPE)}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    out.write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()
                    + b"".join(raw[start + k * size:start + (k + 1) * size] for k in numbers))


def is_exact(integer, run, numbers, d):
    """Whether the integer graph gives what the model means, in real numbers, on these images.

    Training adds in float32: where a sum lies on the boundary between two codes, it may take the other one."""
    if not numbers:
        return True
    nashc("eval", run / "best.onnx", "--data", f"{O.data},limit=10000", "--images", d / "all.npy", "-q")
    rows_of(d / "all.npy", numbers, d / "some.npy")
    made = nashc("run", run / "best.onnx", "--input", d / "some.npy", "--output", d / "scores.npy")
    code, _, err = nashc("run", integer, "--input", d / "some.npy", "--expect", d / "scores.npy", "--atol", "1e-4")
    print(f"{len(numbers)} images {numbers} in the reference executor: {err or 'equal'}", flush=True)
    return made[0] == 0 and code == 0


def main():
    if O.data == "fashion-mnist" and not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("skip: dataset-fashion-mnist is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    if "cpu" not in nashc("list", "executors")[1]:
        print("skip: the executor cpu is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    results = []
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        (d / "nash.ngt").write_text(GENOTYPE)
        for step in (("train", d / "nash.ngt", "--data", O.data, "--epochs", O.epochs, "--batch", "64",
                      "-o", d / "run", "-q"),
                     ("opt", d / "run/best.onnx", "-passes=streamline", "-o", d / "integer.nashir", "-q"),
                     ("compile", d / "run/best.onnx", "-o", d / "hw", "-q")):
            code, _, err = nashc(*step)
            print(f"{'not ok' if code else 'ok'} {step[0]}", err, flush=True)
            results.append(code == 0)
        if all(results):
            accuracy = max(m["accuracy"] for m in json.loads((d / "run/metrics.json").read_text()))
            results.append(accuracy >= O.accuracy)
            print(f"{'ok' if results[-1] else 'not ok'} accuracy {accuracy}, at least {O.accuracy}")
            r = compared(d / "integer.nashir", d / "run", 10000, "--executor", "cpu", "--compare-executor", "float")
            few = r.get("images") == 10000 and r["differ"] <= 10
            results.append(few and is_exact(d / "integer.nashir", d / "run", r["differing"], d))
            simulator = "verilator" if shutil.which("verilator") else "icarus"
            r = compared(d / "hw", d / "run", O.images, "--simulator", simulator)
            results.append(r.get("images") == O.images and r["differ"] == 0)
            for good, what in zip(results[-2:], ("the integer graph is the model", "the hardware predicts the same")):
                print("ok" if good else "not ok", what)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
