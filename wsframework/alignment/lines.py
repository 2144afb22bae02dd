"""How a move of a dim reaches the pieces of a space: along lines, from the dim itself down to one that is within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.alignment.pieces import Piece, pieces
from wsframework.spaces import Dim, WeightSpace


@dataclass(frozen=True)
class Line:
    """One way along which a piece sees a move; every other axis of the piece is held where it is.

    Attributes:
        piece: the index of the piece.
        outer: the axes of the dims that the moved one is within.
        places: the axes from the moved dim down to the last dim of the line.
        path: their dims.
        parity: for each of them, 1 if its sign acts on the piece through this line, else 0.
        share: the part of the piece's score that counts for this line, where others share it.
        exact: whether the piece's score is what the line says, however the move turns out; else the move
            reaches the piece along other lines as well, and the score is a linearisation.
    """

    piece: int
    outer: tuple[int, ...]
    places: tuple[int, ...]
    path: tuple[str, ...]
    parity: tuple[int, ...]
    share: float
    exact: bool


@lru_cache(maxsize=1024)
def lines(space: WeightSpace, counted: frozenset[str], dim: str, deep: bool) -> tuple[Line, ...]:
    """The lines along which a move of ``dim`` is seen by ``counted`` parameters; ``deep``: and the dims within it."""
    found: list[Line] = []
    for index, piece in ((i, p) for i, p in enumerate(pieces(space)) if p.block.parameter in counted):
        for root in piece.places(dim):
            leaves = _leaves(piece, root) if deep else (root,)
            found.extend(_line(piece, index, root, leaf, len(leaves)) for leaf in leaves)
    return tuple(found)


def within(space: WeightSpace, dim: str) -> tuple[Dim, ...]:
    """The free dims that depend on ``dim``, directly or not."""
    names = {dim}
    for d in space.dims:
        if d.within in names:
            names.add(d.name)
    return tuple(d for d in space.dims if d.name in names and d.name != dim and d.free)


def _leaves(piece: Piece, root: int) -> tuple[int, ...]:
    """The axes of free dims in which chains that begin at ``root`` end."""
    below = [p for p, outer in enumerate(piece.outers) if root in outer and piece.dims[p].free]
    return tuple(p for p in below if not any(p in piece.outers[q] for q in below)) or (root,)


def _line(piece: Piece, index: int, root: int, leaf: int, leaves: int) -> Line:
    whole = (*piece.outers[leaf], leaf)
    depth = len(piece.outers[root])
    places = whole[depth:]
    path = tuple(piece.dims[p].name for p in places)
    parity = tuple(piece.exponents[p] % 2 if piece.dims[p].gauge == "sign" else 0 for p in places)
    once = all(len(piece.places(name)) == 1 for name in path)
    return Line(index, whole[:depth], places, path, parity, 1 / leaves, once and leaves == 1)


Tables = dict[tuple[str, ...], dict[tuple[int, ...], Tensor]]
"""Scores by path, then by parity: (batch, *outer sizes, then (new, old) for each free dim of the path)."""


def tables(space: WeightSpace, chosen: Sequence[Line], values: Sequence[Tensor], reference: Sequence[Tensor]) -> Tables:
    """Inner products of weights and reference, for every place that a move along ``chosen`` lines could give.

    Arguments:
        values: pieces of the weights, each (batch, *sizes).
        reference: pieces of what they are compared with, each (1 or batch, *sizes).
    """
    found: Tables = {}
    for line in chosen:
        piece = pieces(space)[line.piece]
        table = line.share * _contracted(piece, line, values[line.piece], reference[line.piece])
        by_parity = found.setdefault(line.path, {})
        by_parity[line.parity] = by_parity[line.parity] + table if line.parity in by_parity else table
    return found


def _contracted(piece: Piece, line: Line, value: Tensor, reference: Tensor) -> Tensor:
    """One inner product: summed over all axes but those of the line, which stay apart for new and old elements."""
    axes = len(piece.dims)
    batch, new = 0, [place + 1 for place in range(axes)]
    old = [axes + n if place in line.places and piece.dims[place].free else n for place, n in enumerate(new)]
    kept = [new[place] for place in line.outer]
    for place in line.places:
        kept.extend((new[place], old[place]) if piece.dims[place].free else (new[place],))
    if len(reference) == 1:
        return torch.einsum(reference[0], new, value, [batch, *old], [batch, *kept])
    return torch.einsum(reference, [batch, *new], value, [batch, *old], [batch, *kept])
