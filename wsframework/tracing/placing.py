"""Coordinates: the dims that the elements of each orbit need, and where each element stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from wsframework.tracing.hashing import Ints


@dataclass(frozen=True, eq=False)
class Freedom:
    """A dim that was found: ``size`` elements, within each element of ``within``.

    One that isn't ``free`` only tells others apart that are within it.
    """

    number: int
    size: int
    within: int | None
    free: bool = True


Place = dict[int, int]
"""The index of an element in each dim that it belongs to."""


class Entangled(Exception):
    """Elements that don't stand in all combinations of what they map to: no dims describe them."""

    def __init__(self, elements: Sequence[int]) -> None:
        super().__init__(elements)
        self.elements = elements


@dataclass(eq=False)
class Placing:
    """Dims and coordinates, orbit by orbit.

    Attributes:
        images: for each element, those that it maps to.
        places: the coordinates of each element; none where it is fixed.
    """

    images: Mapping[int, Sequence[int]]
    places: list[Place]
    dims: list[Freedom] = field(default_factory=list)

    def place(self, members: Sequence[int]) -> None:
        """Give the elements of one orbit their coordinates; all that they map to have theirs.

        Raises:
            Entangled: where there are none that can be written.
        """
        if len(members) == 1:
            return
        inherited = [self._inherited(e) for e in members]
        names = sorted(inherited[0])
        tuples = [tuple(place[d] for d in names) for place in inherited if place.keys() == inherited[0].keys()]
        fibre = self._fibre(len(members), names, Counter(tuples))
        if fibre is None or (fibre > 1 and not self._chain(names)):
            raise Entangled([*members, *(image for e in members for image in self.images.get(e, ()))])
        if fibre > 1:
            self._extend(inherited, tuples, Freedom(len(self.dims), fibre, names[-1] if names else None))
        for element, place in zip(members, inherited, strict=True):
            self.places[element] = place

    def _inherited(self, element: int) -> Place:
        """The coordinates of what an element maps to, together."""
        place: Place = {}
        for image in self.images.get(element, ()):
            for dim, index in self.places[image].items():
                if place.setdefault(dim, index) != index:
                    raise Entangled([element, *self.images[element]])
        return place

    def _fibre(self, count: int, names: Sequence[int], tuples: Counter[tuple[int, ...]]) -> int | None:
        """How many elements share each combination of coordinates; None where they are not equally many."""
        combinations = int(np.prod([self.dims[d].size for d in names]))
        fibre = count // combinations
        even = set(tuples.values()) == {fibre} and len(tuples) == combinations
        return fibre if even and fibre * combinations == count else None

    def _chain(self, names: Sequence[int]) -> bool:
        """Whether each dim is within the one before: another may be within the last."""
        return all(self.dims[d].within == (names[k - 1] if k else None) for k, d in enumerate(names))

    def _extend(self, places: list[Place], tuples: Sequence[tuple[int, ...]], dim: Freedom) -> None:
        """One more dim: elements of equal coordinates are numbered as they come."""
        self.dims.append(dim)
        seen: Counter[tuple[int, ...]] = Counter()
        for place, key in zip(places, tuples, strict=True):
            place[dim.number] = seen[key]
            seen[key] += 1


def outer_first(above: Mapping[int, set[int]]) -> list[int]:
    """Orbits, those first that others map to; in the given order as far as that goes."""
    order: list[int] = []
    left = dict(above)
    while left:
        ready = [o for o in left if not left[o] & left.keys()] or [next(iter(left))]
        order += ready
        for orbit in ready:
            del left[orbit]
    return order


def members_of(orbit: Ints, order: Ints) -> list[list[int]]:
    """The elements of each orbit, in the given order."""
    members: list[list[int]] = [[] for _ in range(int(orbit.max(initial=-1)) + 1)]
    for element in order.tolist():
        members[orbit[element]].append(element)
    return members
