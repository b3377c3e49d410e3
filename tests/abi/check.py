#!/usr/bin/env python3
"""check.py BUILD: compares exported symbols, struct sizes and field offsets with abi.txt.

A difference means a new ABI number (core/include/nashc/base.h) and `check.py BUILD --update`.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "core" / "include"
PUBLIC = ["nashc_type", "nashc_buf", "nashc_loc", "nashc_edits", "nashc_param", "nashc_op", "nashc_hw",
          "nashc_stream", "nashc_cost", "nashc_timing", "nashc_pass", "nashc_pattern", "nashc_pipeline",
          "nashc_pm_options", "nashc_analysis", "nashc_executor", "nashc_frontend", "nashc_backend",
          "nashc_impl", "nashc_import", "nashc_onnx_row", "nashc_lower_rule", "nashc_layout_rule", "nashc_command",
          "nashc_device", "nashc_warn", "nashc_plugin", "nashc_frame", "nashc_running"]


def fields(text, struct):
    """Member names of a public struct, in order."""
    m = re.search(r"(?:typedef )?struct %s \{(.*?)\n\}" % struct, text, re.S)
    body = re.sub(r"/\*.*?\*/", "", m.group(1), flags=re.S)
    names = []
    for decl in body.split(";"):
        pointer = re.search(r"\(\*(\w+)\)", decl)
        if pointer:
            names.append(pointer.group(1))
            continue
        for part in decl.split(","):
            word = re.search(r"(\w+)\s*(\[[^]]*\])?\s*$", part.strip())
            if word:
                names.append(word.group(1))
    return names


def layout():
    text = "\n".join(p.read_text() for p in sorted((INCLUDE / "nashc").glob("*.h")))
    lines = []
    for s in PUBLIC:
        lines.append(f'printf("struct {s} %zu\\n", sizeof({s}));')
        for f in fields(text, s):
            lines.append(f'printf("  {f} %zu\\n", offsetof({s}, {f}));')
    prog = "#include <nashc/nashc.h>\n#include <stdio.h>\nint main(void) {" + "\n".join(lines) + "}"
    with tempfile.TemporaryDirectory() as tmp:
        src = pathlib.Path(tmp, "layout.c")
        src.write_text(prog)
        subprocess.run(["cc", "-std=c11", f"-I{INCLUDE}", src, "-o", f"{tmp}/layout"], check=True)
        return subprocess.run([f"{tmp}/layout"], check=True, capture_output=True, text=True).stdout


def symbols(build):
    out = subprocess.run(["nm", "-D", "--defined-only", f"{build}/libnashc.so"], check=True,
                         capture_output=True, text=True).stdout
    names = sorted(line.split()[-1].split("@")[0] for line in out.splitlines())
    return "".join(f"symbol {n}\n" for n in names if n not in ("_edata", "_end", "__bss_start", "_init", "_fini"))


def main():
    build = sys.argv[1]
    version = re.findall(r"define NASHC_ABI_(?:MAJOR|MINOR) (\d+)", (INCLUDE / "nashc/base.h").read_text())
    now = f"abi {'.'.join(version)}\n" + layout() + symbols(build)
    kept = HERE / "abi.txt"
    if "--update" in sys.argv:
        kept.write_text(now)
        return 0
    foreign = [s for s in re.findall(r"^symbol (\w+)$", now, re.M) if not s.startswith("nashc_")]
    old, new = set(kept.read_text().splitlines()), set(now.splitlines())
    same = kept.read_text() == now
    if not same:
        for line in sorted(old - new):
            print("gone:", line.strip())
        for line in sorted(new - old):
            print("new:", line.strip())
        print("the public ABI differs from tests/abi/abi.txt: raise the ABI number, then --update")
    for s in foreign:
        print("exported without the nashc_ prefix:", s)
    failed = (not same) + bool(foreign)
    print(f"{2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
