#!/usr/bin/env python3
"""run.py BUILD EXPERIMENT -o WORK: experiments on the claims of NASH; docs/reproduction.md tells of them.

An experiment is a list of networks, each trained and tested once for every seed; some come out of a search first. What
is done is kept in WORK, and a later call with the same settings goes on from there, inside a training or a search too;
--hours ends a call early. Each seed is done for all networks before the next one. --table prints what is complete."""
import argparse
import dataclasses
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
PUBLISHED = ROOT / "frontends/genotype/networks"


@dataclasses.dataclass(frozen=True)
class Search:
    """One of `nashc search`: version is that of candidates and rule, derive another rule on the same probabilities."""
    version: str
    method: str = "gates"
    derive: str = ""
    number: int = 0  # of several alike


@dataclasses.dataclass(frozen=True)
class Net:
    """A published genotype, or one that a search finds; same_macs: widened until it has as many as that network."""
    name: str
    source: object
    bits: str = "weight=1 act=2"
    same_macs: str = ""


def published(bits="weight=1 act=2", label=""):
    names = (("base", "baseline"), ("v1", "v1"), ("v2", "v2"), ("v3", "v3"), ("v4", "v4"))
    return [Net(n + label, f"r18-{f}", bits) for n, f in names]


METHODS = ("gates", "two-path", "random", "evolution", "sample")
BASE = Net("base", "r18-baseline")
BITS = ("weight=1 act=1", "weight=2 act=2", "weight=4 act=4", "weight=8 act=8")

# Each list begins with the network that the others are compared with.
EXPERIMENTS = {
    "E1": [BASE] + [Net(f"{v}-{m}", Search(v, m)) for v in ("v2", "v4") for m in METHODS]
    + [Net(f"{r}-{m}", Search("v1", m, r)) for r in ("v1", "v3") for m in METHODS[:2]]
    + [Net(f"v1-{m}", Search("v1", m)) for m in METHODS[2:]],
    "E2": published(),
    **{f"E3-w{b[7]}a{b[-1]}": published(b) for b in BITS},
    "E3-nas": [Net(f"{v}-n{n}", f"r18-{v}", f"weight=1 act=2 nas={n}") for v in ("v4", "v3") for n in (8, 1)],
    "E4": [Net("v4", "r18-v4"), Net("base", "r18-baseline"), Net("base-wide", "r18-baseline", same_macs="r18-v4"),
           Net("v4-n1", "r18-v4", "weight=1 act=2 nas=1"), Net("v3", "r18-v3"),
           Net("v3-n8", "r18-v3", "weight=1 act=2 nas=8"),
           # v3 draws from the candidates of v2 by the same rule
           *(Net(f"{v}-random{k}", Search(v, "sample", number=k)) for v in ("v1", "v2", "v4") for k in range(5))],
}


class Stop(Exception):
    """The time of this call is over."""


def name_of(o):
    return f"{re.split('[:,]', o.data)[0]}-w{o.width}-e{o.epochs}"


class Bench:
    def __init__(self, o):
        self.o = o
        self.nashc = str(ROOT / o.build / "tools/nashc")
        self.end = time.monotonic() + 3600 * o.hours
        self.settings = {k: getattr(o, k) for k in ("width", "epochs", "search_epochs", "batch", "lr", "stem", "input",
                                                    "classes")}
        self.settings["data"] = re.sub(":[^,]*/", ":", o.data)  # without folders of this machine
        self.work = o.work / name_of(o)
        self.same_settings(self.work / "settings.json")

    def same_settings(self, file):
        """Trainings and results are of one setting."""
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"settings": self.settings}) + "\n")
        if json.loads(file.read_text())["settings"] != self.settings:
            raise SystemExit(f"{file} is of other settings; name another folder")

    def call(self, *args, codes=(0,)):
        r = subprocess.run([self.nashc, *map(str, args)], stdout=subprocess.PIPE, text=True)
        if r.returncode not in codes:
            raise SystemExit(f"nashc {' '.join(map(str, args))}: exit {r.returncode}")
        return r.stdout

    def left(self):
        if time.monotonic() >= self.end:
            raise Stop
        return self.end - time.monotonic()

    def go_on(self, run, done, *args):
        """A training or a search in its folder, from where an earlier call left it, until done() or the time is up."""
        run.parent.mkdir(parents=True, exist_ok=True)
        while not done():
            self.call(*args, "-o", run, "-q", "--threads", self.o.threads, "--time-limit", round(self.left(), 1),
                      *(["--resume"] if (run / "checkpoint.npz").is_file() else []))

    def common(self, width, bits):
        o = self.o
        return [f"width={width}", f"input={o.input}", f"classes={o.classes}", f"stem={o.stem}", f"bits={bits}"]

    def found(self, s, seed):
        """The genotype of a search, made now if it is not there."""
        o, run = self.o, self.work / "searches" / f"{s.version}-{s.method}-{s.number}-s{seed}"
        self.go_on(run, lambda: (run / "genotype.ngt").is_file(), "search", "--data", o.data, "--version", s.version,
                   "--method", s.method, "--width", o.width, "--stem", o.stem, "--epochs", o.search_epochs, "--seed",
                   1000 * s.number + seed)
        if not s.derive or s.derive == s.version:
            return run / "genotype.ngt"
        c, h, w = o.input.split()[0].split("x")
        self.call("search", "--derive", run / "alphas.npz", "--version", s.derive, "--width", o.width, "--stem", o.stem,
                  "--input", f"{c}x{h}x{w}", "--classes", o.classes, "-o", run / f"{s.derive}.ngt")
        return run / f"{s.derive}.ngt"

    def macs(self, path, width, bits):
        options = [f"--frontend-option={x}" for x in self.common(width, bits)]
        return json.loads(self.call("stats", path, "--json", *options))["macs"]

    def model(self, net, seed):
        """Path and options of the frontend."""
        path = self.found(net.source, seed) if isinstance(net.source, Search) else PUBLISHED / f"{net.source}.ngt"
        width = self.o.width
        if net.same_macs:
            wanted = self.macs(PUBLISHED / f"{net.same_macs}.ngt", width, net.bits)
            width = min(range(width, 2 * width + 1), key=lambda w: abs(self.macs(path, w, net.bits) - wanted))
        return path, self.common(width, net.bits) + [f"seed={seed}"]

    def trained(self, net, seed):
        """The folder of the run, which is over."""
        o, run = self.o, self.work / f"{net.name}-{net.bits.replace(' ', '-').replace('=', '')}-s{seed}"
        path, options = self.model(net, seed)
        self.go_on(run, lambda: self.is_trained(run), "train", path, "--data", o.data, "--epochs", o.epochs, "--batch",
                   o.batch, "--lr", o.lr, "--schedule", "cosine", "--seed", seed,
                   *(f"--frontend-option={x}" for x in options))
        return run

    def is_trained(self, run):
        metrics = run / "metrics.json"
        return metrics.is_file() and json.loads(metrics.read_text())[-1]["epoch"] >= self.o.epochs

    def row(self, net, seed, run, first):
        """Accuracy of the last epoch on all test images, and images that only this or only the first one has right."""
        got = json.loads(self.call("eval", run / "model.onnx", "--data", self.o.data, "--compare", first / "model.onnx",
                                   "--threads", self.o.threads, "--json", codes=(0, 3)))
        stats = json.loads(self.call("stats", run / "model.onnx", "--json"))
        return {"net": net.name, "seed": seed, "images": got["images"], "top1": got["top1"], "macs": stats["macs"],
                "weights": stats["parameters"]["weights"], "only_this": got["mcnemar"]["only_first"],
                "only_first": got["mcnemar"]["only_second"], "p": got["mcnemar"]["p"]}

    def experiment(self, name):
        nets = [n for n in EXPERIMENTS[name] if not self.o.only or n.name in self.o.only.split(",")]
        first = EXPERIMENTS[name][0]
        file = self.o.results / f"{name}-{name_of(self.o)}.json"
        self.same_settings(file)
        rows = json.loads(file.read_text()).get("rows", [])
        have = {(r["net"], r["seed"]) for r in rows}
        for seed in range(1, self.o.seeds + 1):
            for net in nets:
                if (net.name, seed) in have:
                    continue
                rows.append(self.row(net, seed, self.trained(net, seed), self.trained(first, seed)))
                whole = {"experiment": name, "settings": self.settings, "rows": rows}
                file.write_text(json.dumps(whole, indent=1) + "\n")
                print(json.dumps(rows[-1]), flush=True)

    def pareto(self):
        """E5: all trained networks of WORK against what they cost; NASH's, published or searched, as a group."""
        runs = sorted(p for p in self.work.iterdir() if self.is_trained(p))
        names = {r: r.name.partition("-weight")[0] for r in runs}
        nash = ",".join(str(r) for r in runs if re.fullmatch("v[1-4](-gates|-two-path)?", names[r]))
        shutil.rmtree(self.work / "pareto", ignore_errors=True)  # of fewer networks
        self.call("pareto", *runs, "-o", self.work / "pareto", "--device", self.o.device, "--target-fps", self.o.fps,
                  *(["--group", f"nash={nash}"] if nash else []))
        points = (self.work / "pareto/points.csv").read_text().replace(f"{self.work}/", "")
        self.o.results.mkdir(parents=True, exist_ok=True)
        (self.o.results / f"E5-{name_of(self.o)}.csv").write_text(points)


# --- tables ---------------------------------------------------------------------------------------

def verdict(deltas, rows):
    """Better or worse only if all seeds, three at least, are on one side, each with McNemar's p of at most 5 %."""
    if len(rows) < 3:
        return "too few seeds"
    if min(deltas) * max(deltas) <= 0:
        return "none: seeds disagree"
    if any(r["p"] > 0.05 for r in rows):
        return "none: not significant"
    return "better" if deltas[0] > 0 else "worse"


def spread(x, form):
    return f"{statistics.mean(x):{form}} ({min(x):{form}} to {max(x):{form}})"


def table(path):
    data = json.loads(path.read_text())
    by = {}
    for r in data["rows"]:
        by.setdefault(r["net"], []).append(r)
    print(f"{data['experiment']}: {data['settings']}\n")
    print("| network | MACs | seeds | top-1, % (range) | against the first (range) | p of each seed | difference |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for net, rows in by.items():
        top = [100 * r["top1"] for r in rows]
        deltas = [100 * (r["only_this"] - r["only_first"]) / r["images"] for r in rows]
        first = net == EXPERIMENTS[data["experiment"]][0].name
        of = ["", "", ""] if first else [spread(deltas, "+.2f"), ", ".join(f"{r['p']:.2g}" for r in rows),
                                         verdict(deltas, rows)]
        print("|", " | ".join([net, f"{rows[0]['macs']:,}", str(len(rows)), spread(top, ".2f"), *of]), "|")
    print()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("experiment", choices=[*EXPERIMENTS, "E5"])
    p.add_argument("-o", dest="work", type=pathlib.Path, required=True, help="trainings and searches")
    p.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    p.add_argument("--data", default="fashion-mnist")
    p.add_argument("--input", default="1x28x28 dtype=uint8", help="of the networks, as in a genotype")
    p.add_argument("--stem", default="conv=7x7/2 pad=3 pool=none")
    p.add_argument("--classes", type=int, default=10)
    p.add_argument("--width", type=int, default=8)
    p.add_argument("--epochs", type=int, default=25)
    p.add_argument("--search-epochs", type=int, default=50)
    p.add_argument("--batch", type=int, default=256)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--only", default="", help="these networks of the experiment: NAME,...")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--hours", type=float, default=3.0, help="after which this call ends")
    p.add_argument("--device", default="U250", help="of E5")
    p.add_argument("--fps", type=float, default=1000, help="of E5")
    p.add_argument("--table", action="store_true", help="only print what is complete")
    o = p.parse_args()
    if o.table:
        table(o.results / f"{o.experiment}-{name_of(o)}.json")
        return 0
    bench = Bench(o)
    try:
        bench.pareto() if o.experiment == "E5" else bench.experiment(o.experiment)
    except Stop:
        print("the time of this call is over; another one goes on", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
