#!/usr/bin/env python3
# estimates.py: estimates of layers against what Yosys makes of them; fits the coefficients of the estimates.
"""estimates.py [BUILD] [--count N] [--seconds S] [--only KIND] [--models FILE,...] [--fit] [--page]
             [--layers]

Draws N layers of every kind over their parameters (as tests/rtl/layers.py does, but larger ones), takes the layers of
the models at several targets, and has Yosys (synth_xilinx, xcup) count the cells of each. Counts are kept in
BUILD/estimates.json under the hash of the layer's Verilog and of the modules that it is made of, so that a run
takes up where the last one ended; --seconds bounds the time for new ones (0: only what is kept).
A run of Yosys may take 2 GiB and has lowest priority. Layers that are estimated to be large are left out.

Every second draw is for fitting, the others and all models for judging. Prints the table of errors of the layers
that are for judging; --page writes it to docs/estimates.md, --layers lists each layer. --fit first writes new
coefficients to backends/verilog/layers/cost_table.c: build again to use them."""

import argparse
import glob
import hashlib
import json
import math
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'rtl'))
import layers  # noqa: E402

RTL = os.path.join(ROOT, 'backends', 'verilog', 'rtl')
TARGETS = (2e3, 2e4, 2e5)  # frames a second
PER_RUN = 12               # layers of a Yosys run
PARTS = ('_unit', '_adders')  # files of a layer behind its own
ADDERS = 'nashc_adder_steps'  # in those of a graph of additions
LARGE = 900                # estimated LUTs, DSPs counted as 20, of a layer that is left out
LIMIT = 2 << 30
RAM = {'RAM32M16': 8, 'RAM64M8': 8, 'RAM32M': 4, 'RAM64M': 4, 'RAM128X1D': 4, 'RAM64X1D': 2, 'RAM32X1D': 2,
       'RAM32X1S': 1, 'RAM64X1S': 1, 'RAM128X1S': 2, 'RAM256X1S': 4, 'RAM512X1S': 8, 'RAM256X1D': 8}
INTEGERS = ('u2', 'u4', 'i3', 'i4', 'i8', 'u8', 'ter')


# --- layers by chance: each a function of a random source and a number that gives a layers.Case --------------------

def folded(rnd, n, most):
    return rnd.choice([d for d in layers.divisors(n) if d <= most])


def matrix(x, w, most, depth=6):
    """A matrix-vector unit with operands of the types, of at most so many products a step."""
    def make(rnd, i):
        mw, mh = rnd.choice((8, 12, 18, 24, 32, 48, 64, 72, 96)), rnd.choice((4, 6, 8, 10, 16, 24, 32, 64))
        pe = folded(rnd, mh, 16)
        simd = folded(rnd, mw, max(1, most // pe))
        while mw * mh > 64 * depth * pe * simd:
            pe, simd = folded(rnd, mh, 16), folded(rnd, mw, most)
            mw, mh = ((mw, max(pe, mh // 2 // pe * pe)) if rnd.random() < 0.5 else
                      (max(simd, mw // 2 // simd * simd), mh))
        return layers.mvau(rnd, i, rnd.choice(x), rnd.choice(w), mw, mh, pe, simd, rnd.random() < 0.5)
    return make


def depthwise(rnd, i):
    c, k = rnd.choice((4, 8, 16, 24, 32, 64)), rnd.choice((4, 9, 25))
    pe, simd = folded(rnd, c, 16), 1
    if rnd.random() < 0.3:
        c = pe = rnd.choice((2, 4, 6))
        simd = rnd.choice(layers.divisors(k))
    return layers.vvau(rnd, i, rnd.choice(list(layers.ELEMS)), rnd.choice(('bip', 'ter', 'i3', 'i4', 'i8')), k, c, pe,
                       simd, rnd.random() < 0.4)


def single(rnd, i):
    """A matrix-vector unit of one row: no products share a multiplier block."""
    mw, mh = rnd.choice((8, 12, 24, 36, 64)), rnd.choice((2, 4, 8, 12))
    return layers.mvau(rnd, i, rnd.choice(('i8', 'u8', 'u4', 'i4')), rnd.choice(('i8', 'i8', 'i4')), mw, mh, 1,
                       folded(rnd, mw, 12), rnd.random() < 0.5)


def depthwise_products(rnd, i):
    """Depthwise units of integers, in LUTs and in multiplier blocks."""
    c, k = rnd.choice((4, 8, 12, 16, 24)), rnd.choice((4, 9))
    pe = folded(rnd, c, 8)
    return layers.vvau(rnd, i, rnd.choice(('u4', 'i4', 'i8', 'u8')), rnd.choice(('ter', 'i3', 'i4', 'i8')), k, c,
                       pe, rnd.choice(layers.divisors(k)) if pe == c else 1, rnd.random() < 0.4)


def depthwise_signs(rnd, i):
    """Depthwise units with weights of one bit: of a column each, or of whole kernels at once."""
    k = rnd.choice((4, 9, 25))
    if rnd.random() < 0.5:
        c = pe = rnd.choice((2, 3, 4, 6, 8))
        simd = rnd.choice(layers.divisors(k)[1:])
    else:
        c, simd = rnd.choice((4, 8, 16, 24, 32, 64)), 1
        pe = folded(rnd, c, 16)
    return layers.vvau(rnd, i, rnd.choice(('u2', 'i4', 'u4', 'i8', 'u8')), 'bip', k, c, pe, simd, rnd.random() < 0.4)


def additions(rnd, i):
    """Matrix-vector units whose weights are graphs of additions."""
    pe, simd = rnd.choice((2, 3, 4, 6, 8, 12)), rnd.choice((3, 4, 6, 8, 9, 12, 16))
    words = rnd.choice((1, 1, 1, 2, 3, 4, 8))
    beats = rnd.choice(layers.divisors(words))
    return layers.mvau(rnd, i, rnd.choice(('u2', 'i4', 'u4', 'i8', 'u8')), rnd.choice(('ter', 'u2', 'i3', 'i4')),
                       simd * beats, pe * words // beats, pe, simd, rnd.random() < 0.4, res='adders')


def channel(kind, elems):
    def make(rnd, i):
        c = rnd.choice((8, 16, 24, 32, 64, 128))
        return layers.eltwise(rnd, i, kind, rnd.choice(elems), c, folded(rnd, c, 16))
    return make


def thresholds(style, wide):
    """Thresholds of wide inputs; as an activation has them, but of any number."""
    def make(rnd, i):
        c = rnd.choice((8, 16, 24, 32, 64))
        pe, bits = folded(rnd, c, 8), rnd.choice(wide)
        k = rnd.choice((1, 2, 3, 4, 7, 15) if style == 'parallel' else (2, 3, 7, 10, 15, 31, 63, 120, 255))
        k = min(k, 2 ** (bits - 1))
        rows, half = rnd.choice((1, c, c)), 2 ** (bits - 1)
        t = [v for _ in range(rows) for v in sorted(rnd.sample(range(1 - half, half), k))]
        lines = [layers.const('t%d' % i, layers.small_type(t), (rows, k), t)]
        lines.append('  %%y%d: %s = hw.thresholding(%%x%d, %%t%d)%s style=%s'
                     % (i, layers.typed(0, k, (2, c)), i, i, ' pe=%d' % pe if pe > 1 else '', style))
        return layers.Case('thresholding', 'i%d' % bits, (2, c), lines, layers.typed(0, k, (2, c)))
    return make


def requant(rnd, i):
    """Requantisers that use their results: some 60 to 160 % of the inputs' range becomes the range between the ends."""
    c, bits = rnd.choice((8, 16, 32, 64)), rnd.choice((5, 8, 12, 16, 20))
    pe, shift, rows = folded(rnd, c, 8), bits + rnd.choice((0, 4, 8)), rnd.choice((1, c, c))
    qmin, qmax = rnd.choice(((0, 3), (0, 15), (-8, 7), (0, 255), (-128, 127)))
    m = [max(1, round(2 ** (shift - bits) * (qmax - qmin) * rnd.uniform(0.6, 1.6))) for _ in range(rows)]
    a = [round(2 ** shift * (qmin + (qmax - qmin) * rnd.uniform(0.3, 0.7))) for _ in range(rows)]
    ends = [max(qmin, min(qmax, e * p + q >> shift)) for e in (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
            for p, q in zip(m, a)]
    out = layers.typed(min(ends), max(ends), (2, c))
    lines = [layers.const('m%d' % i, layers.small_type(m), (rows, 1), m),
             layers.const('a%d' % i, layers.small_type(a), (rows, 1), a),
             '  %%y%d: %s = hw.requant(%%x%d, %%m%d, %%a%d)%s shift=%d qmin=%d qmax=%d'
             % (i, out, i, i, i, ' pe=%d' % pe if pe > 1 else '', shift, qmin, qmax)]
    return layers.Case('requant', 'i%d' % bits, (2, c), lines, out)


def window(parallel):
    def make(rnd, i):
        h, w, c = rnd.choice((6, 10, 16, 28, 32)), rnd.choice((6, 10, 16, 28, 32)), rnd.choice((1, 2, 4, 8, 16, 32))
        k = rnd.choice(((3, 3), (3, 3), (2, 2), (5, 5), (1, 3))) if parallel else rnd.choice(
            ((3, 3), (3, 3), (5, 5), (2, 2), (1, 3), (7, 7)))
        stride = rnd.choice((1, 1, 2))
        h, w, c = max(h, k[0] + 1), max(w, k[1] + 1), min(c, 4) if parallel else c
        return layers.im2col(rnd, i, h, w, c, k, stride, 1, parallel)
    return make


def pool(rnd, i):
    c = rnd.choice((8, 16, 32, 64))
    pe, simd = folded(rnd, c, 16), 1
    which = rnd.choice(((1, 1, 4), (9, 1, 1), (2, 7, 2), (1, 3, 2), (1, 1, 49), (2, 14, 2), (3, 5, 3)))
    if rnd.random() < 0.2:
        c = pe = rnd.choice((4, 8))
        simd = which[2]
    return layers.pool(rnd, i, rnd.choice(('u2', 'u4', 'i4', 'i8', 'u8')), rnd.choice(('max', 'max', 'sum', 'min')),
                       which, c, pe, simd)


def joined(rnd, i):
    return layers.binary(rnd, i, rnd.choice(('u4', 'i4', 'i8', 'u2', 'ter')), rnd.choice(('u2', 'i4', 'i8', 'u8')),
                         rnd.choice(('add', 'add', 'sub', 'max', 'min', 'mul')), rnd.choice((1, 2, 3, 6)))


def padding(rnd, i):
    c = rnd.choice((1, 3, 8, 16, 32, 64))
    dim, p = rnd.choice(((8, 8), (14, 14), (28, 28), (32, 32), (224, 224), (1, 64))), rnd.choice((1, 1, 2, 3))
    pads = (p, p, p, p) if dim[0] > 1 else (0, p, 0, p)
    return layers.pad(rnd, i, rnd.choice(('u2', 'u4', 'i4', 'i8', 'u8', 'bip')), c, folded(rnd, c, 16), dim, pads,
                      rnd.choice(((0, 0), (0, 0), (1, 1))) if dim[0] > 1 else (0, 0))


def parts(make_one, types):
    def make(rnd, i):
        pe = rnd.choice((1, 2, 4, 8))
        na, nb = pe * rnd.choice((1, 2, 4, 16, 32)), pe * rnd.choice((1, 3, 4, 8, 16))
        return make_one(rnd, i, *(rnd.choice(('u2', 'u4', 'i4', 'i8', 'u8')) for _ in range(types)), na, nb, pe)
    return make


def select(rnd, i):
    n = rnd.choice((8, 10, 16, 20, 32, 50, 64, 100, 256, 1000))
    bits, k = rnd.choice((6, 8, 12, 16)), rnd.choice((1, 1, 1, 2, 5))
    pe = folded(rnd, n, 10)
    out = layers.typed(0, n - 1, (1, k))
    return layers.Case('label_select', 'i%d' % bits, (1, n), [
        '  %%y%d: %s = hw.label_select(%%x%d)%s%s' % (i, out, i, ' pe=%d' % pe if pe > 1 else '',
                                                     ' k=%d' % k if k > 1 else '')], out)


def converter(rnd, i):
    a, b = rnd.choice(((1, 4), (8, 1), (2, 16), (16, 2), (3, 9), (4, 6), (6, 4), (9, 12), (8, 3), (1, 32), (32, 8)))
    elem, n = rnd.choice(('bip', 'u2', 'u4', 'i4', 'i8')), 288
    out = '%s[1,%d]' % (elem, n)
    return layers.Case('dwc', elem, (1, n), ['  %%y%d: %s = hw.dwc(%%x%d) lanes_in=%d lanes_out=%d'
                                             % (i, out, i, a, b)], out)


def queue(rnd, i):
    depth = rnd.choice((2, 2, 4, 8, 16, 30, 32, 33, 64, 100, 128, 300, 512, 1024, 2000))
    lanes = rnd.choice((1, 2, 4, 8, 16))
    elem = rnd.choice(('bip', 'u2', 'u4', 'i8'))
    out = '%s[1,%d]' % (elem, 32)
    return layers.Case('fifo', elem, (1, 32), ['  %%y%d: %s = hw.fifo(%%x%d) depth=%d lanes=%d'
                                               % (i, out, i, depth, lanes)], out)


def fork(rnd, i):
    n, pe, elem = rnd.choice((2, 2, 3, 4, 5)), rnd.choice((1, 2, 4, 8, 16)), rnd.choice(('bip', 'u2', 'i4', 'i8'))
    out = '%s[2,16]' % elem
    return layers.Case('duplicate_streams', elem, (2, 16), ['  %s = hw.duplicate_streams(%%x%d)%s' % (
        ', '.join('%%y%d_%d: %s' % (i, k, out) for k in range(n)), i, ' pe=%d' % pe if pe > 1 else '')], out, n)


KINDS = {
    'mvau xnor': matrix(('bip',), ('bip',), 256),
    'mvau plus-minus': matrix(('u2', 'i4', 'u4', 'i8', 'u8'), ('bip',), 64),
    'mvau bits': matrix(('bip', 'u1', 'u2', 'i4'), ('ter', 'u2', 'i3', 'i4'), 32),
    'mvau narrow': matrix(('u2', 'i3', 'u4', 'i4'), ('ter', 'u2', 'i3', 'i4'), 24),
    'mvau wide': matrix(('i8', 'u8', 'u4'), ('i8', 'i4'), 20),
    'vvau': depthwise,
    'thresholding parallel': thresholds('parallel', (3, 4, 6, 8, 12, 16)),
    'thresholding search': thresholds('binary_search', (8, 10, 12, 16, 20)),
    'requant': requant,
    'channelwise': channel('channelwise', INTEGERS),
    'lut': channel('lut', ('u2', 'i3', 'u4', 'i4')),
    'window ring': window(0),
    'window line': window(1),
    'pool': pool,
    'add_streams': joined,
    'fmpadding': padding,
    'concat': parts(layers.concat, 2),
    'split': parts(layers.split, 1),
    'label_select': select,
    'dwc': converter,
    'fifo': queue,
    'duplicate_streams': fork,
    'mvau single': single,
    'vvau products': depthwise_products,
    'vvau plus-minus': depthwise_signs,
    'mvau adders': additions,
}
for bits in range(1, 33):
    layers.ELEMS.setdefault('i%d' % bits, (-2 ** (bits - 1), 2 ** (bits - 1) - 1))


# --- designs and what Yosys counts in them -------------------------------------------------------------------------

def compile_design(nashc, source, folder, *options):
    run = subprocess.run([nashc, 'compile', source, '--verify', 'none', '-q', '-o', folder, *options],
                         capture_output=True, text=True)
    if run.returncode:
        print('%s: %s' % (source, run.stderr.strip()), file=sys.stderr)
    return run.returncode == 0


def designs(nashc, only, count, models, folder):
    """(group, for fitting?, design): one drawn layer of every kind each time, then the models."""
    chosen = [(kind, make) for kind, make in KINDS.items() if only in kind]
    for k in range(count):
        source, design = os.path.join(folder, 'drawn.nashir'), os.path.join(folder, 'drawn%d' % k)
        with open(source, 'w') as f:
            f.write(layers.graph([make(random.Random('%s %d' % (kind, k)), i)
                                  for i, (kind, make) in enumerate(chosen)]))
        if compile_design(nashc, source, design, '-passes='):
            yield 'drawn %d' % k, k % 2 == 0, design
    for i, model in enumerate(models):
        for target in TARGETS:
            design = os.path.join(folder, 'net%d-%d' % (i, target))
            if compile_design(nashc, model, design, '--target-fps', '%d' % target):
                yield os.path.basename(os.path.dirname(model)), False, design


def library_of(text):
    """The text of the library modules that a layer's text reaches, without comments."""
    seen, left = {}, [text]
    while left:
        for name in re.findall(r'\bnashc_\w+', left.pop()):
            path = os.path.join(RTL, name + '.v')
            if name not in seen and os.path.exists(path):
                seen[name] = re.sub(r'//.*', '', open(path).read())
                left.append(seen[name])
    return ''.join(seen[n] for n in sorted(seen))


def modules_of(design):
    """(layer, its hash, its text) of a design, with the unit that it has copies of and its graph of additions; the
    text says nothing of the layer's name."""
    rtl = os.path.join(design, 'rtl')
    top = json.load(open(os.path.join(design, 'manifest.json')))['top']
    paths = glob.glob(os.path.join(rtl, top + '_*.v'))
    for path in sorted(p for p in paths if not p[:-2].endswith(PARTS)):
        layer, text = os.path.basename(path)[len(top) + 1:-2], ''
        for part in [path] + [path[:-2] + p + '.v' for p in PARTS]:
            text += re.sub(r'//.*', '', open(part).read()) if os.path.exists(part) else ''
        text = text.replace('%s_%s' % (top, layer), 'LAYER')
        unnamed = text.replace('"%s_' % layer, '"')
        yield layer, hashlib.sha256((unnamed + library_of(text)).encode()).hexdigest()[:24], text


def synthesize(wanted):
    """Cells by type of each (hash, text, folder of its memories), in one run of Yosys: layers keep their hierarchy.
    Of a run that fails both halves are tried again, down to the layer that it fails for."""
    with tempfile.TemporaryDirectory() as folder:
        ports, wires, body = [], [], []
        for n, (_, text, rtl) in enumerate(wanted):
            for name in set(re.findall(r'"(\w+?)(?:\.dat)?"', text)):
                for path in glob.glob(os.path.join(rtl, name + '*.dat')):
                    if not os.path.exists(os.path.join(folder, os.path.basename(path))):
                        os.symlink(path, os.path.join(folder, os.path.basename(path)))
            with open(os.path.join(folder, 'layer%d.v' % n), 'w') as f:
                f.write('(* keep_hierarchy *)\n' + re.sub(r'\bLAYER(_\w+)?\b', r'layer%d\1' % n, text.lstrip()))
            found = re.findall(r'(input|output) +wire +(\[[^\]]*\])? *(\w+)', text[:text.index(');')])
            ports += ['%s_%d' % (p, n) for _, _, p in found]
            wires += ['    %s wire %s %s_%d;\n' % (d, r, p, n) for d, r, p in found]
            body += ['    layer%d u%d (%s);\n' % (n, n, ', '.join('.%s(%s_%d)' % (p, p, n) for _, _, p in found))]
        with open(os.path.join(folder, 'all.v'), 'w') as f:
            f.write('module all (%s);\n%s%sendmodule\n' % (', '.join(ports), ''.join(wires), ''.join(body)))
        script = ('read_verilog -defer *.v %s; synth_xilinx -flatten -noiopad -noclkbuf -family xcup -top all; '
                  'tee -q -o stat.json stat -json' % ' '.join(sorted(glob.glob(os.path.join(RTL, '*.v')))))
        run = subprocess.run(['nice', '-n', '19', 'yosys', '-q', '-p', script], cwd=folder, text=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)))
        if run.returncode:
            if len(wanted) == 1:
                print('%s: %s' % (wanted[0][0], run.stderr[-400:]), file=sys.stderr)
                return {}
            half = len(wanted) // 2
            return {**synthesize(wanted[:half]), **synthesize(wanted[half:])}
        with open(os.path.join(folder, 'stat.json')) as f:
            modules = json.load(f)['modules']
    return {wanted[n][0]: modules['\\layer%d' % n]['num_cells_by_type'] for n in range(len(wanted))
            if '\\layer%d' % n in modules}


def counts(cells):
    """Figures as nashc synth counts them."""
    total = dict(LUT=0, FF=0, BRAM_18K=0, DSP=0)
    for name, n in cells.items():
        if name.startswith(('LUT', 'SRL')):
            total['LUT'] += n
        elif name in RAM:
            total['LUT'] += RAM[name] * n
        elif name.startswith('FD'):
            total['FF'] += n
        elif name.startswith('RAMB'):
            total['BRAM_18K'] += (2 if name.startswith('RAMB36') else 1) * n
        elif name.startswith('DSP'):
            total['DSP'] += n
    return total


# --- fit -----------------------------------------------------------------------------------------------------------

class Table:
    """The coefficients, in the file that holds them."""
    path = os.path.join(ROOT, 'backends', 'verilog', 'layers', 'cost_table.c')

    def __init__(self):
        with open(os.path.join(os.path.dirname(self.path), 'cost.h')) as f:
            header = f.read()
        self.parts = re.findall(r'^    COST_(\w+), ', header, re.M)
        self.terms = int(re.search(r'COST_TERMS = (\d+)', header)[1])
        with open(self.path) as f:
            self.text = f.read()
        self.values = [0.0] * (len(self.parts) * self.terms)
        for part, numbers in re.findall(r'\[COST_(\w+)\] = \{([^{}]*)\}', self.text):
            for k, v in enumerate(numbers.split(',')):
                self.values[self.parts.index(part) * self.terms + k] = float(v)

    def write(self):
        rows = []
        for i, part in enumerate(self.parts):
            numbers = ['%.3g' % v for v in self.values[i * self.terms:(i + 1) * self.terms]]
            while len(numbers) > 1 and numbers[-1] == '0':
                numbers.pop()
            rows.append('    [COST_%s] = {%s},\n' % (part, ', '.join(numbers)))
        text = re.sub(r'(\[COST_TERMS\] = \{\n).*?(\};)', lambda m: m[1] + ''.join(rows) + m[2], self.text, flags=re.S)
        with open(self.path, 'w') as f:
            f.write(text)

    def luts(self, sample):
        return sample['fixed'] + sum(t * v for t, v in zip(sample['terms'], self.values))

    def fit(self, samples, rounds=6, sweeps=60):
        """Non-negative coefficients with the least sum of relative errors: least squares, weighted again and again.
        What few layers tell is near 1, a LUT for each bit, as if a fifth of a layer said so."""
        rows = [[(k, t) for k, t in enumerate(s['terms']) if t] for s in samples]
        used = sorted({k for row in rows for k, _ in row})
        by = {k: [(i, dict(row)[k]) for i, row in enumerate(rows) if k in dict(row)] for k in used}
        x = {k: max(self.values[k], 0.0) for k in used}
        goal = [s['real']['LUT'] - s['fixed'] for s in samples]
        scale = [1 / (s['real']['LUT'] + 5.0) for s in samples]
        rest = [g - sum(x[k] * t for k, t in row) for g, row in zip(goal, rows)]
        for _ in range(rounds):
            weight = [w * w / max(abs(r) * w, 0.03) for r, w in zip(rest, scale)]
            for _ in range(sweeps):
                for k in used:
                    top = sum(weight[i] * t * rest[i] for i, t in by[k])
                    bottom = sum(weight[i] * t * t for i, t in by[k])
                    guess = 0.2 * bottom / len(by[k])
                    new = max(0.0, x[k] + (top + guess * (1 - x[k])) / (bottom + guess))
                    if new != x[k]:
                        for i, t in by[k]:
                            rest[i] -= (new - x[k]) * t
                        x[k] = new
        for k in used:
            self.values[k] = x[k]


# --- tables --------------------------------------------------------------------------------------------------------

def ranks(values):
    order, out, i = sorted(range(len(values)), key=values.__getitem__), [0.0] * len(values), 0
    while i < len(order):
        k = i
        while k + 1 < len(order) and values[order[k + 1]] == values[order[i]]:
            k += 1
        for p in range(i, k + 1):
            out[order[p]] = (i + k) / 2
        i = k + 1
    return out


def spearman(x, y):
    a, b = ranks(x), ranks(y)
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    va, vb = sum((v - ma) ** 2 for v in a), sum((v - mb) ** 2 for v in b)
    return sum((p - ma) * (q - mb) for p, q in zip(a, b)) / (va * vb) ** 0.5 if va and vb else 1.0 if x == y else 0.0


def kind_of(table, sample):
    """The operator, and which of its units where it has several."""
    op = sample['op'].split('.')[1]
    has = {table.parts[k // table.terms] for k, t in enumerate(sample['terms']) if t}
    units = {'mvau': ('XNOR', 'PLUS_MINUS', 'PLANES', 'PACKED', 'MULTIPLY'),
             'vvau': ('XNOR', 'PLUS_MINUS', 'PLANES', 'MULTIPLY'),
             'thresholding': ('PARALLEL', 'SEARCH'), 'window': ('RING', 'LINE')}.get(op)
    if not units:
        return op
    if sample['adders']:
        return op + ' adders'
    unit = [u for u in units if u in has] + ['MULTIPLY']  # single products have no sums
    return '%s %s' % (op, unit[0].lower().replace('_', '-'))


def cells(table, samples):
    """Cells of a row: layers, and of each resource the median and 90th percentile of the error and the rank."""
    out = ['%d' % len(samples)]
    for what, least in (('LUT', 10), ('FF', 10), ('BRAM_18K', 0), ('DSP', 0)):
        pairs = [(round(table.luts(s)) if what == 'LUT' else s[what], s['real'][what]) for s in samples]
        if not any(r for _, r in pairs) and not any(e for e, _ in pairs):
            out += ['']
            continue
        errors = sorted(abs(e - r) / max(r, least, 1) for e, r in pairs)
        at = lambda q: 100 * errors[math.ceil(q * len(errors)) - 1]
        out += ['%.0f / %.0f / %.2f' % (at(0.5), at(0.9), spearman(*zip(*pairs)))]
    return out


def errors(table, samples):
    """The table of errors."""
    judged = [s for s in samples if not s['fitted']]
    kinds = {}
    for s in judged:
        kinds.setdefault(kind_of(table, s), []).append(s)
    lines = ['| layer | layers | LUT | FF | BRAM18 | DSP |', '| --- | --- | --- | --- | --- | --- |']
    lines += ['| %s | %s |' % (kind, ' | '.join(cells(table, kinds[kind]))) for kind in sorted(kinds)]
    return '\n'.join(lines + ['| all | %s |' % ' | '.join(cells(table, judged))]) + '\n'


def write_page(text):
    """Rows of kinds that this run has no layers of stay, and with them that of all."""
    path, table = os.path.join(ROOT, 'docs/estimates.md'), r'(\| layer \| layers \|.*\n)(\|.*\n)*'
    with open(path) as f:
        page = f.read()
    kind = lambda row: row.split(' | ')[0].strip('| ')
    new, rows = text.splitlines(), re.search(table, page)[0].splitlines()
    known = {kind(row): row for row in new[2:]}
    kept = {kind(row): row for row in rows[2:] if kind(row) not in known}
    if kept:
        known['all'] = next(row for row in rows if kind(row) == 'all')
    last = known.pop('all')
    known.update(kept)
    text = '\n'.join(new[:2] + [known[k] for k in sorted(known)] + [last]) + '\n'
    with open(path, 'w') as f:
        f.write(re.sub(table, lambda m: text, page, count=1))


def drawn(o, table, kept, tools, folder):
    """Samples of the designs, measured until the time is over; layers of one Verilog count once."""
    nashc, terms = tools
    end, seen = time.time() + o.seconds, set()
    for group, fitted, design in designs(nashc, o.only, o.count, [m for m in o.models.split(',') if m], folder):
        run = subprocess.run([terms, os.path.join(design, 'model.nashir')], capture_output=True, text=True, check=True)
        samples = {s['layer']: s for s in map(json.loads, run.stdout.splitlines())}
        found = [(key, text, samples[layer]) for layer, key, text in modules_of(design) if layer in samples]
        found = [f for f in found if f[0] in kept or table.luts(f[2]) + 20 * f[2]['DSP'] <= LARGE]
        wanted = [(key, text, os.path.join(design, 'rtl')) for key, text, _ in found if key not in kept]
        for i in range(0, len(wanted), PER_RUN):
            if time.time() < end:
                kept.update(synthesize(wanted[i:i + PER_RUN]))
                yield None
        for key, text, sample in found:
            if key in kept and key not in seen:
                seen.add(key)
                yield dict(sample, real=counts(kept[key]), group=group, fitted=fitted, adders=ADDERS in text)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('build', nargs='?', default='build')
    ap.add_argument('--count', type=int, default=64, help='layers of a kind')
    ap.add_argument('--seconds', type=float, default=1e9, help='for new runs of Yosys')
    ap.add_argument('--only', default='', help='kinds with this in their names')
    ap.add_argument('--models', default=','.join(sorted(glob.glob(os.path.join(ROOT, 'tests/data/*/model.onnx')))))
    ap.add_argument('--fit', action='store_true', help='write the coefficients')
    ap.add_argument('--page', action='store_true', help='write docs/estimates.md')
    ap.add_argument('--layers', action='store_true', help='list the layers too')
    o = ap.parse_args()
    subprocess.run(['ninja', '-C', o.build, 'tests/bench/cost_terms'], check=True, stdout=subprocess.DEVNULL)
    tools = [os.path.abspath(os.path.join(o.build, *p)) for p in (('tools', 'nashc'), ('tests', 'bench', 'cost_terms'))]
    cache, table, samples, kept = os.path.join(o.build, 'estimates.json'), Table(), [], {}
    if os.path.exists(cache):
        with open(cache) as f:
            kept = json.load(f)
    with tempfile.TemporaryDirectory() as folder:
        for sample in drawn(o, table, kept, tools, folder):
            if sample:
                samples.append(sample)
                continue
            with open(cache + '.new', 'w') as f:
                json.dump(kept, f)
            os.replace(cache + '.new', cache)
            print('%d layers' % len(kept), file=sys.stderr, flush=True)
    if o.fit:
        table.fit([s for s in samples if s['fitted']])
        table.write()
        print('%s written, from %d layers' % (table.path, sum(s['fitted'] for s in samples)), file=sys.stderr)
    text = errors(table, samples)
    print(text, end='')
    if o.page:
        write_page(text)
    if o.layers:
        for s in sorted(samples, key=lambda s: kind_of(table, s)):
            print(kind_of(table, s), s['layer'], round(table.luts(s)), s)
    return 0


if __name__ == '__main__':
    sys.exit(main())
