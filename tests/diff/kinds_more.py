"""kinds_more.py: further members of the kinds of faults that outsiders found; kinds_net.py has the list they join."""
import numpy as np
from kinds_net import F32, Net, network
from onnx import TensorProto, helper, numpy_helper

# --- 4: weights folded to floats, of few values a channel ---------------------------------------------------------


def folded(n, codes, scale, axis=0):
    """Codes times a scale for each channel, as constant folding leaves them."""
    codes = np.asarray(codes, F32)
    shape = [-1 if i == axis else 1 for i in range(codes.ndim)]
    return n.const(codes * np.asarray(scale, F32).reshape(shape))


@network
def folded_depthwise_signs(rng):
    n = Net(rng, (1, 5, 6, 6), sim=True)
    w = folded(n, rng.choice([-1, 1], (5, 1, 2, 2)), rng.uniform(0.02, 0.3, 5))
    return n.done(n.quant(n.op("Conv", n.quant("x0"), w, group=5, kernel_shape=[2, 2]), 0.5))


@network
def folded_ternary_pointwise(rng):
    n = Net(rng, (1, 2, 4, 4))
    w = folded(n, [[[[1]], [[0]]], [[[-1]], [[1]]], [[[0]], [[0]]], [[[3]], [[-7]]], [[[5]], [[2]]]],
               rng.uniform(0.02, 0.3, 5))
    return n.done(n.quant(n.op("Conv", n.quant("x0"), w, n.const(rng.normal(0, 1, 5)), kernel_shape=[1, 1]), 0.25))


@network
def folded_few_in_a_sum(rng):
    """What follows a sum without a common unit counts on the codes of the weights behind it."""
    n = Net(rng, (1, 4))
    x = n.quant("x0")
    y = n.op("Add", n.dense(x, 4, 4), n.op("Mul", x, F32(0.0371)))
    w = folded(n, rng.integers(-7, 8, (4, 3)), rng.uniform(0.02, 0.3, 3), 1)
    return n.done(n.quant(n.op("MatMul", y, w), 0.5))


@network
def folded_in_a_deconvolution(rng):
    n = Net(rng, (1, 2, 3, 3))
    w = folded(n, rng.choice([-3, 2], (2, 3, 2, 2)), rng.uniform(0.02, 0.3, 3), 1)
    return n.done(n.quant(n.op("ConvTranspose", n.quant("x0"), w, strides=[2, 2], kernel_shape=[2, 2]), 0.25))


# --- 8: branches of which the condition is known ------------------------------------------------------------------


def branch(nodes, result, constants=()):
    out = helper.make_tensor_value_info(result, TensorProto.FLOAT, None)
    return helper.make_graph(nodes, "branch", [], [out], list(constants))


def choose(n, condition, then, other):
    name = n.name()
    n.nodes.append(helper.make_node("If", [condition], [name], name=f"If_{n.n}", then_branch=then, else_branch=other))
    return name


@network
def branch_by_shape(rng):
    """As traced code has it; what is not taken could not be had."""
    n = Net(rng, (1, 3, 4, 4), sim=True)
    x = n.conv(n.quant("x0"), 3, 3)
    size = n.op("Gather", n.op("Shape", x), n.const(1, np.int64), axis=0)
    one = n.op("Equal", size, n.const(1, np.int64))
    f = numpy_helper.from_array(F32([0.5]), "f")
    x = choose(n, one, branch([helper.make_node("Bernoulli", [x], ["y"])], "y"),
               branch([helper.make_node("Mul", [x, "f"], ["y"])], "y", [f]))
    return n.done(n.dense(n.quant(n.op("Flatten", n.op("Relu", x))), 48, 3))


@network
def branch_in_branch(rng):
    """The inner condition is computed from constants in the outer branch; another one is never asked for."""
    n = Net(rng, (1, 4))
    x = n.dense(n.quant("x0"), 4, 4)
    never = branch([helper.make_node("ReduceSum", [x, "a"], ["s"], keepdims=0),
                    helper.make_node("Cast", ["s"], ["d"], to=TensorProto.BOOL),
                    helper.make_node("If", ["d"], ["v"], then_branch=branch([
                        helper.make_node("Neg", [x], ["z"])], "z"), else_branch=branch([
                            helper.make_node("Abs", [x], ["z"])], "z"))],
                   "v", [numpy_helper.from_array(np.array([0, 1], np.int64), "a")])
    inner = branch([helper.make_node("Relu", [x], ["v"])], "v")
    taken = branch([helper.make_node("Less", ["p", "q"], ["c"]),
                    helper.make_node("Not", ["c"], ["not"]),
                    helper.make_node("If", ["not"], ["m"], then_branch=never, else_branch=inner),
                    helper.make_node("Add", ["m", x], ["y"])], "y",
                   [numpy_helper.from_array(F32(v), k) for k, v in (("p", 1), ("q", 2))])
    other = branch([helper.make_node("Neg", [x], ["y"])], "y")
    return n.done(n.quant(choose(n, n.const(True, bool), taken, other), 0.5))


def own(n, name, inputs, outputs, nodes, attributes=None, defaults=None):
    sets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    n.functions.append(helper.make_function("own", name, inputs, outputs, nodes, sets, attributes, defaults))


def refers(node, attribute, to):
    node.attribute.append(helper.make_attribute(attribute, 0))
    node.attribute[-1].ref_attr_name = to
    node.attribute[-1].ClearField("i")
    return node


@network
def branch_by_attribute(rng):
    """A block whose attribute says whether it has a shortcut, and the slope of the branch."""
    n = Net(rng, (1, 4))
    slope = helper.make_node("LeakyRelu", ["a"], ["y"])
    slope.attribute.append(helper.make_attribute("alpha", 0.0))
    slope.attribute[-1].ref_attr_name = "slope"
    slope.attribute[-1].ClearField("f")
    body = [refers(helper.make_node("Constant", [], ["k"]), "value_int", "shortcut"),
            helper.make_node("Cast", ["k"], ["c"], to=TensorProto.BOOL),
            helper.make_node("If", ["c"], ["b"], then_branch=branch([helper.make_node("Add", ["a", "a"], ["y"])], "y"),
                             else_branch=branch([slope], "y"))]
    own(n, "Block", ["a"], ["b"], body, None,
        [helper.make_attribute("shortcut", 0), helper.make_attribute("slope", 0.25)])
    x = n.op("Block", n.dense(n.quant("x0"), 4, 4), domain="own", shortcut=1)
    x = n.op("Block", n.dense(n.quant(x), 4, 4), domain="own", slope=0.5)
    return n.done(n.quant(n.op("Block", x, domain="own"), 0.125))


@network
def branch_that_calls(rng):
    """A function called in a branch of a function, with a condition from the shape of what it is given."""
    n = Net(rng, (1, 2, 3, 3))
    own(n, "Half", ["a"], ["b"], [helper.make_node("Constant", [], ["h"], value_float=0.5),
                                  helper.make_node("Mul", ["a", "h"], ["b"])])
    own(n, "Halved", ["a"], ["b"],
        [helper.make_node("Size", ["a"], ["n"]),
         helper.make_node("Constant", [], ["many"], value=numpy_helper.from_array(np.array(10, np.int64))),
         helper.make_node("Greater", ["n", "many"], ["c"]),
         helper.make_node("If", ["c"], ["b"], then_branch=branch([
             helper.make_node("Half", ["a"], ["t"], domain="own"), helper.make_node("Neg", ["t"], ["y"])], "y"),
             else_branch=branch([helper.make_node("Half", ["a"], ["y"], domain="own")], "y"))])
    x = n.quant(n.op("Flatten", n.op("Halved", n.conv(n.quant("x0"), 2, 2), domain="own")))
    return n.done(n.op("Halved", n.dense(x, 18, 3), domain="own"))


@network
def branch_by_data(rng):
    n = Net(rng, (1, 4), refused='its condition "t10" depends on the data')
    x = n.dense(n.quant("x0"), 4, 4)
    c = n.op("Cast", n.op("ReduceMax", x, keepdims=0), to=TensorProto.BOOL)
    return n.done(n.quant(choose(n, c, branch([helper.make_node("Neg", [x], ["y"])], "y"),
                                 branch([helper.make_node("Abs", [x], ["y"])], "y"))))


# --- 4: sums over what has unlike scales --------------------------------------------------------------------------


def unlike(n, c):
    """Channels of unlike scales and offsets, unquantised."""
    w = n.op("DequantizeLinear", n.const(n.rng.integers(-7, 8, (c, c, 1, 1)), np.int8),
             n.const(n.rng.uniform(0.02, 0.2, c)), axis=0)
    return n.op("Conv", n.quant("x0"), w, n.const(n.rng.normal(0, 1, c)), kernel_shape=[1, 1])


@network
def mean_over_channels(rng):
    n = Net(rng, (1, 4, 5, 5), sim=True)
    return n.done(n.quant(n.op("ReduceMean", unlike(n, 4), n.const([1], np.int64), keepdims=1), 0.0625))


@network
def sum_over_all_axes(rng):
    n = Net(rng, (1, 3, 4, 4))
    return n.done(n.quant(n.op("ReduceSum", unlike(n, 3), n.const([1, 2, 3], np.int64), keepdims=0), 0.5))


@network
def mean_over_channels_of_whole_ratios(rng):
    """1 : 3 : 5 have a unit."""
    n = Net(rng, (1, 3, 4, 4))
    x = n.op("Mul", n.quant("x0"), n.const(np.array([1, 3, 5]).reshape(3, 1, 1) * 0.0371))
    return n.done(n.quant(n.op("ReduceMean", x, n.const([1], np.int64), keepdims=1), 0.0625))


@network
def mean_of_a_concat(rng):
    """Halves of a concat have scales of their own."""
    n = Net(rng, (1, 2, 4, 4))
    x = n.op("Concat", n.quant("x0", 0.05), n.quant(n.op("Mul", "x0", F32(0.7)), 0.02, 3, np.uint8), axis=1)
    return n.done(n.quant(n.op("ReduceMean", x, n.const([1], np.int64), keepdims=1), 0.125))


# --- 4: pools of functions that rise and fall, or of channels of unlike scales, in front of a quantiser ----------


@network
def pool_of_hard_swish(rng):
    n = Net(rng, (1, 3, 6, 6))
    x = n.op("HardSwish", n.conv(n.quant("x0"), 3, 3))
    return n.done(n.quant(n.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), 0.125))


@network
def least_of_unlike_channels(rng):
    n = Net(rng, (1, 3, 4, 4), sim=True)
    return n.done(n.quant(n.op("ReduceMin", unlike(n, 3), n.const([1], np.int64), keepdims=0), 0.25))


@network
def largest_behind_a_deconvolution(rng):
    n = Net(rng, (1, 2, 3, 3))
    w = n.weights((2, 2, 2, 2))
    x = n.op("ConvTranspose", unlike(n, 2), w, strides=[2, 2], kernel_shape=[2, 2])
    return n.done(n.quant(n.op("GlobalMaxPool", n.op("Mul", x, F32(-0.7))), 0.5))


@network
def factor_that_never_changes(rng):
    """A comparison that always holds."""
    n = Net(rng, (1, 4))
    x = n.op("Add", n.dense(n.quant("x0"), 4, 4), n.const(rng.normal(0, 0.3, 4)))
    c = n.op("Greater", n.quant(n.op("Exp", n.op("Clip", x, n.const(F32(0)), n.const(F32(2)))), 0.05, 0, np.uint8),
             n.quant(n.op("Tanh", n.op("Mul", x, F32(0.01))), 0.25))
    return n.done(n.dense(n.quant(n.op("Mul", n.op("Cast", c, to=TensorProto.FLOAT), x)), 4, 3))


@network
def function_in_a_product(rng):
    n = Net(rng, (1, 4), refused='node "HardSigmoid_9" (nn.hard_sigmoid): not streamlined: what it gives lies on no '
            'grid of integers, and "Mul_14" needs one')
    x = n.dense(n.quant("x0"), 4, 4)
    return n.done(n.dense(n.quant(n.op("Mul", n.op("HardSigmoid", x), n.quant(x, 0.25))), 4, 4))


# --- 2, 6: products and comparisons of what has offsets off the grid, or sums of many bits ------------------------


@network
def product_with_a_bias(rng):
    n = Net(rng, (1, 4), sim=True)
    x = n.op("Add", n.dense(n.quant("x0"), 4, 4), n.const(rng.normal(0, 1, 4)))
    return n.done(n.dense(n.quant(n.op("Mul", x, n.quant(x, 0.125)), 0.25), 4, 3))


@network
def product_of_two_biases(rng):
    n = Net(rng, (1, 4))
    x, y = [n.op("Add", n.dense(n.quant("x0"), 4, 4), n.const(rng.normal(0, 1, 4))) for _ in range(2)]
    return n.done(n.quant(n.op("Mul", x, y), 0.5))


@network
def comparison_of_wide_sums(rng):
    """One operand is a layer on an unquantised layer: its integers are wide, and its scale is small."""
    n = Net(rng, (1, 3, 4, 4))
    x = unlike(n, 3)
    w = n.const(rng.integers(-7, 8, (3, 3, 1, 1)), np.int8)
    y = n.op("Conv", x, n.op("DequantizeLinear", w, n.const(rng.uniform(0.02, 0.2, 3)), axis=0), kernel_shape=[1, 1])
    c = n.op("Cast", n.op("Greater", n.quant(x, 0.25), y), to=TensorProto.FLOAT)
    return n.done(n.quant(n.op("Mul", c, n.quant(x, 0.125)), 0.25))


@network
def comparison_behind_a_deconvolution(rng):
    n = Net(rng, (1, 2, 3, 3))
    x = n.op("ConvTranspose", n.quant("x0"), n.weights((2, 2, 2, 2)), strides=[2, 2], kernel_shape=[2, 2])
    y = n.quant(x, 0.25)
    return n.done(n.quant(n.op("Where", n.op("LessOrEqual", x, y), x, y), 0.5))


@network
def concat_of_functions(rng):
    """Branches that end in a relu off the grid, a curve, and a pool, with one quantiser behind them all."""
    n = Net(rng, (1, 2, 6, 6), sim=True)
    x = n.quant("x0")
    w = n.const(rng.integers(-7, 8, (3, 2, 1, 1)), np.int8)
    w = n.op("DequantizeLinear", w, n.const(rng.uniform(0.02, 0.2, 3)), axis=0)
    a = n.op("Relu", n.op("Conv", x, w, n.const(rng.normal(0, 1, 3)), kernel_shape=[1, 1]))
    b = n.op("Elu", n.conv(x, 2, 2))
    c = n.op("MaxPool", n.op("Mul", x, F32(0.37)), kernel_shape=[3, 3], pads=[1] * 4)
    return n.done(n.conv(n.quant(n.op("Concat", a, b, c, axis=1), 0.0625), 7, 2))


# --- 4, 9: what files may hold ------------------------------------------------------------------------------------


def sparse(name, a):
    at = np.flatnonzero(a)
    return helper.make_sparse_tensor(numpy_helper.from_array(a.ravel()[at], name),
                                     numpy_helper.from_array(at.astype(np.int64), name + "_at"), list(a.shape))


@network
def sparse_weights(rng):
    """Pruned weights, as an initialiser and as a Constant."""
    n = Net(rng, (1, 6))
    w = [(rng.integers(-2, 3, (6, 6)) * F32(0.05)).astype(F32) for _ in range(2)]
    names = [n.const(v) for v in w]
    x = n.op("MatMul", n.quant(n.op("MatMul", n.quant("x0"), names[0])), names[1])
    graph = n.done(n.quant(x, 0.25)).model.graph
    for name in names:
        graph.initializer.remove(next(v for v in graph.initializer if v.name == name))
    graph.sparse_initializer.append(sparse(names[0], w[0]))
    graph.node.insert(0, helper.make_node("Constant", [], [names[1]], sparse_value=sparse(names[1], w[1])))
    return n
