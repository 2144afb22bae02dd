"""One axis as a sum of products of dims: from the coordinates of its positions to their expression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FEW = 8  # that many equal summands are written as a sum, more as a product with a fixed dim


@dataclass(frozen=True)
class Factor:
    """A dim that was found, by number; or a fixed one of ``size``, where there is no number."""

    dim: int | None
    size: int


Term = tuple[Factor, ...]


class Unwritable(Exception):
    """An axis with these dims has an order that the notation can't state."""

    def __init__(self, dims: set[int]) -> None:
        super().__init__(dims)
        self.dims = dims


def expression(coordinates: Sequence[dict[int, int]], colours: Ints, sizes: Sequence[int]) -> list[Term]:
    """The terms of an axis whose position p has ``coordinates[p]``, and the invariants ``colours[p]``.

    Arguments:
        sizes: of every dim, by number.

    Raises:
        Unwritable: where it has none.
    """
    terms: list[Term] = []
    start = 0
    for end in range(1, len(coordinates) + 1):
        if end == len(coordinates) or coordinates[end].keys() != coordinates[start].keys():
            run = _run(coordinates[start:end], colours[start:end], sizes)
            if run is None:
                raise Unwritable({dim for place in coordinates for dim in place})
            terms += run
            start = end
    return terms


def _run(coordinates: Sequence[dict[int, int]], colours: Ints, sizes: Sequence[int]) -> list[Term] | None:
    """Positions that belong to the same dims: products one after another; None where they are none."""
    dims = sorted(coordinates[0])
    if not dims:
        return [(Factor(None, len(coordinates)),)]
    whole = math.prod(sizes[d] for d in dims)
    terms: list[Term] = []
    start = 0
    while start < len(coordinates):
        for times in range((len(coordinates) - start) // whole, 0, -1):
            end = start + times * whole
            term = _product(
                {d: np.array([c[d] for c in coordinates[start:end]]) for d in dims}, colours[start:end], sizes
            )
            if term is not None:
                terms += [term[1:]] * term[0].size if term[0].dim is None and 1 < term[0].size <= _FEW else [term]
                start = end
                break
        else:
            return None
    return terms


def _product(indices: dict[int, Ints], colours: Ints, sizes: Sequence[int]) -> Term | None:
    """The factors, outermost first, of positions with these indices; None where they form no product."""
    length = len(colours)
    strides = {}
    for dim, index in indices.items():
        changed = np.flatnonzero(index != index[0])
        stride = int(changed[0]) if len(changed) else length
        if not np.array_equal(index, np.arange(length) // stride % sizes[dim]):
            return None
        strides[dim] = stride
    factors: list[Factor] = []
    left = length
    for dim in sorted(strides, key=lambda d: -strides[d]):
        if left % (strides[dim] * sizes[dim]):
            return None
        if (gap := left // (strides[dim] * sizes[dim])) > 1:
            factors.append(Factor(None, gap))
        factors.append(Factor(dim, sizes[dim]))
        left = strides[dim]
    if left > 1:
        factors.append(Factor(None, left))
    return tuple(factors) if _invariant(factors, colours) else None


def _invariant(factors: Sequence[Factor], colours: Ints) -> bool:
    """Whether invariants depend on the fixed factors alone."""
    grid = colours.reshape([f.size for f in factors])
    free = tuple(axis for axis, f in enumerate(factors) if f.dim is not None)
    return bool((grid == grid.min(axis=free, keepdims=True)).all())
