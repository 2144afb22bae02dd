"""What a layer does to one space: where blocks are, what is pooled to what, what is mixed."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One quotient is pooled from another, over which of its axes; and the shape of what comes out."""

    quotient: int
    parent: int
    pooled: tuple[int, ...]
    shape: tuple[int, ...]

    def spread(self, value: Tensor) -> Tensor:
        """The quotient (*shape, batch, channels) as it broadcasts to that which it is pooled from."""
        for axis in self.pooled:
            value = value.unsqueeze(axis)
        return value


@dataclass(frozen=True)
class BlockPlace:
    """A block of the state, which is the first of its quotients.

    Attributes:
        number: of that quotient.
        shape: its axes; one of length 1 where it has none.
        start, stop: places in the state.
        steps: what is pooled from the block itself.
    """

    number: int
    shape: tuple[int, ...]
    start: int
    stop: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class DiagonalPlace:
    """A diagonal of the state, which is the first of its quotients.

    Attributes:
        number: of that quotient.
        shape: its axes.
        rows: places in the state, integers (entries,).
    """

    number: int
    shape: tuple[int, ...]
    rows: Tensor
    _rows: dict[torch.device, Tensor] = field(default_factory=dict)

    def rows_on(self, device: torch.device) -> Tensor:
        """``rows`` on a device."""
        if device not in self._rows:
            self._rows[device] = self.rows.to(device)
        return self._rows[device]


@dataclass(frozen=True)
class Part:
    """A quotient in its slot of a domain.

    Attributes:
        quotient: its number.
        turn, back: its axes in the order of the domain's, and the way back; None where it is the same.
        weight: 1 over the entries that it is the mean of, where the matrix has not that factor; else 1.
    """

    quotient: int
    turn: tuple[int, ...] | None
    back: tuple[int, ...] | None
    weight: float


Slots = tuple[tuple[Part, ...], ...]
"""For each block of rows or columns, the quotients that share it."""


@dataclass(frozen=True)
class Mixing:
    """One matrix and what it mixes.

    Attributes:
        entries, columns: how many its matrix has.
        reads, writes: the quotients of each block of rows and of columns.
        context: whether the context is read too.
        whole: whether all of it is blocks as they are, which need not be copied; then it is done last.
    """

    entries: int
    columns: int
    reads: Slots
    writes: Slots
    context: bool
    whole: bool


@dataclass(frozen=True)
class Pair:
    """A whole block is read, times a block of a matrix, for a whole block that is written.

    Attributes:
        mixing: the number of the matrix.
        read, write: numbers of the blocks' quotients.
        row, column, rows, columns: which block of the matrix it is, of how many.
    """

    mixing: int
    read: int
    write: int
    row: int
    column: int
    rows: int
    columns: int

    def block(self, matrix: Tensor) -> Tensor:
        """That block."""
        if self.rows == self.columns == 1:
            return matrix
        return matrix.chunk(self.rows)[self.row].chunk(self.columns, dim=1)[self.column]


@dataclass(frozen=True, eq=False)
class Program:
    """All of it.

    Attributes:
        count: how many quotients there are.
        blocks, diagonals: where the sources are in a state.
        steps: how quotients of quotients are pooled, in an order in which that can be done.
        mixings: what is mixed.
        pairs: the products of whole mixings.
        select: which entries of the layer's matrices are used, integers; None: all, in their order.
        scale: a factor for each of them: 1 over the entries that its row is the mean of.
    """

    count: int
    blocks: tuple[BlockPlace, ...]
    diagonals: tuple[DiagonalPlace, ...]
    steps: tuple[Step, ...]
    mixings: tuple[Mixing, ...]
    pairs: tuple[Pair, ...]
    select: Tensor | None
    scale: Tensor
    _scales: dict[tuple[torch.dtype, torch.device], Tensor] = field(default_factory=dict)

    def scale_like(self, matrices: Tensor) -> Tensor:
        """``scale`` in the dtype and on the device of ``matrices``."""
        key = matrices.dtype, matrices.device
        if key not in self._scales:
            self._scales[key] = self.scale.to(matrices)
        return self._scales[key]

    def views(self, entries: Tensor) -> list[Tensor]:
        """The matrix of each mixing, from the entries of all in a row."""
        parts = entries.split_with_sizes([mixing.entries for mixing in self.mixings])
        return [part.view(-1, mixing.columns) for part, mixing in zip(parts, self.mixings, strict=True)]
