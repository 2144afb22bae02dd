"""Which positions of a tensor stand for which elements of a dim, from its labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from wsframework.spaces import Dim
from wsframework.tracing.coordinates import Coordinates
from wsframework.tracing.forms import Forms
from wsframework.tracing.labels import Column, Labels, broadcast_shape


@dataclass(frozen=True, eq=False)
class Carried:
    """A tensor carries a dim: some of its positions are the elements of one, and of those that it is within.

    Attributes:
        dims: the names, outermost first.
        parity: for each of them, 1 if its sign acts on these positions, else 0.
        axes: the tensor's axes along which the elements stand.
        positions: along these axes, flattened: (*sizes of dims, occurrences of each element).
    """

    dims: tuple[str, ...]
    parity: tuple[int, ...]
    axes: tuple[int, ...]
    positions: Tensor

    def of(self, value: Tensor) -> Tensor:
        """The values of each element: (*sizes of dims, occurrences, values)."""
        last = value.movedim(self.axes, tuple(range(len(self.axes)))).flatten(0, len(self.axes) - 1)
        return last[self.positions].reshape(*self.positions.shape, -1)


def carried(labels: Labels, coordinates: Coordinates, forms: Forms) -> tuple[Carried, ...]:
    """The free dims that a tensor carries, each with those that it is within.

    Positions that stand for elements of several dims, none within another, are left out: along one of them they
    stand in an order that the others have made.
    """
    moving = [column for column in labels.columns if (coordinates.at(column.atoms) >= 0).any()]
    if not moving:
        return ()
    shape = broadcast_shape(*(tuple(column.atoms.shape) for column in moving))
    index = _together([coordinates.at(column.atoms).expand(*shape, -1) for column in moving])
    form = _form(labels.columns, shape, forms)
    if index is None or form is None:
        return ()
    axes = tuple(axis for axis, size in enumerate(shape) if size > 1)
    found = []
    for here, belongs, number in _kinds(index.flatten(0, -2), form.flatten()):
        dims = tuple(d for d, b in zip(coordinates.dims, belongs, strict=True) if b)
        parity = _parity(dims, forms.table[number])
        places = index.flatten(0, -2)[here][:, torch.tensor(belongs)]
        positions = _positions(here, places, [d.size for d in dims]) if _chained(dims) else None
        if positions is not None and parity is not None:
            found.append(Carried(tuple(d.name for d in dims), parity, axes, positions))
    return tuple(found)


def _together(indices: Sequence[Tensor]) -> Tensor | None:
    """The coordinates of positions from those of each of their atoms; None where two differ."""
    index = torch.stack(list(indices)).amax(0)
    return None if any(((i >= 0) & (i != index)).any() for i in indices) else index


def _form(columns: Sequence[Column], shape: tuple[int, ...], forms: Forms) -> Tensor | None:
    """The form of each position of ``shape``, that of all columns together; None where it varies further."""
    total: Tensor | None = torch.zeros(shape, dtype=torch.long)
    for column in columns:
        if column.forms is not None and column.forms.any():
            total = forms.combine(total, column.forms)
    return total if total is not None and total.shape == shape else None


def _kinds(index: Tensor, form: Tensor) -> Iterator[tuple[Tensor, list[bool], int]]:
    """Positions that belong to the same dims (positions, dims) with the same form: those, the dims, the form."""
    kinds, back = torch.unique(torch.cat([index >= 0, form.unsqueeze(1)], 1), dim=0, return_inverse=True)
    for k, (*belongs, number) in enumerate(kinds.tolist()):
        yield (back == k).nonzero().flatten(), [bool(b) for b in belongs], number


def _chained(dims: Sequence[Dim]) -> bool:
    """Whether each is within the one before, the first within none, and any of them free."""
    outer = [None, *(d.name for d in dims)]
    return any(d.free for d in dims) and all(d.within == o for d, o in zip(dims, outer, strict=False))


def _parity(dims: Sequence[Dim], form: Mapping[Any, Fraction]) -> tuple[int, ...] | None:
    """For each dim whether its sign acts; None where that of another one does."""
    return tuple(int(d.name in form) for d in dims) if form.keys() <= {d.name for d in dims} else None


def _positions(here: Tensor, places: Tensor, sizes: Sequence[int]) -> Tensor | None:
    """``here`` sorted by element, (*sizes, occurrences); None where elements don't occur equally often."""
    flat = torch.zeros_like(here)
    for column, size in zip(places.T, sizes, strict=True):
        flat = flat * size + column
    counts = torch.bincount(flat, minlength=math.prod(sizes))
    return here[flat.argsort(stable=True)].reshape(*sizes, -1) if (counts == counts[0]).all() else None
