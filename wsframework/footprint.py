"""How much memory networks take when they run side by side, and passes that keep it within bounds."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor, nn

from wsframework.parts.interfaces import Architecture
from wsframework.tasks import TaskShape

NUMBERS = 2**26
"""About so many outputs of layers are held at once, 256 MB of them."""


def passes(architecture: Architecture, shape: TaskShape, networks: int, points: int) -> Iterator[slice]:
    """Consecutive slices of so many networks, each small enough to see ``points`` examples at once."""
    at_once = max(1, NUMBERS // (points * activations(architecture, shape)))
    for start in range(0, networks, at_once):
        yield slice(start, start + at_once)


def activations(architecture: Architecture, shape: TaskShape) -> int:
    """How many numbers the innermost modules of a network put out for one example, its outputs at least.

    They are counted once for all architectures of one class with equal attributes.
    """
    return _counted(_Known.by_attributes(architecture), shape)


@dataclass(frozen=True)
class _Known:
    """An architecture that equals others of the same ``key``."""

    key: Hashable
    architecture: Architecture = field(compare=False)

    @classmethod
    def by_attributes(cls, architecture: Architecture) -> _Known:
        """Known by class and attributes; where these have no hash, by itself."""
        key = type(architecture), tuple(sorted(vars(architecture).items(), key=lambda item: item[0]))
        try:
            hash(key)
        except TypeError:
            return cls(architecture, architecture)
        return cls(key, architecture)


@lru_cache(maxsize=64)
def _counted(known: _Known, shape: TaskShape) -> int:
    with torch.random.fork_rng(devices=[]):
        network = known.architecture.network(shape).eval()
    counted = [math.prod(shape.inputs) + math.prod(shape.outputs)]

    def count(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor):
            counted.append(output.numel())

    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, *shape.inputs))
    return sum(counted)
