"""How the parameters of a network begin: a law for each, drawn for many networks at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.spaces import WeightSpace


@dataclass(frozen=True)
class Uniform:
    """U(-bound, bound)."""

    bound: float

    def fill(self, value: Tensor, generator: torch.Generator) -> None:
        """Draw every entry, in place."""
        value.uniform_(-self.bound, self.bound, generator=generator)


@dataclass(frozen=True)
class Normal:
    """N(0, deviation^2)."""

    deviation: float

    def fill(self, value: Tensor, generator: torch.Generator) -> None:
        """Draw every entry, in place."""
        value.normal_(0, self.deviation, generator=generator)


@dataclass(frozen=True)
class Constant:
    """The same value for every entry."""

    value: float

    def fill(self, value: Tensor, generator: torch.Generator) -> None:
        """Set every entry, in place."""
        value.fill_(self.value)


Law = Uniform | Normal | Constant


def linear(name: str, fan_in: int, bias: bool = True) -> dict[str, Law]:
    """Torch's default of linear and convolutional layers: weights and biases ~ U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
    law = Uniform(fan_in**-0.5)
    return {f"{name}.weight": law, f"{name}.bias": law} if bias else {f"{name}.weight": law}


def batch_norm(name: str) -> dict[str, Law]:
    """The identity, up to the variance of what comes in."""
    values = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
    return {f"{name}.{kind}": Constant(value) for kind, value in values.items()}


def draw(space: WeightSpace, laws: Mapping[str, Law], count: int, generator: torch.Generator) -> Tensor:
    """``count`` networks, each parameter from its law: (count, space.size)."""
    x = torch.empty(count, space.size)
    for name, value in space.unflatten(x).items():
        laws[name].fill(value, generator)
    return x


@lru_cache(maxsize=64)
def stated(text: str) -> WeightSpace:
    """`WeightSpace.parse`, once for each text: what the space itself caches is kept, too."""
    return WeightSpace.parse(text)
