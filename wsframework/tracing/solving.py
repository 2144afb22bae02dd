"""From facts to the group: which atoms are one element, which elements are free, and within what.

1. Atoms that are the same are put together in classes, the *elements*.
2. Colours are refined until elements of one colour can't be told apart by what is known of them (as in the
   Weisfeiler-Leman test): marks, the sets that their atoms come from, and the colours of what they map to and
   of what maps to them.
3. A map that is one to one within a colour adds nothing: both sides are one element (a kernel's tap to its
   channel, a column after a flatten to the channel it came from).
4. Each colour is an orbit. Its elements have coordinates: those of what they map to, and a number of their own
   where several map to one: a dim within another (a value within its head).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.hashing import Ints, distinct, hashed, numbered, salt, sums
from wsframework.tracing.placing import Entangled, Freedom, Place, Placing, members_of, outer_first

Pair = tuple[Ints, Ints]
_NONE: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Solution:
    """The group.

    Attributes:
        element: for each atom, its element.
        colour: for each atom, its colour: what invariants say of it.
        orbit: for each element, its orbit.
        coordinates: for each element, its index in each dim that it belongs to; none where it is fixed.
        dims: an outer dim before those within it.
    """

    element: Ints
    colour: Ints
    orbit: Ints
    coordinates: list[Place]
    dims: list[Freedom]


def solve(facts: Facts) -> Solution:
    """The largest group that the facts are known to allow."""
    problem = _Problem(facts)
    while True:
        solution = problem.attempt()
        if isinstance(solution, Solution):
            return solution


class _Problem:
    """Facts as arrays: the invariants of each atom, pairs of atoms that are the same, pairs of atom and image."""

    def __init__(self, facts: Facts) -> None:
        self.size = facts.size
        sets = np.zeros(facts.size, dtype=np.int64)
        for number, atoms in enumerate(facts.sets):
            sets[atoms.start : atoms.start + atoms.count] = number
        self.mark = hashed(sets)
        for number, mark in enumerate(facts.marks):
            self.note(mark.atoms.numpy(), mark.values.numpy(), number)
        self.same = _once(facts.unions)
        self.arrows = _once(facts.arrows)

    def note(self, atoms: Ints, values: Ints, number: int) -> None:
        """One more invariant."""
        np.add.at(self.mark, atoms, hashed(hashed(values) ^ salt(number)))

    def fix(self, atoms: Ints) -> None:
        """Nothing moves these."""
        self.note(atoms, atoms, -1)

    def attempt(self) -> Solution | None:
        """The solution; None where more had to be fixed, or put together, and it takes another try."""
        element = self.elements()
        colour = self.refined(element)
        if (extra := self.collisions(element, colour)) is not None:
            self.fix(extra)
            return None
        if self.merged(element, colour):
            return None
        return self.coordinates(element, colour)

    def elements(self) -> Ints:
        """Classes of the same atoms; what one element maps to is one element, too."""
        while True:
            first, second = (np.concatenate(p) for p in zip(*self.same, strict=True)) if self.same else (_NONE, _NONE)
            graph = coo_array((np.ones(len(first)), (first, second)), shape=(self.size, self.size))
            element: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
            found = []
            for source, target in self.arrows:
                key, at = np.unique(element[source], return_inverse=True)
                one = np.zeros(len(key), dtype=np.int64)
                one[at] = target
                differ = element[one[at]] != element[target]
                if differ.any():
                    found.append((one[at][differ], target[differ]))
            if not found:
                return element
            self.same += found

    def refined(self, element: Ints) -> Ints:
        """Stable colours of atoms: no invariant tells two of one colour apart."""
        colour = numbered(self.mark)
        pairs = [*self.same, *self.arrows]
        while True:
            own = hashed(colour)
            members = sums(element, own, int(element.max(initial=-1)) + 1)
            new = hashed(self.mark ^ hashed(own)) + hashed(members)[element]
            for number, (source, target) in enumerate(pairs):
                np.add.at(new, source, hashed(own[target] ^ salt(2 * number)))
                np.add.at(new, target, hashed(own[source] ^ salt(2 * number + 1)))
            refined = numbered(new)
            if refined.max(initial=0) == colour.max(initial=0):
                return refined
            colour = refined

    def collisions(self, element: Ints, colour: Ints) -> Ints | None:
        """Elements that hold two atoms of one colour: some map of a set to itself. All their atoms."""
        _, back, counts = np.unique(np.stack([element, colour]), axis=1, return_inverse=True, return_counts=True)
        bad = counts[back] > 1
        return np.flatnonzero(np.isin(element, element[bad])) if bad.any() else None

    def merged(self, element: Ints, colour: Ints) -> bool:
        """Put both sides of maps together that are one to one within a colour, and the images of equal maps."""
        found: list[Pair] = []
        maps: dict[bytes, list[Pair]] = {}
        for source, target in self.arrows:
            for c in np.unique(colour[source]):
                s, t = source[colour[source] == c], target[colour[source] == c]
                fine, coarse = distinct(element[s], element[t])
                if len(np.unique(coarse)) < len(fine):
                    maps.setdefault(fine.tobytes(), []).append((fine, coarse))
                elif (fine != coarse).any():
                    found.append((s, t))
        atom = np.zeros(int(element.max(initial=-1)) + 1, dtype=np.int64)
        atom[element] = np.arange(len(element))
        for same in maps.values():
            for (_, first), (_, second) in pairwise(same):
                a, b = distinct(first, second)
                if (a != b).any() and len(a) == len(np.unique(a)) == len(np.unique(b)):
                    found.append((atom[a], atom[b]))
        self.same += found
        return bool(found)

    def coordinates(self, element: Ints, colour: Ints) -> Solution | None:
        """Orbits, and the dims that they need."""
        count = int(element.max(initial=-1)) + 1
        orbit = numbered(sums(element, hashed(colour), count))
        first = np.full(count, self.size)
        np.minimum.at(first, element, np.arange(self.size))
        images = self.images(element)
        members = members_of(orbit, np.argsort(first))
        above = {o: {int(orbit[i]) for e in m for i in images.get(e, ())} for o, m in enumerate(members)}
        placing = Placing(images, [{} for _ in range(count)])
        try:
            for number in outer_first({o: above[o] for o in sorted(above, key=lambda o: first[members[o][0]])}):
                placing.place(members[number])
        except Entangled as error:
            self.fix(np.flatnonzero(np.isin(element, error.elements)))
            return None
        return Solution(element, colour, orbit, placing.places, placing.dims)

    def images(self, element: Ints) -> dict[int, list[int]]:
        """What each element maps to, itself aside."""
        found: dict[int, list[int]] = {}
        for source, target in self.arrows:
            fine, coarse = distinct(element[source], element[target])
            for s, t in zip(fine.tolist(), coarse.tolist(), strict=True):
                if s != t and t not in found.setdefault(s, []):
                    found[s].append(t)
        return {s: targets for s, targets in found.items() if targets}


def _once(pairs: list[tuple[Tensor, Tensor]]) -> list[Pair]:
    """Pairs of arrays, each once."""
    kept: dict[tuple[bytes, bytes], Pair] = {}
    for first, second in pairs:
        a, b = first.numpy(), second.numpy()
        kept.setdefault((a.tobytes(), b.tobytes()), (a, b))
    return list(kept.values())
