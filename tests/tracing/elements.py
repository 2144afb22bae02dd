"""Elements of a group that was solved for, and what they do to labelled tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.tracing.labels import Labels
from wsframework.tracing.solving import Solution

Key = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Element:
    """A permutation of atoms.

    Attributes:
        image: of each atom.
    """

    image: Tensor

    def __call__(self, atoms: Tensor) -> Tensor:
        """Where atoms go; places stay."""
        return torch.where(atoms < 0, atoms, self.image[atoms.clamp(min=0)]) if len(self.image) else atoms


def random_element(solution: Solution, generator: torch.Generator) -> Element:
    """Elements go by their coordinates within their orbit, atoms to those of the same colour in the image."""
    permutations: dict[tuple[int, Key], list[int]] = {}

    def moved(coordinates: Mapping[int, int]) -> dict[int, int]:
        new = {}
        for dim, index in coordinates.items():
            key = dim, _outer(solution, dim, coordinates)
            if key not in permutations:
                permutations[key] = torch.randperm(solution.dims[dim].size, generator=generator).tolist()
            new[dim] = permutations[key][index]
        return new

    places = {(o, _sorted(c)): e for e, (o, c) in enumerate(_elements(solution))}
    goes = [places[orbit, _sorted(moved(c))] for orbit, c in _elements(solution)]
    atoms = {(int(e), int(c)): a for a, (e, c) in enumerate(zip(solution.element, solution.colour, strict=True))}
    assert len(atoms) == len(solution.element), "two atoms of one element have one colour"
    pairs = zip(solution.element, solution.colour, strict=True)
    return Element(torch.tensor([atoms[goes[e], int(c)] for e, c in pairs], dtype=torch.long))


def _elements(solution: Solution) -> list[tuple[int, dict[int, int]]]:
    return [(int(o), c) for o, c in zip(solution.orbit, solution.coordinates, strict=True)]


def _outer(solution: Solution, dim: int, coordinates: Mapping[int, int]) -> Key:
    within = solution.dims[dim].within
    return () if within is None else (*_outer(solution, within, coordinates), coordinates[within])


def _sorted(coordinates: Mapping[int, int]) -> Key:
    return tuple(number for pair in sorted(coordinates.items()) for number in pair)


def sizes(solution: Solution) -> list[Key]:
    """The free dims, each with the sizes of those that it is within, sorted."""
    found = []
    for dim in solution.dims:
        chain, at = [dim.size], dim.within
        while at is not None:
            chain.append(solution.dims[at].size)
            at = solution.dims[at].within
        found.append(tuple(chain))
    return sorted(found)


def act(element: Element, labels: Labels, value: Tensor) -> Tensor:
    """A tensor moved, whose labels tell all its positions apart."""
    there = {key: position for position, key in enumerate(_keys(labels))}
    assert len(there) == value.numel(), "labels don't tell positions apart"
    image = torch.tensor([there[key] for key in _keys(labels, element)], dtype=torch.long)
    result = torch.empty_like(value).flatten()
    result[image] = value.flatten()
    return result.reshape(value.shape)


def assert_moved(element: Element, labels: Labels, before: Tensor, after: Tensor) -> None:
    """Demand that ``after`` is ``before`` moved: whatever is labelled as the image of a position has its value."""
    assert labels.shape == tuple(before.shape) == tuple(after.shape)
    there: dict[Key, list[int]] = {}
    for position, key in enumerate(_keys(labels)):
        there.setdefault(key, []).append(position)
    pairs = []
    for position, key in enumerate(_keys(labels, element)):
        assert key in there, f"nothing is labelled as the image of position {position}"
        pairs += [(position, other) for other in there[key]]
    first, second = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    torch.testing.assert_close(after.flatten()[second], before.flatten()[first], rtol=1e-6, atol=1e-9, equal_nan=True)


def _keys(labels: Labels, element: Element | None = None) -> list[Key]:
    """The labels of each position, moved by ``element``."""
    size = labels.size
    columns = [(c.atoms if element is None else element(c.atoms)).expand(labels.shape) for c in labels.columns]
    if not columns:
        return [()] * size
    return [tuple(key) for key in torch.stack([c.flatten() for c in columns], 1).tolist()]
