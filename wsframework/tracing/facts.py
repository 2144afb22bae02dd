"""Facts: what a computation demands of the group, collected operator by operator, resolved at the end.

- ``same``: atoms a and b are one element, seen in two tensors; g moves them alike.
- ``maps``: a function f from atoms to atoms that g respects: ``f(g a) = g f(a)`` (a value's head, say).
- ``mark``: an invariant of atoms: g moves an atom only to one with the same mark.

All three only ever take freedom away, so that an operator is free to demand too much, never too little.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wsframework.tracing.forms import Forms


@dataclass(frozen=True)
class AtomSet:
    """Atoms ``start`` to ``start + count``, all distinct: the positions of an axis, or blocks of them."""

    start: int
    count: int
    origin: Hashable


@dataclass(frozen=True, eq=False)
class Mark:
    """An invariant: the value of each atom, and why it was demanded."""

    atoms: Tensor
    values: Tensor
    reason: str


@dataclass(frozen=True)
class Wish:
    """That an axis of a parameter were labelled separately for each of ``groups`` parts of its first axis.

    An operator expresses it that treats the parts separately, as a grouped convolution does.
    """

    parameter: str
    axis: int
    groups: int


@dataclass(eq=False)
class Facts:
    """The atoms so far, and what is known of them.

    Attributes:
        reason: the operator at work, in words; marks remember it.
        forms: the exponents of the gauge, and what is demanded of them.
        wishes: what would leave more freedom, on another reading.
    """

    forms: Forms
    reason: str = ""
    size: int = 0
    sets: list[AtomSet] = field(default_factory=list)
    unions: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    arrows: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    wishes: set[Wish] = field(default_factory=set)
    firsts: dict[str, tuple[str, int]] = field(default_factory=dict)

    def atoms(self, count: int, origin: Hashable) -> Tensor:
        """``count`` new atoms, all distinct."""
        self.sets.append(AtomSet(self.size, count, origin))
        self.size += count
        return torch.arange(self.size - count, self.size)

    def origin(self, atom: int) -> Hashable:
        """What an atom's set was made for; for axes of parameters: name and axis."""
        place = bisect_right(self.sets, atom, key=lambda s: s.start) - 1
        return self.sets[place].origin

    def first(self, parameter: str) -> tuple[str, int]:
        """The first axis of a parameter that has atoms, as the origin of these."""
        if parameter not in self.firsts:
            axes = (s.origin for s in self.sets if isinstance(s.origin, tuple) and s.origin[0] == parameter)
            self.firsts[parameter] = min(axes)
        return self.firsts[parameter]

    def same(self, first: Tensor, second: Tensor) -> None:
        """Atoms ``first[i]`` and ``second[i]`` are one; where one of them is a place, the other is fixed there."""
        for atoms, others in ((first, second), (second, first)):
            placed = (atoms >= 0) & (others < 0)
            self._meet(atoms[placed], others[placed])
        both = (first >= 0) & (second >= 0)
        if both.any():
            self.unions.append((first[both], second[both]))

    def maps(self, fine: Tensor, coarse: Tensor) -> None:
        """The function from atom ``fine[i]`` to ``coarse[i]`` is respected."""
        placed = (fine >= 0) & (coarse < 0)
        self._meet(fine[placed], coarse[placed])
        met = coarse[(fine < 0) & (coarse >= 0)]
        self._meet(met, met)
        both = (fine >= 0) & (coarse >= 0)
        if both.any():
            self.arrows.append((fine[both], coarse[both]))

    def mark(self, atoms: Tensor, values: Tensor) -> None:
        """Atom ``atoms[i]`` has the invariant ``values[i]``."""
        moved = atoms >= 0
        if moved.any():
            self.marks.append(Mark(atoms[moved], values[moved], self.reason))

    def _meet(self, atoms: Tensor, places: Tensor) -> None:
        reason = self.reason
        self.reason = f"meets what nothing moves, in {reason}"
        self.mark(atoms, places)
        self.reason = reason

    def fix(self, atoms: Tensor) -> None:
        """Nothing moves these."""
        self.mark(atoms, atoms)
