"""Normalisations that respect the symmetry: statistics pooled over orbits, or over whole layers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor

from wsframework.errors import SpaceError, nearest
from wsframework.parts.interfaces import WeightEncoder
from wsframework.spaces import WeightSpace, orbits


class Pooled(WeightEncoder):
    """``(w_j - mu_k) / sigma_k`` with statistics pooled over groups k of coordinates, each a union of orbits.

    Groups are keyed by role, so that spaces of other widths and depths find theirs.
    """

    symmetry = "equivariant"
    mean: Tensor
    std: Tensor

    def __init__(self, space: WeightSpace, *, means: Literal["all", "still"] = "all") -> None:
        super().__init__()
        self.gauges = ("sign", "scale") if means == "still" else ()
        _, keys = self.groups(space)
        self.place = {key: i for i, key in enumerate(keys)}
        self.register_buffer("mean", torch.zeros(len(keys)))
        self.register_buffer("std", torch.ones(len(keys)))
        self._found: dict[WeightSpace, Tensor] = {}

    @abstractmethod
    def groups(self, space: WeightSpace) -> tuple[Tensor, tuple[str, ...]]:
        """The group of every coordinate, (size,), and the groups' names."""

    def _index(self, space: WeightSpace) -> Tensor:
        if space not in self._found:
            self._found[space] = self._place(space)
        return self._found[space].to(self.mean.device)

    def _place(self, space: WeightSpace) -> Tensor:
        """Where in ``mean`` and ``std`` each coordinate of ``space`` finds its statistics."""
        index, keys = self.groups(space)
        for key in keys:
            if key not in self.place:
                raise SpaceError(f"{self.name}: no statistics for {key!r}{nearest(key, self.place)}")
        places = torch.tensor([self.place[key] for key in keys])
        return places[index]

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Means and deviations over groups and networks; a group that never varies is left unscaled."""
        index, x = self._index(space), x.to(self.mean)
        count = torch.zeros_like(self.mean).index_add_(0, index, x.new_ones(space.size)).clamp(min=1)
        mean = torch.zeros_like(self.mean).index_add_(0, index, x.mean(0)) / count
        if self.gauges:
            mean = mean * self._still(space)
        square = torch.zeros_like(self.mean).index_add_(0, index, ((x - mean[index]) ** 2).mean(0)) / count
        self.mean.copy_(mean)
        self.std.copy_(torch.where(square > 0, square.sqrt(), torch.ones_like(square)))

    def _still(self, space: WeightSpace) -> Tensor:
        """1 for each group of which no gauge turns or scales any weight, 0 for the others, (groups,)."""
        turned = turned_by_gauges(space).to(self.mean)
        return 1 - torch.zeros_like(self.mean).index_add_(0, self._index(space), turned).clamp(max=1)

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """``(x - mu) / sigma``."""
        index = self._index(space)
        return (x - self.mean[index]) / self.std[index]

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """``z sigma + mu``."""
        index = self._index(space)
        return z * self.std[index] + self.mean[index]


class Orbit(Pooled):
    """One mean and deviation an orbit: for ``hidden in``, one for each input column.

    Options:
        means: all orbits have one, or still ones alone, whose weights no gauge changes: then signs and scales of
            neurons act on latents as on weights.
    """

    name = "orbit"

    def groups(self, space: WeightSpace) -> tuple[Tensor, tuple[str, ...]]:
        """The orbits."""
        found = orbits(space)
        return found.index, found.keys


class Layer(Pooled):
    """One mean and deviation a parameter role: layer-wise weight normalisation (the paper's section 3.3).

    Options:
        means: all roles have one, or still ones alone, whose weights no gauge changes: then signs and scales of
            neurons act on latents as on weights.
    """

    name = "layer"
    paper = "Task-Conditioned Diffusion Models in Weight Space for Rapid Transfer, section 3.3"

    def groups(self, space: WeightSpace) -> tuple[Tensor, tuple[str, ...]]:
        """Parameters, by role."""
        roles = list(dict.fromkeys(p.role for p in space.parameters))
        parts = [
            torch.full((value.shape[-1],), roles.index(p.role))
            for p, value in zip(space.parameters, _flat(space), strict=True)
        ]
        return torch.cat(parts), tuple(roles)


def turned_by_gauges(space: WeightSpace) -> Tensor:
    """Whether some gauge changes each coordinate, booleans (size,)."""
    turned = torch.zeros(space.size, dtype=torch.bool)
    for block in space.blocks():
        if any(o.exponent and space.dim(o.dim).gauge for o in block.occurrences):
            turned[space.block_index(block).flatten()] = True
    return turned


def _flat(space: WeightSpace) -> list[Tensor]:
    return [value.reshape(1, -1) for value in space.unflatten(torch.empty(space.size)).values()]
