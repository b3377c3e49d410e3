#!/usr/bin/env python3
"""robust.py BUILD [--filter TEXT]: what hostile use found, each kind by an example made here: names and numbers that
are read back, output folders, budgets, names of any bytes, empty tensors, processes, links, pairs of files."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import xml.dom.minidom
import zipfile

NET = """nashc 1
graph @main(%x: i4[1,4]) -> (%y) {
  %w: i4[4,4] = [1,-1,1,0,0,1,1,-1,1,1,-1,1,1,0,1,-1]
  %y: i6<-31..29>[1,4] = nn.matmul(%x, %w)
}
"""
RELU = "nashc 1\ngraph @main(%x: f32[1,2]) -> (%y) {\n  %y: f32[1,2] = nn.relu(%x)\n}\n"
HAS_ASAN = False


def npy(shape, values, kind="f"):
    head = f"{{'descr': '<{kind}4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    data = struct.pack(f"<{len(values)}{kind}", *values)
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + data


class Case:
    """A folder with net.nashir and x.npy, and a way to call nashc there."""

    def __init__(self, nashc, tmp):
        self.nashc, self.dir = nashc, pathlib.Path(tmp)
        self.write("net.nashir", NET)
        self.write("x.npy", npy("(1, 4)", [1, 2, 3, 4]))

    def write(self, name, data):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def run(self, *args, code=0, has=(), env=None):
        r = subprocess.run([self.nashc, *map(str, args)], cwd=self.dir, capture_output=True, timeout=120,
                           env={**os.environ, **(env or {})})
        text = r.stderr.decode(errors="replace")
        assert r.returncode == code, f"{args}: exit {r.returncode}, wanted {code}: {text}"
        for part in has if isinstance(has, (list, tuple)) else [has]:
            assert part in text, f"{args}: lacks '{part}': {text}"
        return r.stdout.decode(errors="replace"), text

    def manifest(self, folder, **changes):
        path = self.dir / folder / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def a_name_that_reaches_a_script(c):
    c.run("compile", "net.nashir", "-o", "d", "-q")
    c.manifest("d", top="a; !touch PWNED;")
    for command in (["synth", "d"], ["sim", "d", "--input", "x.npy"]):
        c.run(*command, code=1, has="d/manifest.json: error: this is no manifest of a design")
    assert not list(c.dir.rglob("PWNED"))


def names_that_a_language_has(c):
    for name in ("xor", "inout", "logic", "class", "printf", "nashc_x", "_x", "9x", "a b", "é", "n" * 65):
        for backend in ("verilog", "hls"):
            c.run("compile", "net.nashir", "-o", "d", "--top", name, "--backend", backend, code=2, has="is no name for")


def numbers_that_are_read_back(c):
    c.run("compile", "net.nashir", "-o", "d", "-q")
    for frames in (2**63 - 1, 10**8, -3):
        c.manifest("d", interval_frames=frames)
        c.run("sim", "d", "--input", "x.npy", code=1, has="this is no manifest of a design")


def files_of_the_user_stay(c):
    c.run("compile", "net.nashir", "-o", "d", "-q")
    c.write("d/NOTES", "notes")
    c.write("d/rtl/mine/more", "more")
    os.symlink("../NOTES", c.dir / "d/rtl/link")
    c.run("compile", "net.nashir", "-o", "d", "-q", "--top", "other")
    assert (c.dir / "d/NOTES").read_text() == "notes" and (c.dir / "d/rtl/mine/more").read_text() == "more"
    assert (c.dir / "d/rtl/link").is_symlink() and not (c.dir / "d/rtl/finn_design.v").exists()
    assert not list(c.dir.glob("*.tmp-*"))
    c.write("theirs/manifest.json", '{"tool": "nashc"}')
    c.write("theirs/x", "x")
    c.run("compile", "net.nashir", "-o", "theirs", code=4, has="was not written by nashc")


def what_a_killed_process_left_goes(c):
    c.write("d.tmp-1-0/rtl/x", "x")
    c.run("compile", "net.nashir", "-o", "d", "-q")
    assert not list(c.dir.glob("*.tmp-*"))


def signals_leave_nothing(c):
    for s in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # in the background children would ignore them
        if signal.getsignal(s) == signal.SIG_IGN:
            signal.signal(s, signal.SIG_DFL)
    c.write("slow.sh", ": > $TMPDIR/left; sleep 60 & echo $! > child; wait; exit 1\n")
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGKILL):
        (c.dir / "child").unlink(missing_ok=True)
        (c.dir / "tmp").mkdir(exist_ok=True)
        p = subprocess.Popen([c.nashc, "reduce", "net.nashir", "--test=sh slow.sh {}"], cwd=c.dir,
                             env={**os.environ, "TMPDIR": str(c.dir / "tmp")}, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        child = wait_for(lambda: (c.dir / "child").exists() and (c.dir / "child").read_text().strip())
        p.send_signal(s)
        assert p.wait() == -s, f"{s.name}: exit {p.returncode}"
        wait_for(lambda: not is_alive(int(child)))
        wait_for(lambda: not list((c.dir / "tmp").iterdir()))


def wait_for(what):
    for _ in range(200):
        got = what()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("nothing came of it within 10 s")


def is_alive(pid):
    """A process that ended and was not yet waited for is dead, too."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def a_command_that_closes_its_output(c):
    c.write("slow.sh", "exec >/dev/null 2>&1\nsleep 30\nexit 1\n")
    c.write("quick.sh", "sleep 30 &\nexit 1\n")
    start = time.monotonic()
    c.run("reduce", "net.nashir", "--test=sh quick.sh {}", "--timeout=5", "-o", "r.nashir")
    assert time.monotonic() - start < 5
    c.run("reduce", "net.nashir", "--test=sh slow.sh {}", "--timeout=1", "-o", "r.nashir")
    assert time.monotonic() - start < 25


def a_budget_of_memory(c):
    for name, n in (("beyond", 27), ("nearly", 21)):
        c.write(f"{name}.nashir", f"nashc 1\ngraph @main(%t0: f32[1,8]) -> (%t{n}) {{\n" + "".join(
            f"  %t{i + 1}: f32[1,{16 << i}] = nn.concat(%t{i}, %t{i}) axis=1\n" for i in range(n)) + "}\n")
    c.write("x8.npy", npy("(1, 8)", [0] * 8))
    if not HAS_ASAN:
        for args in (["run", "beyond.nashir", "--input", "x8.npy"], ["compile", "beyond.nashir", "-o", "d"]):
            c.run(*args, "--max-memory=200M", code=1,
                  has=["its result takes 0.3 GB when it is computed", "--verify none"])
        c.run("run", "nearly.nashir", "--input", "x8.npy", "--max-memory=200M", code=4,
              has=["error: out of memory in", "the run may take 200 MB; more by --max-memory=SIZE"])
    c.run("run", "nearly.nashir", "--max-memory=much", code=2, has="--max-memory is a number of bytes")


def a_budget_of_time(c):
    c.write("slow.sh", "sleep 60\n")
    c.run("reduce", "net.nashir", "--test=sh slow.sh {}", "--max-time=1", code=4, has="did not end within --max-time=1")
    c.run("list", "passes", "--max-time=-1", code=2, has="--max-time is a number of seconds")


def work_is_told_beforehand(c):
    def net(channels, size):
        t = f"f32[1,{channels},{size},{size}]"
        c.write("big.nashir", f"nashc 1\ngraph @main(%x: {t}) -> (%y) {{\n"
                f"  %w: i4[{channels},{channels},3,3] = rand 3\n  %y: {t} = nn.conv(%x, %w) pads=[1,1,1,1]\n}}\n")
    net(64, 1024)
    for args in (["compile", "-o", "d"], ["opt", "-passes=streamline", "--check-each=2", "-o", "o.nashir"]):
        command = [args[0], "big.nashir", *args[1:]]
        c.run(*command, "--max-time=1", code=1, has=["big.nashir:4", "would take about 2 hours",
                                                     "node \"%y\" (nn.conv): takes 38789 million of the",
                                                     "--max-time=SECONDS"])
    c.write("big_x.npy", npy("(1, 8, 64, 64)", [1] * (8 * 64 * 64)))
    net(8, 64)
    _, text = c.run("run", "big.nashir", "--input", "big_x.npy", "--output", "y.npy", "-Werror=long-run")
    assert not text, text
    c.run("run", "big.nashir", "--input", "big_x.npy", "--repeat=1000000", "--max-time=1", code=1, has="1000000 runs")
    c.write("fold.nashir", "nashc 1\ngraph @main() -> (%y) {\n  %a: f32[5000,5000] = splat 1\n"
            "  %y: f32[5000,5000] = nn.matmul(%a, %a)\n}\n")
    c.run("opt", "fold.nashir", "-passes=fold-constants", "-o", "-", code=1,
          has=["fold.nashir:4", "node \"%y\" (nn.matmul): to compute it from constants takes 125025 million steps",
               "fold-constants(steps=N)"])


def calls_without_end(c):
    def graph(i, n):
        body = [f"  %a{k}: f32[1,2] = call(%{'x' if k == 0 else f'a{k - 1}'}) graph=@g{i + 1}" for k in range(8)]
        return f"graph @g{i}(%x: f32[1,2]) -> (%{'a7' if i < n - 1 else 'x'}) {{\n" + "\n".join(
            body if i < n - 1 else []) + "\n}\n"
    main = "nashc 1\ngraph @main(%x: f32[1,2]) -> (%y) {\n  %y: f32[1,2] = call(%x) graph=@g0\n}\n"
    c.write("calls.nashir", main + "".join(graph(i, 15) for i in range(15)))
    c.write("x2.npy", npy("(1, 2)", [0, 0]))
    for args in (["run", "calls.nashir", "--input", "x2.npy"], ["opt", "calls.nashir", "-passes=", "-o", "k.onnx"]):
        c.run(*args, code=1, has="has more than 4194304 nodes")
    c.write("circle.nashir", main + "graph @g0(%x: f32[1,2]) -> (%y) {\n  %y: f32[1,2] = call(%x) graph=@g0\n}\n")
    c.run("opt", "circle.nashir", "-passes=", "-o", "-", code=1, has="calls are nested deeper than 16, or in a circle")


def names_of_any_bytes(c):
    x, y = '"in\\xff\\xfe"', '"<\\x1b[31m\uffff\u202e&>"'
    c.write("names.nashir", RELU.replace("%x", "%" + x).replace("%y", "%" + y))
    for form in ("svg", "html", "dot"):
        c.run("show", "names.nashir", "-o", f"n.{form}")
        text = (c.dir / f"n.{form}").read_text(encoding="utf-8")
        assert "in\\" in text and not set(map(ord, text)) & {0x1b, 0xffff, 0x202e}, form
    xml.dom.minidom.parse(str(c.dir / "n.svg"))
    out, _ = c.run("opt", "names.nashir", "-passes=", "-o", "n.onnx", "--json")
    assert json.loads(out)["graphs"][0]["inputs"][0]["name"] == "in\\xff\\xfe"
    c.write("x2.npy", npy("(1, 2)", [1, 2]))
    c.run("run", "names.nashir", "--input", "x2.npy", "--output", "y.npz")
    c.run("run", "names.nashir", "--input", "x2.npy", "--expect", "y.npz")
    out, _ = c.run("run", "names.nashir", "--input", "x2.npy", "--json")
    assert json.loads(out)["outputs"][0]["name"].startswith("<\\x1b")
    c.write("net2.nashir", NET.replace("%x", "%" + x).replace("%y", "%" + y))
    c.run("compile", "net2.nashir", "-o", "d", "-q")
    manifest = json.loads((c.dir / "d/manifest.json").read_text(encoding="utf-8"))
    assert manifest["model_inputs"][0]["name"] == "in\\xff\\xfe" and manifest["inputs"][0]["name"]
    c.write("net3.nashir", NET.replace("%x", '%"\u00e9\\"\\xff\'\U0001f600"'))
    c.run("compile", "net3.nashir", "-o", "d", "-q")
    driver = {}
    exec((c.dir / "d/driver/packing.py").read_text(encoding="utf-8"), driver)
    assert driver["IN0"]["name"] == "\u00e9\"\\xff'\U0001f600" == json.loads(
        (c.dir / "d/manifest.json").read_text(encoding="utf-8"))["inputs"][0]["name"]


def names_of_arrays(c):
    long = "n" * 600
    c.write("long.nashir", RELU.replace("%y", "%" + long))
    c.write("x2.npy", npy("(1, 2)", [1, 2]))
    c.run("run", "long.nashir", "--input", "x2.npy", "--output", "y.npz")
    assert zipfile.ZipFile(c.dir / "y.npz").namelist() == [long + ".npy"]
    c.run("run", "long.nashir", "--input", "x2.npy", "--expect", "y.npz")


def arrays_that_share_their_bytes(c):
    """One deflated array under many entries of the directory."""
    data, n = npy("(25000000,)", []) + bytes(100000000), 64
    with zipfile.ZipFile(c.dir / "one.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.npy", data)
    raw = (c.dir / "one.zip").read_bytes()
    at = raw.index(b"PK\1\2")
    entry, end = raw[at:raw.index(b"PK\5\6")], bytearray(raw[raw.index(b"PK\5\6"):])
    entries = b"".join(entry.replace(b"a.npy", b"%05d" % i).replace(b"%05d" % i, (b"%x.npy" % (i % 16))[:5])
                       for i in range(n))
    end[8:20] = struct.pack("<HHII", n, n, len(entries), at)
    c.write("bomb.npz", raw[:at] + entries + bytes(end))
    c.write("relu.nashir", RELU)
    c.run("run", "relu.nashir", "--input", "bomb.npz", code=1, has="bytes together")


def what_is_empty_or_full(c):
    c.run("opt", "net.nashir", "-passes=", "-o", "", code=2, has='option "o" needs the name of a file')
    c.run("run", "net.nashir", "--input", "x.npy", "--expect=", code=2, has='option "expect" needs the name')
    c.run("opt", "", "-passes=", code=4, has='"": error: cannot be opened')
    c.run("opt", "-", "-passes=", code=4, env={"TMPDIR": "/nonexistent"}, has="TMPDIR names the folder")
    (c.dir / "link").symlink_to("elsewhere")
    c.run("compile", "net.nashir", "-o", "link", code=4, has="link: error: is a link: name the folder itself")
    limit = f"ulimit -f 1; exec '{c.nashc}' compile net.nashir -o d -q"
    r = subprocess.run(["sh", "-c", limit], cwd=c.dir, capture_output=True)
    assert r.returncode == 4 and b"cannot write: File too large" in r.stderr, r.stderr
    assert not [f for f in os.listdir(c.dir) if f.startswith("d")], os.listdir(c.dir)


def numbers_have_no_exponents(c):
    c.run("compile", "net.nashir", "-o", "d", "-q")
    for args in (["compile", "net.nashir", "-o", "d"], ["estimate", "d"], ["sim", "d", "--input", "x.npy"]):
        if args[0] != "sim" or shutil.which("iverilog"):
            out, _ = c.run(*args)
            rate = [line for line in out.splitlines() if line.startswith("throughput: ")]
            assert len(rate) == 1 and "e+" not in rate[0] and float(rate[0].split()[1]) >= 1e6, out
    _, text = c.run("synth", "d", "--layer", "nope", code=2 if shutil.which("yosys") else 4)
    assert not shutil.which("yosys") or "`nashc estimate d` lists its layers" in text, text


def what_reaches_a_terminal(c):
    _, text = c.run("opt", "net.nashir", "-passes=a\x1b[31m", "-o", "-", code=2, has="    a?[31m")
    assert "\x1b" not in text
    c.write("esc.nashir", RELU.replace("nn.relu(%x)", "nn.relu(%x) \x1b]0;title\x07\u009b31m"))
    _, text = c.run("opt", "esc.nashir", "-passes=", "-o", "-", code=1)
    assert not {"\x1b", "\x07", "\u009b"} & set(text)


def empty_tensors(c):
    c.write("few.nashir", "nashc 1\ngraph @main(%x: i6[1,2,0]) -> (%y) {\n  %t: i6[1,3] = [-4,0,4]\n"
                          "  %y: u2[1,2,0] = q.multithreshold(%x, %t)\n}\n")
    c.run("opt", "few.nashir", "-passes=streamline", "--check-each=2", "-o", "-")
    c.run("compile", "few.nashir", "-o", "d", code=1, has="a tensor has no elements")
    c.write("soft.nashir", "nashc 1\ngraph @main(%x: f32[1,0]) -> (%y) {\n  %y: f32[1,0] = nn.softmax(%x) axis=1\n}\n")
    c.write("x0.npy", npy("(1, 0)", []))
    c.run("run", "soft.nashir", "--input", "x0.npy")
    c.write("resize.nashir", "nashc 1\ngraph @main(%x: f32[1,1,0,3]) -> (%y) {\n"
                             "  %y: f32[1,1,6,6] = nn.resize(%x) sizes=[1,1,6,6]\n}\n")
    c.run("opt", "resize.nashir", "-passes=", "-o", "-", code=1, has="nothing can be read from no elements")


def comparisons(c):
    c.write("relu.nashir", RELU)
    c.write("x2.npy", npy("(1, 2)", [1, 2]))
    for name, shape, values, code in (("same", "(1, 2)", [1, 2], 0), ("inf", "(1, 2)", [float("inf")] * 2, 3),
                                      ("flat", "(2,)", [1, 2], 0), ("wide", "(2, 2)", [1, 2, 1, 2], 3)):
        c.write(name + ".npy", npy(shape, values))
        c.run("run", "relu.nashir", "--input", "x2.npy", "--expect", name + ".npy", "--rtol", "1e-3", code=code)


def numbers_off_the_grid(c):
    """A padding value that is no step of the integers; a constant that no float32 holds; double inputs."""
    pad = ("nashc 1\ngraph @main(%x: f32[1,1,2,2]) -> (%y) {\n  %s: f32[] = [SCALE]\n  %z: f32[] = [0]\n"
           "  %q: f32[1,1,2,2] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n  %c: f32[] = [VALUE]\n"
           "  %p: f32[1,1,4,4] = nn.pad(%q, %c) pads=[0,0,1,1,0,0,1,1]\n  %w: f32[1,1,1,1] = [1]\n"
           "  %v: f32[1,1,4,4] = nn.conv(%p, %w)\n  %o: f32[] = [1]\n"
           "  %y: f32[1,1,4,4] = q.bipolar_quant(%v, %o)\n}\n")
    for scale, value in (("1", "-1e-10"), ("2e9", "1"), ("2e9", "-1"), ("0.1", "0.3")):
        c.write("pad.nashir", pad.replace("SCALE", scale).replace("VALUE", value))
        c.run("opt", "pad.nashir", "-passes=streamline", "--check-each=4", "-o", "s.nashir")
    c.write("large.nashir", "nashc 1\ngraph @main(%x: f32[1,2]) -> (%y) {\n  %a: f32[] = [1]\n  %z: f32[] = [0]\n"
                            "  %q: f32[1,2] = q.quant(%x, %a, %z) qmin=-8 qmax=7\n  %s: f32[] = [1e38]\n"
                            "  %m: f32[] = [-7]\n  %r: f32[1,2] = q.quant(%q, %s, %m) qmin=0 qmax=63\n"
                            "  %w: f32[2,1] = [0.25,-0.5]\n  %y: f32[1,1] = nn.matmul(%r, %w)\n}\n")
    c.run("opt", "large.nashir", "-passes=streamline", "--check-each=4", "-o", "s.nashir")
    c.write("double.nashir", "nashc 1\ngraph @main(%x: f64[1,1,2,2]) -> (%y) {\n  %s: f32[] = [0.5]\n"
                             "  %z: f32[] = [0]\n  %q: f64[1,1,2,2] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
                             "  %y: f64[1,1,4,4] = nn.resize(%q) sizes=[1,1,4,4]\n}\n")
    c.run("opt", "double.nashir", "-passes=streamline", "--verify-each=3", "-o", "s.nashir")
    c.run("opt", "s.nashir", "-passes=", "-o", "-")


def codes_wider_than_float32(c):
    c.write("wide.nashir", "nashc 1\ngraph @main(%x: f32[1,2]) -> (%y) {\n  %s: f32[] = [1]\n  %z: f32[] = [0]\n"
                           "  %q: i31[1,2] = q.quant(%x, %s, %z) qmin=-1073741824 qmax=1073741823 codes=true\n"
                           "  %w: i3<1..3>[2,1] = [1,3]\n"
                           "  %y: i33<-4294967296..4294967292>[1,1] = nn.matmul(%q, %w)\n}\n")
    c.run("opt", "wide.nashir", "-passes=", "-o", "w.onnx")
    c.run("opt", "w.onnx", "-passes=", "-o", "-")


def options_of_quantisers(c):
    c.write("relu.nashir", RELU)
    for options in ("scale=0", "scale=nan", "scale=-1", "scale=1e39", "scale=1e-50", "scale=1;zero-point=inf"):
        c.run("opt", "relu.nashir", f"-passes=quantize-graph(ops=nn.relu;{options})", "-o", "q.nashir", code=2)


def declared_inputs(c):
    c.write("relu.nashir", RELU)
    c.run("opt", "relu.nashir", "-passes=set-input-datatype(datatype=UINT8;scale=0.5;bias=-1)", "--check-each=3",
          "-o", "o.nashir")


def keys_that_mean_nothing(c):
    c.write("many.json", json.dumps({f"k{i}": 1 for i in range(20000)}))
    start = time.process_time()
    c.run("estimate", "net.nashir", "--finn-config", "many.json", has="and 19984 more")
    assert time.process_time() - start < 5


def large_constants(rows):
    values = ",".join(str(i % rows - rows // 2) for i in range(64 * 64))
    return (f"nashc 1\ngraph @main(%x: f32[1,64]) -> (%y) {{\n  %w: f32[64,64] = [{values}]\n"
            "  %y: f32[1,64] = nn.matmul(%x, %w)\n}\n")


def pairs_of_files(c):
    """Text and blobs of a model: a reader beside a writer always finds a model."""
    c.write("a.nashir", large_constants(3))
    c.write("b.nashir", large_constants(5))
    c.run("opt", "a.nashir", "-passes=", "-o", "o.nashir")
    one, _ = c.run("opt", "o.nashir", "-passes=", "-o", "-")
    writer = subprocess.Popen(["sh", "-c", 'for i in 1 2 3 4 5 6 7 8; do for f in b a; do "$0" opt $f.nashir -passes= '
                                           "-o o.nashir -q || exit 1; done; done", c.nashc], cwd=c.dir)
    while writer.poll() is None:
        c.run("opt", "o.nashir", "-passes=", "-o", "-")
    assert writer.returncode == 0 and c.run("opt", "o.nashir", "-passes=", "-o", "-")[0] == one
    c.run("opt", "a.nashir", "-passes=", "-o", "p.nashir")
    assert (c.dir / "o.nashblob").read_bytes() == (c.dir / "p.nashblob").read_bytes()


def links_in_a_design(c):
    if not shutil.which("yosys"):
        return "yosys is not there"
    c.run("compile", "net.nashir", "-o", "d", "-q")
    c.write("victim", "precious")
    os.symlink("../../victim", c.dir / "d/report/post_synth_resources.json")
    c.run("synth", "d", "-q")
    assert (c.dir / "victim").read_text() == "precious"
    c.run("compile", "net.nashir", "-o", "d", "-q")
    assert not (c.dir / "d/report/post_synth_resources.json").exists()  # ours, and of the former design


def searches(c):
    """Every method on a few made-up images, a break, costs, wrong checkpoints: of memory this is what training and
    search do, too."""
    if not (pathlib.Path(c.nashc).parent.parent / "plugins/train.so").is_file():
        return "training is not built"
    pixels = [(37 * i * i + 11 * i) % 251 / 256 for i in range(24 * 64)]
    with zipfile.ZipFile(c.dir / "d.npz", "w") as z:
        z.writestr("x_train.npy", npy("(24, 1, 8, 8)", pixels))
        z.writestr("y_train.npy", npy("(24,)", [k % 3 for k in range(24)], "i"))
    args = ["search", "--data", "npz:d.npz", "--width", "2", "--stem", "conv=3x3 pad=1 pool=none", "--batch", "5", "-q",
            "--epochs", "2", "--rank-images", "8", "--bn-batches", "1", "--threads", "2"]
    c.run(*args, "--version", "v1", "--compat", "bn,v3", "--candidates", "1", "-o", "gates")
    c.run(*args, "--version", "v2", "--method", "two-path", "--steps", "2", "--save-every", "1", "-o", "break")
    c.run(*args, "--version", "v2", "--method", "two-path", "--save-every", "1", "--resume", "-o", "break")
    c.run(*args, "--method", "evolution", "--candidates", "6", "--search-form", "deploy", "-o", "evolution")
    c.run(*args, "--version", "custom", "--primitives", "none,dil_conv_3x3,conv_1x1:3",
          "--method", "random", "--candidates", "1", "--steps", "1", "-o", "random")
    c.run(*args, "--version", "v1", "--resume", "-o", "break", code=1, has="another search")
    whole = (c.dir / "gates/checkpoint.npz").read_bytes()
    c.write("break/checkpoint.npz", whole[:len(whole) // 2])
    c.run(*args, "--version", "v2", "--method", "two-path", "--resume", "-o", "break", code=1)
    c.run("pareto", "gates", "-o", "front", code=4, has="nashc train")


def growth(c):
    """Processor time of a network four times as large: some four times, where quadratic growth makes sixteen."""
    if HAS_ASAN:
        return "times of programs with ASan say little; the usual build is measured"

    def blocks(n):
        text = "nashc 1\ngraph @main(%x: f32[1,4]) -> (%q{0}) {{\n  %s: f32[] = [0.5]\n  %z: f32[] = [0]\n".format(n)
        text += "  %q0: f32[1,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
        for i in range(n):
            text += (f"  %w{i}: f32[4,4] = [1,-1,1,0,0,1,1,-1,1,1,-1,{i % 3},1,0,1,-1]\n"
                     f"  %m{i}: f32[1,4] = nn.matmul(%q{i}, %w{i})\n"
                     f"  %r{i}: f32[1,4] = q.quant(%m{i}, %s, %z) qmin=-8 qmax=7\n"
                     f"  %a{i}: f32[1,4] = nn.add(%r{i}, %q{i})\n"
                     f"  %q{i + 1}: f32[1,4] = q.quant(%a{i}, %s, %z) qmin=-8 qmax=7\n")
        return text + "}\n"

    def chain(n):
        text = f"nashc 1\ngraph @main(%x: f32[1,8]) -> (%q{n}) {{\n  %s: f32[] = [0.5]\n  %z: f32[] = [0]\n"
        text += "  %q0: f32[1,8] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
        for i in range(n):
            text += (f"  %c{i}: f32[] = [{1 + 0.001 * (i % 97)}]\n  %m{i}: f32[1,8] = nn.mul(%q{i}, %c{i})\n"
                     f"  %q{i + 1}: f32[1,8] = q.quant(%m{i}, %s, %z) qmin=-8 qmax=7\n")
        return text + "}\n"

    def moves(n):
        text = "nashc 1\ngraph @main(%x: f32[1,4]) -> (%a{0}) {{\n  %a0: f32[1,4] = nn.relu(%x)\n".format(n)
        return text + "".join(f"  %a{i + 1}: f32[{s}] = nn.reshape(%a{i}) shape=[{s}]\n"
                              for i in range(n) for s in [("2,2", "1,4")[i % 2]]) + "}\n"

    def fan(n):
        text = "nashc 1\ngraph @main(%x: f32[1,4]) -> ({0}) {{\n  %s: f32[] = [0.5]\n  %z: f32[] = [0]\n".format(
            ", ".join(f"%y{i}" for i in range(n)))
        text += "  %q: f32[1,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
        return text + "".join(f"  %y{i}: f32[1,4] = nn.relu(%q)\n" for i in range(n)) + "}\n"

    def wide(n):
        names = [f"%y{i}" for i in range(n)]
        return (f"nashc 1\ngraph @main(%x: f32[1,{n}]) -> ({', '.join(names)}) {{\n"
                f"  {': f32[1,1], '.join(names)}: f32[1,1] = nn.split(%x) axis=1 parts=[{','.join('1' * n)}]\n}}\n")

    hardware = "streamline,to-channels-last,to-hw,set-folding,insert-dwc,insert-fifo"
    for name, text, n, args in (("blocks", blocks, 500, ["opt", "g.nashir", f"-passes={hardware}", "-o", "o.nashir"]),
                                ("quantisers", chain, 4000, ["opt", "g.nashir", "-passes=streamline", "-o", "-"]),
                                ("picture", chain, 3000, ["show", "g.nashir", "-o", "o.html"]),
                                ("shapes", moves, 4000, ["opt", "g.nashir", "-passes=", "-o", "o.onnx"]),
                                ("outputs", fan, 5000, ["opt", "g.nashir", "-passes=streamline,to-hw", "-o", "-"]),
                                ("results", wide, 8000, ["show", "g.nashir", "-o", "o.svg"]),
                                ("estimate", blocks, 250, ["estimate", "g.nashir", "-q"]),
                                ("compile", blocks, 30, ["compile", "g.nashir", "-o", "o", "--verify", "none", "-q"])):
        seconds = []
        for size in (n, 4 * n):
            c.write("g.nashir", text(size))
            before = os.times()
            c.run(*args)
            after = os.times()
            seconds.append(after.children_user - before.children_user)
        assert seconds[1] < 8 * seconds[0] + 0.2, f"{name}: {seconds[0]:.2f} s, four times as large: {seconds[1]:.2f}"


CASES = [a_name_that_reaches_a_script, names_that_a_language_has, numbers_that_are_read_back, files_of_the_user_stay,
         what_a_killed_process_left_goes, signals_leave_nothing, a_command_that_closes_its_output, a_budget_of_memory,
         a_budget_of_time, work_is_told_beforehand, calls_without_end, names_of_any_bytes, names_of_arrays,
         arrays_that_share_their_bytes, what_is_empty_or_full, numbers_have_no_exponents,
         what_reaches_a_terminal, empty_tensors, comparisons,
         numbers_off_the_grid, codes_wider_than_float32, options_of_quantisers, declared_inputs, keys_that_mean_nothing,
         pairs_of_files, links_in_a_design, searches,
         growth]


def main():
    global HAS_ASAN
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    build = pathlib.Path(o.build).resolve()
    HAS_ASAN = b"__asan_init" in subprocess.run(["nm", "-D", build / "libnashc.so"], capture_output=True).stdout
    passed = failed = skipped = 0
    for case in CASES:
        if o.filter not in case.__name__:
            continue
        with tempfile.TemporaryDirectory() as tmp:
            try:
                why = case(Case(str(build / "tools/nashc"), tmp))
                print(f"skip {case.__name__}: {why}" if why else f"ok   {case.__name__}")
                skipped += bool(why)
                passed += not why
            except (AssertionError, subprocess.TimeoutExpired) as e:
                print(f"FAIL {case.__name__}: {e}")
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
