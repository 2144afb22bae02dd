"""Entries compared with statistics of theirs."""

from __future__ import annotations

import torch

from samples.sample import Draw, Sample, family, operator, sample

aten = torch.ops.aten

SOFTMAX = {"_softmax": [1, False], "_log_softmax": [1, False], "softmax": [1], "log_softmax": [1], "_safe_softmax": [1]}
OVERLOAD = {"softmax": "int", "log_softmax": "int"}


@family(SOFTMAX)
def softmax(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(operator(name, OVERLOAD.get(name, "default")), [draw.moved(a, b, c), *SOFTMAX[name]], [a, b, c])


@family(SOFTMAX, "within heads")
def softmax_within(name: str, draw: Draw) -> Sample:
    h, k, c = draw.sizes(3)
    x = draw.moved(h * k, c, view=lambda array: array.reshape(h, k, c))
    return Sample(operator(name, OVERLOAD.get(name, "default")), [x, *SOFTMAX[name]], [h, (k, h), c])


@sample("layer_norm")
def layer_norm(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.layer_norm.default, [draw.moved(a, b), [b], draw.moved(b), draw.moved(b), 1e-5], [a, b])


@sample("layer_norm", "over two axes")
def layer_norm_two(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.layer_norm.default, [draw.moved(a, b, c), [b, c], draw.moved(b, c)], [a, b, c])


@sample("layer_norm", "within heads")
def layer_norm_heads(draw: Draw) -> Sample:
    a, h, k = draw.sizes(3)
    x = draw.moved(a, h * k, view=lambda array: array.reshape(a, h, k))
    return Sample(aten.layer_norm.default, [x, [k], None, None], [a, h, (k, h)])


@sample("native_layer_norm")
def native_layer_norm(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.native_layer_norm.default, [draw.moved(a, b), [b], draw.moved(b), draw.moved(b), 1e-5], [a, b])


@sample("rms_norm")
def rms_norm(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.rms_norm.default, [draw.moved(a, b), [b], draw.moved(b), 1e-5], [a, b])


@sample("group_norm")
def group_norm(draw: Draw) -> Sample:
    n, g, c, s = draw.sizes(4)
    args = [draw.moved(n, g * c, s), g, draw.moved(g * c), draw.moved(g * c)]
    return Sample(aten.group_norm.default, args, [n, g, (c, g), s])


@sample("native_group_norm")
def native_group_norm(draw: Draw) -> Sample:
    n, g, c, s = draw.sizes(4)
    args = [draw.moved(n, g * c, s), draw.moved(g * c), draw.moved(g * c), n, g * c, s, g, 1e-5]
    return Sample(aten.native_group_norm.default, args, [n, g, (c, g), s])


def statistics(draw: Draw, c: int) -> list:
    """Weight, bias, running mean and variance of ``c`` channels."""
    return [draw.moved(c), draw.moved(c), draw.moved(c), draw.positive(c)]


@sample("_native_batch_norm_legit_no_training")
def no_training(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), *statistics(draw, c), 0.1, 1e-5]
    return Sample(aten._native_batch_norm_legit_no_training.default, args, [n, c, s])


@sample("batch_norm")
def batch_norm(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), *statistics(draw, c), False, 0.1, 1e-5, False]
    return Sample(aten.batch_norm.default, args, [n, c, s])


@sample("batch_norm", "in training")
def batch_norm_training(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    weight, bias, *_ = statistics(draw, c)
    args = [draw.moved(n, c, s), weight, bias, None, None, True, 0.1, 1e-5, False]
    return Sample(aten.batch_norm.default, args, [n, c, s])


@sample("_native_batch_norm_legit")
def native_batch_norm(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), draw.moved(c), draw.moved(c), True, 0.1, 1e-5]
    return Sample(aten._native_batch_norm_legit.no_stats, args, [n, c, s])


@sample("_native_batch_norm_legit_functional")
def functional_batch_norm(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), *statistics(draw, c), True, 0.1, 1e-5]
    return Sample(aten._native_batch_norm_legit_functional.default, args, [n, c, s])


@sample("instance_norm")
def instance_norm(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), draw.moved(c), draw.moved(c), None, None, True, 0.1, 1e-5, False]
    return Sample(aten.instance_norm.default, args, [n, c, s])


@sample("instance_norm", "with statistics")
def instance_norm_fixed(draw: Draw) -> Sample:
    n, c, s = draw.sizes(3)
    args = [draw.moved(n, c, s), *statistics(draw, c), False, 0.1, 1e-5, False]
    return Sample(aten.instance_norm.default, args, [n, c, s])
