#!/usr/bin/env python3
"""mutants.py BUILD [N]: N (1,500) damaged copies of a model (bits flipped, cut, parts doubled) through the importer
and the streamliner of a sanitizer build: every one must end by itself with exit status 0 or 1, in time, without a
sanitizer's complaint. Seeded, hence repeatable."""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

NASHC = pathlib.Path(sys.argv[1]).resolve() / "tools" / "nashc"
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 1500
DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
MODELS = [DATA / n / "model.onnx" for n in ("micro_sign_bias_absorb",)]


def mutate(data, rng):
    data = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[rng.randrange(len(data)):]
    elif kind == 2:
        a = rng.randrange(len(data))
        b = min(len(data), a + rng.choice((1, 4, 40, 400)))
        data[b:b] = data[a:b]
    else:
        a = rng.randrange(len(data))
        del data[a:a + rng.choice((1, 2, 8, 64))]
    return bytes(data)


def one(i):
    rng = random.Random(i)
    data = mutate(MODELS[i % len(MODELS)].read_bytes(), rng)
    with tempfile.TemporaryDirectory() as tmp:
        path = pathlib.Path(tmp, "m.onnx")
        path.write_bytes(data)
        try:
            r = subprocess.run([NASHC, "opt", path, "-passes=streamline", "-o", f"{tmp}/o.nashir"], capture_output=True,
                               timeout=60)
        except subprocess.TimeoutExpired:
            return f"mutant {i}: no end within 60 s"
        text = r.stderr.decode(errors="replace")
        if r.returncode not in (0, 1) or "Sanitizer" in text or "runtime error" in text:
            return f"mutant {i}: exit {r.returncode}: {text[-1500:]}"
        if r.returncode == 1 and "error:" not in text:
            return f"mutant {i}: refused without a message"
    return None


with ThreadPoolExecutor(os.cpu_count()) as pool:
    faults = [f for f in pool.map(one, range(COUNT)) if f]
for f in faults[:10]:
    print("FAIL", f)
print(f"{COUNT - len(faults)} passed, {len(faults)} failed")
sys.exit(1 if faults else 0)
