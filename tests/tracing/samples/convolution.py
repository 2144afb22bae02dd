"""Convolutions: every image and kernel keeps its order."""

from __future__ import annotations

import torch

from samples.sample import Draw, Moved, Sample, family, operator, sample

aten = torch.ops.aten

RANKS = {"conv1d": 1, "conv2d": 2, "conv3d": 3}


def convolution(draw: Draw, x: Moved, weight: Moved, bias: Moved | None, groups: int = 1, turned: bool = False) -> list:
    """The arguments of aten.convolution."""
    ones, zeros = [1] * (x.base.dim() - 2), [0] * (x.base.dim() - 2)
    return [x, weight, bias, ones, zeros, ones, turned, zeros, groups]


@family(RANKS)
def plain(name: str, draw: Draw) -> Sample:
    n, c, o = draw.sizes(3)
    image, kernel = [4] * RANKS[name], [2] * RANKS[name]
    return Sample(operator(name), [draw.moved(n, c, *image), draw.moved(o, c, *kernel), draw.moved(o)], [n, c, o])


@family(RANKS, "in groups")
def plain_groups(name: str, draw: Draw) -> Sample:
    n, c, o, g = draw.sizes(4)
    image, kernel, ones = [3] * RANKS[name], [2] * RANKS[name], [1] * RANKS[name]
    weight = draw.moved(g * o, c, *kernel, separate={1: g})
    args = [draw.moved(n, g * c, *image), weight, None, ones, [0] * RANKS[name], ones, g]
    return Sample(operator(name), args, [n, g, (c, g), (o, g)])


@sample("convolution")
def full(draw: Draw) -> Sample:
    n, c, o = draw.sizes(3)
    args = convolution(draw, draw.moved(n, c, 4, 4), draw.moved(o, c, 2, 3), draw.moved(o))
    return Sample(aten.convolution.default, args, [n, c, o])


@sample("convolution", "in groups")
def grouped(draw: Draw) -> Sample:
    n, c, o, g = draw.sizes(4)
    weight = draw.moved(g * o, c, 2, separate={1: g})
    args = convolution(draw, draw.moved(n, g * c, 4), weight, draw.moved(g * o), g)
    return Sample(aten.convolution.default, args, [n, g, (c, g), (o, g)])


@sample("convolution", "in groups, with inputs named once for all groups")
def grouped_alike(draw: Draw) -> Sample:
    n, c, o, g = draw.sizes(4)
    args = convolution(draw, draw.moved(n, g * c, 4), draw.moved(g * o, c, 2), draw.moved(g * o), g)
    return Sample(aten.convolution.default, args, [n, g, c, (o, g)])


@sample("convolution", "depthwise")
def depthwise(draw: Draw) -> Sample:
    n, c = draw.sizes(2)
    args = convolution(draw, draw.moved(n, c, 4), draw.moved(c, 1, 2), draw.moved(c), c)
    return Sample(aten.convolution.default, args, [n, c])


@sample("convolution", "transposed")
def transposed(draw: Draw) -> Sample:
    n, c, o = draw.sizes(3)
    args = convolution(draw, draw.moved(n, c, 3), draw.moved(c, o, 2), draw.moved(o), turned=True)
    return Sample(aten.convolution.default, args, [n, c, o])


@sample("convolution", "transposed, in groups")
def transposed_groups(draw: Draw) -> Sample:
    n, c, o, g = draw.sizes(4)
    weight = draw.moved(g * c, o, 2, separate={1: g})
    args = convolution(draw, draw.moved(n, g * c, 3), weight, draw.moved(g * o), g, turned=True)
    return Sample(aten.convolution.default, args, [n, g, (c, g), (o, g)])
