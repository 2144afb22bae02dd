"""Convolutional networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsf_networks import batch_norm, laws
from wsf_networks.activations import FUNCTIONS, GAUGES
from wsf_networks.batch_norm import BatchNorm, Norm
from wsf_networks.batched import convolve, head, side_by_side
from wsf_networks.images import image, strided
from wsf_networks.normalised import NormalisedNetworks
from wsframework.errors import SpaceError
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape

POOLS: dict[str, Callable[[Tensor, int], Tensor]] = {"max": functional.max_pool2d, "average": functional.avg_pool2d}


class ConvolutionalNetwork(nn.Module):
    """Convolution, norm, activation and pooling, a few times; then a linear head."""

    def __init__(self, cnn: Cnn, channels: tuple[int, ...], features: int, outputs: int) -> None:
        super().__init__()
        pairs, k = list(pairwise(channels)), cnn.kernel
        self.layers = nn.ModuleList(nn.Conv2d(a, b, k, cnn.stride, k // 2) for a, b in pairs)
        self.norms = nn.ModuleList(BatchNorm(b) for _, b in pairs if cnn.norm == "batch")
        self.head = nn.Linear(features, outputs)
        self.cnn = cnn

    def forward(self, x: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to (batch, outputs)."""
        for i, layer in enumerate(self.layers):
            x = layer(x)
            x = self.norms[i](x) if self.cnn.norm == "batch" else x
            x = self.cnn.onwards(x)
        outputs: Tensor = self.head(self.cnn.features(x).flatten(1))
        return outputs


class Cnn(NormalisedNetworks):
    """Convolutions over images, each with an activation, and a linear layer on what they find; torch's initialisation.

    Images are padded by half the kernel. A channel has a positive scale that can be changed where the activation is
    `relu`, and a sign where it is `tanh` and nothing takes a maximum.

    Options:
        channels: of each convolution.
        kernel: height and width of a kernel.
        stride: of each convolution.
        activation: applied after every convolution.
        norm: batch normalisation between convolution and activation, or none.
        pooling: over squares of 2 by 2 after each activation.
        readout: what the linear layer reads: each channel's average, or all there is.
    """

    name = "cnn"
    paper = "LeCun et al. 1998, Gradient-based learning applied to document recognition"

    def __init__(
        self,
        *,
        channels: tuple[Annotated[int, Least(1)], ...] = (8, 16),
        kernel: Annotated[int, Least(1)] = 3,
        stride: Annotated[int, Least(1)] = 2,
        activation: Literal["relu", "tanh", "gelu", "silu"] = "relu",
        norm: Literal["none", "batch"] = "none",
        pooling: Literal["none", "max", "average"] = "none",
        readout: Literal["average", "flatten"] = "average",
    ) -> None:
        self.channels, self.kernel, self.stride = tuple(channels), kernel, stride
        self.activation, self.norm = activation, norm
        self.pooling, self.readout = pooling, readout

    def onwards(self, h: Tensor) -> Tensor:
        """Activation and pooling, of images with any number of channels."""
        h = FUNCTIONS[self.activation](h)
        return h if self.pooling == "none" else POOLS[self.pooling](h, 2)

    def features(self, h: Tensor) -> Tensor:
        """What the head reads of images (points, channels, height, width): (points, channels) or all of it."""
        return h.mean((2, 3)) if self.readout == "average" else h.flatten(1)

    def last_size(self, shape: TaskShape) -> tuple[int, int]:
        """Height and width after all layers.

        Raises:
            SpaceError: where nothing is left of the image.
        """
        _, *sizes = image(self.name, shape)
        for _ in self.channels:
            sizes = [strided(size, self.kernel, self.stride) for size in sizes]
            sizes = sizes if self.pooling == "none" else [size // 2 for size in sizes]
        if min(sizes) < 1:
            raise SpaceError(f"{self.name!r} with {len(self.channels)} poolings leaves nothing of {shape.inputs}")
        return sizes[0], sizes[1]

    def read(self, shape: TaskShape) -> int:
        """How many numbers the head reads."""
        size = math.prod(self.last_size(shape)) if self.readout == "flatten" else 1
        return size * (shape.inputs[0], *self.channels)[-1]

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        return ConvolutionalNetwork(self, (shape.inputs[0], *self.channels), self.read(shape), shape.outputs[0])

    @property
    def gauge(self) -> str:
        """What the dims of channels have, as the notation has it."""
        return "" if self.activation == "tanh" and self.pooling == "max" else GAUGES.get(self.activation, "")

    def space(self, shape: TaskShape) -> WeightSpace:
        """Channels of hidden layers are free; those of the image, kernel positions and outputs are fixed."""
        height, width = self.last_size(shape)
        out, into = ("^1", "^-1") if self.gauge else ("", "")
        dims = ["in", *(f"channel{i}" for i in range(1, len(self.channels) + 1))]
        lines = [f"free {d}{self.gauge}={size}" for d, size in zip(dims[1:], self.channels, strict=True)]
        lines += [f"fixed in={shape.inputs[0]} tap={self.kernel} row={height} column={width} out={shape.outputs[0]}"]
        convolution, norm = ("", out) if self.norm == "batch" else (out, "")
        for i, (a, b) in enumerate(pairwise(dims)):
            role, read = ("hidden", f"{a}{into}") if i else ("input", a)
            lines.append(f"layers.{i}.weight {b}{convolution} {read} tap tap as {role}.weight")
            lines.append(f"layers.{i}.bias {b}{convolution} as {role}.bias")
        for i, dim in enumerate(dims[1:] if self.norm == "batch" else []):
            lines += batch_norm.lines(f"norms.{i}", dim, "norm", norm)
        positions = " row column" if self.readout == "flatten" else ""
        last = f"{dims[-1]}{into if self.channels else ''}{positions}"
        lines += [f"head.weight out ({last}) as output.weight", "head.bias out as output.bias"]
        return laws.stated("\n".join(lines))

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once, by torch's default."""
        found = laws.linear("head", self.read(shape))
        for i, channels in enumerate((shape.inputs[0], *self.channels)[:-1]):
            found |= laws.linear(f"layers.{i}", channels * self.kernel**2) | laws.batch_norm(f"norms.{i}")
        return laws.draw(self.space(shape), found, count, generator)

    def _run(self, parameters: Mapping[str, Tensor], inputs: Tensor, norm: Norm) -> Tensor:
        """One grouped convolution a layer for all networks."""
        h = side_by_side(inputs)
        for i in range(len(self.channels)):
            weight, bias = parameters[f"layers.{i}.weight"], parameters[f"layers.{i}.bias"]
            h = convolve(h, weight, bias, self.stride, self.kernel // 2)
            h = norm(f"norms.{i}", h) if self.norm == "batch" else h
            h = self.onwards(h)
        return head(self.features(h), parameters["head.weight"], parameters["head.bias"])
