"""Layers of many networks side by side.

Images are (points, networks * channels, height, width): what a grouped convolution reads, one group a network. In
perceptrons, points are the last axis: a layer's few neurons make a bad inner loop.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

FEW = 4
"""With fewer channels than this, a convolution is faster as one matrix product a network."""


def points_last(inputs: Tensor) -> Tensor:
    """(networks, points, *inputs) to (networks, numbers, points); what all networks share is not copied for each."""
    h = inputs.flatten(2).mT
    return h.contiguous() if inputs.stride(0) else h


def side_by_side(inputs: Tensor) -> Tensor:
    """(networks, points, channels, height, width) to (points, networks * channels, height, width)."""
    return rearrange(inputs, "n p c h w -> p (n c) h w")


def convolve(h: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """Images h by weight (networks, written, read, kernel, kernel) and bias (networks, written)."""
    if weight.shape[2] < FEW:
        return _by_products(h, weight, bias, stride, padding)
    kernels, shifts = weight.flatten(0, 1), None if bias is None else bias.flatten()
    return functional.conv2d(h, kernels, shifts, stride, padding, groups=len(weight))


def _by_products(h: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
    """Every patch that the kernel meets as a column."""
    networks, written, _, kernel, _ = weight.shape
    patches = functional.pad(h, [padding] * 4).unfold(2, kernel, stride).unfold(3, kernel, stride)
    columns = rearrange(patches, "p (n c) h w i j -> n (c i j) (p h w)", n=networks)
    product = weight.reshape(networks, written, -1) @ columns
    product = product if bias is None else product + bias.unsqueeze(-1)
    points, _, height, width = patches.shape[:4]
    return rearrange(product, "n o (p h w) -> p (n o) h w", p=points, h=height, w=width)


def head(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Features (points, networks * features) by weight (networks, outputs, features): (networks, points, outputs)."""
    h = rearrange(features, "p (n f) -> n f p", n=len(weight))
    return torch.baddbmm(bias.unsqueeze(-1), weight, h).mT
