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

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from wsframework.tracing.facts import Facts

Ints = NDArray[np.int64]
Pair = tuple[Ints, Ints]
_NONE: Ints = np.zeros(0, dtype=np.int64)
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Freedom:
    """A dim that was found: ``size`` elements, within each element of ``within``.

    One that isn't ``free`` only tells others apart that are within it.
    """

    number: int
    size: int
    within: int | None
    free: bool = True


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
    coordinates: list[dict[int, int]]
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
        self.mark = _hashed(sets)
        for number, mark in enumerate(facts.marks):
            self.note(mark.atoms.numpy(), mark.values.numpy(), number)
        self.same = _once(facts.unions)
        self.arrows = _once(facts.arrows)

    def note(self, atoms: Ints, values: Ints, number: int) -> None:
        """One more invariant."""
        np.add.at(self.mark, atoms, _hashed(_hashed(values) ^ _salt(number)))

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
            element = connected_components(graph, directed=False)[1].astype(np.int64)
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
        colour = _numbered(self.mark)
        pairs = [*self.same, *self.arrows]
        while True:
            own = _hashed(colour)
            members = np.zeros(int(element.max(initial=-1)) + 1, dtype=np.uint64)
            np.add.at(members, element, own)
            new = _hashed(self.mark ^ _hashed(own)) + _hashed(members)[element]
            for number, (source, target) in enumerate(pairs):
                np.add.at(new, source, _hashed(own[target] ^ _salt(2 * number)))
                np.add.at(new, target, _hashed(own[source] ^ _salt(2 * number + 1)))
            refined = _numbered(new)
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
                fine, coarse = _distinct(element[s], element[t])
                if len(np.unique(coarse)) < len(fine):
                    maps.setdefault(fine.tobytes(), []).append((fine, coarse))
                elif (fine != coarse).any():
                    found.append((s, t))
        atom = np.zeros(int(element.max(initial=-1)) + 1, dtype=np.int64)
        atom[element] = np.arange(len(element))
        for same in maps.values():
            for (_, first), (_, second) in pairwise(same):
                a, b = _distinct(first, second)
                if (a != b).any() and len(a) == len(np.unique(a)) == len(np.unique(b)):
                    found.append((atom[a], atom[b]))
        self.same += found
        return bool(found)

    def coordinates(self, element: Ints, atom_colour: Ints) -> Solution | None:
        """Orbits, and the dims that they need."""
        count = int(element.max(initial=-1)) + 1
        members_ = np.zeros(count, dtype=np.uint64)
        np.add.at(members_, element, _hashed(atom_colour))
        colour = _numbered(members_)
        arrows = [_distinct(element[s], element[t]) for s, t in self.arrows]
        arrows = [(s[s != t], t[s != t]) for s, t in arrows]
        members: list[list[int]] = [[] for _ in range(int(colour.max(initial=-1)) + 1)]
        first_atom = np.full(count, self.size, dtype=np.int64)
        np.minimum.at(first_atom, element, np.arange(self.size))
        for e in np.argsort(first_atom):
            members[colour[e]].append(int(e))
        parents: dict[int, dict[int, set[int]]] = {}
        for source, target in arrows:
            for s, t in zip(source.tolist(), target.tolist(), strict=True):
                parents.setdefault(s, {}).setdefault(int(colour[t]), set()).add(t)
        dims: list[Freedom] = []
        places: list[dict[int, int]] = [{} for _ in range(count)]
        above = {o: {p for e in m for p in parents.get(e, {})} for o, m in enumerate(members)}
        for orbit in _outer_first({o: above[o] for o in sorted(above, key=lambda o: first_atom[members[o][0]])}):
            problem = self._place(members[orbit], parents, places, dims)
            if problem:
                bad = [t for e in members[orbit] for ts in parents.get(e, {}).values() for t in ts]
                self.fix(np.flatnonzero(np.isin(element, np.array(bad + members[orbit]))))
                return None
        return Solution(element, atom_colour, colour, places, dims)

    def _place(
        self,
        members: list[int],
        parents: dict[int, dict[int, set[int]]],
        places: list[dict[int, int]],
        dims: list[Freedom],
    ) -> bool:
        """Give the elements of one orbit their coordinates; True where they have none that can be written."""
        if len(members) == 1:
            return False
        inherited: list[dict[int, int]] = []
        for e in members:
            own: dict[int, int] = {}
            for targets in parents.get(e, {}).values():
                for t in targets:
                    for dim, index in places[t].items():
                        if own.setdefault(dim, index) != index:
                            return True
            inherited.append(own)
        names = sorted(inherited[0])
        tuples = [tuple(own[d] for d in names) for own in inherited if sorted(own) == names]
        full = int(np.prod([dims[d].size for d in names]))
        fibre = len(members) // full
        counts = Counter(tuples)
        if len(tuples) != len(members) or len(counts) != full or set(counts.values()) != {fibre}:
            return True
        if fibre > 1:
            if any(dims[d].within != (names[k - 1] if k else None) for k, d in enumerate(names)):
                return True
            dims.append(Freedom(len(dims), fibre, names[-1] if names else None))
            seen: dict[tuple[int, ...], int] = {}
            for own, key in zip(inherited, tuples, strict=True):
                own[dims[-1].number] = seen.get(key, 0)
                seen[key] = seen.get(key, 0) + 1
        for e, own in zip(members, inherited, strict=True):
            places[e] = own
        return False


def _outer_first(above: dict[int, set[int]]) -> list[int]:
    """Orbits in an order in which what they map to comes first."""
    order: list[int] = []
    done: set[int] = set()
    while len(done) < len(above):
        ready = [o for o in above if o not in done and above[o] <= done]
        if not ready:  # maps in a circle
            ready = [next(o for o in above if o not in done)]
        order += ready
        done |= set(ready)
    return order


def _hashed(values: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Numbers that depend on all bits of the given ones (a finaliser of splitmix64)."""
    x = values.astype(np.uint64) + _MIX
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _numbered(values: NDArray[np.integer]) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _salt(number: int) -> np.uint64:
    """For the invariant ``number``: hashed twice, so that it never cancels the hash of a value."""
    return _hashed(_hashed(np.array([number])))[0]


def _once(pairs: list[tuple[Tensor, Tensor]]) -> list[Pair]:
    """Pairs of arrays, each once."""
    kept: dict[tuple[bytes, bytes], Pair] = {}
    for first, second in pairs:
        a, b = first.numpy(), second.numpy()
        kept.setdefault((a.tobytes(), b.tobytes()), (a, b))
    return list(kept.values())


def _distinct(first: Ints, second: Ints) -> tuple[Ints, Ints]:
    pairs = np.unique(np.stack([first, second]), axis=1)
    return pairs[0], pairs[1]
