"""Where the coordinates of a weight space are, for layers that pool over dims: sources, and their quotients.

A *source* is a block of a parameter with one axis for each free dim, and for each that a free one is within, and one
for all other fixed positions together; or, where a free dim is repeated, its diagonal. Pooling a source over some axes
gives a *quotient*; each is pooled from the smallest quotient that has all of its axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import prod

import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import Block, WeightSpace
from wsframework.spaces.symmetry import outer_places

REPEATS = 3
"""How often a dim may be in one parameter: the ways in which its elements coincide grow faster than exponentially."""


@dataclass(frozen=True)
class Quotient:
    """A source pooled over some of its axes.

    Attributes:
        axes: of the source, which are kept.
        parent: the number of the quotient that it is pooled from; -1 for the source itself.
        pooled: among the axes of the parent, those that are pooled.
        count: how many entries of the parent one entry is pooled from.
    """

    axes: tuple[int, ...]
    parent: int
    pooled: tuple[int, ...]
    count: int


@dataclass(frozen=True, eq=False)
class Source:
    """Coordinates on a grid.

    Attributes:
        key: the role of the parameter, the summand of each axis where one is not the first, and which axes coincide;
            equal at every width and depth.
        dims: the dim of each axis but the last.
        outer: for each axis, that of the dim which its dim is within; -1 where there is none.
        fixed: names of the fixed dims, whose positions are the last axis.
        shape: the length of each axis, that of the fixed positions last.
        start: where its coordinates begin in the layout's order; of a diagonal, -1.
        rows: of a diagonal, where its coordinates are, integers (entries,).
        quotients: every closed way of pooling, the source itself first.
    """

    key: str
    dims: tuple[str, ...]
    outer: tuple[int, ...]
    fixed: tuple[str, ...]
    shape: tuple[int, ...]
    start: int
    rows: Tensor | None
    quotients: tuple[Quotient, ...]

    @property
    def entries(self) -> int:
        """How many coordinates it has."""
        return prod(self.shape)

    def named(self, quotient: Quotient) -> str:
        """A name for a quotient, equal at every width and depth: which axes are kept, ``*`` for the fixed positions."""
        last = len(self.dims)
        return f"{self.key}:{','.join('*' if axis == last else str(axis) for axis in quotient.axes)}"


@dataclass(frozen=True, eq=False)
class Layout:
    """The coordinates of a space in the order of its blocks, free axes first, each block in one piece.

    Attributes:
        order: the flat coordinate at each place, integers (size,).
        sources: the blocks, then the diagonals.
    """

    order: Tensor
    sources: tuple[Source, ...]


@lru_cache(maxsize=64)
def layout(space: WeightSpace) -> Layout:
    """The layout of ``space``.

    Raises:
        SpaceError: where a dim is on more axes of a parameter than layers have maps for.
    """
    roles = {p.name: p.role for p in space.parameters}
    blocks: list[Source] = []
    diagonals: list[Source] = []
    order, start = [], 0
    for block in space.blocks():
        key = roles[block.parameter] + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else "")
        free = _axes(space, block)
        _check_repeats(block, free)
        fixed = [p for p in range(len(block.occurrences)) if p not in free]
        index = space.block_index(block).permute((*free, *fixed))
        order.append(index.flatten())
        for same in _coinciding(space, block, free):
            (blocks if not same else diagonals).append(_source(space, block, key, free, fixed, same, start))
        start += index.numel()
    return Layout(torch.cat(order), (*blocks, *diagonals))


def _axes(space: WeightSpace, block: Block) -> list[int]:
    """Places of free dims, and of fixed ones that these are within: they are axes of their own."""
    places = [p for p, o in enumerate(block.occurrences) if space.dim(o.dim).free]
    return sorted({p for place in places for p in (*outer_places(space, block, place), place)})


def _check_repeats(block: Block, axes: list[int]) -> None:
    names = [block.occurrences[place].dim for place in axes]
    for name in names:
        if names.count(name) > REPEATS:
            raise SpaceError(
                f"parameter {block.parameter!r} has dim {name!r} {names.count(name)} times; equivariant layers take "
                f"it at most {REPEATS} times"
            )


Same = tuple[tuple[int, int], ...]
"""Pairs of places of a block whose elements are equal there, the first of each kept."""


def _coinciding(space: WeightSpace, block: Block, free: list[int]) -> Iterator[Same]:
    """Every way in which elements of repeated free dims may coincide: none first; inner dims only as their outer do."""
    pairs = [(a, b) for a, b in combinations(free, 2) if block.occurrences[a].dim == block.occurrences[b].dim]
    for count in range(len(pairs) + 1):
        for same in combinations(pairs, count):
            firsts, seconds = {a for a, _ in same}, {b for _, b in same}
            stars = len(seconds) == len(same) and not firsts & seconds
            if stars and all(_outer_coincide(space, block, same, pair) for pair in same):
                yield same


def _outer_coincide(space: WeightSpace, block: Block, same: Same, pair: tuple[int, int]) -> bool:
    found = zip(*(outer_places(space, block, place) for place in pair), strict=True)
    return all(a == b or (min(a, b), max(a, b)) in same for a, b in found)


def _source(
    space: WeightSpace, block: Block, key: str, free: list[int], fixed: list[int], same: Same, start: int
) -> Source:
    dropped = {b: a for a, b in same}
    kept = [place for place in free if place not in dropped]
    names = [o.dim for o in block.occurrences]
    outers = [[dropped.get(p, p) for p in outer_places(space, block, place)] for place in kept]
    outer = tuple(next((kept.index(p) for p in reversed(found) if p in kept), -1) for found in outers)
    sizes = [space.dim(names[place]).size for place in kept]
    shape = (*sizes, prod(space.dim(names[place]).size for place in fixed))
    rows = None
    if same:
        grid = [space.dim(names[place]).size for place in free]
        places = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij")
        number = torch.zeros(shape, dtype=torch.long)
        for size, place in zip(grid, free, strict=True):
            number = number * size + places[kept.index(dropped.get(place, place))]
        rows = start + (number * shape[-1] + places[-1]).flatten()
    marks = "".join(f"[{free.index(a)}={free.index(b)}]" for a, b in same)
    fixed_names = tuple(names[place] for place in fixed)
    dims = tuple(names[place] for place in kept)
    return Source(
        key + marks, dims, outer, fixed_names, shape, -1 if same else start, rows, _quotients(shape, outer, bool(fixed))
    )


def _quotients(shape: tuple[int, ...], outer: tuple[int, ...], fixed: bool) -> tuple[Quotient, ...]:
    """All sets of axes that hold the outer axis of each, the largest first; without fixed dims, no axis for them."""
    axes = range(len(shape) if fixed else len(shape) - 1)
    closed = [
        kept
        for count in reversed(range(len(axes) + 1))
        for kept in combinations(axes, count)
        if all(a >= len(outer) or outer[a] < 0 or outer[a] in kept for a in kept)
    ]
    size = {kept: prod(shape[a] for a in kept) for kept in closed}
    found: list[Quotient] = []
    for kept in closed:
        above = [k for k in closed if set(kept) < set(k)]
        if not above:
            found.append(Quotient(kept, -1, (), 1))
            continue
        parent = min(above, key=lambda k: size[k])
        pooled = tuple(place for place, axis in enumerate(parent) if axis not in kept)
        found.append(Quotient(kept, closed.index(parent), pooled, size[parent] // size[kept]))
    return tuple(found)
