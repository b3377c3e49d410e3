#!/usr/bin/env python3
"""long.py BUILD: a perceptron trained on Fashion-MNIST reaches what it must; hardware.py does so for a genotype."""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build") / "tools/nashc"

MODEL = ROOT / "tests/data/tfc_w2a2_fmnist/model.onnx"
LEAST = 0.82


def main():
    if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("skip: dataset-fashion-mnist is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as t:
        run = pathlib.Path(t) / "run"
        r = subprocess.run([NASHC, "train", MODEL, "--data", "fashion-mnist", "-o", run, "-q", "--epochs", "2"],
                           capture_output=True, text=True)
        accuracy = json.loads((run / "metrics.json").read_text())[-1]["accuracy"] if r.returncode == 0 else 0
        # What was trained is what the other executors compute.
        same = subprocess.run([NASHC, "eval", run, "--data", "fashion-mnist,limit=100", "--compare", run,
                               "--executor", "reference", "--compare-executor", "float"],
                              capture_output=True, text=True)
        good = accuracy >= LEAST and same.returncode == 0
        print(f"{'ok' if good else 'not ok'} {MODEL.name}: accuracy {accuracy}, at least {LEAST}:", r.stderr,
              same.stdout)
    print(f"{int(good)} passed, {int(not good)} failed, 0 skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
