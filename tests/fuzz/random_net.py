"""random_net.py: random quantised networks as text of the IR, one for each seed.

What is made keeps to what streamlining promises: layers, joins and average pools read values that are affine in
integers; behind a non-linear function comes a quantiser, and behind a layer or two as well."""
from random_parts import Parts, Text, Value, count, int_type, shape_text


class Net(Parts):
    # --- layers

    def grown(self, v, name, shape, k):
        return Value(name, shape, "affine", max(0.2, v.mag * 0.4 * k ** 0.5), False, v.depth + 1).like(border=v.border)

    def conv(self, v):
        _, c, h, w = v.shape
        group = self.r.choice([1, 1, 1, c, self.r.choice([g for g in (1, 2, 3) if c % g == 0])])
        oc = group * self.r.choice([1, 1, 2]) if group > 1 else self.r.randint(1, 5)
        k = [self.r.randint(1, min(3, h)), self.r.randint(1, min(3, w))]
        stride = [self.r.choice([1, 1, 2]), self.r.choice([1, 1, 2])] if self.chance(0.4) else [1, 1]
        pads = [0, 0, 0, 0]
        if self.chance(0.5):
            pads = [self.r.randint(0, k[0] - 1), self.r.randint(0, k[1] - 1), self.r.randint(0, k[0] - 1),
                    self.r.randint(0, k[1] - 1)]
        dil = [2, 1] if self.chance(0.1) and 2 * k[0] - 1 <= h else [1, 1]
        out = [(d + pads[i] + pads[i + 2] - dil[i] * (k[i] - 1) - 1) // stride[i] + 1 for i, d in enumerate((h, w))]
        args = [v.name, self.weights([oc, c // group] + k, 0)]
        if self.chance(0.3):
            args.append(self.const([oc], [self.signed(v.mag) for _ in range(oc)]))
        attrs = {}
        for key, value, default in (("stride", stride, [1, 1]), ("pads", pads, [0] * 4), ("dilation", dil, [1, 1])):
            if value != default:
                attrs[key] = value
        if group > 1:
            attrs["group"] = group
        y = self.grown(v, self.op("nn.conv", args, [1, oc] + out, **attrs), [1, oc] + out, c // group * k[0] * k[1])
        return y.like(border=v.border or "pads" in attrs)

    def deconv(self, v):
        _, c, h, w = v.shape
        group = self.r.choice([1, 1, c])
        oc = c if group > 1 else self.r.randint(1, 4)
        k = [self.r.randint(1, 3), self.r.randint(1, 3)]
        stride = [self.r.choice([1, 2]), self.r.choice([1, 2, 3])]
        pads = [self.r.randint(0, (k[i % 2] - 1) // 2) for i in range(4)] if self.chance(0.5) else [0] * 4
        more = [self.r.randint(0, s - 1) for s in stride] if self.chance(0.3) else [0, 0]
        out = [s * (d - 1) + a + e - pads[i] - pads[i + 2]
               for i, (d, s, a, e) in enumerate(zip((h, w), stride, k, more))]
        attrs = {"stride": stride}
        for key, value in (("pads", pads), ("output_padding", more)):
            if any(value):
                attrs[key] = value
        if group > 1:
            attrs["group"] = group
        args = [v.name, self.weights([c, oc // group] + k, 1)]
        if self.chance(0.3):
            args.append(self.const([oc], [self.signed(v.mag) for _ in range(oc)]))
        y = self.op("nn.conv_transpose", args, [1, oc] + out, **attrs)
        return self.grown(v, y, [1, oc] + out, c // group * k[0] * k[1]).like(border=True)

    def dense(self, v):
        f, o = v.shape[1], self.r.randint(1, 8)
        if self.chance(0.6):
            y = self.op("nn.matmul", [v.name, self.weights([f, o], 1)], [v.shape[0], o])
            return self.grown(v, y, [v.shape[0], o], f)
        attrs = {}
        if self.chance(0.3):
            attrs["alpha"] = self.factor()
        trans = self.chance(0.5)
        args = [v.name, self.weights([o, f] if trans else [f, o], 0 if trans else 1)]
        if self.chance(0.6):
            args.append(self.const(self.r.choice([[o], [1, o]]), [self.signed(v.mag) for _ in range(o)]))
            if self.chance(0.3):
                attrs["beta"] = self.factor()
        if trans:
            attrs["trans_b"] = True
        return self.grown(v, self.op("nn.gemm", args, [v.shape[0], o], **attrs), [v.shape[0], o], f)

    # --- element by element

    def affine_op(self, v):
        kind = self.r.choice(["mul", "mul", "div", "add", "add", "sub", "rsub", "bn", "neg", "identity"])
        if kind in ("neg", "identity"):
            return v.like(name=self.op("nn." + kind, [v.name], v.shape))
        if kind == "bn":
            c = [v.shape[1]]
            gamma = self.per_channel(v, lambda: self.r.choice([0.0, 0.5, 1.0, -0.5, self.factor(), -self.factor()]), c)
            args = [v.name, gamma, self.per_channel(v, lambda: self.signed(v.mag / 2), c),
                    self.per_channel(v, lambda: self.signed(v.mag / 2), c),
                    self.per_channel(v, lambda: self.divisor() ** 2, c)]
            attrs = {"eps": 0} if self.dyadic else {}
            return v.like(name=self.op("nn.batchnorm", args, v.shape, **attrs), mag=v.mag * 1.5)
        if kind in ("mul", "div"):
            size = self.divisor if kind == "div" else self.factor
            c = self.per_channel(v, lambda: size() * self.r.choice([1, 1, 1, -1]))
            args = [v.name, c] if kind == "div" or self.chance(0.7) else [c, v.name]
            return v.like(name=self.op("nn." + kind, args, v.shape), mag=v.mag * 1.5)
        c = self.per_channel(v, lambda: self.signed(v.mag / 2))
        args = [c, v.name] if kind == "rsub" or (kind == "add" and self.chance(0.3)) else [v.name, c]
        return v.like(name=self.op("nn." + kind.replace("r", ""), args, v.shape), mag=v.mag * 1.5)

    def activation(self, v):
        kind = self.r.choice(["relu", "relu", "relu", "leaky_relu", "clip", "hardtanh", "sigmoid", "tanh",
                              "hard_sigmoid", "elu", "selu", "softsign", "softplus", "prelu", "minmax", "round",
                              "floor", "ceil", "sign", "abs", "hard_swish", "gelu", "celu", "erf"])
        if kind in ("abs", "hard_swish", "gelu") and not v.small:
            kind = "relu"  # a table needs few integers
        self.exact &= kind in ("relu", "clip", "hardtanh", "prelu", "minmax", "round", "floor", "ceil", "sign", "abs")
        result, mag = "monotone", v.mag
        if kind == "hardtanh":
            y = self.op("nn.clip", [v.name], v.shape, min=-1, max=1)
            mag = min(mag, 1.0)
        elif kind == "clip":
            lo, hi = sorted((self.signed(v.mag), abs(self.number(v.mag))))
            y = self.op("nn.clip", [v.name], v.shape, **self.r.choice([{"min": lo}, {"max": hi},
                                                                       {"min": lo, "max": hi}]))
        elif kind == "prelu":
            y = self.op("nn.prelu", [v.name, self.per_channel(v, self.factor)], v.shape)
        elif kind == "minmax":
            y = self.op(self.r.choice(["nn.min", "nn.max"]),
                        [v.name, self.per_channel(v, lambda: self.signed(v.mag / 2))], v.shape)
        else:
            attrs = {"alpha": self.r.choice([0.125, 0.01, 0.5])} if kind == "leaky_relu" else {}
            y = self.op("nn." + kind, [v.name], v.shape, **attrs)
            if kind in ("abs", "hard_swish", "gelu"):
                result = "any"
            if kind in ("sigmoid", "tanh", "hard_sigmoid", "softsign", "sign", "erf"):
                mag = 1.0
        return v.like(name=y, kind="any" if "any" in (v.kind, result) else result, mag=mag)

    def chain(self, v):
        """Some element-wise operators, then a quantiser where one is needed or wanted."""
        for _ in range(self.r.choice([0, 1, 1, 2, 3])):
            v = self.affine_op(v)
        if self.chance(0.5):
            v = self.activation(v)
            if self.chance(0.3):
                v = self.affine_op(v)
        if len(v.shape) == 4 and v.kind != "any" and not v.border and self.chance(0.2):
            v = self.maxpool(v)
        if v.kind != "affine" or v.depth >= 1 + self.dyadic or self.chance(0.7):
            v = self.quant(v)
        return v

    # --- pools and shapes

    def window(self, v):
        _, c, h, w = v.shape
        k = [self.r.randint(1, min(3, h)), self.r.randint(1, min(3, w))]
        stride = self.r.choice([k, [1, 1], [2, 2], [2, 1]])
        pads = [0] * 4
        if self.chance(0.3):
            pads = [self.r.randint(0, k[i % 2] - 1) for i in range(4)]
        out = [(d + pads[i] + pads[i + 2] - k[i]) // stride[i] + 1 for i, d in enumerate((h, w))]
        attrs = {"kernel": k}
        if stride != [1, 1]:
            attrs["stride"] = stride
        if any(pads):
            attrs["pads"] = pads
        return [1, c] + out, attrs

    def maxpool(self, v):
        if self.chance(0.2):
            shape = v.shape[:2] + [1, 1]
            return v.like(name=self.op("nn.global_maxpool", [v.name], shape), shape=shape)
        shape, attrs = self.window(v)
        return v.like(name=self.op("nn.maxpool", [v.name], shape, **attrs), shape=shape)

    def avgpool(self, v):
        self.exact = False
        attrs = {}
        if self.chance(0.4):
            shape = v.shape[:2] + [1, 1]
            if self.chance(0.3):
                y = self.op("nn.reduce_mean", [v.name], shape, axes=[2, 3])
            else:
                y = self.op("nn.global_avgpool", [v.name], shape)
        else:
            shape, attrs = self.window(v)
            if "pads" in attrs and self.chance(0.5):
                attrs["count_include_pad"] = True
            y = self.op("nn.avgpool", [v.name], shape, **attrs)
        return v.like(name=y, shape=shape, small=False, depth=v.depth + 1, border=v.border or "pads" in attrs)

    def moves(self, v):
        """Ops that only move elements."""
        if len(v.shape) == 2:
            a = next((d for d in (2, 3) if v.shape[1] % d == 0), 1)
            y = self.op("nn.reshape", [v.name], v.shape[:1] + [a, v.shape[1] // a],
                        shape=v.shape[:1] + [a, v.shape[1] // a])
            return v.like(name=self.op("nn.reshape", [y], v.shape, shape=v.shape))
        _, c, h, w = v.shape
        kind = self.r.choice(["transposes", "resize", "pad", "slice", "split", "concat", "d2s"])
        if kind == "transposes":
            perm, back, layout = self.r.choice([([0, 2, 3, 1], [0, 3, 1, 2], "NHWC"), ([0, 1, 3, 2], [0, 1, 3, 2], ""),
                                                ([0, 3, 2, 1], [0, 3, 2, 1], "")])
            shape = [v.shape[i] for i in perm]
            y = self.op("nn.transpose", [v.name], Text(shape_text(shape) + layout), perm=perm)
            if self.chance(0.4):
                y = self.op("nn.mul", [y, self.const([], [self.factor()])], Text(shape_text(shape) + layout))
            return v.like(name=self.op("nn.transpose", [y], v.shape, perm=back))
        if kind == "resize" and h <= 5 and w <= 5:
            shape = [1, c, h * 2, w * 2]
            y = self.op("nn.resize", [v.name], shape, sizes=shape, coord="asymmetric", nearest="floor",
                        scales=[1, 1, 2, 2])
            return v.like(name=y, shape=shape)
        if kind == "pad" and v.kind == "affine":
            p = [self.r.randint(0, 1) for _ in range(4)]
            v = self.quant(v, plain=True)  # zero must lie on its grid
            shape = [1, c, h + p[0] + p[2], w + p[1] + p[3]]
            return v.like(name=self.op("nn.pad", [v.name], shape, pads=[0, 0] + p[:2] + [0, 0] + p[2:]), shape=shape)
        if kind == "slice" and h > 1:
            return v.like(name=self.op("nn.slice", [v.name], [1, c, h - 1, w], starts=[1], ends=[h], axes=[2],
                                       steps=[1]), shape=[1, c, h - 1, w])
        if kind == "split" and c > 1 and v.kind == "affine":
            a = self.r.randint(1, c - 1)
            x, y = self.fresh(), self.fresh()
            self.lines.append(f"{x}: f32{shape_text([1, a, h, w])}, {y}: f32{shape_text([1, c - a, h, w])} = "
                              f"nn.split({v.name}) axis=1 parts=[{a},{c - a}]")
            p, q = v.like(name=x, shape=[1, a, h, w]), v.like(name=y, shape=[1, c - a, h, w])
            return self.concat(self.chain(p) if self.chance(0.4) else p, self.chain_same(q))
        if kind == "concat" and v.kind == "affine" and c <= 4:
            return self.concat(v, self.chain_same(v))
        if kind == "d2s" and c % 4 == 0 and h <= 3 and w <= 3:
            shape = [1, c // 4, h * 2, w * 2]
            v = self.quant(v, plain=True)  # a scale for each channel would be one for each position
            return v.like(name=self.op("nn.depth_to_space", [v.name], shape, block=2), shape=shape)
        return v

    def chain_same(self, v):
        """A branch of the same shape, affine at its end."""
        y = self.quant(self.affine_op(v)) if self.chance(0.7) else v
        if self.chance(0.3):
            y = self.affine_op(y)
        return y

    def concat(self, a, b):
        if a.shape[2:] != b.shape[2:]:
            return a
        args = [a, b] if self.chance(0.7) else [b, a]
        shape = [1, a.shape[1] + b.shape[1]] + a.shape[2:]
        y = self.op("nn.concat", [x.name for x in args], shape, axis=1)
        return Value(y, shape, "affine", max(a.mag, b.mag), a.small and b.small, max(a.depth, b.depth)).like(
            border=a.border or b.border)

    def join(self, v):
        """A residual sum with a value kept aside, or with a second branch of v."""
        other = next((x for x in self.aside if x.shape == v.shape and x.kind == "affine"), None)
        if other is None or self.chance(0.3):
            other = self.quant(self.affine_op(v))  # with v itself the sum might cancel
        if not (v.small and other.small) and not self.dyadic:
            v, other = (x if x.small else self.quant(x) for x in (v, other))
        if other.name == v.name:
            return v
        y = self.sum(v, other)
        return self.longer_sum(v, y) if self.chance(0.35) else y

    def sum(self, a, b):
        op = "nn.sub" if self.chance(0.15) else "nn.add"
        y = self.op(op, [a.name, b.name], a.shape)
        return Value(y, a.shape, "affine", a.mag + b.mag, False, max(a.depth, b.depth) + 1).like(
            border=a.border or b.border)

    def longer_sum(self, v, y):
        """A third and fourth branch with quantisers of their own, and a quantiser behind them all."""
        bits = self.r.choice([2, 3, 4]) if self.dyadic else 3
        for _ in range(self.r.choice([1, 1, 2])):
            if self.chance(0.4):
                y = self.affine_op(y)
            third = self.quant(self.affine_op(v), bits)
            y = self.sum(y, third) if self.chance(0.7) else self.sum(third, y)
        if self.chance(0.3):
            y = self.activation(y)
        return self.quant(y)

    # --- the whole

    def start(self):
        shape = [1, self.r.randint(1, 4), self.r.randint(2, 7), self.r.randint(2, 7)]
        if self.chance(0.3):
            shape = [1, self.r.randint(1, 12)]
        kind = self.r.random()
        if kind < 0.45:
            self.input = ("f32", shape)
            v = Value("%x", shape, "any", 2.0)
            if self.chance(0.2):
                v = self.affine_op(v)
            return self.quant(v, self.r.choice([2, 4, 8]))
        lo, hi = self.r.choice([(0, 255), (-128, 127), (0, 15), (-8, 7), (-2, 1), (-7, 7), (0, 1), (0, 10), (-1, 1)])
        elem = "bip" if (lo, hi) == (-1, 1) else int_type(lo, hi)
        self.input = (elem, shape)
        v = Value("%x", shape, "affine", float(max(hi, -lo)), True, 0)
        s = self.number(2.0 / v.mag)
        return v.like(name=self.op("nn.mul", ["%x", self.const([], [s])], shape), mag=v.mag * s)

    def block(self, v):
        if v.kind != "affine":
            v = self.quant(v)
        kind = self.r.random()
        if v.depth >= 1 + self.dyadic:
            v = self.quant(v)
        if len(v.shape) == 2:
            if kind < 0.6:
                v = self.dense(v)
            elif kind < 0.8:
                v = self.join(v)
            else:
                v = self.moves(v)
        elif kind < 0.5:
            small = v.shape[2] <= 4 and v.shape[3] <= 4
            v = self.deconv(v) if small and self.chance(0.2) else self.conv(v)
        elif kind < 0.65:
            v = self.join(v)
        elif kind < 0.75:
            v = self.moves(v)
        elif kind < 0.83:
            v = self.maxpool(self.quant(v) if v.border else v)
        elif kind < 0.9:
            v = self.avgpool(v)
        else:
            shape = [1, count(v.shape)]
            if shape[1] <= 40:
                v = v.like(name=self.op("nn.reshape", [v.name], shape, shape=shape), shape=shape)
        if self.chance(0.75):
            v = self.chain(v)
        if v.kind == "affine" and self.chance(0.4):
            self.aside.append(v)
        return v

    def tail(self, v):
        kind = self.r.random()
        if kind < 0.3 or len(v.shape) == 4:
            if self.chance(0.4):
                v = self.affine_op(v)
            if self.chance(0.2):
                v = self.activation(v)
            return v.name
        n = v.shape[1]
        if kind < 0.45:
            return self.op("nn.softmax", [v.name], v.shape)
        if v.kind != "affine" or v.depth > 1:
            v = self.quant(v)
        if self.chance(0.3):
            v = self.affine_op(v)
        last = v.name
        if self.chance(0.3):
            self.exact = False  # small scores become equal, where float32 holds no smaller number
            last = self.op("nn.softmax", [v.name], v.shape)
        if kind < 0.7:
            return self.op("nn.argmax", [last], [v.shape[0], 1], int_type(0, n - 1) if n > 1 else "u1<0..0>", axis=1)
        k = self.r.randint(1, n)
        x, y = self.fresh(), self.fresh()
        self.lines.append(f"{x}: f32[1,{k}], {y}: {int_type(0, n - 1) if n > 1 else 'u1<0..0>'}[1,{k}] = "
                          f"nn.topk({last}) k={k}")
        return y

    def text(self):
        v = self.start()
        for _ in range(self.r.randint(1, 6)):
            v = self.block(v)
            if self.chance(0.05) and v.kind == "affine":
                self.outputs.append(v.name)
        self.outputs.append(self.tail(v))
        outs = ", ".join(f"y{i}={o}" for i, o in enumerate(self.outputs))
        elem, shape = self.input
        numbers = "few bits" if self.exact else "any"
        return (f'nashc 1\nmeta numbers="{numbers}"\n\n'
                f"graph @main(%x: {elem}{shape_text(shape)}) -> ({outs}) {{\n" +
                "".join(f"  {x}\n" for x in self.lines) + "}\n")

