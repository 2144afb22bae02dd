"""Labels: which neuron each position of a tensor belongs to.

The symmetries of a network act on *atoms*: numbered things, such as the rows of a weight matrix. Along a
network's computation every tensor is labelled with the atoms that its positions stand for, so that an element g
of the group, which moves atoms, says how it moves the tensor: the entry labelled a lands where ``g(a)`` is.

A `Column` gives every position one atom; a position is told from the others by all its columns together (one
for the channel and one for the row of an image, say). Labels below zero are *places*: nothing moves them.
Where positions agree in all columns, their values agree, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Column:
    """One atom, or place, for every position.

    Attributes:
        atoms: integers of the tensor's rank, size 1 along the axes in which they don't vary.
        forms: of the same shape: with which exponent the gauge acts there, as numbers of linear forms
            (see `wsframework.tracing.forms`). None: nowhere.
    """

    atoms: Tensor
    forms: Tensor | None = None

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes along which the column varies."""
        return tuple(axis for axis, size in enumerate(self.atoms.shape) if size > 1)

    @property
    def moves(self) -> bool:
        """Whether any of the labels is an atom."""
        return bool((self.atoms >= 0).any())

    def map(self, rearrange: Callable[[Tensor], Tensor]) -> Column:
        """The column with its entries rearranged, forms with their atoms; size 1 where it no longer varies."""
        atoms = rearrange(self.atoms)
        forms = None if self.forms is None else rearrange(self.forms)
        for axis, size in enumerate(atoms.shape):
            if size > 1 and all(_constant(t, axis) for t in (atoms, forms) if t is not None):
                atoms = atoms.narrow(axis, 0, 1)
                forms = None if forms is None else forms.narrow(axis, 0, 1)
        return Column(atoms, forms)


def _constant(array: Tensor, axis: int) -> bool:
    return bool((array == array.narrow(axis, 0, 1)).all())


@dataclass(frozen=True, eq=False)
class Labels:
    """A tensor's shape and its columns.

    Attributes:
        zero: whether it is known to be zero everywhere, which no gauge changes.
    """

    shape: tuple[int, ...]
    columns: tuple[Column, ...] = ()
    zero: bool = False

    @property
    def moves(self) -> bool:
        """Whether any position is labelled with an atom."""
        return any(column.moves for column in self.columns)

    @property
    def size(self) -> int:
        """The number of positions."""
        return math.prod(self.shape)

    def map(self, shape: Iterable[int], rearrange: Callable[[Tensor], Tensor]) -> Labels:
        """Columns rearranged by a function that keeps axes of size 1, such as `torch.movedim`."""
        columns = (column.map(rearrange) for column in self.columns)
        return Labels(tuple(shape), tuple(column for column in columns if column.axes), self.zero)

    def unsqueeze(self, axis: int) -> Labels:
        """With an axis of size 1 before ``axis`` (of the new rank, from the end where negative)."""
        place = axis % (len(self.shape) + 1)
        return self.map((*self.shape[:place], 1, *self.shape[place:]), lambda array: array.unsqueeze(place))

    def squeeze(self, axes: Iterable[int]) -> Labels:
        """Without ``axes``, along which no column varies."""
        gone = sorted({axis % len(self.shape) for axis in axes}, reverse=True)
        shape = tuple(size for axis, size in enumerate(self.shape) if axis not in gone)
        return self.map(shape, lambda array: array.squeeze(gone))

    def expand(self, shape: Iterable[int]) -> Labels:
        """Broadcast to ``shape``: the same labels everywhere along new axes."""
        wanted = tuple(shape)
        missing = len(wanted) - len(self.shape)
        return self.map(wanted, lambda array: array.reshape([1] * missing + list(array.shape)))

    def transpose(self, first: int, second: int) -> Labels:
        """Two axes exchanged."""
        shape = list(self.shape)
        shape[first], shape[second] = shape[second], shape[first]
        return self.map(shape, lambda array: array.transpose(first, second))


def places(shape: tuple[int, ...], axis: int) -> Column:
    """A column of places along ``axis``."""
    numbers = -1 - torch.arange(shape[axis])
    return Column(numbers.reshape([-1 if a == axis % len(shape) else 1 for a in range(len(shape))]))


def fixed(shape: Iterable[int], axes: Iterable[int] | None = None) -> Labels:
    """Labels of a tensor that nothing moves: places along ``axes`` (default: all)."""
    sizes = tuple(shape)
    chosen = range(len(sizes)) if axes is None else axes
    return Labels(sizes, tuple(places(sizes, axis) for axis in chosen if sizes[axis] > 1))


def of_constant(value: Tensor) -> Labels:
    """Labels of known numbers: places along the axes in which they vary."""
    varying = [axis for axis, size in enumerate(value.shape) if size > 1 and not _constant(value, axis)]
    return Labels(tuple(value.shape), fixed(value.shape, varying).columns, not bool(value.any()))


def broadcast(*arrays: Tensor) -> list[Tensor]:
    """The arrays, all of the shape that they have together."""
    shape = broadcast_shape(*(tuple(array.shape) for array in arrays))
    return [array.expand(shape) for array in arrays]


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that tensors of these shapes have together."""
    return tuple(torch.broadcast_shapes(*shapes))  # type: ignore[no-untyped-call]
