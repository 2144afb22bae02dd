"""Wishes: where a parameter is used part by part, its other axes could be labelled separately for each part.

Neurons of a group of a convolution, or of an expert, move apart from those of the next; but the axis of the
parameter that they stand on begins with one label for all parts. What treats the parts separately says so here, and
the program is read once more.
"""

from __future__ import annotations

from itertools import permutations

import torch

from wsframework.tracing.facts import Facts, Wish
from wsframework.tracing.labels import Column, Labels


def used_in_parts(facts: Facts, labels: Labels, groups: int) -> None:
    """A tensor whose first axis is a batch of ``groups`` parts, or as many times as many."""
    for outer, parameter in _pairs(facts, labels):
        if outer[0].axes == (0,) and len(outer[1].axes) == 1 and (parts := _parts(outer[0], groups)):
            facts.wishes.add(Wish(*parameter, parts))


def merged(facts: Facts, labels: Labels) -> None:
    """A tensor whose first axis was merged with another (neurons of experts)."""
    for (outer, inner), parameter in _pairs(facts, labels):
        if set(outer.axes) & set(inner.axes):
            facts.wishes.add(Wish(*parameter, _count(outer)))


def met(facts: Facts, labels: Labels, other: Labels) -> None:
    """A tensor (a bias of experts) that meets one whose neurons are labelled part by part."""
    for (outer, inner), parameter in _pairs(facts, labels):
        alone = len(outer.axes) == len(inner.axes) == 1
        if alone and any({*outer.axes, *inner.axes} <= {*column.axes} for column in other.columns):
            facts.wishes.add(Wish(*parameter, _count(outer)))


def _pairs(facts: Facts, labels: Labels) -> list[tuple[tuple[Column, Column], tuple[str, int]]]:
    """Columns of the first axis of a parameter and of another axis of it, with its name and that axis."""
    moving = [column for column in labels.columns if column.moves]
    origins = {id(column): facts.origin(int(column.atoms.max())) for column in moving}
    found = []
    for outer, inner in permutations(moving, 2):
        first, other = origins[id(outer)], origins[id(inner)]
        if isinstance(first, tuple) and isinstance(other, tuple) and first == facts.first(other[0]) != other:
            found.append(((outer, inner), other))
    return found


def _parts(column: Column, groups: int) -> int:
    """Into how many parts the atoms fall, where ``groups`` treat the positions apart; 0 where they fall into none.

    Where atoms recur (heads for each element of a batch), every one is a part.
    """
    count = _count(column)
    return groups if count % groups == 0 else count if groups % count == 0 else 0


def _count(column: Column) -> int:
    return len(torch.unique(column.atoms))
