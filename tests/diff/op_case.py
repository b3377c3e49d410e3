"""op_case.py: one case of ops.py: a graph in text form, inputs and expected results."""
import math
import sys

try:
    import numpy as np
except ImportError:
    print("skip: numpy is not installed")
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)

RNG = np.random.default_rng(7)
CASES = []
F32 = np.float32


def lit(v):
    """A constant as the IR writes it."""
    def one(x):
        if isinstance(x, (float, np.floating)):
            return repr(float(x)) if math.isfinite(x) else ("nan" if math.isnan(x) else "inf" if x > 0 else "-inf")
        return str(int(x))
    return "[" + ",".join(one(x) for x in np.asarray(v).reshape(-1)) + "]"


def shape_of(t):
    body = t[t.index("[") + 1:t.index("]")]
    return tuple(int(d) for d in body.split(",")) if body else ()


def case(name, call, inputs, want, outs, consts=(), tol=0.0):
    """inputs: {"x": (type, array)}; consts: {"w": (type, array)}; outs: types; want: arrays."""
    consts = dict(consts)
    names = [f"y{i}" for i in range(len(outs))]
    lines = [f"  %{k}: {t} = {lit(a)}" for k, (t, a) in consts.items()]
    lines.append("  " + ", ".join(f"%{n}: {t}" for n, t in zip(names, outs)) + f" = {call}")
    params = ", ".join(f"%{k}: {t}" for k, (t, a) in inputs.items())
    text = (f"nashc 1\n\ngraph @main({params}) -> ({', '.join('%' + n for n in names)}) {{\n" + "\n".join(lines) +
            "\n}\n")
    for k, (t, a) in {**inputs, **consts}.items():
        assert np.asarray(a).size == int(np.prod(shape_of(t))), (name, k, t, np.asarray(a).shape)
    CASES.append((name, text, {k: np.asarray(a) for k, (t, a) in inputs.items()}, want, tol))


def floats(*shape, scale=4.0):
    return (RNG.uniform(-scale, scale, shape)).astype(F32)


def ints(lo, hi, *shape):
    return RNG.integers(lo, hi + 1, shape)


def ftype(*shape):
    return "f32[" + ",".join(map(str, shape)) + "]"


def bits(lo, hi):
    """Element and interval that infer gives to lo..hi."""
    if lo >= 0:
        n = max(1, int(hi).bit_length())
        return f"u{n}" + ("" if (lo, hi) == (0, 2**n - 1) else f"<{lo}..{hi}>")
    n = 1 + max(int(hi).bit_length(), int(-lo - 1).bit_length()) if hi >= 0 else 1 + int(-lo - 1).bit_length()
    return f"i{n}" + ("" if (lo, hi) == (-2**(n - 1), 2**(n - 1) - 1) else f"<{lo}..{hi}>")
