"""Operators that compare entries with statistics of theirs: softmax and the norms."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Labels
from wsframework.tracing.rules.elementwise import degree
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import join, move, reduce, scaled


def standardised(facts: Facts, labels: Labels, axes: Sequence[int], degrees: bool = False) -> Labels:
    """Entries and symmetric statistics of them along ``axes``, put together.

    Arguments:
        degrees: whether signs survive (the statistics are even, as a root mean square is).
    """
    if not degrees:
        labels = scaled(facts, labels, None)
    statistics = reduce(facts, scaled(facts, labels, 0), axes)
    return join(facts, labels, statistics, mode="multiply")


@rule("_softmax", "_log_softmax", "softmax", "log_softmax", "_safe_softmax")
def softmax(call: Call) -> Labels:
    """Along one axis."""
    return standardised(call.facts, call.args[0].labels, [call.args[1]])


def _affine(call: Call, labels: Labels, weight: Operand | None, bias: Operand | None) -> Labels:
    if weight is not None:
        labels = join(call.facts, labels, weight.labels, mode="multiply")
    return labels if bias is None else join(call.facts, labels, bias.labels, mode="add")


@rule("layer_norm", "native_layer_norm")
def layer_norm(call: Call) -> Labels | Sequence[Labels | None]:
    """Over the last axes."""
    x, shape = call.args[0].labels, call.args[1]
    axes = range(len(x.shape) - len(shape), len(x.shape))
    normal = standardised(call.facts, x, axes)
    labels = _affine(call, normal, call.argument(2, "weight"), call.argument(3, "bias"))
    if call.name == "layer_norm":
        return labels
    statistics = reduce(call.facts, x, axes)
    return [labels, statistics, statistics]


@rule("rms_norm")
def rms_norm(call: Call) -> Labels:
    """Over the last axes; the statistic is even."""
    x, shape = call.args[0].labels, call.args[1]
    axes = range(len(x.shape) - len(shape), len(x.shape))
    even = call.facts.forms.gauge == "sign"
    return _affine(call, standardised(call.facts, x, axes, even), call.argument(2, "weight"), None)


@rule("group_norm", "native_group_norm")
def group_norm(call: Call) -> Labels | Sequence[Labels | None]:
    """Over groups of channels and all positions."""
    x = call.args[0].labels
    if call.name == "group_norm":
        groups, weight, bias = call.args[1], call.argument(2, "weight"), call.argument(3, "bias")
    else:
        weight, bias, groups = call.args[1], call.args[2], call.args[6]
    split = (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    grouped = move(call.facts, x, torch.arange(x.size).reshape(split))
    normal = standardised(call.facts, grouped, range(2, len(split)))
    back = move(call.facts, normal, torch.arange(x.size).reshape(x.shape))
    labels = _affine(call, back, *(_channelwise(p, len(x.shape)) for p in (weight, bias)))
    if call.name == "group_norm":
        return labels
    inner = range(2, len(split))
    statistics = reduce(call.facts, scaled(call.facts, grouped, None), inner).squeeze(inner)
    return [labels, statistics, statistics]


def _channelwise(operand: Operand | None, rank: int) -> Operand | None:
    """A vector of channels as (c, 1, 1): beside an image."""
    if operand is None:
        return None
    labels = operand.labels
    for _ in range(rank - 2):
        labels = labels.unsqueeze(-1)
    return Operand(operand.value, labels, operand.constant)


@rule("_native_batch_norm_legit_no_training", "batch_norm")
def batch_norm(call: Call) -> Labels | Sequence[Labels | None]:
    """With given statistics: channel by channel. A sign may go through, a scale may not (there is an epsilon)."""
    x = call.args[0].labels
    weight, bias, mean, variance = (_channelwise(p, len(x.shape)) for p in call.args[1:5])
    if call.name == "batch_norm" and call.args[5]:
        return _affine(call, _of_batch(call, x), weight, bias)
    x = scaled(call.facts, x, degree(call, (None, 1)))
    if mean is not None and variance is not None:
        x = join(call.facts, x, mean.labels, mode="add")
        x = join(call.facts, x, scaled(call.facts, variance.labels, None), mode="multiply")
    labels = _affine(call, x, weight, bias)
    return labels if call.name == "batch_norm" else [labels, None, None]


def _of_batch(call: Call, x: Labels) -> Labels:
    return standardised(call.facts, x, [axis for axis in range(len(x.shape)) if axis != 1])


@rule("_native_batch_norm_legit", "_native_batch_norm_legit_functional")
def batch_statistics(call: Call) -> Labels | Sequence[Labels | None]:
    """With the statistics of the batch itself."""
    x = call.args[0].labels
    weight, bias = (_channelwise(p, len(x.shape)) for p in call.args[1:3])
    labels = _affine(call, _of_batch(call, x), weight, bias)
    axes = [axis for axis in range(len(x.shape)) if axis != 1]
    mean = reduce(call.facts, scaled(call.facts, x, None), axes).squeeze(axes)
    if call.name != "_native_batch_norm_legit_functional":
        return [labels, mean, mean]
    old = (scaled(call.facts, running.labels, None) for running in call.args[3:5])
    return [labels, mean, mean, *(join(call.facts, mean, running, mode="neither") for running in old)]


@rule("instance_norm")
def instance_norm(call: Call) -> Labels:
    """With the statistics of each image's channel, or with given ones."""
    x = call.args[0].labels
    weight, bias, mean, variance = (_channelwise(p, len(x.shape)) for p in call.args[1:5])
    if call.args[5]:
        return _affine(call, standardised(call.facts, x, range(2, len(x.shape))), weight, bias)
    x = scaled(call.facts, x, None)
    for statistic in (mean, variance):
        if statistic is not None:
            x = join(call.facts, x, scaled(call.facts, statistic.labels, None), mode="neither")
    return _affine(call, x, weight, bias)
