"""Which quotients meet: the domains of a space, on each of which one matrix mixes all that is pooled to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, permutations, product
from math import prod

from wsf_equivariant.linear.sources import Quotient, Source, layout
from wsframework.spaces import WeightSpace

Kind = tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]
"""Free dims, the outer axis of each, and fixed dims."""


@dataclass(frozen=True)
class Tap:
    """A quotient as it is read on, or written from, a domain.

    Attributes:
        source, quotient: numbers.
        turn: its axes in the order of the domain's.
    """

    source: int
    quotient: int
    turn: tuple[int, ...]


@dataclass(frozen=True)
class Domain:
    """Quotients that have the same dims: what they are called, and who they are.

    Attributes:
        shape: the length of each axis.
        reads: by name, the quotients that are read there; those of one name count together, as their mean. A
            quotient over repeated dims is read in every order of its axes.
        writes: by name, the quotients that what is mixed there is added to.
    """

    shape: tuple[int, ...]
    reads: Mapping[str, tuple[Tap, ...]]
    writes: Mapping[str, tuple[Tap, ...]]

    @property
    def entries(self) -> int:
        """How many entries a channel has there."""
        return prod(self.shape)

    @property
    def shared(self) -> tuple[str, ...]:
        """Names of several quotients, but for those of what is pooled over everything."""
        return tuple(name for name, taps in self.writes.items() if len(taps) > 1 and self.shape)


@lru_cache(maxsize=64)
def domains(space: WeightSpace) -> tuple[Domain, ...]:
    """The domains of ``space``, the axes of each as the first quotient has them that is there."""
    order = {dim.name: number for number, dim in enumerate(space.dims)}
    natural: dict[Kind, tuple[int, ...]] = {}
    shapes: dict[Kind, tuple[int, ...]] = {}
    reads: dict[Kind, dict[str, list[Tap]]] = {}
    writes: dict[Kind, dict[str, list[Tap]]] = {}
    for number, source in enumerate(layout(space).sources):
        for place, quotient in enumerate(source.quotients):
            kind, turns = _turns(source, quotient, order)
            first = natural.setdefault(kind, tuple(turns[0].index(axis) for axis in range(len(turns[0]))))
            taps = [Tap(number, place, tuple(turn[axis] for axis in first)) for turn in turns]
            shapes[kind] = tuple(source.shape[quotient.axes[axis]] for axis in taps[0].turn)
            name = source.named(quotient)
            for turn, tap in zip(turns, taps, strict=True):
                order_of = "" if turn == turns[0] else f"~{','.join(str(turns[0].index(axis)) for axis in turn)}"
                reads.setdefault(kind, {}).setdefault(name + order_of, []).append(tap)
            writes.setdefault(kind, {}).setdefault(name, []).append(taps[0])
    return tuple(Domain(shape, _frozen(reads[kind]), _frozen(writes[kind])) for kind, shape in shapes.items())


def _frozen(taps: dict[str, list[Tap]]) -> dict[str, tuple[Tap, ...]]:
    return {name: tuple(found) for name, found in taps.items()}


def _turns(source: Source, quotient: Quotient, order: Mapping[str, int]) -> tuple[Kind, list[tuple[int, ...]]]:
    """The kind of domain that a quotient is on, and the orders of its axes that make it so."""
    free = [place for place, axis in enumerate(quotient.axes) if axis < len(source.dims)]
    last = tuple(place for place, axis in enumerate(quotient.axes) if axis == len(source.dims))
    found = sorted((_outer(source, quotient, turn), turn) for turn in _orders(source, quotient, free, order))
    best = found[0][0]
    names = tuple(source.dims[quotient.axes[place]] for place in found[0][1])
    return (names, best, source.fixed if last else ()), [(*turn, *last) for outer, turn in found if outer == best]


def _orders(source: Source, quotient: Quotient, free: list[int], order: Mapping[str, int]) -> Iterator[tuple[int, ...]]:
    """Every order of free axes in which their dims stand as the space has them: several where a dim is repeated."""
    named = sorted(free, key=lambda place: order[source.dims[quotient.axes[place]]])
    groups = [list(same) for _, same in groupby(named, key=lambda place: source.dims[quotient.axes[place]])]
    for turns in product(*map(permutations, groups)):
        yield tuple(place for turn in turns for place in turn)


def _outer(source: Source, quotient: Quotient, turn: tuple[int, ...]) -> tuple[int, ...]:
    """For each axis in an order, which of them its dim is within; -1 where there is none."""
    axes = [quotient.axes[place] for place in turn]
    return tuple(axes.index(outer) if (outer := source.outer[axis]) in axes else -1 for axis in axes)
