#!/usr/bin/env python3
# layers.py: every hardware layer at many foldings: generated Verilog or C against the reference executor.
"""layers.py [BUILD] [--hls] [--seed N] [--only TEXT] [--keep FOLDER]

Writes small graphs of independent hw.* layers (all divisors of small sizes, all kinds of operands), compiles them
with `nashc compile`, runs the generated bench in Icarus without and with stalls, and checks that frames come out
right and in the very cycles that the cycle model says. With --hls the C of the hls backend, built without warnings by
the host's compiler, with ASan and UBSan, and by a clang that has _BitInt(N) with the widths of the hardware. Exit 1 if
one fails."""

import argparse
import concurrent.futures
import itertools
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import layers_positions

PER_DESIGN = 14
SANITIZERS = '-fsanitize=address,undefined -fno-sanitize-recover=all'
ELEMS = {'bip': (-1, 1), 'u1': (0, 1), 'u2': (0, 3), 'u4': (0, 15), 'i3': (-4, 3), 'i4': (-8, 7), 'i8': (-128, 127),
         'u8': (0, 255), 'ter': (-1, 1)}


BINARY = {'add': lambda a, b: a + b, 'sub': lambda a, b: a - b, 'mul': lambda a, b: a * b, 'max': max, 'min': min}


def draw(rnd, elem):
    lo, hi = ELEMS[elem]
    return rnd.choice((-1, 1)) if elem == 'bip' else rnd.randint(lo, hi)


def divisors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


def small_type(values):
    lo, hi = min(values), max(values)
    if lo >= 0:
        return 'u%d' % max(1, hi.bit_length())
    return 'i%d' % (max((-lo - 1).bit_length(), hi.bit_length() if hi > 0 else 0) + 1)


def const(name, elem, dims, values):
    shape = ','.join(map(str, dims))
    if elem in ('bip', 'ter'):
        return '  %%%s: %s[%s] = [%s]' % (name, elem, shape, ', '.join(map(str, values)))
    lo, hi = min(values), max(values)
    full = {'u': (0, 2 ** int(elem[1:]) - 1), 'i': (-2 ** (int(elem[1:]) - 1), 2 ** (int(elem[1:]) - 1) - 1)}[elem[0]]
    rng = '' if (lo, hi) == full else '<%d..%d>' % (lo, hi)
    return '  %%%s: %s%s[%s] = [%s]' % (name, elem, rng, shape, ', '.join(map(str, values)))


def typed(lo, hi, dims):
    """The smallest type of an interval, as the IR prints it."""
    t = small_type((lo, hi))
    n = int(t[1:])
    full = (0, 2 ** n - 1) if t[0] == 'u' else (-2 ** (n - 1), 2 ** (n - 1) - 1)
    return '%s%s[%s]' % (t, '' if (lo, hi) == full else '<%d..%d>' % (lo, hi), ','.join(map(str, dims)))


def thresholds(rnd, rows, k, lo, hi):
    return [v for _ in range(rows) for v in sorted(rnd.randint(lo - 1, hi + 1) for _ in range(k))]


class Case:
    """Lines of the graph for one layer: %x0 is its input, %z0 a second one, %y0 its output; y0_0, y0_1 are those of
    a layer with several, outs of one type or a list of types."""

    def __init__(self, title, elem, shape, lines, out, outs=1, second=None):
        self.title, self.lines, self.group = title, lines, 0
        self.inputs = [('x', elem, shape)] + ([('z', *second)] if second else [])
        self.outs = out if isinstance(out, list) else [out] * outs


def activation(rnd, i, mh, lo, hi, lines):
    """Operands and attributes of a random activation."""
    k = rnd.choice((1, 1, 2, 3, 4, 7, 15))
    rows = rnd.choice((1, mh))
    t = thresholds(rnd, rows, k, lo, hi)
    lines.append(const('t%d' % i, small_type(t), (rows, k), t))
    bias = rnd.choice((0, 0, -k, 3))
    bipolar = k == 1 and rnd.random() < 0.5
    attrs = ' bipolar=true' if bipolar else ' act_bias=%d' % bias if bias else ''
    style = rnd.choice(('auto', 'parallel', 'binary_search'))
    operands = ', %%t%d' % i
    if rnd.random() < 0.3:
        lines.append(const('d%d' % i, 'bip', (mh,), [rnd.choice((-1, 1)) for _ in range(mh)]))
        operands += ', %%d%d' % i
    return operands, attrs, style, None if bipolar else (bias, bias + k)


def holes(rnd, kind, lines, beats):
    """Which weight words of so many lines of results and beats stay: none, one, all but the first and the last, all
    but those of a line, of those the half."""
    at = [(f, s) for f in range(lines) for s in range(beats)]
    gone = rnd.randrange(lines)
    kept = {'none': [], 'one': [rnd.choice(at)], 'ends': at[1:-1], 'line': [a for a in at if a[0] != gone],
            'first': [(f, 0) for f in range(lines)], 'all': at}.get(kind)
    return set(at if kept is None else kept) if kind != 'half' else {a for a in at if rnd.random() < 0.5}


def products(rnd, i, x, w, n, channels, act, lines, words=None):
    """Weights of channels sums of n products, operands and attributes of the activation, interval of the result. words:
    pe, simd and those of them that are not zero."""
    weights = [draw(rnd, w) for _ in range(n * channels)]
    if words:
        pe, simd, kept = words
        weights = [v if (k % channels // pe, k // channels // simd) in kept else 0 for k, v in enumerate(weights)]
    lines.append(const('w%d' % i, w if w in ('bip', 'ter') else small_type(weights), (n, channels), weights))
    res, (lo, hi) = rnd.choice(('', ' res_type=lut', ' res_type=dsp')), ELEMS[x]
    if act:
        span = n * max(abs(v) for v in ELEMS[x]) * max(map(abs, weights))
        operands, attrs, style, out = activation(rnd, i, channels, -span // 3, span // 3, lines)
        return ', %%w%d%s' % (i, operands), res + attrs + ('' if style == 'auto' else ' act_style=' + style), out
    column = [weights[r::channels] for r in range(channels)]
    return ', %%w%d' % i, res, (min(sum(min(v * lo, v * hi) for v in c) for c in column),
                               max(sum(max(v * lo, v * hi) for v in c) for c in column))


def mvau(rnd, i, x, w, mw, mh, pe, simd, act, groups=1, res=None, zeros=None):
    lines = []
    words = (pe, simd, holes(rnd, zeros, mh // pe, mw // simd)) if zeros else None
    operands, attrs, out = products(rnd, i, x, w, mw, mh, act, lines, words)
    if zeros:
        res = rnd.choice(('lut', 'dsp', 'auto'))
        attrs += rnd.choice((' zero_words=skip', ' zero_words=skip', ''))
    rows = rnd.choice((1, 1, 3))
    fold = (' pe=%d' % pe if pe > 1 else '') + (' simd=%d' % simd if simd > 1 else '')
    if not res and mw // simd * (mh // pe) <= 8 and rnd.random() < 0.3:
        res = 'adders'
    if res:
        attrs = re.sub(' res_type=[a-z]+', '', attrs) + ' res_type=' + res
    attrs += ' groups=%d' % groups if groups > 1 else ''
    out = typed(*out, (rows, mh)) if out else 'bip[%d,%d]' % (rows, mh)
    lines.append('  %%y%d: %s = hw.mvau(%%x%d%s)%s%s' % (i, out, i, operands, fold, attrs))
    title = 'mvau' + ('+' + res if res else '') + (' zeros=' + zeros if zeros else '')
    return Case('%s %s x %s %dx%d groups=%d pe=%d simd=%d' % (title, x, w, mw, mh, groups, pe, simd), x,
                (rows * groups, mw), lines, out)


def vvau(rnd, i, x, w, k, c, pe, simd, act):
    lines = []
    operands, attrs, out = products(rnd, i, x, w, k, c, act, lines)
    rows = rnd.choice((1, 2, 3))
    out = typed(*out, (rows, c)) if out else 'bip[%d,%d]' % (rows, c)
    fold = (' pe=%d' % pe if pe > 1 else '') + (' simd=%d' % simd if simd > 1 else '')
    lines.append('  %%y%d: %s = hw.vvau(%%x%d%s)%s%s' % (i, out, i, operands, fold, attrs))
    return Case('vvau %s x %s k=%d c=%d pe=%d simd=%d' % (x, w, k, c, pe, simd), x, (rows * k, c), lines, out)


def pool(rnd, i, x, func, window, c, pe, simd=1):
    kh, ow, kw = window
    (lo, hi), outer = ELEMS[x], rnd.choice((1, 2, 3))
    dims = (outer * ow, c)
    out = typed(kh * kw * lo, kh * kw * hi, dims) if func == 'sum' else '%s[%d,%d]' % (x, *dims)
    style = rnd.choice(('', '', ' ram_style=block', ' ram_style=distributed'))
    fold = (' pe=%d' % pe if pe > 1 else '') + (' simd=%d' % simd if simd > 1 else '')
    line = '  %%y%d: %s = hw.pool(%%x%d)%s func=%s window=[%d,%d,%d]%s' % (i, out, i, fold, func, *window, style)
    return Case('pool %s %s %s c=%d pe=%d simd=%d' % (func, x, window, c, pe, simd), x, (outer * kh * ow * kw, c),
                [line], out)


def eltwise(rnd, i, kind, x, c, pe, elementwise=True):
    """elementwise: hw.channelwise may have a number for each element of a frame."""
    lines, lo, hi = [], *ELEMS[x]
    fold = ' pe=%d' % pe if pe > 1 else ''
    vecs = rnd.choice((1, 4))
    if kind == 'thresholding':
        operands, attrs, style, out = activation(rnd, i, c, lo, hi, lines)
        attrs += '' if style == 'auto' else ' style=' + style
        text = 'hw.thresholding(%%x%d%s)%s%s' % (i, operands, fold, attrs)
    elif kind == 'lut':
        rows = rnd.choice((1, c))
        v = [rnd.randint(-9, 40) for _ in range(rows * (hi - lo + 1))]
        lines.append(const('t%d' % i, small_type(v), (rows, hi - lo + 1), v))
        text = 'hw.lut(%%x%d, %%t%d)%s%s' % (i, i, fold, ' lo=%d' % lo if lo else '')
        out = (min(v), max(v))
    elif kind == 'requant':
        rows, shift = rnd.choice((1, c)), rnd.choice((0, 3, 8))
        m = [rnd.randint(-3 << shift, 3 << shift) for _ in range(rows)]
        a = [rnd.randint(-20 << shift, 20 << shift) for _ in range(rows)]
        qmin = rnd.choice((0, -10))
        qmax = qmin + rnd.choice((0, 15, 40))
        even = rnd.random() < 0.5
        at = [(e * p + q, e * p + q >> shift) for e in (lo, hi) for p, q in zip(m, a)]
        ends = [max(qmin, min(qmax, d - (even and d & 1 and d << shift == v))) for v, d in at]
        lines += [const('m%d' % i, small_type(m), (rows, 1), m), const('a%d' % i, small_type(a), (rows, 1), a)]
        text = 'hw.requant(%%x%d, %%m%d, %%a%d)%s shift=%d qmin=%d qmax=%d%s' % (i, i, i, fold, shift, qmin, qmax,
                                                                                         ' ties_even=true' * even)
        out = (min(ends), max(ends))
    else:
        rows, func = rnd.choice((1, c, c * vecs)[:2 + elementwise]), rnd.choice(list(BINARY))
        func = 'add' if func == 'sub' else func
        v = [rnd.randint(-20, 20) for _ in range(rows)]
        ends = [BINARY[func](e, p) for e in (lo, hi) for p in v]
        lines.append(const('p%d' % i, small_type(v), (rows, 1), v))
        text = 'hw.channelwise(%%x%d, %%p%d)%s func=%s' % (i, i, fold, func)
        out = (min(ends), max(ends))
    out = typed(*out, (vecs, c)) if out else 'bip[%d,%d]' % (vecs, c)
    lines.append('  %%y%d: %s = %s' % (i, out, text))
    return Case('%s %s c=%d pe=%d' % (kind, x, c, pe), x, (vecs, c), lines, out)


def select(rnd, i, n, pe, k):
    fold = (' pe=%d' % pe if pe > 1 else '') + (' k=%d' % k if k > 1 else '')
    vecs, flat = rnd.choice((1, 3)), rnd.random() < 0.5
    out = typed(0, n - 1, (vecs, k))
    return Case('label_select', rnd.choice(('i4', 'u2', 'bip')), (1, vecs * n) if flat else (vecs, n),
                ['  %%y%d: %s = hw.label_select(%%x%d)%s%s' % (i, out, i, fold, ' labels=%d' % n if flat else '')], out)


def join(rnd, i, elem, pe):
    """A fork whose branches meet again, one of them later."""
    lo, hi = ELEMS[elem]
    fold, func = ' pe=%d' % pe if pe > 1 else '', rnd.choice(('add', 'sub'))
    add = 5
    out = (2 * lo + add, 2 * hi + add) if func == 'add' else (lo - hi - add, hi - lo - add)
    v = '%s[2,6]' % elem
    lines = ['  %%a%d: %s, %%b%d: %s = hw.duplicate_streams(%%x%d)%s' % (i, v, i, v, i, fold),
             const('p%d' % i, 'u3', (1, 1), [add]),
             '  %%c%d: %s = hw.channelwise(%%b%d, %%p%d)%s func=add'
             % (i, typed(lo + add, hi + add, (2, 6)), i, i, fold),
             '  %%y%d: %s = hw.add_streams(%%a%d, %%c%d)%s%s' % (i, typed(*out, (2, 6)), i, i, fold,
                                                              ' func=sub' if func == 'sub' else '')]
    return Case('add_streams %s pe=%d' % (elem, pe), elem, (2, 6), lines, typed(*out, (2, 6)))


def binary(rnd, i, a, b, func, pe):
    ends = [BINARY[func](x, z) for x in ELEMS[a] for z in ELEMS[b]]
    whole = func in ('add', 'sub') or (a, b) != ('bip', 'bip')
    out = typed(min(ends), max(ends), (3, 6)) if whole else 'bip[3,6]'
    line = '  %%y%d: %s = hw.add_streams(%%x%d, %%z%d)%s%s' % (i, out, i, i, ' pe=%d' % pe if pe > 1 else '',
                                                          ' func=' + func if func != 'add' else '')
    return Case('add_streams %s %s %s pe=%d' % (func, a, b, pe), a, (3, 6), [line], out, second=(b, (3, 6)))


def nest(rnd, i, title, elem, shape, dims, strides, simd, offset=0, extra='', parallel=0, full=False):
    """hw.window: the loops, their strides in elements."""
    count = 1
    for d in dims:
        count *= d
    lanes = simd if full else rnd.choice([s for s in divisors(simd)])
    out = '%s[%d,%d]' % (elem, count // dims[-1], dims[-1])
    attrs = ' dims=[%s] strides=[%s]' % (','.join(map(str, dims)), ','.join(map(str, strides)))
    attrs += ' offset=%d' % offset * (offset > 0) + ' simd=%d' % lanes * (lanes > 1)
    attrs += ' parallel_window=1' * parallel + extra
    return Case('window %s %s simd=%d parallel=%d' % (title, elem, lanes, parallel), elem, shape,
                ['  %%y%d: %s = hw.window(%%x%d)%s' % (i, out, i, attrs)], out)


def im2col(rnd, i, h, w, c, k, stride, dilation, parallel, m=1):
    oh, ow = (h - dilation * (k[0] - 1) - 1) // stride + 1, (w - dilation * (k[1] - 1) - 1) // stride + 1
    ow -= ow % (m // math.gcd(m, stride))   # so many windows come at once
    title = 'im2col %dx%dx%d k=%s s=%d d=%d m=%d' % (h, w, c, k, stride, dilation, m)
    strides = (stride * w * c, stride * c, dilation * w * c, dilation * c, 1)
    return nest(rnd, i, title, rnd.choice(('u4', 'i3', 'bip')), (h * w, c), (oh, ow, *k, c), strides, c,
                parallel=parallel, extra=' positions=%d' % m * (m > 1), full=m > 1)


def windows(rnd):
    """Sliding windows of every kind, and frames cut, strided, repeated and transposed."""
    for h, w, c, k, stride, dilation in ((5, 5, 4, (3, 3), 1, 1), (6, 6, 2, (2, 2), 2, 1), (7, 5, 3, (3, 3), 2, 1),
                                         (7, 7, 2, (3, 3), 1, 2), (1, 9, 4, (1, 3), 1, 1), (1, 9, 2, (1, 2), 1, 1),
                                         (9, 1, 2, (3, 1), 2, 1), (4, 4, 6, (1, 1), 2, 1), (5, 5, 2, (1, 1), 3, 1),
                                         (4, 4, 2, (4, 4), 1, 1), (6, 6, 1, (2, 2), 3, 1), (5, 6, 1, (2, 4), 1, 1)):
        for parallel in (0, 1):
            yield lambda i, a=(h, w, c, k, stride, dilation, parallel): im2col(rnd, i, *a)
    for p in (0, 1):
        yield lambda i, p=p: nest(rnd, i, 'grouped', 'u2', (16, 4), (2, 2, 2, 3, 3, 2), (16, 4, 2, 16, 4, 1), 2,
                                  parallel=p)
        yield lambda i, p=p: nest(rnd, i, 'transpose', 'i4', (4, 6), (6, 4, 1), (1, 6, 1), 1, parallel=p)
    yield lambda i: nest(rnd, i, 'crop', 'i3', (20, 6), (2, 3, 6), (30, 6, 1), 6, offset=36)
    yield lambda i: nest(rnd, i, 'upsample', 'i3', (6, 4), (2, 2, 3, 2, 4), (12, 0, 4, 0, 1), 4)
    yield lambda i: nest(rnd, i, 'shuffle', 'u4', (3, 12), (3, 4, 3, 1), (12, 1, 4, 1), 1)
    yield lambda i: nest(rnd, i, 'repeat', 'u4', (1, 6), (5, 6), (0, 1), 6)
    yield lambda i: nest(rnd, i, 'deep', 'u4', (16, 2), (2, 2, 3, 3, 2), (8, 2, 8, 2, 1), 1, extra=' depth=40')


def held(elem, others, dims):
    """Type of a tensor of elements elem and the values others: elem where it holds them."""
    lo, hi = ELEMS[elem]
    if all(lo <= v <= hi and (v or elem != 'bip') for v in others):
        return '%s[%s]' % (elem, ','.join(map(str, dims)))
    return typed(min(lo, *others), max(hi, *others), dims)


def pad(rnd, i, elem, c, simd, dim, pads, gaps):
    lo, hi = ELEMS[elem]
    rows, frames, flat = rnd.choice((1, c)), rnd.choice((1, 1, 2)), rnd.random() < 0.25
    span = rnd.choice(((0, 0), (lo, hi), (-3, 20)))
    v = [draw(rnd, elem) if span == (lo, hi) else rnd.randint(*span) for _ in range(rows)]
    size = math.prod((dim[a] - 1) * (gaps[a] + 1) + 1 + pads[a] + pads[a + 2] for a in (0, 1))
    out = held(elem, v + v, (frames * size, c))
    lines = [const('p%d' % i, small_type(v), (rows, 1), v),
             '  %%y%d: %s = hw.fmpadding(%%x%d, %%p%d)%s dim=[%d,%d] pads=[%d,%d,%d,%d]%s'
             % (i, out, i, i, ' simd=%d' % simd if simd > 1 else '', *dim, *pads,
                ' gaps=[%d,%d]' % gaps if any(gaps) else '')]
    if flat:
        lines[-1] += ' channels=%d' % c
    shape = (1, frames * dim[0] * dim[1] * c) if flat else (frames * dim[0] * dim[1], c)
    return Case('fmpadding %s c=%d simd=%d %s %s %s' % (elem, c, simd, dim, pads, gaps), elem, shape, lines, out)


def columns(rnd, part, rounds):
    """Columns of a matrix of rounds rows of part elements, and the attribute's value for that."""
    c = rnd.choice((0, 0, 1, part * rounds))
    return (rounds * part // (c or part), c or part), c


def concat(rnd, i, a, b, na, nb, pe):
    rounds = rnd.choice((1, 1, 3))
    dims, c = columns(rnd, na + nb, rounds)
    out = '%s[%d,%d]' % (a, *dims) if a == b else typed(min(ELEMS[a][0], ELEMS[b][0]), max(ELEMS[a][1], ELEMS[b][1]),
                                                         dims)
    text = 'hw.concat(%%x%d, %%z%d)%s parts=[%d,%d]%s' % (i, i, ' pe=%d' % pe if pe > 1 else '', na, nb,
                                                         ' channels=%d' % c if c else '')
    return Case('concat %s %s %d+%d pe=%d' % (a, b, na, nb, pe), a, columns(rnd, na, rounds)[0],
                ['  %%y%d: %s = %s' % (i, out, text)], out, second=(b, columns(rnd, nb, rounds)[0]))


def split(rnd, i, elem, na, nb, pe):
    rounds = rnd.choice((1, 1, 3))
    (da, ca), (db, cb) = columns(rnd, na, rounds), columns(rnd, nb, rounds)
    outs = ['%s[%d,%d]' % (elem, *d) for d in (da, db)]
    text = 'hw.split(%%x%d)%s parts=[%d,%d]%s' % (i, ' pe=%d' % pe if pe > 1 else '', na, nb,
                                                 ' channels=[%d,%d]' % (ca, cb) if ca or cb else '')
    return Case('split %s %d+%d pe=%d' % (elem, na, nb, pe), elem, columns(rnd, na + nb, rounds)[0],
                ['  %%y%d_0: %s, %%y%d_1: %s = %s' % (i, outs[0], i, outs[1], text)], outs)


def swap(i, elem, na, nb, pe):
    """A stream in parts and together again the other way round: what comes first has to wait."""
    at = dict(i=i, e=elem, a=na, b=nb, pe=' pe=%d' % pe if pe > 1 else '', n=na + nb)
    lines = ['  %%a{i}: {e}[2,{a}], %%b{i}: {e}[2,{b}] = hw.split(%%x{i}){pe} parts=[{a},{b}]',
             '  %%c{i}: {e}[2,{a}] = hw.fifo(%%a{i}) depth={d} lanes={l}',
             '  %%y{i}: {e}[2,{n}] = hw.concat(%%b{i}, %%c{i}){pe} parts=[{b},{a}]']
    lines = [x.replace('%%', '%').format(**at, d=max(2, na // pe), l=pe) for x in lines]
    return Case('concat of split %s %d+%d pe=%d' % (elem, na, nb, pe), elem, (2, na + nb), lines,
                '%s[2,%d]' % (elem, na + nb))


def cases(rnd):
    """All layers; operands by chance, foldings exhaustively."""
    makers = []
    for mw, mh in ((6, 4), (8, 1), (1, 6), (12, 2)):
        for pe in divisors(mh):
            for simd in divisors(mw):
                for act in (False, True):
                    makers.append(lambda i, a=(mw, mh, pe, simd, act): mvau(
                        rnd, i, rnd.choice(list(ELEMS)), rnd.choice(('bip', 'ter', 'i3', 'u2', 'i8', 'u1', 'i4')), *a))
    for x in ('bip', 'u1', 'u4', 'i8'):
        for w in ('bip', 'ter', 'i4', 'u2'):
            makers.append(lambda i, a=(x, w): mvau(rnd, i, *a, 6, 4, 2, 3, rnd.random() < 0.5))
    kinds = ('bip', 'ter', 'u1', 'u4', 'i4', 'i8')
    for mw, mh, groups in ((6, 4, 2), (4, 6, 3), (1, 4, 2), (2, 2, 2)):
        for pe in divisors(mh // groups):
            for simd in divisors(mw):
                for act in (False, True):
                    makers.append(lambda i, a=(mw, mh, pe, simd, act, groups): mvau(
                        rnd, i, rnd.choice(kinds), rnd.choice(kinds), *a))
    for x in kinds:
        for w in kinds:
            makers.append(lambda i, a=(x, w): mvau(rnd, i, *a, 6, 6, 1, rnd.choice((2, 3)), rnd.random() < 0.5, 3))
            makers.append(lambda i, a=(x, w): vvau(rnd, i, *a, 9, 4, *rnd.choice(((1, 1), (2, 1), (4, 3), (4, 9))),
                                                           rnd.random() < 0.5))
    for x, w, mw, mh, pe, simd in (('u4', 'i8', 16, 12, 12, 16), ('i8', 'i4', 12, 16, 8, 12),
                                   ('bip', 'i8', 16, 8, 4, 8), ('bip', 'bip', 24, 16, 16, 24),
                                   ('u2', 'bip', 24, 16, 16, 12), ('i3', 'ter', 32, 8, 8, 4),
                                   ('u8', 'i8', 8, 24, 6, 8)):
        for act in (False, True):
            makers.append(lambda i, a=(x, w, mw, mh, pe, simd, act): mvau(rnd, i, *a, res='adders'))
    for x, w, mh, pe in (('u4', 'i4', 12, 12), ('u4', 'i3', 14, 7), ('u2', 'u2', 12, 12), ('u8', 'i8', 4, 2)):
        makers.append(lambda i, a=(x, w, 8, mh, pe, 4, True): mvau(rnd, i, *a, res='dsp'))
    for zeros in ('none', 'one', 'ends', 'line', 'first', 'half', 'all'):
        for mw, mh, pe, simd, groups in ((12, 8, 2, 3, 1), (16, 6, 1, 8, 1), (8, 8, 2, 2, 2), (6, 4, 4, 1, 1),
                                         (70, 4, 2, 1, 1), (8, 4, 1, 8, 1)):
            makers.append(lambda i, a=(mw, mh, pe, simd), g=groups, z=zeros: mvau(
                rnd, i, rnd.choice(kinds), rnd.choice(('ter', 'i4', 'i8', 'u2')), *a, rnd.random() < 0.5, g, zeros=z))
    for k, c in ((9, 6), (1, 4), (4, 1), (3, 8)):
        for pe, simd in [(d, 1) for d in divisors(c)] + [(c, d) for d in divisors(k)[1:]]:
            for act in (False, True):
                makers.append(lambda i, a=(k, c, pe, simd, act): vvau(rnd, i, rnd.choice(kinds), rnd.choice(kinds), *a))
    pooled = ((1, 1, 1), (1, 1, 4), (9, 1, 1), (2, 3, 2), (1, 3, 2), (3, 2, 1), (1, 4, 1))
    for func in ('max', 'min', 'sum'):
        for x in kinds:
            makers.append(lambda i, a=(x, func): pool(rnd, i, *a, rnd.choice(pooled), 6, rnd.choice((1, 2, 6))))
        for window in pooled:
            for c, pe in ((6, 1), (6, 2), (6, 3), (6, 6), (1, 1)):
                makers.append(lambda i, a=(func, window, c, pe): pool(rnd, i, rnd.choice(kinds), *a))
        for window, c, simd in (((1, 1, 9), 4, 3), ((1, 1, 9), 2, 9), ((2, 3, 4), 2, 2), ((3, 2, 2), 1, 2)):
            makers.append(lambda i, a=(func, window, c, c, simd): pool(rnd, i, rnd.choice(kinds), *a))
    for elem in ('u2', 'u4', 'i4', 'i8', 'u1', 'ter', 'bip'):
        for pe in divisors(6):
            makers.append(lambda i, a=(elem, pe): eltwise(rnd, i, 'channelwise', a[0], 6, a[1]))
    for kind, elems in (('thresholding', list(ELEMS)), ('channelwise', ['u2', 'u4', 'i4', 'i8', 'u1', 'ter', 'bip']),
                        ('requant', ['u2', 'u4', 'i4', 'i8', 'u8', 'u1', 'ter']), ('lut', ['u2', 'i3', 'u4', 'i4'])):
        for c in (1, 6, 8):
            for pe in divisors(c):
                makers.append(lambda i, a=(kind, elems, c, pe): eltwise(rnd, i, a[0], rnd.choice(a[1]), a[2], a[3]))
    for n, pe, k in ((10, 1, 1), (10, 5, 3), (6, 6, 6), (7, 7, 1), (8, 2, 4), (1, 1, 1)):
        makers.append(lambda i, a=(n, pe, k): select(rnd, i, *a))
    for a, b in ((1, 4), (4, 1), (2, 3), (3, 2), (4, 6), (12, 1), (3, 12), (6, 4)):
        makers.append(lambda i, f=(a, b): Case('dwc', 'i3', (1, 24), [
            '  %%y%d: i3[1,24] = hw.dwc(%%x%d) lanes_in=%d lanes_out=%d' % (i, i, *f)], 'i3[1,24]'))
    for depth in (2, 3, 5, 70, 100):
        makers.append(lambda i, f=depth: Case('fifo', 'u4', (1, 24), [
            '  %%y%d: u4[1,24] = hw.fifo(%%x%d) depth=%d lanes=2' % (i, i, f)], 'u4[1,24]'))
    for elem in ('u2', 'i4', 'ter', 'u1'):
        for pe in (1, 3):
            makers.append(lambda i, a=(elem, pe): join(rnd, i, *a))
    lanes = itertools.cycle(divisors(6))
    for func in BINARY:
        for a in ('bip', 'ter', 'u1', 'u4', 'i4', 'i8'):
            for b in ('bip', 'u1', 'u2', 'i4'):
                makers.append(lambda i, a=(a, b, func, next(lanes)): binary(rnd, i, *a))
    frames = itertools.product(((1, 1), (3, 4), (1, 5), (4, 1)),
                               ((1, 1, 1, 1), (0, 0, 0, 0), (0, 2, 1, 0), (3, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 1)),
                               ((0, 0), (1, 1), (0, 2), (3, 1)))
    frames = itertools.cycle(rnd.sample(list(frames), 36))
    kinds = ('bip', 'ter', 'u1', 'u4', 'i4', 'i8')
    for elem in kinds:
        for c in (1, 4, 6):
            for simd in divisors(c):
                makers.append(lambda i, a=(elem, c, simd, *next(frames)): pad(rnd, i, *a))
                makers.append(lambda i, a=(elem, c, simd, *next(frames)): pad(rnd, i, *a))
    parts = [(na, nb, pe) for na, nb in ((4, 6), (6, 6), (1, 3), (8, 2), (1, 1)) for pe in divisors(math.gcd(na, nb))]
    sizes = itertools.cycle(parts)
    for a in kinds:
        for b in kinds:
            makers.append(lambda i, a=(a, b, *next(sizes)): concat(rnd, i, *a))
    for elem, size in itertools.product(kinds, parts):
        if size[2] > 1 or elem in ('bip', 'i4'):
            makers.append(lambda i, a=(elem, *size): split(rnd, i, *a))
    for size in parts:
        makers.append(lambda i, a=('i4', *size): swap(i, *a))
    for n in (2, 3):
        makers.append(lambda i, f=n: Case('duplicate_streams', 'u4', (2, 6), [
            '  %s = hw.duplicate_streams(%%x%d) pe=3' % (', '.join('%%y%d_%d: u4[2,6]' % (i, k) for k in range(f)), i)],
            'u4[2,6]', f))
    makers += windows(rnd)
    return makers


def graph(group):
    """The module for a list of cases."""
    inputs = [('%s%d' % (x, i), elem, shape) for i, c in enumerate(group) for x, elem, shape in c.inputs]
    outs = [('y%d' % i if len(c.outs) == 1 else 'y%d_%d' % (i, k), o) for i, c in enumerate(group)
            for k, o in enumerate(c.outs)]
    params = ', '.join('%%%s: %s[%d,%d]' % (x, elem, *shape) for x, elem, shape in inputs)
    args = ', '.join('%' + x for x, _, _ in inputs)
    ys = ', '.join('%' + o for o, _ in outs)
    body = '\n'.join(line for c in group for line in c.lines)
    return ('nashc 1\n\ngraph @main(%s) -> (%s) {\n  %s = call(%s) graph=@dataflow\n}\n\n'
            'graph @dataflow(%s) -> (%s) {\n%s\n}\n'
            % (params, ys, ', '.join('%%%s: %s' % o for o in outs), args, params, ys, body))


def check_c(design):
    compilers = [('cc', '', SANITIZERS)]
    if shutil.which('clang-14'):
        compilers.append(('clang-14', '-DNASHC_BITINT', ''))
    for cc, flags, checks in compilers:
        run = subprocess.run(['make', '-s', '-B', 'check', 'CC=' + cc, 'CPPFLAGS=' + flags,
                              'CFLAGS=-O0 -Wall -Werror -Wno-unused-function ' + checks], cwd=design,
                             capture_output=True, text=True)
        if run.returncode:
            return '%s:\n%s%s' % (cc, run.stdout, run.stderr)
    return None


def check(nashc, group, folder, backend):
    text = graph(group)
    with open(os.path.join(folder, 'layers.nashir'), 'w') as f:
        f.write(text)
    design = os.path.join(folder, 'design')
    run = subprocess.run([nashc, 'compile', os.path.join(folder, 'layers.nashir'), '-passes=', '--verify', 'none', '-o',
                          design, '--backend', backend], capture_output=True, text=True)
    if run.returncode:
        return run.stderr
    return check_c(design) if backend == 'hls' else check_rtl(design)


def check_rtl(design):
    with open(os.path.join(design, 'manifest.json')) as f:
        manifest = json.load(f)
    if shutil.which('verilator'):
        sources = sorted(f for f in os.listdir(design + '/rtl') if f.endswith('.v'))
        run = subprocess.run(['verilator', '--lint-only', '-Wall', '--top-module', 'finn_design', *sources],
                             cwd=design + '/rtl', capture_output=True, text=True)
        if run.returncode or run.stderr:
            return run.stderr
    for seed in (0, 7, 8):
        run = subprocess.run(['sh', 'tb/run_iverilog.sh', '-Ptb_finn_design.SEED=%d' % seed], cwd=design,
                             capture_output=True, text=True)
        if run.returncode or 'warning' in run.stderr.lower():
            return 'seed %d:\n%s%s' % (seed, run.stdout, run.stderr)
        frames = [int(w[2]) for w in (line.split() for line in run.stdout.splitlines()) if w[0] == 'frame']
        first = [int(w[1]) for w in (line.split() for line in run.stdout.splitlines()) if w[0] == 'first'][0]
        if seed == 0 and frames[0] - first != manifest['latency_cycles']:
            return 'latency %d, the model says %d' % (frames[0] - first, manifest['latency_cycles'])
    return None


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('build', nargs='?', default='build')
    ap.add_argument('--hls', action='store_true', help='the C of the hls backend')
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--only', default='')
    ap.add_argument('--keep')
    ap.add_argument('--update', action='store_true', help='nothing to renew')
    args = ap.parse_args()
    nashc = os.path.abspath(os.path.join(args.build, 'tools', 'nashc'))
    if not args.hls and not shutil.which('iverilog'):
        print('skip: no iverilog\n0 passed, 0 failed, 1 skipped')
        return 0
    rnd = random.Random(args.seed)
    makers = cases(rnd)
    if not args.hls:    # C has one position a beat
        makers += layers_positions.positions(rnd, sys.modules[__name__])
    rnd.shuffle(makers)
    groups = [(at, [m(i) for i, m in enumerate(makers[at:at + PER_DESIGN])])
              for at in range(0, len(makers), PER_DESIGN)]
    groups = [(at, g) for at, g in groups if not args.only or any(args.only in c.title for c in g)]

    def outcome(work):
        at, group = work
        folder = os.path.join(args.keep, '%03d' % at) if args.keep else tempfile.mkdtemp()
        os.makedirs(folder, exist_ok=True)
        wrong = check(nashc, group, folder, 'hls' if args.hls else 'verilog')
        if not args.keep:
            shutil.rmtree(folder)
        return at, group, wrong

    failed = done = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for at, group, wrong in pool.map(outcome, groups):
            done += len(group)
            if wrong:
                failed += len(group)
                print('FAIL layers %d..: %s\n%s' % (at, '; '.join(c.title for c in group), wrong[:3000]))
    print('%d passed, %d failed, 0 skipped' % (done - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
