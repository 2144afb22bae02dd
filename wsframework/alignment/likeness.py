"""Tables of how alike the activations of two networks are, gathered while the networks run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wsframework.alignment.lines import Tables
from wsframework.spaces import WeightSpace
from wsframework.tracing.carrying import Carried


@dataclass(eq=False)
class Likeness:
    """Cosines between elements, new (of the reference) and old, summed over all activations that carry them.

    Where an element occurs several times in one activation (as query and as key, packed), it is the mean of the
    cosines of all occurrences: scales may act differently on each.

    Attributes:
        tables: by the outermost free dim; each as `best_move` takes them, for a batch of one.
    """

    space: WeightSpace
    tables: dict[str, Tables] = field(default_factory=dict)

    def add(self, carried: Carried, values: Sequence[Tensor]) -> None:
        """One activation of the reference and of the network, each (*sizes of dims, occurrences, values)."""
        first = next(k for k, name in enumerate(carried.dims) if self.space.dim(name).free)
        path, parity = carried.dims[first:], carried.parity[first:]
        table = self._cosines(carried.dims, first, *map(_normed, values))
        by_parity = self.tables.setdefault(path[0], {}).setdefault(path, {})
        by_parity[parity] = by_parity[parity] + table if parity in by_parity else table

    def _cosines(self, dims: Sequence[str], first: int, new: Tensor, old: Tensor) -> Tensor:
        """(1, *sizes of the dims before the first free one, then (new, old) for each free one, (new,) for others)."""
        count = len(dims)
        theirs = [count + k if self.space.dim(name).free else k for k, name in enumerate(dims)]
        kept = list(range(first))
        for k in range(first, count):
            kept.extend((k, theirs[k]) if theirs[k] != k else (k,))
        summed = [2 * count, 2 * count + 1]
        table = torch.einsum(new, [*range(count), *summed], old, [*theirs, *summed], kept) / new.shape[-2]
        return table.unsqueeze(0)

    @property
    def dims(self) -> frozenset[str]:
        """The free dims that these tables place."""
        paths = [path for tables in self.tables.values() for path in tables]
        return frozenset(name for path in paths for name in path if self.space.dim(name).free)


def _normed(values: Tensor) -> Tensor:
    """Values (..., count) of norm 1; zeros where all are zero. What a mask made infinite does not count."""
    values = values.masked_fill(values.isinf(), 0)
    norm = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    return torch.where(norm == 0, 0.0, values / norm)
