#!/usr/bin/env python3
"""train.py BUILD [FILTER]: rate of training steps of ours and, where torch, brevitas and onnx can be imported, of
PyTorch with Brevitas, in one run. Rates are of processor time of one thread, so that other work on the machine counts
little; the best step of each is taken. THREADS=N: on the clock with N threads, the peer with 1 or N, what is faster;
for a machine that does nothing else. Nothing fails on time. PEER=PYTHON names another Python that has them."""
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
SHARED = ROOT.parent / "shared" / "models"
PEER = os.environ.get("PEER", sys.executable)
SECONDS = os.environ.get("SECONDS_EACH", "3")
THREADS = int(os.environ.get("THREADS", "1"))

R18 = """nash-genotype 1
name r18
backbone resnet18
version v4
width {width}
input 1x28x28 dtype=uint8 scale=0.00390625
classes 10
stem conv=7x7/2 pad=3 pool=none wbits=8
head pool=2 poolbits=4 wbits=8 bias=0
bits weight=2 act=2 nas=8 down=8 resid=8 state=8
group 0: conv_1x1@0 conv_1x1@1 conv_1x1@0 conv_1x1@2
group 1: conv_5x5@0 conv_3x3@0 conv_5x5@0 conv_3x3@0
group 2: conv_3x3@0 conv_3x3@0 conv_5x5@0 conv_1x1@2
group 3: conv_5x5@0 conv_1x1@0 conv_3x3@1 conv_1x1@0
"""


def unpacked(folder, to):
    """The model of a fixture; None: it is not beside the checkout."""
    if (folder / "model.onnx").is_file():
        shutil.copyfile(folder / "model.onnx", to)
    elif (folder / "model.onnx.xz").is_file():
        to.write_bytes(subprocess.run(["xz", "-dc", folder / "model.onnx.xz"], capture_output=True, check=True).stdout)
    else:
        return None
    return to


def models(tmp):
    """(name, batch, file of any kind, least ratio that was asked for)"""
    for width in (8, 16, 64):
        p = tmp / f"r18_{width}.ngt"
        p.write_text(R18.format(width=width))
        yield f"NASH v4 R18/{width}", 64, p, 3
    yield "CNV w1a1", 64, unpacked(SHARED / "cnv_w1a1_full", tmp / "cnv.onnx"), 3
    for bits in ("w1a1", "w2a2"):
        yield f"TFC {bits}", 100, unpacked(ROOT / "tests/data" / f"tfc_{bits}_fmnist", tmp / f"tfc_{bits}.onnx"), 2


def answer(cmd, **env):
    r = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, env={**os.environ, **env})
    if r.returncode:
        return None, (r.stderr.strip().splitlines() or ["it failed"])[-1]
    return json.loads(r.stdout), ""


def peer(onnx, batch):
    """The best of Brevitas's two implementations, two layouts of memory, and numbers of threads."""
    best, why = None, ""
    for jit, layout, threads in itertools.product("10", ("channels_first", "channels_last"), {1, THREADS}):
        got, error = answer([PEER, ROOT / "tests/bench/train_peer.py", onnx, batch, SECONDS, layout, threads],
                            BREVITAS_JIT=jit, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        if got and (not best or got["images_per_s"] > best["images_per_s"]):
            best = {**got, "how": f"JIT {'on' if jit == '1' else 'off'}, {layout}, threads {threads}"}
        why = why or error
    return best, why


def macs(path):
    got, _ = answer([BUILD / "tools/nashc", "stats", path, "--json"])
    return got["macs"] if got else 0


def main():
    chosen = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as t:
        tmp = pathlib.Path(t)
        for name, batch, path, least in models(tmp):
            if chosen not in name:
                continue
            if path is None:
                print(f"skip {name}: the fixture is not beside the checkout")
                continue
            ours, why = answer([BUILD / "tests/bench/train_steps", path, batch, SECONDS, THREADS])
            if not ours:
                print(f"{name}: failed: {why}")
                continue
            rate = 6e-9 * macs(path) * ours["images_per_s"]
            line = (f"{name}, batch {batch}: {ours['images_per_s']:.0f} images/s, {rate:.1f} GFLOP/s, "
                    f"{100 * rate / ours['sgemm_gflops']:.0f} % of sgemm ({ours['sgemm_gflops']:.0f}, "
                    f"{ours['blas_kernel']}; ours {ours['kernel']})")
            onnx = tmp / "peer.onnx"
            subprocess.run([BUILD / "tools/nashc", "opt", path, "-passes=", "-o", onnx, "-q"], check=True,
                           capture_output=True)
            theirs, why = peer(onnx, batch)
            if theirs:
                line += (f"; PyTorch {theirs['torch']} + Brevitas {theirs['brevitas']} ({theirs['how']}) "
                         f"{theirs['images_per_s']:.0f}: {ours['images_per_s'] / theirs['images_per_s']:.1f} times, "
                         f"aim {least}")
            else:
                line += f"; no peer: {why}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
