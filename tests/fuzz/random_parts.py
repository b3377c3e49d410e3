"""random_parts.py: values, constants and quantisers of random networks, as text of the IR."""
import random
import struct

ROUNDINGS = ["round", "round", "round", "ceil", "floor", "up", "down", "half_up", "half_down", "dpu"]


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def num(x):
    return "%.9g" % f32(x) if isinstance(x, float) else str(x)


class Text(str):
    """A shape that is written already, with its layout."""


def shape_text(shape):
    return shape if isinstance(shape, Text) else "[" + ",".join(map(str, shape)) + "]"


def count(shape):
    n = 1
    for d in shape:
        n *= d
    return n


def int_type(lo, hi):
    """Smallest integer element for lo..hi, with its interval where that is narrower."""
    if lo >= 0:
        bits = max(1, hi.bit_length())
        full, name = (0, (1 << bits) - 1), f"u{bits}"
    else:
        bits = 1 + max(hi.bit_length(), (-lo - 1).bit_length())
        full, name = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1), f"i{bits}"
    return name if (lo, hi) == full else f"{name}<{lo}..{hi}>"


class Value:
    def __init__(self, name, shape, kind="affine", mag=1.0, small=True, depth=0):
        self.name, self.shape, self.mag = name, list(shape), mag
        self.kind = kind    # affine, monotone, or any function of integers
        self.small = small  # few integers: a sum of unrelated scales is checked pair by pair
        self.depth = depth  # layers and joins since the last quantiser
        self.border = False  # padded: offsets may differ near the border

    def like(self, **change):
        v = Value(self.name, self.shape, self.kind, self.mag, self.small, self.depth)
        v.border = self.border
        v.__dict__.update(change)
        return v


class Parts:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines, self.n, self.outputs = [], 0, []
        self.dyadic = self.r.random() < 0.5
        self.exact = self.dyadic  # no operator rounds
        self.aside = []  # values for later joins

    # --- text

    def fresh(self):
        self.n += 1
        return f"%t{self.n}"

    def const(self, shape, data, elem="f32"):
        name = self.fresh()
        data = [f32(float(x)) for x in data] if elem == "f32" else data
        self.lines.append(f"{name}: {elem}{shape_text(shape)} = [{','.join(num(x) for x in data)}]")
        return name

    def op(self, op, args, shape, elem="f32", /, **attrs):
        name = self.fresh()

        def text(v):
            return str(v).lower() if isinstance(v, bool) else shape_text(v) if isinstance(v, list) else num(v)
        extra = "".join(f" {k}={text(v)}" for k, v in attrs.items())
        self.lines.append(f"{name}: {elem}{shape_text(shape)} = {op}({', '.join(args)}){extra}")
        return name

    # --- numbers

    def chance(self, p):
        return self.r.random() < p

    def number(self, size):
        """A scale or offset of about this size."""
        size = max(size, 1e-6)
        if self.dyadic:
            unit = 2.0 ** (len(bin(int(size * 64))) - 9)
            return unit * self.r.choice([1, 1, 1, 2, 3, 4, 5, 0.5])
        return f32(size * self.r.uniform(0.5, 2.0))

    def divisor(self):
        """One whose reciprocal has few bits, if the others have."""
        return self.r.choice([0.25, 0.5, 1.0, 2.0]) if self.dyadic else self.factor()

    def signed(self, size):
        return self.number(size) * self.r.choice([1, 1, -1])

    def factor(self):
        if self.dyadic:
            return self.r.choice([0.25, 0.5, 1.0, 2.0, 1.5, 0.75])
        return f32(self.r.uniform(0.1, 2.0))

    def channel(self, v):
        """Shape of a constant: a scalar, or one element for each channel."""
        if self.chance(0.4):
            return []
        if len(v.shape) == 2:
            return self.r.choice([[1, v.shape[1]], [v.shape[1]]])
        return [1, v.shape[1]] + [1] * (len(v.shape) - 2)

    def per_channel(self, v, make, shape=None):
        shape = self.channel(v) if shape is None else shape
        return self.const(shape, [make() for _ in range(count(shape))])

    # --- quantisers

    def quant(self, v, bits=None, plain=False):
        kind = self.r.random()
        if kind < 0.08:
            s = self.number(1.0)
            return v.like(name=self.op("q.bipolar_quant", [v.name, self.const([], [s])], v.shape), kind="affine",
                          mag=s, small=True, depth=0, border=False)
        if kind < 0.2:
            return self.multithreshold(v)
        bits = bits or self.r.choice([1, 2, 2, 3, 4, 4, 5, 6, 8])
        signed = self.chance(0.5)
        rounding = self.r.choice(ROUNDINGS)
        if signed and bits == 1:
            qmin, qmax, rounding = -1, 1, "sign"
        elif signed:
            qmin, qmax = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
            qmin += self.chance(0.4)
        else:
            qmin, qmax = 0, (1 << bits) - 1
            qmax -= bits > 1 and self.chance(0.3)
        shape = self.channel(v) if self.chance(0.4) and not plain else []
        s = self.const(shape, [abs(self.number(v.mag / max(qmax, 1))) for _ in range(count(shape))])
        zero = 0
        if rounding != "sign" and not plain and self.chance(0.25):
            zero = self.r.choice([0, 1, qmin, qmax, (qmin + qmax) // 2, 0.5 if self.chance(0.2) else 0])
        attrs = {"round_before_zp": True} if self.chance(0.1) and rounding != "sign" and zero == int(zero) else {}
        if rounding != "round":
            attrs = {"rounding": rounding, **attrs}
        if zero and self.chance(0.3):
            zs = self.per_channel(v, lambda: float(self.r.choice([0, 1, zero])), shape)
        else:
            zs = self.const([], [zero])
        name = self.op("q.quant", [v.name, s, zs], v.shape, qmin=qmin, qmax=qmax, **attrs)
        return v.like(name=name, kind="affine", mag=max(v.mag, 0.1), small=True, depth=0, border=False)

    def multithreshold(self, v):
        k = self.r.choice([1, 1, 2, 3, 7, 15])
        rows = self.r.choice([1, v.shape[1]])
        t = []
        for _ in range(rows):
            t += sorted(f32(self.r.uniform(-1, 1) * v.mag if not self.dyadic else
                            self.number(v.mag) * self.r.randint(-8, 8) / 4) for _ in range(k))
        args = [v.name, self.const([rows, k], t)]
        if rows > 1 and self.chance(0.2):
            args.append(self.const([rows], [self.r.choice([1, -1]) for _ in range(rows)], "bip"))
        bias, scale = self.r.choice([(0, 1), (0, 1), (-(k + 1) // 2, 1), (-1, 2)])
        elem = "bip" if (k, bias, scale) == (1, -1, 2) else int_type(bias, bias + scale * k)
        attrs = {**({"out_bias": bias} if bias else {}), **({"out_scale": scale} if scale != 1 else {})}
        y = self.op("q.multithreshold", args, v.shape, elem, **attrs)
        s = self.factor()
        y = self.op("nn.mul", [y, self.const([], [s])], v.shape)
        return v.like(name=y, kind="affine", mag=s * (scale * k + abs(bias)), small=True, depth=0,
                      border=False)

    def weights(self, shape, axis):
        """Quantised weights; codes of a few bits, one scale or one for each output channel."""
        n = count(shape)
        per = [1] * len(shape)
        if self.chance(0.4):
            per[axis] = shape[axis]
        elif self.chance(0.7):
            per = []
        scales = [abs(self.number(0.3)) for _ in range(count(per))]
        kind = self.r.random()
        if kind < 0.12:
            return self.const(shape, [float(self.r.randint(-3, 3)) for _ in range(n)])
        w = self.const(shape, [self.r.gauss(0, 0.6) for _ in range(n)])
        if kind < 0.25:
            return self.op("q.bipolar_quant", [w, self.const([], scales[:1])], shape)
        bits = self.r.choice([1, 2, 3, 4, 8])
        qmin, qmax = (-(1 << (bits - 1)) + self.chance(0.5), (1 << (bits - 1)) - 1) if bits > 1 else (-1, 1)
        attrs = {"rounding": "sign"} if bits == 1 else {}
        zero = float(self.r.choice([1, -1])) if bits > 1 and self.chance(0.1) else 0.0
        return self.op("q.quant", [w, self.const(per, scales), self.const([], [zero])], shape, qmin=qmin, qmax=qmax,
                       **attrs)
