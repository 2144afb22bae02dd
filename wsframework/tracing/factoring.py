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
Dims = Sequence[tuple[int, bool]]


class Unwritable(Exception):
    """An axis with these dims has an order that the notation can't state."""

    def __init__(self, dims: set[int]) -> None:
        super().__init__(dims)
        self.dims = dims


def expression(coordinates: Sequence[dict[int, int]], colours: Ints, dims: Dims) -> list[Term]:
    """The terms of an axis whose position p has ``coordinates[p]``, and the invariants ``colours[p]``.

    Arguments:
        dims: of every dim, by number: its size, and whether it is free.

    Raises:
        Unwritable: where it has none.
    """
    terms: list[Term] = []
    start = 0
    for end in range(1, len(coordinates) + 1):
        if end == len(coordinates) or coordinates[end].keys() != coordinates[start].keys():
            run = _run(coordinates[start:end], colours[start:end], dims)
            if run is None:
                raise Unwritable({dim for place in coordinates for dim in place})
            terms += run
            start = end
    return terms


def _run(coordinates: Sequence[dict[int, int]], colours: Ints, dims: Dims) -> list[Term] | None:
    """Positions that belong to the same dims: products one after another; None where they are none."""
    own = sorted(coordinates[0])
    if not own:
        return [(Factor(None, len(coordinates)),)]
    whole = math.prod(dims[d][0] for d in own)
    indices = {d: np.array([place[d] for place in coordinates]) for d in own}
    terms: list[Term] = []
    start = 0
    while start < len(coordinates):
        found = _longest(indices, colours, dims, start, whole)
        if found is None:
            return None
        term, start = found
        equal = term[0].dim is None and 1 < term[0].size <= _FEW
        terms += [term[1:]] * term[0].size if equal else [term]
    return terms


def _longest(indices: dict[int, Ints], colours: Ints, dims: Dims, start: int, whole: int) -> tuple[Term, int] | None:
    """The longest product from ``start`` on, and where it ends; it has a multiple of ``whole`` positions."""
    for times in range((len(colours) - start) // whole, 0, -1):
        part = slice(start, start + times * whole)
        term = _product({dim: index[part] for dim, index in indices.items()}, colours[part], dims)
        if term is not None:
            return term, part.stop
    return None


def _product(indices: dict[int, Ints], colours: Ints, dims: Dims) -> Term | None:
    """The factors, outermost first, of positions with these indices; None where they form no product."""
    length = len(colours)
    strides = {}
    for dim, index in indices.items():
        changed = np.flatnonzero(index != index[0])
        stride = int(changed[0]) if len(changed) else length
        if not np.array_equal(index, np.arange(length) // stride % dims[dim][0]):
            return None
        strides[dim] = stride
    factors: list[Factor] = []
    left = length
    for dim in sorted(strides, key=lambda d: -strides[d]):
        if left % (strides[dim] * dims[dim][0]):
            return None
        if (gap := left // (strides[dim] * dims[dim][0])) > 1:
            factors.append(Factor(None, gap))
        factors.append(Factor(dim, dims[dim][0]))
        left = strides[dim]
    if left > 1:
        factors.append(Factor(None, left))
    free = tuple(axis for axis, f in enumerate(factors) if f.dim is not None and dims[f.dim][1])
    return tuple(factors) if _invariant(colours.reshape([f.size for f in factors]), free) else None


def _invariant(colours: Ints, free: tuple[int, ...]) -> bool:
    """Whether invariants are the same along the axes of free dims."""
    return bool((colours == colours.min(axis=free, keepdims=True)).all()) if free else True
