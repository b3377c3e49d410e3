"""kinds_net.py: small networks in ONNX, of the kinds of faults that outsiders found; see kinds.py.

One function a network: it draws its numbers from the generator that it is given and returns a Net. NETWORKS lists
them. The comment above each group says the kind."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32 = np.float32


class Net:
    """A model under construction; methods add a node and return the name of its result."""

    def __init__(self, rng, *shapes, opset=21, sim=False, refused=None):
        self.rng, self.opset, self.sim, self.refused = rng, opset, sim, refused
        self.inputs = {f"x{i}": s for i, s in enumerate(shapes)}
        self.nodes, self.constants, self.functions, self.n = [], [], [], 0
        self.model = None
        self.spread = 3.0

    def name(self):
        self.n += 1
        return f"t{self.n}"

    def const(self, value, dtype=F32):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, op, *args, domain="", **attrs):
        out = self.name()
        args = [a if isinstance(a, str) else self.const(a) for a in args]
        self.nodes.append(helper.make_node(op, args, [out], name=f"{op}_{self.n}", domain=domain, **attrs))
        return out

    def scale(self, lo=0.02, hi=0.3):
        return F32(np.exp(self.rng.uniform(np.log(lo), np.log(hi))))

    def quant(self, x, scale=None, zero=0, dtype=np.int8):
        """QuantizeLinear and DequantizeLinear."""
        s, z = self.const(self.scale() if scale is None else scale), self.const(zero, dtype)
        return self.op("DequantizeLinear", self.op("QuantizeLinear", x, s, z), s, z)

    def weights(self, shape, bits=4):
        top = 2 ** (bits - 1) - 1
        q = self.const(self.rng.integers(-top, top + 1, shape), np.int8)
        return self.op("DequantizeLinear", q, self.const(self.scale(0.02, 0.2)))

    def conv(self, x, cin, cout, k=3, **attrs):
        return self.op("Conv", x, self.weights((cout, cin, k, k)), kernel_shape=[k, k],
                       pads=attrs.pop("pads", [k // 2] * 4), **attrs)

    def dense(self, x, nin, nout):
        return self.op("MatMul", x, self.weights((nin, nout)))

    def feed(self):
        return {k: self.rng.normal(0, self.spread, s).astype(F32) for k, s in self.inputs.items()}

    def done(self, *outputs, **elems):
        """The model with these outputs; elems: TensorProto types of those that are no floats."""
        graph = helper.make_graph(
            self.nodes, "net", [helper.make_tensor_value_info(k, TensorProto.FLOAT, s) for k, s in self.inputs.items()],
            [helper.make_tensor_value_info(o, elems.get(o, TensorProto.FLOAT), None) for o in outputs],
            self.constants)
        domains = [helper.make_opsetid("", self.opset)]
        domains += [helper.make_opsetid(f.domain, 1) for f in self.functions[:1]]
        self.model = onnx.shape_inference.infer_shapes(helper.make_model(
            graph, opset_imports=domains, functions=self.functions, ir_version=10))
        onnx.checker.check_model(self.model)
        return self


NETWORKS = []


def network(make):
    NETWORKS.append(make)
    return make


# --- 1: chains of residual sums ----------------------------------------------------------------------------------


def residual(n, x, c, depth, per_channel, relu=False):
    for _ in range(depth):
        w = n.const(n.rng.integers(-7, 8, (c, c, 1, 1)), np.int8)
        s = n.rng.uniform(0.01, 0.2, c).astype(F32) if per_channel else n.scale()
        w = n.op("DequantizeLinear", w, n.const(s), axis=0) if per_channel else n.op("DequantizeLinear", w, n.const(s))
        y = n.op("Conv", n.quant(x), w, kernel_shape=[1, 1])
        x = n.op("Add", x, n.op("Relu", y) if relu else y)
    return x


@network
def residual_per_channel(rng):
    n = Net(rng, (1, 4, 3, 3))
    return n.done(n.quant(residual(n, n.quant("x0"), 4, 5, True), 0.5))


@network
def residual_relu_terms(rng):
    n = Net(rng, (1, 4, 3, 3))
    return n.done(n.quant(residual(n, n.quant("x0"), 4, 3, False, True), 0.5))


@network
def residual_dense_bias(rng):
    n = Net(rng, (1, 6))
    x = n.quant("x0")
    for _ in range(4):
        x = n.op("Add", x, n.op("Gemm", n.quant(x), n.weights((6, 6)), n.const(rng.normal(0, 1, 6))))
    return n.done(n.quant(x, 0.4))


@network
def residual_by_factors(rng):
    """LayerScale: a factor for each channel on every branch."""
    n = Net(rng, (1, 4, 4, 4))
    x = n.quant("x0")
    for _ in range(4):
        y = n.op("Mul", n.conv(n.quant(x), 4, 4), n.const(rng.uniform(0.05, 0.4, (4, 1, 1))))
        x = n.op("Sub" if rng.random() < 0.5 else "Add", x, y)
    return n.done(n.quant(n.conv(n.quant(x, 0.3), 4, 3, 1), 0.5))


# --- 2: zero points in products and sums; functions that rise and fall ---------------------------------------------


@network
def product_asymmetric(rng):
    n = Net(rng, (1, 4, 4, 4), (1, 4, 4, 4), sim=True)
    a, b = n.quant("x0", zero=37, dtype=np.uint8), n.quant("x1", zero=-11)
    return n.done(n.quant(n.conv(n.quant(n.op("Mul", a, b), 0.1, 120, np.uint8), 4, 2), 0.3))


@network
def square_of_difference(rng):
    n = Net(rng, (1, 8), (1, 8))
    d = n.op("Sub", n.quant("x0", 0.05, 5), n.quant("x1", 0.05, -3))
    return n.done(n.quant(n.dense(n.quant(n.op("Mul", d, d), 0.37), 8, 3), 0.53))


def wavy(rng, shape, function, **quant):
    n = Net(rng, shape)
    y = n.conv(n.quant("x0", zero=9), shape[1], 6)
    return n.done(n.quant(n.conv(n.quant(function(n, y), **quant), 6, 2), 0.4))


@network
def silu_spelled_out(rng):
    return wavy(rng, (1, 4, 5, 5), lambda n, y: n.op("Mul", y, n.op("Sigmoid", y)), scale=0.05, zero=-120)


@network
def hardswish_folded_relu6(rng):
    return wavy(rng, (1, 4, 5, 5), lambda n, y: n.op("Mul", y, n.op("Div", n.op(
        "Clip", n.op("Add", y, 3.0), 0.0, 6.0), 6.0)), scale=0.04, zero=-100)


@network
def gelu_erf(rng):
    return wavy(rng, (1, 3, 5, 5), lambda n, y: n.op("Mul", n.op("Mul", y, 0.5), n.op("Add", n.op(
        "Erf", n.op("Mul", y, 0.70710678)), 1.0)), scale=0.06, zero=-110)


@network
def mish(rng):
    return wavy(rng, (1, 3, 5, 5), lambda n, y: n.op("Mish", y), scale=0.05, zero=-110)


@network
def silu_quantised_gate(rng):
    """Both factors have quantisers of their own, and a zero point."""
    n = Net(rng, (1, 4, 5, 5), sim=True)
    y = n.conv(n.quant("x0", zero=5), 4, 4)
    a, g = n.quant(y, zero=-7), n.quant(n.op("Sigmoid", y), F32(1 / 255), -128)
    return n.done(n.quant(n.conv(n.quant(n.op("Mul", a, g), 0.05), 4, 2), 0.4))


# --- 3: tails, bounded chains ----------------------------------------------------------------------------------


@network
def tail_of_two_heads(rng):
    n = Net(rng, (1, 8))
    y = n.dense(n.quant("x0"), 8, 4)
    z = n.dense(n.quant("x0"), 8, 4)
    p = n.quant(n.op("Softmax", n.quant(y, 0.2)), F32(1 / 256), 0, np.uint8)
    g = n.op("Greater", y, z)
    w = n.op("Where", g, y, z)
    return n.done(p, g, w, **{g: TensorProto.BOOL})


@network
def fake_quantiser_by_hand(rng):
    n = Net(rng, (1, 8))
    s = 0.25
    y = n.dense(n.quant("x0"), 8, 6)
    q = n.op("Mul", n.op("Clip", n.op("Round", n.op("Mul", y, 1 / s)), -7.0, 7.0), s)
    return n.done(n.quant(n.dense(q, 6, 3), 0.3))


@network
def ceil_fake_quantiser(rng):
    n = Net(rng, (1, 4, 4, 4))
    y = n.conv(n.quant("x0"), 4, 4)
    q = n.op("Mul", n.op("Ceil", n.op("Clip", n.op("Div", y, 0.5), 0.0, 15.0)), 0.5)
    return n.done(n.quant(n.conv(q, 4, 2), 0.3))


# --- 4: parameters by chains; functions; max, min, where; resize; concat -------------------------------------------


def two_streams(rng, shape=(1, 4, 4, 4), **more):
    n = Net(rng, shape, shape, **more)
    return n, n.quant("x0", zero=3), n.quant("x1", zero=100, dtype=np.uint8)


@network
def max_unlike_then_quantiser(rng):
    n, a, b = two_streams(rng, sim=True)
    return n.done(n.quant(n.conv(n.quant(n.op("Max", n.conv(a, 4, 3), n.conv(b, 4, 3)), 0.2), 3, 2), 0.5))


@network
def min_of_functions(rng):
    n, a, b = two_streams(rng)
    m = n.op("Min", n.op("Sigmoid", n.conv(a, 4, 3)), n.op("Tanh", n.conv(b, 4, 3)))
    return n.done(n.quant(n.conv(n.quant(m, F32(1 / 127)), 3, 2), 0.5))


@network
def max_of_three_then_relu(rng):
    n, a, b = two_streams(rng)
    m = n.op("Max", n.conv(a, 4, 3), n.conv(b, 4, 3), n.conv(b, 4, 3))
    return n.done(n.quant(n.conv(n.quant(n.op("Relu", m), 0.1, -128), 3, 2), 0.5))


@network
def max_falling_factor(rng):
    """Behind the maximum comes a factor below zero: it is a minimum of the codes."""
    n, a, b = two_streams(rng)
    m = n.op("Mul", n.op("Max", a, b), -0.7)
    return n.done(n.quant(n.conv(n.quant(m, 0.2), 4, 2), 0.5))


@network
def where_greater(rng):
    n, a, b = two_streams(rng, sim=True)
    c = n.op("Greater", a, b)
    return n.done(n.quant(n.conv(n.quant(n.op("Where", c, a, b), 0.2), 4, 2), 0.5))


@network
def where_into_layer(rng):
    """No quantiser behind the choice: a layer reads it."""
    n, a, b = two_streams(rng)
    c = n.op("LessOrEqual", a, b)
    return n.done(n.quant(n.conv(n.op("Where", c, a, b), 4, 2), 0.5))


@network
def where_not_and(rng):
    n, a, b = two_streams(rng)
    c = n.op("And", n.op("Not", n.op("Less", a, b)), n.op("Greater", a, 0.5))
    return n.done(n.quant(n.conv(n.quant(n.op("Where", c, n.op("Relu", a), n.op("Neg", b)), 0.2), 4, 2), 0.5))


@network
def where_equal_codes(rng):
    n = Net(rng, (1, 8), (1, 8))
    n.spread = 0.3
    a, b = n.quant("x0", 0.1), n.quant("x1", 0.1)
    return n.done(n.quant(n.dense(n.op("Where", n.op("Equal", a, b), a, n.op("Mul", b, 2.0)), 8, 3), 0.3))


@network
def where_zero(rng):
    """A mask: what is not chosen is nothing."""
    n, a, b = two_streams(rng, (1, 8))
    y = n.op("Where", n.op("Greater", n.dense(a, 8, 8), n.dense(b, 8, 8)), 0.0, a)
    return n.done(n.quant(n.dense(y, 8, 3), 0.5))


@network
def where_broadcast_mask(rng):
    n = Net(rng, (1, 4, 4, 4), (1, 1, 4, 4), sim=True)
    a, b = n.quant("x0", 0.1), n.quant("x1", 0.07)
    y = n.op("Where", n.op("Greater", b, 0.2), a, n.op("Mul", a, 0.13))
    return n.done(n.quant(n.conv(n.quant(y, 0.1), 4, 2), 0.5))


@network
def where_product_with_cast(rng):
    """The mask as a factor: Cast of a comparison."""
    n, a, b = two_streams(rng)
    c = n.op("Cast", n.op("GreaterOrEqual", a, b), to=TensorProto.FLOAT)
    return n.done(n.quant(n.conv(n.quant(n.op("Mul", c, a), 0.1), 4, 2), 0.5))


@network
def hysteresis(rng):
    """PReLU by a choice, and another one on its result."""
    n, a, b = two_streams(rng)
    p = n.op("Where", n.op("Less", a, 0.0), n.op("Mul", a, 0.25), a)
    y = n.op("Where", n.op("Greater", p, b), n.op("Max", p, b), n.op("Min", p, 1.0))
    return n.done(n.quant(n.conv(n.quant(y, 0.15), 4, 2), 0.5))


@network
def pool_of_unlike_sum(rng):
    n, a, b = two_streams(rng, sim=True)
    m = n.op("MaxPool", n.op("Add", n.conv(a, 4, 3), n.conv(b, 4, 3)), kernel_shape=[2, 2], strides=[2, 2])
    return n.done(n.quant(n.conv(n.quant(n.op("Relu", m), 0.2, -128), 3, 2), 0.5))


@network
def pool_of_unlike_difference(rng):
    n, a, b = two_streams(rng)
    m = n.op("GlobalMaxPool", n.op("LeakyRelu", n.op("Sub", n.conv(a, 4, 3), b_to(n, b)), alpha=0.1))
    return n.done(n.quant(n.conv(n.quant(m, 0.2), 3, 2, 1), 0.5))


def b_to(n, b):
    return n.conv(b, 4, 3)


@network
def gemm_transposed_alpha(rng):
    n = Net(rng, (6, 1))
    w = n.weights((4, 6))
    y = n.op("Gemm", n.quant("x0"), w, n.const(rng.normal(0, 1, (1, 4))), transA=1, transB=1, alpha=0.3, beta=-1.5)
    return n.done(n.quant(y, 0.2))


@network
def resize_linear(rng):
    n = Net(rng, (1, 3, 4, 4))
    y = n.op("Resize", n.quant("x0"), "", n.const([1, 1, 2, 2]), mode="linear",
             coordinate_transformation_mode="align_corners" if rng.random() < 0.5 else "half_pixel")
    return n.done(n.quant(n.conv(n.quant(y, 0.1), 3, 2), 0.5))


@network
def concat_constant_channel(rng):
    n = Net(rng, (1, 3, 4, 4))
    y = n.op("Concat", n.const(rng.uniform(-1, 1, (1, 1, 4, 4)).round(2)), n.quant("x0"), axis=1)
    return n.done(n.quant(n.conv(n.quant(y, 0.05), 4, 2), 0.5))


@network
def computed_scale(rng):
    n = Net(rng, (1, 6))
    s = n.op("Div", n.op("Sub", n.op("ReduceMax", n.const(rng.uniform(1, 3, 5)), keepdims=0), -1.0), 255.0)
    z = n.const(0, np.int8)
    q = n.op("DequantizeLinear", n.op("QuantizeLinear", "x0", s, z), s, z)
    return n.done(n.quant(n.dense(q, 6, 4), 0.2))


@network
def reduce_min_over_channels(rng):
    n = Net(rng, (1, 6, 3, 3))
    y = n.op("ReduceMin", n.conv(n.quant("x0"), 6, 5), n.const([1], np.int64), keepdims=1)
    return n.done(n.quant(n.conv(n.quant(y, 0.2), 1, 2), 0.5))


# --- 6: what today's exporters leave in ----------------------------------------------------------------------------


@network
def split_to_sequence(rng):
    n = Net(rng, (1, 6, 4, 4))
    y = n.conv(n.quant("x0"), 6, 6)
    s = n.op("SplitToSequence", n.quant(y, 0.2), n.const([2, 4], np.int64), axis=1)
    a, b = n.op("SequenceAt", s, n.const(0, np.int64)), n.op("SequenceAt", s, n.const(-1, np.int64))
    return n.done(n.quant(n.conv(n.op("Concat", b, a, axis=1), 6, 2), 0.5))


@network
def cast_like_clip(rng):
    n = Net(rng, (1, 8))
    x = n.quant("x0", 0.1)
    y = n.op("Max", n.dense(x, 8, 5), n.op("CastLike", n.const(-1, np.int32), x))
    return n.done(n.quant(n.dense(n.quant(y, 0.1), 5, 3), 0.5))


@network
def scatter_of_constants(rng):
    n = Net(rng, (1, 4))
    w = n.op("ScatterND", n.const(rng.integers(-7, 8, (4, 3)) * F32(0.125)), n.const([[1], [3]], np.int64),
             n.const(np.full((2, 3), 0.25)))
    return n.done(n.quant(n.op("MatMul", n.quant("x0"), w), 0.2))


# --- 7: sixteen bits ---------------------------------------------------------------------------------------------


def wide(rng, function, zero=0, dtype=np.int16):
    n = Net(rng, (1, 4, 4, 4))
    y = n.conv(n.quant("x0", 0.001, 11, np.int16), 4, 4)
    return n.done(n.quant(n.conv(n.quant(function(n, y), 0.0005, zero, dtype), 4, 2), 0.002, 0, np.int16))


@network
def wide_relu6(rng):
    return wide(rng, lambda n, y: n.op("Clip", y, 0.0, 6.0), 7)


@network
def wide_relu(rng):
    return wide(rng, lambda n, y: n.op("Relu", y), 0, np.uint16)


@network
def wide_leaky(rng):
    return wide(rng, lambda n, y: n.op("LeakyRelu", y, alpha=0.1))


@network
def wide_prelu(rng):
    return wide(rng, lambda n, y: n.op("PRelu", y, n.const(rng.uniform(0.01, 0.4, (4, 1, 1)))))


# --- 8: functions of the model -------------------------------------------------------------------------------------


@network
def function_named_relu(rng):
    """A function of the model that has an operator's name: it is what the model says."""
    n = Net(rng, (1, 6))
    body = [helper.make_node("Constant", [], ["two"], value_float=2.0),
            helper.make_node("Mul", ["a", "two"], ["b"])]
    n.functions = [helper.make_function("own", "Relu", ["a"], ["b"], body, [helper.make_opsetid("", 21)])]
    return n.done(n.quant(n.dense(n.op("Relu", n.quant("x0"), domain="own"), 6, 4), 0.3))


@network
def function_nested_with_default(rng):
    n = Net(rng, (1, 6))
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    leaky = helper.make_node("LeakyRelu", ["a"], ["b"])
    leaky.attribute.append(helper.make_attribute("alpha", 0.0))
    leaky.attribute[0].ref_attr_name = "slope"
    leaky.attribute[0].ClearField("f")
    inner = helper.make_function("own", "Inner", ["a"], ["b"], [leaky], opsets, attributes=[],
                                 attribute_protos=[helper.make_attribute("slope", 0.25)])
    call = helper.make_node("Inner", ["a"], ["c"], domain="own", slope=0.5)
    plain = helper.make_node("Inner", ["c"], ["b"], domain="own")
    outer = helper.make_function("own", "Outer", ["a"], ["b"], [call, plain], opsets)
    n.functions = [inner, outer]
    y = n.op("Outer", n.dense(n.quant("x0"), 6, 6), domain="own")
    return n.done(n.quant(n.dense(n.quant(y, 0.1), 6, 3), 0.4))
