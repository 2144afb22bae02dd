"""The centres of cells that are alike."""

from __future__ import annotations

import torch
from torch import Tensor


def grid(size: int, dimension: int = 2) -> Tensor:
    """Centres of ``size`` cells along each axis of [-1, 1]^dimension, row major: (size ** dimension, dimension)."""
    centres = (2 * torch.arange(size) + 1) / size - 1
    return torch.cartesian_prod(*[centres] * dimension).reshape(-1, dimension)
