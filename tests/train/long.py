#!/usr/bin/env python3
"""long.py BUILD: minutes of training on Fashion-MNIST: a genotype and a perceptron reach what they must."""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build") / "tools/nashc"

GENOTYPE = """nash-genotype 1
name narrow
backbone resnet18
version v4
width 8
input 1x28x28 dtype=uint8 scale=0.00390625
classes 10
stem conv=7x7/2 pad=3 pool=none wbits=8
head pool=2 poolbits=4 wbits=8 bias=0
bits weight=2 act=2 nas=8 down=8 resid=8 state=8
group 0: conv_1x1@0 conv_1x1@1 conv_1x1@0 conv_1x1@2
group 1: conv_5x5@0 conv_3x3@0 conv_5x5@0 conv_1x1@0
group 2: conv_3x3@0 conv_3x3@0 conv_5x5@0 conv_1x1@2
group 3: conv_5x5@0 conv_1x1@0 conv_3x3@1 conv_1x1@0
"""


def main():
    passed = failed = 0
    if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("skip: dataset-fashion-mnist is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        (d / "narrow.ngt").write_text(GENOTYPE)
        for model, options, least in ((d / "narrow.ngt", ["--epochs", "2", "--batch", "64"], 0.8),
                                      (ROOT / "tests/data/tfc_w2a2_fmnist/model.onnx", ["--epochs", "2"], 0.82)):
            run = d / model.stem
            r = subprocess.run([NASHC, "train", model, "--data", "fashion-mnist", "-o", run, "-q", *options],
                               capture_output=True, text=True)
            accuracy = json.loads((run / "metrics.json").read_text())[-1]["accuracy"] if r.returncode == 0 else 0
            # What was trained is what the other executors compute.
            same = subprocess.run([NASHC, "eval", run, "--data", "fashion-mnist,limit=100", "--compare", run,
                                   "--executor", "reference", "--compare-executor", "float"],
                                  capture_output=True, text=True)
            good = accuracy >= least and same.returncode == 0
            print(f"{'ok' if good else 'not ok'} {model.name}: accuracy {accuracy}, at least {least}:",
                  r.stderr, same.stdout)
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
