#!/usr/bin/env python3
"""hardware.py BUILD [EPOCHS [IMAGES]]: from a genotype to hardware with the predictions of training.

NASH v4 ResNet18 of width 16, weights of 1 bit and activations of 2, is trained on Fashion-MNIST (1 epoch). Its integer
graph must then predict as training does on all 10,000 images of the test, and its hardware, simulated, on 100."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build") / "tools/nashc"
EPOCHS = sys.argv[2] if len(sys.argv) > 2 else "1"
IMAGES = int(sys.argv[3]) if len(sys.argv) > 3 else 100

GENOTYPE = """nash-genotype 1
name nash
backbone resnet18
version v4
width 16
input 1x28x28 dtype=uint8 scale=0.00390625
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


def same(model, run, images, *options):
    """Whether a model predicts as the run's best epoch does, in training's own arithmetic."""
    code, out, err = nashc("eval", model, "--data", f"fashion-mnist,limit={images}", "--compare", run / "best.onnx",
                           "--json", *options)
    r = json.loads(out) if code in (0, 3) and out else {}
    good = code == 0 and r.get("images") == images and r.get("differ") == 0
    print(f"{'ok' if good else 'not ok'} {model.name}: {r.get('images')} images, {r.get('differ')} predictions differ, "
          f"accuracy {r.get('top1')} and {r.get('other', {}).get('top1')}", "" if good else err, flush=True)
    return good


def main():
    if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("skip: dataset-fashion-mnist is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    if "cpu" not in nashc("list", "executors")[1]:
        print("skip: the executor cpu is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    results = []
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        (d / "nash.ngt").write_text(GENOTYPE)
        for step in (("train", d / "nash.ngt", "--data", "fashion-mnist", "--epochs", EPOCHS, "--batch", "64",
                      "-o", d / "run", "-q"),
                     ("opt", d / "run/best.onnx", "-passes=streamline", "-o", d / "integer.nashir", "-q"),
                     ("compile", d / "run/best.onnx", "-o", d / "hw", "-q")):
            code, _, err = nashc(*step)
            print(f"{'not ok' if code else 'ok'} {step[0]}", err, flush=True)
            results.append(code == 0)
        if all(results):
            accuracy = max(m["accuracy"] for m in json.loads((d / "run/metrics.json").read_text()))
            results.append(accuracy >= 0.78)
            print(f"{'ok' if results[-1] else 'not ok'} accuracy {accuracy}, at least 0.78")
            results.append(same(d / "integer.nashir", d / "run", 10000, "--executor", "cpu",
                                "--compare-executor", "float"))
            simulator = "verilator" if shutil.which("verilator") else "icarus"
            results.append(same(d / "hw", d / "run", IMAGES, "--simulator", simulator))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
