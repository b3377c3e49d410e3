# vectors.py: reference results of the streaming modules and the parameter sets the benches sweep.
"""Each maker returns (parameters, files, timing): the parameters of <name>_tb, the files of the
run's folder, and what stream_harness needs to know. All choices come from the given random source."""


def fits(value, width):
    return value & ((1 << width) - 1)


def pack(elements, width):
    word = 0
    for i, e in enumerate(elements):
        word |= fits(e, width) << (i * width)
    return word


def lines(words, width):
    digits = (width + 3) // 4
    return ''.join('%0*x\n' % (digits, w) for w in words)


def draw(rnd, width, signed, n):
    lo, hi = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    ends = [lo, hi]
    return [rnd.choice(ends) if rnd.random() < 0.1 else rnd.randint(lo, hi) for _ in range(n)]


def clog2(x):
    return (x - 1).bit_length()


def stages(deep, k, folds, shared):
    n = clog2(k + 1)  # more than 16 words are a memory
    return n + sum((1 if shared else folds) << i > 16 for i in range(1, n)) * deep


def run(params, files, steps, latency, in0, out, in_w, out_w, repeat, in1=None, in1_w=1, depth=2,
        endless=False):
    """Finishes a maker: steps are those of one frame, repeat the number of frames."""
    files = dict(files)
    files['steps.hex'] = lines(steps, 4)
    if in0:
        files['in0.hex'] = lines(in0, in_w)
    if in1:
        files['in1.hex'] = lines(in1, in1_w)
    files['out.hex'] = lines(out, out_w)
    params = dict(params, NIN=len(in0), NIN1=len(in1 or []), NOUT=len(out), STEPS=len(steps),
                  LATENCY=latency, DEPTH_OUT=depth, TOTAL=0 if endless else len(steps) * repeat)
    return params, files


RW = 5  # a step that reads s and writes


def skid(rnd, w=8):
    data = draw(rnd, w, 0, 300)
    return run(dict(W=w), {}, [RW], 0, data, data, w, w, 300)


def fifo(rnd, w=8, depth=4, style=0):
    data = draw(rnd, w, 0, 400)
    return run(dict(W=w, DEPTH=depth, STYLE=style), {}, [RW], 0, data, data, w, w, 400, depth=depth)


def dwc(rnd, a=8, b=32):
    total = a * b * 60
    bits = rnd.getrandbits(total)
    cut = lambda w: [(bits >> i) & ((1 << w) - 1) for i in range(0, total, w)]
    if a <= b:
        steps = [1 | (4 if (i + 1) * a // b > i * a // b else 0) for i in range(b)]
    else:
        steps = [4 | (1 if -(-(i + 1) * b // a) > -(-i * b // a) else 0) for i in range(a)]
    return run(dict(S_W=a, M_W=b, LINE=int(a < b and b % a == 0)), {}, steps, 0, cut(a), cut(b), a, b, 60)


def pair_streams(rnd, w0=8, w1=5):
    a, b = draw(rnd, w0, 0, 200), draw(rnd, w1, 0, 200)
    out = [x | y << w0 for x, y in zip(a, b)]
    return run(dict(W=w0, W1=w1), {}, [7], 0, a, out, w0, w0 + w1, 200, in1=b, in1_w=w1)


BINARY = (lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a <= b, lambda a, b: a >= b, max, min,
          lambda a, b: a - b)
ADD, MAX, MIN = 0, 4, 5  # as FUNC counts them: docs/timing.md


def add_streams(rnd, pe=1, x='u4', z='u4', func=0, ow=6):
    (a, xw, xs, xb), (b, zw, zs, zb) = element(rnd, x, pe * 200), element(rnd, z, pe * 200)
    y = [BINARY[func](v, w) for v, w in zip(a, b)]
    bip = int(ow == 1 and xb and zb)
    p = dict(PE=pe, XW=xw, X_SIGNED=xs, X_BIP=xb, X1W=zw, X1_SIGNED=zs, X1_BIP=zb, FUNC=func, OUT_BIP=bip, OUT_W=ow)
    return run(p, {}, [7], 1, beats_of(a, pe, xw, xb), beats_of(y, pe, ow, bip), pe * xw, pe * ow, 200,
               in1=beats_of(b, pe, zw, zb), in1_w=pe * zw)


def outs(params, n, writes):
    """Finishes a maker for outs_harness: writes are those of the n outputs that a step writes, as a mask."""
    return dict(params, STEPS=len(writes), BEATS=500), {'steps.hex': lines(writes, n)}


def duplicate_streams(rnd, w=8, n=2):
    return outs(dict(W=w, OUTPUTS=n), n, [(1 << n) - 1])


def split(rnd, pe=1, na=2, nb=3, xw=4):
    return outs(dict(PE=pe, NA=na, NB=nb, XW=xw), 2, [1] * (na // pe) + [2] * (nb // pe))


def element(rnd, kind, n):
    """n values of a kind 'u4', 'i4' or 'bip', and width, sign and bipolarity."""
    if kind == 'bip':
        return [rnd.choice((-1, 1)) for _ in range(n)], 1, 0, 1
    w, signed = int(kind[1:]), int(kind[0] == 'i')
    return draw(rnd, w, signed, n), w, signed, 0


def beats_of(values, pe, width, bip=False):
    values = [v > 0 for v in values] if bip else values
    return [pack(values[i:i + pe], width) for i in range(0, len(values), pe)]


def concat(rnd, pe=1, na=2, nb=3, a='u4', b='u4', ow=4):
    """ow 1 with bipolar elements: the result is bipolar too."""
    rounds = 40
    (va, xw, xs, xb), (vb, x1w, x1s, x1b) = element(rnd, a, na * rounds), element(rnd, b, nb * rounds)
    y = [v for r in range(rounds) for v in va[r * na:(r + 1) * na] + vb[r * nb:(r + 1) * nb]]
    p = dict(PE=pe, NA=na, NB=nb, XW=xw, X_SIGNED=xs, X_BIP=int(xb and ow > 1), X1W=x1w, X1_SIGNED=x1s,
             X1_BIP=int(x1b and ow > 1), OUT_W=ow)
    return run(p, {}, [5] * (na // pe) + [6] * (nb // pe), 1, beats_of(va, pe, xw, xb),
               beats_of(y, pe, ow, ow == 1 and xb), pe * xw, pe * ow, rounds, in1=beats_of(vb, pe, x1w, x1b),
               in1_w=pe * x1w)


def fmpadding(rnd, c=4, simd=2, h=3, w=3, top=1, left=1, bottom=1, right=1, gaps=(0, 0), x='u4', ow=4, shared=0):
    frames, steps, ins, out = 6, [], [], []
    signed = x[0] != 'u' or ow > int(x[1:])
    values = draw(rnd, ow, signed, 1) * c if shared else draw(rnd, ow, signed, c)
    for f in range(frames):
        image, xw, xs, xb = element(rnd, x, h * w * c)
        ins += beats_of(image, simd, xw, xb)
        for i in range(top + (h - 1) * (gaps[0] + 1) + 1 + bottom):
            for j in range(left + (w - 1) * (gaps[1] + 1) + 1 + right):
                (r, above), (q, aside) = divmod(i - top, gaps[0] + 1), divmod(j - left, gaps[1] + 1)
                there = 0 <= r < h and 0 <= q < w and not above and not aside
                out += image[(r * w + q) * c:(r * w + q + 1) * c] if there else values
                steps += [5 if there else 4] * (c // simd) if f == 0 else []
    p = dict(C=c, SIMD=simd, HEIGHT=h, WIDTH=w, TOP=top, LEFT=left, BOTTOM=bottom, RIGHT=right, ROW_GAP=gaps[0],
             COL_GAP=gaps[1], XW=xw, X_SIGNED=xs, X_BIP=xb, OUT_W=ow, SHARED=shared)
    rom = beats_of(values[:simd] if shared else values, simd, ow)
    # without a pixel to wait for, the border of one frame more appears
    return run(p, {'param.dat': lines(rom, simd * ow)}, steps, 1, ins, beats_of(out, simd, ow), simd * xw, simd * ow,
               frames, endless=steps[0] == 4)


def weight_stream(rnd, w=8, depth=16):
    mem = draw(rnd, w, 0, depth)
    return run(dict(W=w, DEPTH=depth), {'memblock.dat': lines(mem, w)}, [4] * depth, 1, [], mem * 5,
               1, w, 5, endless=True)


class Thresholds:
    """Rows of thresholds, their files, and the activation they define."""

    def __init__(self, rnd, c, pe, tw, t_signed, k, out_w, actval, has_dir, shared, near=None):
        self.k, self.out_w, self.actval = k, out_w, actval
        n = clog2(k + 1)
        row = lambda: sorted(near(k) if near else draw(rnd, tw, t_signed, k))
        self.rows = [row()] * c if shared else [row() for _ in range(c)]
        self.dirs = [rnd.randint(0, 1) if has_dir else 0 for _ in range(c)]
        cf = c // pe
        self.files = {'dir.dat': lines([pack(self.dirs[f * pe:(f + 1) * pe], 1) for f in range(cf)],
                                       pe)}
        folds, lanes = (1, 1) if shared else (cf, pe)
        flat = [[t for p in range(lanes) for t in self.rows[f * pe + p]] for f in range(folds)]
        self.par = lines([pack(r, tw) for r in flat], lanes * k * tw)
        for p in range(lanes):
            for stage in range(n):
                words = []
                for f in range(folds):
                    for i in range(1 << stage):
                        at = (i << (n - stage)) + (1 << (n - stage - 1)) - 1
                        r = self.rows[f * pe + p]
                        words.append(fits(r[at] if at < k else rnd.getrandbits(tw), tw))
                self.files['thresh_%d_%d.dat' % (p, stage)] = lines(words, tw)

    def __call__(self, channel, x):
        hits = sum((x < t) if self.dirs[channel] else (t <= x) for t in self.rows[channel])
        return fits(self.actval + hits, self.out_w)


def thresh(rnd, search, c=4, pe=1, xw=8, xs=1, tw=8, ts=1, k=3, ow=2, act=0, has_dir=0, shared=0,
           deep=0):
    t = Thresholds(rnd, c, pe, tw, ts, k, ow, act, has_dir, shared)
    vectors = 40
    x = draw(rnd, xw, xs, c * vectors)
    for i in range(len(x)):  # hit the thresholds themselves now and then
        if rnd.random() < 0.3:
            v = rnd.choice(t.rows[i % c]) + rnd.randint(-1, 1)
            if v in (range(-(1 << (xw - 1)), 1 << (xw - 1)) if xs else range(1 << xw)):
                x[i] = v
    y = [t(i % c, v) for i, v in enumerate(x)]
    beats = lambda a, w: [pack(a[i:i + pe], w) for i in range(0, len(a), pe)]
    p = dict(C=c, PE=pe, XW=xw, X_SIGNED=xs, TW=tw, T_SIGNED=ts, K=k, OUT_W=ow, ACTVAL=act,
             HAS_DIR=has_dir, T_SHARED=shared)
    latency, files = 2, dict(t.files)
    if search:
        p['DEEP'] = deep
        latency = stages(deep, k, c // pe, shared)
    else:
        files['thresh.dat'] = t.par
    return run(p, files, [RW] * (c // pe), latency, beats(x, xw), beats(y, ow), pe * xw, pe * ow,
               vectors)


def thresholding_parallel(rnd, **kw):
    return thresh(rnd, False, **kw)


def thresholding_search(rnd, **kw):
    return thresh(rnd, True, **kw)


def channelwise(rnd, c=4, pe=1, func=0, x='i8', pw=8, ps=1, ow=9):
    vectors = 40
    par, (v, xw, xs, xb) = draw(rnd, pw, ps, c), element(rnd, x, c * vectors)
    y = [BINARY[func](e, par[i % c]) for i, e in enumerate(v)]
    p = dict(C=c, PE=pe, FUNC=func, XW=xw, X_SIGNED=xs, X_BIP=xb, PW=pw, P_SIGNED=ps, OUT_W=ow)
    return run(p, {'param.dat': lines(beats_of(par, pe, pw), pe * pw)}, [RW] * (c // pe), 2, beats_of(v, pe, xw, xb),
               beats_of(y, pe, ow), pe * xw, pe * ow, vectors)


def requant(rnd, c=4, pe=1, xw=8, xs=1, mw=6, aw=10, shift=4, even=0, qmin=-20, qmax=90):
    vectors = 40
    m, a, x = draw(rnd, mw, 1, c), draw(rnd, aw, 1, c), draw(rnd, xw, xs, c * vectors)
    sums = [v * m[i % c] + a[i % c] for i, v in enumerate(x)]
    down = [v >> shift for v in sums]
    down = [q - (even and q & 1 and q << shift == v) for q, v in zip(down, sums)]
    y = [max(qmin, min(qmax, q)) for q in down]
    ow = max(qmax.bit_length(), (-qmin - 1).bit_length() if qmin < 0 else 0) + (qmin < 0) or 1
    beats = lambda v, w: [pack(v[i:i + pe], w) for i in range(0, len(v), pe)]
    par = [fits(q, aw) << mw | fits(p, mw) for p, q in zip(m, a)]
    p = dict(C=c, PE=pe, XW=xw, X_SIGNED=xs, FACTOR_W=mw, ADDEND_W=aw, SHIFT=shift, EVEN=even, QMIN=qmin, QMAX=qmax,
             OUT_W=ow)
    return run(p, {'param.dat': lines(beats(par, mw + aw), pe * (mw + aw))}, [RW] * (c // pe), 3, beats(x, xw),
               beats(y, ow), pe * xw, pe * ow, vectors)


def lut(rnd, c=4, pe=1, xw=4, xs=0, lo=0, n=16, ow=8, shared=0):
    vectors = 40
    row = lambda: draw(rnd, ow, 0, n)
    table = [row()] * c if shared else [row() for _ in range(c)]
    x = [rnd.randint(lo, lo + n - 1) for _ in range(c * vectors)]
    y = [table[i % c][v - lo] for i, v in enumerate(x)]
    beats = lambda a, w: [pack(a[i:i + pe], w) for i in range(0, len(a), pe)]
    files = {}
    for lane in range(1 if shared else pe):
        words = [v for f in range(1 if shared else c // pe) for v in table[f * pe + lane]]
        files['lut_%d.dat' % lane] = lines(words, ow)
    p = dict(C=c, PE=pe, XW=xw, X_SIGNED=xs, LO=lo, ENTRIES=n, OUT_W=ow, SHARED=shared)
    return run(p, files, [RW] * (c // pe), 2, beats(x, xw), beats(y, ow), pe * xw, pe * ow, vectors)


def label_select(rnd, labels=10, pe=1, k=1, xw=8, xs=1, ow=8):
    frames, ins, outs = 40, [], []
    for f in range(frames):
        v = draw(rnd, xw, xs, labels)
        if f % 3 == 0:  # many ties
            v = [rnd.choice(v[:2]) for _ in v]
        if f % 7 == 0:
            v = [-(1 << (xw - 1)) if xs else 0] * labels
        ins += [pack(v[i:i + pe], xw) for i in range(0, labels, pe)]
        outs += sorted(range(labels), key=lambda i: (-v[i], i))[:k]
    n = labels // pe
    steps = [(1 if i < n else 0) | (4 if i >= n - 1 else 0) for i in range(n + k - 1)]
    p = dict(LABELS=labels, PE=pe, TOP_K=k, XW=xw, X_SIGNED=xs, OUT_W=ow)
    return run(p, {}, steps, 2, ins, outs, pe * xw, ow, frames)


class Products:
    """Sums of n products in an arithmetic mode, and the activation behind them: operands are drawn as codes."""

    def __init__(self, rnd, n, mode, xw, xs, ww, ws, dot, spare, ts):
        self.rnd, self.n, self.mode, self.dot = rnd, n, mode, dot
        self.xw, self.xs = (1, 0) if mode in (0, 3) else (xw, xs)
        self.ww, self.ws = (1, 0) if mode <= 1 else (ww, ws)
        # The widest partial sum over any prefix is bounded by the largest magnitudes.
        if mode == 0:
            self.top, self.low = (n, -n) if dot else (n, 0)
        else:
            xmax = 1 if mode == 3 else (1 << (xw - 1)) if xs else (1 << xw) - 1
            wmax = 1 if mode == 1 else (1 << (ww - 1)) if ws else (1 << ww) - 1
            self.top = n * xmax * wmax
            self.low = 0 if mode == 2 and not xs and not ws else -self.top
        self.signed = 1 if self.low < 0 else 0
        self.acc = max(self.top.bit_length() + self.signed, 1) + spare
        self.tw, self.ts = self.acc + (1 if ts and not self.signed else 0), 1 if self.signed else ts

    def x(self, n):
        return draw(self.rnd, self.xw, self.xs, n)

    def w(self, n):
        return draw(self.rnd, self.ww, self.ws, n)

    def sum(self, w, x):
        value = lambda bipolar, codes: [2 * v - 1 for v in codes] if bipolar else codes
        d = sum(a * b for a, b in zip(value(self.mode <= 1, w), value(self.mode in (0, 3), x)))
        return (d + self.n) // 2 if self.mode == 0 and not self.dot else d

    def params(self, pipe, mul, act, k, ow, actval, has_dir, shared, deep):
        return dict(MODE=self.mode, XW=self.xw, X_SIGNED=self.xs, WW=self.ww, W_SIGNED=self.ws, ACC_W=self.acc,
                    ACC_SIGNED=self.signed, DOT=self.dot, MUL_STYLE=mul, PIPE=pipe, ACT=act, K=k,
                    TW=self.tw if act else 1, T_SIGNED=self.ts, OUT_W=ow if act else self.acc, ACTVAL=actval,
                    HAS_DIR=has_dir, T_SHARED=shared, DEEP=deep)

    def activate(self, sums, c, pe, act, k, ow, actval, has_dir, shared, deep):
        """Results, files and latency of the activation of rows of c sums."""
        if not act:
            return sums, {}, 0
        pool = sorted({d for v in sums for d in v} | {self.low, self.top})
        near = lambda n: [min(max(self.rnd.choice(pool) + self.rnd.randint(-1, 1), self.low), self.top)
                          for _ in range(n)]
        t = Thresholds(self.rnd, c, pe, self.tw, self.ts, k, ow, actval, has_dir, shared, near)
        return ([[t(i, d) for i, d in enumerate(v)] for v in sums], dict(t.files, thresh=t.par),
                1 if act == 1 else stages(deep, k, c // pe, shared))


def mvau(rnd, mw=8, mh=4, groups=1, pe=2, simd=4, mode=2, xw=4, xs=0, ww=4, ws=1, dot=0, mul=0, lanes=1, pipe=0,
         ext=0, act=0, k=1, ow=0, actval=0, has_dir=0, shared=0, deep=0, spare=0, vectors=12, ts=1):
    z = Products(rnd, mw, mode, xw, xs, ww, ws, dot, spare, ts)
    w = [z.w(mw) for _ in range(mh)]
    x = [z.x(mw) for _ in range(vectors)]
    rows = mh // groups  # of one group; a result has the rows of all
    sums = [[z.sum(w[r], x[v + r // rows]) for r in range(mh)] for v in range(0, vectors, groups)]
    ys, files, tlat = z.activate(sums, mh, pe, act, k, ow, actval, has_dir, shared, deep)
    sf, nf = mw // simd, rows // pe
    steps = [(1 if f == 0 else 0) | (2 if ext else 0) | (4 if s == sf - 1 else 0)
             for f in range(nf) for s in range(sf)]
    mem = [pack([w[f * pe + p][s * simd + i] for p in range(pe) for i in range(simd)], z.ww)
           for f in range(groups * nf) for s in range(sf)]
    files['memblock.dat'] = lines(mem, pe * simd * z.ww)
    p = dict(z.params(pipe, mul, act, k, ow, actval, has_dir, shared, deep), MW=mw, MH=mh, GROUPS=groups, PE=pe,
             SIMD=simd, W_EXT=ext, LANES=lanes)
    ins = [pack(v[i:i + simd], z.xw) for v in x for i in range(0, mw, simd)]
    outs = [pack(y[i:i + pe], p['OUT_W']) for y in ys for i in range(0, mh, pe)]
    return run(p, files, steps, 2 + pipe + (1 if sf > 1 else 0) + tlat, ins, outs, simd * z.xw, pe * p['OUT_W'],
               vectors, in1=mem * (vectors // groups) if ext else None, in1_w=pe * simd * z.ww)


def vvau(rnd, c=4, kernel=9, pe=2, simd=1, mode=2, xw=4, xs=0, ww=4, ws=1, dot=0, mul=0, pipe=0, ext=0, act=0, k=1,
         ow=0, actval=0, has_dir=0, shared=0, deep=0, spare=0, vectors=12, ts=1):
    z = Products(rnd, kernel, mode, xw, xs, ww, ws, dot, spare, ts)
    w = [z.w(c) for _ in range(kernel)]
    x = [[z.x(c) for _ in range(kernel)] for _ in range(vectors)]
    sums = [[z.sum([r[i] for r in w], [r[i] for r in v]) for i in range(c)] for v in x]
    ys, files, tlat = z.activate(sums, c, pe, act, k, ow, actval, has_dir, shared, deep)
    cut = lambda rows, width: [pack(r[i:i + pe], width) for r in rows for i in range(0, c, pe)]
    joined = lambda rows: [sum(rows[i:i + simd], []) for i in range(0, len(rows), simd)]  # simd > 1: pe = c
    mem = [pack([w[k + s][i + q] for q in range(pe) for s in range(simd)], z.ww)
           for k in range(0, kernel, simd) for i in range(0, c, pe)]
    files['memblock.dat'] = lines(mem, pe * simd * z.ww)
    p = dict(z.params(pipe, mul, act, k, ow, actval, has_dir, shared, deep), C=c, KERNEL=kernel, PE=pe, SIMD=simd,
             W_EXT=ext)
    rounds, rows = kernel // simd, [r for v in x for r in v]
    steps = [(RW if i == rounds - 1 else 1) | (2 if ext else 0) for i in range(rounds) for _ in range(c // pe)]
    ins = [pack(r, z.xw) for r in joined(rows)] if simd > 1 else cut(rows, z.xw)
    return run(p, files, steps, 2 + pipe + (1 if rounds > 1 else 0) + tlat, ins, cut(ys, p['OUT_W']),
               pe * simd * z.xw, pe * p['OUT_W'], vectors, in1=mem * vectors if ext else None,
               in1_w=pe * simd * z.ww)


def pool(rnd, c=4, pe=2, simd=1, func=4, kh=2, ow=3, kw=2, xw=4, xs=0, bip=0, spare=0, outer=6):
    xw, xs = (1, 0) if bip else (xw, xs)
    x = [[[[draw(rnd, xw, xs, c) for _ in range(kw)] for _ in range(ow)] for _ in range(kh)] for _ in range(outer)]
    value = lambda v: 2 * v - 1 if bip else v
    reduce = {ADD: sum, MAX: max, MIN: min}[func]
    y = [[reduce(value(x[o][i][j][k][ch]) for i in range(kh) for k in range(kw)) for ch in range(c)]
         for o in range(outer) for j in range(ow)]
    out_w = xw if func != ADD else xw + clog2(kh * kw) + bip + spare
    cut = lambda rows, width: [pack(r[i:i + pe], width) for r in rows for i in range(0, c, pe)]
    rows = [r for o in x for i in o for j in i for r in j]
    ins = [pack(sum(rows[i:i + simd], []), xw) for i in range(0, len(rows), simd)] if simd > 1 else cut(rows, xw)
    steps = [RW if i == kh - 1 and k == kw // simd - 1 else 1 for i in range(kh) for _ in range(ow)
             for k in range(kw // simd) for _ in range(c // pe)]
    p = dict(C=c, PE=pe, SIMD=simd, FUNC=func, KH=kh, OW=ow, KW=kw, XW=xw, X_SIGNED=xs, X_BIP=bip, OUT_W=out_w)
    return run(p, {}, steps, 2 + (simd > 1), ins, cut(y, out_w), pe * simd * xw, pe * out_w, outer)


def window_ring(rnd, w=8, words=16, dims=(16,), strides=(1,), first=0, base=1, extra=0):
    """Loops, outermost first; the first `base` of them never fall back."""
    span = lambda a, b: sum((dims[k] - 1) * strides[k] for k in range(a, b))
    n, frames = len(dims), 4
    index = [()]
    for d in dims:
        index = [i + (k,) for i in index for k in range(d)]
    at = [first + sum(a * b for a, b in zip(i, strides)) for i in index]
    oldest = [first + sum(a * b for a, b in zip(i[:base], strides)) for i in index]
    depth = max(2, span(base, n) + 1 + extra)
    p = dict(W=w, WORDS=words, DEPTH=depth, FIRST=first, MOVE8=words - span(0, n), FREE8=words - span(0, base))
    for k in range(n):  # the module counts loops from the innermost
        inner = n - 1 - k
        p.update({'COUNT%d' % inner: dims[k], 'MOVE%d' % inner: strides[k] - span(k + 1, n),
                  'FREE%d' % inner: strides[k] - span(k + 1, base) if k < base else 0})
    data = draw(rnd, w, 0, words * frames)
    out = [data[f * words + a] for f in range(frames) for a in at]
    params, files = run(p, {}, [0], 1, data, out, w, w, frames)
    files['steps.hex'] = lines([a << 32 | o for a, o in zip(at, oldest)], 64)
    return dict(params, STEPS=len(at)), files


def window_line(rnd, w=8, words=16, dims=(16,), strides=(1,), first=0, base=1):
    """Loops, outermost first; what those behind the first `base` ones give comes at once."""
    index = lambda some: [()] if not some else [i + (k,) for i in index(some[:-1]) for k in range(some[-1])]
    at = lambda some, by: [sum(a * b for a, b in zip(i, by)) for i in index(some)]
    outer, inner = at(dims[:base], strides[:base]), at(dims[base:], strides[base:])
    span = lambda a, b: sum((dims[k] - 1) * strides[k] for k in range(a, b))
    n, frames = len(dims), 4
    newest = first + inner[-1]
    p = dict(W=w, NEWEST=newest, MOVE8=words - span(0, base))
    for k in range(4):  # the module counts loops from the innermost
        a, b = base - 1 - k, n - 1 - k
        p.update({'COUNT%d' % k: dims[a], 'MOVE%d' % k: strides[a] - span(a + 1, base)} if a >= 0 else
                 {'COUNT%d' % k: 1, 'MOVE%d' % k: 1})
        taps, gap = (dims[b], strides[b]) if b >= base else (1, 1)
        p.update({'TAPS%d' % k: taps, 'GAP%d' % k: gap})
    data = draw(rnd, w, 0, words * frames)
    out = [pack([data[f * words + first + a + b] for b in inner], w) for f in range(frames) for a in outer]
    steps = [RW if i - newest in outer else 1 for i in range(words)]
    return run(dict(p, LINE=1), {}, steps, 0, data, out, w, w * len(inner), frames, endless=steps[-1] == 1)


def sweep(rnd):
    """Yields (module, arguments of its maker): corners first, then random points."""
    pick = rnd.choice
    for w in (1, 8, 65):
        yield 'skid', dict(w=w)
    for depth, style in ((2, 0), (2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (4, 0), (5, 3), (17, 2),
                         (64, 0), (65, 0), (66, 0), (100, 3)):
        yield 'fifo', dict(w=pick((1, 8, 40)), depth=depth, style=style)
    for a, b in ((8, 8), (1, 8), (8, 32), (32, 8), (24, 8), (12, 8), (8, 12), (3, 7), (7, 3), (10, 4),
                 (4, 10), (9, 6), (6, 15), (1, 1), (64, 48), (5, 40), (40, 5), (13, 12), (12, 13)):
        yield 'dwc', dict(a=a, b=b)
    for extra in (0, 1, 30):
        yield 'window_ring', dict(words=25, dims=(3, 3, 3, 3), strides=(5, 1, 5, 1), base=2, extra=extra)
        yield 'window_ring', dict(w=5, words=49, dims=(3, 3, 3, 3), strides=(14, 2, 7, 1), base=2, extra=extra)
        yield 'window_ring', dict(w=33, words=24, dims=(6, 4), strides=(1, 6), base=0, extra=extra)
        yield 'window_ring', dict(words=36, dims=(2, 3, 4), strides=(15, 4, 1), first=5, base=3, extra=extra)
        yield 'window_ring', dict(words=6, dims=(2, 3, 2), strides=(3, 0, 1), base=1, extra=extra)
        yield 'window_ring', dict(words=42, dims=(3, 2, 2, 2, 2), strides=(12, 4, 8, 2, 1), first=1, base=1,
                                  extra=extra)
    yield 'window_ring', dict(w=1, words=7, dims=(2,), strides=(3,), base=1)
    yield 'window_line', dict(words=25, dims=(3, 3, 3, 3), strides=(5, 1, 5, 1), base=2)
    yield 'window_line', dict(w=5, words=49, dims=(3, 3, 3, 3), strides=(14, 2, 7, 1), base=2)
    yield 'window_line', dict(w=3, words=98, dims=(3, 2, 3, 3, 2), strides=(14, 2, 28, 4, 1), first=2, base=2)
    yield 'window_line', dict(w=2, words=40, dims=(2, 2, 2, 3, 2), strides=(18, 3, 1, 6, 3), first=1, base=3)
    yield 'window_line', dict(w=33, words=24, dims=(6, 4), strides=(1, 6), base=1)
    yield 'window_line', dict(w=1, words=200, dims=(2, 2, 2, 2, 2), strides=(5, 80, 40, 20, 10), base=1)
    yield 'window_line', dict(words=36, dims=(2, 3, 4), strides=(15, 4, 1), first=5, base=3)
    yield 'window_line', dict(words=16, dims=(4, 4), strides=(4, 1), base=0)
    yield 'window_line', dict(w=1, words=7, dims=(2,), strides=(3,), base=1)
    yield 'window_line', dict(words=1, dims=(1,), base=1)
    yield 'pair_streams', dict()
    yield 'pair_streams', dict(w0=1, w1=30)
    for func in (0, 1, 4, 5, 6):
        for x, z in (('u4', 'u4'), ('i8', 'u2'), ('u1', 'i7'), ('i4', 'i4'), ('bip', 'i3'), ('u3', 'bip')):
            yield 'add_streams', dict(pe=pick((1, 3)), x=x, z=z, func=func, ow=12)
        yield 'add_streams', dict(pe=pick((1, 3)), x='bip', z='bip', func=func, ow=1 if func in (1, 4, 5) else 3)
    for depth in (1, 2, 5, 16):
        yield 'weight_stream', dict(depth=depth)
    for _ in range(25):
        pe = pick((1, 1, 2, 3, 5))
        k = pick((1, 2, 3, 4, 7, 8, 15, 20, 31, 40))
        kw = dict(c=pe * pick((1, 2, 3, 5)), pe=pe, xw=pick((1, 4, 8, 13)), xs=pick((0, 1)),
                  tw=pick((2, 7, 8, 14)), ts=pick((0, 1)), k=k, ow=clog2(k + 1) + pick((0, 0, 1, 3)),
                  act=pick((0, 0, -1, -4, 3)), has_dir=pick((0, 0, 1)), shared=pick((0, 0, 0, 1)))
        yield 'thresholding_parallel', kw
        yield 'thresholding_search', dict(kw, deep=pick((0, 1)))
    yield 'thresholding_parallel', dict(c=12, pe=12, k=1, ow=1)
    yield 'thresholding_parallel', dict(c=4, pe=2, k=255, tw=16, xw=16, ow=8)
    yield 'thresholding_search', dict(c=24, pe=12, k=3)
    yield 'thresholding_search', dict(c=4, pe=2, k=255, tw=16, xw=16, ow=8)
    yield 'thresholding_search', dict(c=2, pe=1, k=1500, tw=16, xw=16, ow=11, deep=1)
    for func in range(6):
        for x in ('u1', 'i5', 'u8', 'i8', 'bip'):
            pe = pick((1, 2, 3))
            yield 'channelwise', dict(c=pe * pick((1, 3, 4)), pe=pe, func=func, x=x, pw=pick((1, 4, 9)),
                                      ps=pick((0, 1)), ow=1 if func in (2, 3) else pick((2, 8, 17)))
    yield 'requant', dict()
    yield 'requant', dict(even=1)
    yield 'requant', dict(c=2, xw=20, mw=27, aw=50, shift=40, qmin=-128, qmax=127)
    yield 'requant', dict(c=6, pe=2, xw=8, mw=3, aw=6, shift=3, even=1, qmin=-128, qmax=127)
    yield 'requant', dict(c=6, pe=3, xw=12, mw=10, aw=24, shift=14, qmin=-128, qmax=127)
    yield 'requant', dict(c=6, pe=6, xw=16, xs=0, mw=12, aw=30, shift=20, qmin=0, qmax=255)
    for _ in range(12):
        pe, aw = pick((1, 2, 3)), pick((1, 8, 20, 40))
        qmin = pick((0, 0, -7, -128))
        yield 'requant', dict(c=pe * pick((1, 3, 4)), pe=pe, xw=pick((1, 5, 8, 20)), xs=pick((0, 1)),
                              mw=pick((1, 4, 17)), aw=aw, shift=pick((0, 3, aw // 2, 30)), even=pick((0, 1)), qmin=qmin,
                              qmax=qmin + pick((0, 1, 30, 254)))
    yield 'lut', dict()
    yield 'lut', dict(c=6, pe=2, xw=4, xs=1, lo=-8, n=16, ow=3)
    yield 'lut', dict(c=6, pe=3, xw=8, xs=1, lo=-5, n=11, ow=12)
    yield 'lut', dict(c=12, pe=12, xw=8, xs=0, lo=100, n=3, ow=2)
    yield 'lut', dict(c=12, pe=4, xw=3, xs=0, lo=0, n=8, ow=2, shared=1)
    yield 'lut', dict(c=2, pe=1, xw=1, xs=0, lo=0, n=1, ow=1, shared=1)
    for labels, pe, k in ((10, 1, 1), (10, 2, 1), (10, 5, 1), (10, 10, 1), (7, 7, 1), (1, 1, 1),
                          (10, 1, 5), (10, 2, 3), (10, 10, 10), (10, 5, 2), (12, 3, 12), (6, 1, 6),
                          (100, 1, 1), (100, 20, 5), (16, 16, 2), (9, 3, 1)):
        yield 'label_select', dict(labels=labels, pe=pe, k=k, xw=pick((1, 3, 8, 17)), xs=pick((0, 1)),
                                  ow=pick((8, clog2(labels) or 1)))
    for w, n in ((1, 1), (8, 2), (5, 3), (16, 6)):
        yield 'duplicate_streams', dict(w=w, n=n)
    for na, nb, pe in ((2, 3, 1), (1, 1, 1), (4, 4, 4), (4, 6, 2), (6, 2, 2), (1, 9, 1), (8, 4, 4), (17, 2, 1)):
        yield 'split', dict(pe=pe, na=na, nb=nb, xw=pick((1, 3, 8)))
        yield 'concat', dict(pe=pe, na=na, nb=nb, a=pick(('u1', 'u4')), b=pick(('u2', 'u7')), ow=pick((7, 8)))
        yield 'concat', dict(pe=pe, na=na, nb=nb, a=pick(('i1', 'i4', 'bip')), b=pick(('u2', 'i7', 'bip')), ow=7)
    yield 'concat', dict(a='bip', b='bip', ow=1)
    yield 'concat', dict(a='bip', b='i2', ow=2)
    yield 'fmpadding', dict()
    for h, w, border in ((1, 1, (1, 1, 1, 1)), (3, 4, (0, 0, 0, 0)), (2, 5, (0, 2, 1, 0)), (5, 2, (3, 0, 0, 1)),
                         (1, 7, (0, 0, 2, 0)), (7, 1, (0, 1, 0, 0)), (4, 4, (1, 3, 2, 4)), (8, 8, (0, 0, 0, 8))):
        for x, ow in (('u4', 4), ('i4', 4), ('bip', pick((2, 5))), ('u1', pick((1, 3))), ('i3', 8)):
            c, simd = pick(((1, 1), (4, 1), (4, 2), (4, 4), (6, 2), (9, 3)))
            yield 'fmpadding', dict(c=c, simd=simd, h=h, w=w, top=border[0], left=border[1], bottom=border[2],
                                    right=border[3], gaps=pick(((0, 0), (0, 0), (1, 1), (2, 0), (0, 1), (4, 3))),
                                    x=x, ow=ow, shared=pick((0, 1)))
    # every folding of a small matrix in every mode
    for mode in range(4):
        for pe in (1, 2, 3, 6):
            for simd in (1, 2, 4, 8):
                yield 'mvau', dict(mw=8, mh=6, pe=pe, simd=simd, mode=mode, xw=pick((1, 2, 4, 8)),
                                   xs=pick((0, 1)), ww=pick((1, 2, 4)), ws=pick((0, 1)),
                                   dot=pick((0, 1)) if mode == 0 else 0, mul=pick((0, 1)),
                                   pipe=pick((0, 1)), ext=pick((0, 0, 1)), spare=pick((0, 0, 5)))
    # all signs and widths of products
    for xs in (0, 1):
        for ws in (0, 1):
            for xw, ww in ((1, 1), (4, 4), (8, 2), (2, 8), (8, 8), (1, 5)):
                for mul in (0, 1):
                    yield 'mvau', dict(mw=18, mh=2, pe=2, simd=pick((9, 18)), mode=2, xw=xw, xs=xs,
                                       ww=ww, ws=ws, mul=mul, pipe=pick((0, 1)))
    # rows that share multipliers, whole groups of them or not
    for xw, ww, lanes in ((8, 8, 2), (4, 4, 3), (2, 2, 6), (2, 4, 4), (8, 2, 3), (5, 6, 2)):
        for xs in (0, 1):
            for ws in (0, 1):
                yield 'mvau', dict(mw=12, mh=14, pe=pick((2, 7, 14)), simd=pick((1, 4, 12)), mode=2, xw=xw, xs=xs,
                                   ww=ww, ws=ws, lanes=lanes, pipe=pick((0, 1)), ext=pick((0, 1)), spare=pick((0, 3)))
    # activations
    for _ in range(60):
        pe, mode, k = pick((1, 2, 4)), pick((0, 1, 2, 2, 3)), pick((1, 1, 2, 3, 7, 10, 15))
        yield 'mvau', dict(mw=12, mh=pe * pick((1, 2, 3)), pe=pe, simd=pick((1, 3, 4, 12)), mode=mode,
                           xw=pick((1, 2, 4, 8)), xs=pick((0, 1)), ww=pick((1, 2, 4)),
                           ws=pick((0, 1)), dot=pick((0, 1)) if mode == 0 else 0, mul=pick((0, 1)),
                           pipe=pick((0, 1)), ext=pick((0, 0, 0, 1)), act=pick((1, 2)), k=k,
                           ow=clog2(k + 1) + pick((0, 0, 2)), actval=pick((0, 0, -2)),
                           has_dir=pick((0, 0, 1)), shared=pick((0, 0, 1)), deep=pick((0, 1)),
                           spare=pick((0, 0, 3)), ts=pick((0, 1)))
    # replay buffer with synchronous read, wide rows
    yield 'mvau', dict(mw=280, mh=3, pe=1, simd=2, mode=0, vectors=3)
    yield 'mvau', dict(mw=130, mh=4, pe=2, simd=1, mode=2, xw=3, ww=2, vectors=3)
    yield 'mvau', dict(mw=784, mh=4, pe=2, simd=392, mode=0, act=1, ow=1, vectors=4)
    yield 'mvau', dict(mw=600, mh=2, pe=1, simd=600, mode=2, xw=2, ww=2, vectors=4)
    yield 'mvau', dict(mw=600, mh=2, pe=1, simd=300, mode=1, xw=8, xs=1, pipe=1, vectors=4)
    # groups: every folding in every mode, some with activations
    for mode in range(4):
        for groups, pe in ((2, 1), (2, 3), (3, 1), (3, 2), (6, 1)):
            for simd in (1, 2, 4):
                act, k = pick((0, 0, 1, 2)), pick((1, 2, 3, 7))
                yield 'mvau', dict(mw=4, mh=6, groups=groups, pe=pe, simd=simd, mode=mode, xw=pick((1, 2, 4)),
                                   xs=pick((0, 1)), ww=pick((1, 2, 4)), ws=pick((0, 1)),
                                   dot=pick((0, 1)) if mode == 0 else 0, mul=pick((0, 1)), pipe=pick((0, 1)),
                                   ext=pick((0, 0, 1)), act=act, k=k, ow=clog2(k + 1), has_dir=pick((0, 1)),
                                   shared=pick((0, 1)), deep=pick((0, 1)), ts=pick((0, 1)))
    # depthwise: every folding in every mode, with and without activations
    for mode in range(4):
        for c, kernel in ((6, 9), (1, 4), (4, 1), (6, 2)):
            folds = [(d, 1) for d in range(1, c + 1) if c % d == 0]
            for pe, simd in folds + [(c, d) for d in range(2, kernel + 1) if kernel % d == 0]:
                act, k = pick((0, 1, 2)), pick((1, 2, 3, 7, 10))
                yield 'vvau', dict(c=c, kernel=kernel, pe=pe, simd=simd, mode=mode, xw=pick((1, 2, 4, 8)),
                                   xs=pick((0, 1)), ww=pick((1, 2, 4, 8)), ws=pick((0, 1)),
                                   dot=pick((0, 1)) if mode == 0 else 0,
                                   mul=pick((0, 1)), pipe=pick((0, 1)), ext=pick((0, 0, 1)), act=act, k=k,
                                   ow=clog2(k + 1) + pick((0, 2)), actval=pick((0, -2)), has_dir=pick((0, 1)),
                                   shared=pick((0, 0, 1)), deep=pick((0, 1)), spare=pick((0, 0, 3)), ts=pick((0, 1)))
    yield 'vvau', dict(c=200, kernel=4, pe=2, vectors=3)
    for func in (MAX, MIN, ADD):
        for kh, ow, kw in ((1, 1, 1), (1, 1, 9), (4, 1, 1), (2, 3, 2), (1, 3, 2), (3, 2, 1), (1, 4, 1)):
            for c, pe in ((6, 1), (6, 2), (4, 4), (1, 1)):
                yield 'pool', dict(c=c, pe=pe, func=func, kh=kh, ow=ow, kw=kw, xw=pick((1, 2, 4, 8)),
                                   xs=pick((0, 1)), bip=pick((0, 0, 1)) if func == ADD else 0, spare=pick((0, 0, 2)))
        for c, kh, ow, kw, simd in ((4, 1, 1, 9, 3), (3, 1, 1, 9, 9), (2, 2, 3, 4, 2), (1, 3, 2, 2, 2)):
            yield 'pool', dict(c=c, pe=c, simd=simd, func=func, kh=kh, ow=ow, kw=kw, xw=pick((1, 2, 4, 8)),
                               xs=pick((0, 1)), bip=pick((0, 0, 1)) if func == ADD else 0, spare=pick((0, 0, 2)))
        yield 'pool', dict(c=24, pe=2, func=func, kh=2, ow=20, kw=2, xw=8, xs=1, outer=3)


MAKERS = {maker.__name__: maker for maker in (
    skid, fifo, dwc, duplicate_streams, pair_streams, add_streams, concat, split, fmpadding, weight_stream,
    thresholding_parallel, thresholding_search, channelwise, requant, lut, label_select, mvau, vvau, pool, window_ring,
    window_line)}
