# vectors_positions.py: makers and parameter sets of the modules for several positions a beat, as vectors.py has them.
"""fmpadding_positions, window_positions: see vectors.py, whose MAKERS they join."""
import math

import vectors


def fmpadding_positions(rnd, c=2, m=2, h=3, w=4, top=1, left=1, bottom=1, right=1, gap=0, x='u4', ow=4):
    """A frame of the other module, all channels a beat, m of its beats in one."""
    p, files, *_ = vectors.fmpadding(rnd, c, c, h, w, top, left, bottom, right, (gap, 0), x, ow)
    beats = lambda name, width: [int(line, 16) for line in files[name].split()]
    steps = [int(line, 16) for line in files['steps.hex'].split()]
    xw = p['XW']
    ins = [vectors.pack(beats('in0.hex', 0)[i:i + m], c * xw) for i in range(0, 6 * h * w, m)]
    out = beats('out.hex', 0)
    out = [vectors.pack(out[i:i + m], c * ow) for i in range(0, len(out), m)]
    columns, late, per = left + w + right, left % m, w // m
    steps = [5 if 0 <= j - left // m < per and any(s & 1 for s in steps[i:i + columns]) else 4
             for i in range(0, len(steps), columns) for j in range(columns // m)]
    p = {k: v for k, v in p.items() if k in ('C', 'HEIGHT', 'WIDTH', 'TOP', 'LEFT', 'BOTTOM', 'RIGHT', 'ROW_GAP', 'XW',
                                             'X_SIGNED', 'X_BIP', 'OUT_W')}
    return vectors.run(dict(p, POSITIONS=m), {'param.dat': files['param.dat']}, steps, 1, ins, out,
                       m * c * xw, m * c * ow, 6, endless=steps[0] == 4)


def window_positions(rnd, w=8, m=2, width=8, height=5, oh=3, ow=6, kh=3, kw=3, stride=1, dilation=1, first=0):
    """Windows of kh x kw positions from rows of width, m positions a word."""
    at_once = m // math.gcd(m, stride)
    begin, frames, words = first % m, 3, width // m
    span = (begin + (at_once - 1) * stride + (kw - 1) * dilation) // m + 1
    groups, move = ow // at_once, at_once * stride // m
    newest = first // m + (kh - 1) * words + span - 1
    p = dict(W=w, POSITIONS=m, NEWEST=newest, COUNT0=groups, MOVE0=move, COUNT1=oh,
             MOVE1=stride * words - (groups - 1) * move, COUNT2=1, COUNT3=1, MOVE2=1, MOVE3=1,
             MOVE8=height * words - (groups - 1) * move - (oh - 1) * stride * words, TAPS0=span, GAP0=1, TAPS1=kh,
             GAP1=words, TAPS2=1, TAPS3=1, GAP2=1, GAP3=1, WINDOWS=at_once, SPAN=span, COLUMNS=kw, BEGIN=begin,
             STEP=stride, APART=dilation)
    data = vectors.draw(rnd, w, 0, width * height * frames)
    inner = [r * width + k * dilation for r in range(kh) for k in range(kw)]
    starts = [(i * width + j) * stride for i in range(oh) for j in range(ow)]
    out = [vectors.pack([data[f * width * height + first + a + b] for a in starts[i:i + at_once] for b in inner], w)
           for f in range(frames) for i in range(0, len(starts), at_once)]
    done = {newest + i * stride * words + g * move for i in range(oh) for g in range(groups)}
    steps = [vectors.RW if i in done else 1 for i in range(words * height)]
    ins = [vectors.pack(data[i:i + m], w) for i in range(0, len(data), m)]
    return vectors.run(dict(p, LINE=1), {}, steps, 0, ins, out, m * w, at_once * len(inner) * w, frames,
                       endless=steps[-1] == 1)


def sweep(rnd):
    """Yields (module, arguments of its maker)."""
    pick = rnd.choice
    yield 'window_positions', dict()
    yield 'window_positions', dict(w=3, m=4, width=12, height=7, oh=3, ow=4, stride=2)
    yield 'window_positions', dict(w=5, m=2, width=10, height=7, oh=3, ow=4, stride=2, kh=1, kw=5, first=1)
    yield 'window_positions', dict(w=1, m=4, width=16, height=4, oh=2, ow=8, kh=2, kw=3, dilation=3)
    yield 'window_positions', dict(w=9, m=8, width=16, height=4, oh=2, ow=4, kh=1, kw=1, stride=2, first=1)
    yield 'fmpadding_positions', dict()
    for h, border in ((1, (1, 1, 1)), (3, (0, 0, 0)), (2, (0, 2, 1)), (5, (3, 0, 0)), (1, (0, 5, 2)), (4, (1, 3, 2))):
        for m in (2, 3, 4):
            x, ow = pick((('u4', 4), ('i4', 4), ('bip', 3), ('i3', 8)))
            right = m * pick((1, 2)) - border[1] % m
            yield 'fmpadding_positions', dict(c=pick((1, 2, 3)), m=m, h=h, w=m * pick((1, 2, 3)), top=border[0],
                                              left=border[1], bottom=border[2], right=right, gap=pick((0, 0, 1)),
                                              x=x, ow=ow)


vectors.MAKERS.update(fmpadding_positions=fmpadding_positions, window_positions=window_positions)
