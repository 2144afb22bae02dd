"""Works out, once for each space, what a layer does to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import prod

import torch
from torch import Tensor

from wsf_equivariant.linear.domains import Domain, Tap, domains
from wsf_equivariant.linear.matrices import Matrices
from wsf_equivariant.linear.program import BlockPlace, DiagonalPlace, Mixing, Pair, Part, Program, Slots, Step
from wsf_equivariant.linear.sources import Source, layout
from wsframework.errors import SpaceError, nearest
from wsframework.spaces import WeightSpace


@lru_cache(maxsize=64)
def program(space: WeightSpace, matrices: Matrices) -> Program:
    """What the layer with these matrices does to ``space``.

    Raises:
        SpaceError: if ``space`` has a role, or a way in which parameters share dims, without a matrix.
    """
    sources = layout(space).sources
    first = list(accumulate((len(s.quotients) for s in sources), initial=0))
    found = [item for domain in domains(space) for item in _split(domain, matrices)]
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
