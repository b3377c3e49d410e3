#!/usr/bin/env python3
"""random_graphs.py BUILD [--count N] [--first SEED] [--jobs N]: random networks through every pass and pipeline.

For each seed: the model, read back from text and from ONNX, gives the same outputs bit for bit; it streamlines, with
the graph checked and run after each pass; so it does in every named pipeline, and in all other passes in a
random order. A
failure is shrunk by `nashc reduce`; the smallest model and the command that shows the fault are printed."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile

import numpy as np

import random_inputs
import random_net

# These change values or the interface on purpose: no comparison is possible.
CHANGES = {"to-hw", "double-to-single", "insert-topk", "make-input-cl", "quantize-graph",
           "expose-intermediate", "change-batchsize"}
CHECKED = ["--verify-each=4", "--check-each=3"]


def call(args, limit=60):
    """Exit status (124: ran too long) and messages."""
    try:
        r = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=limit, errors="replace",
                           cwd=tempfile.gettempdir())
        return r.returncode, r.stderr
    except subprocess.TimeoutExpired:
        return 124, "ran too long"


def signature(status, text):
    """What makes two failures the same: the status and the first message without its numbers and names."""
    error = re.search(r"(?:error|bug|ERROR): (.*)", text)
    where = re.search(r'in pass "([^"]*)"', text)
    why = re.search(r"stays in float: (.*)", text)
    said = re.sub(r'element \[.*|"[^"]*"|-?\d[\d.e+-]*|[^ ]*/', "", error.group(1)) if error else ""
    return "|".join([str(status), said, *(m.group(1) for m in (where, why) if m)])


class Driver:
    def __init__(self, build, keep):
        self.nashc = pathlib.Path(build).resolve() / "tools" / "nashc"
        self.keep = keep
        self.seen = set()
        pipes = json.loads(subprocess.run([self.nashc, "list", "pipelines", "--json"], capture_output=True).stdout)
        apart = ("streamline", "compile", "hardware")  # the first has a step of its own; not all maps to hardware
        self.pipelines = [p["name"] for p in pipes if p["name"] not in apart]

    def find_passes(self):
        """The passes and pipelines that take any network, passes only if they leave its values alone."""
        said = subprocess.run([self.nashc, "list", "passes", "--json"], capture_output=True).stdout
        self.inexact = {p["name"] for p in json.loads(said) if p.get("inexact")}
        names = [p["name"] for p in json.loads(said) if p["name"] not in CHANGES and
                 all("default" in o for o in p["options"])]
        with tempfile.TemporaryDirectory() as tmp:
            model = pathlib.Path(tmp, "m.nashir")
            model.write_text("nashc 1\n\ngraph @main(%x: f32[1]) -> (%y) {\n  %y: f32[1] = nn.relu(%x)\n}\n")

            def takes_any(name):
                return "needs a graph that is" not in call([self.nashc, "opt", model, f"-passes={name}", "-o", "-"])[1]
            self.passes = list(filter(takes_any, names))
            self.pipelines = list(filter(takes_any, self.pipelines))

    def parts(self, r, model):
        """Passes that put up to three runs of nodes, of those that something reads, into graphs of their own."""
        clean = "remove-unused-nodes"
        text = subprocess.run([self.nashc, "opt", model, f"-passes={clean}", "-o", "-"], capture_output=True,
                              text=True).stdout
        nodes = [re.search(r'!"([^"]*)"$|%([\w.]+):', line) for line in text.splitlines()
                 if re.search(r" = [a-z]+\.\w+\(", line)]
        names = list(dict.fromkeys(m[1] or m[2] for m in nodes))
        cuts = sorted(r.sample(range(len(names) + 1), min(4, len(names) + 1)))
        runs = [names[a:b] for a, b in zip(cuts, cuts[1:])]
        return ",".join([clean, *(f"partition(name=p{i};nodes={','.join(run)})" for i, run in enumerate(runs))])

    def steps(self, seed, model):
        """Name and pipeline text of every check of one network."""
        r = random.Random(seed)

        def some():
            return ",".join(f"try({p})" for p in r.sample(self.passes, len(self.passes)))
        yield "streamline", "streamline,check-streamlined"
        yield "passes", some()
        yield "passes of the integer graph", "streamline," + some()
        yield "passes after finn", "try(convert-qonnx-to-finn)," + some()
        parts = self.parts(r, model)
        yield "parts", f"{parts},streamline,check-streamlined"
        yield "passes of parts", f"{parts},{some()},extend-partition"
        for name in self.pipelines:
            yield name, name

    def round_trip(self, model, tmp, before):
        """Outputs of the model, and of what is read back from text and ONNX; None: equal."""
        x, y, m = tmp / "x.npy", tmp / "y.npz", tmp / "m.nashir"
        data = random_inputs.draw(model.read_text(), 3)
        if data is None:
            return None  # a shrunk model that cannot be run this way
        np.save(x, data)
        steps = [["opt", model, f"-passes={before}", "-o", m], ["run", m, "--input", x, "--output", y]]
        for suffix in ("nashir", "onnx"):
            again = tmp / f"again.{suffix}"
            steps += [["opt", m, "-passes=", "-o", again], ["run", again, "--input", x, "--expect", y]]
        for s in steps:
            status, text = call([self.nashc, *s])
            if status:
                return status, f"{text}in `nashc {' '.join(a if isinstance(a, str) else a.name for a in s)}`\n"
        return None

    def check(self, name, text, model):
        """None, or status and messages of the failure."""
        if name.startswith("round trip"):
            with tempfile.TemporaryDirectory() as tmp:
                return self.round_trip(model, pathlib.Path(tmp), text)
        status, said = call([self.nashc, "opt", model, f"-passes={text}", *CHECKED, "--explain=scaled-integer",
                             "-q", "-o", "-"])
        moved = re.search(r'error: "([^"]*)" changed the result', said)
        if not status:
            return None
        if not moved or moved.group(1) not in self.inexact or "few bits" in model.read_text()[:200]:
            return status, said
        # A pass that moves floats may carry one over a boundary, unless all sums and products are exact.
        again = text.replace(f"try({moved.group(1)})", "try(infer-shapes)")
        return self.check(name, again, model) if again != text else None

    def seed(self, seed):
        """Failures of one network as (name, report)."""
        found = []
        with tempfile.TemporaryDirectory() as tmp:
            model = pathlib.Path(tmp, f"seed{seed}.nashir")
            model.write_text(random_net.Net(seed).text())
            checks = [("round trip", ""), ("round trip of the integer graph", "streamline"),
                      *self.steps(seed, model)]
            for name, text in checks:
                bad = self.check(name, text, model)
                if bad:
                    found.append((name, self.report(seed, name, text, model, *bad)))
        return seed, found

    def report(self, seed, name, text, model, status, said):
        if signature(status, said) in self.seen:
            return "the same as above: " + said.strip().split("\n")[0]
        self.seen.add(signature(status, said))
        text = self.fewer(name, text, model, signature(status, said))
        self.keep.mkdir(parents=True, exist_ok=True)
        small = self.keep / f"seed{seed}-{name.replace(' ', '-')}.nashir"
        command = [sys.executable, os.path.abspath(__file__), str(self.nashc.parent.parent), "--still",
                   signature(status, said), name, text, "{}"]
        code, why = call([self.nashc, "reduce", model, f"--test={shlex.join(command)}", "-o", small], 300)
        if code:
            small.write_text(model.read_text())
            said += f"not reduced: {why}"
        show = (f"nashc opt {small} -passes='{text}' {' '.join(CHECKED)} -o -" if not name.startswith("round trip")
                else f"{' '.join(command[:2])} {command[2]} --still '' '{name}' '{text}' {small}")
        return f"{said.strip()}\n  {show}\n" + small.read_text()

    def fewer(self, name, text, model, wanted):
        """A shorter list of tries that fails the same."""
        parts = re.findall(r"[\w-]+\([^()]*\)|[^,()]+", text)
        if name.startswith("round trip") or len(parts) < 3:
            return text
        half = len(parts) // 2
        while half:
            at = 0
            while at < len(parts):
                less = parts[:at] + parts[at + half:]
                bad = self.check(name, ",".join(less), model)
                if bad and signature(*bad) == wanted:
                    parts = less
                else:
                    at += half
            half //= 2
        return ",".join(parts)


def main():
    ap = argparse.ArgumentParser(prog="random_graphs.py")
    ap.add_argument("build")
    ap.add_argument("--count", type=int, default=200)
    ap.add_argument("--first", type=int, default=0)
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    ap.add_argument("--still", nargs=4, metavar=("SIGNATURE", "CHECK", "PIPELINE", "MODEL"), help=argparse.SUPPRESS)
    o = ap.parse_args()
    driver = Driver(o.build, pathlib.Path(o.build).resolve() / "tests" / "random")
    if o.still:
        wanted, name, text, model = o.still
        bad = driver.check(name, text, pathlib.Path(model))
        if bad and not wanted:
            print(bad[1])
        return 1 if bad and wanted in ("", signature(*bad)) else 0
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))  # of each child: running wild is a failure
    driver.find_passes()
    good = bad = 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for seed, found in pool.map(driver.seed, range(o.first, o.first + o.count)):
            good += not found
            bad += bool(found)
            for name, text in found:
                print(f"FAIL seed {seed}, {name}: {text}", flush=True)
    print(f"{good} passed, {bad} failed")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
