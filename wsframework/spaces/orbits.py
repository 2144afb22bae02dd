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
        keys: a name for every orbit: the role of its parameter, the summand of each axis where one is not
            the first, the positions on its fixed axes, and whether repeated free dims coincide (``=``, ``~``).
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
        positions = space.block_index(block).flatten()
        labels = entry_labels(space, block)
        entry, orbit = one_of_each(labels)
        prefix = roles[block.parameter] + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else "")
        names = [f"{prefix}[{','.join(label)}]" for label in zip(*(c.names(entry) for c in labels), strict=True)]
        numbers = [keys.setdefault(name, len(keys)) for name in names or [f"{prefix}[]"]]
        index[positions] = torch.tensor(numbers)[orbit]
    return Orbits(index, tuple(keys))


@dataclass(frozen=True, eq=False)
class Label:
    """An invariant of the entries of a block: a position on a fixed axis, or whether two positions coincide.

    Attributes:
        values: of each entry, integers of shape (entries,), from 0 to below ``count``.
        places: among the block's occurrences: of the one position, or of the two that are compared.
    """

    values: Tensor
    count: int
    places: tuple[int, ...]

    def names(self, entry: Tensor) -> list[str]:
        """What the label says of some entries, by their numbers (n,)."""
        values = self.values[entry].tolist()
        return [str(v) if len(self.places) == 1 else "~="[v] for v in values]


def entry_labels(space: WeightSpace, block: Block) -> list[Label]:
    """The invariants that, all together, are equal exactly for entries of one orbit."""
    shape = [space.dim(o.dim).size for o in block.occurrences]
    grids = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij") if shape else ()
    fixed = [p for p, o in enumerate(block.occurrences) if not space.dim(o.dim).free]
    labels = [Label(grids[place].flatten(), shape[place], (place,)) for place in fixed]
    for first, second in _repeated(space, block):
        same = grids[first] == grids[second]
        for a, b in zip(outer_places(space, block, first), outer_places(space, block, second), strict=True):
            same = same & (grids[a] == grids[b])
        labels.append(Label(same.flatten().long(), 2, (first, second)))
    return labels


def one_of_each(labels: list[Label]) -> tuple[Tensor, Tensor]:
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
