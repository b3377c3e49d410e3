#!/usr/bin/env python3
"""onnx_nodes.py BUILD [FILTER] [--update] [-v]: the node tests of the ONNX standard, for the operators of
docs/operators.md, as the installed package `onnx` makes them. Operands that must be known when a model is compiled
(shapes, axes, scales) become initialisers; each model is also written, read back and run again. Forms that the page
lists as not supported must be refused with a message, all others must agree. --update writes the page from
`nashc list imports`."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "operators.md"
ARGS = [a for a in sys.argv[1:] if not a.startswith("-")]
NASHC = pathlib.Path(ARGS[0] if ARGS else ROOT / "build").resolve() / "tools" / "nashc"
DOMAINS = ["ai.onnx", "qonnx.custom_op.general", "qonnx.custom_op.channels_last", "finn.custom_op.fpgadataflow",
           "com.microsoft"]

# Operands of these operators that have to be constants: None is all but the first.
PARAMETERS = {
    "Reshape": None, "Expand": None, "Tile": None, "Squeeze": None, "Unsqueeze": None, "Split": None, "Slice": None,
    "Pad": None, "Resize": None, "Upsample": None, "TopK": None, "ConstantOfShape": (0,), "QuantizeLinear": None,
    "DequantizeLinear": None, "QLinearConv": (1, 2, 3, 4, 5, 6, 7, 8), "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "ConvInteger": (2, 3), "MatMulInteger": (2, 3), "Dropout": None, "ReduceSum": None, "ReduceMean": None,
    "ReduceMax": None, "ReduceMin": None, "ReduceL1": None, "ReduceL2": None, "ReduceLogSum": None,
    "ReduceLogSumExp": None, "ReduceSumSquare": None, "BatchNormalization": (1, 2, 3, 4), "LayerNormalization": None,
    "InstanceNormalization": None, "CastLike": None, "ScatterND": (1,), "SplitToSequence": None, "SequenceAt": None,
}

# Tests whose expected values a later release of the package corrected: the release, and the tests.
CORRECTED = [
    ((1, 17), r"averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True|"
              r"qlinearmatmul_[23]D_int8_float(16|32)"),
]
OLDEST_OPSET = 7

# What is refused, by the name of the test: a pattern and the reason.
REFUSED = [
    (r"if.*|loop.*|scan.*", "control flow with sub-graphs"),
    (r"(group|rms)_normalization.*", "a deviation that is computed from the data"),
    (r"attention.*", "products of computed tensors and a softmax between them"),
    (r"scatternd_(add|multiply|max|min).*", "updates that are added to what is there, or compared with it"),
    (r"split_to_sequence.*", "sequences as graph inputs or outputs"),
    (r"equal_string.*", "strings"),
    (r".*_(seq|opt|sequence)", "sequences and optional values, which are no tensors"),
    (r"(cast|castlike)_.*STRING.*", "strings"),
    (r"batchnorm_.*_training_mode|training_dropout_(default|mask|default_mask)|training_dropout",
     "training"),
    (r"dynamicquantizelinear.*", "a scale that depends on the data"),
    (r"(cast|castlike)_.*(BFLOAT16|FLOAT8|to_FLOAT4).*|celu_bfloat16", "bfloat16 and narrower floats as tensors"),
    (r"(cast|castlike)_FLOAT(16)?_to_U?INT[24](_expanded)?", "a value that does not fit the integer it is cast to"),
    (r"(de)?quantizelinear_(e4m3fn|e5m2|float4e2m1).*", "quantisation to floats; use FloatQuant"),
    (r"(de)?quantizelinear_blocked.*", "scales of blocks"),
    (r"div_(u?int(32|64)|int32_trunc)", "truncating division of wide integers, unless constant"),
    (r"maxpool_with_argmax.*", "indices of a pool"),
    (r"resize_.*(exclude_outside|antialias|tf_crop_and_resize).*", "antialias, exclude_outside and cropping"),
    (r".*_empty_set.*|.*_zero_size_.*|constantofshape_int_shape_zero|shape_start_greater_than_end|"
     r"slice_start_out_of_bounds|reshape_allowzero_reordered", "tensors without elements"),
]


def rows():
    """(domain, name, since, IR op or None, refused) of the operators that the binary brings itself."""
    env = {k: v for k, v in os.environ.items() if k != "NASHC_PLUGIN_PATH"}
    out = subprocess.run([NASHC, "list", "imports", "--json"], capture_output=True, text=True, env=env, check=True)
    for r in json.loads(out.stdout):
        name = r["name"].rsplit(".", 1)[-1]
        if name != "*":
            yield r["domain"], name, int(r["since version"]), r.get("op"), bool(r.get("refused"))


def page():
    out = ["# Operators of ONNX files", "",
           "What the `onnx` frontend reads, from which opset on. Opsets 7 to 28 and IR versions 3 to 14 are known.",
           "Written by `tests/diff/onnx_nodes.py build --update` from `nashc list imports`.", ""]
    for key in DOMAINS:
        out += ["## Standard" if key == "ai.onnx" else f"## `{key}`", "",
                "| operator | from opset | in the IR |", "|---|---|---|"]
        seen = {}
        for domain, name, since, op, refused in rows():
            if domain == key:
                s = seen.setdefault(name, [since, op, refused])
                s[0] = min(s[0], since)
                s[1] = op or s[1]
        for name, (since, op, refused) in sorted(seen.items()):
            what = "refused by name" if refused else f"`{op}`" if op else "see the reader"
            out.append(f"| {name} | {since} | {what} |")
        out.append("")
    out += ["The domains `onnx.brevitas`, `finn.custom_op.general` and `finn` are read as `qonnx.custom_op.general`.",
            "Shapes, axes, scales and all other parameters must be constants, or follow from constants and shapes.", "",
            "## Not supported", "", "These forms are refused with a message; node tests of the standard that use them",
            "are expected to be refused.", "", "| tests | why |", "|---|---|"]
    out += [f"| `{pattern.replace('|', chr(92) + '|')}` | {why} |" for pattern, why in REFUSED]
    return "\n".join(out) + "\n"


if "--update" in sys.argv:
    PAGE.write_text(page())
    sys.exit(0)
warnings.filterwarnings("ignore")
try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
    from onnx.backend.test.case.node import collect_testcases
except ImportError as e:
    print(f"skip: {e.name} is not installed")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

FILTER = re.compile(ARGS[1] if len(ARGS) > 1 else ".")
OPS = {name for domain, name, _, _, refused in rows() if domain == "ai.onnx"}


def array(value):
    """A numpy array of one of numpy's own types: narrow floats and integers are widened."""
    a = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    if a.dtype.kind == "V" or a.dtype.name not in np.sctypeDict:
        a = a.astype(np.int32 if "int" in a.dtype.name else np.float32)
    return a


def tensor_of(value, name):
    if not isinstance(value, onnx.TensorProto):
        return numpy_helper.from_array(np.asarray(value), name)
    tensor = onnx.TensorProto.FromString(value.SerializeToString())
    tensor.name = name
    return tensor


def prepare(case, inputs):
    """The model with parameters as initialisers, and the inputs that are left."""
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    graph = model.graph
    node = graph.node[0]
    which = PARAMETERS.get(node.op_type, ())
    left = {}
    constant = {node.input[i] for i in range(len(node.input))
                if (i > 0 if which is None else i in which) and node.input[i]}
    for info, value in zip(list(graph.input), inputs):
        if info.name in constant:
            graph.initializer.append(tensor_of(value, info.name))
            graph.input.remove(info)
        elif info.name in node.input:
            left[info.name] = array(value)
        else:
            graph.input.remove(info)  # nothing reads it
    return model, left


def agrees(got, want, case):
    got = got.reshape(want.shape) if got.size == want.size else got
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    a, b = got.astype(np.float64), want.astype(np.float64)
    if not np.allclose(a, b, rtol=case.rtol, atol=case.atol, equal_nan=True):
        return f"values differ by up to {np.nanmax(np.abs(a - b)):g}"
    return None


def run(case):
    """None: agrees; else what is wrong, or 'refused: message'."""
    for inputs, outputs in case.data_sets:
        model, left = prepare(case, inputs)
        with tempfile.TemporaryDirectory() as tmp:
            onnx.save(model, f"{tmp}/m.onnx")
            np.savez(f"{tmp}/x.npz", **{k: v if v.ndim else v.reshape(1) for k, v in left.items()})
            for step in (["run", "m.onnx", "--input", "x.npz", "--output", "y.npz"],
                         ["opt", "m.onnx", "-passes=", "-o", "c.onnx"],
                         ["run", "c.onnx", "--input", "x.npz", "--output", "z.npz"]):
                try:
                    p = subprocess.run([NASHC, *step], capture_output=True, text=True, timeout=60, cwd=tmp)
                except subprocess.TimeoutExpired:
                    return f"{' '.join(step[:2])}: no end within 60 s"
                first = step[1:2] == ["m.onnx"] and step[0] == "run"
                if p.returncode == 1 and first:
                    return "refused: " + next((l for l in p.stderr.splitlines() if "error" in l), p.stderr)
                if p.returncode:
                    return f"{' '.join(step[:2])}: exit {p.returncode}: {p.stderr[-300:]}"
            got, again = np.load(f"{tmp}/y.npz"), np.load(f"{tmp}/z.npz")
            for info, want in zip(model.graph.output, outputs):
                wrong = agrees(got[info.name], array(want), case)
                if wrong:
                    return f"{info.name}: {wrong}"
                if not np.array_equal(got[info.name], again[info.name], equal_nan=True):
                    return f"{info.name}: differs after writing and reading the model"
    return None


def refused(name):
    return next((why for pattern, why in REFUSED if re.fullmatch("test_(" + pattern + ")", name)), None)


def in_question(case):
    """Of an opset that is known, and with the values that the standard means."""
    release = tuple(int(n) for n in onnx.__version__.split(".")[:2])
    wrong = any(release < fixed and re.fullmatch("test_(" + pattern + ")", case.name)
                for fixed, pattern in CORRECTED)
    opset = max((o.version for o in case.model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    return opset >= OLDEST_OPSET and not wrong


cases = [c for c in collect_testcases(None) if in_question(c) and len(c.model.graph.node) == 1 and
         c.model.graph.node[0].domain in ("", "ai.onnx") and c.model.graph.node[0].op_type in OPS and
         FILTER.search(c.name)]
failed = expected = 0
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for c, wrong in zip(cases, pool.map(run, cases)):
        no = wrong is not None and wrong.startswith("refused: ")
        if refused(c.name) and no:
            expected += 1
            continue
        if wrong or refused(c.name):
            failed += 1
            print("FAIL", c.name, wrong or "runs, though listed as refused", flush=True)
        elif "-v" in sys.argv:
            print("ok  ", c.name)
if not FILTER.pattern != "." and PAGE.is_file() and PAGE.read_text() != page():
    failed += 1
    print("FAIL docs/operators.md is not what the operator table says; run with --update")
print(f"{len(cases) - failed - expected} passed, {failed} failed, {expected} refused as documented")
sys.exit(failed != 0)
