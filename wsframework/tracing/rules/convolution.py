"""Convolutions: channels move, positions of images and taps of kernels do not."""

from __future__ import annotations

import torch

from wsframework.tracing import wishes
from wsframework.tracing.labels import Labels, fixed
from wsframework.tracing.rules.registry import Call, rule
from wsframework.tracing.verbs import fix, join, move, reduce


@rule("convolution", "conv1d", "conv2d", "conv3d")
def convolution(call: Call) -> Labels:
    """``y[b, (g o)] = sum_c x[b, (g c)] w[(g o), c]``, at every position of the image."""
    x, weight, bias = call.args[0].labels, call.args[1].labels, call.argument(2, "bias")
    transposed = bool(call.argument(6, "transposed", False)) if call.name == "convolution" else False
    groups = call.argument(8 if call.name == "convolution" else 6, "groups", 1)
    space = len(weight.shape) - 2
    channels, taps = _without(call, x, space), _without(call, weight, space)
    if groups > 1:
        wishes.used_in_parts(call.facts, taps, groups)
    if transposed:  # the weight is (g c) o
        taps = taps.transpose(0, 1) if groups == 1 else _split(call, taps, groups).transpose(1, 2)
    if groups > 1 or len(taps.shape) == 3:
        taps = taps if len(taps.shape) == 3 else _split(call, taps, groups)  # g o c
        product = join(call.facts, _grouped(call, channels, groups).unsqueeze(-2), taps, mode="multiply")
        result = reduce(call.facts, product, [-1]).squeeze([-1])  # ... g o
        result = _merged(call, result)
    else:
        product = join(call.facts, channels.unsqueeze(-2), taps, mode="multiply")
        result = reduce(call.facts, product, [-1]).squeeze([-1])
    if bias is not None:
        result = join(call.facts, result, bias.labels, mode="add")
    for _ in range(space):
        result = result.unsqueeze(-1)
    image = fixed(call.result.shape, range(call.result.dim() - space, call.result.dim()))
    return join(call.facts, result, image, mode="multiply")


def _without(call: Call, labels: Labels, space: int) -> Labels:
    """Labels of the other axes than the last ``space``, along which nothing moves."""
    axes = range(len(labels.shape) - space, len(labels.shape))
    return reduce(call.facts, fix(call.facts, labels, axes), axes).squeeze(axes)


def _split(call: Call, labels: Labels, groups: int) -> Labels:
    """(g o) c -> g o c."""
    return _reshaped(call, labels, (groups, labels.shape[0] // groups, *labels.shape[1:]))


def _grouped(call: Call, labels: Labels, groups: int) -> Labels:
    """... (g c) -> ... g c."""
    return _reshaped(call, labels, (*labels.shape[:-1], groups, labels.shape[-1] // groups))


def _merged(call: Call, labels: Labels) -> Labels:
    """... g o -> ... (g o)."""
    return _reshaped(call, labels, (*labels.shape[:-2], labels.shape[-2] * labels.shape[-1]))


def _reshaped(call: Call, labels: Labels, shape: tuple[int, ...]) -> Labels:
    return move(call.facts, labels, torch.arange(labels.size).reshape(shape))
