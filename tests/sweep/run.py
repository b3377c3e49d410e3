#!/usr/bin/env python3
"""run.py BUILD [--stride N] [--filter TEXT]: whole commands with each allocation, write, rename, open, fork, mkdir
and pipe failing in turn, once and from then on (fail.c).

A command either ends well, with the files that it writes undisturbed, or with an error message and the exit status
of one; then what was there before is as it was. Nothing half written or temporary stays in either case. Without
--stride, some dozen places of each kind are tried, others in each of the two ways; --stride 1 tries all."""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ["alloc", "write", "rename", "open", "fork", "mkdir", "pipe"]
PLACES = 8  # of a kind, without --stride

MODEL = """nashc 1
graph @main(%x: f32[1,4]) -> (%y) {
  %s: f32[] = [0.5]
  %z: f32[] = [0]
  %q: f32[1,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7
  %w: f32[4,4] = [1,-1,1,0, 0,1,1,-1, 1,1,-1,1, 1,0,1,-1]
  %m: f32[1,4] = nn.matmul(%q, %w)
  %y: f32[1,4] = q.quant(%m, %s, %z) qmin=-8 qmax=7
}
"""

# name, arguments, what is written (and was there before, from another model), what it needs
COMMANDS = [
    ("compile", ["compile", "net.nashir", "-o", "out", "-q"], "out", None),
    ("run", ["run", "net.nashir", "--input", "x.npy", "--output", "out.npz", "-q"], "out.npz", None),
    ("opt", ["opt", "large.nashir", "-passes=streamline", "-o", "out.nashir", "-q"], "out.nashir", None),
    ("onnx", ["opt", "net.nashir", "-passes=", "-o", "out.onnx", "-q"], "out.onnx", None),
    ("read-onnx", ["opt", "net.onnx", "-passes=", "-o", "out.nashir", "-q"], "out.nashir", None),
    ("show", ["show", "net.nashir", "-o", "out.html"], "out.html", None),
    ("show-out", ["show", "net.nashir", "--format", "svg"], None, None),
    ("sim", ["sim", "design", "--input", "x.npy", "--output", "out.npy", "-q"], "out.npy", "iverilog"),
]


def large_model():
    """With a constant that goes to a .nashblob."""
    rows = ",".join(str((i * 7) % 5 - 2) for i in range(64 * 64))
    return MODEL.replace("[1,4]", "[1,64]").replace("f32[4,4] = [1,-1,1,0, 0,1,1,-1, 1,1,-1,1, 1,0,1,-1]",
                                                    f"f32[64,64] = [{rows}]")


def npy(values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {len(values)}), }}".ljust(117) + "\n"
    data = struct.pack(f"<{len(values)}f", *values)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def digest(path):
    """Of all below a folder, or of a file; None: nothing there."""
    h = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path] if path.exists() else []
    for f in files:
        if f.is_file():
            h.update(str(f.relative_to(path.parent)).encode() + b"\0" + f.read_bytes())
    return h.hexdigest() if files else None


class Sweep:
    def __init__(self, nashc, library, work):
        self.nashc, self.library, self.work = nashc, library, work
        self.base = work / "base"
        self.base.mkdir()
        (self.base / "net.nashir").write_text(MODEL)
        (self.base / "other.nashir").write_text(MODEL.replace("qmax=7", "qmax=5"))
        (self.base / "large.nashir").write_text(large_model())
        (self.base / "x.npy").write_bytes(npy([1.0, -2.0, 0.5, 3.0]))
        subprocess.run([nashc, "compile", "net.nashir", "-o", "design", "-q"], cwd=self.base, check=True,
                       capture_output=True)
        subprocess.run([nashc, "opt", "net.nashir", "-passes=", "-o", "net.onnx", "-q"], cwd=self.base, check=True,
                       capture_output=True)

    def folder(self, name, before):
        d = self.work / name
        shutil.copytree(self.base, d)
        (d / "tmp").mkdir()
        if before:
            source = self.work / "before" / before
            (shutil.copytree if source.is_dir() else shutil.copy)(source, d / before)
            blob = source.with_suffix(".nashblob")
            if blob.exists() and not source.is_dir():
                shutil.copy(blob, d / blob.name)
        return d

    def call(self, d, args, env):
        env = {**os.environ, "TMPDIR": str(d / "tmp"), "LD_PRELOAD": self.library, **env}
        env.pop("NASHC_PLUGIN_PATH", None)
        return subprocess.run([self.nashc, *args], cwd=d, env=env, capture_output=True, timeout=120)

    def reads(self, path):
        return subprocess.run([self.nashc, "opt", path, "-passes=", "-o", "-"], capture_output=True).returncode == 0

    def former(self, args, out):
        """What lies at out before: the same command on another model, so that it is told apart."""
        d = self.work / "before"
        if not d.exists():
            shutil.copytree(self.base, d)
        other = ["other.nashir" if a in ("net.nashir", "large.nashir", "net.onnx") else a for a in args]
        if "sim" in args:
            (d / out).write_bytes(npy([9.0]))
        else:
            subprocess.run([self.nashc, *other], cwd=d, check=True, capture_output=True)

    def one(self, name, args, out, fail, want, before):
        """The fault of one run; None: all is well."""
        d = self.folder(f"{name}-{fail}".replace(":", "-").replace("+", "on"), out)
        try:
            r = self.call(d, args, {"FAIL": fail})
            left = [str(f.relative_to(d)) for f in d.rglob("*") if ".tmp-" in f.name]
            left += [str(f.relative_to(d)) for f in (d / "tmp").iterdir()]
            if r.returncode not in (0, 1, 2, 3, 4):
                return f"exit status {r.returncode}: {r.stderr.decode(errors='replace')[-300:]}"
            if left and not (fail.startswith("open:") and fail.endswith("+")):  # folders cannot be emptied either
                return f"left behind (exit status {r.returncode}): {left[:4]}"
            if r.returncode and b"error:" not in r.stderr:
                return f"exit status {r.returncode} without a message: {r.stderr[-200:]}"
            if not out:
                return "wrong output" if r.returncode == 0 and r.stdout != want else None
            now = digest(d / out)
            if now and out.endswith(".nashir") and not self.reads(d / out):
                return "the text that is there does not find its blobs"
            if r.returncode == 0 and now != want:
                return "exit status 0, but the output is another one"
            if r.returncode and now not in (before, want):
                return f"exit status {r.returncode}, and the former output is gone: {r.stderr[-200:]}"
            return None
        finally:
            shutil.rmtree(d, ignore_errors=True)

    def places(self, n, stride, shift):
        if stride:
            return range(1, n + 1, stride)
        step = max(1, n // PLACES)
        return range(1 + shift * (step // 2) % max(step, 1), n + 1, step)

    def command(self, pool, name, args, out, stride):
        if out:
            self.former(args, out)
        d = self.folder(f"{name}-reference", out)
        count = d / "count"
        r = self.call(d, args, {"FAIL_COUNT": str(count)})
        if r.returncode:
            return 0, [f"{name}: {r.stderr.decode(errors='replace')}"]
        want = digest(d / out) if out else r.stdout
        before = digest(self.work / "before" / out) if out else None
        calls = dict((k, int(n)) for k, n in (line.split() for line in count.read_text().splitlines()))
        jobs = {}
        for kind in KINDS:
            for shift, suffix in enumerate(("", "+")):
                for i in self.places(calls[kind], stride, shift):
                    fail = f"{kind}:{i}{suffix}"
                    jobs[pool.submit(self.one, name, args, out, fail, want, before)] = fail
        faults = [f"{name}: FAIL={jobs[j]}: {j.result()}" for j in jobs if j.result()]
        return len(jobs), faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--stride", type=int, default=0)
    parser.add_argument("--filter", default="")
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    failed = passed = 0
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        library = os.path.join(tmp, "fail.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, str(HERE / "fail.c"), "-ldl"], check=True)
        work = pathlib.Path(tmp) / "work"
        work.mkdir()
        sweep = Sweep(str(pathlib.Path(o.build).resolve() / "tools/nashc"), library, work)
        for name, args, out, need in COMMANDS:
            if o.filter not in name:
                continue
            if need and not shutil.which(need):
                print(f"skip {name}: {need} is not there")
                continue
            n, faults = sweep.command(pool, name, args, out, o.stride)
            print(f"{'FAIL' if faults else 'ok  '} {name}: {n} places")
            for f in faults[:20]:
                print("    ", f)
            failed += len(faults)
            passed += n - len(faults)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
