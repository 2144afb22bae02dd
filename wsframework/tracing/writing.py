"""From the solution to the notation: every axis of every parameter as sums and products of dims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from torch import Tensor

from wsframework.tracing.factoring import Dims, expression
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.placing import Freedom
from wsframework.tracing.solving import Solution
from wsframework.tracing.sums import Factor, Sum, Term


@dataclass(frozen=True)
class Written:
    """Every axis of every parameter."""

    axes: Mapping[str, tuple[Sum, ...]]

    def uses(self) -> dict[int, list[tuple[str, int, int]]]:
        """For each dim, where it occurs: parameter, axis, and which of the axis's factors it is."""
        found: dict[int, list[tuple[str, int, int]]] = {}
        for name, axes in self.axes.items():
            for axis, written in enumerate(axes):
                for number, factor in enumerate(written.factors):
                    if factor.dim is not None:
                        found.setdefault(factor.dim, []).append((name, axis, number))
        return found

    def parallel(self) -> list[list[list[int]]]:
        """Dims that stand beside each other on an axis: tables with a row for each part of it, no dim in two rows."""
        found: list[list[list[int]]] = []
        for written in (axis for axes in self.axes.values() for axis in axes):
            for rows in (*_alone(written.terms), *_cut(written.terms)):
                distinct = {dim for row in rows for dim in row}
                if len(rows) > 1 and all(rows) and len(distinct) == sum(map(len, rows)) and rows not in found:
                    found.append(rows)
        return found


def _alone(terms: Sequence[Term]) -> Iterator[list[list[int]]]:
    """A part is a term that is one dim, as large as its neighbours."""
    for size, run in groupby(terms, key=lambda term: term[0].size if len(term) == 1 else None):
        if size is not None:
            yield [_dims([term]) for term in run]


def _cut(terms: Sequence[Term]) -> Iterator[list[list[int]]]:
    """A part is several terms, and all have as many."""
    for length in range(2, len(terms) // 2 + 1):
        if len(terms) % length == 0:
            yield [_dims(terms[start : start + length]) for start in range(0, len(terms), length)]


def _dims(terms: Sequence[Term]) -> list[int]:
    """The dims in these terms, each once."""
    dims = (factor.dim for term in terms for outer in term for factor in outer.factors)
    return list(dict.fromkeys(dim for dim in dims if dim is not None))


def write_axes(state: Mapping[str, Tensor], labels: Mapping[str, Labels], solution: Solution) -> Written:
    """All axes.

    Raises:
        Unwritable: naming the dims that some axis has in an order that can't be stated.
    """
    dims = [(dim.size, dim.free) for dim in solution.dims]
    axes = {
        name: tuple(_axis(name, value.shape, axis, labels.get(name), solution, dims) for axis in range(value.dim()))
        for name, value in state.items()
    }
    return Written(axes)


def _axis(name: str, shape: Sequence[int], axis: int, labels: Labels | None, solution: Solution, dims: Dims) -> Sum:
    column = next((c for c in labels.columns if c.axes[-1] == axis), None) if labels else None
    if labels is None or column is None:
        return Sum(((Factor(None, shape[axis]),),))
    rows = column.atoms.reshape(-1, shape[axis]).numpy()
    if len(column.axes) > 1:
        outer = _along(labels, next(c for c in labels.columns if c.axes == column.axes[:1]), solution)
        own = [_own((name, axis), atoms, given, solution) for atoms, given in zip(rows, outer, strict=True)]
    else:
        own = [_along(labels, column, solution)]
    found = [expression(o, _pattern(solution.colour[atoms]), dims) for o, atoms in zip(own, rows, strict=True)]
    if any(other != found[0] for other in found):
        raise Dependent((name, axis), [list(dict.fromkeys(d for c in row for d in c)) for row in own])
    return found[0]


class Dependent(Exception):
    """The dims along an axis that is labelled separately, by parts of the first axis, differ from part to part.

    Attributes:
        axis: the parameter, and its axis.
        rows: the dims of each row.
    """

    def __init__(self, axis: tuple[str, int], rows: list[list[int]]) -> None:
        super().__init__(axis)
        self.axis = axis
        self.rows = rows


def _along(labels: Labels, column: Column, solution: Solution) -> list[dict[int, int]]:
    """The coordinates of the positions along an axis; the fixed ones of what is labelled separately for each, too."""
    places = _places(column.atoms, solution)
    for other in labels.columns:
        if len(other.axes) > 1 and other.axes[:1] == column.axes:
            rows = zip(other.atoms.movedim(column.axes[0], 0), places, strict=True)
            places = [_fixed(row, solution) | place for row, place in rows]
    return places


def _places(atoms: Tensor, solution: Solution) -> list[dict[int, int]]:
    return [solution.coordinates[solution.element[a]] for a in atoms.flatten().tolist()]


def _fixed(atoms: Tensor, solution: Solution) -> dict[int, int]:
    """The part of a layer that these neurons are in, where parts can't be exchanged."""
    shared = set.intersection(*(set(place.items()) for place in _places(atoms, solution)))
    return {dim: index for dim, index in shared if not solution.dims[dim].free}


def _own(axis: tuple[str, int], atoms: np.ndarray, outer: dict[int, int], solution: Solution) -> list[dict[int, int]]:
    """Coordinates along an axis, without those that the outer axis gives."""
    coordinates = [solution.coordinates[e] for e in solution.element[atoms]]
    if any(d in c and c[d] != outer[d] for c in coordinates for d in outer):
        raise Dependent(axis, [])
    return [{d: i for d, i in c.items() if d not in outer} for c in coordinates]


def bundled(solution: Solution, rows: Sequence[Sequence[int]]) -> Solution | None:
    """Dims that stand beside each other, one (or more) a row, as one dim within a fixed one; None if they differ."""
    kinds = list(dict.fromkeys(tuple(row) for row in rows))
    sizes = {tuple((solution.dims[d].size, solution.dims[d].within) for d in kind) for kind in kinds}
    if (
        len(sizes) != 1
        or len({d for kind in kinds for d in kind}) < sum(map(len, kinds))
        or any(w is not None for s in sizes for _, w in s)
    ):
        return None
    outer = len(solution.dims)
    gone = {dim for kind in kinds for dim in kind}
    dims = [replace(d, free=d.free and d.number not in gone) for d in solution.dims]
    dims.append(Freedom(outer, len(kinds), None, free=False))
    place: dict[int, tuple[int, int]] = {}
    for slot, dim in enumerate(kinds[0]):
        dims.append(Freedom(len(dims), solution.dims[dim].size, outer))
        for k, kind in enumerate(kinds):
            place[kind[slot]] = (k, dims[-1].number)
    coordinates = []
    for old in solution.coordinates:
        new: dict[int, int] = {}
        for dim, index in old.items():
            if dim in place:
                new[outer] = place[dim][0]
            new[place[dim][1] if dim in place else dim] = index
        coordinates.append(new)
    return replace(solution, coordinates=coordinates, dims=dims)


def _pattern(colours: np.ndarray) -> np.ndarray:
    """Colours numbered as they come: the same for rows that are alike."""
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(int(c), len(seen)) for c in colours])
