#!/usr/bin/env python3
"""kinds_static.py BUILD [--filter TEXT] [--all]: networks that onnxruntime's quantize_static has quantised.

A few small float networks, one of each sort, quantised in every setting of the grid below, each beside onnxruntime:
`nashc run` as it is, `streamline` with --check-each, `compile --verify ir`. Where results differ by more than a few
rounding boundaries, they are compared once more with `floats=f32`, which rounds as onnxruntime does. Without --all each
network gets a few settings, so that every setting is met once."""
import argparse
import itertools
import logging
import pathlib
import sys
import tempfile
import warnings

try:
    import numpy as np
    import onnx
    from kinds import call, check_model
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import quantization as oq
    from onnxruntime import set_default_logger_severity
except ImportError as e:
    print(f"skip: {e}; `pip install onnx onnxruntime` for this Python")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

F32 = np.float32


class Float:
    """A float model under construction."""

    def __init__(self, seed, shape):
        self.rng, self.shape, self.nodes, self.constants, self.n = np.random.default_rng(seed), shape, [], [], 0

    def const(self, value, dtype=F32):
        self.n += 1
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), f"c{self.n}"))
        return f"c{self.n}"

    def op(self, op, *args, **attrs):
        self.n += 1
        self.nodes.append(helper.make_node(op, list(args), [f"t{self.n}"], name=f"{op}_{self.n}", **attrs))
        return f"t{self.n}"

    def conv(self, x, ci, co, k=3, bias=True, op="Conv", **attrs):
        group = attrs.get("group", 1)
        shape = (ci, co // group, k, k) if op == "ConvTranspose" else (co, ci // group, k, k)
        args = [self.const(self.rng.normal(0, 1 / k, shape))] + [self.const(self.rng.normal(0, 0.3, co))] * bias
        return self.op(op, x, *args, kernel_shape=[k, k], **attrs)

    def gemm(self, x, ci, co, **attrs):
        w = self.rng.normal(0, 0.5, (co, ci) if attrs.get("transB") else (ci, co))
        return self.op("Gemm", x, self.const(w), self.const(self.rng.normal(0, 0.3, co)), **attrs)

    def matmul(self, x, ci, co, bias=True):
        y = self.op("MatMul", x, self.const(self.rng.normal(0, 0.5, (ci, co))))
        return self.op("Add", y, self.const(self.rng.normal(0, 0.3, co))) if bias else y

    def norm(self, x, c):
        v = [self.rng.uniform(0.5, 1.5, c), self.rng.normal(0, 0.3, c), self.rng.normal(0, 0.3, c),
             self.rng.uniform(0.5, 1.5, c)]
        return self.op("BatchNormalization", x, *[self.const(a) for a in v])

    def model(self, y):
        graph = helper.make_graph(
            self.nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)], self.constants)
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        return onnx.shape_inference.infer_shapes(m)


def conv_bn_relu(f):
    x = f.op("Relu", f.norm(f.conv("x", 3, 4, pads=[1] * 4), 4))
    x = f.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = f.op("Clip", f.conv(x, 4, 4, bias=False), f.const(0.0), f.const(6.0))
    return f.gemm(f.op("Flatten", f.op("GlobalAveragePool", x)), 4, 3)


def depthwise(f):
    x = f.op("Relu", f.conv("x", 3, 6, k=1))
    x = f.op("HardSwish", f.conv(x, 6, 6, group=6, pads=[1] * 4, strides=[2, 2]))
    x = f.op("AveragePool", f.conv(x, 6, 4, k=1), kernel_shape=[3, 3])
    return f.op("Softmax", f.gemm(f.op("Flatten", x), 4, 3, transB=1), axis=1)


def residual(f):
    x = f.op("Relu", f.conv("x", 3, 4, pads=[1] * 4))
    y = f.conv(f.op("Relu", f.conv(x, 4, 4, pads=[1] * 4)), 4, 4, pads=[1] * 4)
    x = f.op("Relu", f.op("Add", x, y))
    return f.conv(f.op("Add", x, f.conv(x, 4, 4, k=1)), 4, 2, k=1)


def concat(f):
    a, b = f.conv("x", 3, 2, k=1), f.op("Sigmoid", f.conv("x", 3, 3, k=1))
    pool = f.op("MaxPool", a, kernel_shape=[3, 3], pads=[1] * 4)
    x = f.op("Concat", a, f.op("LeakyRelu", b, alpha=0.1), pool, axis=1)
    return f.conv(f.op("Mul", x, f.op("Sigmoid", x)), 7, 2, pads=[1] * 4)


def dense(f):
    x = f.op("Relu", f.matmul("x", 8, 6))
    x = f.op("Tanh", f.gemm(x, 6, 6))
    return f.op("Softmax", f.matmul(f.op("Mul", x, f.const(0.7)), 6, 3, False), axis=1)


def upsample(f):
    x = f.op("LeakyRelu", f.conv("x", 3, 4, pads=[1] * 4), alpha=0.2)
    x = f.op("Resize", x, "", f.const([1, 1, 2, 2]), mode="nearest", coordinate_transformation_mode="asymmetric",
             nearest_mode="floor")
    x = f.conv(x, 4, 3, k=2, op="ConvTranspose", strides=[2, 2])
    return f.op("Sigmoid", f.conv(x, 3, 2, k=1))


def moves(f):
    x = f.op("Relu", f.conv("x", 3, 4, pads=[1] * 4))
    x = f.op("Transpose", f.op("Reshape", x, f.const([1, 2, 2, 6, 6], np.int64)), perm=[0, 2, 1, 3, 4])
    x = f.op("Reshape", x, f.const([1, 4, 6, 6], np.int64))
    x = f.op("Pad", x, f.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    x = f.op("Slice", f.conv(x, 4, 4), *[f.const([v], np.int64) for v in (1, 4, 1)])
    x = f.op("Squeeze", f.op("ReduceMean", x, f.const([2, 3], np.int64)), f.const([2, 3], np.int64))
    return f.op("ArgMax", f.gemm(x, 3, 3), axis=1)


def silu(f):
    x = f.conv("x", 3, 4, pads=[1] * 4)
    x = f.op("Mul", x, f.op("Sigmoid", x))
    y = f.op("Mul", x, f.op("Sigmoid", f.conv(f.op("GlobalAveragePool", x), 4, 4, k=1)))
    return f.gemm(f.op("Flatten", f.op("Sub", f.op("GlobalMaxPool", y), f.op("GlobalAveragePool", x))), 4, 2)


IMAGE, ROW = (1, 3, 6, 6), (1, 8)
NETWORKS = [(conv_bn_relu, IMAGE), (depthwise, IMAGE), (residual, IMAGE), (concat, IMAGE), (dense, ROW),
            (upsample, IMAGE), (moves, IMAGE), (silu, IMAGE)]
TYPES = [("u8", "s8"), ("u8", "u8"), ("s8", "s8"), ("u16", "s8"), ("s16", "s8"), ("u16", "u16"), ("s16", "s16")]
ELEM = {"u8": oq.QuantType.QUInt8, "s8": oq.QuantType.QInt8, "u16": oq.QuantType.QUInt16, "s16": oq.QuantType.QInt16}
EXTRA = [{}, {"ActivationSymmetric": True}, {"WeightSymmetric": False}, {"WeightSymmetric": True},
         {"ForceQuantizeNoInputCheck": True}, {"MatMulConstBOnly": False}, {"QDQKeepRemovableActivations": True},
         {"AddQDQPairToWeight": True}, {"DedicatedQDQPair": True}, {"QuantizeBias": False},
         {"ActivationSymmetric": True, "WeightSymmetric": True, "AddQDQPairToWeight": True},
         {"OpTypesToExcludeOutputQuantization": ["Conv", "Gemm", "MatMul", "Add"]},
         {"QDQOpTypePerChannelSupportToAxis": {"MatMul": 1, "Gemm": 0}}]


def settings():
    """Names and arguments of all of them."""
    for types, form, channel, narrow, extra in itertools.product(TYPES, ("QDQ", "QOp"), (0, 1), (0, 1), EXTRA):
        name = "-".join([*types, form] + ["channel"] * channel + ["narrow"] * narrow +
                        [f"{k}={v}" for k, v in extra.items()])
        yield name.replace(" ", ""), {
            "activation_type": ELEM[types[0]], "weight_type": ELEM[types[1]], "per_channel": bool(channel),
            "reduce_range": bool(narrow), "extra_options": extra,
            "quant_format": oq.QuantFormat.QDQ if form == "QDQ" else oq.QuantFormat.QOperator}


class Reader(oq.CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def feeds_of(shape, count, seed):
    rng = np.random.default_rng(seed)
    return [{"x": rng.normal(0, 1, shape).astype(F32)} for _ in range(count)]


def quantised(make, shape, t, arguments):
    """Path of the quantised model; None: onnxruntime does not do that."""
    f = Float(len(make.__name__), list(shape))
    onnx.save(f.model(make(f)), t / "f.onnx")
    try:
        oq.quantize_static(t / "f.onnx", t / "m.onnx", Reader(feeds_of(shape, 8, 1)), **arguments)
    except Exception:  # whatever it says: not ours
        return None
    return t / "m.onnx"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep", action="store_true", help="models in the folder kinds")
    parser.add_argument("--step", type=int, default=1, help="with --all: every so many settings")
    parser.add_argument("--update", action="store_true")
    o = parser.parse_args()
    nashc = pathlib.Path(o.build).resolve() / "tools" / "nashc"
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    set_default_logger_severity(3)
    passed = failed = refused = skipped = 0
    grid = list(settings())
    for i, (make, shape) in enumerate(NETWORKS):
        for k, (name, arguments) in enumerate(grid):
            name = f"{make.__name__}-{name}"
            if o.filter not in name or (k % o.step if o.all else (k + 11 * i) % 97):
                continue
            with tempfile.TemporaryDirectory() as tmp:
                t = pathlib.Path(tmp)
                if not quantised(make, shape, t, arguments):
                    skipped += 1
                    continue
                why, no = check_model(nashc, t, feeds_of(shape, 4, 2))
                if o.keep:
                    pathlib.Path("kinds").mkdir(exist_ok=True)
                    (t / "m.onnx").rename(f"kinds/{name}.onnx")
            passed, failed, refused = passed + (not why), failed + (bool(why) and not no), refused + no
            if why:
                print(f"{'refused' if no else 'FAIL'} {name}: {why}", flush=True)
    print(f"{refused} refused, {skipped} not done by onnxruntime\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
