"""The small network that all conditioners end in."""

from __future__ import annotations

from typing import Annotated

from torch import nn

from wsframework.parts.values import Least

Count = Annotated[int, Least(1)]


def perceptron(features: int, width: int, size: int) -> nn.Sequential:
    """``Linear, SiLU, Linear``: (batch, features) to (batch, size)."""
    return nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, size))
