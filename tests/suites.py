#!/usr/bin/env python3
"""suites.py: builds the variants and runs the suites that `tests/run` names; see docs/testing.md."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
JOBS = os.cpu_count() or 1
PYTHON = sys.executable
LIT = "/usr/lib/llvm-14/build/utils/lit/lit.py"
LANES = 2  # suites at a time: many have stretches that only one core works on
BUILDING = threading.Lock()
CLANG = {"CC": "clang-14"}
ASAN = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
        "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}

# variant: meson options, environment of the set-up, what of it is built (else all)
VARIANTS = {
    "build": ([], {}, []),
    "build-hard": (["-Dhard=true"], {}, []),
    "build-asan": (["-Db_sanitize=address,undefined", "-Db_lundef=false"], {}, []),
    "build-shared": (["-Dbuiltins=shared"], {}, ["tools/nashc", "plugins/passes.so", "plugins/backends.so"]),
    "build-fuzz": (["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"], CLANG, ["fuzzers"]),
}


def lit(build, *folders):
    return lambda o: [PYTHON, LIT, "-sv", f"-j{JOBS}", "--no-progress-bar",
                      f"--param=build={build}", f"--filter={o.filter or '.'}",
                      *[f"tests/{f}" for f in folders]]


def unit(build):
    return lambda o: ["meson", "test", "-C", build, "--no-rebuild", "--suite", "unit", "--print-errorlogs"]


def script(path, *args):
    runner = [PYTHON] if path.endswith(".py") else ["sh"]
    return lambda o: [*runner, path, *args, *(["--update"] if o.update else [])]


def peer(path):
    """A script in a Python that has the peers of the tests, if they can be had; it says what it skips."""
    return lambda o: [peer_python(), path, "build", *(["--update"] if o.update else [])]


def peer_python():
    with BUILDING:
        return peers_installed()


def peers_installed():
    venv = ROOT / "build" / "peers"
    python = venv / "bin" / "python"
    if not python.is_file():
        subprocess.run([PYTHON, "-m", "venv", venv], capture_output=True)
    if subprocess.run([python, "-c", "import qonnx, onnxruntime, onnx"], capture_output=True).returncode:
        got = subprocess.run([python, "-m", "pip", "install", "-q", "onnx", "onnxruntime", "qonnx"],
                             capture_output=True, text=True)
        if got.returncode:
            return PYTHON
    return python


def accept(*what):
    return lambda o: [PYTHON, SHARED / "accept/accept.py", "--nashc", "build/tools/nashc", "--jobs", str(JOBS),
                      *what]


CASE_PARTS = 4


def accept_cases(part):
    """Every CASE_PARTS-th of the cases, from number part on: links to them in a folder of the build."""
    def command(o):
        folder = ROOT / f"build/cases-{part}"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for case in sorted((SHARED / "cases").iterdir())[part::CASE_PARTS]:
            (folder / case.name).symlink_to(case)
        return accept("cases", "--cases", str(folder), "--filter", o.filter or "")(o)
    return command


# name, variant, command, default (else only with CI=true or --suite), environment
SUITES = [
    ("style", "build", script("tests/style/check.py", "build"), True, {}),
    ("unit", "build", unit("build"), True, {}),
    ("ir", "build", lit("build", "ir"), True, {}),
    ("passes", "build", lit("build", "passes"), True, {}),
    ("cli", "build", lit("build", "cli"), True, {}),
    ("abi", "build", script("tests/abi/check.py", "build"), True, {}),
    ("plugins", "build", script("tests/abi/plugins.sh", "build"), True, {}),
    ("faults", "build", script("tests/abi/faults.sh", "build"), True, {}),
    ("structure", "build", script("tests/fuzz/structure.py", "build"), True, {}),
    ("robust", "build", script("tests/sweep/robust.py", "build"), True, {}),
    ("robust-asan", "build-asan", script("tests/sweep/robust.py", "build-asan"), False, ASAN),
    ("sweep", "build", script("tests/sweep/run.py", "build"), True, {}),
    ("onnx-plugins", "build", script("tests/abi/onnx.sh", "build"), True, {}),
    ("ops", "build", script("tests/diff/ops.py", "build"), True, {}),
    ("determinism", "build", script("tests/cli/determinism.sh", "build"), True, {}),
    ("rtl", "build", script("tests/rtl/run.py", "build"), True, {}),
    ("layers", "build", script("tests/rtl/layers.py", "build"), True, {}),
    ("packing", "build", script("tests/rtl/packing.py", "build"), True, {}),
    ("weights", "build", script("tests/rtl/weights.py", "build"), True, {}),
    ("flows", "build", script("tests/rtl/flows.py", "build"), True, {}),
    ("executors", "build", script("tests/diff/executors.py", "build"), False, {}),
    ("objects", "build", script("tests/diff/objects.py", "build"), False, {}),
    ("hls-layers", "build", script("tests/rtl/layers.py", "build", "--hls"), True, {}),
    ("networks", "build", script("tests/diff/networks.py", "build"), True, {}),
    ("train", "build", script("tests/train/run.py", "build"), True, {}),
    ("train-tasks", "build", script("tests/train/tasks.py", "build"), True, {}),
    ("targets", "build", script("tests/train/targets.py", "build"), True, {}),
    ("train-ranks", "build", script("tests/train/ranks.py", "build"), True, {}),
    ("search", "build", script("tests/train/search.py", "build"), True, {}),
    ("search-flow", "build", script("tests/train/flow.py", "build"), False, {}),
    ("train-long", "build", script("tests/train/long.py", "build"), False, {}),
    ("train-hardware", "build", script("tests/train/hardware.py", "build"), False, {}),
    ("hard", "build-hard", lit("build-hard", "ir", "passes"), False, {}),
    ("hard-unit", "build-hard", unit("build-hard"), False, {}),
    ("asan", "build-asan", lit("build-asan", "ir", "passes", "cli"), False, ASAN),
    ("asan-unit", "build-asan", unit("build-asan"), False, ASAN),
    ("shared", "build-shared", lit("build-shared", "ir", "passes"), False,
     {"NASHC_PLUGIN_PATH": str(ROOT / "build-shared/plugins")}),
    ("formal", "build", script("tests/rtl/formal.py"), False, {}),
    ("rtl-lint", "build", script("tests/rtl/lint.py"), False, {}),
    ("rtl-synth", "build", script("tests/rtl/synth.py"), False, {}),
    ("schema", "build", script("tests/diff/onnx_schema.py"), True, {}),
    ("nodes", "build", peer("tests/diff/onnx_nodes.py"), False, {}),
    ("peers", "build", peer("tests/diff/peers.py"), False, {}),
    ("floats", "build", peer("tests/diff/floats.py"), False, {}),
    ("kinds", "build", peer("tests/diff/kinds.py"), False, {}),
    ("random-peers", "build", peer("tests/fuzz/random_peers.py"), False, {}),
    ("brevitas", "build", script("tests/diff/brevitas.py", "build"), False, {}),
    ("random", "build", script("tests/fuzz/random_graphs.py", "build"), False, {}),
    ("mutants", "build-asan", script("tests/fuzz/mutants.py", "build-asan"), False, ASAN),
    ("fuzz", "build-fuzz", script("tests/fuzz/run.py", "build-fuzz"), False, ASAN),
    ("accept-spine", "build", accept("spine"), False, {}),
    ("accept-models", "build", accept("models"), False, {}),
    ("accept-nash", "build", accept("nash"), False, {}),
    ("genotypes", "build", script("tests/diff/genotypes.py", "build"), False, {}),
    ("accept-hardware", "build", accept("hardware/sim", "--filter", "micro_"), False, {}),
    *((f"accept-cases-{k}", "build", accept_cases(k), False, {}) for k in range(CASE_PARTS)),
    ("accept-hls", "build", accept("executors/hls", "--filter", "micro_"), False, {}),
    ("replay", "build-hard", script("tests/replay/replay.py", "build/tools/nashc", "build-hard/tools/nashc",
                                    "--filter", "micro_|data/|tfc|cases/0"), False, {}),
    ("bench", "build", script("tests/bench/run.py", "build"), False, {}),
    ("bench-executor", "build", peer("tests/bench/executor.py"), False, {}),
]


def available(name):
    """Why a suite cannot run here, or None."""
    if name.startswith(("accept", "genotypes")) and not (SHARED / "accept/accept.py").is_file():
        return "the acceptance fixtures are not beside the checkout"
    return None


def build(variant):
    with BUILDING:
        return built(variant)


def built(variant, done=set()):
    if variant in done:
        return True
    options, env, targets = VARIANTS[variant]
    env = {**os.environ, **env}
    log = ROOT / f"{variant}.log"
    with open(log, "w") as out:
        steps = [["ninja", "-C", variant, f"-j{JOBS}", *targets]]
        if not (ROOT / variant / "build.ninja").is_file():
            steps.insert(0, ["meson", "setup", variant, *options])
        elif variant == "build":  # set up by the quick start, maybe, with less installed
            steps[:0] = [["meson", "configure", "--clearcache", variant],  # else what was not there then stays so
                         ["meson", "setup", "--reconfigure", variant, *options]]
        for step in steps:
            if subprocess.run(step, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT).returncode:
                print(f"{variant}: the build failed:\n" + "\n".join(log.read_text().splitlines()[-40:]))
                return False
    done.add(variant)
    return True


def junit(build_dir):
    """Counts of the last meson test run, TAP sub-tests included."""
    good = bad = skipped = 0
    for f in (ROOT / build_dir / "meson-logs").glob("testlog*.junit.xml"):
        for case in ElementTree.parse(f).getroot().iter("testcase"):
            kinds = {c.tag for c in case}
            bad += bool(kinds & {"failure", "error"})
            skipped += "skipped" in kinds
            good += not kinds & {"failure", "error", "skipped"}
    return good, bad, skipped


def count(name, variant, text, status):
    if "unit" in name:
        n = junit(variant)
    else:
        lines = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", text, re.M)
        if lines:
            n = tuple(int(x or 0) for x in lines[-1])
        else:  # lit
            def total(*words):
                return sum(int(x) for w in words for x in re.findall(rf"^\s*{w}\s*:\s*(\d+)", text, re.M))
            n = (total("Passed"), total("Failed", "Unresolved", "Timed Out"), total("Unsupported", "Skipped"))
    if status and not n[1]:
        n = (n[0], 1, n[2])
    if not status and not sum(n):
        n = (0, 1, 0)  # a suite that ran nothing proves nothing
    return n


def run(o, name, variant, command, env):
    """Counts of a suite, and what is to be said of it."""
    reason = available(name)
    if reason:
        return (0, 0, 1), f"{name:14} skipped: {reason}"
    if not build(variant):
        return (0, 1, 0), f"{name:14} not built"
    start = time.monotonic()
    r = subprocess.run([str(c) for c in command(o)], cwd=ROOT, env={**os.environ, **env}, text=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    log = ROOT / "build" / "tests" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(r.stdout)
    n = count(name, variant, r.stdout, r.returncode)
    said = [f"{name:14} {n[0]} passed, {n[1]} failed, {n[2]} skipped  ({time.monotonic() - start:.0f} s)"]
    lines = r.stdout.splitlines()
    if n[1]:
        said += [x for x in lines if not x.startswith("ok ")][-60:]
        said.append(f"alone: tests/run --suite {name}; whole log: build/tests/{name}.log")
    elif o.verbose or name.startswith("bench"):
        said += lines
    else:
        said += ["   " + x for x in lines if re.match(r"skip", x, re.I)]
    return n, "\n".join(said)


def run_all(o, chosen):
    """Totals; benchmarks come last, each by itself. What a suite says is printed when it ends."""
    total = [0, 0, 0]
    for group, lanes in (([s for s in chosen if not s[0].startswith("bench")], LANES),
                         ([s for s in chosen if s[0].startswith("bench")], 1)):
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            for f in concurrent.futures.as_completed([pool.submit(run, o, *s) for s in group]):
                n, said = f.result()
                print(said, flush=True)
                total = [a + b for a, b in zip(total, n)]
    return total


def main():
    ap = argparse.ArgumentParser(prog="tests/run")
    ap.add_argument("--suite", action="append", default=[])
    ap.add_argument("--filter", default="")
    ap.add_argument("--list", action="store_true")
    ap.add_argument("--plugin", nargs=2, metavar=("SO", "DIR"))
    ap.add_argument("--update", action="store_true")
    ap.add_argument("-v", "--verbose", action="store_true")
    o = ap.parse_args()
    ci = os.environ.get("CI", "") not in ("", "false", "0")
    if o.list:
        for name, variant, _, default, _ in SUITES:
            print(f"{name:14} {variant:12} {'default' if default else 'long'}")
        return 0
    unknown = set(o.suite) - {s[0] for s in SUITES}
    if unknown:
        print(f"tests/run: error: unknown suite {', '.join(sorted(unknown))}; see tests/run --list", file=sys.stderr)
        return 2
    if o.plugin:
        chosen = [("plugin", "build", lambda o: [PYTHON, "tests/nashc-test", "--nashc", "build/tools/nashc", "--plugin",
                                                 *o.plugin], True, {})]
    else:
        chosen = [s for s in SUITES if (s[0] in o.suite if o.suite else s[3] or ci)]
    total = run_all(o, [(name, variant, command, env) for name, variant, command, _, env in chosen])
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
