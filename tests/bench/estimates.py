#!/usr/bin/env python3
# estimates.py: LUT, FF and block RAM estimates of layers against what Yosys makes of them.
"""estimates.py [BUILD] [--family xcup] [--every N] [--models FILE,...] [--raw FILE]

Takes every Nth of the small layers of tests/rtl/layers.py and the layers of the models (tests/data/tfc_* unless given)
at several targets, has `nashc synth` ask Yosys for each, and prints a row a kind of layer: number of layers, median and
90th percentile of the relative error of the LUTs, the part within 20 %, and Spearman's rank correlation. --raw keeps
the pairs as JSON. Layers of fewer than 20 LUTs are left out: there one LUT is 5 %. Nothing fails."""

import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'rtl'))
import layers  # noqa: E402

TARGETS = (2e3, 5e4, 4e5)  # frames a second
LEAST = 20


def synthesize(nashc, family, design):
    """(kind, name, estimate, real) of the layers that Yosys does within the limits."""
    run = subprocess.run([nashc, 'synth', design, '--family', family, '--json', '--layer-time', '300', '-q'],
                         capture_output=True, text=True)
    report = json.loads(run.stdout) if run.stdout.startswith('{') else {}
    for name, entry in report.items():
        if isinstance(entry, dict) and 'estimate' in entry and 'failed' not in entry:
            yield re.sub(r'(_hls|_rtl)?_\d+$', '', name), name, entry['estimate'], entry


def designs(nashc, every, models, folder):
    """Folders of compiled designs, one after the other."""
    chosen = layers.cases(random.Random(1))[::every]
    for i in range(0, len(chosen), layers.PER_DESIGN):
        source, design = os.path.join(folder, 'layers.nashir'), os.path.join(folder, 'small%d' % i)
        with open(source, 'w') as f:
            f.write(layers.graph([make(k) for k, make in enumerate(chosen[i:i + layers.PER_DESIGN])]))
        run = subprocess.run([nashc, 'compile', source, '-passes=', '--verify', 'none', '-q', '-o', design],
                             capture_output=True, text=True)
        if run.returncode == 0:
            yield design
        else:
            print(run.stderr, file=sys.stderr)
    for model in models:
        for target in TARGETS:
            design = os.path.join(folder, 'net')
            run = subprocess.run([nashc, 'compile', model, '--verify', 'none', '-q', '--target-fps', str(target), '-o',
                                  design], capture_output=True, text=True)
            if run.returncode == 0:
                yield design


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
    return sum((p - ma) * (q - mb) for p, q in zip(a, b)) / (va * vb) ** 0.5 if va and vb else float('nan')


def row(kind, pairs):
    pairs = [(e, r) for e, r in pairs if r >= LEAST]
    if len(pairs) < 3:
        return
    errors = sorted(abs(e - r) / r for e, r in pairs)
    median, most = errors[len(errors) // 2], errors[min(len(errors) - 1, int(0.9 * len(errors)))]
    bias = sum(e for e, _ in pairs) / sum(r for _, r in pairs) - 1
    print('| %s | %d | %+.0f | %.0f | %.0f | %.0f | %.2f |' % (
        kind, len(pairs), 100 * bias, 100 * median, 100 * most,
        100 * sum(e <= 0.2 for e in errors) / len(errors), spearman(*zip(*pairs))), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('build', nargs='?', default='build')
    ap.add_argument('--family', default='xcup')
    ap.add_argument('--every', type=int, default=7)
    ap.add_argument('--models', default=','.join(sorted(glob.glob(os.path.join(ROOT, 'tests/data/tfc_*/model.onnx')))))
    ap.add_argument('--raw')
    o = ap.parse_args()
    nashc, found = os.path.abspath(os.path.join(o.build, 'tools', 'nashc')), []
    with tempfile.TemporaryDirectory() as folder:
        for design in designs(nashc, o.every, [m for m in o.models.split(',') if m], folder):
            found += synthesize(nashc, o.family, design)
            print('%d layers' % len(found), file=sys.stderr, flush=True)
            if o.raw:
                with open(o.raw, 'w') as f:
                    json.dump(found, f, indent=1)
    print('| layer | count | sum, % | median error, % | 90th percentile, % | within 20 %, % | rank correlation |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    for kind in sorted({k for k, *_ in found}):
        row(kind, [(e['LUT'], r['LUT']) for k, _, e, r in found if k == kind])
    for what in ('LUT', 'FF'):
        row('all, ' + what, [(e[what], r[what]) for _, _, e, r in found])
    return 0


if __name__ == '__main__':
    sys.exit(main())
