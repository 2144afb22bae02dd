"""Modules that see the layers of identical shape as a set: equivariant to permuting whole layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn import functional

from wsframework.parts.embedding import Film
from wsframework.spaces import WeightSpace


def layer_sets(space: WeightSpace) -> list[Tensor]:
    """For each role that several parameters of one shape share: their flat positions, (layers, entries)."""
    found: dict[tuple[str, tuple[int, ...]], list[Tensor]] = {}
    positions = space.unflatten(torch.arange(space.size))
    for parameter in space.parameters:
        key = (parameter.role, space.shapes[parameter.name])
        found.setdefault(key, []).append(positions[parameter.name].flatten())
    return [torch.stack(rows) for rows in found.values() if len(rows) > 1]


class LayerSet(nn.Module):
    """``x_i + C silu(film(A x_i + B mean_j x_j, c))`` over the layers i of one set.

    Reference: Zaheer et al. 2017, arXiv:1703.06114 (DeepSets), with a bottleneck of ``rank`` channels.

    Arguments:
        positions: where the layers lie in the flat vector, integers (layers, entries).
        condition_size: length of c.
        rank: channels between A, B and C.
    """

    positions: Tensor

    def __init__(self, positions: Tensor, condition_size: int, rank: int) -> None:
        super().__init__()
        entries = positions.shape[1]
        self.register_buffer("positions", positions, persistent=False)
        self.each = nn.Linear(entries, rank)
        self.mean = nn.Linear(entries, rank, bias=False)
        self.film = Film(condition_size, rank)
        self.back = nn.Linear(rank, entries)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """x (batch, size), c (batch, condition_size) to (batch, size): other coordinates pass unchanged."""
        layers = x[:, self.positions]
        pooled = reduce(layers, "batch layers entries -> batch 1 entries", "mean")
        change = self.back(functional.silu(self.film(self.each(layers) + self.mean(pooled), c)))
        flat = rearrange(change, "batch layers entries -> batch (layers entries)")
        return x.index_add(1, self.positions.flatten(), flat)


class LayerSets(nn.Module):
    """One `LayerSet` after the other; the identity where there is none."""

    def __init__(self, sets: Sequence[Tensor], condition_size: int, rank: int) -> None:
        super().__init__()
        self.sets = nn.ModuleList(LayerSet(positions, condition_size, rank) for positions in sets)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """x (batch, size), c (batch, condition_size) to (batch, size)."""
        for layer_set in self.sets:
            x = layer_set(x, c)
        return x
