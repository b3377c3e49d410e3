# layers_positions.py: cases of layers.py with several positions a beat.
"""positions(rnd, z): what layers.py checks beside its own cases."""
import itertools
import math


def several(draw_case, m):
    """Such a case that m positions a beat divide, with them."""
    def maker(i):
        while True:
            case = draw_case(i)
            rows = case.inputs[0][2][0]
            if case.group and rows // case.group % m == 0:
                case.lines[-1] += ' positions=%d' % m
                case.title += ' positions=%d' % m
                return case
    return maker


def grouped(case, rows):
    """rows of the input belong to a position."""
    case.group = rows
    return case


def positions(rnd, z):
    """Makers of z (layers.py) for layers of several positions a beat: always at their widest folding."""
    kinds = ('bip', 'ter', 'u1', 'u4', 'i4', 'i8')
    for kind, elems, m in itertools.product(('thresholding', 'channelwise', 'requant', 'lut'), (('u2', 'i4', 'u4'),),
                                            (2, 4)):
        yield several(lambda i, k=kind, e=elems: grouped(z.eltwise(rnd, i, k, rnd.choice(e), 3, 3, False), 1), m)
    for act, m in ((False, 3), (True, 3)):
        yield several(lambda i, a=act: grouped(
            z.mvau(rnd, i, rnd.choice(kinds), rnd.choice(kinds), 6, 4, 4, 6, a), 1), m)
        yield several(lambda i, a=act: grouped(z.mvau(rnd, i, 'u4', 'i4', 6, 4, 4, 6, a, res='adders'), 1), m)
    for act, m in ((False, 2), (True, 3)):
        yield several(lambda i, a=act: grouped(
            z.vvau(rnd, i, rnd.choice(kinds), rnd.choice(kinds), 9, 4, 4, 9, a), 9), m)
    for window, m in (((1, 1, 4), 2), ((1, 1, 4), 3), ((2, 4, 2), 2), ((2, 4, 2), 4), ((1, 3, 2), 3)):
        for func in ('max', 'sum'):
            yield several(lambda i, w=window, f=func: grouped(z.pool(rnd, i, rnd.choice(kinds), f, w, 2, 2, w[2]),
                                                              math.prod(w) // w[1]), m)
    for func, m in (('add', 3), ('max', 3)):
        yield several(lambda i, f=func: grouped(z.binary(rnd, i, 'i4', 'u2', f, 6), 1), m)
    yield lambda i: z.Case('duplicate_streams positions=2', 'u4', (4, 6), [
        '  %%y%d_0: u4[4,6], %%y%d_1: u4[4,6] = hw.duplicate_streams(%%x%d) pe=6 positions=2' % (i, i, i)],
                         'u4[4,6]', 2)
    for dim, pads, gap, m in (((3, 4), (1, 1, 1, 1), 0, 2), ((2, 4), (0, 3, 1, 5), 0, 4), ((2, 6), (1, 0, 0, 0), 1, 3),
                              ((1, 4), (2, 5, 0, 3), 0, 4), ((3, 2), (0, 2, 2, 4), 2, 2), ((2, 8), (1, 3, 1, 1), 0, 4)):
        for elem in ('bip', 'u4', 'i4'):
            def padded(i, a=(elem, 3, 3, dim, pads, (gap, 0)), m=m):
                case = z.pad(rnd, i, *a)
                case.lines[-1] += ' positions=%d' % m
                case.title += ' positions=%d' % m
                return case
            yield padded
    for h, w, c, k, stride, dilation, m in ((5, 8, 2, (3, 3), 2, 1, 2), (7, 12, 3, (3, 3), 2, 1, 4),
                                            (5, 6, 1, (3, 3), 1, 1, 2), (6, 8, 2, (5, 5), 1, 1, 4),
                                            (3, 8, 4, (1, 1), 2, 1, 4),
                                            (4, 8, 1, (1, 1), 2, 1, 2), (7, 10, 1, (3, 3), 1, 2, 2),
                                            (5, 8, 2, (3, 1), 2, 1, 2), (1, 16, 2, (1, 7), 2, 1, 8),
                                            (4, 6, 2, (2, 2), 2, 1, 2),
                                            (9, 12, 1, (3, 3), 3, 1, 2), (7, 16, 1, (7, 7), 2, 1, 4)):
        yield lambda i, a=(h, w, c, k, stride, dilation, k != (1, 1), m): z.im2col(rnd, i, *a)
    yield lambda i: z.nest(rnd, i, 'crop', 'i3', (20, 6), (2, 2, 6), (48, 6, 1), 6, offset=42, extra=' positions=2',
                         full=True)
