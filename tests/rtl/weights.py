#!/usr/bin/env python3
# weights.py: weights of a design replaced over AXI-Lite, or given as a stream.
"""weights.py [BUILD]

For each network, written at run time and streamed: the files of the compiler are what the generated Python and
the generated C pack of the model's weights; the simulated design, stalled, gives the model's output with those, and
with others (all at the ends of their type, and random ones) what the layers give with them, which `nashc sim`
compares, in Icarus. Exit 1 if one differs."""

import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

import packing

NETS = {
    # weights of three columns a line, sums at the output
    'matrix': ('f32[1,12]', '''
  %s: f32[] = [1]
  %z: f32[] = [0]
  %q: f32[1,12] = q.quant(%x, %s, %z) qmin=-8 qmax=7
  %w: f32[12,4] = [''' + ','.join(str(k * 7 % 11 - 5) for k in range(48)) + ''']
  %y: f32[1,4] = nn.matmul(%q, %w)'''),
    **packing.NETS,
}
# So that each memory has several lines.
FPS = {'matrix': '2e7', 'signs': '2e7', 'channels': '1e7', 'pixels': '1e6'}
MODES = {'axilite': ['--runtime-writeable-weights'], 'stream': ['--mem-mode=external'],
         'ultra': ['--runtime-writeable-weights', '--folding=ultra.json']}  # of the first network
ULTRA = {'Defaults': {'ram_style': ['ultra', ['MVAU', 'VVAU']]}}


def run(*argv, cwd=None):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
    if p.returncode:
        raise AssertionError('%s: %s' % (' '.join(argv), p.stdout.decode()[-2000:]))
    return p.stdout.decode()


def built(design, port):
    """The weights that the file of a layer holds, by the order that the manifest tells."""
    line_bits = port['words_a_line'] * 32 if port['access'] == 'axilite' else (port['width'] + 3) // 4 * 4
    text = open(os.path.join(design, port['file'])).read().split()
    data = sum(int(v, 16) << len(v) * 4 * i for i, v in enumerate(text))
    w = [None] * (port['shape'][0] * port['shape'][1])
    for e in range(port['lines'] * port['lanes']):
        code = data >> e // port['lanes'] * line_bits + e % port['lanes'] * port['bits'] & (1 << port['bits']) - 1
        at, rest = 0, e
        for count, stride in port['order']:
            at, rest = at + rest % count * stride, rest // count
        if port['datatype'] == 'BIPOLAR':
            code = 2 * code - 1
        elif not port['datatype'].startswith(('UINT', 'BINARY')) and code >> port['bits'] - 1:
            code -= 1 << port['bits']
        w[at] = code
    return w


def c_bytes(design, folder, label, w):
    """What the generated header packs of w."""
    source = os.path.join(folder, 'pack.c')
    with open(source, 'w') as f:
        f.write('#include <stdio.h>\n#include "packing.h"\nint main(void)\n{\n'
                '    static const int64_t w[] = {%s};\n    static uint8_t b[%s_BYTES];\n    %s_pack(w, b);\n'
                '    return fwrite(b, 1, sizeof b, stdout) != sizeof b;\n}\n' % (','.join(map(str, w)), label, label))
    run('cc', '-std=c99', '-Wall', '-Wextra', '-Werror', '-I', os.path.join(design, 'driver'), '-o', source[:-2],
        source)
    return subprocess.run([source[:-2]], stdout=subprocess.PIPE, check=True).stdout


def check(nashc, name, mode, folder):
    shape, body = NETS[name]
    dims = [int(v) for v in shape[shape.index('[') + 1:-1].split(',')]
    with open(os.path.join(folder, 'ultra.json'), 'w') as f:
        json.dump(ULTRA, f)
    model, design = os.path.join(folder, name + '.nashir'), os.path.join(folder, name + '_' + mode)
    with open(model, 'w') as f:
        f.write('nashc 1\n\ngraph @main(%%x: %s) -> (%%y) {%s\n}\n' % (shape, body))
    run(nashc, 'compile', model, '-o', design, '-q', '-Wno-runtime-weights', '--target-fps', FPS[name], *MODES[mode],
        cwd=folder)
    if mode == 'ultra':
        rom = [f for f in os.listdir(design + '/rtl') if '_weights_' in f]
        assert 'starts_empty' in open(design + '/manifest.json').read() and not rom, 'UltraRAM that starts full'
        mode = 'axilite'
    ports = json.load(open(os.path.join(design, 'manifest.json')))['weights']
    spec = importlib.util.spec_from_file_location('packing_' + name + mode, design + '/driver/packing.py')
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)
    rnd, others = random.Random(1), [{}, {}, {}, {}]
    for k, port in enumerate(ports):
        weights = built(design, port)
        assert port['lines'] > 1, 'one line'
        layer = getattr(own, 'W%d' % k)
        data = own.pack_weights(layer, weights)
        assert data == c_bytes(design, folder, 'W%d' % k, weights), 'the C header packs otherwise'
        size = 4 if mode == 'axilite' else layer['line_bytes']
        words = [int(v, 16) for v in open(os.path.join(design, port['file'])).read().split()]
        assert words == [int.from_bytes(data[i:i + size], 'little') for i in range(0, len(data), size)], 'file'
        if mode == 'axilite':
            assert own.words(data) == words and len(words) == port['words'], 'words'
        ends = [layer['least'], layer['most']]
        values = range(ends[0], ends[1] + 1) if layer['encoding'] != 'bipolar' else (-1, 1)
        count = port['shape'][0] * port['shape'][1]
        for other, w in zip(others, (weights, [ends[0]] * count, [ends[1]] * count, rnd.choices(values, k=count))):
            other[port['layer']] = np.array(w, np.int16).reshape(port['shape'])
    x = np.array(rnd.choices((-40, -3, -1, 0, 1, 3, 40), k=4 * int(np.prod(dims))), np.float32).reshape([4] + dims[1:])
    x[0], x[1] = -1000, 1000    # the ends of the inputs
    np.save(os.path.join(folder, 'x.npy'), x)
    run(nashc, 'run', model, '--input', folder + '/x.npy', '--output', folder + '/y.npy')
    expect = ['--expect', folder + '/y.npy']
    run(nashc, 'sim', design, '--input', folder + '/x.npy', '--throttle', '3', *expect)
    for k, other in enumerate(others):
        np.savez(os.path.join(folder, 'w.npz'), **other)
        said = run(nashc, 'sim', design, '--input', folder + '/x.npy', '--weights', folder + '/w.npz', '--throttle',
                   str(5 * k), *(expect if k == 0 else []))
        assert 'equal to the layers with these weights: 4 samples' in said, said
    return len(ports)


def main():
    nashc = os.path.join(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build'), 'tools', 'nashc')
    failed = 0
    cases = [(name, mode) for name in NETS for mode in MODES if mode != 'ultra' or name == 'matrix']
    for name, mode in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print('ok   %s, %s: %d layers' % (name, mode, check(nashc, name, mode, folder)))
            except AssertionError as e:
                failed += 1
                print('FAIL %s, %s: %s' % (name, mode, e))
    print('%d passed, %d failed' % (len(cases) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
