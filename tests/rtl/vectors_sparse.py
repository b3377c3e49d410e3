# vectors_sparse.py: vectors of nashc_mvau_sparse; the order of its steps is worked out here once more.
"""Used by run.py, as vectors.py is."""

from vectors import Products, clog2, lines, pack, run


def order(words, least):
    """Steps (word, beat, last) of a vector: words is a list of beats a result, least the steps that it takes at
    least."""
    steps = []
    wait = lambda last: (None, min(len(steps), words['beats'] - 1), last)
    for f, kept in enumerate(words['kept']):
        end = f == len(words['kept']) - 1
        todo = list(kept)
        if end and todo == [0]:
            steps.append(((f, 0), 0, False))    # the last step does not meet beat 0
            todo = []
        while todo:
            beat = todo[0]
            late = end and len(todo) == 1 and len(steps) < least - 1
            if beat > len(steps) or late:
                steps.append(wait(False))
                continue
            todo.pop(0)
            steps.append(((f, beat), beat, not todo))
        if not kept or (end and not steps[-1][2]):
            while end and len(steps) < least - 1:
                steps.append(wait(False))
            steps.append(wait(True))
    return steps


def mvau_sparse(rnd, mw=8, mh=4, groups=1, pe=2, simd=2, mode=2, xw=4, xs=0, ww=4, ws=1, mul=0, lanes=1, pipe=0, act=0,
                k=1, ow=0, actval=0, has_dir=0, shared=0, deep=0, spare=0, vectors=12, ts=1, full=0.5):
    z = Products(rnd, mw, mode, xw, xs, ww, ws, 0, spare, ts)
    rows = mh // groups
    sf, nf = mw // simd, rows // pe
    here = [[rnd.random() < full for _ in range(sf)] for _ in range(groups * nf)]
    w = [[c if here[r // pe][i // simd] else 0 for i, c in enumerate(z.w(mw))] for r in range(mh)]
    x = [z.x(mw) for _ in range(vectors)]
    sums = [[z.sum(w[r], x[v + r // rows]) for r in range(mh)] for v in range(0, vectors, groups)]
    ys, files, tlat = z.activate(sums, mh, pe, act, k, ow, actval, has_dir, shared, deep)
    kept = [[[s for s in range(sf) if any(w[(g * nf + f) * pe + p][s * simd + i] for p in range(pe)
                                         for i in range(simd))] for f in range(nf)] for g in range(groups)]
    most = max(len(order(dict(beats=sf, kept=v), sf)) for v in kept)
    todo = [order(dict(beats=sf, kept=v), most) for v in kept]
    words = [[w[(g * nf + s[0][0]) * pe + p][s[0][1] * simd + i] if s[0] else 0 for p in range(pe)
              for i in range(simd)] for g, v in enumerate(todo) for s in v]
    files['memblock.dat'] = lines([pack(v, z.ww) for v in words], pe * simd * z.ww)
    # the bench has a steps.hex of its own
    files['steps.dat'] = lines([s[1] * 2 + s[2] for v in todo for s in v], clog2(sf) + 1)
    p = dict(z.params(pipe, mul, act, k, ow, actval, has_dir, shared, deep), MW=mw, MH=mh, GROUPS=groups, PE=pe,
             SIMD=simd, LANES=lanes, ROUND=most)
    steps = [(1 if i < sf else 0) | (4 if s[2] else 0) for v in todo for i, s in enumerate(v)]
    ins = [pack(v[i:i + simd], z.xw) for v in x for i in range(0, mw, simd)]
    outs = [pack(y[i:i + pe], p['OUT_W']) for y in ys for i in range(0, mh, pe)]
    return run(p, files, steps, 4 + pipe + tlat, ins, outs, simd * z.xw, pe * p['OUT_W'], vectors // groups)


def sweep(rnd):
    """No word, few, half and all of them; a memory for the vector that is read in a cycle of its own."""
    pick = rnd.choice
    for full in (0, 0.1, 0.5, 1):
        for groups, pe, simd in ((1, 1, 1), (1, 2, 2), (1, 6, 4), (2, 1, 4), (3, 2, 1), (6, 1, 2)):
            act, k, mode = pick((0, 1, 2)), pick((1, 2, 3, 7)), pick((2, 2, 3))
            yield 'mvau_sparse', dict(mw=8, mh=6, groups=groups, pe=pe, simd=simd, mode=mode, xw=pick((1, 2, 4)),
                                      xs=pick((0, 1)), ww=pick((1, 2, 4)), ws=pick((0, 1)), mul=pick((0, 1)),
                                      pipe=pick((0, 1)), act=act, k=k, ow=clog2(k + 1), has_dir=pick((0, 1)),
                                      shared=pick((0, 1)), deep=pick((0, 1)), ts=pick((0, 1)), full=full)
    yield 'mvau_sparse', dict(mw=130, mh=4, pe=2, simd=1, xw=3, ww=2, vectors=3, full=0.2)
    yield 'mvau_sparse', dict(mw=12, mh=12, pe=6, simd=4, xw=8, ww=8, lanes=2, pipe=1, full=0.3)


MAKERS = {'mvau_sparse': mvau_sparse}
