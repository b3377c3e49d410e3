#!/usr/bin/env python3
"""@TITLE@: trained with PyTorch and Brevitas; written by nashc.

    ./SCRIPT --data train.npz --epochs 10 --weights start.npz --save end.npz --export model.onnx

Data: .npz with x_train (images as the network's input wants them, or uint8 that is multiplied by --scale) and
y_train (labels), x_test and y_test if there are any. Weights: .npz with arrays by nashc's names, as in
checkpoint.npz of `nashc train`; nashc reads what --save writes by --weights. Needs torch, brevitas (0.12 or
newer), onnx and onnxoptimizer.
"""
import argparse
import random

import brevitas.nn as qnn
import numpy as np
import torch
import torch.nn.functional as F
from brevitas.core.function_wrapper import TensorClamp
from brevitas.export import export_qonnx
from brevitas.inject import ExtendedInjector
from brevitas.inject.enum import BitWidthImplType, QuantType, RestrictValueType, ScalingImplType, StatsOp
from brevitas.quant import (Int8ActPerTensorFloatMinMaxInit, Int8WeightPerChannelFloat, Int8WeightPerTensorFloat,
                            SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst, TruncTo8bit,
                            Uint8ActPerTensorFloatMaxInit)
from brevitas.quant.solver import WeightQuantSolver
from torch import nn

LEAST = 2e-16  # threshold of weights that are all zero


class SignedAct(Int8ActPerTensorFloatMinMaxInit):  # threshold 2^v, v learned
    restrict_scaling_type = RestrictValueType.LOG_FP
    scaling_min_val = LEAST


class UnsignedAct(Uint8ActPerTensorFloatMaxInit):
    restrict_scaling_type = RestrictValueType.LOG_FP
    scaling_min_val = LEAST


class FixedSignedAct(Int8ActPerTensorFloatMinMaxInit):
    scaling_impl_type = ScalingImplType.CONST


class FixedUnsignedAct(Uint8ActPerTensorFloatMaxInit):
    scaling_impl_type = ScalingImplType.CONST


class ChannelWeight(Int8WeightPerChannelFloat):  # threshold max |w|
    scaling_min_val = LEAST


class TensorWeight(Int8WeightPerTensorFloat):
    pass


class SignWeight(WeightQuantSolver):  # scale mean |w|
    quant_type = QuantType.BINARY
    bit_width_impl_type = BitWidthImplType.CONST
    bit_width = 1
    narrow_range = True
    signed = True
    scaling_impl_type = ScalingImplType.STATS
    scaling_stats_op = StatsOp.AVE
    scaling_min_val = LEAST
    restrict_scaling_type = RestrictValueType.FP
    zero_point_impl = None


def value(x):
    """A quantised tensor as plain numbers."""
    return getattr(x, "value", x)


@NETWORK@


LEARNED = "act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl.value"  # log2 of the threshold


def arrays_of(net):
    """nashc's name: parameter or running value, and whether it is a matrix that nashc has the other way round."""
    state = net.state_dict()
    return {name: (state[key.replace("@", LEARNED)], turned) for name, (key, turned) in net.NAMES.items()}


def load(net, path):
    with np.load(path) as file, torch.no_grad():
        for name, (tensor, turned) in arrays_of(net).items():
            if name not in file:
                raise SystemExit(f"{path}: there is no array {name}")
            a = torch.from_numpy(np.asarray(file[name], np.float32))
            tensor.copy_((a.t() if turned else a).reshape(tensor.shape))


def save(net, path):
    np.savez(path, **{name: (t.t() if turned else t).detach().numpy() for name, (t, turned) in arrays_of(net).items()})


def images(file, split, scale):
    x, y = file[f"x_{split}"], file[f"y_{split}"]
    x = x.astype(np.float32) * (scale if x.dtype == np.uint8 else 1)
    return torch.from_numpy(x).reshape(-1, *Net.INPUT[1:]), torch.from_numpy(y.astype(np.int64))


def accuracy(net, x, y, batch):
    net.eval()
    with torch.no_grad():
        right = sum(int((net(x[i:i + batch]).argmax(1) == y[i:i + batch]).sum()) for i in range(0, len(x), batch))
    net.train()
    return right / len(x)


def train(net, args):
    with np.load(args.data) as file:
        x, y = images(file, "train", args.scale)
        test = images(file, "test", args.scale) if "x_test" in file else None
    optimiser = torch.optim.Adam(net.parameters(), lr=args.lr)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 30, 0.1)
    step = 0
    for epoch in range(args.epochs):
        order = torch.randperm(len(x))
        for i in range(0, len(x), args.batch):
            part = order[i:i + args.batch]
            optimiser.zero_grad()
            loss = F.cross_entropy(net(x[part]), y[part])
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            step += 1
            if args.steps and step == args.steps:
                return
        schedule.step()
        shown = f", accuracy {accuracy(net, *test, args.batch):.4f}" if test else ""
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}{shown}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", help=".npz of images and labels; without it nothing is trained")
    p.add_argument("--scale", type=float, default=1 / 256, help="of uint8 images")
    p.add_argument("--weights", help=".npz to start from")
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--steps", type=int, default=0, help="most steps; 0: as many as the epochs have")
    p.add_argument("--batch", type=int, default=256)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--save", help=".npz of the weights at the end")
    p.add_argument("--export", help="QONNX file of the network at the end")
    args = p.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    net = Net()
    if args.weights:
        load(net, args.weights)
    if args.data:
        train(net, args)
    if args.save:
        save(net, args.save)
    if args.export:
        export_qonnx(net.eval(), torch.zeros(Net.INPUT), export_path=args.export, opset_version=13, dynamo=False)


if __name__ == "__main__":
    main()
