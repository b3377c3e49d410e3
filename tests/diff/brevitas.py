#!/usr/bin/env python3
"""brevitas.py BUILD: networks as training scripts for PyTorch and Brevitas: construct, one step, QONNX, and back.

The Python that has torch and brevitas is NASHC_TORCH_PYTHON, or this one; without them the test is skipped."""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NASHC = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build") / "tools/nashc"
PYTHON = os.environ.get("NASHC_TORCH_PYTHON", sys.executable)
BITS = "bits weight={w} act=2 nas=8 down=8 resid=8 state=8"

GENOTYPE = """nash-genotype 1
name net
backbone resnet18
version {version}
width 8
input 1x28x28 dtype=uint8 scale=0.00390625
classes 10
stem conv=7x7/2 pad=3 pool=none wbits=8
head pool=2 poolbits=4 wbits=8 bias=0
"""
CELLS = {
    "v4": "".join(f"group {g}: conv_1x1@0 conv_3x3@0 conv_5x5@0 conv_1x1@2\n" for g in range(4)),
    "v2": "group 0: skip_connect@0 max_pool_3x3@1 conv_3x3@0 conv_1x1@2\n"
          + "".join(f"group {g}: conv_3x3@0 max_pool_3x3@1 skip_connect@1 conv_1x1@2\n" for g in range(1, 4)),
    "baseline": "",
}


def npy(kind, shape, data):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def run(*args):
    r = subprocess.run([str(a) for a in args], capture_output=True, text=True)
    if r.returncode:
        raise RuntimeError(f"{' '.join(map(str, args))}: {r.stdout[-500:]}{r.stderr[-1500:]}")
    return r.stdout


def structure(model):
    """The streamlined graph without its numbers: operators, shapes, attributes, and values by the order of first use.

    Scales of weights differ by roundings of float32 (PyTorch and nashc take the maximum in another order of
    operations), and with them multipliers and shifts of requantisers.
    """
    names = {}
    lines = []
    for line in run(NASHC, "opt", model, "-passes=streamline", "-o", "-").splitlines():
        if line.startswith("meta"):
            continue
        line = re.sub(r' !"(?:[^"\\]|\\.)*"$', "", line)
        line = re.sub(r'%(?:"(?:[^"\\]|\\.)*"|[\w.]+)', lambda m: names.setdefault(m[0], f"%{len(names)}"), line)
        if re.search(r"= \w+\.\w+\(", line):
            # A window that is the whole image has any stride.
            line = re.sub(r"(nn\.sumpool\(.*?\) kernel=\[(\d+),(\d+)\]) stride=\[\2,\3\]", r"\1", line)
            line = re.sub(r"(?<=: )[iuf]\d+(<[^>]*>)?| shift=\d+", "", line)
            lines.append(line)
    return lines


def equal_outputs(a, b, d):
    run(NASHC, "run", a, "--input", d / "x.npy", "--output", d / "y.npy")
    run(NASHC, "run", b, "--input", d / "x.npy", "--expect", d / "y.npy", "--atol", "1e-5")


def test(name, text, d):
    (d / f"{name}.ngt").write_text(text)
    ngt, script = d / f"{name}.ngt", d / f"{name}.py"
    run(NASHC, "export", ngt, "--to", "brevitas", "-o", script)
    run(NASHC, "train", ngt, "--data", f"npz:{d}/data.npz", "--batch", "16", "--steps", "2", "-q", "-o", d / name)
    start = d / name / "checkpoint.npz"
    run(PYTHON, script, "--weights", start, "--export", d / f"{name}0.onnx")
    if structure(d / name / "model.onnx") != structure(d / f"{name}0.onnx"):
        return "another graph comes back"
    equal_outputs(d / f"{name}0.onnx", d / name / "model.onnx", d)
    run(PYTHON, script, "--weights", start, "--data", d / "data.npz", "--batch", "16", "--steps", "1",
        "--save", d / f"{name}1.npz", "--export", d / f"{name}1.onnx")
    run(NASHC, "export", ngt, "--weights", d / f"{name}1.npz", "--to", "qonnx", "-o", d / f"{name}2.onnx")
    equal_outputs(d / f"{name}1.onnx", d / f"{name}2.onnx", d)
    return None


def main():
    have = subprocess.run([PYTHON, "-c", "import torch, brevitas, onnx, onnxoptimizer, numpy"], capture_output=True)
    if have.returncode:
        print("skip brevitas: torch, brevitas, onnx or onnxoptimizer is missing (several GB; NASHC_TORCH_PYTHON names "
              "a Python that has them)\n0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        state = 1
        pixels = bytearray()
        for _ in range(64 * 784):
            state = (state * 1103515245 + 12345) % (1 << 31)
            pixels.append(state >> 23)
        with zipfile.ZipFile(d / "data.npz", "w") as z:
            z.writestr("x_train.npy", npy("|u1", (64, 1, 28, 28), bytes(pixels)))
            z.writestr("y_train.npy", npy("|u1", (64,), bytes(i % 10 for i in range(64))))
        floats = [p / 256 for p in pixels[:4 * 784]]
        (d / "x.npy").write_bytes(npy("<f4", (4, 1, 28, 28), struct.pack(f"<{len(floats)}f", *floats)))
        for name, version, weight in (("v4", "v4", 2), ("v2", "v2", 1), ("v1", "v2", 4), ("base", "baseline", 1)):
            bits = BITS.format(w=weight).replace("nas=8", "nas=1" if version == "v2" else "nas=8")
            text = GENOTYPE.format(version=version) + bits + "\n" + CELLS[version]
            try:
                why = test(name, text, d)
            except RuntimeError as e:
                why = str(e)
            passed, failed = passed + (why is None), failed + (why is not None)
            if why:
                print(f"not ok {name}: {why}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
