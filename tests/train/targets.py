#!/usr/bin/env python3
"""targets.py BUILD: `nashc pareto` over backbones and devices, and areas by `nashc synth --liberty`."""
import csv
import json
import pathlib
import shutil
import sys
import tempfile

sys.argv[1:] = sys.argv[1:] or ["build"]
from run import NASHC, ROOT, data_files, nashc  # noqa: E402

LIBRARY = ROOT / "tests/train/small.lib"
BACKBONES = {"resnet18": "", "mobilenet_v1": "group 0 channels=4\n", "mobilenet_v2": ""}
GENOTYPE = """nash-genotype 1
backbone {}
version baseline
width 2
input 1x6x6 dtype=uint8
classes 3
stem conv=3x3/1 pad=1 pool=none
bits weight=2 act=2
"""
DENSE = """nashc 1

graph @main(%x: f32[1,1,6,6]) -> (%y) {
  %in.scale: f32[] = [0.00390625]
  %zero: f32[] = [0]
  %xq: f32[1,1,6,6] = q.quant(%x, %in.scale, %zero) qmin=0 qmax=255
  %act.scale: f32[] = [0.5]
  %a: f32[1,1,6,6] = q.quant(%xq, %act.scale, %zero) qmin=0 qmax=3
  %f: f32[1,36] = nn.reshape(%a) shape=[1,36]
  %fc.weight: f32[36,3] = rand 2
  %fc.scale: f32[] = [1]
  %fq: f32[36,3] = q.bipolar_quant(%fc.weight, %fc.scale)
  %y: f32[1,3] = nn.matmul(%f, %fq)
}
"""
results = []


def check(name, good, text=""):
    results.append(bool(good))
    if not good:
        print(f"not ok: {name}: {text}"[:1500])


def train(d, model, run):
    code, _, err = nashc("train", model, "--data", f"npz:{d}/one.npz", "--epochs", "1", "--batch", "32", "--lr", "0.01",
                         "--threads", "2", "-q", "-o", run)
    check(f"trained {run.name}", code == 0, err)
    return run


def backbones(d):
    """A row for each backbone and device; fronts and volumes are those of one device."""
    runs = []
    for name, groups in BACKBONES.items():
        text = GENOTYPE.format(name).replace("1x6x6", "1x32x32") + groups
        (d / f"{name}.ngt").write_text(text)
        runs.append(train(d, d / f"{name}.ngt", d / name))
    devices = ("ice40-up5k", "ecp5-85k")
    code, out, err = nashc("pareto", *runs, "--device", devices[0], "--device", devices[1], "--target-fps", "50", "-o",
                           d / "pareto", "--json", "-q")
    check("pareto over devices", code == 0, err)
    points = list(csv.DictReader((d / "pareto/points.csv").read_text().splitlines()))
    check("a row for each backbone and device", {(pathlib.Path(p["run"]).name, p["device"]) for p in points}
          == {(b, v) for b in BACKBONES for v in devices}, str(points))
    for p in points:
        beaten = any(q["device"] == p["device"] and q["fits"] == "1" and float(q["lut"]) <= float(p["lut"])
                     and float(q["accuracy"]) >= float(p["accuracy"])
                     and (q["lut"], q["accuracy"]) != (p["lut"], p["accuracy"]) for q in points)
        check("front of one device", (p["front_lut"] == "1") == (p["fits"] == "1" and not beaten), str(p))
    volumes = json.loads(out)["hypervolume"] if code == 0 else []
    check("a volume for each device", [v["device"] for v in volumes] == list(devices), str(volumes))
    page = (d / "pareto/index.html").read_text()
    check("the page names the devices", all(v in page for v in devices) and "accuracy against LUT" in page)
    code, _, err = nashc("pareto", runs[0], "--device", devices[0], "--device", devices[0], "-o", d / "no")
    check("a device twice", code == 2 and "given twice" in err, err)
    text = (runs[1] / "manifest.json").read_text()
    (runs[1] / "manifest.json").write_text(text.replace('"top-1"', '"mIoU"'))
    code, _, err = nashc("pareto", *runs, "-o", d / "no", "-q")
    check("figures of two tasks", code == 1 and "judged by mIoU" in err, f"{code} {err}")


def area(d):
    """Cells of a library: areas add up, and are twice as large where each cell is."""
    (d / "dense.nashir").write_text(DENSE)
    run = train(d, d / "dense.nashir", d / "dense")
    code, _, err = nashc("compile", run / "best.onnx", "-o", d / "hw", "--verify", "none", "-q", "--clock-ns", "10")
    check("it compiles", code == 0, err)
    code, out, err = nashc("synth", d / "hw", "--liberty", LIBRARY, "--json")
    layers = json.loads(out) if code == 0 else {"(top)": {}}
    top = layers.pop("(top)")
    some = [v for v in layers.values() if isinstance(v, dict)]
    check("synth --liberty", code == 0 and len(some) >= 2 and top["AREA"] > 100, out + err)
    check("the whole is the sum", top.get("AREA") == sum(v["AREA"] for v in some), out)
    check("cells are of 1 to 7", all(v["CELLS"] <= v["AREA"] <= 7 * v["CELLS"] for v in some), out)
    text = LIBRARY.read_text()
    for a in ("1", "1.5", "2", "3.5", "7"):
        text = text.replace(f"area : {a};", f"area : <{2 * float(a):g}>;")
    (d / "twice.lib").write_text(text.replace("<", "").replace(">", ""))
    least = min((k for k, v in layers.items() if isinstance(v, dict) and v["CELLS"]), key=lambda k: layers[k]["CELLS"])
    code, out, err = nashc("synth", d / "hw", "--liberty", d / "twice.lib", "--layer", least, "--json")
    twice = json.loads(out)[least]["AREA"] if code == 0 else 0
    check("cells of twice the area", twice == 2 * layers[least]["AREA"], out + err)
    (d / "gates.lib").write_text(text.replace("<", "").replace(">", "").replace("ff (IQ, IQN)", "latch (IQ, IQN)"))
    code, _, err = nashc("synth", d / "hw", "--liberty", d / "gates.lib", "--layer", least)
    check("a library without registers", code == 4 and "ERROR" in err, f"{code} {err}")
    code, out, err = nashc("pareto", run, "--liberty", LIBRARY, "-o", d / "chip", "--json", "-q")
    point = json.loads(out)["points"][0] if code == 0 else {}
    check("area in pareto", point.get("area") == top.get("AREA") and "area" in point["front"], out + err)
    check("area on the page", code == 0 and "against area" in (d / "chip/index.html").read_text()
          and "area,front_area" in (d / "chip/points.csv").read_text())


def faults(d):
    for options, code, text in ((["--liberty", d / "none.lib"], 4, "none.lib"),
                                (["--liberty", d / "dense.nashir"], 1, "no Liberty file"),
                                (["--liberty", LIBRARY, "--family", "ice40"], 2, "give one")):
        got, _, err = nashc("synth", d / "hw", *options)
        check(f"synth {options}", got == code and text in err, f"{got} {err}")
    got, _, err = nashc("pareto", d / "dense", "--liberty", d / "none.lib", "-o", d / "no", "-q")
    check("pareto without the library", got == 4 and "none.lib" in err and not (d / "no").exists(), f"{got} {err}")


def main():
    if not NASHC.is_file() or "not built" in nashc("train", "--help")[1]:
        print("skip training: it is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    skipped = 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        data_files(d)
        backbones(d)
        if shutil.which("yosys"):
            area(d)
            faults(d)
        else:
            print("skip areas: Yosys is not installed")
            skipped = 1
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, {skipped} skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
