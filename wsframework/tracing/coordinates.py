"""Where the elements of a traced module stand in the dims of a space, stated or found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import Block, Dim, WeightSpace
from wsframework.spaces.axis import Axis, parts
from wsframework.spaces.symmetry import outer_places
from wsframework.tracing.facts import Facts
from wsframework.tracing.forms import Forms, Unknown
from wsframework.tracing.hashing import Ints, distinct
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.solving import Solution


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The index of each atom in each dim.

    Attributes:
        dims: those that are free, and those that such dims are within, an outer one first.
        index: (atoms, dims); -1 where an atom does not belong to a dim.
    """

    dims: tuple[Dim, ...]
    index: Tensor

    @classmethod
    def of(cls, space: WeightSpace, labels: Mapping[str, Labels], facts: Facts, solution: Solution) -> Coordinates:
        """What the axes of parameters say in the notation of ``space``, carried to all atoms by the facts.

        Raises:
            SpaceError: where what the module moves as one has two places in a dim.
        """
        dims = _telling(space)
        index = np.full((int(solution.element.max(initial=-1)) + 1, len(dims)), -1, dtype=np.int64)
        columns = {d.name: column for d, column in zip(dims, index.T, strict=True)}
        unclear: list[tuple[str, Ints]] = []  # what doesn't move may be one element for several parts
        for block in space.blocks():
            for atoms, dim, places in _stated(space, block, labels.get(block.parameter)):
                if dim not in columns or _placed(columns[dim], solution.element[atoms], places):
                    continue
                if space.dim(dim).free:
                    raise SpaceError(
                        f"dim {dim!r} of the space, at {block.parameter!r}, doesn't move what the module moves as "
                        "one: this is the space of another module"
                    )
                unclear.append((dim, solution.element[atoms]))
        for dim, elements in unclear:
            columns[dim][elements] = -1
        _carry(index, facts, solution)
        return cls(dims, torch.from_numpy(index[solution.element]))

    def at(self, atoms: Tensor) -> Tensor:
        """Those of ``atoms`` (any shape), -1 at places: (*shape, dims)."""
        return torch.where(atoms.unsqueeze(-1) >= 0, self.index[atoms.clamp(min=0)], -1)


def _telling(space: WeightSpace) -> tuple[Dim, ...]:
    """The free dims, and all that they are within."""
    names = {d.name for d in space.dims if d.free}
    for dim in reversed(space.dims):
        names |= {dim.within} if dim.within and dim.name in names else set()
    return tuple(d for d in space.dims if d.name in names)


def _placed(column: Ints, elements: Ints, places: Ints) -> bool:
    """Enter the ``places`` of ``elements`` into the column of their dim; whether all agree."""
    before = column[elements]
    column[elements] = places
    return bool(((before < 0) | (before == places)).all() and (column[elements] == places).all())


def _stated(space: WeightSpace, block: Block, labels: Labels | None) -> Iterator[tuple[Ints, str, Ints]]:
    """For each dim along each labelled axis of a block: atoms, and their indices in the dim."""
    axis_of = [axis for axis, term in enumerate(block.axes) for _ in term]
    for column in labels.columns if labels else ():
        seen = [axis in column.axes for axis in axis_of]
        sizes = [space.dim(o.dim).size if s else 1 for o, s in zip(block.occurrences, seen, strict=True)]
        atoms = _window(space, block, column.atoms, sizes).numpy()
        grids = np.indices(sizes)
        own = [place for place, axis in enumerate(axis_of) if axis == column.axes[-1]]
        for place in sorted({p for o in own for p in (*outer_places(space, block, o), o) if seen[p]}):
            yield atoms.flatten(), block.occurrences[place].dim, grids[place].flatten()


def _window(space: WeightSpace, block: Block, array: Tensor, sizes: Sequence[int]) -> Tensor:
    """The part of a column's array that a block occupies, one axis a dim, of these ``sizes``."""
    axes = next(p.axes for p in space.parameters if p.name == block.parameter)
    start, strides = array.storage_offset(), []
    for axis, term, length, stride in zip(axes, block.terms, array.shape, array.stride(), strict=True):
        part = parts(axis, lambda dim: space.dim(dim).size)[0][term]
        along = stride if length > 1 else 0  # the same all along the axis
        start += part.start * along
        strides += [step * along for step in part.strides]
    return array.as_strided(sizes, strides, start)


def _carry(index: Ints, facts: Facts, solution: Solution) -> None:
    """An element that others map to stands, in each dim, where all of these stand that have a place at all."""
    if not facts.arrows:
        return
    fine, coarse = (solution.element[torch.cat(side).numpy()] for side in zip(*facts.arrows, strict=True))
    fine, coarse = distinct(fine, coarse)
    while True:
        placed = (index[fine] >= 0).any(1)
        low, high = np.full_like(index, np.iinfo(np.int64).max), np.full_like(index, -1)
        np.minimum.at(low, coarse[placed], index[fine[placed]])
        np.maximum.at(high, coarse[placed], index[fine[placed]])
        new = (low == high) & (high >= 0) & (index < 0)
        if not new.any():
            return
        index[new] = high[new]


def with_signs(space: WeightSpace, labels: Mapping[str, Labels], forms: Forms) -> dict[str, Labels]:
    """Labels of the state, with the exponent of every sign of ``space`` as a form: that of its dim, by name."""
    axes = {p.name: [_forms_along(space, axis, forms) for axis in p.axes] for p in space.parameters}
    result = {}
    for name, given in labels.items():
        columns = [_signed(column, axes[name][column.axes[-1]]) if name in axes else column for column in given.columns]
        result[name] = Labels(given.shape, tuple(columns))
    return result


def _forms_along(space: WeightSpace, axis: Axis, forms: Forms) -> Tensor:
    """The number of the form at each place of an axis, (length,)."""
    found, length = parts(axis, lambda dim: space.dim(dim).size)
    along = torch.zeros(length, dtype=torch.long)
    for part in found:
        of_signs = [o for o in part.occurrences if space.dim(o.dim).gauge == "sign"]
        signs: dict[Unknown, Fraction] = {o.dim: Fraction(o.exponent) for o in of_signs}
        sizes = [space.dim(o.dim).size for o in part.occurrences]
        along.as_strided(sizes, part.strides, part.start).fill_(forms.number(signs))
    return along


def _signed(column: Column, along: Tensor) -> Column:
    """The column of an axis that has these forms along it."""
    shape = [-1 if axis == column.axes[-1] else 1 for axis in range(column.atoms.dim())]
    return Column(column.atoms, along.reshape(shape).expand(column.atoms.shape))
