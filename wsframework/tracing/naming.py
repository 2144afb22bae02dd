"""The weight space itself: dims named after the layers that they belong to, fixed ones too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from wsframework.spaces import Axis, Dim, Occurrence, Parameter, WeightSpace
from wsframework.tracing.finding import Found
from wsframework.tracing.gauges import Place
from wsframework.tracing.sums import Factor, Sum


def space_of(found: Found, ties: Mapping[str, str], notes: tuple[str, ...]) -> WeightSpace:
    """The weight space that was found."""
    names = _Names(found)
    parameters = tuple(
        Parameter(name, tuple(names.axis(name, number, written) for number, written in enumerate(axes)), name)
        for name, axes in found.written.axes.items()
    )
    dims = (*names.free.values(), *names.fixed.values())
    return WeightSpace(dims, parameters, ties=tuple(sorted(ties.items())), notes=notes)


@dataclass(eq=False)
class _Names:
    """Dims by number, and the fixed ones by where they occur; each name is given once."""

    found: Found
    free: dict[int, Dim] = field(default_factory=dict)
    fixed: dict[tuple[str, int], Dim] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._common = _common_path(list(self.found.written.axes))
        uses = self.found.written.uses()
        outer = {dim.within for dim in self.found.solution.dims}
        for dim in self.found.solution.dims:
            if dim.number in uses or dim.number in outer:
                layer = self._layer(self._first_use(dim.number, uses))
                parts = dim.number in outer and dim.within is None
                name = self._new(f"{layer}_{self._kind(dim.number)}" if parts else layer)
                within = None if dim.within is None else self.free[dim.within].name
                gauge = self.found.gauges.get(dim.number)
                self.free[dim.number] = Dim(name, dim.size, dim.free, within, gauge)

    def _kind(self, dim: int) -> str:
        """What the parts of a layer are called: heads, where a product of matrices told them apart."""
        solution, sets = self.found.solution, self.found.reading.facts.sets
        origins = [s.origin for s in sets if solution.coordinates[solution.element[s.start]].keys() == {dim}]
        words = " ".join(o for o in origins if isinstance(o, str))
        return "heads" if any(word in words for word in ("attention", "matmul", "bmm")) else "groups"

    def _first_use(self, dim: int, uses: Mapping[int, list[Place]]) -> str:
        inner = [dim, *(d.number for d in self.found.solution.dims if d.within == dim)]
        places = [place for d in inner for place in uses.get(d, [])]
        order = list(self.found.written.axes)
        return min(places, key=lambda place: (order.index(place[0]), place[1:]))[0]

    def _new(self, wish: str) -> str:
        taken = {d.name for d in (*self.free.values(), *self.fixed.values())} | {"as"}
        numbered = (wish if number == 1 else f"{wish}_{number}" for number in count(1))
        return next(name for name in numbered if name not in taken)

    def _layer(self, parameter: str) -> str:
        """``encoder.layers.0.linear1.weight`` -> ``layers_0_linear1``, where all parameters are in ``encoder``."""
        path = re.sub(r"[._]?(weight|bias)$", "", parameter.removeprefix(self._common)) or "dim"
        word = re.sub(r"\W", "_", path)
        return word if re.match(r"[A-Za-z_]", word) else f"dim_{word}"

    def axis(self, parameter: str, number: int, written: Sum) -> Axis:
        """One axis of a parameter."""
        occurrences = (self._occurrence(f, (parameter, number, place)) for place, f in enumerate(written.factors))
        return _axis(written, occurrences)

    def _occurrence(self, factor: Factor, place: Place) -> Occurrence:
        if factor.dim is not None:
            return Occurrence(self.free[factor.dim].name, self.found.powers.get((factor.dim, place), 0))
        layer, axis = self._layer(place[0]), place[1]
        role = "tap" if axis > 1 else f"{layer}_{'in' if axis else 'out'}"
        key = (role, factor.size)
        if key not in self.fixed:
            self.fixed[key] = Dim(self._new(f"tap{factor.size}" if role == "tap" else role), factor.size, False)
        return Occurrence(self.fixed[key].name)


def _axis(written: Sum, occurrences: Iterator[Occurrence]) -> Axis:
    """The axis with these occurrences from left to right."""
    terms = ([next(occurrences) if isinstance(f, Factor) else _axis(f, occurrences) for f in t] for t in written.terms)
    return Axis(tuple(map(tuple, terms)))


def _common_path(names: list[str]) -> str:
    """The path that all parameters share, with its last dot."""
    split = [name.split(".")[:-1] for name in names]
    shared = 0
    while split and all(len(s) > shared + 1 and s[shared] == split[0][shared] for s in split):
        shared += 1
    return "".join(f"{word}." for word in split[0][:shared]) if split else ""
