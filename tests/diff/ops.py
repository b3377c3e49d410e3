#!/usr/bin/env python3
"""ops.py BUILD [FILTER]: every operator against a numpy formula. A case is a graph in text form with the types that
infer must find (the parser compares them), inputs, and the expected results; it is run by `nashc run`."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

from op_case import CASES, np
import ops_hw  # noqa: F401: their cases go into CASES
import ops_nn  # noqa: F401
import ops_q  # noqa: F401

NASHC = pathlib.Path(sys.argv[1]).resolve() / "tools" / "nashc"
FILTER = sys.argv[2] if len(sys.argv) > 2 and not sys.argv[2].startswith("-") else ""


def run(c):
    name, text, inputs, want, tol = c
    with tempfile.TemporaryDirectory() as t:
        t = pathlib.Path(t)
        (t / "g.nashir").write_text(text)
        np.savez(t / "x.npz", **inputs)
        r = subprocess.run([NASHC, "run", t / "g.nashir", "--input", t / "x.npz", "--output", t / "y.npz"],
                           capture_output=True, text=True, timeout=120)
        if r.returncode:
            return name, text, (r.stderr or r.stdout or f"exit {r.returncode}").strip()[:600]
        got = np.load(t / "y.npz")
        if len(got.files) != len(want):
            return name, text, f"outputs {got.files}"
        for k, w in zip(got.files, want):
            g, w = np.asarray(got[k]).reshape(-1), np.asarray(w).reshape(-1)
            if g.size != w.size:
                return name, text, f"{k}: {g.size} elements, expected {w.size}"
            if not (np.issubdtype(g.dtype, np.integer) and np.issubdtype(w.dtype, np.integer)):
                g, w = g.astype(np.float64), w.astype(np.float64)
                bad = ~np.isclose(g, w, rtol=tol, atol=tol, equal_nan=True)
            else:
                bad = g != w
            if bad.any():
                i = int(np.argmax(bad))
                return name, text, f"{k}: {int(bad.sum())} of {g.size} differ, first [{i}]: {g[i]!r}, expected {w[i]!r}"
    return name, text, None


def described_ops():
    r = subprocess.run([NASHC, "list", "ops"], capture_output=True, text=True)
    return {w for line in r.stdout.splitlines() for w in line.split()[:1] if w.startswith(("nn.", "q.")) or w == "call"}


cases = [c for c in CASES if FILTER in c[0]]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool_:
    results = list(pool_.map(run, cases))
bad = [r for r in results if r[2]]
for name, text, why in bad:
    print(f"FAIL {name}\n  {why}")
    if "-v" in sys.argv:
        print(text)
missing = [] if FILTER else sorted(op for op in described_ops() if not any(f" = {op}(" in c[1] for c in CASES))
for op in missing:
    print(f"FAIL {op}: no case in this table")
print(f"{len(results) - len(bad)} passed, {len(bad) + len(missing)} failed")
sys.exit(1 if bad or missing else 0)
