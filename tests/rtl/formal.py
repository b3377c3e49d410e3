#!/usr/bin/env python3
# formal.py: proofs of the RTL modules with nothing but Yosys.
"""formal.py [BUILD] [--only MODULE]: BUILD is not needed.

1. The assertions inside `ifdef FORMAL, by induction, for small parameters.
2. For every module with streams: no combinational path from an m_tready to an s_tready or m_tvalid,
   from an s_tvalid or s_tdata to an m_tvalid or m_tdata."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RTL = os.path.normpath(os.path.join(HERE, '..', '..', 'backends', 'verilog', 'rtl'))

PROOFS = (
    ('skid', [dict(W=1), dict(W=3)]),
    ('pipe', [dict(W=2, LATENCY=n) for n in (0, 1, 2, 5)]),
    ('duplicate_streams', [dict(W=2, OUTPUTS=n) for n in (1, 2, 3)]),
    ('parts', [dict(FA=a, FB=b) for a, b in ((1, 1), (2, 3), (1, 4), (5, 2))]),
    ('split', [dict(NA=a, NB=b, XW=2) for a, b in ((1, 1), (2, 3))]),
    ('padded_axis', [dict(SIZE=n, BEFORE=f, GAP=g, AFTER=l)
              for n, f, g, l in ((1, 0, 0, 0), (3, 1, 0, 2), (2, 4, 1, 0), (3, 1, 2, 1), (2, 5, 3, 3), (1, 2, 2, 0))]),
    ('fmpadding', [dict(C=c, SIMD=2, HEIGHT=h, WIDTH=w, TOP=t, LEFT=l, BOTTOM=b, RIGHT=r, ROW_GAP=g, XW=2, OUT_W=2)
                   for c, h, w, t, l, b, r, g in ((2, 1, 1, 0, 0, 0, 0, 0), (4, 2, 3, 1, 0, 0, 2, 1),
                                                  (6, 3, 1, 4, 3, 1, 1, 0))]),
    ('line_end', [dict(W=1), dict(W=3)]),
    ('fifo', [dict(W=2, DEPTH=2, STYLE=1)] + [dict(W=2, DEPTH=d, STYLE=s) for d in (2, 3, 4, 6)
                                              for s in (2, 3)]),
    ('dwc', [dict(S_W=a, M_W=b) for a, b in ((1, 4), (4, 1), (2, 3), (3, 2), (5, 3), (3, 7),
                                                (4, 6))]),
    ('delay_memory', [dict(W=2, DEPTH=d) for d in (0, 1, 2, 5)]),
    ('loops', [dict(COUNT0=2, COUNT1=3), dict(COUNT1=2, COUNT3=2, COUNT7=4), dict()]),
    ('window_line', [dict(W=1, NEWEST=12, COUNT0=3, COUNT1=3, MOVE1=3, MOVE8=13, TAPS0=3, TAPS1=3, GAP1=5),
                     dict(W=2, COUNT0=4, MOVE0=2, MOVE8=3), dict(),
                     dict(W=1, NEWEST=7, COUNT0=1, COUNT1=2, COUNT2=2, MOVE1=1, MOVE2=4, MOVE8=9, TAPS0=2, TAPS1=1,
                          TAPS2=2, GAP0=2, GAP2=5)]),
    ('window_ring', [dict(W=1, WORDS=6, DEPTH=3, COUNT0=2, COUNT1=3, MOVE0=1, MOVE1=0, MOVE8=3, FREE1=1, FREE8=4),
                dict(W=1, WORDS=4, DEPTH=2, COUNT0=2, MOVE0=2, FREE0=2, MOVE8=2, FREE8=2)]),
    ('label_select', [dict(LABELS=6, PE=p, TOP_K=k, XW=2, OUT_W=3) for p, k in ((1, 1), (2, 1), (3, 2),
                                                                         (6, 4))]),
    ('accumulate', [dict(PE=2, FUNC=f, XW=2, X_SIGNED=s, ACC_W=3, ACCS=d) for f, s, d in (
        (4, 0, 1), (4, 1, 3), (5, 0, 4), (5, 1, 2), (0, 0, 2), (0, 1, 3))]),
    ('rows_packed', [dict(PE=3, SIMD=n, XW=a, X_SIGNED=s & 1, WW=b, W_SIGNED=s >> 1, SW=a + b + 2, LANES=l, PIPE=p)
                     for a, b, l, n, p in ((3, 3, 2, 1, 0), (2, 2, 3, 2, 1)) for s in range(4)]),
    ('mvau', [dict(MW=4, MH=4, PE=2, SIMD=2, MODE=0, XW=1, WW=1, ACC_W=3, OUT_W=3),
              dict(MW=6, MH=2, PE=2, SIMD=2, MODE=2, XW=2, WW=2, ACC_W=8, OUT_W=8, W_EXT=1),
              dict(MW=4, MH=3, PE=1, SIMD=4, MODE=1, XW=2, WW=1, ACC_W=6, OUT_W=6, PIPE=1),
              dict(MW=4, MH=6, GROUPS=3, PE=1, SIMD=2, MODE=0, XW=1, WW=1, ACC_W=3, OUT_W=3)]),
    ('mvau_sparse', [dict(MW=4, MH=4, PE=2, SIMD=2, ROUND=r, XW=2, WW=2, ACC_W=6, OUT_W=6) for r in (2, 3)]
     + [dict(MW=6, MH=4, GROUPS=2, PE=1, SIMD=2, ROUND=5, MODE=3, XW=1, WW=2, ACC_W=6, OUT_W=6)]),
    ('adder_steps', [dict(W=2, SF=s, NF=f, GROUPS=g) for s, f, g in ((2, 3, 1), (1, 3, 2), (3, 1, 1), (3, 2, 2))]),
    ('results', [dict(PE=2, STAGES=n, SW=3, SUM_SIGNED=s, ACC_W=5, OUT_W=5) for n, s in ((2, 1), (3, 0))]
     + [dict(PE=1, STAGES=2, SW=2, ACC_W=4, ACT=1, FOLDS=3, K=1, TW=2, OUT_W=1)]),
    ('weights', [dict(W=2, DEPTH=4, W_EXT=1), dict(W=2, DEPTH=3), dict(W=3, DEPTH=1),
                 dict(W=2, DEPTH=4, W_AXILITE=1)]),
    ('vvau', [dict(C=4, KERNEL=3, PE=2, MODE=2, XW=2, WW=2, ACC_W=6, OUT_W=6, W_EXT=1)]
     + [dict(C=c, KERNEL=k, PE=p, SIMD=s, MODE=2, XW=2, WW=2, ACC_W=6, OUT_W=6, PIPE=k % 2)
        for c, k, p, s in ((4, 3, 2, 1), (2, 4, 2, 1), (3, 1, 1, 1), (2, 4, 2, 2), (2, 2, 2, 2))]),
    ('pool', [dict(C=c, PE=p, SIMD=s, FUNC=f, KH=h, OW=o, KW=w, XW=2, OUT_W=2 if f else 4)
              for c, p, s, f, h, o, w in ((4, 2, 1, 0, 2, 3, 2), (1, 1, 1, 4, 1, 3, 2), (2, 2, 1, 5, 3, 1, 1),
                                          (2, 2, 2, 4, 1, 2, 4), (1, 1, 3, 0, 2, 1, 3))]),
)


def sources(top, formal):
    """Only the proved module asserts; what it instantiates is plain."""
    names = sorted(n for n in os.listdir(RTL) if n.endswith('.v') and n != top + '.v')
    lines = ['read_verilog -defer %s/%s' % (RTL, n) for n in names]
    flags = '-formal -DFORMAL ' if formal else ''
    return lines + ['read_verilog -defer %s%s/%s.v' % (flags, RTL, top)]


def yosys(script, folder):
    path = os.path.join(folder, 'run.ys')
    with open(path, 'w') as f:
        f.write('\n'.join(script) + '\n')
    done = subprocess.run(['yosys', '-q', path], cwd=folder, capture_output=True, text=True,
                          timeout=900)
    return done.returncode == 0, done.stdout + done.stderr


def files(folder):
    """Memory files of the default parameters; what they hold does not matter here."""
    for name in ['memblock.dat', 'steps.dat', 'thresh.dat', 'thresh', 'param.dat', 'dir.dat', 'rom.dat']:
        with open(os.path.join(folder, name), 'w') as f:
            f.write('0\n')
    for lane in range(4):
        for name in ['lut_%d.dat' % lane] + ['thresh_%d_%d.dat' % (lane, s) for s in range(4)]:
            with open(os.path.join(folder, name), 'w') as f:
                f.write('0\n')


def hierarchy(top, params):
    return 'hierarchy -check -top %s %s' % (top, ' '.join('-chparam %s %d' % p
                                                         for p in params.items()))


def prove(module, params, folder):
    top = 'nashc_' + module
    return yosys(sources(top, True) + [
        hierarchy(top, params), 'rename -top ' + top, 'prep -flatten -top ' + top, 'memory_map',
        'opt -full', 'async2sync', 'dffunmap', 'chformal -assume -early',
        'sat -verify -prove-asserts -set-assumes -set-init-zero -seq 1 -tempinduct -maxsteps 16 '
        + top], folder)


def paths(module, folder):
    """Combinational paths between the streams of a module, as a list of complaints."""
    top = 'nashc_' + module
    script = sources(top, False) + [hierarchy(top, {}), 'rename -top ' + top,
                                    'prep -flatten -top ' + top, 'memory_map', 'opt -full',
                                    'cd ' + top]
    text = open(os.path.join(RTL, top + '.v')).read()
    ports = re.findall(r'^\s+(?:input|output) +wire +(?:\[.*?\] *)?(\w+)', text, re.M)
    ins = [p for p in ports if re.match(r's\d?_t(valid|data)$', p)]
    out = ['m_tdata', 'm_tvalid']
    rules = [('m_tready', p) for p in ports if re.match(r's\d?_tready$', p)]
    rules += [('m_tready', p) for p in out] + [(i, o) for i in ins for o in out]
    for a, b in rules:
        script.append('select -assert-none w:%s %%coe* w:%s %%i' % (a, b))
    return yosys(script, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', nargs='?')
    parser.add_argument('--only', metavar='MODULE')
    args = parser.parse_args()
    if not shutil.which('yosys'):
        print('skip: no yosys\n0 passed, 0 failed, 1 skipped')
        return 0
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        files(folder)
        jobs = [('prove %s %s' % (m, ' '.join('%s=%d' % q for q in p.items())),
                 lambda m=m, p=p: prove(m, p, folder)) for m, sets in PROOFS for p in sets
                if not args.only or args.only == m]
        for name in sorted(os.listdir(RTL)):
            module = name[len('nashc_'):-2]
            if 'm_tready' in open(os.path.join(RTL, name)).read() and (
                    not args.only or args.only == module):
                jobs.append(('paths %s' % module, lambda m=module: paths(m, folder)))
        for title, job in jobs:
            good, text = job()
            passed += good
            failed += not good
            print(('ok   ' if good else 'FAIL ') + title)
            if not good:
                print(text[-3000:])
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
