#!/usr/bin/env python3
# run.py: runs every RTL bench over its parameter sets with several stall patterns.
"""run.py [BUILD] [--only MODULE] [--seed N] [-j JOBS] [-v] [--keep FOLDER]
       [--verilator N]

BUILD is not needed. Each set is built by iverilog with the library of backends/verilog/rtl and run without stalls, with
stalls on the inputs, on the output, on both, and bursty. With
--verilator every N-th set is built and run by Verilator instead. Exit 1 if a bench fails."""

import argparse
import concurrent.futures
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile

import vectors
import vectors_positions
import vectors_sparse

HERE = os.path.dirname(os.path.abspath(__file__))
RTL = os.path.join(HERE, '..', '..', 'backends', 'verilog', 'rtl')
STALLS = ((0, 0), (50, 0), (0, 50), (30, 30), (10, 80), (80, 10))


def simulate(job):
    """One parameter set; returns (title, beats, cycles, error)."""
    index, module, title, params, files, seed, keep, verilator = job
    folder = os.path.join(keep, '%03d_%s' % (index, module)) if keep else tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    try:
        for name, text in files.items():
            with open(os.path.join(folder, name), 'w') as f:
                f.write(text)
        top = module + '_tb'
        sources = [os.path.join(HERE, f + '.sv') for f in (top, 'stream_harness', 'outs_harness')] + ['-y', RTL]
        command = ['iverilog', '-g2012', '-Wall', '-Wno-timescale', '-s', top, '-o', 'bench']
        command += ['-P%s.%s=%d' % (top, k, v) for k, v in params.items()]
        command += sources
        start = ['vvp', '-N', 'bench']
        if verilator:   # benches count on two-state values being harmless; -Wall is lint.py's
            command = ['verilator', '--binary', '--timing', '-O3', '-Wno-fatal', '-Wno-lint']
            command += ['-Wno-TIMESCALEMOD', '--top-module', top, '-o', 'bench'] + sources
            command += ['-G%s=%d' % p for p in params.items()]
            start = ['obj_dir/bench']
        built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        if built.returncode or not verilator and (built.stdout or built.stderr):
            return title, 0, 0, ' '.join(command) + '\n' + built.stdout + built.stderr
        beats = cycles = 0
        for si, so in STALLS:
            run = start + ['+seed=%d' % seed, '+si=%d' % si, '+so=%d' % so]
            done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=300)
            words = done.stdout.split()
            if done.returncode or words[:1] != ['PASS'] or 'WARNING' in done.stdout + done.stderr:
                return title, 0, 0, ' '.join(run) + '\n' + done.stdout + done.stderr
            beats += int(words[1])
            cycles += int(words[3])
        return title, beats, cycles, None
    except subprocess.TimeoutExpired as late:
        return title, 0, 0, str(late)
    finally:
        if not keep:
            shutil.rmtree(folder)


def chosen(args, index, module):
    return (not args.only or args.only == module) and index % (args.verilator or 1) == 0


def jobs(args):
    rnd = random.Random(args.seed)
    index = 0
    points = list(vectors.sweep(rnd)) + list(vectors_sparse.sweep(rnd)) + list(vectors_positions.sweep(rnd))
    makers = {**vectors.MAKERS, **vectors_sparse.MAKERS}
    for module, kw in points:
        params, files = makers[module](rnd, **kw)
        index += 1
        if chosen(args, index, module):
            title = '%s(%s)' % (module, ' '.join('%s=%s' % p for p in kw.items()))
            yield index, module, title, params, files, args.seed + index, args.keep, args.verilator
    own = []
    for n in (1, 2, 6, 8, 9, 17, 64, 65, 130):
        for signs in range(4):
            aw, bw = rnd.choice((1, 2, 4, 8)), rnd.choice((1, 3, 4, 8))
            own.append(('rows', dict(PE=rnd.choice((1, 2, 3)), SIMD=n, XW=aw, WW=bw, X_SIGNED=signs & 1,
                                      W_SIGNED=signs >> 1, PIPE=rnd.randint(0, 1),
                                      SW=rnd.choice((3, 8, aw + bw + n.bit_length(), 24)))))
    for xw, ww, lanes, all_signs in ((8, 8, 2, (2, 3)), (4, 4, 2, range(4)), (4, 4, 3, range(4)), (2, 2, 5, range(4)),
                                      (4, 4, 6, (0, 2)), (2, 2, 12, (0, 2)), (3, 3, 8, (0, 2)), (5, 4, 5, (0, 2))):
        for signs in all_signs:
            own.append(('rows_packed', dict(XW=xw, WW=ww, LANES=lanes, X_SIGNED=signs & 1, W_SIGNED=signs >> 1)))
    for mw, mh, pe, simd, ww in ((6, 4, 2, 3, 6), (4, 2, 1, 2, 3), (8, 8, 4, 4, 8), (3, 2, 2, 3, 7), (6, 4, 4, 6, 3)):
        own.append(('weight_memory', dict(MW=mw, MH=mh, PE=pe, SIMD=simd, WW=ww)))
    for sf, nf, groups in ((1, 1, 1), (4, 1, 1), (1, 4, 1), (2, 2, 1), (1, 1, 3), (2, 2, 2), (3, 1, 2)):
        own.append(('adder_steps', dict(W=rnd.choice((1, 5, 24)), SF=sf, NF=nf, GROUPS=groups)))
    for module, params in own:
        index += 1
        if chosen(args, index, module):
            title = '%s(%s)' % (module, ' '.join('%s=%s' % p for p in params.items()))
            files = {}
            if module == 'weight_memory':
                width = params['PE'] * params['SIMD'] * params['WW']
                depth = params['MW'] * params['MH'] // (params['PE'] * params['SIMD'])
                files['memblock.dat'] = vectors.lines([rnd.getrandbits(width) for _ in range(depth)], width)
            yield index, module, title, params, files, args.seed + index, args.keep, args.verilator


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', nargs='?')
    parser.add_argument('--only', metavar='MODULE')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('-j', '--jobs', type=int, default=os.cpu_count())
    parser.add_argument('-v', '--verbose', action='store_true')
    parser.add_argument('--keep', metavar='FOLDER', help='leave vectors and benches there')
    parser.add_argument('--verilator', type=int, default=0, metavar='N', help='every N-th set')
    args = parser.parse_args()
    if not shutil.which('iverilog'):
        print('skip: no iverilog')
        print('0 passed, 0 failed, 1 skipped')
        return 0
    if args.keep:
        args.keep = os.path.abspath(args.keep)
    failed = 0
    total = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for title, beats, cycles, error in pool.map(simulate, jobs(args)):
            module = title.split('(')[0]
            n, b, c = total.get(module, (0, 0, 0))
            total[module] = (n + 1, b + beats, c + cycles)
            if error:
                failed += 1
                print('FAIL %s\n%s' % (title, error))
            elif args.verbose:
                print('PASS %s: %d beats %d cycles' % (title, beats, cycles))
    for module, (n, b, c) in total.items():
        print('%-21s %3d sets x %d stall patterns: %d beats, %d cycles' % (module, n, len(STALLS), b,
                                                                          c))
    print('%d passed, %d failed' % (sum(n for n, _, _ in total.values()) - failed, failed))
    return 1 if failed or not total else 0


if __name__ == '__main__':
    sys.exit(main())
