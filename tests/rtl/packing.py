#!/usr/bin/env python3
# packing.py: the generated packing of compiled designs against the model, through the simulated design.
"""packing.py [BUILD]

For each network: integers of the input port by the generated Python; the same bytes from the generated C
header; the generated Verilog in Icarus on them; the bytes that come out, unpacked and scaled, against the
model's output on what the integers stand for. Exit 1 if one differs."""

import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

NETS = {
    # pixels, a zero point, signed sums; several lanes, a beat that is no whole number of bytes
    'pixels': ('f32[1,3,4,4]', '''
  %s: f32[] = [0.25]
  %z: f32[] = [3]
  %q: f32[1,3,4,4] = q.quant(%x, %s, %z) qmin=0 qmax=31
  %w: f32[6,3,1,1] = [1,-1,2, 0,1,1, -3,2,1, 1,1,1, 2,0,-2, -1,-1,-1]
  %y: f32[1,6,4,4] = nn.conv(%q, %w)'''),
    # signs of a scaled input, thresholds behind the matrix
    'signs': ('f32[1,12]', '''
  %two: f32[] = [2]
  %one: f32[] = [1]
  %m: f32[1,12] = nn.mul(%x, %two)
  %d: f32[1,12] = nn.sub(%m, %one)
  %q: f32[1,12] = q.bipolar_quant(%d, %one)
  %w: f32[12,2] = [1,-1, 1,1, -1,1, 1,-1, 1,1, -1,-1, 1,1, 1,-1, -1,1, 1,1, -1,-1, 1,1]
  %p: f32[1,2] = nn.matmul(%q, %w)
  %s: f32[] = [0.5]
  %z: f32[] = [0]
  %y: f32[1,2] = q.quant(%p, %s, %z) qmin=-4 qmax=3'''),
    # one grid a channel, wide elements
    'channels': ('f32[1,2,3,3]', '''
  %s: f32[1,2,1,1] = [0.5, 0.125]
  %z: f32[] = [0]
  %q: f32[1,2,3,3] = q.quant(%x, %s, %z) qmin=-2048 qmax=2047
  %w: f32[2,1,3,3] = [1,2,-1,0,3,1,1,-2,1, 1,0,1,2,-1,1,1,1,-4]
  %y: f32[1,2,1,1] = nn.conv(%q, %w) group=2'''),
}


def run(*argv, **more):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if p.returncode:
        raise AssertionError('%s: %s' % (' '.join(argv), p.stdout.decode()[-2000:]))
    return p.stdout


def host_array(port, numbers, shape):
    """Numbers in the order of the port's shape, channels last, as the model's array."""
    x = np.array(numbers, np.float64).reshape(port['shape'])
    if len(shape) == 4:
        x = x.reshape([shape[0], *shape[2:], shape[1]]).transpose(0, 3, 1, 2)
    return x.reshape(shape)


def by_header(design, folder, data, packed):
    """The header packs and unpacks as the module does."""
    source = os.path.join(folder, 'try.c')
    with open(source, 'w') as f:
        f.write('#include <stdio.h>\n#include "packing.h"\nint main(void)\n{\n'
                '    static int64_t x[IN0_ELEMENTS], y[IN0_ELEMENTS];\n    static uint8_t b[IN0_BYTES];\n'
                '    for (size_t i = 0; i < IN0_ELEMENTS; i++) { long long v; if (scanf("%lld", &v) != 1) return 2; '
                'x[i] = v; }\n    IN0_pack(x, b);\n    IN0_unpack(b, y);\n'
                '    fwrite(b, 1, IN0_BYTES, stdout);\n    return memcmp(x, y, sizeof x) != 0;\n}\n')
    run('cc', '-std=c99', '-Wall', '-Wextra', '-Werror', '-Wno-unused', '-I' + design + '/driver', source,
        '-o', folder + '/try')
    assert run(folder + '/try', input='\n'.join(map(str, data)).encode()) == packed, 'the header packs otherwise'


def check(nashc, name, folder):
    dims, body = NETS[name]
    model, design = folder + '/net.nashir', folder + '/design'
    with open(model, 'w') as f:
        f.write('nashc 1\ngraph @main(%%x: %s) -> (%%y) {%s\n}\n' % (dims, body))
    run(nashc, 'compile', model, '-o', design, '--verify', 'none', '-q')
    spec = importlib.util.spec_from_file_location('packing_' + name, design + '/driver/packing.py')
    packing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(packing)
    with open(design + '/manifest.json') as f:
        manifest = json.load(f)
    tell = manifest['inputs'][0]
    assert [tell['layout'], tell['encoding']] == [packing.IN0['layout'], packing.IN0['encoding']]
    assert tell['scale'] == (packing.IN0['scale'] if len(packing.IN0['scale']) > 1 else packing.IN0['scale'][0])

    port, out, rnd = packing.IN0, packing.OUT0, random.Random(1)
    values = [-1, 1] if port['encoding'] == 'bipolar' else range(port['least'], port['most'] + 1)
    data = [rnd.choice(values) for _ in range(port['lanes'] * port['beats'])]
    packed = packing.pack(port, data)
    assert packing.unpack(port, packed) == data
    by_header(design, folder, data, packed)
    shape = manifest['model_inputs'][0]['shape']
    np.save(folder + '/x.npy', host_array(port, packing.real(port, data), shape).astype(np.float32))
    run(nashc, 'run', model, '--input', folder + '/x.npy', '--output', folder + '/y.npy')

    size = port['beat_bytes']
    with open(design + '/tb/in0.hex', 'w') as f:
        for at in range(0, len(packed), size):
            f.write(packed[at:at + size][::-1].hex() + '\n')
    tb = 'tb_' + manifest['top']
    run('sh', 'run_iverilog.sh', '-P%s.FRAMES=1' % tb, '-P%s.CHECK=0' % tb, cwd=design + '/tb')
    with open(design + '/tb/out0.got') as f:
        words = [int(line, 16) for line in f]
    got = packing.real(out, packing.unpack(out, b''.join(w.to_bytes(out['beat_bytes'], 'little') for w in words)))
    want = np.load(folder + '/y.npy')
    assert np.array_equal(host_array(out, got, list(want.shape)).astype(np.float32), want), 'the outputs differ'
    try:
        packing.pack(port, [port['most'] + 1] * len(data))
    except ValueError:
        return
    raise AssertionError('a number out of range was packed')


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    failed = 0
    for name in NETS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(build + '/tools/nashc', name, folder)
            except AssertionError as e:
                print('FAIL %s: %s' % (name, e))
                failed += 1
    print('packing: %d passed, %d failed' % (len(NETS) - failed, failed))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
