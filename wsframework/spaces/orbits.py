"""Orbits of coordinates under permutation."""

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
        keys: a name for every orbit: the role of its parameter, the summand of each axis where one is not
            the first, the positions on its fixed axes, and whether repeated free dims coincide (``=``, ``~``).
            Keys depend on roles, not on names or widths, so two spaces of one family share them;
            orbits of different parameters with one key are pooled together.
    """

    index: Tensor
    keys: tuple[str, ...]


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
        positions = space.block_index(block).flatten()
        labels = _labels(space, block)
        entry, orbit = _one_of_each(labels)
        prefix = roles[block.parameter] + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else "")
        names = [f"{prefix}[{','.join(label)}]" for label in zip(*(c.names(entry) for c in labels), strict=True)]
        numbers = [keys.setdefault(name, len(keys)) for name in names or [f"{prefix}[]"]]
        index[positions] = torch.tensor(numbers)[orbit]
    return Orbits(index, tuple(keys))


@dataclass(frozen=True, eq=False)
class _Label:
    """An invariant of the entries of a block: a position on a fixed axis, or whether two positions coincide."""

    values: Tensor
    count: int
    positions: bool

    def names(self, entry: Tensor) -> list[str]:
        values = self.values[entry].tolist()
        return [str(v) if self.positions else "~="[v] for v in values]


def _labels(space: WeightSpace, block: Block) -> list[_Label]:
    """The invariants that, all together, are equal exactly for entries of one orbit."""
    shape = [space.dim(o.dim).size for o in block.occurrences]
    grids = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij") if shape else ()
    fixed = [p for p, o in enumerate(block.occurrences) if not space.dim(o.dim).free]
    labels = [_Label(grids[place].flatten(), shape[place], positions=True) for place in fixed]
    for first, second in _repeated(space, block):
        same = grids[first] == grids[second]
        for a, b in zip(outer_places(space, block, first), outer_places(space, block, second), strict=True):
            same = same & (grids[a] == grids[b])
        labels.append(_Label(same.flatten().long(), 2, positions=False))
    return labels


def _one_of_each(labels: list[_Label]) -> tuple[Tensor, Tensor]:
    """One entry of each orbit (orbits,), and the orbit of each entry (entries,); without labels, of them all (1,)."""
    code = torch.zeros(1, dtype=torch.long)
    for label in labels:
        code = code * label.count + label.values
    distinct, orbit = torch.unique(code, return_inverse=True)
    entry = torch.empty_like(distinct)
    entry[orbit] = torch.arange(len(code))  # whichever comes last: labels are the same throughout an orbit
    return entry, orbit


def _repeated(space: WeightSpace, block: Block) -> list[tuple[int, int]]:
    """Pairs of places that hold the same free dim."""
    places = range(len(block.occurrences))
    return [
        (a, b)
        for a, b in combinations(places, 2)
        if block.occurrences[a].dim == block.occurrences[b].dim and space.dim(block.occurrences[a].dim).free
    ]
