"""From the solution to a `WeightSpace`: every axis in the notation, dims named after the layers that they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from wsframework.spaces import Axis, Dim, Occurrence, Parameter, WeightSpace
from wsframework.spaces.notation import Gauge
from wsframework.tracing.factoring import Factor, Term, expression
from wsframework.tracing.labels import Labels
from wsframework.tracing.solving import Freedom, Solution

Exponent = Callable[[str, int, int, int], int]
"""The exponent of a parameter (by name) at an axis, a term of it, and a dim there."""


@dataclass(frozen=True)
class Written:
    """The terms of every axis of every parameter."""

    terms: Mapping[str, tuple[tuple[Term, ...], ...]]

    def uses(self) -> dict[int, list[tuple[str, int, int]]]:
        """For each dim: the parameters, axes and terms in which it occurs."""
        found: dict[int, list[tuple[str, int, int]]] = {}
        for name, axes in self.terms.items():
            for axis, terms in enumerate(axes):
                for number, term in enumerate(terms):
                    for factor in term:
                        if factor.dim is not None:
                            found.setdefault(factor.dim, []).append((name, axis, number))
        return found


def write_axes(state: Mapping[str, Tensor], labels: Mapping[str, Labels], solution: Solution) -> Written:
    """The terms of all axes.

    Raises:
        Unwritable: naming the dims that some axis has in an order that can't be stated.
    """
    sizes = [dim.size for dim in solution.dims]
    terms = {
        name: tuple(_axis(value.shape, axis, labels.get(name), solution, sizes) for axis in range(value.dim()))
        for name, value in state.items()
    }
    return Written(terms)


def _axis(shape: Sequence[int], axis: int, labels: Labels | None, solution: Solution, sizes: list[int]) -> tuple[Term, ...]:
    column = next((c for c in labels.columns if c.axes[-1] == axis), None) if labels else None
    if column is None:
        return ((Factor(None, shape[axis]),),)
    rows = column.atoms.reshape(-1, shape[axis]).numpy()
    given = _outer(labels, column.axes[0], solution) if labels and len(column.axes) > 1 else [{}] * len(rows)
    own = [_own(atoms, outer, solution) for atoms, outer in zip(rows, given, strict=True)]
    found = [tuple(expression(o, _pattern(solution.colour[atoms]), sizes)) for o, atoms in zip(own, rows, strict=True)]
    if any(other != found[0] for other in found):
        raise Dependent([list(dict.fromkeys(d for c in row for d in c)) for row in own])
    return found[0]


class Dependent(Exception):
    """The labels of an axis differ from row to row: ``rows`` has the dims of each, or None where they don't fit."""

    def __init__(self, rows: list[list[int]] | None) -> None:
        super().__init__()
        self.rows = rows


def _outer(labels: Labels, axis: int, solution: Solution) -> list[dict[int, int]]:
    """The coordinates of the positions along another axis."""
    column = next(c for c in labels.columns if c.axes == (axis,))
    return [solution.coordinates[solution.element[a]] for a in column.atoms.flatten().tolist()]


def _own(atoms: np.ndarray, outer: dict[int, int], solution: Solution) -> list[dict[int, int]]:
    """Coordinates along an axis, without those that the outer axis gives."""
    coordinates = [solution.coordinates[e] for e in solution.element[atoms]]
    if any(d in c and c[d] != outer[d] for c in coordinates for d in outer):
        raise Dependent(None)
    return [{d: i for d, i in c.items() if d not in outer} for c in coordinates]


def bundled(solution: Solution, rows: Sequence[Sequence[int]]) -> Solution:
    """Dims that stand beside each other, one (or more) a row, become one dim within a fixed one.

    Raises:
        Dependent: where they are not alike.
    """
    kinds = list(dict.fromkeys(tuple(row) for row in rows))
    sizes = {tuple((solution.dims[d].size, solution.dims[d].within) for d in kind) for kind in kinds}
    if len(sizes) > 1 or len({d for kind in kinds for d in kind}) < sum(map(len, kinds)) or any(w is not None for s in sizes for _, w in s):
        raise Dependent(None)
    outer = len(solution.dims)
    dims = [*solution.dims, Freedom(outer, len(kinds), None, free=False)]
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


@dataclass(eq=False)
class Names:
    """Names of dims, each given once."""

    taken: set[str] = field(default_factory=set)
    fixed: dict[tuple[str, int], str] = field(default_factory=dict)

    def new(self, wish: str) -> str:
        """``wish``, or with a number after it."""
        name, count = wish, 1
        while name in self.taken or name == "as":
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name


def space_of(
    written: Written,
    solution: Solution,
    ties: Mapping[str, str],
    gauges: Mapping[int, Gauge],
    exponent: Exponent,
    notes: tuple[str, ...],
) -> WeightSpace:
    """The weight space: dims named, fixed ones too."""
    names = Names()
    uses = written.uses()
    outer = {dim.within for dim in solution.dims}
    dims: dict[int, Dim] = {}
    for dim in solution.dims:
        if dim.number in uses:
            layer = _layer(uses[dim.number][0][0])
            name = names.new(f"{layer}_groups" if dim.number in outer and dim.within is None else layer)
            within = None if dim.within is None else dims[dim.within].name
            dims[dim.number] = Dim(name, dim.size, dim.free, within, gauges.get(dim.number) if dim.free else None)
    fixed: dict[str, Dim] = {}
    parameters = []
    for name, axes in written.terms.items():
        parameters.append(
            Parameter(
                name,
                tuple(
                    Axis(
                        tuple(
                            tuple(
                                _occurrence(factor, dims, fixed, names, (name, axis, number), len(axes), exponent)
                                for factor in term
                            )
                            for number, term in enumerate(terms)
                        )
                    )
                    for axis, terms in enumerate(axes)
                ),
                name,
            )
        )
    return WeightSpace((*dims.values(), *fixed.values()), tuple(parameters), ties=tuple(sorted(ties.items())), notes=notes)


def _occurrence(
    factor: Factor,
    dims: dict[int, Dim],
    fixed: dict[str, Dim],
    names: Names,
    where: tuple[str, int, int],
    rank: int,
    exponent: Exponent,
) -> Occurrence:
    parameter, axis, number = where
    if factor.dim is not None:
        dim = dims[factor.dim]
        return Occurrence(dim.name, exponent(parameter, axis, number, factor.dim) if dim.gauge else 0)
    role = f"{_layer(parameter)}_{'out' if axis == 0 else 'in'}" if axis < 2 or rank == 2 else "tap"
    key = (role, factor.size)
    if key not in names.fixed:
        names.fixed[key] = names.new(f"tap_{factor.size}" if role == "tap" else role)
        fixed[names.fixed[key]] = Dim(names.fixed[key], factor.size, False)
    return Occurrence(names.fixed[key])


def _layer(parameter: str) -> str:
    """``encoder.layers.0.linear1.weight`` -> ``encoder_layers_0_linear1``."""
    path = re.sub(r"\.(weight|bias)$", "", parameter)
    word = re.sub(r"\W", "_", path)
    return word if re.match(r"[A-Za-z_]", word) else f"layer_{word}"
