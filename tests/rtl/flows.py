#!/usr/bin/env python3
# flows.py: random networks of layers with forks and joins: FIFOs, intervals, freedom from dead-lock.
"""flows.py [BUILD] [--count N] [--seed N] [--keep FOLDER] [--done FILE]

Writes random acyclic networks (convolutions, units on pixels, some with words of zeros, pools, maxima and sums of
tensors, skipped and recent ones, concatenations, forks with several readers, strides) with random foldings, compiles
them with the FIFOs that insert-fifo chooses, and runs the generated bench in Icarus without and with random stalls.
Checks: results are those of the reference executor, the interval is that of the slowest layer
(-Werror=fifo-interval), simulation takes it, and nothing stands still. --done: seeds that passed are written there,
one a line, and not run again. Exit 1 if one fails."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile


def divisor(rnd, n):
    return rnd.choice([d for d in range(1, n + 1) if n % d == 0])


class Net:
    """Lines of a dataflow graph; a tensor is (name, side, channels), elements u2, pixels of side x side."""

    def __init__(self, rnd):
        self.rnd, self.lines, self.n = rnd, [], 0
        self.uses = {}
        side, channels = rnd.choice((3, 4, 5)), rnd.choice((2, 4))
        self.input = ('x', side, channels)
        self.open = [self.input]
        for _ in range(rnd.randint(3, 9)):
            self.grow()

    def name(self):
        self.n += 1
        return 'v%d' % self.n

    def add(self, dims, op, args, attrs='', side=None, channels=None):
        out = self.name()
        for a in args:
            self.uses.setdefault(a, []).append((len(self.lines), a))
        self.lines.append((out, dims, op, list(args), attrs))
        return out, side, channels

    def const(self, text):
        out = self.name()
        self.lines.append((out, None, text, [], ''))
        return out

    def unit(self, x, side, rows, cols, simd_of):
        """A matrix-vector unit whose activation gives u2 again."""
        rnd = self.rnd
        pe, simd = divisor(rnd, rows), divisor(rnd, simd_of)
        attrs = 'pe=%d simd=%d' % (pe, simd)
        if rnd.random() < 0.4:
            w = self.const('ter[%d,%d] = [%s]' % (cols, rows, self.sparse(cols, rows, pe, simd)))
            attrs += ' zero_words=skip'
        else:
            w = self.const('bip[%d,%d] = rand %d' % (cols, rows, rnd.randint(1, 999)))
        t = self.const('i%d[1,3] = [%d, 0, %d]' % (8 if cols < 60 else 10, -cols // 4 - 1, cols // 4 + 1))
        return self.add('u2[%d,%d]' % (side * side, rows), 'hw.mvau', (x, w, t), attrs, side, rows)

    def sparse(self, cols, rows, pe, simd):
        """Ternary weights of which some words of pe rows and simd columns are zero: results leave at uneven times."""
        rnd, full = self.rnd, self.rnd.choice((0.2, 0.6))
        kept = {(c, r): rnd.random() < full for c in range(cols // simd) for r in range(rows // pe)}
        return ', '.join(str(rnd.randint(-1, 1) if kept[c // simd, r // pe] else 0)
                         for c in range(cols) for r in range(rows))

    def windows(self, x, side, c, stride):
        z = self.const('u1<0..0>[1,1] = [0]')
        p, _, _ = self.add('u2[%d,%d]' % ((side + 2) ** 2, c), 'hw.fmpadding', (x, z),
                           'simd=%d dim=[%d,%d] pads=[1,1,1,1]' % (divisor(self.rnd, c), side, side))
        out, row = (side - 1) // stride + 1, (side + 2) * c
        w, _, _ = self.add('u2[%d,%d]' % (out * out * 9, c), 'hw.window', (p,),
                           'dims=[%d,%d,1,3,3,%d] strides=[%d,%d,%d,%d,%d,1] simd=%d'
                           % (out, out, c, row * stride, c * stride, c, row, c, divisor(self.rnd, c))
                           + ' parallel_window=%d' % (self.rnd.random() < 0.3))
        return w, out

    def join(self, x, y, side, c):
        """The larger of two tensors, or their sum on two bits."""
        rnd = self.rnd
        if rnd.random() < 0.5:
            return self.add('u2[%d,%d]' % (side * side, c), 'hw.add_streams', (x, y),
                            'func=max pe=%d' % divisor(rnd, c), side, c)
        total, _, _ = self.add('u3<0..6>[%d,%d]' % (side * side, c), 'hw.add_streams', (x, y),
                               'func=add pe=%d' % divisor(rnd, c))
        t = self.const('u3[1,3] = [1, 3, 5]')
        return self.add('u2[%d,%d]' % (side * side, c), 'hw.thresholding', (total, t),
                        'pe=%d' % divisor(rnd, c), side, c)

    def grow(self):
        rnd = self.rnd
        x, side, c = rnd.choice(self.open[-3:])
        kind = rnd.choice(('conv', 'conv', 'unit', 'join', 'join', 'concat', 'pool', 'stride'))
        same = [v for v in self.open if v[1:] == (side, c) and v[0] != x]
        if kind == 'join' and same:
            new = self.join(x, rnd.choice(same)[0], side, c)
        elif kind == 'concat' and same and c <= 4:
            new = self.add('u2[%d,%d]' % (side * side, 2 * c), 'hw.concat', (x, rnd.choice(same)[0]),
                           'parts=[%d,%d] pe=%d' % (c, c, divisor(rnd, c)), side, 2 * c)
        elif kind == 'pool':
            w, side = self.windows(x, side, c, 1)
            fold = rnd.choice(('pe=%d' % divisor(rnd, c), 'pe=%d simd=%d' % (c, rnd.choice((3, 9)))))
            new = self.add('u2[%d,%d]' % (side * side, c), 'hw.pool', (w,), 'func=max window=[1,1,9] ' + fold, side, c)
        elif kind == 'conv' or (kind == 'stride' and side > 3):
            w, side = self.windows(x, side, c, 1 if kind == 'conv' else 2)
            new = self.unit(w, side, rnd.choice((c, c, 4)), 9 * c, rnd.choice((c, 9 * c)))
        else:
            new = self.unit(x, side, rnd.choice((c, c, 4)), c, c)
        self.open.append(new)

    def text(self):
        """The module: what several read is duplicated, what none reads is an output."""
        readers = {}
        for line in self.lines:
            for a in line[3]:
                readers[a] = readers.get(a, 0) + 1
        types = {'x': 'u2[%d,%d]' % (self.input[1] ** 2, self.input[2])}
        types.update((l[0], l[1]) for l in self.lines if l[1])
        body, copies = [], {}

        def fork(v):
            if v in types and readers.get(v, 0) > 1:
                copies[v] = ['%s_%d' % (v, k) for k in range(readers[v])]
                body.append('  %s = hw.duplicate_streams(%%%s)'
                            % (', '.join('%%%s: %s' % (o, types[v]) for o in copies[v]), v))

        fork('x')
        for out, dims, op, args, attrs in self.lines:
            if dims is None:
                body.append('  %%%s: %s' % (out, op))
                continue
            args = ', '.join('%' + (copies[a].pop() if a in copies else a) for a in args)
            body.append('  %%%s: %s = %s(%s) %s' % (out, dims, op, args, attrs))
            fork(out)
        ends = [v for v in types if v not in readers]
        outs = ', '.join('%' + v for v in ends)
        results = ', '.join('%%r%s: %s' % (v, types[v]) for v in ends)
        return ('nashc 1\n\ngraph @main(%%x: %s) -> (%s) {\n  %s = call(%%x) graph=@dataflow\n}\n\n'
                'graph @dataflow(%%x: %s) -> (%s) {\n%s\n}\n'
                % (types['x'], ', '.join('%r' + v for v in ends), results, types['x'], outs, '\n'.join(body)))


def check(nashc, text, folder):
    source, design = os.path.join(folder, 'flow.nashir'), os.path.join(folder, 'design')
    with open(source, 'w') as f:
        f.write(text)
    run = subprocess.run([nashc, 'compile', source, '-passes=insert-dwc,insert-fifo', '-Werror=fifo-interval',
                          '--verify', 'none', '-o', design], capture_output=True, text=True)
    if run.returncode:
        return run.stderr
    with open(os.path.join(design, 'manifest.json')) as f:
        manifest = json.load(f)
    for seed in (0, 7):
        run = subprocess.run(['sh', 'tb/run_iverilog.sh', '-Ptb_finn_design.SEED=%d' % seed], cwd=design,
                             capture_output=True, text=True)
        if run.returncode:
            return 'seed %d:\n%s%s' % (seed, run.stdout, run.stderr)
        ends = [int(w[2]) for w in (line.split() for line in run.stdout.splitlines()) if w and w[0] == 'frame']
        took, model = ends[-1] - ends[-2], manifest['interval_cycles']
        # While FIFOs still fill, an output that runs ahead may come a bit more often than in the long run.
        if seed == 0 and not 0.99 * model <= took <= model:
            return 'interval %d, the model says %d' % (took, model)
    return None


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('build', nargs='?', default='build')
    ap.add_argument('--count', type=int, default=12)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--keep')
    ap.add_argument('--done')
    ap.add_argument('--update', action='store_true', help='nothing to renew')
    args = ap.parse_args()
    nashc = os.path.abspath(os.path.join(args.build, 'tools', 'nashc'))
    if not shutil.which('iverilog'):
        print('skip: no iverilog\n0 passed, 0 failed, 1 skipped')
        return 0
    failed, done = 0, set()
    if args.done and os.path.exists(args.done):
        with open(args.done) as f:
            done = set(map(int, f))
    for seed in range(args.seed, args.seed + args.count):
        if seed in done:
            continue
        folder = os.path.join(args.keep, str(seed)) if args.keep else tempfile.mkdtemp()
        os.makedirs(folder, exist_ok=True)
        wrong = check(nashc, Net(random.Random(seed)).text(), folder)
        if wrong:
            failed += 1
            print('FAIL flows --seed %d --count 1: %s' % (seed, wrong[:2000]), flush=True)
        elif args.done:
            with open(args.done, 'a') as f:
                f.write('%d\n' % seed)
        if not args.keep:
            shutil.rmtree(folder)
    print('%d passed, %d failed, 0 skipped' % (args.count - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
