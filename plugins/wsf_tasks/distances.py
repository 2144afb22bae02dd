"""Signed distances to a surface, negative inside: examples of them, and coarse scans."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsf_tasks.grid import grid
from wsframework.tasks import Data

Distance = Callable[[Tensor], Tensor]
"""Places (points, dimension) to signed distances (points,)."""

CANDIDATES = 8


def examples(distance: Distance, dimension: int, count: int, generator: torch.Generator) -> Data:
    """``count`` places in [-1, 1]^dimension and their distances, (count, dimension) and (count, 1).

    Half of them are drawn evenly. The others are those nearest to the surface, of `CANDIDATES` times as many.
    """
    near = count // 2
    x = 2 * torch.rand(count - near + CANDIDATES * near, dimension, generator=generator) - 1
    y = distance(x)
    nearest = y[count - near :].abs().topk(near, largest=False).indices
    kept = torch.cat([torch.arange(count - near), count - near + nearest])
    return Data(x[kept], y[kept].unsqueeze(-1))


def scan(distance: Distance, dimension: int, side: int) -> Tensor:
    """Distances at the centres of ``side`` cells along each axis of [-1, 1]^dimension: (side ** dimension,)."""
    return distance(grid(side, dimension))
