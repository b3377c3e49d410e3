#!/usr/bin/env python3
"""structure.py BUILD [N] [--first SEED]: N (300) networks, each changed by structure: attributes, shapes, element
types, names, operands, in the text of the IR and through ONNX and back. What nashc still reads is run as it is and
streamlined, on the same inputs, and must give the same numbers; what it refuses, it refuses with a message. Seeded,
hence repeatable."""
import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASES = ["""nashc 1
graph @main(%x: f32[1,2,4,4]) -> (%y) {
  %s: f32[] = [0.5]
  %z: f32[] = [0]
  %q: f32[1,2,4,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7
  %w: f32[3,2,3,3] = [WEIGHTS]
  %c: f32[1,3,4,4] = nn.conv(%q, %w) pads=[1,1,1,1]
  %r: f32[1,3,4,4] = nn.relu(%c)
  %t: f32[] = [0.75]
  %p: f32[1,3,4,4] = q.quant(%r, %t, %z) qmin=0 qmax=15
  %y: f32[1,3,2,2] = nn.maxpool(%p) kernel=[2,2] strides=[2,2]
}
""", """nashc 1
graph @main(%x: f32[2,4]) -> (%y) {
  %s: f32[] = [0.25]
  %z: f32[] = [0]
  %q: f32[2,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7
  %w: f32[4,3] = [1,-1,0,2,1,0,-2,1,1,0,1,1]
  %m: f32[2,3] = nn.matmul(%q, %w)
  %b: f32[3] = [0.5,-1,2]
  %a: f32[2,3] = nn.add(%m, %b)
  %n: f32[2,3] = nn.relu(%a)
  %d: f32[3] = [1,0.5,2]
  %e: f32[2,3] = nn.mul(%n, %d)
  %t: f32[] = [1.5]
  %y: f32[2,3] = q.quant(%e, %t, %z) qmin=0 qmax=7
}
""", """nashc 1
graph @main(%x: f32[1,4]) -> (%y, %o) {
  %s: f32[] = [1]
  %z: f32[] = [0]
  %q: f32[1,4] = q.quant(%x, %s, %z) qmin=-4 qmax=3
  %k: f32[] = [3]
  %m: f32[1,4] = nn.mul(%q, %k)
  %u: f32[1,4] = q.quant(%m, %k, %z) qmin=-4 qmax=3
  %a: f32[1,4] = nn.add(%u, %q)
  %o: f32[1,4] = q.bipolar_quant(%a, %s)
  %y: f32[1,8] = nn.concat(%u, %a) axis=1
}
"""]
BASES = [b.replace("WEIGHTS", ",".join(str(i * 5 % 7 % 4 - 1) for i in range(54))) for b in BASES]
VALUES = ["0", "1", "-1", "2", "3", "0.5", "1e-10", "2e9", "1e38", "-3e38", "0.1", "127", "65535", "nan", "inf"]
DIMS = ["0", "1", "2", "3", "4", "7", "64"]
ELEMS = ["f32", "f64", "i4", "u8", "i31", "f16", "bip"]


def numbers(line, rng):
    """Another number in the list or attribute of a line."""
    at = [m for m in re.finditer(r"(?<=[\[,=])-?[0-9.e+-]+(?=[\],\s]|$)", line)]
    if not at:
        return line
    m = rng.choice(at)
    return line[:m.start()] + rng.choice(VALUES) + line[m.end():]


def shape(text, rng):
    """One dimension, everywhere that it stands at that place of that shape."""
    old = rng.choice(sorted(set(re.findall(r": \w+(\[[0-9,]+\])", text))))
    dims = old[1:-1].split(",")
    dims[rng.randrange(len(dims))] = rng.choice(DIMS)
    return re.sub(r"(: \w+)" + re.escape(old), lambda m: m[1] + "[" + ",".join(dims) + "]", text)


def name(text, rng):
    old = rng.choice(re.findall(r"%(\w+):", text) or ["x"])
    new = rng.choice(['"a b"', '"\\x1b[31m"', '"\\xff"', '"<&>"', '"%s"', '"é"', '"' + "n" * 300 + '"'])
    return re.sub(rf"%{old}\b", lambda m: "%" + new, text)


def operand(text, rng):
    lines = text.splitlines()
    uses = [i for i, line in enumerate(lines) if re.search(r"\(%", line) and "graph" not in line]
    i = rng.choice(uses)
    values = re.findall(r"%(\w+):", text)
    ends = list(re.finditer(r"(?<=[(, ])%\w+(?=[,)])", lines[i]))
    if not ends:
        return text
    at = rng.choice(ends)
    lines[i] = lines[i][:at.start()] + "%" + rng.choice(values) + lines[i][at.end():]
    return "\n".join(lines) + "\n"


def mutate(text, rng):
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        kind = rng.randrange(6)
        if kind == 0:
            text = shape(text, rng)
        elif kind == 1:
            text = name(text, rng)
        elif kind == 2:
            text = operand(text, rng)
        elif kind == 3:
            text = text.replace("f32", rng.choice(ELEMS), rng.choice((1, 2, 100)))
        else:
            lines = text.splitlines()
            i = rng.randrange(1, len(lines))
            lines[i] = numbers(lines[i], rng)
            text = "\n".join(lines) + "\n"
    return text


class Fault(Exception):
    pass


def call(nashc, tmp, *args):
    """Exit status and standard output; anything but a good end or a refusal with a reason is a fault."""
    try:
        r = subprocess.run([nashc, *args], cwd=tmp, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        raise Fault(f"{args}: no end within 60 s")
    text = r.stderr.decode(errors="replace")
    if r.returncode not in (0, 1, 2, 3) or "Sanitizer" in text or "runtime error" in text:
        raise Fault(f"{args}: exit {r.returncode}: {text[-800:]}")
    if r.returncode == 3:
        raise Fault(f"{args}: {text[-800:]}")
    if r.returncode and "error:" not in text:
        raise Fault(f"{args}: refused without a message")
    if args[1] == "b.onnx" and ("holds NaN" in text or "infinit" in text):
        return 0  # which files of ONNX may not hold
    return r.returncode


def one(nashc, i):
    rng = random.Random(i)
    with tempfile.TemporaryDirectory() as tmp:
        text = mutate(BASES[i % len(BASES)], rng)
        pathlib.Path(tmp, "a.nashir").write_text(text, encoding="utf-8")
        try:
            if call(nashc, tmp, "opt", "a.nashir", "-passes=", "-o", "b.nashir"):
                return None, False
            # what it wrote it reads; the same through ONNX
            if call(nashc, tmp, "opt", "b.nashir", "-passes=", "-o", "-"):
                raise Fault("what was written cannot be read")
            if call(nashc, tmp, "opt", "b.nashir", "-passes=", "-o", "b.onnx") == 0 and \
                    call(nashc, tmp, "opt", "b.onnx", "-passes=", "-o", "c.nashir"):
                raise Fault("the ONNX that was written cannot be read")
            # the streamlined graph gives the same numbers (exit status 3: it does not)
            if call(nashc, tmp, "opt", "b.nashir", "-passes=streamline", "--check-each=3", "-o", "s.nashir") == 0 and \
                    call(nashc, tmp, "opt", "s.nashir", "-passes=", "-o", "-"):
                raise Fault("the streamlined graph cannot be read")
            for form in ("svg", "dot"):
                call(nashc, tmp, "show", "b.nashir", "-o", f"b.{form}")
        except Fault as f:
            return f"seed {i}: {f}\n{text}", True
        return None, True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("count", nargs="?", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    nashc = str(pathlib.Path(o.build).resolve() / "tools/nashc")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda i: one(nashc, i), range(o.first, o.first + o.count)))
    faults = [f for f, _ in results if f]
    for f in faults[:10]:
        print("FAIL", f)
    print(f"{sum(ran for _, ran in results)} of {o.count} networks were read and compared")
    print(f"{o.count - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
