"""What a layer does to one space, worked out once: where blocks are, what is pooled to what, what is mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import prod

import torch
from torch import Tensor

from wsf_equivariant.linear.domains import Domain, Tap, domains
from wsf_equivariant.linear.matrices import Matrices
from wsf_equivariant.linear.sources import Source, layout
from wsframework.errors import SpaceError, nearest
from wsframework.spaces import WeightSpace


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


def program(space: WeightSpace, matrices: Matrices) -> Program:
    """What the layer with these matrices does to ``space``.

    Raises:
        SpaceError: if ``space`` has a role, or a way in which parameters share dims, without a matrix.
    """
    sources = layout(space).sources
    first = list(accumulate((len(s.quotients) for s in sources), initial=0))
    found = [item for domain in domains(space, sources).values() for item in _split(domain, matrices)]
    mixings = [_mixing(item, sources, first) for item in found]
    scale = [_scale(item, sources, matrices.channels_in) for item in found]
    select = [item.index.flatten() for item in found]
    chosen = torch.cat(select)
    everything = torch.equal(chosen, torch.arange(matrices.size))
    return Program(
        count=first[-1],
        blocks=_blocks(sources, first),
        diagonals=_diagonals(sources, first),
        steps=tuple(s for n, source in zip(first, sources, strict=False) for s in _steps(source, n, inner=True)),
        mixings=tuple(mixings),
        pairs=_pairs(mixings),
        select=None if everything else chosen,
        scale=torch.cat(scale),
    )


Taps = tuple[Tap, ...]


@dataclass(frozen=True, eq=False)
class Item:
    """Slots that a matrix mixes, and where the entries for them are among the layer's, (rows, columns)."""

    reads: Sequence[Taps]
    writes: Sequence[Taps]
    index: Tensor
    shape: tuple[int, ...]


def _split(domain: Domain, matrices: Matrices) -> Iterator[Item]:
    """A domain's slots, matrix by matrix: of several only where names meet that did not when the layer was built.

    Then those that share a name, each by itself.
    """
    for name in domain.reads:
        if name not in matrices.place:
            raise SpaceError(f"the equivariant layer has no matrix for {name!r}{nearest(name, matrices.place)}")
    for matrix in dict.fromkeys(matrices.place[name] for name in domain.reads):
        reads = [name for name in matrix.reads if name in domain.reads]
        writes = [name for name in matrix.writes if name in domain.writes]
        index = matrices.select(matrix, reads, writes)
        yield Item(
            [domain.reads[name] for name in reads], [domain.writes[name] for name in writes], index, domain.shape
        )
    for name in domain.shared:
        if name not in matrices.own:
            raise SpaceError(
                f"the equivariant layer was built for one {name!r} on the dims that it has, and here there are several"
            )
    for name in (name for name in domain.writes if name in matrices.own):
        index = matrices.select(matrices.own[name], [name], [name])
        for tap in domain.writes[name]:
            yield Item([(tap,)], [(tap,)], index, domain.shape)


def _mixing(item: Item, sources: Sequence[Source], first: Sequence[int]) -> Mixing:
    reads, writes = _slots(item.reads, first, sources, True), _slots(item.writes, first, sources, False)
    whole = bool(item.shape) and all(_is_block(taps, sources) for taps in (*item.reads, *item.writes))
    return Mixing(item.index.numel(), item.index.shape[1], reads, writes, not item.shape, whole)


def _scale(item: Item, sources: Sequence[Source], channels: int) -> Tensor:
    """For each entry of a matrix, 1 over the entries that its row is the mean of."""
    factors = torch.tensor([_factor(taps, sources) for taps in item.reads]).repeat_interleave(channels)
    factors = torch.cat([factors, torch.ones(len(item.index) - len(factors))])
    return factors.repeat_interleave(item.index.shape[1])


def _count(tap: Tap, sources: Sequence[Source]) -> int:
    """How many entries of its source one entry of a quotient is pooled from."""
    source = sources[tap.source]
    return source.entries // prod(source.shape[axis] for axis in source.quotients[tap.quotient].axes)


def _factor(taps: Taps, sources: Sequence[Source]) -> float:
    return 1 / _count(taps[0], sources) if len(taps) == 1 else 1.0


def _slots(slots: Sequence[Taps], first: Sequence[int], sources: Sequence[Source], read: bool) -> Slots:
    return tuple(
        tuple(
            Part(
                first[tap.source] + tap.quotient,
                _order(tap.turn),
                _order([tap.turn.index(axis) for axis in range(len(tap.turn))]),
                1 / (_count(tap, sources) * len(taps)) if read and len(taps) > 1 else 1.0,
            )
            for tap in taps
        )
        for taps in slots
    )


def _order(turn: Sequence[int]) -> tuple[int, ...] | None:
    """An order of axes with batch and channels last; None for that in which they are."""
    return None if list(turn) == sorted(turn) else (*turn, len(turn), len(turn) + 1)


def _is_block(taps: Taps, sources: Sequence[Source]) -> bool:
    """Whether a slot is one block as it is."""
    tap, source = taps[0], sources[taps[0].source]
    return len(taps) == 1 and tap.quotient == 0 and source.rows is None and _order(tap.turn) is None


def _shape(source: Source, axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(source.shape[axis] for axis in axes)


def _blocks(sources: Sequence[Source], first: Sequence[int]) -> tuple[BlockPlace, ...]:
    return tuple(
        BlockPlace(
            number,
            _shape(source, source.quotients[0].axes),
            source.start,
            source.start + source.entries,
            tuple(_steps(source, number, inner=False)),
        )
        for number, source in zip(first, sources, strict=False)
        if source.rows is None
    )


def _diagonals(sources: Sequence[Source], first: Sequence[int]) -> tuple[DiagonalPlace, ...]:
    return tuple(
        DiagonalPlace(number, _shape(source, source.quotients[0].axes), source.rows)
        for number, source in zip(first, sources, strict=False)
        if source.rows is not None
    )


def _steps(source: Source, first: int, inner: bool) -> Iterator[Step]:
    """How the quotients of a source are pooled; only those that are not pooled from a block itself, or only these."""
    for place, quotient in enumerate(source.quotients[1:], start=1):
        if inner == (quotient.parent > 0 or source.rows is not None):
            yield Step(first + place, first + quotient.parent, quotient.pooled, _shape(source, quotient.axes))


def _pairs(mixings: Sequence[Mixing]) -> tuple[Pair, ...]:
    return tuple(
        Pair(number, read[0].quotient, write[0].quotient, row, column, len(mixing.reads), len(mixing.writes))
        for number, mixing in enumerate(mixings)
        if mixing.whole
        for row, read in enumerate(mixing.reads)
        for column, write in enumerate(mixing.writes)
    )
