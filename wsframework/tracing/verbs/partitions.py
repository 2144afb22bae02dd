"""Columns compared by what they tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from wsframework.tracing.labels import broadcast


def compare(first: Tensor, second: Tensor) -> Literal["same", "first", "second", "crossing"]:
    """Which of two columns is finer; ``crossing`` where neither is (on different axes, say)."""
    if not overlap(first, second):
        return "crossing"
    if first.shape == second.shape and torch.equal(first, second):
        return "same"
    left, right = (t.flatten() for t in broadcast(first, second))
    pairs, of_left, of_right = count(left, right), count(left), count(right)
    if pairs == of_left:
        return "same" if pairs == of_right else "first"
    return "second" if pairs == of_right else "crossing"


def count(*columns: Tensor) -> int:
    """The number of distinct tuples of entries of flat columns."""
    return int(codes(columns).max()) + 1


def codes(columns: Iterable[Tensor]) -> Tensor:
    """A number from 0 for each distinct tuple of entries of flat columns, at every position."""
    code = torch.zeros((), dtype=torch.long)
    for column in columns:
        values, back = torch.unique(column, return_inverse=True)
        code = torch.unique(code * len(values) + back, return_inverse=True)[1]
    return code


def overlap(first: Tensor, second: Tensor) -> bool:
    """Whether two columns vary along a common axis."""
    return any(a > 1 and b > 1 for a, b in zip(first.shape, second.shape, strict=True))


def common(columns: Sequence[Tensor]) -> Tensor:
    """For each position, the number of its part: labels of one part meet only labels of that part.

    It is what all of these flat columns tell, each on its own: the group of heads, say.
    """
    labels = [torch.unique(column, return_inverse=True)[1] for column in columns]
    starts = [sum(int(other.max()) + 1 for other in labels[:k]) for k in range(len(labels) + 1)]
    first = labels[0].repeat(len(labels) - 1)
    others = torch.cat([label + start for label, start in zip(labels[1:], starts[1:], strict=False)])
    meetings = coo_array((torch.ones(len(first)), (first, others)), shape=(starts[-1], starts[-1]))
    _, part = connected_components(meetings, directed=False)
    return torch.from_numpy(part).long()[labels[0]]
