#!/usr/bin/env python3
"""replay.py OLD NEW: does NEW do to every network what OLD does, byte for byte?

OLD and NEW are two nashc binaries, or folders that `replay.py --record DIR BINARY` wrote before. Compared are, for
every fixture network: exit status and messages, IR text after `streamline`, after `to-hw`, and every file that
`compile` writes. It is the tool for refactorings: what must not change shows that it did not.

    tests/replay/replay.py old/tools/nashc build/tools/nashc --filter nash_v1
    tests/replay/replay.py --record /tmp/before old/tools/nashc
    tests/replay/replay.py /tmp/before build/tools/nashc --rename nashc_fork=nashc_duplicate_streams

--rename OLD=NEW (any number): whole words that differ on purpose, in names of files and in text.
--ignore TEXT (any number): lines that hold TEXT are left out on both sides.
--skip REGEX: files whose path matches are left out, as `--skip design/` where only graphs are to be compared.
"""
import argparse
import concurrent.futures
import difflib
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHARED = ROOT.parent / "shared"
LIMIT = 600  # seconds for one command
STEPS = {
    "streamline": ["opt", "MODEL", "-passes=streamline", "-o", "streamline.nashir"],
    "to-hw": ["opt", "MODEL", "-passes=streamline,to-channels-last,to-hw", "-o", "to-hw.nashir"],
    "compile": ["compile", "MODEL", "-o", "design", "--verify", "none", "--device", "U250"],
}


def networks():
    """Path of each model by name; those of the shared folder where it is there."""
    found = {f"data/{p.parent.name}": p for p in sorted((ROOT / "tests/data").glob("*/model.onnx"))}
    for folder in ("models", "cases"):
        for p in sorted((SHARED / folder).glob("*/model.onnx*")):
            if p.name in ("model.onnx", "model.onnx.xz") and p.parent.name != "bad":
                found[f"{folder}/{p.parent.name}"] = p
    return found


def arguments():
    """Options that a network needs, by its name in the acceptance suites."""
    path = SHARED / "accept/suites.json"
    suites = json.loads(path.read_text()) if path.is_file() else {}
    return {f"models/{name}": how["args"] for stage in suites.values() for suite in stage.values()
            for name, how in suite.items() if how.get("args")}


def run_one(binary, model, args, out):
    """What the binary makes of one network, into folder out."""
    out.mkdir(parents=True)
    beside = model.parent
    if model.suffix == ".xz":
        model = out / "model.onnx"
        model.write_bytes(lzma.open(beside / "model.onnx.xz").read())
    for step, command in STEPS.items():
        words = [str(model) if w == "MODEL" else w for w in command] + args
        try:
            r = subprocess.run([str(binary), *words], cwd=out, capture_output=True, text=True, errors="replace",
                               timeout=LIMIT, stdin=subprocess.DEVNULL)
            text = f"exit {r.returncode}\n{r.stdout}{r.stderr}"
        except subprocess.TimeoutExpired:
            text = "no end\n"
        text = text.replace(str(model.parent) + "/", "").replace(str(out), "OUT")
        (out / f"{step}.txt").write_text(text)
    if model.parent == out:
        model.unlink()


def record(binary, folder, names, jobs):
    models, args = networks(), arguments()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda n: run_one(binary, models[n], args.get(n, []), folder / n), names))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def differences(old, new, renames, ignore, skip):
    """Lines that say what differs between the folders of one network."""
    def renamed(text):
        for pattern, word in renames:
            text = pattern.sub(word, text)
        return text

    def lines(data):
        text = data.decode("latin-1")
        return [x for x in text.splitlines() if not any(i in x for i in ignore)]

    def kept(folder):
        return {k: v for k, v in files(folder).items() if not (skip and re.search(skip, k))}

    before = {renamed(k): renamed(v.decode("latin-1")).encode("latin-1") for k, v in kept(old).items()}
    after, faults = kept(new), []
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name), after.get(name)
        if a is None or b is None:
            faults.append(f"{name}: only in {'NEW' if a is None else 'OLD'}")
        elif a != b and (a, b) != (None, None):
            x, y = lines(a), lines(b)
            if x != y:
                shown = [d for d in difflib.unified_diff(x, y, lineterm="", n=0) if d[:3] not in ("---", "+++")]
                faults += [f"{name}: differs"] + [f"    {d[:160]}" for d in shown[:4]]
    return faults


def main():
    ap = argparse.ArgumentParser(prog="replay.py", description=__doc__.splitlines()[0])
    ap.add_argument("old", nargs="?", help="binary or recorded folder")
    ap.add_argument("new", help="binary or recorded folder")
    ap.add_argument("--record", metavar="DIR", help="only write what the binary makes into DIR")
    ap.add_argument("--filter", default="", help="regular expression on network names")
    ap.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    ap.add_argument("--ignore", action="append", default=[], metavar="TEXT")
    ap.add_argument("--skip", default="", metavar="REGEX")
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    o = ap.parse_args()
    names = [n for n in networks() if re.search(o.filter, n)]
    if o.record:
        record(pathlib.Path(o.new).resolve(), pathlib.Path(o.record).resolve(), names, o.jobs)
        return 0
    if not o.old:
        ap.error("two binaries are needed")
    renames = [(re.compile(rf"(?<![A-Za-z0-9]){re.escape(a)}(?![A-Za-z0-9])"), b)
               for a, b in (r.split("=", 1) for r in o.rename)]
    tmp = pathlib.Path(tempfile.mkdtemp())
    passed = failed = 0
    models, args = networks(), arguments()

    def side(given, name, which):
        path = pathlib.Path(given).resolve()
        if path.is_dir():
            return path / name
        run_one(path, models[name], args.get(name, []), tmp / which / name)
        return tmp / which / name

    def compare(name):
        old, new = side(o.old, name, "old"), side(o.new, name, "new")
        if not old.is_dir():
            return name, ["not recorded"]
        faults = differences(old, new, renames, o.ignore, o.skip)
        for which in ("old", "new"):
            shutil.rmtree(tmp / which / name, ignore_errors=True)
        return name, faults

    try:
        with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
            for name, faults in pool.map(compare, names):
                passed += not faults
                failed += bool(faults)
                print("FAIL" if faults else "ok  ", name, flush=True)
                for f in faults[:20]:
                    print("    ", f, flush=True)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)
    if not (SHARED / "models").is_dir():
        print("skip: the fixture networks are not beside the checkout; only those of tests/data were compared")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
