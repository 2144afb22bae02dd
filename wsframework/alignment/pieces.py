"""Weights cut into pieces: one tensor a block, one axis an occurrence of a dim, the whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.spaces import Block, Dim, WeightSpace
from wsframework.spaces.symmetry import outer_places


@dataclass(frozen=True)
class Piece:
    """A block of a space, as the algorithms of alignment see it.

    Attributes:
        block: where it lies in its parameter.
        dims: the dim of each axis.
        exponents: the exponent of each axis.
        outers: for each axis, the axes of the dims that its own is within, outermost first.
    """

    block: Block
    dims: tuple[Dim, ...]
    exponents: tuple[int, ...]
    outers: tuple[tuple[int, ...], ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape of the piece."""
        return tuple(d.size for d in self.dims)

    def places(self, dim: str) -> tuple[int, ...]:
        """The axes that hold ``dim``."""
        return tuple(place for place, d in enumerate(self.dims) if d.name == dim)


@lru_cache(maxsize=64)
def pieces(space: WeightSpace) -> tuple[Piece, ...]:
    """The pieces of ``space``, in the order of its blocks."""
    return tuple(_piece(space, block) for block in space.blocks())


def _piece(space: WeightSpace, block: Block) -> Piece:
    occurrences = block.occurrences
    return Piece(
        block,
        tuple(space.dim(o.dim) for o in occurrences),
        tuple(o.exponent for o in occurrences),
        tuple(outer_places(space, block, place) for place in range(len(occurrences))),
    )


@lru_cache(maxsize=1024)
def chain(space: WeightSpace, name: str) -> tuple[Dim, ...]:
    """The dims that the one called ``name`` is within, outermost first, and itself."""
    dim = space.dim(name)
    return (*(chain(space, dim.within) if dim.within else ()), dim)


def shape_of(space: WeightSpace, name: str) -> tuple[int, ...]:
    """The shape of one value for each element of a dim: the sizes of its `chain`."""
    return tuple(d.size for d in chain(space, name))


def cut(space: WeightSpace, x: Tensor) -> list[Tensor]:
    """The pieces of ``x`` (batch, size), each (batch, *sizes): views."""
    return [_window(x, p) for p in pieces(space)]


def join(space: WeightSpace, values: Sequence[Tensor]) -> Tensor:
    """The inverse of `cut`: pieces (batch, *sizes) to one tensor (batch, size)."""
    x = values[0].new_empty(len(values[0]), space.size)
    for piece, value in zip(pieces(space), values, strict=True):
        _window(x, piece).copy_(value)
    return x


def _window(x: Tensor, piece: Piece) -> Tensor:
    """The part of ``x`` (batch, size) that a piece occupies, (batch, *sizes): a view."""
    batch, step = x.stride()
    strides = [step * stride for stride in piece.block.strides]
    return x.as_strided((len(x), *piece.sizes), (batch, *strides), x.storage_offset() + step * piece.block.start)


def spread(values: Tensor, places: Sequence[int], axes: int) -> Tensor:
    """``values`` (batch, one axis for each of ``places``) broadcastable to a piece of so many ``axes``."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    shape = [1] * axes
    for k, place in enumerate(places):
        shape[place] = values.shape[k + 1]
    return values.permute(0, *(k + 1 for k in order)).reshape(len(values), *shape)


def gathered(value: Tensor, places: Sequence[int]) -> Tensor:
    """A piece (batch, *sizes) summed over all axes but ``places``, which come in that order: (batch, *their sizes)."""
    others = [a + 1 for a in range(value.dim() - 1) if a not in places]
    summed = value.sum(others) if others else value
    kept = sorted(places)
    return summed.permute(0, *(kept.index(place) + 1 for place in places))


def picked(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Like `torch.where`, where ``chosen`` has the first axes of both alone."""
    return torch.where(chosen.reshape(*chosen.shape, *[1] * (yes.dim() - chosen.dim())), yes, no)
