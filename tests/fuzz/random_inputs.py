"""random_inputs.py: samples for the input of a random network."""
import re

import numpy as np


def draw(text, n, seed=1):
    """n samples of the only input of graph @main in IR text, of its first dimension 1 each; None: not of that form."""
    found = re.search(r"graph @main\(%x: (\S+?)\[([\d,]+)\]\)", text)
    if not found:
        return None
    elem, dims = found.groups()
    shape = [n] + [int(d) for d in dims.split(",")][1:]
    rng = np.random.default_rng(seed)
    kind, bits, lo, hi = re.match(r"([a-z]+)(\d*)(?:<(-?\d+)\.\.(-?\d+)>)?$", elem).groups()
    if kind == "f":
        return rng.normal(0, 2, shape).astype(np.float32)
    if kind == "bip":
        return (rng.integers(0, 2, shape) * 2 - 1).astype(np.int8)
    bits = int(bits)
    least = int(lo) if lo else 0 if kind == "u" else -(1 << (bits - 1))
    most = int(hi) if hi else (1 << bits) - 1 if kind == "u" else (1 << (bits - 1)) - 1
    return rng.integers(least, most + 1, shape).astype(np.uint8 if least >= 0 else np.int8)
