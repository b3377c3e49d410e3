#!/usr/bin/env python3
# synth.py: Yosys maps what the RTL asks for, in little memory.
"""synth.py [BUILD] [--only TEXT]: BUILD is not needed.

Shapes of modules that tools find hard, for Xilinx parts: each run may take 1 GiB, and must end with the
memories that are asked for. Prints CPU seconds and the most memory of each run."""
import argparse
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile

import vectors

HERE = os.path.dirname(os.path.abspath(__file__))
RTL = os.path.normpath(os.path.join(HERE, '..', '..', 'backends', 'verilog', 'rtl'))
LIMIT = 1 << 30
HARNESS = ('NIN', 'NIN1', 'NOUT', 'STEPS', 'LATENCY', 'DEPTH_OUT', 'LINE', 'TOTAL', 'BEATS')

# module, parameters, then cells: regular expression and how many of them
MVAU = lambda **kw: ('mvau', None, dict(dict(mw=98, mh=98, mode=0, pipe=1), **kw))
RUNS = [
    # tables with a register behind them: one read port a table, which memory_libmap must not deal out
    (*MVAU(pe=49, simd=2), {}),
    (*MVAU(pe=14, simd=14), {}),
    (*MVAU(pe=49, simd=2, pipe=0), {}),
    ('rom', dict(W=98, DEPTH=512, RAM_STYLE='distributed'), None, {r'RAMB\w+': 0, 'FDRE': 98}),
    ('rom', dict(W=98, DEPTH=512, RAM_STYLE='block'), None, {'RAMB18E2': 3, 'FDRE': 0}),
    ('rom', dict(W=98, DEPTH=512, RAM_STYLE='auto'), None, {'RAMB18E2': 3}),
    ('rom', dict(W=784, DEPTH=64, RAM_STYLE='auto'), None, {r'RAMB\w+': 0, 'LUT6': 784}),
    # two ports, one of them reads and writes: block RAM has 18 bits a port then
    ('weight_memory', dict(W=72, DEPTH=512, RAM_STYLE='block'), None, {r'RAMB36\w+': 2}),
    ('weight_memory', dict(W=18, DEPTH=1024, RAM_STYLE='auto'), None, {r'RAMB18\w+': 1}),
    ('fifo', dict(W=72, DEPTH=9000, RAM_STYLE='ultra'), None, {r'URAM\w*': 3, r'RAMB\w+': 0}),
    ('fifo', dict(W=16, DEPTH=70, STYLE=2, RAM_STYLE='distributed'), None, {r'RAMB\w+': 0}),
    ('fifo', dict(W=16, DEPTH=20, STYLE=3, RAM_STYLE='block'), None, {'RAMB18E2': 1}),
]


def wrapper(module, params):
    """A module whose parameters are set in the text: strings cannot be set from outside."""
    text = open(os.path.join(RTL, 'nashc_%s.v' % module)).read()
    ports = re.findall(r'^\s+(input|output) +wire +(\[[^\]]*\])? *(\w+)', text, re.M)
    values = ', '.join('.%s(%s)' % (k, '"%s"' % v if isinstance(v, str) else v) for k, v in params.items())
    bits = dict(params, AW=(params['DEPTH'] - 1).bit_length(), CW=params['DEPTH'].bit_length())
    size = lambda r: re.sub(r'[A-Z]+', lambda m: str(bits[m[0]]), r)
    return 'module top(%s);\n    nashc_%s #(%s) u (%s);\nendmodule\n' % (
        ', '.join('%s %s %s' % (d, size(r), n) for d, r, n in ports), module, values,
        ', '.join('.%s(%s)' % (n, n) for _, _, n in ports))


def synthesize(run, folder):
    module, params, made, _ = run
    names = ' '.join(os.path.join(RTL, n) for n in sorted(os.listdir(RTL)) if n.endswith('.v'))
    rnd, files = random.Random(1), {}
    if made:
        values, files = vectors.MAKERS[module](rnd, **made)
        top = 'hierarchy -top nashc_%s %s; rename -top top' % (module, ' '.join(
            '-chparam %s %d' % p for p in values.items() if p[0] not in HARNESS))
    else:
        files['top.v'] = wrapper(module, params)
        image = vectors.lines([rnd.getrandbits(params['W']) for _ in range(params['DEPTH'])], params['W'])
        files.update({'rom.dat': image, 'memblock.dat': image})
        top = 'read_verilog top.v; hierarchy -top top'
    for name, text in files.items():
        open(os.path.join(folder, name), 'w').write(text)
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    done = subprocess.Popen(['yosys', '-q', '-p', 'read_verilog -defer %s; %s; synth_xilinx -flatten -noiopad -family '
                             'xcup -top top; tee -o stat.txt stat' % (names, top)], cwd=folder, preexec_fn=limit,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = done.stderr.read()
    _, code, used = os.wait4(done.pid, 0)
    done.returncode = code
    if code:
        return errors[-400:], used
    cells = re.findall(r'^\s+(\w+)\s+(\d+)$', open(os.path.join(folder, 'stat.txt')).read(), re.M)
    for pattern, want in run[3].items():
        got = sum(int(n) for name, n in cells if re.fullmatch(pattern, name))
        if got != want:
            return '%d cells %s, expected %d' % (got, pattern, want), used
    return None, used


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', nargs='?')
    parser.add_argument('--only', default='', metavar='TEXT')
    args = parser.parse_args()
    if not shutil.which('yosys'):
        print('skip: no yosys\n0 passed, 0 failed, 1 skipped')
        return 0
    failed = passed = 0
    for run in RUNS:
        title = '%s %s' % (run[0], run[1] or run[2])
        if args.only not in title:
            continue
        with tempfile.TemporaryDirectory() as folder:
            error, used = synthesize(run, folder)
        failed, passed = failed + bool(error), passed + (not error)
        print('%s %s: %.1f s, %d MB%s' % ('FAIL' if error else 'PASS', title, used.ru_utime + used.ru_stime,
                                          used.ru_maxrss // 1024, '\n' + error if error else ''), flush=True)
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
