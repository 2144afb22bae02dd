"""What a network of `mlp_space` computes: the function that an encoder has to preserve."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsframework.spaces import WeightSpace
from wsframework.spaces.notation import Gauge

ACTIVATIONS: dict[Gauge | None, Callable[[Tensor], Tensor]] = {
    None: torch.nn.functional.gelu,
    "sign": torch.tanh,
    "scale": torch.relu,
}
"""For each gauge an activation that has it, and no other."""


def perceptron(space: WeightSpace, x: Tensor, inputs: Tensor) -> Tensor:
    """The outputs of networks x (networks, size) of an `mlp_space` on inputs (points, in): (networks, points, out)."""
    parameters = space.unflatten(x)
    layers = sum(name.endswith(".weight") for name in parameters)
    h = inputs.expand(len(x), *inputs.shape)
    for k in range(layers):
        h = h @ parameters[f"layers.{k}.weight"].mT
        if f"layers.{k}.bias" in parameters:
            h = h + parameters[f"layers.{k}.bias"].unsqueeze(1)
        h = ACTIVATIONS[_gauge(space)](h) if k < layers - 1 else h
    return h


def _gauge(space: WeightSpace) -> Gauge | None:
    return next((dim.gauge for dim in space.dims if dim.free), None)
