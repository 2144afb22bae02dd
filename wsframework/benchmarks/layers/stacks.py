"""What is measured: stacks of layers with ReLU between them, on random states of a space."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from wsframework.benchmarks.rivals.running import Rival
from wsframework.parts.entrypoints import load_registry
from wsframework.spaces import WeightSpace

CHANNELS, DEPTH = 16, 4
NFN = Rival("nfn", "0.1.2", "nfn", ())


@dataclass(frozen=True, eq=False)
class Stack:
    """Layers, and what they are applied to: ``step`` takes gradients of its sum, to the layers and to the inputs."""

    step: Callable[[], None]


def bound(space: WeightSpace, batch: int) -> Stack:
    """The same perceptron for every weight: linear maps of its channels, and no more."""
    layers = nn.Sequential(*_alternating([nn.Linear(CHANNELS, CHANNELS) for _ in range(DEPTH)]))
    state = torch.randn(space.size, batch, CHANNELS, requires_grad=True)
    return Stack(lambda: torch.autograd.backward(layers(state), state.detach()))


def functional(space: WeightSpace, batch: int) -> Stack:
    """The layers of the denoiser `functional`."""
    make: Any = load_registry().get("denoiser", "functional")
    ends = [None if number == DEPTH - 1 else "relu" for number in range(DEPTH)]
    layers = nn.ModuleList(make.layer(space, CHANNELS, CHANNELS, activation=end) for end in ends)
    first = torch.randn(space.size, batch, CHANNELS, requires_grad=True)

    def step() -> None:
        state: Tensor = first
        for layer in layers:
            state = layer(state, space)
        torch.autograd.backward(state, first.detach())

    return Stack(step)


def nfn(space: WeightSpace, batch: int) -> Stack | None:
    """`nfn.layers.NPLinear`, its fastest for the same class of functions; None where it is not installed."""
    folder = NFN.folder
    if folder is None:
        return None
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))
    common, made = import_module("nfn.common"), import_module("nfn.layers")
    shapes = list(space.shapes.values())
    spec = common.NetworkSpec(
        [common.ArraySpec(shape) for shape in shapes if len(shape) == 2],
        [common.ArraySpec(shape) for shape in shapes if len(shape) == 1],
    )
    maps = [made.NPLinear(spec, CHANNELS, CHANNELS) for _ in range(DEPTH)]
    layers = nn.Sequential(*_alternating(maps, lambda: made.TupleOp(nn.ReLU())))
    first = [torch.randn(batch, CHANNELS, *shape, requires_grad=True) for shape in shapes]
    features = common.WeightSpaceFeatures([x for x in first if x.dim() == 4], [x for x in first if x.dim() == 3])

    def step() -> None:
        out = layers(features)
        found = [part for pair in out for part in pair]
        torch.autograd.backward(found, [torch.ones_like(part) for part in found])

    return Stack(step)


STACKS: Mapping[str, Callable[[WeightSpace, int], Stack | None]] = {
    "bound": bound,
    "functional": functional,
    "nfn": nfn,
}


def _alternating(layers: list[Any], activation: Callable[[], nn.Module] = nn.ReLU) -> list[nn.Module]:
    return [module for layer in layers for module in (layer, activation())][:-1]
