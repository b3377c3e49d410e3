#!/usr/bin/env python3
"""tasks.py BUILD: boxes and masks: tiny networks are trained, judged, exported and compiled; what `nashc eval` says
of the raw outputs is worked out here once more."""
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.argv[1:] = sys.argv[1:] or ["build"]
from run import NASHC, idx, nashc, npy, read_npz, write_npz  # noqa: E402

CLASSES = 3
SIDE = 16
GENOTYPE = """nash-genotype 1
backbone resnet18
version baseline
width 4
input 1x16x16 dtype=uint8
classes {classes}
stem conv=3x3/1 pad=1 pool=none
head {head}
bits weight=4 act=4
group 0 channels=4
group 1 channels=8
group 2 channels=8
group 3 channels=8 stride=1 down=identity
"""
results = []


def check(name, good, text=""):
    results.append(bool(good))
    if not good:
        print(f"not ok: {name}: {text}"[:1500])


def source(d):
    """IDX files of three classes: a square, its upper half, a column."""
    for split, n, seed in (("train", 60, 1), ("t10k", 30, 2)):
        rng = random.Random(seed)
        pixels = bytearray()
        for i in range(n):
            k = i % CLASSES
            v = rng.randrange(120, 256)
            pixels += bytes(v if k == 0 or (k == 1 and p < 32) or (k == 2 and 2 <= p % 8 < 5) else 0
                            for p in range(64))
        (d / f"{split}-images-idx3-ubyte").write_bytes(idx(3, (n, 8, 8), bytes(pixels)))
        (d / f"{split}-labels-idx1-ubyte").write_bytes(idx(1, (n,), bytes(i % CLASSES for i in range(n))))


def known(d):
    """An .npz with boxes and masks that are known here: (boxes of each image, masks of each image)."""
    rng = random.Random(5)
    n, pixels, rows, masks, boxes = 24, bytearray(), [], bytearray(), []
    for i in range(n):
        image, mask, mine = [0] * SIDE * SIDE, [0] * SIDE * SIDE, []
        for x, y in rng.sample([(0, 0), (8, 0), (0, 8), (8, 8)], rng.randrange(1, 4)):
            k, w, h = rng.randrange(CLASSES), rng.randrange(3, 9), rng.randrange(3, 9)
            mine.append((k, x, y, x + w, y + h))
            rows.append((i, *mine[-1]))
            for v in range(y, y + h):
                for u in range(x, x + w):
                    image[v * SIDE + u], mask[v * SIDE + u] = 80 + 80 * k, k + 1
        mask[rng.randrange(SIDE * SIDE)] = 255
        pixels += bytes(image)
        masks += bytes(mask)
        boxes.append(mine)
    flat = [float(v) for r in rows for v in r]
    arrays = {}
    for split in ("train", "test"):
        arrays["x_" + split] = npy("|u1", (n, 1, SIDE, SIDE), bytes(pixels))
        arrays["boxes_" + split] = npy("<f8", (len(rows), 6), struct.pack(f"<{len(flat)}d", *flat))
        arrays["mask_" + split] = npy("|u1", (n, SIDE, SIDE), bytes(masks))
    write_npz(d / "known.npz", arrays)
    return boxes, [masks[i * SIDE * SIDE:(i + 1) * SIDE * SIDE] for i in range(n)]


# --- figures, worked out again --------------------------------------------------------------------

def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def boxes_of(y, rows, cols):
    """(score, class, box) of an image, best first, by docs/training.md."""
    cells, found = rows * cols, []
    for c in range(cells):
        o, tx, ty, tw, th, *scores = (y[k * cells + c] for k in range(5 + CLASSES))
        k = max(range(CLASSES), key=lambda i: scores[i])
        p = 1 / (1 + math.exp(-o)) / sum(math.exp(s - scores[k]) for s in scores)
        cw, ch = SIDE / cols, SIDE / rows
        x, v = (c % cols + 0.5 + tx) * cw, (c // cols + 0.5 + ty) * ch
        w, h = math.exp(min(tw, 4)) * cw / 2, math.exp(min(th, 4)) * ch / 2
        found.append((p, k, (x - w, v - h, x + w, v + h)))
    kept = []
    for f in sorted(found, key=lambda f: -f[0]):
        if all(k[1] != f[1] or overlap(k[2], f[2]) <= 0.5 for k in kept):
            kept.append(f)
    return kept


def mean_precision(outputs, truth, rows, cols):
    guesses, taken, values = [], set(), []
    for i, y in enumerate(outputs):
        for p, k, box in boxes_of(y, rows, cols):
            best = max(((overlap(box, t[1:]), j) for j, t in enumerate(truth[i]) if t[0] == k), default=(0, None))
            right = best[0] >= 0.5 and (i, best[1]) not in taken
            if right:
                taken.add((i, best[1]))
            guesses.append((k, p, right))
    for k in range(CLASSES):
        total = sum(t[0] == k for image in truth for t in image)
        curve, right = [], 0
        for n, g in enumerate(sorted((g for g in guesses if g[0] == k), key=lambda g: -g[1]), 1):
            right += g[2]
            curve.append((right / total, right / n))
        area, last = 0.0, 0.0
        for j, (recall, _) in enumerate(curve):
            area += (recall - last) * max(p for _, p in curve[j:])
            last = recall
        values.append(area)
    return sum(values) / len(values)


def mean_union(outputs, masks, classes):
    both, either = [0] * classes, [0] * classes
    size = SIDE * SIDE
    for y, mask in zip(outputs, masks):
        for p in range(size):
            got = max(range(classes), key=lambda k: y[k * size + p])
            if mask[p] == 255:
                continue
            both[got] += got == mask[p]
            for k in {got, mask[p]}:
                either[k] += 1
    return sum(b / e for b, e in zip(both, either) if e) / sum(e > 0 for e in either)


# --- tests ----------------------------------------------------------------------------------------

def one_task(d, name, key, head, classes, least):
    """From a genotype to hardware. least: what the figure must reach on test scenes."""
    ngt, run, hw = d / f"{name}.ngt", d / name, d / f"{name}-hw"
    ngt.write_text(GENOTYPE.format(classes=classes, head=head))
    code, text, err = nashc("export", ngt, "--to", "ngt", "-o", d / "again.ngt")
    check(f"{name}: canonical text", code == 0 and f"head {head}\n" in (d / "again.ngt").read_text(), err)
    data = f"scenes:idx:{d},limit=400,items=2"
    args = ["train", ngt, "--task", name, "--data", data + ",augment=flip", "--batch", "20", "--lr", "0.005",
            "--epochs", "15", "--threads", "2", "-q"]
    code, _, err = nashc(*args, "-o", run)
    check(f"{name}: it trains", code == 0, err)
    metrics = json.loads((run / "metrics.json").read_text()) if code == 0 else [{"accuracy": 0}]
    best = max(m["accuracy"] for m in metrics)
    check(f"{name}: it learns", best >= least, str(metrics))
    print(f"{name}: {key} {best:.4f} after 15 epochs of 400 scenes")
    nashc(*args, "-o", d / "r", "--steps", "27")
    code, _, err = nashc(*args, "-o", d / "r", "--resume")
    check(f"{name}: --resume gives the same", code == 0 and (d / "r/checkpoint.npz").read_bytes()
          == (run / "checkpoint.npz").read_bytes(), err)
    for p in (d / "r").iterdir():
        p.unlink()
    code, out, err = nashc("eval", run, "--task", name, "--data", data, "--compare", run / "model.onnx", "--json")
    r = json.loads(out) if out else {}
    check(f"{name}: eval", code == 0 and r["images"] == 400 and len(r["classes"]) == classes, err)
    check(f"{name}: the last epoch's figure", abs(r.get(key, -1) - metrics[-1]["accuracy"]) < 1e-9, out)
    code, _, err = nashc("compile", run / "best.onnx", "-o", hw, "--backend", "hls", "-q")
    check(f"{name}: it compiles", code == 0, err)
    code, out, err = nashc("eval", hw, "--task", name, "--data", data + ",limit=6", "--simulator", "cc", "--compare",
                           run / "best.onnx", "--compare-executor", "reference", "--json")
    check(f"{name}: the hardware finds the same", code == 0 and json.loads(out)["differ"] == 0, out + err)
    return run


def figures(d, name, key, run, work_out):
    """What eval says, and what follows from the outputs."""
    spec = f"npz:{d}/known.npz"
    code, out, err = nashc("eval", run / "best.onnx", "--task", name, "--data", spec, "--executor", "reference",
                           "--json", "--images", d / "images.npy")
    code2, _, err2 = nashc("run", run / "best.onnx", "--input", d / "images.npy", "--output", d / "y.npz")
    check(f"{name}: eval of an .npz", code == 0 and code2 == 0, err + err2)
    if code or code2:
        return
    shape, values = next(iter(read_npz(d / "y.npz").values()))
    each = len(values) // 24
    want = work_out([values[i * each:(i + 1) * each] for i in range(24)])
    got = json.loads(out)[key]
    check(f"{name}: {key} is {want}", abs(got - want) < 1e-6 and want > 0.02, f"{got}, of {shape}")


def hidden(d):
    """Four objects, three of which have their centre in one cell of 4x4 pixels."""
    boxes = [(0, 0, 0, 0, 3, 3), (0, 1, 0, 0, 4, 4), (0, 2, 1, 1, 3, 3), (0, 0, 8, 8, 12, 12)]
    rows = npy("<f8", (4, 6), struct.pack("<24d", *(float(v) for b in boxes for v in b)))
    x = npy("|u1", (1, 1, SIDE, SIDE), bytes(SIDE * SIDE))
    write_npz(d / "crowd.npz", {"x_train": x, "boxes_train": rows, "x_test": x, "boxes_test": rows})
    det, spec = d / "detect.ngt", f"npz:{d}/crowd.npz"
    for where, args in (("these images", ("eval",)), ("the first epoch", ("train", "-o", d / "crowd", "-q"))):
        code, _, err = nashc(args[0], det, *args[1:], "--task", "detect", "--data", spec)
        check(f"{args[0]} counts hidden objects", code == 0 and "2 of 4 objects of " + where + " (50.00 %) share a cell"
              in err and err.count("hidden-objects") == 1, f"{code} {err}")


def faults(d):
    det, seg = d / "detect.ngt", d / "segment.ngt"
    x = npy("|u1", (2, 1, SIDE, SIDE), bytes(2 * SIDE * SIDE))
    for name, box in (("image", (2, 0, 0, 0, 1, 1)), ("outside", (0, 0, 0, 0, 17, 1)), ("empty", (0, 0, 3, 3, 3, 4)),
                      ("class", (0, 0.5, 0, 0, 1, 1))):
        write_npz(d / f"{name}.npz", {"x_test": x, "boxes_test": npy("<f8", (1, 6), struct.pack("<6d", *box))})
    write_npz(d / "mask.npz", {"x_test": x, "mask_test": npy("|u1", (2, 8, 8), bytes(128))})
    write_npz(d / "small.npz", {"x_test": npy("|u1", (1, 1, 8, 8), bytes(64)),
                                "boxes_test": npy("<f8", (1, 6), struct.pack("<6d", 0, 0, 1, 1, 2, 2))})
    scenes, plain = f"scenes:idx:{d}", f"idx:{d}"
    for model, task, spec, code, text in (
            (det, "classify", plain, 1, "--task detect for boxes, segment for masks"),
            (det, "detect", plain, 1, "the task wants boxes, the data have one class an image"),
            (det, "segment", scenes, 1, "a score for each class and pixel"),
            (seg, "classify", scenes, 1, "the task wants one class an image, the data have boxes"),
            (det, "detect", f"npz:{d}/small.npz", 1, "not resized: they are 8x8, the model wants 16x16"),
            (det, "dettect", scenes, 2, "known are classify, detect, segment"),
            (det, "detect", scenes + ",items=99", 2, "a number of 1 to 16"),
            (det, "detect", f"scenes:scenes:{d}", 2, "one class each"),
            (det, "detect", f"scenes:npz:{d}/none.npz", 4, "none.npz"),
            (det, "detect", f"npz:{d}/mask.npz", 1, 'no array "boxes_test"'),
            (seg, "segment", f"npz:{d}/mask.npz", 1, "must be 2x16x16 of uint8"),
            (det, "detect", f"npz:{d}/image.npz", 1, "box 0 is of no image"),
            (det, "detect", f"npz:{d}/outside.npz", 1, "box 0 is not within its image"),
            (det, "detect", f"npz:{d}/empty.npz", 1, "box 0 is not within its image"),
            (det, "detect", f"npz:{d}/class.npz", 1, "box 0 has no class"),
            (det, "detect", f"npz:{d}/known.npz,classes=1", 2, "one class each")):
        got, _, err = nashc("eval", model, "--task", task, "--data", spec)
        check(f"{task} of {spec}", got == code and text in err, f"{got} {err}")
    got, _, err = nashc("train", det, "--task", "detect", "--data", scenes + ",augment=rrc", "-o", d / "x")
    check("augment=rrc", got == 2 and "augment=rrc" in err, f"{got} {err}")
    for head, code, text in (("kind=gird", 1, "wanted classify, grid, unet"),
                             ("kind=grid pool=2", 1, "G02: a head of kind grid has no pool"),
                             ("kind=grid skip=add", 1, "G02: a head of kind grid has no skip")):
        (d / "bad.ngt").write_text(GENOTYPE.format(classes=3, head=head))
        got, _, err = nashc("stats", d / "bad.ngt")
        check(head, got == code and text in err and "bad.ngt:8:" in err, f"{got} {err}")
    (d / "odd.ngt").write_text(GENOTYPE.format(classes=3, head="kind=unet").replace("1x16x16", "1x18x18"))
    got, _, err = nashc("stats", d / "odd.ngt")
    check("a map that is not halved evenly", got == 1 and "G09: a head of kind unet" in err, f"{got} {err}")


def main():
    if not NASHC.is_file() or "not built" in nashc("train", "--help")[1]:
        print("skip training: it is not built here\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        source(d)
        boxes, masks = known(d)
        run = one_task(d, "detect", "map50", "kind=grid bias=1", CLASSES, 0.15)
        figures(d, "detect", "map50", run, lambda y: mean_precision(y, boxes, 4, 4))
        run = one_task(d, "segment", "miou", "kind=unet bias=1", CLASSES + 1, 0.4)
        figures(d, "segment", "miou", run, lambda y: mean_union(y, masks, CLASSES + 1))
        (d / "add.ngt").write_text(GENOTYPE.format(classes=4, head="kind=unet skip=add"))
        code, _, err = nashc("compile", d / "add.ngt", "-o", d / "add-hw", "--backend", "hls", "-q")
        check("skip=add compiles", code == 0, err)
        hidden(d)
        faults(d)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
