#!/usr/bin/env python3
"""ranks.py BUILD: training and searches on several ranks: equal to one process up to rounding, the same bits again, a
lost rank."""
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
import zipfile

sys.argv = sys.argv[:2]
import run as common  # noqa: E402  files, models and checks are those of run.py
import search as searches  # noqa: E402  and its images

check, NASHC = common.check, common.NASHC
MPI = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
       "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none"}


def command(n, *args):
    return (["mpirun", "-n", str(n)] if n > 1 else []) + [str(NASHC), *map(str, args)]


def start(n, *args, env=MPI):
    return subprocess.Popen(command(n, *args), env=env, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def train(n, *args, command="train", env=MPI):
    p = start(n, command, *args, "-q", *([] if n > 1 else ["--threads", "1"]), env=env)
    err = p.communicate(timeout=120)[1]
    return p.returncode, err


def search(n, d, *args, data="kinds.npz", batch=16):
    return train(n, "--data", f"npz:{d}/{data}", "--version", "v1", "--width", "2", "--stem", searches.STEM, "--batch",
                 batch, "--epochs", "2", "--rank-images", "32", "--bn-batches", "2", *args, command="search")


def without_norm(text):
    lines = [line for line in text.splitlines() if "%bn." not in line and "nn.batchnorm" not in line]
    return "\n".join(lines).replace("nn.relu(%b)", "nn.relu(%c0)") + "\n"


def distance(a, b):
    """Largest difference of two checkpoints, without the states of the optimiser and the table of metrics."""
    kept = [k for k in a if not k.startswith(("optimiser", "run.metrics"))]
    return max(abs(x - y) for k in kept for x, y in zip(a[k][1], b[k][1]))


def state(run):
    return common.read_npz(run / "checkpoint.npz")


def equal_sums(d):
    """Batches of 66 from 300: the last has 36; of 299 in batches of 149 the last has one sample for three ranks."""
    for limit, batch in ((300, 66), (299, 149)):
        args = [d / "plain.nashir", "--data", f"npz:{d}/one.npz,limit={limit}", "--steps", "6", "--batch", batch]
        check("one process", train(1, *args, "-o", d / f"one{limit}")[0] == 0)
        for n, shared in ((2, "1"), (3, "1"), (3, "0")):
            run = d / f"r{n}.{limit}.{shared}"
            code, err = train(n, *args, "-o", run, env={**MPI, "NASHC_TRAIN_SHARED": shared})
            check(f"{n} ranks", code == 0, err)
            far = distance(state(d / f"one{limit}"), state(run)) if code == 0 else 1
            check(f"{n} ranks, {limit} images: as one process", far < 1e-3, far)


MAPS = """nashc 1

graph @main(%x: f32[1,1,8,8]) -> (%y) {{
  %a.weight: f32[4,1,3,3] = rand 1
  %a: f32[1,4,{side},{side}] = nn.conv(%x, %a.weight) pads=[1,1,1,1] stride=[{stride},{stride}]
  %r: f32[1,4,{side},{side}] = nn.relu(%a)
  %y.weight: f32[{n},4,1,1] = rand 2
  %y: f32[1,{n},{side},{side}] = nn.conv(%r, %y.weight)
}}
"""


def boxes_and_masks(path, n=25, size=8):
    """Image i has a box, and i pixels that do not count, so that parts of a batch have different numbers of them."""
    arrays = {}
    for split in ("train", "test"):
        rows = [v for i in range(n) for v in (i, i % 2, i % 3, i % 4, i % 3 + 2 + i % 2, i % 4 + 3)]
        pixels = bytes((37 * i * i + 11 * i + i // 64) % 251 for i in range(n * size * size))
        masks = bytes(255 if k < i else (k + i) % 2 for i in range(n) for k in range(size * size))
        arrays["x_" + split] = common.npy("|u1", (n, 1, size, size), pixels)
        arrays["boxes_" + split] = common.npy("<f8", (n, 6), struct.pack(f"<{len(rows)}d", *map(float, rows)))
        arrays["mask_" + split] = common.npy("|u1", (n, size, size), masks)
    common.write_npz(path, arrays)


def tasks(d):
    """Boxes and masks as classes: the sums, the loss and the figure of one process; batches of 10 from 25."""
    boxes_and_masks(d / "maps.npz")
    for task, n, side, stride in (("detect", 7, 4, 2), ("segment", 2, 8, 1)):
        (d / f"{task}.nashir").write_text(MAPS.format(n=n, side=side, stride=stride))
        args = [d / f"{task}.nashir", "--task", task, "--data", f"npz:{d}/maps.npz", "--batch", "10", "--epochs", "2"]
        got = []
        for ranks in (1, 3):
            code, err = train(ranks, *args, "-o", d / f"{task}{ranks}")
            check(f"{task}, {ranks} ranks", code == 0, err)
            got.append(figures(d / f"{task}{ranks}") if code == 0 else None)
        far = distance(state(d / f"{task}1"), state(d / f"{task}3")) if None not in got else 1
        check(f"{task}, 3 ranks: as one process", far < 1e-5, far)
        check(f"{task}, 3 ranks: loss and figure of each epoch", got[0] == got[1], got)


def figures(run):
    """Of each epoch: its loss, with six digits, and the figure of the task."""
    return [(round(r["loss"], 5), round(r["accuracy"], 6)) for r in json.loads((run / "metrics.json").read_text())]


def same_bits(d):
    args = [d / "one.nashir", "--data", f"npz:{d}/one.npz,augment=flip", "--batch", "64"]
    for name, steps, more in (("a", 12, []), ("b", 12, []), ("c", 7, []), ("c", 12, ["--resume"])):
        code, err = train(2, *args, "--steps", steps, "-o", d / name, *more)
        check(f"run {name}", code == 0, err)
    code, err = train(2, *args, "--steps", 12, "-o", d / "d", env={**MPI, "NASHC_TRAIN_SHARED": "0"})
    check("run d", code == 0, err)
    a, b, c, e = ((d / x / "checkpoint.npz").read_bytes() for x in "abcd")
    check("sums of two by MPI's all-reduce are those through shared memory", a == e)
    check("the same ranks give the same bits", a == b)
    check("--resume gives those of a run without a break", a == c)
    check("the manifest has the ranks", '"ranks": 2' in (d / "a/manifest.json").read_text())


def kill_one(p, run):
    """Kills a rank when there is a checkpoint; what the others say, and the ranks."""
    end = time.monotonic() + 60
    while not (run / "checkpoint.npz").is_file() and time.monotonic() < end and p.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    children = subprocess.run(["pgrep", "-P", str(p.pid)], capture_output=True, text=True).stdout.split()
    if len(children) >= 2:
        os.kill(int(children[-1]), signal.SIGKILL)
    return p.communicate(timeout=60)[1], children


def lost_rank(d):
    """Kill a rank inside a long run: the checkpoint is that of a whole step, the same as when the run ends there."""
    args = [d / "one.nashir", "--data", f"npz:{d}/one.npz", "--batch", "30", "--save-every", "5"]
    p = start(2, "train", *args, "--epochs", "1000000", "-o", d / "lost", "-q")
    err, children = kill_one(p, d / "lost")
    check("a rank is lost: the run fails", p.returncode != 0 and len(children) >= 2, children)
    if "rank 1 of 2" not in err:  # the other was killed: the first rank tells, and writes
        check("it says so", "another rank was lost" in err and "checkpoint.npz is of step" in err, err)
        got = state(d / "lost")
        step = int(got["run.step"][1][0])
        args += ["--epochs", "1000000", "--steps", step]
        check("the other run", train(2, *args, "-o", d / "whole")[0] == 0)
        check("going on", train(2, *args, "-o", d / "lost", "--resume")[0] == 0)  # where an epoch was to end
        check("the checkpoint is of a whole step", distance(state(d / "lost"), state(d / "whole")) == 0, step)


def one_image(path, n=64, size=8):
    """The same image and label always: batch normalisation, forward and back, is the same on any number of ranks."""
    image = bytes((37 * i * i + 11 * i) % 251 for i in range(size * size))
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("x_train.npy", searches.npy("|u1", (n, 1, size, size), image * n))
        z.writestr("y_train.npy", searches.npy("|u1", (n,), bytes([2] * n)))


def search_sums(d):
    """Gradients of weights and gates are those of the whole batch: up to rounding the same as in one process."""
    one_image(d / "same.npz")
    for method in ("gates", "two-path"):
        args = [d, "--search-form", "deploy", "--method", method, "--steps", "2"]
        for n in (1, 2):
            code, err = search(n, *args, "-o", d / f"sums{n}.{method}", data="same.npz")
            check(f"search, {method}, {n} ranks", code == 0, err)
        a, b = (state(d / f"sums{n}.{method}") for n in (1, 2))
        kept = [k for k in a if not k.startswith(("search.log", "step")) and not k.endswith("running_var")]
        size = {k: max(1e-6, *map(abs, a[k][1]), 0) for k in kept}
        far = {k: max((abs(x - y) / size[k] for x, y in zip(a[k][1], b[k][1])), default=0) for k in kept}
        check(f"search, {method}: 2 ranks as one process", max(far.values()) < 1e-3 and len(kept) > 100,
              sorted(far.items(), key=lambda x: -x[1])[:4])
        check(f"search, {method}: something is learned", any(x != 0 for x in a["optimiser.u.alpha"][1]))


def search_bits(d):
    searches.write_data(d / "kinds.npz", 96)
    runs = [("a", []), ("b", []), ("c", ["--steps", "4"]), ("c", ["--resume"]),
            ("e", ["--method", "evolution", "--candidates", "6", "--compat", "bn"])]
    for name, more in runs:
        code, err = search(2, d, *more, "-o", d / f"search.{name}")
        check(f"search {name}", code == 0, err)
    a, b, c = (d / f"search.{x}" for x in "abc")
    for other, what in ((b, "again"), (c, "with a break")):
        differ = searches.same_files(a, other)
        check(f"a search on 2 ranks {what}: the same files", not differ, differ)
    check("the manifest has the ranks", '"ranks": 2' in (a / "manifest.json").read_text())


def lost_in_search(d):
    """As lost_rank; what the step on its way has changed is taken back."""
    p = start(2, "search", "--data", f"npz:{d}/kinds.npz", "--width", "2", "--stem", searches.STEM, "--batch", "8",
              "--epochs", "100000", "--save-every", "3", "-q", "-o", d / "gone")
    err, children = kill_one(p, d / "gone")
    check("a rank is lost: the search fails", p.returncode != 0 and len(children) >= 2, children)
    if "rank 1 of 2" not in err:
        check("the search says so", "another rank was lost" in err and "checkpoint.npz is of step" in err, err)
        step = int(state(d / "gone")["search.step"][1][0])
        code, err = train(2, "--data", f"npz:{d}/kinds.npz", "--width", "2", "--stem", searches.STEM, "--batch", "8",
                          "--epochs", "100000", "--steps", step, "-o", d / "kept", command="search")
        check("the other search", code == 0, err)
        got, want = state(d / "gone"), state(d / "kept")
        check("the checkpoint is of a whole step", got == want, [k for k in want if got.get(k) != want[k]][:5])


def faults(d):
    code, err = search(2, d, "-o", d / "h", batch=1)
    check("too small a batch of a search", code != 0 and "too small for 2 ranks" in err, err)
    args = [d / "one.nashir", "--data", f"npz:{d}/one.npz"]
    code, err = train(2, *args, "--batch", "1", "-o", d / "f")
    check("too small a batch", code != 0 and "too small for 2 ranks" in err, err)
    code, err = train(2, *args, "--lr", "1e30", "--clip", "0", "--batch", "64", "-o", d / "g")
    check("a loss that is not finite", code != 0 and "is not finite" in err, err)


def main():
    if not (common.BUILD / "plugins/train/mpi.so").is_file() or not shutil.which("mpirun"):
        print("skip ranks: MPI is not installed, or the plugin was built without it\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as t:
        d = pathlib.Path(t)
        text = common.MODEL.format(c=1)
        (d / "one.nashir").write_text(text)
        (d / "plain.nashir").write_text(without_norm(text))
        common.data_files(d)
        for test in (equal_sums, tasks, same_bits, lost_rank, search_sums, search_bits, lost_in_search, faults):
            test(d)
    print(f"{common.passed} passed, {common.failed} failed, 0 skipped")
    return 1 if common.failed else 0


if __name__ == "__main__":
    sys.exit(main())
