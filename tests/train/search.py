#!/usr/bin/env python3
"""search.py BUILD: `nashc search` and `nashc pareto` on small made-up images."""
import csv
import io
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zipfile

from checkpoint import with_number

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build")
NASHC = BUILD / "tools/nashc"
GOLDEN = BUILD / "tests/train/golden"
STEM = "conv=3x3 pad=1 pool=none"

passed = failed = 0


def check(name, good, text=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f"not ok: {name}: {text}"[:1500])


def nashc(*args):
    r = subprocess.run([str(NASHC), *map(str, args)], capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


# --- images ---------------------------------------------------------------------------------------

def npy(dtype, shape, data):
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data


def write_data(path, n, size=8):
    """Three kinds of images: bright above, bright left, bright in the middle; with noise."""
    rng = random.Random(5)
    with zipfile.ZipFile(path, "w") as z:
        for split, count in (("train", n), ("test", n // 4)):
            x, y = bytearray(), bytearray()
            for _ in range(count):
                label = rng.randrange(3)
                y.append(label)
                for r in range(size):
                    for c in range(size):
                        on = (r < size // 3, c < size // 3, abs(r - size / 2) < 2 and abs(c - size / 2) < 2)[label]
                        x.append(min(255, max(0, int(rng.gauss(170 if on else 60, 30)))))
            z.writestr(f"x_{split}.npy", npy("|u1", (count, 1, size, size), bytes(x)))
            z.writestr(f"y_{split}.npy", npy("|u1", (count,), bytes(y)))


def arrays(path):
    with zipfile.ZipFile(path) as z:
        return {n[:-4]: z.read(n) for n in z.namelist()}


def same_files(a, b, names=("checkpoint.npz", "alphas.npz", "genotype.ngt", "genotype.py", "manifest.json")):
    return [n for n in names if (a / n).read_bytes() != (b / n).read_bytes()]


def rows(folder):
    return list(csv.DictReader(io.StringIO((folder / "log.csv").read_text())))


# --- searches -------------------------------------------------------------------------------------

def args(d, *more, epochs=2, version="v1", data="data.npz"):
    return ["search", "--data", f"npz:{d}/{data}", "--version", version, "--width", "2", "--stem", STEM, "--batch",
            "16", "--epochs", str(epochs), "--threads", "2", "-q", "--rank-images", "32", "--bn-batches", "2", *more]


def gates(d):
    code, _, err = nashc(*args(d), "-o", d / "a")
    check("a search", code == 0, err)
    made = {p.name for p in (d / "a").iterdir()}
    wanted = {"genotype.ngt", "genotype.py", "alphas.npz", "log.csv", "cell.svg", "search.svg", "checkpoint.npz",
              "manifest.json"}
    check("its files", made == wanted, str(made ^ wanted))
    log = rows(d / "a")
    check("a row an epoch", [r["step"] for r in log] == ["6", "12"] and float(log[0]["entropy"]) > 1.7, str(log))
    check("alphas of each epoch", sorted(arrays(d / "a/alphas.npz")) == ["step000000006", "step000000012"])
    code, out, err = nashc("stats", d / "a/genotype.ngt", "--json")
    check("its genotype is a model", code == 0 and json.loads(out)["macs"] > 0, err)
    code, out, err = nashc("search", "--derive", d / "a/alphas.npz", "--version", "v1", "--width", "2", "--stem", STEM,
                           "--input", "1x8x8", "--classes", "3")
    check("--derive gives it again", code == 0 and out == (d / "a/genotype.ngt").read_text(), out + err)
    nashc(*args(d), "-o", d / "b")
    check("same seed, same bytes", not same_files(d / "a", d / "b"), str(same_files(d / "a", d / "b")))
    nashc(*args(d), "--seed", "3", "-o", d / "c")
    check("another seed, other bytes", "checkpoint.npz" in same_files(d / "a", d / "c"))


def resumed(d):
    for what, steps in (("inside an epoch", "4"), ("between epochs", "6"), ("inside the second", "9")):
        run = d / f"r{steps}"
        nashc(*args(d), "--steps", steps, "-o", run)
        code, _, err = nashc(*args(d), "--resume", "-o", run)
        check(f"--resume {what}", code == 0 and not same_files(d / "a", run), err + str(same_files(d / "a", run)))
        log = [{k: v for k, v in r.items() if k != "images/s"} for r in rows(run)]
        whole = [{k: v for k, v in r.items() if k != "images/s"} for r in rows(d / "a")]
        check(f"--resume {what}: same log", log == whole, f"{log} {whole}")
    for method in ("two-path", "evolution"):
        more = ["--method", method, "--candidates", "9"]
        nashc(*args(d, *more), "-o", d / f"{method}.whole")
        nashc(*args(d, *more), "--steps", "5", "-o", d / f"{method}.part")
        nashc(*args(d, *more), "--resume", "-o", d / f"{method}.part")
        differ = same_files(d / f"{method}.whole", d / f"{method}.part")
        check(f"--resume {method}", not differ, str(differ))


def killed(d):
    """A search that is killed loses at most what came after its last checkpoint."""
    run = d / "killed"
    p = subprocess.Popen([NASHC, *map(str, args(d, "--save-every", "1", "-o", run))], stderr=subprocess.DEVNULL)
    while not (run / "checkpoint.npz").exists() and p.poll() is None:
        time.sleep(0.005)
    p.send_signal(signal.SIGKILL)
    p.wait()
    code, _, err = nashc(*args(d, "--save-every", "1"), "--resume", "-o", run)
    check("--resume after a kill", code == 0 and not same_files(d / "a", run), err)


def methods(d):
    macs = {}
    for method in ("gates", "two-path", "random", "evolution", "sample"):
        run = d / f"m.{method}"
        code, _, err = nashc(*args(d, "--method", method, epochs=4), "-o", run)
        check(f"--method {method}", code == 0, err)
        manifest = json.loads((run / "manifest.json").read_text())
        macs[method] = manifest["macs"]
        result = manifest["result"]
        check(f"{method}: result", result is None if method == "sample" else 0 <= result["supernet_accuracy"] <= 1,
              str(result))
        code, _, err = nashc("stats", run / "genotype.ngt")
        check(f"{method}: genotype", code == 0, err)
    check("random and evolution have the budget of gates",
          all(0.75 < macs[m] / macs["gates"] < 1.25 for m in ("random", "evolution")), str(macs))
    check("two paths cost less", macs["two-path"] < 0.8 * macs["gates"], str(macs))
    code, _, err = nashc(*args(d, "--candidates", "5"), "-o", d / "ranked")
    result = json.loads((d / "ranked/manifest.json").read_text())["result"]
    check("genotypes of gates are ranked", code == 0 and result["ranked"] == 6, err + str(result))


def versions(d):
    for version, more in (("v2", []), ("v3", []), ("v3", ["--compat", "bn"]), ("v4", []), ("custom", [])):
        run = d / f"v.{version}{len(more)}"
        code, _, err = nashc(*args(d, *more, version=version, epochs=1), "-o", run)
        check(f"version {version} {more}", code == 0, err)
        code, _, err = nashc("stats", run / "genotype.ngt")
        check(f"version {version}: rules hold", code == 0 and (version == "custom" or "G07" not in err), err)
    code, _, err = nashc(*args(d, "--primitives", "conv_3x3:1,conv_3x3:4", version="custom", epochs=1), "-o",
                         d / "bits")
    text = (d / "bits/genotype.ngt").read_text() if code == 0 else ""
    check("widths are searched", "wbits=1" in text and "wbits=4" in text, err + text)
    for backbone, form in (("resnet34", "auto"), ("mobilenet_v1", "auto"), ("resnet18", "deploy")):
        code, _, err = nashc(*args(d, "--backbone", backbone, "--search-form", form, "--steps", "2",
                                   data="data.npz,size=16x16"), "-o",
                             d / f"b.{backbone}.{form}")
        check(f"backbone {backbone}, form {form}", code == 0, err)


# --- costs ----------------------------------------------------------------------------------------

def costs(d):
    target = ["--target-fps", "1000", "--device", "Pynq-Z1"]
    cost = [*target, "--cost", "lut:0..20", "--cost", "cycles:0.5", "--arch-lr", "0.2", "--front", "3"]
    code, _, err = nashc(*args(d, *cost, epochs=6), "-o", d / "cheap")
    check("costs", code == 0, err)
    manifest = json.loads((d / "cheap/manifest.json").read_text())["costs"]
    for what in ("lut", "cycles"):
        edges = manifest[what]["edges"]
        none, _, _, one, three, five = (sum(e[k] for e in edges) for k in range(6))
        check(f"larger kernels cost more: {what}", none == 0 < one < three < five, str(edges))
        check(f"every branch costs something: {what}", all(min(e[1:]) > 0 for e in edges), str(edges))
    nashc(*args(d, "--arch-lr", "0.2", epochs=6), "-o", d / "dear")
    names = ["none", "max_pool_3x3", "skip_connect", "conv_1x1", "conv_3x3", "conv_5x5"]

    def price(path):
        total, edge = 0, -1
        for line in path.read_text().splitlines():
            word = line.split()
            if word and word[0] == "group":
                first = 10 * int(word[1])
            elif len(word) > 3 and word[1] == "<-":
                edge = first + (int(word[0]) - 1) * int(word[0]) // 2 + int(word[2])
                total += manifest["lut"]["edges"][edge][names.index(word[3])]
        return total

    cheap, dear = price(d / "cheap/genotype.ngt"), price(d / "dear/genotype.ngt")
    check("costs make genotypes cheap", cheap < 0.7 * dear, f"{cheap} {dear}")
    front = sorted((d / "cheap").glob("front-step*.ngt"))
    check("genotypes on the way", len(front) == 3 and price(front[2]) < price(front[0]), str([price(f) for f in front]))
    code, _, err = nashc(*args(d, *target, "--cost", "lut:50", "--arch-lr", "0.3", "--primitives",
                               "skip_connect,conv_3x3", version="custom", epochs=4), "-o", d / "skips")
    check("an alarm of skips", code == 0 and "[-Wsearch-skips]" in err and "skip_connect is the choice" in err, err)
    code, _, err = nashc(*args(d, "--cost", "lut", "--target-fps", "9e7", "--primitives", "conv_1x1", version="custom"),
                         "-o", d / "fast")
    check("a rate that no branch reaches", code == 1 and "the best rate is" in err and "branch" in err, err)


# --- faults ---------------------------------------------------------------------------------------

def damaged(d):
    """Counts that no search has are told, not cast."""
    cases = [(name, v) for name in ("search.step", "search.seen0", "search.right1", "search.ranked")
             for v in (float("nan"), -1.0, 0.5, 1e300)] + [("search.step", 1e6)]
    for i, (name, v) in enumerate(cases):
        with_number(d / "a", d / f"damaged{i}", name, v)
        code, _, err = nashc(*args(d), "--resume", "-o", d / f"damaged{i}")
        check(f"{name} = {v}", code == 1 and f'"{name}" holds what no search counts' in err, f"{code} {err}")
    for i, (name, v) in enumerate((("search.log", float("nan")), ("search.log", 1e300), ("search.step", 0.0))):
        with_number(d / "a", d / f"log{i}", name, v)
        code, _, err = nashc(*args(d), "--resume", "-o", d / f"log{i}")
        check(f"log, {name} = {v}", code == 1 and "the log or the genotypes are damaged" in err, f"{code} {err}")


def faults(d):
    def fails(name, wanted, text, *more, out=None):
        code, _, err = nashc(*more, "-o", out or d / "f")
        check(name, code == wanted and text in err, f"{code} {err}")
        check(f"{name}: nothing is left", out or not (d / "f").exists())

    fails("an unknown strategy", 2, "not one of gates|two-path|random|evolution|sample", *args(d, "--method", "magic"))
    fails("an unknown backbone", 2, "known are resnet18", *args(d, "--backbone", "vgg"))
    fails("an unknown primitive", 2, 'unknown primitive "conv_3x4"', *args(d, "--primitives", "none,conv_3x4"))
    fails("a primitive twice", 2, "given twice", *args(d, "--primitives", "conv_1x1,conv_1x1"))
    fails("nothing to choose", 2, "no primitive but none", *args(d, "--primitives", "none"))
    fails("bits of a pool", 2, "has no weights", *args(d, "--primitives", "max_pool_3x3:4"))
    fails("bits out of range", 2, "1..8 bits", *args(d, "--primitives", "conv_1x1:9"))
    fails("a skip in v4", 2, "version v4 allows convolutions only",
          *args(d, "--primitives", "skip_connect,conv_1x1", version="v4"))
    fails("a step without a candidate", 2, "allows in step 1 of group 1",
          *args(d, "--primitives", "none,skip_connect", version="v2"))
    fails("an unknown cost", 2, "expected lut, bram, dsp or cycles", *args(d, "--cost", "watt"))
    fails("a cost that is no number", 2, "expected lut", *args(d, "--cost", "lut:x"))
    fails("a cost without a rate", 2, "--cost needs --target-fps", *args(d, "--cost", "lut"))
    fails("an unknown device", 2, "nowhere", *args(d, "--cost", "lut", "--target-fps", "9", "--device", "nowhere"))
    fails("an unknown compat", 2, "known are v3, bn", *args(d, "--compat", "v9"))
    fails("a stem that is none", 1, "option", *args(d, "--bits", "weight"))
    fails("no data", 4, "none.npz: error: cannot open", "search", "--data", f"npz:{d}/none.npz", "-q")
    write_data(d / "few.npz", 12)
    fails("too few images", 1, "two halves", "search", "--data", f"npz:{d}/few.npz,limit=3", "-q")
    check("neither data nor folder", nashc("search")[0] == 2)
    fails("a folder that holds a run", 1, "--resume goes on", *args(d), out=d / "a")
    before = (d / "a/checkpoint.npz").read_bytes()
    fails("another search", 1, "checkpoint of another search", *args(d, version="v3"), "--resume", out=d / "a")
    fails("other images", 1, "checkpoint of another search", *args(d, data="few.npz"), "--resume",
          out=d / "a")
    fails("another seed", 1, '"search.seed" is 2 in the run, 4 here', *args(d, "--seed", "4"), "--resume", out=d / "a")
    check("its checkpoint stays", before == (d / "a/checkpoint.npz").read_bytes())
    fails("--resume of nothing", 1, "no checkpoint.npz", *args(d), "--resume", out=d / "empty")
    (d / "other").mkdir()
    with zipfile.ZipFile(d / "other/checkpoint.npz", "w") as z:
        z.writestr("conv.weight.npy", npy("<f4", (1,), struct.pack("<f", 1)))
    fails("a checkpoint of training", 1, "no checkpoint of a search", *args(d), "--resume", out=d / "other")
    damaged(d)
    nashc(*args(d, "--save-every", "1", "--steps", "2"), "-o", d / "inf")
    good = (d / "inf/checkpoint.npz").read_bytes()
    code, _, err = nashc(*args(d, "--save-every", "1", "--lr", "1e30", "--clip", "0"), "--resume", "-o", d / "inf")
    check("a loss that is not finite", code == 1 and "step " in err and "first such tensor" in err, f"{code} {err}")
    check("the last good checkpoint stays", b"search.step" in (d / "inf/checkpoint.npz").read_bytes() and good)
    code, _, err = nashc("search", "--derive", d / "a/alphas.npz", "--version", "v4")
    check("--derive with other candidates", code == 1 and "40 edges of 4 candidates" in err, err)
    write_data(d / "odd.npz", 64, size=12)
    code, _, err = nashc("search", "--data", f"npz:{d}/odd.npz", "--version", "v1", "--width", "2", "--stem", STEM,
                         "--batch", "16", "--steps", "2", "-q", "-o", d / "odd")
    check("a skip on an odd map", code == 0 and "[-Wsearch-odd-map]" in err and "4 edges" in err, err)


# --- pareto ---------------------------------------------------------------------------------------

def volume(points, axis, most):
    """By cells between all coordinates, unlike the tool's strips."""
    def place(p):
        v = float(p[axis])
        return 1 - v / most if axis == "fps" else v / (1.1 * most)

    xs = sorted({place(p) for p in points} | {1.0})
    ys = sorted({float(p["accuracy"]) for p in points} | {0.0})
    return sum((x1 - x0) * (y1 - y0) for x0, x1 in zip(xs, xs[1:]) for y0, y1 in zip(ys, ys[1:])
               if any(place(p) <= x0 and float(p["accuracy"]) >= y1 for p in points))


def pareto(d):
    runs = []
    for name, bits, rate in (("small", "weight=1 act=2", "0.02"), ("wide", "weight=4 act=4", "0.02"),
                             ("lazy", "weight=4 act=4", "0.0001")):
        text = (d / "a/genotype.ngt").read_text().replace("group 0", f"bits {bits}\ngroup 0", 1)
        (d / f"{name}.ngt").write_text(text)
        code, _, err = nashc("train", d / f"{name}.ngt", "--data", f"npz:{d}/data.npz", "--epochs", "1", "--batch",
                             "32", "--lr", rate, "--threads", "2", "-q", "-o", d / f"run.{name}")
        check(f"trained {name}", code == 0, err)
        runs.append(d / f"run.{name}")
    code, out, err = nashc("pareto", *runs, "-o", d / "pareto", "--device", "Pynq-Z1", "--target-fps", "500",
                           "--target-fps", "5000", "--group", f"nash={runs[0]}", "--json", "-q")
    check("pareto", code == 0, err)
    if code:
        return
    points = list(csv.DictReader(io.StringIO((d / "pareto/points.csv").read_text())))
    check("a point a run and target", len(points) == 6 and {p["target_fps"] for p in points} == {"500", "5000"})
    for axis in ("lut", "bram18", "dsp", "fps"):
        sign = -1 if axis == "fps" else 1
        for p in points:
            rivals = [q for q in points if q["target_fps"] == p["target_fps"] and q["fits"] == "1"]
            beaten = any(float(q["accuracy"]) >= float(p["accuracy"]) and sign * float(q[axis]) <= sign * float(p[axis])
                         and (q["accuracy"], q[axis]) != (p["accuracy"], p[axis]) for q in rivals)
            check(f"front of {axis}", (p[f"front_{axis}"] == "1") == (not beaten and p["fits"] == "1"), str(p))
    most = {a: max(float(p[a]) for p in points) for a in ("lut", "bram18", "dsp", "fps")}
    for v in json.loads(out)["hypervolume"]:
        some = [p for p in points if float(p["target_fps"]) == v["target_fps"] and p["fits"] == "1"
                and (not v["without"] or p["group"] != v["without"])]
        for axis, m in most.items():
            check(f"hypervolume of {axis}", abs(v[axis] - volume(some, axis, m or 1)) < 1e-4,
                  f"{v} {volume(some, axis, m or 1)}")
    page, svg = (d / "pareto/index.html").read_text(), (d / "pareto/pareto.svg").read_text()
    check("page and picture", "Hypervolume" in page and svg.count("<circle") == 24 and "http" not in page.replace(
        "http://www.w3.org/2000/svg", ""))
    again = (d / "pareto/points.csv").read_bytes()
    nashc("pareto", *runs, "-o", d / "pareto", "--device", "Pynq-Z1", "--target-fps", "500", "--target-fps", "5000",
          "--group", f"nash={runs[0]}", "-q")
    check("the same bytes again", again == (d / "pareto/points.csv").read_bytes())
    for name, wanted, text, more in (
            ("no folder", 2, "pareto needs -o", []),
            ("not a run", 4, "nashc train", [d / "a", "-o", d / "x"]),
            ("a group of strangers", 2, "none of the runs", ["-o", d / "x", "--group", "g=nobody"]),
            ("a group without a name", 2, "expected NAME=RUN", ["-o", d / "x", "--group", "nobody"]),
            ("no number", 2, "no number of frames", ["-o", d / "x", "--target-fps", "many"]),
            ("an unknown device", 2, "nowhere", ["-o", d / "x", "--device", "nowhere"])):
        code, _, err = nashc("pareto", runs[0], *more, "-q")
        check(f"pareto: {name}", code == wanted and text in err and not (d / "x").exists(), f"{code} {err}")


def main():
    if not GOLDEN.is_file():
        print("skip search: training is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        write_data(d / "data.npz", 192)
        for test in (gates, resumed, killed, methods, versions, costs, faults, pareto):
            began = time.monotonic()
            test(d)
            if os.environ.get("VERBOSE"):
                print(f"{test.__name__}: {time.monotonic() - began:.1f} s")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
