"""Columns compared by what they tell apart."""

from __future__ import annotations

from collections.abc import Iterable
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


def common(first: Tensor, second: Tensor) -> tuple[int, Tensor, Tensor]:
    """What two flat columns both tell: how many parts there are such that labels of one part meet only each other
    (heads of one group, say), and the part of each distinct label of the first and of the second.
    """
    left_names, left = torch.unique(first, return_inverse=True)
    right_names, right = torch.unique(second, return_inverse=True)
    size = len(left_names) + len(right_names)
    meetings = coo_array((torch.ones(len(left)), (left, right + len(left_names))), shape=(size, size))
    parts, part = connected_components(meetings, directed=False)
    numbers = torch.from_numpy(part).long()
    return int(parts), numbers[: len(left_names)], numbers[len(left_names) :]
