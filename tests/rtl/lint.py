#!/usr/bin/env python3
# lint.py: zero messages from Verilator, Icarus and Yosys on every RTL module.
"""lint.py [BUILD] [-j JOBS]: BUILD is not needed.

Every module with its default parameters, and the modules that have a bench with the parameter sets
of vectors.py: verilator --lint-only -Wall, iverilog -g2005 -Wall, yosys proc + check -assert."""

import argparse
import concurrent.futures
import glob
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import vectors
import vectors_positions
import vectors_sparse

HERE = os.path.dirname(os.path.abspath(__file__))
RTL = os.path.normpath(os.path.join(HERE, '..', '..', 'backends', 'verilog', 'rtl'))
YOSYS_SETS = 4  # Yosys is slow: so many sets of each module beside the defaults
HARNESS = ('NIN', 'NIN1', 'NOUT', 'STEPS', 'LATENCY', 'DEPTH_OUT', 'LINE', 'TOTAL', 'BEATS')


def messages(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    text = done.stdout + done.stderr
    # Icarus looks for missing files of the default parameters only at run time; Yosys at once.
    return text if done.returncode or text.strip() else None


def lint(job):
    module, params, files, yosys = job
    folder = tempfile.mkdtemp()
    try:
        for name, text in files.items():
            with open(os.path.join(folder, name), 'w') as f:
                f.write(text)
        # String parameters cannot be set from outside: a wrapper per module is not needed, as the
        # default names are those of vectors.py.
        runs = [['verilator', '--lint-only', '-Wall', '-y', RTL, '--top-module', module]
                + ['-G%s=%d' % p for p in params.items()] + [RTL + '/' + module + '.v'],
                ['iverilog', '-g2005', '-Wall', '-Wno-timescale', '-t', 'null', '-s', module, '-y', RTL]
                + ['-P%s.%s=%d' % (module, k, v) for k, v in params.items()]
                + [RTL + '/' + module + '.v']]
        if yosys and shutil.which('yosys'):
            chparam = ' '.join('-chparam %s %s' % (k, v if v >= 0 else "32'h%x" % (v & 0xffffffff))
                               for k, v in params.items())
            runs.append(['yosys', '-q', '-p', 'read_verilog -defer %s; hierarchy -check -top %s %s; '
                         'proc; opt_clean; check -assert' %
                         (' '.join(sorted(glob.glob(RTL + '/nashc_*.v'))), module, chparam)])
        for command in runs:
            text = messages(command, folder) if shutil.which(command[0]) else None
            if text:
                return '%s %s\n%s\n%s' % (module, params, ' '.join(command), text)
        return None
    finally:
        shutil.rmtree(folder)


def jobs():
    rnd = random.Random(1)
    count = {}
    defaults = {'nashc_rom': 'rom.dat', 'nashc_weight_stream': 'memblock.dat'}
    for path in sorted(glob.glob(RTL + '/nashc_*.v')):
        name = os.path.basename(path)[:-2]
        files = {defaults[name]: '00\n' * 16} if name in defaults else {}
        # Modules with several memory files are read by Yosys with the sets below.
        yield name, {}, files, name in defaults or \
            not re.search(r'\$readmemh|nashc_rom|nashc_weights|_core', open(path).read())
    # weights that are written have no vectors: weight_memory_tb.sv checks them
    for module, lines, params in (('weights', 5, dict(W=70, DEPTH=5)), ('weights', 1, dict(W=32, DEPTH=1)),
                                  ('mvau', 4, {}), ('vvau', 18, {})):
        yield 'nashc_' + module, dict(params, W_AXILITE=1), {'memblock.dat': '00\n' * lines}, True
    makers = {**vectors.MAKERS, **vectors_sparse.MAKERS}
    for module, kw in itertools.chain(vectors.sweep(rnd), vectors_sparse.sweep(rnd), vectors_positions.sweep(rnd)):
        params, files = makers[module](rnd, **kw)
        params = {k: v for k, v in params.items() if k not in HARNESS}
        if module.startswith('mvau') and params['ACT'] == 2 or module == 'thresholding_search':
            files.pop('thresh', None)
        n = count[module] = count.get(module, 0) + 1
        yield 'nashc_' + module, params, files, n % 7 == 3 and n < 7 * YOSYS_SETS


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build', nargs='?')
    parser.add_argument('-j', '--jobs', type=int, default=os.cpu_count())
    args = parser.parse_args()
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for text in pool.map(lint, jobs()):
            if text:
                failed += 1
                print('FAIL ' + text)
            else:
                passed += 1
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
