"""Sign gauges made canonical: sums of weights, each odd in some signs, become non-negative."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wsframework.alignment.pieces import Piece, cut, pieces, shape_of
from wsframework.alignment.symmetries import Symmetries
from wsframework.spaces import WeightSpace

BLOCK = 4096
"""Entries that are looked through at once for the next pivot."""


@dataclass(frozen=True, eq=False)
class _Odd:
    """A piece on which signs act: its index, and the sum of weights that each set of signs acts on alike.

    Attributes:
        piece: its index.
        sums: which axes are summed over: no sign acts along them.
        entry: the entry of the summed piece, flat, that a pivot stands on, (pivots,).
    """

    piece: int
    sums: tuple[int, ...]
    entry: Tensor


@dataclass(frozen=True, eq=False)
class _System:
    """Pivots: sums whose signs determine those of all weights. Signs of elements are ``solution @ bits`` modulo 2.

    Attributes:
        odd: where the pivots are.
        solution: (elements, pivots), of zeros and ones.
    """

    odd: tuple[_Odd, ...]
    solution: Tensor


def signed(space: WeightSpace, x: Tensor) -> Symmetries:
    """For each network of ``x`` (batch, size), in its place, the signs that make as many sums as can be non-negative.

    Signs of elements are a vector over the field of two elements, and a weight changes by a sum of some of them.
    Gaussian elimination, once a space, finds pivots: weights, summed over the axes along which no sign acts, whose
    signs can be chosen freely, and then determine those of all others.
    """
    system = _system(space)
    values = cut(space, x.detach().double())
    bits = [_summed(values[o.piece], o.sums)[:, o.entry] < 0 for o in system.odd]
    chosen = torch.cat(bits, 1).double() if bits else torch.zeros(len(x), 0, dtype=torch.float64)
    signs = 1 - 2 * (chosen @ system.solution.T % 2)
    factors, begin = {}, 0
    for name, shape in _shapes(space).items():
        end = begin + math.prod(shape)
        factors[name], begin = signs[:, begin:end].reshape(len(x), *shape), end
    return Symmetries(space, {}, factors, len(x))


def _shapes(space: WeightSpace) -> dict[str, tuple[int, ...]]:
    return {d.name: shape_of(space, d.name) for d in space.dims if d.gauge == "sign"}


def _summed(value: Tensor, axes: Sequence[int]) -> Tensor:
    """A piece (batch, *sizes) summed over ``axes``, flat; positions count differently, so that sums are generic."""
    for axis in axes:
        along = [1] * value.dim()
        along[axis + 1] = -1
        value = value * (1 + torch.arange(value.shape[axis + 1]).double() * 0.6180339887498949 % 1).reshape(along)
    return (value.sum([a + 1 for a in axes]) if axes else value).flatten(1)


@lru_cache(maxsize=64)
def _system(space: WeightSpace) -> _System:
    """The pivots of ``space``, and the solution of the system that they are the right-hand side of."""
    elements = sum(map(math.prod, _shapes(space).values()))
    basis: dict[int, tuple[int, int]] = {}  # by leading element: a set of elements, and the pivots it is a sum of
    known = np.zeros(elements, dtype=bool)  # elements whose own sign the pivots so far determine
    odd, count = [], 0
    for index, piece in enumerate(pieces(space)):
        found: list[int] = []
        for entry, acting in _candidates(_acting(space, piece), known):
            reduced, combination = _reduced(acting, basis)
            if reduced:
                basis[reduced.bit_length() - 1] = reduced, combination ^ (1 << count + len(found))
                found.append(entry)
        if found:
            odd.append(_Odd(index, _silent(piece), torch.tensor(found)))
            count += len(found)
    return _System(tuple(odd), _solution(basis, elements, count))


def _candidates(acting: NDArray[np.int64], known: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Entries that may be independent of those before, with the set of their elements (bits); updates ``known``."""
    for begin in range(0, acting.shape[1], BLOCK):
        waiting = np.arange(begin, min(begin + BLOCK, acting.shape[1]))
        while len(waiting := waiting[~known[acting[:, waiting]].all(0)]):
            entry, waiting = int(waiting[0]), waiting[1:]
            elements = acting[:, entry].tolist()
            odd = {e for e in elements if elements.count(e) % 2}
            new = [e for e in odd if not known[e]]
            if new:
                yield entry, sum(1 << e for e in odd)
                known[new] |= len(new) == 1


def _reduced(acting: int, basis: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """What is left of a set of elements after elimination, and the pivots that were added to it."""
    combination = 0
    while acting and (lead := acting.bit_length() - 1) in basis:
        acting, combination = acting ^ basis[lead][0], combination ^ basis[lead][1]
    return acting, combination


def _solution(basis: dict[int, tuple[int, int]], elements: int, pivots: int) -> Tensor:
    """By back substitution: for each element the pivots whose signs make up its own; free ones are positive."""
    rows = np.zeros((elements, pivots), dtype=bool)
    for lead in sorted(basis):
        acting, combination = basis[lead]
        rows[lead, _members(combination)] = True
        for other in _members(acting ^ 1 << lead):
            rows[lead] ^= rows[other]
    return torch.from_numpy(rows).double()


def _members(bits: int) -> list[int]:
    """The elements of a set."""
    return [k for k, bit in enumerate(reversed(bin(bits)[2:])) if bit == "1"]


def _sounding(piece: Piece) -> list[int]:
    """The axes along which signs act, with those of the dims that theirs are within."""
    odd = [p for p, (d, e) in enumerate(zip(piece.dims, piece.exponents, strict=True)) if d.gauge == "sign" and e % 2]
    return sorted({place for p in odd for place in (*piece.outers[p], p)})


def _silent(piece: Piece) -> tuple[int, ...]:
    return tuple(place for place in range(len(piece.dims)) if place not in _sounding(piece))


def _acting(space: WeightSpace, piece: Piece) -> NDArray[np.int64]:
    """The elements whose signs act on each entry of a piece, summed over its silent axes: (acting axes, entries)."""
    kept, starts = _sounding(piece), _starts(space)
    if not kept:
        return np.zeros((0, 0), dtype=np.int64)
    grid = dict(zip(kept, np.indices([piece.sizes[p] for p in kept]).reshape(len(kept), -1), strict=True))
    columns = []
    for place in (p for p in kept if piece.dims[p].gauge == "sign" and piece.exponents[p] % 2):
        shape = shape_of(space, piece.dims[place].name)
        element = np.ravel_multi_index([grid[p] for p in (*piece.outers[place], place)], shape)
        columns.append(starts[piece.dims[place].name] + element)
    return np.stack(columns)


def _starts(space: WeightSpace) -> dict[str, int]:
    """The number of the first element of each dim with signs."""
    shapes = _shapes(space)
    return dict(zip(shapes, itertools.accumulate(map(math.prod, shapes.values()), initial=0), strict=False))
