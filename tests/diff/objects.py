#!/usr/bin/env python3
"""objects.py BUILD [FILTER]: the backend `object`: each network of tests/data and of the shared models as C function,
called by two threads at the same time in a program built with ASan and UBSan. Every buffer ends where a page ends
that may not be touched, and is aligned to its elements only. Results must be those of the executor cpu to the bit,
and of the reference executor: integers to the bit, floats but for the order of sums."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from fixture import inputs_of, model_of

BUILD = pathlib.Path(sys.argv[1]).resolve()
NASHC = BUILD / "tools" / "nashc"
FILTER = sys.argv[2] if len(sys.argv) > 2 else ""
ROOT = pathlib.Path(__file__).resolve().parent
DATA = ROOT.parent / "data"
SHARED = ROOT.parent.parent.parent / "shared" / "models"
SECONDS = 300
SAMPLES = 3
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
LEVELS = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"]


def call(*args, **more):
    r = subprocess.run([str(a) for a in args], capture_output=True, timeout=SECONDS, **more)
    if r.returncode:
        text = r.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{' '.join(str(a) for a in args[:2])}: exit {r.returncode}: {text[:300]}")
    return r.stdout


def driver(design, folder):
    """The threads' program for this function."""
    ports = [*design["inputs"], *design["outputs"]]
    sizes = [p["elements"] * np.dtype(DTYPE[p["c"]]).itemsize for p in ports]
    args = ", ".join(f"(void *)b[{i}]" for i in range(len(ports) + 1))
    (folder / "call.h").write_text(
        f'#include "{design["header"]}"\n#define CALL(b) {design["top"]}({args})\n'
        f"enum {{ INPUTS = {len(design['inputs'])}, PORTS = {len(ports)} }};\n"
        f"static const size_t sizes[PORTS + 1] = {{{', '.join(map(str, sizes))}, {design['memory_bytes']}}};\n")
    call("cc", "-std=c11", "-O1", "-g", *WARNINGS, "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         "-D_GNU_SOURCE", f"-I{folder}", "-o", folder / "threads", ROOT / "object_threads.c",
         folder / design["object"], "-lm", "-pthread")


DTYPE = {"int8_t": "i1", "uint8_t": "u1", "int16_t": "i2", "uint16_t": "u2", "int32_t": "i4", "uint32_t": "u4",
         "int64_t": "i8", "uint64_t": "u8", "float": "f4", "double": "f8"}


def samples(design, x):
    """All samples as the function takes them."""
    n = len(next(iter(x.values())))
    parts = [np.ascontiguousarray(x[m["name"]].reshape(n, -1)).astype(DTYPE[p["c"]]).view("u1")
             for m, p in zip(design["model_inputs"], design["inputs"])]
    return np.concatenate(parts, axis=1)


def results(design, raw, n):
    row = np.frombuffer(raw, "u1").reshape(n, -1)
    at, out = 0, {}
    for m, p in zip(design["model_outputs"], design["outputs"]):
        size = p["elements"] * np.dtype(DTYPE[p["c"]]).itemsize
        out[m["name"]] = np.ascontiguousarray(row[:, at:at + size]).view(DTYPE[p["c"]])
        at += size
    return out


def difference(got, want, exact):
    for name, g in got.items():
        w = want[name].reshape(g.shape)
        same = (g == w) | ((g != g) & (w != w))
        if not exact and np.issubdtype(g.dtype, np.floating):
            same |= np.isclose(g, w, rtol=1e-5, atol=1e-5)
        if not same.all():
            return f"{name}: {int((~same).sum())} of {same.size} elements differ"
    return None


def run(folder, x, executor):
    np.savez(folder / "x.npz", **x)
    call(NASHC, "run", folder / "model.nashir", "--input", folder / "x.npz", "--output", folder / "y.npz",
         "--executor", executor)
    return np.load(folder / "y.npz")


def check(model, x, folder, *options):
    """None, or what is wrong with the function of a model."""
    call(NASHC, "compile", model, "-o", folder, "--backend", "object", "--verify", "none", *options)
    design = json.loads((folder / "manifest.json").read_text())
    call("make", "-C", folder, "CFLAGS=-O1 " + " ".join(WARNINGS))
    data = samples(design, x)
    n = len(data)
    by_main = call(folder / "main", input=data.tobytes())
    driver(design, folder)
    (folder / "in.bin").write_bytes(data.tobytes())
    call(folder / "threads", n, folder / "in.bin", folder / "out.bin")
    raw = (folder / "out.bin").read_bytes()
    if raw != by_main:
        return "the example has other results than the threads"
    got = results(design, raw, n)
    why = difference(got, run(folder, x, "cpu"), not options)  # for the same processor, to the bit
    return why or difference(got, run(folder, x, "reference"), False)


def network(name, folder, options):
    meta = json.loads((folder / "meta.json").read_text())
    if "inputs" not in meta:
        return name, "skip: it has no inputs to run"
    try:
        with tempfile.TemporaryDirectory() as t:
            t = pathlib.Path(t)
            x = {k: v[:SAMPLES] for k, v in inputs_of(folder, meta).items()}
            return name, check(model_of(folder, meta, t), x, t / "o", *options)
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        text = str(e)
        refused = 'backend "object" has no code' in text
        return name, ("skip: " if refused and "bug" not in text else "") + text


def main():
    r = subprocess.run([NASHC, "list", "backends"], capture_output=True, text=True)
    if not any(line.strip() == "object" for line in r.stdout.splitlines()):
        print("skip: the backend object is not built")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    work = [(f.name, f, ()) for root in (DATA, SHARED) for f in sorted(root.glob("*")) if (f / "meta.json").is_file()]
    if os.uname().machine == "x86_64":
        flags = pathlib.Path("/proc/cpuinfo").read_text()
        levels = LEVELS if "avx512vl" in flags else LEVELS[:3]
        work += [(f"{f.name} {cpu}", f, ("--backend-option", f"cpu={cpu}")) for f in sorted(DATA.iterdir())
                 for cpu in levels]
    work = [w for w in work if FILTER in w[0]]
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, why in pool.map(lambda w: network(*w), work):
            skip = bool(why) and why.startswith("skip")
            failed, skipped, passed = failed + bool(why and not skip), skipped + skip, passed + (not why)
            if why:
                print("skip" if skip else "FAIL", name, why.removeprefix("skip: "), flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
