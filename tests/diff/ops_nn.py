"""ops_nn.py: cases of the operators nn.*."""
import itertools
import math

import numpy as np
from op_case import CASES, F32, RNG, bits, case, floats, ftype, ints


A, B = floats(1, 3, 4), floats(3, 1)
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum, "max": np.maximum}
for op, f in BINARY.items():
    x = ("f32[1,3,4]", A)
    case(f"{op}-broadcast", f"nn.{op}(%x, %c)", {"x": x}, [f(A, B)], [ftype(1, 3, 4)], {"c": ("f32[3,1]", B)})
    case(f"{op}-two-inputs", f"nn.{op}(%x, %z)", {"x": x, "z": ("f32[1,1,4]", floats(1, 1, 4))}, None,
         [ftype(1, 3, 4)])
    z = CASES[-1][2]["z"]
    CASES[-1] = (*CASES[-1][:3], [f(A, z)], 0.0)
    weak = np.array([0.1, 3.3, -7.7]).reshape(3, 1)
    case(f"{op}-weak-f64", f"nn.{op}(%x, %c)", {"x": x}, [f(A.astype(np.float64), weak).astype(F32)], [ftype(1, 3, 4)],
         {"c": ("f64[3,1]", weak)})
XI = ints(-7, 7, 1, 2, 5)
CI = np.array([3, -2]).reshape(2, 1)
for op, t, f in [("add", "i5<-9..10>", np.add), ("sub", "i5<-10..9>", np.subtract), ("mul", "i6<-21..21>", np.multiply),
                 ("min", "i4<-7..3>", np.minimum), ("max", "i4<-2..7>", np.maximum)]:
    case(f"{op}-integers", f"nn.{op}(%x, %c)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [f(XI, CI)], [t + "[1,2,5]"],
         {"c": ("i8[2,1]", CI)})
# A comparison with NaN holds nowhere.
LEFT, RIGHT = np.array([[0.5, -1, 3, np.nan], [2, 2, -0.0, 7]], F32), np.array([[0.5, 1, -3, 0], [2, 1, 0, 7.5]], F32)
for op, f in [("greater", np.greater), ("greater_equal", np.greater_equal), ("equal", np.equal)]:
    case(op, f"nn.{op}(%x, %c)", {"x": (ftype(2, 4), LEFT)}, [f(LEFT, RIGHT).astype(int)], ["u1[2,4]"],
         {"c": (ftype(2, 4), RIGHT)})
    case(f"{op}-integers", f"nn.{op}(%x, %c)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [f(XI, CI).astype(int)],
         ["u1[1,2,5]"], {"c": ("i8[2,1]", CI)})
MASK = np.array([[1, 0, 0, 1], [0, 1, 1, 0]])
case("where", "nn.where(%m, %x, %c)", {"m": ("u1[2,4]", MASK), "x": (ftype(2, 4), LEFT)},
     [np.where(MASK, LEFT, RIGHT)], [ftype(2, 4)], {"c": (ftype(2, 4), RIGHT)})
case("where-integers", "nn.where(%m, %x, %c)", {"m": ("u1[1,2,5]", XI & 1), "x": ("i4<-7..7>[1,2,5]", XI)},
     [np.where(XI & 1, XI, CI)], ["i4<-7..7>[1,2,5]"], {"c": ("i8<-2..3>[2,1]", CI)})
case("mul-square", "nn.mul(%x, %x)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [XI * XI], ["u6<0..49>[1,2,5]"])
BIP = np.array([1, -1, -1, 1])
case("mul-bipolar", "nn.mul(%x, %c)", {"x": ("bip[1,4]", BIP.reshape(1, 4))}, [BIP.reshape(1, 4) * BIP[::-1]],
     ["bip[1,4]"], {"c": ("bip[4]", BIP[::-1])})
case("add-bipolar", "nn.add(%x, %x)", {"x": ("bip[1,4]", BIP.reshape(1, 4))}, [2 * BIP.reshape(1, 4)],
     ["i3<-2..2>[1,4]"])
case("div-integers", "nn.div(%x, %c)", {"x": ("u8[1,4]", np.array([[0, 1, 128, 255]]))},
     [(np.array([[0, 1, 128, 255]]) / 255).astype(F32)], [ftype(1, 4)], {"c": ("f32[]", F32(255))})
case("add-wide", "nn.add(%x, %x)", {"x": ("i32[1,2]", np.array([[2**31 - 1, -2**31]]))},
     [np.array([[2**32 - 2, -2**32]])], ["i33<-4294967296..4294967294>[1,2]"])
case("pow", "nn.pow(%x, %c)", {"x": (ftype(1, 6), np.abs(floats(1, 6)))}, None, [ftype(1, 6)], {"c": ("f32[]", 2.5)},
     tol=1e-6)
CASES[-1] = (*CASES[-1][:3], [CASES[-1][2]["x"].astype(np.float64) ** 2.5], 1e-6)
SL = np.array([0.25, -0.5, 2.0], F32).reshape(3, 1)
case("prelu", "nn.prelu(%x, %c)", {"x": ("f32[1,3,4]", A)}, [np.where(A < 0, A * SL, A)], [ftype(1, 3, 4)],
     {"c": ("f32[3,1]", SL)})
case("prelu-integers", "nn.prelu(%x, %c)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [np.where(XI < 0, XI * CI, XI)],
     ["i6<-21..14>[1,2,5]"], {"c": ("i8[2,1]", CI)})

X = floats(1, 40)
X[0, :8] = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5]
X64 = X.astype(np.float64)
P = np.abs(X64) + 0.125
erf = np.vectorize(math.erf)


def unary(name, call, f, x=X, tol=0.0):
    case(name, call, {"x": (ftype(*x.shape), x.astype(F32))}, [f(x.astype(F32).astype(np.float64)).astype(F32)],
         [ftype(*x.shape)], tol=tol)


unary("neg", "nn.neg(%x)", lambda x: -x)
unary("abs", "nn.abs(%x)", np.abs)
unary("relu", "nn.relu(%x)", lambda x: np.maximum(x, 0))
unary("sign", "nn.sign(%x)", np.sign)
unary("round", "nn.round(%x)", np.rint)
unary("floor", "nn.floor(%x)", np.floor)
unary("ceil", "nn.ceil(%x)", np.ceil)
unary("identity", "nn.identity(%x)", lambda x: x)
unary("sqrt", "nn.sqrt(%x)", np.sqrt, P)
unary("reciprocal", "nn.reciprocal(%x)", lambda x: 1 / x, P)
for n_, f_ in {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "exp": np.exp, "erf": erf,
               "softplus": lambda x: np.log1p(np.exp(x)), "softsign": lambda x: x / (1 + np.abs(x)),
               "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1)}.items():
    unary(n_, f"nn.{n_}(%x)", f_, tol=3e-7)
unary("log", "nn.log(%x)", np.log, P, tol=3e-7)
a1, a2, s1, s2 = float(F32(0.1)), float(F32(0.2)), float(F32(1.67326319)), float(F32(1.05070102))
unary("leaky_relu", "nn.leaky_relu(%x) alpha=0.1", lambda x: np.where(x < 0, a1 * x, x))
unary("clip", "nn.clip(%x) min=-1.5 max=2", lambda x: np.clip(x, -1.5, 2))
unary("clip-below", "nn.clip(%x) min=0", lambda x: np.maximum(x, 0))
unary("hard_sigmoid", "nn.hard_sigmoid(%x)", lambda x: np.clip(a2 * x + 0.5, 0, 1))
unary("elu", "nn.elu(%x) alpha=0.5", lambda x: np.where(x < 0, 0.5 * np.expm1(x), x), tol=3e-7)
unary("celu", "nn.celu(%x) alpha=2", lambda x: np.where(x < 0, 2 * np.expm1(x / 2), x), tol=3e-7)
unary("selu", "nn.selu(%x)", lambda x: s2 * np.where(x < 0, s1 * np.expm1(x), x), tol=1e-6)
unary("gelu", "nn.gelu(%x)", lambda x: x / 2 * (1 + erf(x / np.sqrt(2))), tol=1e-6)
unary("gelu-tanh", "nn.gelu(%x) approximate=tanh",
      lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), tol=1e-6)
unary("thresholded_relu", "nn.thresholded_relu(%x) alpha=0.5", lambda x: np.where(x > 0.5, x, 0))
for op, t, f in [("neg", "i4<-7..7>", np.negative), ("abs", "u3", np.abs), ("relu", "u3", lambda v: np.maximum(v, 0)),
                 ("sign", "i2<-1..1>", np.sign), ("round", "i4<-7..7>", np.rint), ("identity", "i4<-7..7>", np.array)]:
    case(f"{op}-integers", f"nn.{op}(%x)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [f(XI)], [t + "[1,2,5]"])
case("clip-integers", "nn.clip(%x) min=-2 max=5", {"x": ("i4<-7..7>[1,2,5]", XI)}, [np.clip(XI, -2, 5)],
     ["i4<-2..5>[1,2,5]"])
case("sigmoid-integers", "nn.sigmoid(%x)", {"x": ("i4<-7..7>[1,2,5]", XI)}, [1 / (1 + np.exp(-XI))], [ftype(1, 2, 5)],
     tol=1e-6)
case("cast-to-int", "nn.cast(%x) to=i8[]", {"x": (ftype(1, 6), X[:, 2:8])}, [np.trunc(X[:, 2:8])], ["i8[1,6]"])
case("cast-to-float", "nn.cast(%x) to=f32[]", {"x": ("u8[1,2]", np.array([[3, 255]]))}, [np.array([[3, 255]])],
     [ftype(1, 2)])
case("cast-to-fixed", "nn.cast(%x) to=fx8.4[]", {"x": (ftype(1, 4), F32([[0.06, 1.03, -2.5, 7.9]]))},
     [np.rint(F32([[0.06, 1.03, -2.5, 7.9]]) * 16.0) / 16], ["fx8.4[1,4]"])

# --- convolutions ------------------------------------------------------------------------------------------------


def conv(x, w, b=None, stride=None, pads=None, dilation=None, group=1):
    nd = x.ndim - 2
    stride, dilation, pads = stride or [1] * nd, dilation or [1] * nd, pads or [0] * (2 * nd)
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0)] + [(pads[i], pads[nd + i]) for i in range(nd)])
    out = [(x.shape[2 + i] - (w.shape[2 + i] - 1) * dilation[i] - 1) // stride[i] + 1 for i in range(nd)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    cg, mg = w.shape[1], w.shape[0] // group
    for o in itertools.product(*map(range, out)):
        at = tuple(slice(o[i] * stride[i], o[i] * stride[i] + (w.shape[2 + i] - 1) * dilation[i] + 1, dilation[i])
                   for i in range(nd))
        for m in range(w.shape[0]):
            g = m // mg
            y[(slice(None), m) + o] = (x[(slice(None), slice(g * cg, (g + 1) * cg)) + at] * w[m]).reshape(
                x.shape[0], -1).sum(1)
    return y if b is None else y + np.asarray(b).reshape(-1, *[1] * nd)


def conv_transpose(x, w, b=None, stride=None, pads=None, dilation=None, group=1, output_padding=None):
    nd = x.ndim - 2
    stride, dilation, pads = stride or [1] * nd, dilation or [1] * nd, pads or [0] * (2 * nd)
    op = output_padding or [0] * nd
    full = [(x.shape[2 + i] - 1) * stride[i] + (w.shape[2 + i] - 1) * dilation[i] + 1 + op[i] for i in range(nd)]
    cg, mg = x.shape[1] // group, w.shape[1]
    y = np.zeros((x.shape[0], mg * group, *full))
    for i in itertools.product(*map(range, x.shape[2:])):
        for t in itertools.product(*map(range, w.shape[2:])):
            o = tuple(i[k] * stride[k] + t[k] * dilation[k] for k in range(nd))
            for c in range(x.shape[1]):
                g = c // cg
                for m in range(mg):
                    y[(slice(None), g * mg + m) + o] += x[(slice(None), c) + i].astype(np.float64) * w[(c, m) + t]
    y = y[(slice(None), slice(None)) + tuple(slice(pads[k], full[k] - pads[nd + k]) for k in range(nd))]
    return y if b is None else y + np.asarray(b).reshape(-1, *[1] * nd)


def sum_range(w, lo, hi, b=None):
    """w: one row a result."""
    w = w.reshape(w.shape[0], -1)
    pos, neg = np.maximum(w, 0).sum(1), np.minimum(w, 0).sum(1)
    b = 0 if b is None else np.asarray(b)
    return int((pos * lo + neg * hi + b).min()), int((pos * hi + neg * lo + b).max())


def dims(a):
    return "[" + ",".join(map(str, a.shape)) + "]"


def conv_case(name, xs, ws, bias, transposed=False, **kw):
    attrs = " ".join(f"{k}={str(v).replace(' ', '')}" for k, v in kw.items())
    op, f = ("nn.conv_transpose", conv_transpose) if transposed else ("nn.conv", conv)
    outputs = ws[1] * kw.get("group", 1) if transposed else ws[0]
    call = f"{op}(%x, %w{', %b' if bias else ''}) {attrs}".strip()
    x, w, b = floats(*xs), floats(*ws), floats(outputs) if bias else None
    y = f(x, w, b, **kw).astype(F32)
    consts = {"w": (ftype(*ws), w), **({"b": (ftype(outputs), b)} if bias else {})}
    case(name + "-float", call, {"x": (ftype(*xs), x)}, [y], [ftype(*y.shape)], consts, tol=1e-6)
    x, w, b = ints(0, 15, *xs), ints(-7, 7, *ws), ints(-99, 99, outputs) if bias else None
    y = f(x, w, b, **kw)
    consts = {"w": ("i4" + dims(w), w), **({"b": ("i8" + dims(b), b)} if bias else {})}
    if not transposed:
        lo, hi = sum_range(w, 0, 15, b)
        case(name + "-integer", call, {"x": ("u4" + dims(x), x)}, [y], [bits(lo, hi) + dims(y)], consts)
        if len(xs) == 4:  # the same, channels last
            to, back = (0, 2, 3, 1), (0, 2, 3, 1)
            xl, wl, yl = x.transpose(to), w.transpose(to), y.transpose(back)
            consts["w"] = ("i4" + dims(wl), wl)
            case(name + "-nhwc", call, {"x": ("u4" + dims(xl) + "NHWC", xl)}, [yl], [bits(lo, hi) + dims(yl) + "NHWC"],
                 consts)
    else:
        tap = {}  # sums of the taps of one residue class
        nd = len(ws) - 2
        s, dl, g = kw.get("stride", [1] * nd), kw.get("dilation", [1] * nd), kw.get("group", 1)
        mg, cg = ws[1], xs[1] // g
        for t in itertools.product(*map(range, ws[2:])):
            phase = tuple(t[k] * dl[k] % s[k] for k in range(nd))
            for m in range(outputs):
                rows = [w[(c, m % mg) + t] for c in range(m // mg * cg, (m // mg + 1) * cg)]
                p = tap.setdefault((m, phase), [0, 0])
                p[0] += sum(v for v in rows if v > 0)
                p[1] += sum(v for v in rows if v < 0)
        bb = b if bias else np.zeros(outputs, int)
        lo = min(15 * p[1] + bb[m] for (m, _), p in tap.items())
        hi = max(15 * p[0] + bb[m] for (m, _), p in tap.items())
        case(name + "-integer", call, {"x": ("u4" + dims(x), x)}, [y], [bits(int(lo), int(hi)) + dims(y)], consts)
        if nd == 2:
            xl, wl, yl = x.transpose(0, 2, 3, 1), w.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
            consts["w"] = ("i4" + dims(wl), wl)
            case(name + "-nhwc", call, {"x": ("u4" + dims(xl) + "NHWC", xl)}, [yl],
                 [bits(int(lo), int(hi)) + dims(yl) + "NHWC"], consts)


conv_case("conv", (1, 3, 6, 7), (4, 3, 3, 3), False)
conv_case("conv-bias-pads-stride", (1, 3, 7, 8), (5, 3, 3, 2), True, stride=[2, 3], pads=[1, 0, 2, 1])
conv_case("conv-dilation", (1, 2, 9, 9), (3, 2, 3, 3), True, dilation=[2, 3], pads=[2, 3, 2, 3])
conv_case("conv-group", (1, 6, 5, 5), (4, 3, 3, 3), True, group=2, pads=[1, 1, 1, 1])
conv_case("conv-depthwise-multiplier", (1, 3, 5, 5), (6, 1, 3, 3), False, group=3)
conv_case("conv-1x1-stride", (1, 4, 5, 5), (3, 4, 1, 1), False, stride=[3, 2])
conv_case("conv-1d", (1, 2, 40), (3, 2, 5), True, stride=[2], pads=[2, 1], dilation=[2])
conv_case("conv-3d", (1, 2, 4, 5, 6), (3, 2, 2, 3, 2), True, stride=[1, 2, 2], pads=[1, 0, 1, 0, 1, 0])
conv_case("conv-many-positions", (1, 1, 12, 13), (2, 1, 1, 1), False)
conv_case("conv_transpose", (1, 3, 4, 5), (3, 2, 3, 3), False, transposed=True)
conv_case("conv_transpose-stride", (1, 2, 4, 5), (2, 3, 3, 2), True, transposed=True, stride=[2, 3],
          pads=[1, 0, 1, 1], output_padding=[1, 0])
conv_case("conv_transpose-group-dilation", (1, 4, 3, 3), (4, 2, 2, 3), True, transposed=True, group=2,
          dilation=[2, 2], stride=[2, 2])
conv_case("conv_transpose-1d", (1, 2, 6), (2, 3, 4), False, transposed=True, stride=[3], pads=[1, 2])
xb, wb = RNG.choice([-1, 1], (1, 4, 5, 5)), RNG.choice([-1, 1], (3, 4, 3, 3))
case("conv-bipolar-pad", "nn.conv(%x, %w) pads=[1,1,1,1]", {"x": ("bip[1,4,5,5]", xb)},
     [conv(xb, wb, pads=[1, 1, 1, 1])], ["i7<-36..36>[1,3,5,5]"], {"w": ("bip[3,4,3,3]", wb)})
xw, ww = ints(-2**31, 2**31 - 1, 1, 3, 2, 2), ints(-2**29, 2**29, 2, 3, 1, 1)
yw = np.array([[sum(int(xw[0, c, i // 2, i % 2]) * int(ww[m, c, 0, 0]) for c in range(3)) for i in range(4)]
               for m in range(2)], dtype=object)
lo_, hi_ = zip(*[(sum(min(int(v) * -2**31, int(v) * (2**31 - 1)) for v in ww[m].reshape(-1)),
                  sum(max(int(v) * -2**31, int(v) * (2**31 - 1)) for v in ww[m].reshape(-1))) for m in range(2)])
case("conv-beyond-double", "nn.conv(%x, %w)", {"x": ("i32[1,3,2,2]", xw)}, [yw.astype(np.int64).reshape(1, 2, 2, 2)],
     [bits(min(lo_), max(hi_)) + "[1,2,2,2]"], {"w": ("i31[2,3,1,1]", ww)})

# --- matrix products ---------------------------------------------------------------------------------------------

for name, sa, sb in [("matmul", (1, 5, 7), (7, 3)), ("matmul-batch", (1, 2, 3, 4), (2, 4, 40)),
                     ("matmul-vector", (1, 9), (9,)), ("matmul-3d", (1, 6, 3), (1, 3, 70))]:
    a, b = floats(*sa), floats(*sb)
    y = np.matmul(a.astype(np.float64), b)
    case(name + "-float", "nn.matmul(%x, %w)", {"x": (ftype(*sa), a)}, [y.astype(F32)], [ftype(*y.shape)],
         {"w": (ftype(*sb), b)}, tol=1e-6)
    a, b = ints(-8, 7, *sa), ints(-3, 3, *sb)
    y = a @ b
    cols = b.reshape(-1, 1) if b.ndim == 1 else np.moveaxis(b, -2, 0).reshape(b.shape[-2], -1)
    lo, hi = sum_range(cols.T, -8, 7)
    case(name + "-integer", "nn.matmul(%x, %w)", {"x": ("i4" + dims(a), a)}, [y], [bits(lo, hi) + dims(y)],
         {"w": ("i3" + dims(b), b)})
a, b = ints(-3, 3, 1, 4, 6), ints(0, 15, 1, 6, 2)
case("matmul-left-constant", "nn.matmul(%w, %x)", {"x": ("u4[1,6,2]", b)}, [a @ b],
     [bits(*sum_range(a[0], 0, 15)) + "[1,4,2]"], {"w": ("i3[1,4,6]", a)})
case("matmul-dynamic", "nn.matmul(%x, %z)", {"x": ("i4[1,4,6]", a), "z": ("u4[1,6,2]", b)}, [a @ b],
     [bits(-8 * 15 * 6, 7 * 15 * 6) + "[1,4,2]"])
a, b, c = floats(1, 6), floats(4, 6), floats(4)
case("gemm-float", "nn.gemm(%x, %w, %c) alpha=0.5 beta=2 trans_b=true", {"x": (ftype(1, 6), a)},
     [(0.5 * (a.astype(np.float64) @ b.T) + 2 * c).astype(F32)], [ftype(1, 4)],
     {"w": (ftype(4, 6), b), "c": (ftype(4), c)}, tol=1e-6)
a, b, c = ints(0, 3, 1, 6), ints(-2, 1, 6, 4), ints(-9, 9, 4)
lo, hi = sum_range(b.T, 0, 3)
case("gemm-integer", "nn.gemm(%x, %w, %c) alpha=2 beta=-3", {"x": ("u2[1,6]", a)}, [2 * (a @ b) - 3 * c],
     [bits(2 * lo - 3 * int(c.max()), 2 * hi - 3 * int(c.min())) + "[1,4]"],
     {"w": ("i2[6,4]", b), "c": ("i5[4]", c)})
a, b = floats(1, 5), floats(1, 3)
case("gemm-trans-a", "nn.gemm(%x, %w) trans_a=true", {"x": (ftype(1, 5), a)}, [(a.T @ b).astype(F32)], [ftype(5, 3)],
     {"w": (ftype(1, 3), b)}, tol=1e-6)

# --- pools -------------------------------------------------------------------------------------------------------


def pool(x, what, kernel, stride=None, pads=None, dilation=None, ceil=False, count_include_pad=False):
    nd = len(kernel)
    stride, dilation, pads = stride or [1] * nd, dilation or [1] * nd, pads or [0] * (2 * nd)
    out = []
    for i in range(nd):
        rest = x.shape[2 + i] + pads[i] + pads[nd + i] - (kernel[i] - 1) * dilation[i] - 1
        n = rest // stride[i] + 1
        if ceil and rest % stride[i] and n * stride[i] < x.shape[2 + i] + pads[i]:
            n += 1
        out.append(n)
    y = np.zeros((*x.shape[:2], *out))
    for o in itertools.product(*map(range, out)):
        picked, count = [], 0
        for t in itertools.product(*map(range, kernel)):
            p = [o[i] * stride[i] - pads[i] + t[i] * dilation[i] for i in range(nd)]
            count += all(p[i] < x.shape[2 + i] + pads[nd + i] for i in range(nd))
            if all(0 <= p[i] < x.shape[2 + i] for i in range(nd)):
                picked.append(x[(slice(None), slice(None), *p)].astype(np.float64))
        v = np.stack(picked) if picked else np.zeros((0, *x.shape[:2]))
        y[(slice(None), slice(None)) + o] = (v.max(0) if what == "max" else
                                             v.sum(0) / (1 if what == "sum" else
                                                         count if count_include_pad else len(picked)))
    return y


POOLS = [("plain", (1, 3, 6, 6), dict(kernel=[2, 2], stride=[2, 2])),
         ("pads", (1, 2, 7, 8), dict(kernel=[3, 3], stride=[2, 2], pads=[1, 1, 1, 1])),
         ("ceil", (1, 2, 7, 8), dict(kernel=[3, 2], stride=[2, 3], ceil=True)),
         ("asymmetric-ceil", (1, 2, 9, 11), dict(kernel=[3, 2], stride=[2, 2], pads=[0, 1, 1, 0], ceil=True)),
         ("dilation", (1, 2, 9, 9), dict(kernel=[3, 3], dilation=[2, 3])),
         ("1d", (1, 3, 17), dict(kernel=[4], stride=[3], pads=[1, 2])),
         ("3d", (1, 2, 4, 5, 6), dict(kernel=[2, 2, 3], stride=[2, 1, 2]))]
for name, xs, kw in POOLS:
    attrs = " ".join(f"{k}={str(v).replace(' ', '').lower()}" for k, v in kw.items())
    x = floats(*xs)
    for what, op in [("max", "maxpool"), ("mean", "avgpool"), ("sum", "sumpool")]:
        y = pool(x, what, **kw).astype(F32)
        case(f"{op}-{name}-float", f"nn.{op}(%x) {attrs}", {"x": (ftype(*xs), x)}, [y], [ftype(*y.shape)], tol=1e-6)
    y = pool(x, "mean", count_include_pad=True, **kw).astype(F32)
    case(f"avgpool-{name}-include", f"nn.avgpool(%x) {attrs} count_include_pad=true", {"x": (ftype(*xs), x)}, [y],
         [ftype(*y.shape)], tol=1e-6)
    x = ints(-7, 7, *xs)
    y = pool(x, "max", **kw)
    case(f"maxpool-{name}-integer", f"nn.maxpool(%x) {attrs}", {"x": ("i4<-7..7>" + dims(x), x)}, [y],
         ["i4<-7..7>" + dims(y)])
    y = pool(x, "sum", **kw)
    k = int(np.prod(kw["kernel"]))
    case(f"sumpool-{name}-integer", f"nn.sumpool(%x) {attrs}", {"x": ("i4<-7..7>" + dims(x), x)}, [y],
         [bits(-7 * k, 7 * k) + dims(y)])
    if len(xs) == 4:
        xl, yl = x.transpose(0, 2, 3, 1), pool(x, "max", **kw).transpose(0, 2, 3, 1)
        case(f"maxpool-{name}-nhwc", f"nn.maxpool(%x) {attrs}", {"x": ("i4<-7..7>" + dims(xl) + "NHWC", xl)}, [yl],
             ["i4<-7..7>" + dims(yl) + "NHWC"])
case("sumpool-few-taps", "nn.sumpool(%x) kernel=[5,5] pads=[2,2,2,2]", {"x": ("u4[1,1,3,3]", ints(0, 15, 1, 1, 3, 3))},
     None, ["u8<0..135>[1,1,3,3]"])
CASES[-1] = (*CASES[-1][:3], [pool(CASES[-1][2]["x"], "sum", [5, 5], pads=[2, 2, 2, 2])], 0.0)
x = floats(1, 3, 4, 5)
case("global_avgpool", "nn.global_avgpool(%x)", {"x": (ftype(1, 3, 4, 5), x)},
     [x.astype(np.float64).mean((2, 3), keepdims=True)], [ftype(1, 3, 1, 1)], tol=1e-6)
case("global_maxpool", "nn.global_maxpool(%x)", {"x": (ftype(1, 3, 4, 5), x)}, [x.max((2, 3), keepdims=True)],
     [ftype(1, 3, 1, 1)])
case("global_sumpool", "nn.global_sumpool(%x)", {"x": (ftype(1, 3, 4, 5), x)},
     [x.astype(np.float64).sum((2, 3), keepdims=True)], [ftype(1, 3, 1, 1)], tol=1e-5)
x = ints(0, 15, 1, 4, 5, 3)
case("global_sumpool-nhwc", "nn.global_sumpool(%x)", {"x": ("u4[1,4,5,3]NHWC", x)}, [x.sum((1, 2), keepdims=True)],
     ["u9<0..300>[1,1,1,3]NHWC"])
case("global_avgpool-integers", "nn.global_avgpool(%x)", {"x": ("u4[1,4,5,3]NHWC", x)}, [x.mean((1, 2), keepdims=True)],
     ["f32[1,1,1,3]NHWC"], tol=1e-6)

# --- softmax, normalisation --------------------------------------------------------------------------------------

x = floats(1, 4, 6)


def softmax(v, axis):
    v = np.exp(v.astype(np.float64) - v.max(axis, keepdims=True))
    return v / v.sum(axis, keepdims=True)


for axis in (-1, 1):
    case(f"softmax{axis}", f"nn.softmax(%x) axis={axis}", {"x": (ftype(1, 4, 6), x)}, [softmax(x, axis)],
         [ftype(1, 4, 6)], tol=1e-7)
    case(f"log_softmax{axis}", f"nn.log_softmax(%x) axis={axis}", {"x": (ftype(1, 4, 6), x)},
         [np.log(softmax(x, axis))], [ftype(1, 4, 6)], tol=1e-6)
g, be, mu, va = floats(4), floats(4), floats(4), np.abs(floats(4))
par = {"g": (ftype(4), g), "b": (ftype(4), be), "m": (ftype(4), mu), "v": (ftype(4), va)}


def batchnorm(v, axis):
    s = [1] * v.ndim
    s[axis] = -1
    r = [p.astype(np.float64).reshape(s) for p in (g, be, mu, va)]
    return (r[0] * (v - r[2]) / np.sqrt(r[3] + float(F32(1e-5))) + r[1]).astype(F32)


case("batchnorm", "nn.batchnorm(%x, %g, %b, %m, %v)", {"x": (ftype(1, 4, 6), x)}, [batchnorm(x, 1)], [ftype(1, 4, 6)],
     par)
xl = floats(1, 3, 2, 4)
case("batchnorm-nhwc", "nn.batchnorm(%x, %g, %b, %m, %v)", {"x": ("f32[1,3,2,4]NHWC", xl)}, [batchnorm(xl, 3)],
     ["f32[1,3,2,4]NHWC"], par)
sc, bi = floats(6), floats(6)
x64 = x.astype(np.float64)
ln = (x64 - x64.mean(-1, keepdims=True)) / np.sqrt(x64.var(-1, keepdims=True) + 1e-5)
case("layer_norm", "nn.layer_norm(%x, %s, %b)", {"x": (ftype(1, 4, 6), x)}, [ln * sc + bi], [ftype(1, 4, 6)],
     {"s": (ftype(6), sc), "b": (ftype(6), bi)}, tol=1e-6)
ln = (x64 - x64.mean((1, 2), keepdims=True)) / np.sqrt(x64.var((1, 2), keepdims=True) + 1e-5)
case("layer_norm-two-axes", "nn.layer_norm(%x, %s) axis=1", {"x": (ftype(1, 4, 6), x)}, [ln * sc], [ftype(1, 4, 6)],
     {"s": (ftype(6), sc)}, tol=1e-6)

# --- shapes ------------------------------------------------------------------------------------------------------

x = ints(-8, 7, 1, 4, 6, 5)
XT = {"x": ("i4[1,4,6,5]", x)}
case("reshape", "nn.reshape(%x) shape=[1,120]", XT, [x.reshape(1, 120)], ["i4[1,120]"])
case("reshape-relabels", "nn.reshape(%x) shape=[1,4,6,5]", {"x": ("i4[1,4,6,5]NHWC", x)}, [x], ["i4[1,4,6,5]"])
case("reshape-layout", "nn.reshape(%x) shape=[1,6,20] layout=NWC", XT, [x.reshape(1, 6, 20)], ["i4[1,6,20]NWC"])
case("transpose-nhwc", "nn.transpose(%x) perm=[0,2,3,1]", XT, [x.transpose(0, 2, 3, 1)], ["i4[1,6,5,4]NHWC"])
case("transpose-nchw", "nn.transpose(%x) perm=[0,3,1,2]", {"x": ("i4[1,4,6,5]NHWC", x)}, [x.transpose(0, 3, 1, 2)],
     ["i4[1,5,4,6]"])
case("transpose-hw", "nn.transpose(%x) perm=[0,2,1,3]", {"x": ("i4[1,4,6,5]NHWC", x)}, [x.transpose(0, 2, 1, 3)],
     ["i4[1,6,4,5]NHWC"])
case("transpose-any", "nn.transpose(%x) perm=[3,1,0,2]", XT, [x.transpose(3, 1, 0, 2)], ["i4[5,4,1,6]"])
case("transpose-nwc", "nn.transpose(%x) perm=[0,2,1]", {"x": ("u2[1,3,4]", ints(0, 3, 1, 3, 4))}, None,
     ["u2[1,4,3]NWC"])
CASES[-1] = (*CASES[-1][:3], [CASES[-1][2]["x"].transpose(0, 2, 1)], 0.0)
e = ints(0, 3, 1, 3, 1)
case("expand", "nn.expand(%x) shape=[2,3,4]", {"x": ("u2[1,3,1]", e)}, [np.broadcast_to(e, (2, 3, 4))], ["u2[2,3,4]"])
case("expand-rank", "nn.expand(%x) shape=[1,1,3,4]", {"x": ("u2[1,3,1]", e)}, [np.broadcast_to(e, (1, 1, 3, 4))],
     ["u2[1,1,3,4]"])
t3 = ints(0, 3, 1, 3, 2)
case("tile", "nn.tile(%x) repeats=[2,1,3]", {"x": ("u2[1,3,2]", t3)}, [np.tile(t3, (2, 1, 3))], ["u2[2,3,6]"])
y2 = ints(0, 3, 1, 2, 6, 5)
case("concat", "nn.concat(%x, %z, %x) axis=1", {**XT, "z": ("u2[1,2,6,5]", y2)}, [np.concatenate([x, y2, x], 1)],
     ["i4[1,10,6,5]"])
case("concat-hull", "nn.concat(%x, %z) axis=-1",
     {"x": ("u2[1,3]", ints(0, 3, 1, 3)), "z": ("i2[1,3]", ints(-2, 1, 1, 3))},
     None, ["i3<-2..3>[1,6]"])
CASES[-1] = (*CASES[-1][:3], [np.concatenate([CASES[-1][2]["x"], CASES[-1][2]["z"]], 1)], 0.0)
case("concat-mixed", "nn.concat(%x, %z) axis=1", {"x": ("u2[1,3]", ints(0, 3, 1, 3)), "z": (ftype(1, 2), floats(1, 2))},
     None, [ftype(1, 5)])
CASES[-1] = (*CASES[-1][:3], [np.concatenate([CASES[-1][2]["x"].astype(F32), CASES[-1][2]["z"]], 1)], 0.0)
case("split", "nn.split(%x) axis=2 parts=[1,3,2]", XT, np.split(x, [1, 4], 2),
     ["i4[1,4,1,5]", "i4[1,4,3,5]", "i4[1,4,2,5]"])
case("slice", "nn.slice(%x) starts=[1,5] ends=[4,-1] axes=[1,2] steps=[2,-2]", XT, [x[:, 1:4:2, 5::-2]],
     ["i4[1,2,3,5]"])
idx = np.array([[3, 0], [-1, 1]])
case("gather", "nn.gather(%x, %i) axis=1", XT, [np.take(x, idx, 1)], ["i4[1,2,2,6,5]"], {"i": ("i3[2,2]", idx)})
case("gather-scalar", "nn.gather(%x, %i) axis=2", XT, [x[:, :, 4]], ["i4[1,4,5]"], {"i": ("u3[]", 4)})
case("gather-dynamic", "nn.gather(%t, %x)", {"x": ("u2[1,5]", np.array([[0, 3, 1, 2, 2]]))},
     [np.array([[5, -3, 7, 0, 0]])], ["i4[1,5]"], {"t": ("i4[4]", np.array([5, 7, 0, -3]))})
P4 = [(0, 0), (0, 0), (1, 2), (3, 0)]
PA = "pads=[0,0,1,3,0,0,2,0]"
case("pad-zero", f"nn.pad(%x) {PA}", XT, [np.pad(x, P4)], ["i4[1,4,9,8]"])
case("pad-value", f"nn.pad(%x, %v) {PA}", XT, [np.pad(x, P4, constant_values=11)], ["i5<-8..11>[1,4,9,8]"],
     {"v": ("f32[]", 11.0)})
case("pad-half", f"nn.pad(%x, %v) {PA}", XT, [np.pad(x.astype(F32), P4, constant_values=0.5)], [ftype(1, 4, 9, 8)],
     {"v": ("f32[]", 0.5)})
case("pad-bipolar", "nn.pad(%x) pads=[0,1,0,0]", {"x": ("bip[1,4]", BIP.reshape(1, 4))},
     [np.pad(BIP.reshape(1, 4), [(0, 0), (1, 0)])], ["i2<-1..1>[1,5]"])
pc = np.stack([np.pad(x[0, c], P4[2:], constant_values=c - 2) for c in range(4)])[None]
case("pad-per-channel", f"nn.pad(%x, %v) {PA}", XT, [pc], ["i4[1,4,9,8]"], {"v": ("i2[4]", np.array([-2, -1, 0, 1]))})
case("pad-reflect", f"nn.pad(%x) {PA} mode=reflect", XT, [np.pad(x, P4, mode="reflect")], ["i4[1,4,9,8]"])
case("pad-edge", f"nn.pad(%x) {PA} mode=edge", XT, [np.pad(x, P4, mode="edge")], ["i4[1,4,9,8]"])
case("pad-wrap", f"nn.pad(%x) {PA} mode=wrap", XT, [np.pad(x, P4, mode="wrap")], ["i4[1,4,9,8]"])
case("pad-cut", "nn.pad(%x) pads=[0,0,-2,1,0,0,0,-1]", XT, [np.pad(x[:, :, 2:, :4], [(0, 0)] * 3 + [(1, 0)])],
     ["i4[1,4,4,5]"])
d = ints(-8, 7, 1, 8, 2, 3)
dcr = d.reshape(1, 2, 2, 2, 2, 3).transpose(0, 3, 4, 1, 5, 2).reshape(1, 2, 4, 6)
crd = d.reshape(1, 2, 2, 2, 2, 3).transpose(0, 1, 4, 2, 5, 3).reshape(1, 2, 4, 6)
case("depth_to_space-dcr", "nn.depth_to_space(%x) block=2", {"x": ("i4[1,8,2,3]", d)}, [dcr], ["i4[1,2,4,6]"])
case("depth_to_space-crd", "nn.depth_to_space(%x) block=2 mode=CRD", {"x": ("i4[1,8,2,3]", d)}, [crd], ["i4[1,2,4,6]"])
case("depth_to_space-nhwc", "nn.depth_to_space(%x) block=2", {"x": ("i4[1,2,3,8]NHWC", d.transpose(0, 2, 3, 1))},
     [dcr.transpose(0, 2, 3, 1)], ["i4[1,4,6,2]NHWC"])
case("space_to_depth", "nn.space_to_depth(%x) block=2", {"x": ("i4[1,2,4,6]", dcr)}, [d], ["i4[1,8,2,3]"])

# --- resize ------------------------------------------------------------------------------------------------------


def resize(x, sizes, mode="nearest", coord="half_pixel", nearest="round_prefer_floor", scales=None, a=-0.75):
    y = x.astype(np.float64)
    for axis, (n, m) in enumerate(zip(x.shape, sizes)):
        s = scales[axis] if scales else m / n
        if n == m and s == 1:
            continue
        rows = []
        for o in range(m):
            p = {"half_pixel": (o + 0.5) / s - 0.5, "asymmetric": o / s,
                 "align_corners": o * (n - 1) / (m - 1) if m > 1 else 0,
                 "pytorch_half_pixel": (o + 0.5) / s - 0.5 if m > 1 else 0, "tf_half_pixel_for_nn": (o + 0.5) / s,
                 "half_pixel_symmetric": (o + 0.5) / s - 0.5 + n / 2 * (1 - m / (s * n))}[coord]
            f = math.floor(p)
            t = p - f
            if mode == "nearest":
                w = {{"round_prefer_floor": math.ceil(p - 0.5), "round_prefer_ceil": math.floor(p + 0.5), "floor": f,
                      "ceil": math.ceil(p)}[nearest]: 1.0}
            elif mode == "linear":
                w = {f: 1 - t, f + 1: t}
            else:
                def k(v):
                    v = abs(v)
                    return ((a + 2) * v**3 - (a + 3) * v**2 + 1 if v <= 1 else
                            a * v**3 - 5 * a * v**2 + 8 * a * v - 4 * a if v < 2 else 0)
                w = {f + i: k(t - i) for i in (-1, 0, 1, 2)}
            rows.append(sum(v * np.take(y, min(max(i, 0), n - 1), axis) for i, v in w.items()))
        y = np.stack(rows, axis)
    return y


x = floats(1, 2, 4, 5)
for coord in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "tf_half_pixel_for_nn",
              "half_pixel_symmetric"):
    for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        sizes = [1, 2, 7, 10]
        case(f"resize-nearest-{coord}-{nearest}",
             f"nn.resize(%x) sizes={str(sizes).replace(' ', '')} coord={coord} nearest={nearest}",
             {"x": (ftype(1, 2, 4, 5), x)}, [resize(x, sizes, coord=coord, nearest=nearest)], [ftype(*sizes)])
    for mode in ("linear", "cubic"):
        sizes = [1, 2, 7, 3]
        case(f"resize-{mode}-{coord}", f"nn.resize(%x) sizes={str(sizes).replace(' ', '')} mode={mode} coord={coord}",
             {"x": (ftype(1, 2, 4, 5), x)}, [resize(x, sizes, mode, coord)], [ftype(*sizes)], tol=1e-6)
case("resize-scales", "nn.resize(%x) sizes=[1,2,10,5] mode=linear scales=[1.0,1.0,2.6,1.0]",
     {"x": (ftype(1, 2, 4, 5), x)}, [resize(x, [1, 2, 10, 5], "linear", scales=[1, 1, 2.6, 1])], [ftype(1, 2, 10, 5)],
     tol=1e-6)
xi = ints(-8, 7, 1, 2, 3, 3)
case("resize-integers", "nn.resize(%x) sizes=[1,2,6,9] coord=asymmetric nearest=floor", {"x": ("i4[1,2,3,3]", xi)},
     [xi.repeat(2, 2).repeat(3, 3)], ["i4[1,2,6,9]"])

# --- reductions, order -------------------------------------------------------------------------------------------

x, xi = floats(1, 3, 4, 5), ints(-8, 7, 1, 3, 4, 5)
for op, f in {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}.items():
    case(f"reduce_{op}", f"nn.reduce_{op}(%x) axes=[-1,1]", {"x": (ftype(1, 3, 4, 5), x)},
         [f(x.astype(np.float64), axis=(1, 3), keepdims=True)], [ftype(1, 1, 4, 1)], tol=1e-6)
    case(f"reduce_{op}-drop", f"nn.reduce_{op}(%x) axes=[2,3] keepdims=false", {"x": (ftype(1, 3, 4, 5), x)},
         [f(x.astype(np.float64), axis=(2, 3))], [ftype(1, 3)], tol=1e-6)
    t = {"mean": "f32", "sum": "i9<-160..140>"}.get(op, "i4")
    case(f"reduce_{op}-integers", f"nn.reduce_{op}(%x) axes=[2,3]", {"x": ("i4[1,3,4,5]", xi)},
         [f(xi, axis=(2, 3), keepdims=True)], [t + "[1,3,1,1]"], tol=1e-6)
case("reduce_sum-all", "nn.reduce_sum(%x) keepdims=false", {"x": ("i4[1,3,4,5]", xi)}, [np.array(xi.sum())],
     ["i10<-480..420>[]"])
v = np.array([[3, 5, 5, 1, 5, 3, 0, 1]])
case("argmax", "nn.argmax(%x) axis=1", {"x": ("u3[1,8]", v)}, [[[1]]], ["u3[1,1]"])
case("argmax-last", "nn.argmax(%x) axis=-1 keepdims=false select_last=true", {"x": ("u3[1,8]", v)}, [[4]], ["u3[1]"])
xa = ints(0, 3, 1, 5, 4)
case("argmax-middle", "nn.argmax(%x) axis=1 keepdims=false", {"x": ("u2[1,5,4]", xa)}, [xa.argmax(1)],
     ["u3<0..4>[1,4]"])
case("topk", "nn.topk(%x) k=5", {"x": ("u3[1,8]", v)}, [[[5, 5, 5, 3, 3]], [[1, 2, 4, 0, 5]]], ["u3[1,5]", "u3[1,5]"])
case("topk-smallest", "nn.topk(%x) k=4 largest=false", {"x": ("u3[1,8]", v)}, [[[0, 1, 1, 3]], [[6, 3, 7, 0]]],
     ["u3[1,4]", "u3[1,4]"])
xf = floats(1, 6, 3)
order = np.argsort(-xf, axis=1, kind="stable")[:, :2]
case("topk-axis", "nn.topk(%x) k=2 axis=1", {"x": (ftype(1, 6, 3), xf)},
     [np.take_along_axis(xf, order, 1), order], [ftype(1, 2, 3), "u3<0..5>[1,2,3]"])
