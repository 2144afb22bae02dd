"""Multi-layer perceptrons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from wsf_networks.batched import points_last
from wsframework.parts.interfaces import Architecture
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import TaskShape

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}


class Perceptron(nn.Module):
    """``layers[-1](act(... act(layers[0](x))))``: inputs (..., in), outputs (..., out)."""

    def __init__(self, sizes: tuple[int, ...], outputs: tuple[int, ...], activation: str, bias: bool) -> None:
        super().__init__()
        self.outputs = outputs
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=bias) for a, b in pairwise(sizes))
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (batch, *outputs) for inputs (batch, *inputs), flattened first."""
        h = x.flatten(1)
        for layer in self.layers[:-1]:
            h = self.activation(layer(h))
        outputs: Tensor = self.layers[-1](h).unflatten(-1, self.outputs)
        return outputs


class Mlp(Architecture):
    """A perceptron with one hidden layer a width; torch's default initialisation.

    Options:
        widths: hidden neurons of each layer.
        activation: applied after every hidden layer.
        bias: whether layers have biases.
    """

    name = "mlp"

    def __init__(
        self,
        *,
        widths: tuple[Annotated[int, Least(1)], ...] = (32,),
        activation: Literal["relu", "tanh", "gelu", "silu"] = "relu",
        bias: bool = True,
    ) -> None:
        self.widths = tuple(widths)
        self.activation = activation
        self.bias = bias

    def sizes(self, shape: TaskShape) -> tuple[int, ...]:
        """Neurons of every layer, inputs and outputs included."""
        return (math.prod(shape.inputs), *self.widths, math.prod(shape.outputs))

    def network(self, shape: TaskShape) -> nn.Module:
        """The module itself."""
        return Perceptron(self.sizes(shape), shape.outputs, self.activation, self.bias)

    def space(self, shape: TaskShape) -> WeightSpace:
        """Hidden neurons are free; inputs and outputs are fixed."""
        sizes = self.sizes(shape)
        names = ["in", *(f"hidden{i}" for i in range(1, len(sizes) - 1)), "out"]
        roles = ["input", *["hidden"] * (len(sizes) - 3), "output"] if len(sizes) > 2 else ["output"]
        lines = [f"free {name}={size}" for name, size in zip(names[1:-1], sizes[1:-1], strict=True)]
        lines += [f"fixed in={sizes[0]} out={sizes[-1]}"]
        for i, role in enumerate(roles):
            lines.append(f"layers.{i}.weight {names[i + 1]} {names[i]} as {role}.weight")
            lines += [f"layers.{i}.bias {names[i + 1]} as {role}.bias"] if self.bias else []
        return WeightSpace.parse("\n".join(lines))

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """All networks at once: weights and biases of a layer ~ U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        space = self.space(shape)
        x = torch.rand(count, space.size, generator=generator) * 2 - 1
        for name, value in space.unflatten(x).items():
            fan_in = self.sizes(shape)[int(name.split(".")[1])]
            value.div_(math.sqrt(fan_in))
        return x

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """One batched matrix product a layer: inputs (networks, points, *inputs)."""
        h = points_last(inputs)
        last = len(self.widths)
        activation = _FUNCTIONS[self.activation]
        for i in range(last + 1):
            weight = parameters[f"layers.{i}.weight"]
            h = torch.baddbmm(parameters[f"layers.{i}.bias"].unsqueeze(-1), weight, h) if self.bias else weight @ h
            h = activation(h) if i < last else h
        return h.mT if len(shape.outputs) == 1 else h.mT.reshape(*h.mT.shape[:2], *shape.outputs)


_FUNCTIONS = {
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "gelu": nn.functional.gelu,
    "silu": nn.functional.silu,
}
