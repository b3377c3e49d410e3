"""peers.py: a model in qonnx and in onnxruntime: functions that run one sample. ImportError: they are not here."""
import os
import warnings

import onnx
import onnxruntime as ort
from importlib.metadata import version
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.infer_shapes import InferShapes

warnings.simplefilter("ignore")
ort.set_default_logger_severity(3)
VERSIONS = f"qonnx {version('qonnx')}, onnxruntime {ort.__version__}"
QUANTISERS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "FloatQuant")


def load(model):
    """The model with a batch of one."""
    proto = onnx.load(model)
    for v in (*proto.graph.input, *proto.graph.output):
        for d in v.type.tensor_type.shape.dim:
            if d.dim_param:
                d.dim_value = 1
    return proto


def qonnx(model, feed):
    """The executor of qonnx; None for models that are not of its dialect."""
    wrapper = ModelWrapper(load(model)).transform(InferShapes())
    if not any(n.op_type in QUANTISERS for n in wrapper.graph.node):
        return None
    return lambda: execute_onnx(wrapper, feed)


def without_quantisers(proto):
    """The float network of the same layers: weights as they are quantised, quantisers of activations left out."""
    wrapper = ModelWrapper(proto).transform(InferShapes()).transform(FoldConstants(exclude_op_types=[]))
    graph = wrapper.graph
    outputs = {v.name for v in graph.output}
    for n in [n for n in graph.node if n.op_type in QUANTISERS]:
        source, target = n.input[0], n.output[0]
        if target in outputs:
            n.op_type, n.domain = "Identity", ""
            del n.input[1:], n.attribute[:]
            continue
        graph.node.remove(n)
        for other in graph.node:
            for i, name in enumerate(other.input):
                if name == target:
                    other.input[i] = source
    return wrapper.model


def onnxruntime(model, feed):
    """onnxruntime, a thread a core: the model itself if it knows its operators, else its float network."""
    proto = load(model)
    if any(n.op_type in QUANTISERS for n in proto.graph.node):
        proto = without_quantisers(proto)
    o = ort.SessionOptions()
    o.intra_op_num_threads, o.inter_op_num_threads = len(os.sched_getaffinity(0)), 1
    session = ort.InferenceSession(proto.SerializeToString(), o, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, feed)
