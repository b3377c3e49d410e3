"""train_peer.py MODEL.onnx BATCH SECONDS LAYOUT THREADS: training steps of a QONNX model in PyTorch with Brevitas.

Quantised convolutions and products become Brevitas layers, quantisers of activations its activations (one for each
scale, as networks share them), the rest plain PyTorch. Quantised tensors are not handed on: that is faster."""
import json
import sys
import time

import brevitas
import brevitas.nn as qnn
import onnx
import torch
from brevitas.quant import (Int8ActPerTensorFloatMinMaxInit, Int8WeightPerChannelFloat, Int8WeightPerTensorFloat,
                            SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst,
                            Uint8ActPerTensorFloatMaxInit)
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.graph = model.graph
        self.const = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        self.layers = nn.ModuleDict()
        self.weight = {}  # quantised weight: (stored one, bits, a scale for each channel)
        self.plan = []
        self.relu = {}  # what a Relu reads, by its result
        for n in model.graph.node:
            self.add({a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}, n)

    def layer(self, key, make):
        key = key.replace(".", "/")
        if key not in self.layers:
            self.layers[key] = make()
        return self.layers[key]

    def put(self, n, f, *inputs):
        self.plan.append((f, inputs or (n.input[0],), n.output[0]))

    def add(self, attrs, n):
        bits = 1
        if n.op_type == "Quant":
            bits = int(self.const[n.input[3]])
        if n.op_type in ("Quant", "BipolarQuant") and n.input[0] in self.const:
            self.weight[n.output[0]] = (self.const[n.input[0]], bits, self.const[n.input[1]].numel() > 1)
        elif n.op_type in ("Quant", "BipolarQuant"):
            self.quant(attrs, n, bits)
        elif n.op_type == "Relu":
            self.relu[n.output[0]] = n.input[0]
            self.put(n, F.relu)  # taken out again if only quantisers read it
        elif n.op_type in ("Conv", "MatMul", "Gemm"):
            self.product(attrs, n)
        elif n.op_type == "BatchNormalization":
            rank = nn.BatchNorm2d if n.input[0] in self.maps else nn.BatchNorm1d
            self.put(n, self.layer(n.output[0], lambda: rank(self.const[n.input[1]].numel(), eps=attrs["epsilon"])))
            if n.input[0] in self.maps:
                self.maps.add(n.output[0])
        else:
            self.plain(attrs, n)
        if n.op_type in ("Quant", "BipolarQuant", "Relu", "Add", "MaxPool") and n.input[0] in self.maps:
            self.maps.add(n.output[0])

    maps = set()  # values of rank 4

    def quant(self, attrs, n, bits):
        scale, first = n.input[1], n.input[0] == self.graph.input[0].name or len(self.plan) < 3
        x = self.relu.get(n.input[0], n.input[0])
        if first and n.op_type == "Quant":  # of the input: its numbers are codes already
            return self.put(n, lambda v: v)
        if n.op_type == "BipolarQuant":
            f = self.layer(scale + n.output[0], lambda: qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst))
        elif n.input[0] in self.relu:
            f = self.layer(scale, lambda: qnn.QuantReLU(act_quant=Uint8ActPerTensorFloatMaxInit, bit_width=bits,
                                                        max_val=10.0))
        else:
            f = self.layer(scale, lambda: qnn.QuantIdentity(act_quant=Int8ActPerTensorFloatMinMaxInit, bit_width=bits,
                                                            min_val=-10.0, max_val=10.0))
        if x in self.maps:
            self.maps.add(n.output[0])
        self.put(n, f, x)

    def product(self, attrs, n):
        w, bits, channels = self.weight[n.input[1]]
        quant = (SignedBinaryWeightPerTensorConst if bits == 1 else Int8WeightPerChannelFloat if channels
                 else Int8WeightPerTensorFloat)
        if n.op_type == "Conv":
            def make():
                return qnn.QuantConv2d(w.shape[1] * attrs.get("group", 1), w.shape[0], tuple(w.shape[2:]),
                                       stride=attrs.get("strides", 1), padding=tuple(attrs.get("pads", [0, 0])[:2]),
                                       groups=attrs.get("group", 1), bias=False, weight_quant=quant,
                                       weight_bit_width=bits)
            self.maps.add(n.output[0])
        else:
            k, m = w.shape if n.op_type == "MatMul" or not attrs.get("transB") else w.shape[::-1]

            def make():
                return qnn.QuantLinear(k, m, bias=False, weight_quant=quant, weight_bit_width=bits)
        self.put(n, self.layer(n.output[0], make))

    def plain(self, attrs, n):
        other = self.const.get(n.input[1]) if len(n.input) > 1 else None
        if n.op_type == "Add" and other is None:
            self.put(n, torch.add, *n.input[:2])
        elif n.op_type in ("Mul", "Sub", "Add"):
            self.put(n, lambda v: v * other if n.op_type == "Mul" else v - other if n.op_type == "Sub" else v + other)
        elif n.op_type == "MaxPool":
            self.put(n, lambda v: F.max_pool2d(v, attrs["kernel_shape"], attrs["strides"]))
        elif n.op_type == "AveragePool":
            self.put(n, lambda v: F.avg_pool2d(v, attrs["kernel_shape"]))
        elif n.op_type == "Trunc":
            self.put(n, lambda v: v)  # left out: a gain of the peer, on a map of one element
        elif n.op_type == "Reshape":
            self.put(n, lambda v: v.flatten(1))
        else:
            raise SystemExit(f"the peer has no {n.op_type}")

    def forward(self, x):
        read = {i for f, inputs, _ in self.plan for i in inputs}
        value = {self.graph.input[0].name: x}
        for f, inputs, output in self.plan:
            if f is F.relu and output not in read:
                continue
            value[output] = f(*[value[i] for i in inputs])
        return value[self.graph.output[0].name]


def main():
    model, batch, seconds = onnx.load(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    layout = torch.channels_last if sys.argv[4] == "channels_last" else torch.contiguous_format
    threads = int(sys.argv[5])
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.monotonic
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    x = torch.rand(batch, *shape[1:])
    net = Net(model).train()
    if len(shape) == 4:
        x, net = x.to(memory_format=layout), net.to(memory_format=layout)
    y = torch.arange(batch) % 10
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True)
    best, began, steps = 1e30, clock(), 0
    while steps < 4 or clock() - began < seconds:
        t = clock()
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        best, steps = min(best, clock() - t), steps + 1
    print(json.dumps({"images_per_s": batch / best, "torch": torch.__version__, "brevitas": brevitas.__version__}))


if __name__ == "__main__":
    main()
