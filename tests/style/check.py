#!/usr/bin/env python3
"""check.py BUILD: the house rules of docs/style.md: who includes whom, sizes, format, headers that compile
alone, one descriptor a pass file, help on every descriptor, a test for every pass, op and RTL module, one name for
a layer in all folders and for an RTL parameter in all modules."""
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1]).resolve()
passed = failed = 0


def report(name, faults):
    global passed, failed
    passed += not faults
    failed += bool(faults)
    print("FAIL" if faults else "ok  ", name)
    for f in faults[:40]:
        print("    ", f)


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
                         cwd=ROOT, capture_output=True, text=True)
    return [ROOT / p for p in out.stdout.split() if (ROOT / p).is_file()]


def rel(p):
    return p.relative_to(ROOT).as_posix()


# Who may include whom: a folder of the first column, by path prefix, the longest first.
LAYERS = {
    "core/base": ["core/base"],
    "core/host": ["core/base", "core/host", "ir/irctx.h"],
    "ir/ops": ["ir/ops"],
    "ir": ["core/base", "ir"],
    "passes/support": ["passes/support"],
    "passes/": ["passes/support"],  # and rooms without a circle, see below
    "frontends/onnx": ["frontends/onnx"],
    "frontends/genotype": ["frontends/genotype"],
    "backends/support": ["backends/support"],
    "backends/verilog": ["backends/support", "backends/verilog"],
    "backends/hls": ["backends/support", "backends/hls"],
    "backends/dot": ["backends/dot"],
    "plugins": [],
    "plugins/llvm": ["plugins/threads"],
    "plugins/train": ["plugins/train", "plugins/threads", "tools/tool.h"],  # arrays in files
    "tools": ["tools"],
}
SEES_LAYOUT = ("core/host/rewrite.c", "core/host/pm.c")  # of the IR: ir/impl.h


def includes(p):
    """Paths below the root that file p includes; an include by ../ counts as what it is."""
    for inc in re.findall(r'^#include "([^"]+)"', p.read_text(), re.M):
        for base in (p.parent, ROOT):
            q = (base / inc).resolve()
            if q.is_file() and q.is_relative_to(ROOT):
                yield rel(q)
                break
        else:
            yield inc  # generated


def circle(edges):
    """A path of names that comes back to where it started, or None."""
    def walk(at, path):
        if at in path:
            return path[path.index(at):] + [at]
        done.add(at)
        for b in sorted(edges.get(at, ())):
            if b in path or b not in done:
                found = walk(b, path + [at])
                if found:
                    return found
        return None

    done = set()
    return next((c for a in sorted(edges) if a not in done for c in [walk(a, [])] if c), None)


def layers():
    """core/base <- ir <- core/host <- the rest, which sees <nashc/...> and its own; rooms of passes in no circle."""
    faults, rooms = [], {}
    for p in tracked("*.c", "*.h"):
        r = rel(p)
        if r.startswith(("tests/", "core/include/")):
            continue
        folder = r.rsplit("/", 1)[0]
        key = max((k for k in LAYERS if r.startswith(k)), key=len, default=None)
        for inc in includes(p):
            there = inc.rsplit("/", 1)[0]
            good = there == folder or "/" not in inc or any(inc.startswith(a) for a in LAYERS.get(key, []))
            if inc == "ir/impl.h" and key == "core/host":
                good = r in SEES_LAYOUT
            if key == "ir" and inc.startswith("ir/ops"):
                good = False
            if key == "passes/" and inc.startswith("passes/"):
                good = True
                if there != folder:
                    rooms.setdefault(folder, set()).add(there)
            if not good:
                faults.append(f'{r}: must not include "{inc}"')
    found = circle(rooms)
    if found:
        faults.append("passes in a circle: " + " -> ".join(found))
    report("layers", faults)


def sizes():
    faults = []
    for p in tracked("*.c", "*.h", "*.v", "*.sv", "*.py", "*.sh"):
        r = rel(p)
        lines = p.read_text(errors="replace").splitlines()
        limit = 500 if r.startswith("core/include") else 600
        if r.startswith("passes/") and any(x.startswith("const nashc_pass ") for x in lines):
            limit = 400
        if len(lines) > limit:
            faults.append(f"{r}: {len(lines)} lines, limit {limit}")
        faults += [f"{r}:{i}: {len(x)} columns" for i, x in enumerate(lines, 1)
                   if len(x.expandtabs(8)) > (120 if p.suffix in (".py", ".sh", ".sv") else 100)]
        if p.suffix == ".c" and not r.startswith("tests/"):
            faults += functions(r, lines)
    for p in tracked("*.c", "*.h"):
        if p.name in ("helpers.c", "utils.c", "common.c", "util.c", "misc.c"):
            faults.append(f"{rel(p)}: name says nothing")
    report("sizes", faults)


def bodies(lines):
    """(line, number of lines, lines) of each function body."""
    start = None
    for i, x in enumerate(lines, 1):
        if x == "{":
            start = i
        elif x == "}" and start:
            yield start, i - start, lines[start:i]
            start = None


def functions(r, lines):
    """Functions of more than 120 lines (200 where the body is one flat switch)."""
    faults = []
    for start, n, body in bodies(lines):
        flat = sum(1 for y in body if re.match(r" {4}(case |switch|default)", y)) > 10
        if n > (200 if flat else 120):
            faults.append(f"{r}:{start}: function of {n} lines")
    return faults


SHORT = 30  # lines that 90 % of all functions keep within


def shape():
    """Comment lines to lines of code of each folder, and how many functions are short."""
    code, comments, short, total, faults = {}, {}, 0, 0, []
    for p in tracked("*.c", "*.h"):
        r = rel(p)
        if r.startswith("tests/"):
            continue
        text = p.read_text()
        n = sum(len(m.group(0).splitlines()) for m in re.finditer(r"/\*.*?\*/", text, re.S))
        folder = r.rsplit("/", 1)[0]
        comments[folder] = comments.get(folder, 0) + n
        code[folder] = code.get(folder, 0) + sum(1 for x in text.splitlines() if x.strip()) - n
        for _, n, _ in bodies(text.splitlines()):
            short += n <= SHORT
            total += 1
    for folder in sorted(code):
        print(f"     {folder}: a comment line for {code[folder] / max(1, comments[folder]):.1f} lines of code")
    print(f"     {100 * short / total:.1f} % of {total} functions within {SHORT} lines")
    if short < 0.9 * total:
        faults.append(f"{100 * short / total:.1f} % of the functions are within {SHORT} lines, wanted 90 %")
    report("shape", faults)


def citations():
    """What comments cite is in the repository: docs/NAME.md, and no section numbers of papers of our own."""
    faults = []
    for p in tracked("*.c", "*.h", "*.v", "*.sv", "*.py", "*.sh", "*meson.build", "*.nashir", "*.test", "*.md"):
        places = (ROOT, p.parent) if p.suffix == ".md" else (ROOT,)
        if "tests/data" in rel(p) or p == pathlib.Path(__file__).resolve():
            continue
        for i, line in enumerate(p.read_text(errors="replace").splitlines(), 1):
            for name in re.findall(r'(?<![\w/.<*"])([\w/.-]*\w)\.md\b', line):
                if not any((base / f"{name}.md").is_file() for base in places):
                    faults.append(f"{rel(p)}:{i}: there is no {name}.md")
            if re.search(r"\b(hardware|transforms|nash|numerics|architecture|toolchain)(\.md)?,? [A-J]\.\d", line):
                faults.append(f"{rel(p)}:{i}: cites a section that no page of docs/ has")
    report("citations", faults)


def formatted():
    tool = shutil.which("clang-format-14")
    if not tool:
        print("skip format: no clang-format-14")
        return
    files = [p for p in tracked("*.c", "*.h") if "tests/data" not in rel(p)]
    out = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in out.stderr.splitlines() if "error:" in line})
    report("format", [f"{b}: run clang-format-14 -i on it" for b in bad])


def headers():
    faults = []
    for p in sorted((ROOT / "core/include/nashc").glob("*.h")):
        for cc in (["cc", "-std=c11", "-xc"], ["c++", "-std=c++17", "-xc++"]):
            if not shutil.which(cc[0]):
                continue
            got = subprocess.run([*cc, "-Wall", "-Wextra", "-Werror", "-Wno-pragma-once-outside-header",
                                  "-fsyntax-only", f"-I{ROOT}/core/include", p], capture_output=True, text=True)
            if got.returncode:
                faults.append(f"{rel(p)} alone, {cc[1]}: {got.stderr.splitlines()[0]}")
        for inc in re.findall(r"#include <([^>]+)>", p.read_text()):
            if not inc.startswith("nashc/") and not re.fullmatch(r"(std\w+|inttypes|limits|string)\.h", inc):
                faults.append(f"{rel(p)}: third-party header <{inc}>")
    report("headers", faults)


def heads():
    faults = []
    for p in tracked("*.c", "*.h", "*.v"):
        first = (p.read_text(errors="replace").splitlines() or [""])[0]
        mark = "// " if p.suffix == ".v" else "/* "
        if not re.fullmatch(re.escape(mark + p.name) + "(: .*)?", first):
            faults.append(f"{rel(p)}: first line must be '{mark}{p.name}: purpose'")
    report("heads", faults)


def listing(what):
    out = subprocess.run([BUILD / "tools/nashc", "list", what, "--json"], capture_output=True, text=True)
    return json.loads(out.stdout)


def warnings():
    """Each name that a warning is reported by has a descriptor, and each descriptor is of use."""
    faults, used = [], set()
    for p in tracked("core/*.c", "ir/*.c", "frontends/*.c", "passes/*.c", "backends/*.c", "tools/*.c", "plugins/*.c"):
        for name in re.findall(r'\bnashc_(?:warning|diag_demote)\(([^;{}]*?)"([\w-]+)"', p.read_text()):
            used.add((name[1], rel(p)))
    names = {row["name"] for row in listing("warnings")}
    faults += [f"{path}: no descriptor of the warning {name}" for name, path in sorted(used) if name not in names]
    faults += [f"the warning {name} is never reported" for name in sorted(names - {name for name, _ in used})]
    report("warnings", faults)


def descriptors():
    faults = []
    tests = {k: "\n".join(p.read_text(errors="replace") for p in tracked(f"tests/{k}/*"))
             for k in ("passes", "ir", "diff", "rtl", "cli", "unit")}
    for what in ("passes", "pipelines", "ops", "frontends", "backends", "devices", "warnings"):
        for row in listing(what):
            if not row.get("help"):
                faults.append(f"{what}: {row['name']} has no help")
    for row in listing("passes"):
        if row["name"] not in tests["passes"] + tests["cli"]:
            faults.append(f"pass {row['name']}: no test in tests/passes")
    for row in listing("ops"):
        if row["name"] not in tests["ir"] + tests["diff"] + tests["passes"] + tests["unit"]:
            faults.append(f"op {row['name']}: no test")
    faults += [f"module {m}: no bench in tests/rtl" for m in unbenched(tests["rtl"])]
    for p in tracked("passes/*.c"):
        n = len(re.findall(r"^const nashc_pass nashc_pass_", p.read_text(), re.M))
        if n > 1:
            faults.append(f"{rel(p)}: {n} pass descriptors")
    report("descriptors", faults)


PASSES_HEAD = """# Passes and named pipelines

Generated from the descriptors (`tests/run --suite style --update`). A pass is `nashc opt -passes=NAME`; FINN's and
QONNX's names are accepted as aliases; `nashc help NAME` explains one. `--verify-each`, `--check-each[=N]`,
`--print-after`, `--print-changed`, `--explain=PASS`, `--time-passes`, `--stats` and `--bisect-limit` look inside.

Grammar: `a,b(opt=1;name=x),repeat<4>(c,d),fixpoint(e,f),try(g),@FILE`.

"""
CLI_HEAD = """# The command line

Generated from the descriptors (`tests/run --suite style --update`). Rules of every command:

- Results go to standard output or to files, talk goes to standard error. `-q` silences progress, `-v` adds detail,
  `--json` makes the result one JSON document. Long options take one dash or two, and `=` or a blank before the value.
- Exit status: 0 done, and equal where something was compared; 1 the input is malformed or not supported; 2 wrong
  usage; 3 results differ; 4 a file, an outside program or a plugin failed; 70 a bug of nashc, with a repro file
  written.
- Tensors are `.npy` or `.npz`; the first axis counts samples. Outputs are written aside and renamed: nothing is left
  half written.

"""

WARNINGS_HEAD = """## Warnings

`-WNAME` shows a warning, `-Wno-NAME` silences it, `-Werror=NAME` makes it an error, after which the exit status is not
0; `-Wno-error=NAME` takes that back. `all` stands for every name, `-Werror` for `-Werror=all`. Of several options for
a name the last one holds. What plugins bring is in `nashc list warnings` too.

"""


def nashc(*args):
    return subprocess.run([BUILD / "tools/nashc", *args], capture_output=True, text=True).stdout


STAGES = {
    "cleanup": "Types, shapes, names, folding of constants",
    "quant": "Forms of quantisers into each other",
    "algebra": "Scales, sums and thresholds past operators and into each other",
    "layout": "Channels-last",
    "integer": "The integer graph",
    "channels": "Channels that do nothing; thresholds that are evenly spaced",
    "hw": "Layers of hardware, their folding and their FIFOs",
    "graph": "Parts of graphs: cutting and joining models",
}


def passes_by_stage():
    """The table of passes, one a room of passes/, in the order of the flow."""
    lines = nashc("list", "passes", "--markdown").splitlines()
    text = ""
    for room, title in STAGES.items():
        mine = {p.stem.replace("_", "-") for p in tracked(f"passes/{room}/*.c")}
        rows = [x for x in lines[2:] if x.split("`")[1] in mine]
        text += f"## {title} (`passes/{room}`)\n\n" + "\n".join(lines[:2] + rows) + "\n\n"
        lines = lines[:2] + [x for x in lines[2:] if x not in rows]
    assert len(lines) == 2, f"passes in no room: {lines[2:]}"
    return text


def pages():
    """Text of the generated pages by path."""
    passes = PASSES_HEAD + passes_by_stage() + "## Pipelines\n\n" + nashc("list", "pipelines", "--markdown")
    cli = CLI_HEAD + "".join(f"## nashc {row['name']}\n\n```\n{nashc(row['name'], '--help').rstrip()}\n```\n\n"
                             for row in listing("commands"))
    cli += WARNINGS_HEAD + nashc("list", "warnings", "--markdown")
    return {"docs/passes.md": passes, "docs/cli.md": cli.rstrip() + "\n"}


def generated():
    faults = []
    for path, text in pages().items():
        page = ROOT / path
        if "--update" in sys.argv:
            page.write_text(text)
        elif not page.is_file() or page.read_text() != text:
            faults.append(f"{path} is not what the descriptors say: tests/run --suite style --update")
    report("generated pages", faults)


def unbenched(benches):
    """RTL modules that no bench instantiates, neither directly nor inside another module."""
    text = {p.stem: p.read_text() for p in tracked("backends/verilog/rtl/*.v")}
    reached = {m for m in text if m in benches}
    grown = True
    while grown:
        inner = {m for m in text if any(re.search(rf"\b{m} #", text[r]) for r in reached)} - reached
        reached |= inner
        grown = bool(inner)
    return sorted(set(text) - reached)


def layer_names():
    """A layer hw.X is X in all folders, and a file of a layer holds no other one."""
    faults = []
    rooms = ("ir/ops/hw/*", "backends/verilog/layers/*", "backends/hls/layers/*",
             "backends/verilog/rtl/*", "tests/rtl/*")
    files = [rel(p) for p in tracked(*rooms)]
    for op in (row["name"] for row in listing("ops")):
        if not op.startswith("hw."):
            continue
        x = op[3:]
        for pattern in (f"ir/ops/hw/{x}\\.c", f"backends/verilog/layers/{x}\\.c", f"backends/hls/layers/{x}\\.c",
                        f"backends/verilog/rtl/nashc_{x}(_\\w+)?\\.v", f"tests/rtl/{x}(_\\w+)?_tb\\.sv"):
            found = [f for f in files if re.fullmatch(pattern, f)]
            if not found:
                faults.append(f"{op}: no file {pattern}")
            for f in found:
                other = set(re.findall(r'"(hw\.\w+)"', (ROOT / f).read_text())) - {op}
                if other and f.endswith(".c"):
                    faults.append(f"{f}: holds {', '.join(sorted(other))} too")
    report("layer names", faults)


def parameters():
    """What several RTL modules have stands in the table of docs/timing.md, and nothing else that none has."""
    users = {}
    for p in tracked("backends/verilog/rtl/*.v"):
        head = re.search(r"^module \w+ #\((.*?)^\) \(", p.read_text(), re.M | re.S)
        for name in re.findall(r"\bparameter (\w+)", head.group(1) if head else ""):
            users.setdefault(name, []).append(p.stem)
    table = re.search(r"^## Shared parameters$(.*?)^## ", (ROOT / "docs/timing.md").read_text(), re.M | re.S)
    rows = re.findall(r"^\| ([A-Z][\w, ]*) \|", table.group(1) if table else "", re.M)
    named = [n for row in rows for n in row.split(", ")]
    faults = [f"docs/timing.md: {n} of {', '.join(m)} is not in the table of shared parameters"
              for n, m in sorted(users.items()) if len(m) > 1 and n not in named]
    faults += [f"docs/timing.md: no module has parameter {n}" for n in named if n not in users]
    faults += [f"docs/timing.md: {n} stands twice in the table of shared parameters"
               for n in sorted(set(named)) if named.count(n) > 1]
    report("parameters", faults)


def clean():
    """What must not stand in the project: machine paths, promises, merge marks."""
    bad = re.compile(r"/(work|home|root)/|\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|^(<<<<<<<|>>>>>>>)", re.M)
    faults = []
    for p in tracked("*.c", "*.h", "*.v", "*.sv", "*.py", "*.sh", "*.md", "*.nashir", "*.test", "*meson*"):
        if p == pathlib.Path(__file__).resolve():
            continue
        for m in bad.finditer(p.read_text(errors="replace")):
            line = p.read_text(errors="replace").count("\n", 0, m.start()) + 1
            faults.append(f"{rel(p)}:{line}: {m.group(0)}")
    report("clean", faults)


for check in (layers, sizes, shape, citations, formatted, headers, heads, descriptors, warnings, generated, layer_names,
              parameters, clean):
    check()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
