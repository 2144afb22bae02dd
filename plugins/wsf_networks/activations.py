"""Activations by name: as a function, and the gauge that each leaves a neuron."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
}
GAUGES = {"relu": ":scale", "tanh": ":sign"}
"""A factor that goes through: a positive scale through ReLU, a sign through an odd function."""
