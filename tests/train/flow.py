#!/usr/bin/env python3
"""flow.py BUILD: from nothing to hardware, as README.md shows it: search, train, eval, compile, sim, pareto on
a tiny setting. It reads the commands from there, so that what is shown is what is run."""
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build")
MOST = 2 * 300  # seconds of two cores


def used():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def block():
    text = (ROOT / "README.md").read_text()
    found = re.search(r"<!-- tests/train/flow.py runs this -->\n```sh\n(.*?)```", text, re.S)
    return [line for line in found[1].replace("\\\n", " ").splitlines() if line.strip()]


def main():
    if not (BUILD / "tests/train/golden").is_file():
        print("skip flow: training is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    if not pathlib.Path("/usr/share/datasets/fashion-mnist").is_dir():
        print("skip flow: dataset-fashion-mnist is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    env = {**os.environ, "PATH": f"{BUILD}/tools:{os.environ['PATH']}", "NO_COLOR": "1"}
    passed = failed = 0
    commands = block()
    with tempfile.TemporaryDirectory() as d:
        for line in commands:
            began, cpu = time.monotonic(), used()
            r = subprocess.run(shlex.split(line), cwd=d, env=env, capture_output=True, text=True)
            print(f"{'ok' if r.returncode == 0 else 'not ok'}: {line} ({time.monotonic() - began:.1f} s, "
                  f"{used() - cpu:.1f} s of cores)")
            passed += r.returncode == 0
            failed += r.returncode != 0
            if r.returncode:
                print(r.stdout[-2000:], r.stderr[-3000:])
                break
            if line.startswith("nashc eval run "):
                accuracy = float(re.search(r"top-1 ([\d.]+) %", r.stdout)[1])
                print(f"{'ok' if accuracy > 50 else 'not ok'}: {accuracy} % are right")
                passed += accuracy > 50
                failed += accuracy <= 50
        wanted = {"search", "train", "eval", "compile", "sim", "pareto"}
        shown = {line.split()[1] for line in commands if line.startswith("nashc ")}
        for name, good, text in (("all commands are shown", wanted <= shown, str(wanted - shown)),
                                 ("it takes less than 5 minutes of two cores", used() < MOST, f"{used():.0f} s")):
            print(f"{'ok' if good else 'not ok'}: {name} {text}")
            passed += good
            failed += not good
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
