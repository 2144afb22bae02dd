"""Orbits of coordinates under permutation, and statistics pooled over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch
from torch import Tensor

from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.symmetry import outer_places


@dataclass(frozen=True, eq=False)
class Orbits:
    """The partition of a space's coordinates into orbits.

    Attributes:
        index: the orbit of every coordinate, integers of shape (size,).
        keys: a name for every orbit: the role of its parameter, then the positions on its fixed axes.
            Keys depend on roles, not on names or widths, so two spaces of one family share them;
            orbits of different parameters with one key are pooled together.
    """

    index: Tensor
    keys: tuple[str, ...]

    def mean(self, x: Tensor) -> Tensor:
        """Mean over each orbit and over the batch, of x (batch, size): shape (number of orbits,)."""
        return self._sum(x.mean(0)) / self._sum(torch.ones_like(x[0]))

    def std(self, x: Tensor) -> Tensor:
        """Standard deviation over each orbit and over the batch, of x (batch, size)."""
        return self.mean((x - self.mean(x)[self.index.to(x.device)]) ** 2).sqrt()

    def _sum(self, values: Tensor) -> Tensor:
        return values.new_zeros(len(self.keys)).index_add_(0, self.index.to(values.device), values)


@lru_cache(maxsize=64)
def orbits(space: WeightSpace) -> Orbits:
    """The orbits of ``space`` under its permutations.

    Two coordinates lie in one orbit when they agree on all fixed axes, and their repeated free dims
    coincide alike: the diagonal of a recurrent weight ``hidden hidden`` is an orbit of its own.
    """
    index = torch.empty(space.size, dtype=torch.long)
    keys: dict[str, int] = {}
    roles = {p.name: p.role for p in space.parameters}
    for block in space.blocks():
        positions = space.block_index(block)
        labels = _labels(space, block, positions.shape)
        for label in labels.unique().tolist():
            key = _key(roles[block.parameter], space, block, labels, label)
            chosen = positions[labels == label]
            index[chosen] = keys.setdefault(key, len(keys))
    return Orbits(index, tuple(keys))


def _labels(space: WeightSpace, block: Block, shape: torch.Size) -> Tensor:
    """An integer for each entry of a block: equal exactly for entries of one orbit."""
    grids = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij") if shape else ()
    label = torch.zeros(shape, dtype=torch.long)
    for place, occurrence in enumerate(block.occurrences):
        if not space.dim(occurrence.dim).free:
            label = label * shape[place] + grids[place]
    for first, second in _repeated(space, block):
        same = grids[first] == grids[second]
        for a, b in zip(outer_places(space, block, first), outer_places(space, block, second), strict=True):
            same = same & (grids[a] == grids[b])
        label = label * 2 + same
    return label


def _repeated(space: WeightSpace, block: Block) -> list[tuple[int, int]]:
    """Pairs of places that hold the same free dim."""
    places = range(len(block.occurrences))
    return [
        (a, b)
        for a, b in combinations(places, 2)
        if block.occurrences[a].dim == block.occurrences[b].dim and space.dim(block.occurrences[a].dim).free
    ]


def _key(role: str, space: WeightSpace, block: Block, labels: Tensor, label: int) -> str:
    entry = (labels == label).nonzero()[0].tolist()
    fixed = [str(i) for o, i in zip(block.occurrences, entry, strict=True) if not space.dim(o.dim).free]
    repeated = ["=" if entry[a] == entry[b] else "~" for a, b in _repeated(space, block)]
    start = "+".join(str(s) for s in block.starts) if any(block.starts) else ""
    return f"{role}{'@' + start if start else ''}[{','.join(fixed + repeated)}]"
