"""Sinusoidal representation networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_networks.batched import points_last
from wsf_networks.laws import Law, Uniform, draw, stated
from wsframework.parts.interfaces import Architecture
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape


class SineNetwork(nn.Module):
    """``layers[-1](sin(w layers[-2](... sin(w_0 layers[0](x)))))``."""

    def __init__(
        self, sizes: tuple[int, ...], outputs: tuple[int, ...], frequencies: tuple[float, ...], hidden_omega: float
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.outputs, self.frequencies = outputs, frequencies
        for name, bound in bounds(sizes, hidden_omega).items():
            nn.init.uniform_(self.get_parameter(name), -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (batch, *outputs) for inputs (batch, *inputs), flattened first."""
        h = x.flatten(1)
        for layer, frequency in zip(self.layers[:-1], self.frequencies, strict=True):
            h = torch.sin(frequency * layer(h))
        outputs: Tensor = self.layers[-1](h)
        return outputs.reshape(-1, *self.outputs)


def bounds(sizes: tuple[int, ...], hidden_omega: float) -> dict[str, float]:
    """Within which each parameter is uniform, as in section 3.2 of the paper and in its code.

    First weights 1/fan_in; later ones sqrt(6/fan_in)/hidden_omega; biases 1/sqrt(fan_in).
    """
    found = {}
    for i, fan_in in enumerate(sizes[:-1]):
        found[f"layers.{i}.weight"] = math.sqrt(6 / fan_in) / hidden_omega if i else 1 / fan_in
        found[f"layers.{i}.bias"] = 1 / math.sqrt(fan_in)
    return found


class Siren(Architecture):
    """A perceptron of sines, for signals and fields as functions of coordinates, initialised as in its paper.

    As ``sin(-x) = -sin(x)``, the signs of all that goes in and out of a neuron can be changed.

    Options:
        widths: hidden neurons of each layer.
        omega: frequency of the first layer.
        hidden_omega: frequency of the hidden layers after it.
    """

    name = "siren"
    paper = "Sitzmann et al. 2020, arXiv:2006.09661"

    def __init__(
        self,
        *,
        widths: tuple[Annotated[int, Least(1)], ...] = (32, 32),
        omega: Annotated[float, Least(0, strict=True)] = 30.0,
        hidden_omega: Annotated[float, Least(0, strict=True)] = 30.0,
    ) -> None:
        self.widths = tuple(widths)
        self.omega = omega
        self.hidden_omega = hidden_omega

    def sizes(self, shape: TaskShape) -> tuple[int, ...]:
        """Neurons of every layer, inputs and outputs included."""
        return (math.prod(shape.inputs), *self.widths, math.prod(shape.outputs))

    @property
    def frequencies(self) -> tuple[float, ...]:
        """Of each hidden layer."""
        return (self.omega, *[self.hidden_omega] * (len(self.widths) - 1))[: len(self.widths)]

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        return SineNetwork(self.sizes(shape), shape.outputs, self.frequencies, self.hidden_omega)

    def space(self, shape: TaskShape) -> WeightSpace:
        """Hidden neurons are free, each with a sign; inputs and outputs are fixed."""
        sizes, last = self.sizes(shape), len(self.widths)
        lines = [f"free hidden{i}:sign={size}" for i, size in enumerate(self.widths, 1)]
        lines += [f"fixed in={sizes[0]} out={sizes[-1]}"]
        for i in range(last + 1):
            role = "output" if i == last else "hidden" if i else "input"
            written = "out" if i == last else f"hidden{i + 1}^1"
            read = f"hidden{i}^-1" if i else "in"
            lines.append(f"layers.{i}.weight {written} {read} as {role}.weight")
            lines.append(f"layers.{i}.bias {written} as {role}.bias")
        return stated("\n".join(lines))

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once, uniform within the bounds of the paper."""
        laws: dict[str, Law] = {n: Uniform(b) for n, b in bounds(self.sizes(shape), self.hidden_omega).items()}
        return draw(self.space(shape), laws, count, generator)

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """One batched matrix product a layer, its frequency within: inputs (networks, points, *inputs)."""
        h = points_last(inputs)
        for i, w in enumerate((*self.frequencies, 1.0)):
            weight, bias = parameters[f"layers.{i}.weight"], parameters[f"layers.{i}.bias"].unsqueeze(-1)
            h = torch.baddbmm(bias, weight, h, beta=w, alpha=w)
            h = torch.sin(h) if i < len(self.widths) else h
        return h.mT.reshape(*inputs.shape[:2], *shape.outputs)
