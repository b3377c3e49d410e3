#!/usr/bin/env python3
"""ranks.py BUILD [WIDTH] [IMAGES]: images a second of training NASH v4 ResNet18 on Fashion-MNIST with two threads, and
with two ranks of one thread each, on the clock. Turns alternate, the best epoch of each counts, so starting up does
not; for a machine that does nothing else. Nothing fails on time. Needs Open MPI and Debian's dataset-fashion-mnist."""
import csv
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = pathlib.Path(sys.argv[1]).resolve() / "tools/nashc"
WIDTH = sys.argv[2] if len(sys.argv) > 2 else "16"
IMAGES = sys.argv[3] if len(sys.argv) > 3 else "10000"
TURNS, EPOCHS = 3, 2
RANKS = ["mpirun", "--allow-run-as-root", "--bind-to", "core", "-n", "2"]


def rates(prefix, threads, to):
    """Images a second of each epoch of one training."""
    cmd = [*prefix, NASHC, "train", ROOT / "frontends/genotype/networks/r18-v4.ngt", "-q", "-o", to,
           *(f"--frontend-option={o}" for o in (f"width={WIDTH}", "input=1x28x28 dtype=uint8", "classes=10",
                                                "stem=conv=7x7/2 pad=3 pool=none")),
           "--data", f"fashion-mnist,limit={IMAGES}", "--batch", "64", "--epochs", EPOCHS, "--threads", threads]
    subprocess.run([str(c) for c in cmd], check=True, capture_output=True)
    with open(to / "metrics.csv", newline="") as f:
        return [float(row["images/s"]) for row in csv.DictReader(f)]


def main():
    if not shutil.which("mpirun"):
        print("skip: no mpirun")
        return
    best = {"threads": 0.0, "ranks": 0.0}
    with tempfile.TemporaryDirectory() as t:
        for turn in range(TURNS):
            for kind, prefix, threads in (("threads", [], 2), ("ranks", RANKS, 1)):
                best[kind] = max(best[kind], *rates(prefix, threads, pathlib.Path(t) / f"{kind}{turn}"))
    print(f"NASH v4 R18/{WIDTH}, batch 64: two threads {best['threads']:.0f} images/s, two ranks {best['ranks']:.0f}: "
          f"{best['threads'] / best['ranks']:.2f} times the time of two threads, aim 1.10")


if __name__ == "__main__":
    main()
