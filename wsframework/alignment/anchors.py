"""Where to begin: dims that fixed axes alone determine, then those that these determine, and so on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from wsframework.alignment.lines import Line, lines, within
from wsframework.alignment.pieces import chain, pieces
from wsframework.spaces import WeightSpace


@dataclass(frozen=True)
class Step:
    """A dim to place, with the dims within it, by the lines that only dims placed before stand beside."""

    dim: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Start:
    """The steps of a first pass; ``certain`` where each is determined, for generic weights, by those before."""

    steps: tuple[Step, ...]
    certain: bool


@lru_cache(maxsize=64)
def start(space: WeightSpace, counted: frozenset[str]) -> Start:
    """The order in which a first pass places the dims of ``space``, by the parameters ``counted``.

    Where the pass is `certain`, it takes g w to w exactly for generic w: every step solves exactly what remains.
    """
    placed = {d.name for d in space.dims if not d.free or not lines(space, counted, d.name, False)}
    steps, certain = [], True
    while waiting := _waiting(space, placed):
        found = next((step for step in (_step(space, counted, dim, placed) for dim in waiting) if step), None)
        if found is None:
            certain = False
            found = Step(waiting[0], lines(space, counted, waiting[0], True)), {waiting[0]}
        steps.append(found[0])
        placed |= found[1]
    return Start(tuple(steps), certain)


def _waiting(space: WeightSpace, placed: set[str]) -> list[str]:
    """The dims that could be placed next: all dims that they are within are."""
    names = [d.name for d in space.dims if d.name not in placed]
    return [name for name in names if all(d.name in placed for d in chain(space, name)[:-1])]


def _step(space: WeightSpace, counted: frozenset[str], dim: str, placed: set[str]) -> tuple[Step, set[str]] | None:
    """The step of ``dim``, and the dims that it places; None if nothing anchors it yet."""
    anchored = tuple(line for line in lines(space, counted, dim, True) if line.exact and _beside(space, line) <= placed)
    signed = _signed(space, counted, anchored)
    touched = {name for line in anchored for name in line.path}
    if dim not in touched & signed:
        return None
    return Step(dim, anchored), {dim, *(d.name for d in within(space, dim) if d.name in touched & signed)}


def _beside(space: WeightSpace, line: Line) -> set[str]:
    """The free dims of a line's piece that are not on the line."""
    piece = pieces(space)[line.piece]
    return {d.name for place, d in enumerate(piece.dims) if d.free and place not in line.places}


def _signed(space: WeightSpace, counted: frozenset[str], anchored: Iterable[Line]) -> set[str]:
    """The dims whose signs the lines determine: one after the other, by a line on which it alone is odd."""
    known = {d.name for d in space.dims if d.gauge != "sign" or not _is_odd(space, counted, d.name)}
    odd = [{name for name, p in zip(line.path, line.parity, strict=True) if p} for line in anchored]
    while found := {name for names in odd if len(names - known) == 1 for name in names - known}:
        known |= found
    return known


def _is_odd(space: WeightSpace, counted: frozenset[str], dim: str) -> bool:
    """Whether the sign of ``dim`` acts on any piece."""
    return any(line.parity[0] for line in lines(space, counted, dim, False))
