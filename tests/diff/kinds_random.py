"""kinds_random.py: random members of the kinds of faults that outsiders found; see kinds.py.

A network is a chain of a few parts between quantisers: layers, functions, quantisers written by hand, joins of two
branches, moves, and at the end sometimes a tail of floats. Which parts, and with which numbers, a seed decides; so
operators meet in orders, axes, signs and positions that nobody thought of."""
import numpy as np
from kinds_net import F32, Net
from onnx import TensorProto, helper


class Chain(Net):
    """A network that grows behind x, a value of the given shape (with a batch of one)."""

    def __init__(self, rng, shape, **more):
        super().__init__(rng, shape, **more)
        self.x, self.shape = "x0", shape

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def put(self, op, *args, shape=None, **attrs):
        self.x = self.op(op, self.x, *args, **attrs)
        self.shape = shape or self.shape
        return self.x

    def is_image(self):
        return len(self.shape) == 4

    def channels(self):
        return self.shape[1]

    def row(self, values):
        """A parameter for each channel, in the shape that broadcasts."""
        return np.asarray(values, F32).reshape((-1,) + (1,) * (len(self.shape) - 2))

    def any_quant(self, x=None, spread=1.0):
        """A quantiser of any kind: QDQ of 8 bits or 4 by a Clip between, with and without zero point."""
        x = x or self.x
        s = self.scale(0.03, 0.25) * F32(spread)
        kind = self.pick("i8", "i8z", "u8", "u8z", "clip")
        if kind == "clip":
            dq = self.quant(x, s, 0, np.int8)
            q = self.nodes[-2]
            name = self.name()
            self.nodes.insert(-1, helper.make_node("Clip", [q.output[0], self.const(-8, np.int8), self.const(
                7, np.int8)], [name]))
            self.nodes[-1].input[0] = name
            return dq
        zero = {"i8": 0, "i8z": int(self.rng.integers(-128, 128)), "u8": 0, "u8z": int(self.rng.integers(0, 256))}[kind]
        return self.quant(x, s, zero, np.uint8 if kind[0] == "u" else np.int8)

    def settle(self, spread=1.0):
        self.x = self.any_quant(spread=spread)


# --- layers --------------------------------------------------------------------------------------------------------


def weights(n, shape, axis, negative=True):
    """Integers with one scale, or one for each index of the axis; a few scales are below zero."""
    q = n.const(n.rng.integers(-7, 8, shape), np.int8)
    how = n.pick("tensor", "channel", "float")
    if how == "tensor":
        return n.op("DequantizeLinear", q, n.const(n.scale(0.02, 0.2)))
    s = n.rng.uniform(0.02, 0.2, shape[axis]).astype(F32)
    if how == "channel":
        return n.op("DequantizeLinear", q, n.const(s), axis=axis)
    if negative and n.rng.random() < 0.3:
        s[n.rng.integers(len(s))] *= -1
    lined = s.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return n.op("Mul", n.const(n.rng.integers(-7, 8, shape)), n.const(lined))


def conv(n):
    c, co = n.channels(), int(n.rng.integers(2, 7))
    k, stride, dil = n.pick(1, 3), n.pick(1, 1, 2), n.pick(1, 1, 2)
    group = n.pick(1, 1, c)
    co = c * n.pick(1, 2) if group == c else co
    pad = dil * (k // 2)
    args = [weights(n, (co, c // group, k, k), 0)]
    if n.rng.random() < 0.5:
        args.append(n.const(n.rng.normal(0, 0.5, co)))
    h = [(v + 2 * pad - dil * (k - 1) - 1) // stride + 1 for v in n.shape[2:]]
    n.put("Conv", *args, shape=(1, co, *h), group=group, strides=[stride] * 2, dilations=[dil] * 2, pads=[pad] * 4,
          kernel_shape=[k, k])


def conv_transpose(n):
    c, co = n.channels(), int(n.rng.integers(2, 5))
    if max(n.shape[2:]) > 8:
        return conv(n)
    n.put("ConvTranspose", weights(n, (c, co, 2, 2), 1, False), shape=(1, co, *[2 * v for v in n.shape[2:]]),
          strides=[2, 2])


def dense(n):
    if n.is_image():
        n.put("Flatten", shape=(1, int(np.prod(n.shape))))
    c, co = n.channels(), int(n.rng.integers(2, 9))
    how = n.pick("MatMul", "Gemm", "GemmT", "bias")
    if how == "MatMul" or how == "bias":
        n.put("MatMul", weights(n, (c, co), 1), shape=(1, co))
        if how == "bias":
            n.put("Add", n.const(n.rng.normal(0, 0.5, co)))
        return
    w = weights(n, (co, c), 0) if how == "GemmT" else weights(n, (c, co), 1)
    n.put("Gemm", w, n.const(n.rng.normal(0, 0.5, co)), shape=(1, co), transB=int(how == "GemmT"),
          alpha=n.pick(1.0, 0.5, -0.75), beta=n.pick(1.0, 2.0, -1.5))


def layer(n):
    (n.pick(conv, conv, conv, dense, conv_transpose) if n.is_image() else dense)(n)


# --- functions and quantisers by hand -------------------------------------------------------------------------------


def activation(n):
    f = n.pick("Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Clip", "Elu", "Selu", "Softplus",
               "Softsign", "Gelu", "Mish", "PRelu", "Swish", "Abs", "Neg", "ThresholdedRelu", "Celu", "Sqrt", "Exp")
    if f == "Clip":
        n.put("Clip", n.const(F32(-0.5)), n.const(F32(n.rng.uniform(0.5, 6))))
    elif f == "PRelu":
        n.put("PRelu", n.const(n.row(n.rng.uniform(-0.3, 0.5, n.channels()))))
    elif f == "Swish":
        x = n.x
        n.put("Sigmoid")
        n.put("Mul", x)
    elif f == "Sqrt":
        n.put("Relu")
        n.put("Sqrt")
    elif f == "Exp":
        n.put("Clip", n.const(F32(-4)), n.const(F32(2)))
        n.put("Exp")
    else:
        n.put(f)


def by_hand(n):
    """A quantiser of Round, Floor, Ceil, Sign, Where and Clip, in one of many orders."""
    s = F32(n.pick(0.25, 0.5, 0.1, 0.37))
    rounding = n.pick("Round", "Floor", "Ceil", "half", "trunc", "sign", "where", "heaviside")
    lo, hi = n.pick((-7, 7), (0, 15), (-8, 7), (0, 3), (-1, 1))
    first = n.rng.random() < 0.5

    def clip(a, b):
        if n.rng.random() < 0.5:
            n.put("Clip", n.const(F32(a)), n.const(F32(b)))
        else:
            n.put("Max", n.const(F32(a)))
            n.put("Min", n.const(F32(b)))

    if rounding == "sign":
        n.put("Sign")
        n.put("Mul", n.const(s))
        return
    if rounding in ("where", "heaviside"):
        c = n.op("Greater" if rounding == "where" else "GreaterOrEqual", n.x, F32(0.0))
        if rounding == "where":
            n.x = n.op("Where", c, n.const(s), n.const(-s))
        else:
            n.x = n.op("Mul", n.op("Cast", c, to=TensorProto.FLOAT), n.const(s))
        return
    if first and n.rng.random() < 0.5:
        clip(lo * s, hi * s)
        first = None
    zero = F32(n.pick(0, 0, 3)) if lo < 0 else F32(0)
    n.put(*n.pick(("Div", s), ("Mul", F32(1) / s)))
    if zero:
        n.put("Add", zero)
    if first:
        clip(lo, hi)
    if rounding == "half":
        n.put("Add", F32(0.5))
        n.put("Floor")
    elif rounding == "trunc":
        x = n.x
        n.x = n.op("Mul", n.op("Sign", x), n.op("Floor", n.op("Abs", x)))
    else:
        n.put(rounding)
    if first is False:
        clip(lo, hi)
    if zero:
        n.put("Sub", zero)
    n.put("Mul", s)


def chain_of_factors(n):
    for _ in range(int(n.rng.integers(1, 4))):
        op = n.pick("Mul", "Add", "Sub", "Div", "BatchNormalization")
        v = n.rng.uniform(0.3, 1.7, n.channels()) * (n.rng.choice([1, 1, 1, -1], n.channels()) if op != "Div" else 1)
        if op == "BatchNormalization":
            c = n.channels()
            n.put(op, n.const(v), n.const(n.rng.normal(0, 0.3, c)), n.const(n.rng.normal(0, 0.3, c)),
                  n.const(n.rng.uniform(0.5, 2, c)))
        elif n.rng.random() < 0.5:
            n.put(op, n.const(n.row(v)))
        else:
            n.put(op, F32(v[0]))


# --- joins of two branches ------------------------------------------------------------------------------------------


def branch(n, x, shape):
    """Another value of the same shape, made of x."""
    n.x, n.shape = x, shape
    how = n.pick("conv", "scaled", "quant", "function")
    c = n.channels()
    if how == "conv" and n.is_image():
        n.put("Conv", weights(n, (c, c, 1, 1), 0), kernel_shape=[1, 1])
    elif how == "conv":
        n.put("MatMul", weights(n, (c, c), 1))
    elif how == "scaled":
        n.put("Mul", F32(n.rng.uniform(-1.5, 1.5)))
    elif how == "function":
        activation(n)
    if how == "quant" or n.rng.random() < 0.6:
        n.settle()
    return n.x


def join(n):
    x, shape = n.x, n.shape
    a = branch(n, x, shape)
    b = branch(n, x, shape)
    op = n.pick("Add", "Sub", "Mul", "Max", "Min", "Concat", "Where", "Mean", "Sum", "Equalish")
    n.shape = shape
    if op == "Concat":
        axis = n.pick(1, -len(shape) + 1)
        parts = [a, b]
        if n.rng.random() < 0.3:
            parts.append(n.const(n.rng.uniform(-1, 1, (1, 1, *shape[2:])).round(2)))
        n.shape = (1, 2 * shape[1] + len(parts) - 2, *shape[2:])
        n.x = n.op("Concat", *parts, axis=axis)
    elif op == "Where":
        c = n.op(n.pick("Greater", "Less", "GreaterOrEqual", "LessOrEqual"), a, n.pick(b, F32(0.25)))
        if n.rng.random() < 0.3:
            c = n.op("Not", c)
        n.x = n.op("Where", c, *n.pick((a, b), (b, a), (a, F32(0)), (x, b)))
    elif op == "Equalish":
        c = n.op("Cast", n.op("Greater", a, b), to=TensorProto.FLOAT)
        n.x = n.op("Mul", c, x)
    elif op in ("Mean", "Sum"):
        n.x = n.op(op, a, b, x)
    else:
        n.x = n.op(op, a, b)


# --- pools, moves ---------------------------------------------------------------------------------------------------


def pool(n):
    if not n.is_image() or min(n.shape[2:]) < 2:
        return reduction(n)
    op = n.pick("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax")
    c, h, w = n.shape[1:]
    if op.endswith("Pool") and not op.startswith("Global"):
        attrs = {"count_include_pad": n.pick(0, 1)} if op == "AveragePool" else {}
        pad = n.pick(0, 0, 1)
        n.put(op, shape=(1, c, (h + 2 * pad - 2) // 2 + 1, (w + 2 * pad - 2) // 2 + 1), kernel_shape=[2, 2],
              strides=[2, 2], pads=[pad] * 4, **attrs)
    elif op.startswith("Global"):
        n.put(op, shape=(1, c, 1, 1))
    else:
        n.put(op, n.const([2, 3], np.int64), shape=(1, c, 1, 1), keepdims=1)


def reduction(n):
    op = n.pick("ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum")
    n.put(op, n.const([1], np.int64), shape=(1, 1, *n.shape[2:]), keepdims=1)


def move(n):
    c = n.channels()
    how = n.pick("pad", "resize", "slice", "transpose", "gather", "split", "shuffle", "reshape", "expand")
    if not n.is_image():
        how = n.pick("slice", "gather", "split", "unsqueeze")
    h = n.shape[2:]
    if how == "pad":
        n.put("Pad", n.const([0, 0, 1, 0, 0, 0, 1, 2], np.int64), F32(n.pick(0, 0, 0.5)),
              shape=(1, c, h[0] + 2, h[1] + 2))
    elif how == "resize" and max(h) <= 8:
        mode = n.pick("nearest", "linear", "linear", "cubic")
        n.x = n.op("Resize", n.x, "", n.const([1, 1, 2, 2]), mode=mode, coordinate_transformation_mode=n.pick(
            "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"),
            **({"nearest_mode": "floor"} if mode == "nearest" else {}))
        n.shape = (1, c, 2 * h[0], 2 * h[1])
    elif how == "slice" and c > 1:
        n.put("Slice", n.const([1], np.int64), n.const([c], np.int64), n.const([1], np.int64), shape=(1, c - 1, *h))
    elif how == "transpose":
        n.put("Transpose", shape=(1, c, h[1], h[0]), perm=[0, 1, 3, 2])
    elif how == "gather":
        order = n.rng.permutation(c)
        n.put("Gather", n.const(order, np.int64), axis=1)
    elif how == "split" and c > 1:
        a, b = n.name(), n.name()
        n.nodes.append(helper.make_node("Split", [n.x, n.const([1, c - 1], np.int64)], [a, b], axis=1))
        n.x = n.op("Concat", b, a, axis=1)
    elif how == "shuffle" and c % 2 == 0:
        n.put("Reshape", n.const([1, 2, c // 2, *h], np.int64))
        n.put("Transpose", perm=[0, 2, 1, 3, 4])
        n.put("Reshape", n.const([1, c, *h], np.int64))
    elif how == "reshape":
        n.put("Reshape", n.const([0, 0, -1], np.int64))
        n.put("Reshape", n.const([1, c, *h], np.int64))
    elif how == "expand":
        n.put("Expand", n.const([1, c, *h], np.int64))
    elif how == "unsqueeze":
        n.put("Unsqueeze", n.const([-1], np.int64))
        n.put("Squeeze", n.const([2], np.int64))


def function(n):
    """A function of the model: two deep, with a default, a referenced attribute, the name of an operator."""
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    name = n.pick("Relu", "Block", "Conv", "Sigmoid")
    if n.functions:
        return activation(n)

    def refers(node, attribute, to, value):
        node.attribute.append(helper.make_attribute(attribute, value))
        node.attribute[-1].ref_attr_name = to
        node.attribute[-1].ClearField("f")
        return node

    leaky = refers(helper.make_node("LeakyRelu", ["a"], ["b"]), "alpha", "slope", 0.0)
    inner = helper.make_function("own", "Inner", ["a"], ["b"], [leaky], opsets, [],
                                 [helper.make_attribute("slope", 0.25)])
    middle = helper.make_function("own", name, ["a"], ["b"], [
        refers(helper.make_node("Inner", ["a"], ["c"], domain="own"), "slope", "steep", 0.0),
        helper.make_node("Inner", ["c"], ["b"], domain="own")], opsets, [], [helper.make_attribute("steep", 0.5)])
    then = helper.make_graph([helper.make_node(name, ["a"], ["t"], domain="own")], "then", [], [
        helper.make_tensor_value_info("t", TensorProto.FLOAT, None)])
    other = helper.make_graph([helper.make_node("Neg", ["a"], ["e"])], "else", [], [
        helper.make_tensor_value_info("e", TensorProto.FLOAT, None)])
    body = [helper.make_node(name, ["a"], ["m"], domain="own", steep=0.75)]
    if n.rng.random() < 0.4:
        body += [helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("v", TensorProto.BOOL, [], [1])),
                 helper.make_node("If", ["yes"], ["i"], then_branch=then, else_branch=other),
                 helper.make_node("Add", ["m", "i"], ["b"])]
    else:
        body.append(helper.make_node("Neg", ["m"], ["b"]))
    outer = helper.make_function("own", "Outer", ["a"], ["b"], body, opsets)
    n.functions = [inner, middle, outer]
    n.put("Outer", domain="own")


def tail(n):
    """Floats behind the last layer: the host's."""
    how = n.pick("none", "none", "Softmax", "Sigmoid", "LogSoftmax", "greater", "where", "requantised", "argmax",
                 "norm")
    if how in ("Softmax", "LogSoftmax"):
        n.put(how, axis=1)
    elif how == "Sigmoid":
        n.put(how)
    elif how == "greater":
        n.x = n.op("Cast", n.op("Greater", n.x, F32(0.1)), to=TensorProto.FLOAT)
    elif how == "where":
        n.x = n.op("Where", n.op("Less", n.x, F32(0)), F32(0), n.x)
    elif how == "requantised":
        n.put("Softmax", axis=1)
        n.x = n.quant(n.x, F32(1 / 256), 0, np.uint8)
    elif how == "argmax":
        n.x = n.op("Cast", n.op("ArgMax", n.x, axis=1, keepdims=1), to=TensorProto.FLOAT)
    elif how == "norm":
        n.x = n.op("Div", n.x, n.op("Add", n.op("ReduceL2", n.x, n.const([1], np.int64), keepdims=1), F32(1)))


PARTS = (activation, activation, by_hand, by_hand, chain_of_factors, join, join, pool, move, move, function, layer)


def random_member(seed):
    """A Net; some cannot be built in ONNX (a constant falls out of range, say): ValueError, or one of onnx's own."""
    rng = np.random.default_rng(seed)
    shape = [(1, int(rng.integers(2, 7)), 6, 6), (1, int(rng.integers(3, 9)))][int(rng.random() < 0.3)]
    n = Chain(rng, shape, opset=21)
    n.settle()
    for _ in range(int(rng.integers(1, 4))):
        layer(n)
        for _ in range(int(rng.integers(0, 3))):
            n.pick(*PARTS)(n)
        n.settle()
    layer(n)
    if rng.random() < 0.7:
        n.settle()
    tail(n)
    return n.done(n.x)
