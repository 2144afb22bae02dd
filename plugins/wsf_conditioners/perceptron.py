"""The small network that all conditioners end in."""

from __future__ import annotations

from torch import nn

from wsframework.errors import PartError


def perceptron(features: int, width: int, size: int) -> nn.Sequential:
    """``Linear, SiLU, Linear``: (batch, features) to (batch, size).

    Raises:
        PartError: where ``width`` or ``size`` is below 1.
    """
    for option, value in (("width", width), ("size", size)):
        if value < 1:
            raise PartError(
                f"a conditioner's {option} is at least 1, not {value}; the conditioner without an embedding is 'none'"
            )
    return nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, size))
