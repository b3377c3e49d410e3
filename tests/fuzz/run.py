#!/usr/bin/env python3
"""run.py BUILD [SECONDS]: each libFuzzer target for SECONDS (20) on a corpus made from the repository's own files; a
crash, leak, hang or sanitizer complaint fails. The reproducer's path is printed. An input may take HANG seconds: the
largest search of multipliers, 2^28 steps, takes half a second as released and 25 s under the fuzzer's eyes."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(sys.argv[1]).resolve()
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 20
HANG = 120
TESTS = pathlib.Path(__file__).resolve().parent.parent
passed = failed = 0


def seeds(name, corpus):
    """The kept corpus (tests/fuzz/corpus/NAME) and what the tests have of the kind."""
    kept = TESTS / "fuzz" / "corpus" / name
    files = sorted(kept.iterdir()) if kept.is_dir() else []
    if name == "nashir":
        files += sorted(TESTS.glob("ir/*.nashir")) + sorted(TESTS.glob("passes/*.nashir"))
    elif name == "onnx":
        files += sorted(TESTS.glob("data/**/micro*/model.onnx"))
    elif name == "structure":
        files += sorted(TESTS.glob("data/**/micro*/model.onnx"))
    elif name == "genotype":
        files += sorted(TESTS.parent.glob("frontends/genotype/networks/*.ngt"))
    for i, f in enumerate(files):
        shutil.copy(f, corpus / f"{i:05}")


for exe in sorted((BUILD / "tests" / "fuzz").glob("fuzz_*")):
    if not exe.is_file() or not exe.stat().st_mode & 0o100:
        continue
    name = exe.name[5:]
    out = BUILD / "tests" / "fuzz" / f"found-{name}"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp:
        seeds(name, pathlib.Path(tmp))
        r = subprocess.run([exe, tmp, f"-max_total_time={SECONDS}", f"-timeout={HANG}", "-rss_limit_mb=4096", "-seed=1",
                            f"-artifact_prefix={out}/"], capture_output=True, text=True, errors="replace")
    runs = re.findall(r"stat::number_of_executed_units:\s*(\d+)|Done (\d+) runs", r.stderr)
    if r.returncode:
        failed += 1
        print(f"FAIL {name}: {r.stderr[-2500:]}")
    else:
        passed += 1
        print(f"ok   {name}: {''.join(runs[-1]) if runs else '?'} inputs in {SECONDS} s")
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
