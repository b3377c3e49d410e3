"""fixture.py: a fixture network: its model, unpacked if need be, and its inputs."""
import lzma

import numpy as np


def model_of(folder, meta, tmp):
    """Path of the model; one that is packed is unpacked into the folder tmp."""
    model = folder / meta["model"]
    if model.suffix != ".xz":
        return model
    out = tmp / model.stem
    out.write_bytes(lzma.decompress(model.read_bytes()))
    return out


def inputs_of(folder, meta):
    """Samples of each input by name, without a first axis of 1 that every sample has."""
    out = {}
    for i in meta["inputs"]:
        a = np.load(folder / i["file"])
        a = a[i["name"]] if isinstance(a, np.lib.npyio.NpzFile) else a
        out[i["name"]] = a[:, 0] if a.ndim == len(i["shape"]) + 1 and i["shape"][0] == 1 else a
    return out
