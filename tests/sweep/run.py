#!/usr/bin/env python3
"""run.py BUILD [--sites] [--stride N] [--filter TEXT]: whole commands with each allocation, write, rename, open, fork,
mkdir and pipe failing in turn, once and from then on (fail.c).

A command either ends well, with the files that it writes undisturbed, or with an error message and the exit status
of one; then what was there before is as it was. Nothing half written or temporary stays in either case.

A first run records every call and the functions that it came through. Without options some dozen places of each kind
are tried, others in each of the two ways; --sites tries each place of the source, told apart by all that called it,
at its first, middle and last time; --stride 1 tries every call. One process serves many places (snapshot.c): it
forks at each, and only the copy fails. Where a command has children of its own, each place is a run from the start.
With FAIL_TRACE=1 in the environment the faults say where the call was made."""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ["alloc", "write", "rename", "open", "fork", "mkdir", "pipe"]
PLACES = 8  # of a kind, without options
SERVED = 400  # places of one process
TIMEOUT = 120  # seconds

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
    """A folder of what the commands read; each run has a sandbox with its working folder d, stdout and stderr."""

    def __init__(self, nashc, library, work):
        self.nashc, self.library, self.work = nashc, library, work
        self.base = work / "base"
        self.base.mkdir()
        self.readable = {}
        (self.base / "net.nashir").write_text(MODEL)
        (self.base / "other.nashir").write_text(MODEL.replace("qmax=7", "qmax=5"))
        (self.base / "large.nashir").write_text(large_model())
        (self.base / "x.npy").write_bytes(npy([1.0, -2.0, 0.5, 3.0]))
        for args in (["compile", "net.nashir", "-o", "design", "-q"],
                     ["opt", "net.nashir", "-passes=", "-o", "net.onnx", "-q"]):
            subprocess.run([nashc, *args], cwd=self.base, check=True, capture_output=True)

    def sandbox(self, name, args, before):
        box = self.work / name
        (box / "d/tmp").mkdir(parents=True)
        for a in args:
            if (self.base / a).exists() and a != before:
                copy(self.base / a, box / "d" / a)
        if before:
            source = self.work / "before" / before
            copy(source, box / "d" / before)
            if source.with_suffix(".nashblob").exists():
                copy(source.with_suffix(".nashblob"), box / "d" / pathlib.Path(before).with_suffix(".nashblob"))
        return box

    def start(self, box, args, tmpdir, env, **more):
        env = {**os.environ, "TMPDIR": tmpdir, "LD_PRELOAD": self.library, **env}
        env.pop("NASHC_PLUGIN_PATH", None)
        with open(box / "stdout", "wb") as out, open(box / "stderr", "wb") as err:
            return subprocess.Popen([self.nashc, *args], cwd=box / "d", env=env, stdout=out, stderr=err, **more)

    def call(self, box, args, env):
        p = self.start(box, args, str(box / "d/tmp"), env)
        try:
            return p.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            p.kill()
            return p.wait()

    def reads(self, path):
        """Whether the text finds its blobs."""
        key = digest(path), digest(path.with_suffix(".nashblob"))
        if key not in self.readable:
            r = subprocess.run([self.nashc, "opt", path, "-passes=", "-o", "-"], capture_output=True)
            self.readable[key] = r.returncode == 0
        return self.readable[key]

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

    def fault(self, box, status, fail, out, want, before):
        """What is wrong after a run that ended with status; None: all is well."""
        d, text = box / "d", (box / "stderr").read_bytes()
        left = [str(f.relative_to(d)) for f in d.rglob("*") if ".tmp-" in f.name or f.parent == d / "tmp"]
        if status not in (0, 1, 2, 3, 4):
            return f"exit status {status}: {text.decode(errors='replace')[-300:]}"
        if left and not (fail.startswith("open:") and fail.endswith("+")):  # folders cannot be emptied either
            return f"left behind (exit status {status}): {left[:4]}"
        if status and b"error:" not in text:
            return f"exit status {status} without a message: {text[-200:]}"
        if not out:
            return "wrong output" if status == 0 and (box / "stdout").read_bytes() != want else None
        now = digest(d / out)
        if now and out.endswith(".nashir") and not self.reads(d / out):
            return "the text that is there does not find its blobs"
        if status == 0 and now != want:
            return f"exit status 0, but the output is another one: {text.decode(errors='replace')[-1500:]}"
        if status and now not in (before, want):
            return f"exit status {status}, and the former output is gone: {text[-200:]}"
        return None

    def one(self, name, args, out, fail, *known):
        """The faults of a run from the start."""
        box = self.sandbox(f"{name}-{file_name(fail)}", args, out)
        try:
            fault = self.fault(box, self.call(box, args, {"FAIL": fail}), fail, out, *known)
            return [f"{name}: FAIL={fail}: {fault}"] if fault else []
        finally:
            shutil.rmtree(box, ignore_errors=True)

    def serve(self, name, args, out, places, *known):
        """The faults of copies of one process, at each of the places."""
        box = self.sandbox(f"{name}-serves-{file_name(places[0])}", args, out)
        listed = box / "places"
        listed.write_text("\n".join(places) + "\n")
        ours, theirs = socket.socketpair()
        p = self.start(box, args, "tmp", {"FAIL_SERVE": str(listed), "FAIL_LINK": str(theirs.fileno())},
                       pass_fds=[theirs.fileno()])
        theirs.close()
        faults, tried = [], []
        with ours, ours.makefile("r") as lines:
            ours.settimeout(2 * TIMEOUT)
            for line in lines:
                fail = line.split()[1]
                here = self.work / f"{name}-{file_name(fail)}"
                shutil.copytree(box, here, symlinks=True)
                ours.sendall(str(here).encode())
                status = self.copy_ended(int(lines.readline()), lines)
                fault = self.fault(here, status, fail, out, *known)
                faults += [f"{name}: FAIL={fail}: {fault}"] if fault else []
                tried.append(fail)
                shutil.rmtree(here, ignore_errors=True)
        if p.wait(TIMEOUT) not in (0, 1, 2, 3, 4) or len(tried) < len(places) // 2:
            faults.append(f"{name}: {len(tried)} of {len(places)} places were served, exit status {p.returncode}")
        shutil.rmtree(box, ignore_errors=True)
        for fail in set(places) - set(tried):  # it made fewer calls than when they were recorded
            faults += self.one(name, args, out, fail, *known)
        return faults

    def copy_ended(self, pid, lines):
        stop = threading.Timer(TIMEOUT, os.kill, (pid, signal.SIGKILL))
        stop.start()
        try:
            return os.waitstatus_to_exitcode(int(lines.readline()))
        finally:
            stop.cancel()

    def record(self, name, args, out):
        """(place, stack) of every call in order, and what the undisturbed command writes."""
        box = self.sandbox(f"{name}-reference", args, out)
        status = self.call(box, args, {"FAIL_RECORD": str(box / "record")})
        if status:
            raise RuntimeError(f"{name}: exit status {status}: {(box / 'stderr').read_text(errors='replace')}")
        calls = [tuple(line.split()) for line in (box / "record").read_text().splitlines()]
        return calls, digest(box / "d" / out) if out else (box / "stdout").read_bytes()

    def command(self, pool, name, args, out, o):
        """The number of places tried, the faults."""
        if out:
            self.former(args, out)
        calls, want = self.record(name, args, out)
        known = want, digest(self.work / "before" / out) if out else None
        alone = next((i for i, (p, _) in enumerate(calls) if p.startswith(("fork", "pipe"))), len(calls))
        chosen = choose(calls, o)
        served = [f for i, f in chosen if i < alone]
        jobs = [pool.submit(self.serve, name, args, out, served[i:i + SERVED], *known)
                for i in range(0, len(served), SERVED)]
        jobs += [pool.submit(self.one, name, args, out, f, *known) for i, f in chosen if i >= alone]
        sites = len({c[1] for c in calls})
        return f"{len(chosen)} places of {len(calls)} calls, {sites} sites", len(chosen), sum(
            (j.result() for j in jobs), [])


def copy(a, b):
    shutil.copytree(a, b, symlinks=True) if a.is_dir() else shutil.copy(a, b)


def file_name(fail):
    return fail.replace(":", "-").replace("+", "on")


def choose(calls, o):
    """(number of the call, place) in the order of the calls: those that fail once, and with + those that go on."""
    chosen = set()
    if o.sites:
        sites = collections.defaultdict(list)
        for i, (_, stack) in enumerate(calls):
            sites[stack].append(i)
        for s in sites.values():
            chosen |= {(i, calls[i][0] + way) for i in (s[0], s[len(s) // 2], s[-1]) for way in ("", "+")}
    else:
        for kind in KINDS:
            of = [i for i, (place, _) in enumerate(calls) if place.startswith(kind + ":")]
            step = o.stride or max(1, len(of) // PLACES)
            for shift, way in enumerate(("", "+")):
                chosen |= {(i, calls[i][0] + way) for i in of[0 if o.stride else shift * (step // 2)::step]}
    return sorted(chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--sites", action="store_true")
    parser.add_argument("--stride", type=int, default=0)
    parser.add_argument("--filter", default="")
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    failed = passed = 0
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as tmp, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        library = os.path.join(tmp, "fail.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, HERE / "fail.c",
                        HERE / "snapshot.c", "-ldl"], check=True)
        work = pathlib.Path(tmp) / "work"
        work.mkdir()
        sweep = Sweep(str(pathlib.Path(o.build).resolve() / "tools/nashc"), library, work)
        for name, args, out, need in COMMANDS:
            if o.filter not in name:
                continue
            if need and not shutil.which(need):
                print(f"skip {name}: {need} is not there")
                continue
            start = time.monotonic()
            text, n, faults = sweep.command(pool, name, args, out, o)
            print(f"{'FAIL' if faults else 'ok  '} {name}: {text}, {time.monotonic() - start:.0f} s", flush=True)
            for f in faults[:20]:
                print("    ", f)
            failed += len(faults)
            passed += n - len(faults)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
