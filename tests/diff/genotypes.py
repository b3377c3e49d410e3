#!/usr/bin/env python3
"""genotypes.py BUILD: networks that the genotype frontend builds against their exports of the acceptance fixtures: with
the same weights they give the same outputs, and the same integer graph. Weights come from the fixture's own files by
name, or out of its ONNX file, by walking both graphs from the output."""
import hashlib
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy as np

BUILD = pathlib.Path(sys.argv[1]).resolve()
NASHC = BUILD / "tools" / "nashc"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"

SMALL = "stem=conv=7x7/2 pool=none"
# Fixture of models/: published network, options of the frontend.
MODELS = {
    "nash_v1_r18_32": ("r18-v1", ["width=16", SMALL, "bits=weight=8 act=8"]),
    "nash_v1_r18_64stem": ("r18-v1", ["width=8", "input=3x64x64 scale=0.00392156862745098", "bits=weight=8 act=8"]),
    "nash_v2_r18_32": ("r18-v2", ["width=8", SMALL, "input=3x32x32 dtype=float", "bits=weight=8 act=8"]),
    "nash_v2_w4a4_r18_32": ("r18-v2", ["width=8", SMALL, "bits=weight=4 act=4 nas=4"]),
    "nash_v3_r18_32": ("r18-v3", ["width=8", SMALL, "bits=weight=4 act=4 down=4"]),
    "nash_v4_r18_32": ("r18-v4", ["width=8", SMALL, "bits=weight=1 act=8"]),
    "nash_v4_w1a1_r18_32": ("r18-v4", ["width=8", SMALL, "bits=weight=1 act=2 nas=1"]),
    "resnet18_base_32": ("r18-baseline", ["width=16", SMALL]),
    "resnet18_base_w4a4_32": ("r18-baseline", ["width=8", SMALL, "bits=weight=4 act=4"]),
}
COMMON = ["classes=10", "head=trunc=round", "input=3x32x32 scale=0.00392156862745098"]


class Net:
    """A graph read from IR text: definitions by value name."""

    def __init__(self, path):
        self.path, self.node, self.const, self.scale_of = path, {}, {}, {}
        for line in path.read_text().splitlines():
            m = re.match(r'  (%[\w."]+): (\S+) = (.*)', line)
            if line.startswith("graph"):
                self.out = re.search(r"-> \(.*?(%\w+)", line).group(1)
            elif m and re.match(r"\[|blob|splat", m[3]):
                self.const[m[1]] = (m[2], m[3])
            elif m:
                call = re.match(r"([\w.]+)\(([^)]*)\)(.*?)(?: !\".*\")?$", m[3])
                args = [a.strip() for a in call[2].split(",") if a.strip()]
                self.node[m[1]] = (call[1], args, call[3].strip(), m[2])
        blob = path.with_suffix(".nashblob")
        self.blob = blob.read_bytes() if blob.is_file() else b""

    def value(self, name):
        """A constant as an array."""
        kind, text = self.const[name]
        dims = [int(d) for d in re.search(r"\[([\d,]*)\]", kind)[1].split(",") if d]
        if text.startswith("["):
            return np.array([float(x) for x in text[1:-1].split(",")], np.float32).reshape(dims)
        if text.startswith("splat"):
            return np.full(dims, float(text.split()[1]), np.float32)
        for i in range(struct.unpack("<I", self.blob[12:16])[0]):
            at = 32 + 64 * i
            if self.blob[at:at + 8].hex() == text.split()[1]:
                offset = struct.unpack("<Q", self.blob[at + 32:at + 40])[0]
                n = int(np.prod(dims))
                return np.frombuffer(self.blob, np.float32, n, offset).reshape(dims)
        raise KeyError(text)

    def args(self, name, done):
        """Operands, those of a sum in an order of their own."""
        op, args = self.node[name][:2]
        return sorted(args, key=lambda a: done[a]) if op == "nn.add" else args

    def digests(self, values):
        """Of what each value is, names and the order of nodes aside; values: of attributes and of what integer
        constants hold, too. Multipliers and addends of q.requant come from float scales, whose last bits depend on
        the order of float operations, so they are left out."""
        done = {}
        near = {a for op, args, _, _ in self.node.values() if op == "q.requant" for a in args[1:]}

        def shape(kind):
            return kind[kind.index("["):] if "[" in kind else kind

        def text(name):
            if name not in self.node:
                kind, value = self.const.get(name, ("input", ""))
                return f"{shape(kind)} {value if values and kind[0] != 'f' and name not in near else ''}"
            op, args, attrs, kind = self.node[name]
            if op in ("nn.gemm", "nn.matmul") and not values:
                return f"matmul {done[args[0]]}"
            exact = values and op not in ("q.requant", "nn.batchnorm")
            return f"{op} {shape(kind)} {attrs if exact else ''} " + " ".join(done[a] for a in self.args(name, done))

        stack = [self.out]
        while stack:
            todo = [a for a in self.node.get(stack[-1], ("", []))[1] if a not in done]
            if todo:
                stack += todo
            else:
                name = stack.pop()
                done[name] = hashlib.sha256(text(name).encode()).hexdigest()
        return done


def threshold(scale, code):
    """v with float32(2^v) / code = scale."""
    t = np.float32(scale) * np.float32(code)
    for t in (t, np.nextafter(t, np.float32(0)), np.nextafter(t, np.float32(np.inf))):
        if t / np.float32(code) == scale:
            break
    return np.log2(np.float64(t))


def pair(mine, other):
    """Parameters of mine, by name, from the constants that stand in their place in other."""
    found, seen, stack = {}, set(), [(mine.out, other.out)]
    one, two = mine.digests(False), other.digests(False)
    while stack:
        a, b = stack.pop()
        if (a, b) in seen:
            continue
        seen.add((a, b))
        if a in mine.const:
            name = a[1:]
            w = other.value(b)
            if name.endswith(".weight") or ".bn." in name:
                found[name] = w.T if name == "head.fc.weight" else w
            elif re.fullmatch(r"\w[\w.]*\.q\d?\.scale", name):
                code = next(int(re.search(r"qmax=(\d+)", n[2])[1]) for n in mine.node.values() if a in n[1])
                found[name[:-5] + "v"] = threshold(w, code)
        elif a in mine.node:
            x, y = mine.node[a], other.node[b]
            if x[0] != y[0] and {x[0], y[0]} != {"nn.gemm", "nn.matmul"}:
                raise ValueError(f"{x[0]} at {a}, {y[0]} at {b}")
            stack += zip(mine.args(a, one), other.args(b, two))
    return found


def run(*args):
    r = subprocess.run([NASHC, *args, "-q"], capture_output=True, text=True)
    if r.returncode:
        raise ValueError(f"nashc {args[0]}: exit {r.returncode}: {(r.stderr + r.stdout)[-300:]}")


def read(tmp, name, passes, *args):
    run("opt", *args, f"-passes={passes}", "-o", tmp / f"{name}.nashir")
    return Net(tmp / f"{name}.nashir")


def agree(tmp, model, weights, onnx, x, y, atol, same_graph=True):
    np.save(tmp / "x.npy", x)
    np.save(tmp / "y.npy", y)
    run("run", *model, "--weights", weights, "--input", tmp / "x.npy", "--expect", tmp / "y.npy", "--atol", str(atol))
    mine = read(tmp, "mine", "streamline,check-streamlined", *model, "--weights", weights)
    other = read(tmp, "other", "streamline,check-streamlined", onnx)
    if same_graph and mine.digests(True)[mine.out] != other.digests(True)[other.out]:
        raise ValueError("the integer graphs differ")


def trained(tmp, d):
    g = np.load(d / "golden.npz")
    model = [d / "genotype.ngt", "-Wno-genotype-reduce"]
    # "none" is no node here; the export adds zeros.
    agree(tmp, model, d / "state10.npz", d / "model.onnx", g["input"], g["output"], 1e-5, "custom" not in d.name)


def exported(tmp, d):
    import json
    base, options = MODELS[d.name]
    keys = {o.split("=", 1)[0] for o in options}
    options = options + [o for o in COMMON if o.split("=", 1)[0] not in keys]
    model = [pathlib.Path(__file__).resolve().parents[2] / f"frontends/genotype/networks/{base}.ngt",
             *(f"--frontend-option={o}" for o in options)]
    found = pair(read(tmp, "made", "", *model), read(tmp, "fixture", "", d / "model.onnx"))
    np.savez(tmp / "w.npz", **found)
    meta = json.loads((d / "meta.json").read_text())
    agree(tmp, model, tmp / "w.npz", d / "model.onnx", np.load(d / "input.npy"), np.load(d / "output.npy"),
          meta["tolerance"].get("atol", 0))


def main():
    cases = [(trained, d) for d in sorted((SHARED / "training/networks").glob("r18_*"))]
    cases += [(exported, SHARED / "models" / name) for name in MODELS]
    passed = failed = 0
    for go, d in cases:
        if not (d / "model.onnx").is_file():
            print(f"skip {d.name}: the fixture is not beside the checkout")
            continue
        with tempfile.TemporaryDirectory() as tmp:
            try:
                go(pathlib.Path(tmp), d)
                passed += 1
                print("ok  ", d.name)
            except (ValueError, KeyError) as e:
                failed += 1
                print("FAIL", d.name, e)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
