"""One axis as sums and products of dims: from the coordinates of its positions to their expression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from wsframework.tracing.sums import Factor, Sum, Term

Ints = NDArray[np.int64]
Place = dict[int, int]
Dims = Sequence[tuple[int, bool]]

_FEW = 8  # that many equal summands are written as a sum, more as a product with a fixed dim
_NOTHING: Term = (Factor(None, 1),)


class Unwritable(Exception):
    """An axis with these dims has an order that the notation can't state."""

    def __init__(self, dims: set[int]) -> None:
        super().__init__(dims)
        self.dims = dims


def expression(places: Sequence[Place], colours: Ints, dims: Dims) -> Sum:
    """The axis whose position p has the coordinates ``places[p]``, and the invariant ``colours[p]``.

    From the first position on, the outermost dim is the one whose index stays the same for longest; positions
    that share an index of it are an axis in turn, the same for every index.

    Arguments:
        dims: of every dim, by number: its size, and whether it is free.

    Raises:
        Unwritable: where it has no such form; with the dims of the product that is none.
    """
    terms: list[Term] = []
    start = 0
    while start < len(places):
        term, start = _term(places, colours, dims, start)
        terms.append(term)
    return Sum(tuple(summand for term, run in groupby(terms) for summand in _repeated(term, len(list(run)))))


def _repeated(term: Term, times: int) -> list[Term]:
    return [term] * times if times <= _FEW else [(Factor(None, times), *term)]


def _term(places: Sequence[Place], colours: Ints, dims: Dims, start: int) -> tuple[Term, int]:
    """The product that begins at ``start``, and where it ends."""
    if not places[start]:
        stop = next((p for p in range(start, len(places)) if places[p]), len(places))
        return (Factor(None, stop - start),), stop
    stretch, outer = max((_stretch(places, dim, start), dim) for dim in places[start])
    size, free = dims[outer]
    stop = start + size * stretch
    block, whole, patterns = places[start : start + stretch], places[start:stop], colours[start:stop]
    if (
        stop > len(places)
        or whole != [place | {outer: index} for index in range(size) for place in block]
        or (free and not np.array_equal(patterns, np.tile(patterns[:stretch], size)))
    ):
        raise Unwritable({dim for place in whole for dim in place})
    kinds = np.unique(patterns.reshape(size, stretch), axis=1, return_inverse=True)[1].reshape(stretch)
    inner = expression([_without(outer, place) for place in block], kinds, dims)
    return (Factor(outer, size), *_factors(inner)), stop


def _stretch(places: Sequence[Place], dim: int, start: int) -> int:
    """For how many positions from ``start`` on the index in ``dim`` is the same."""
    index = places[start][dim]
    return next((p for p in range(start, len(places)) if places[p].get(dim) != index), len(places)) - start


def _without(dim: int, place: Place) -> Place:
    return {d: index for d, index in place.items() if d != dim}


def _factors(inner: Sum) -> Term:
    """A sum as factors of a product: one term needs no parentheses, and one position no factor."""
    if len(inner.terms) > 1:
        return (inner,)
    return () if inner.terms[0] == _NOTHING else inner.terms[0]
