"""Sums of products, nested as the notation has them, of dims that have numbers but no names yet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Factor:
    """A dim that was found, by number; or a fixed one of ``size``, where there is no number."""

    dim: int | None
    size: int

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Itself."""
        return (self,)

    @property
    def covers(self) -> Tensor:
        """That it covers all its positions, booleans (1, size)."""
        return torch.ones(1, self.size, dtype=torch.bool)


Term = tuple["Factor | Sum", ...]


@dataclass(frozen=True)
class Sum:
    """Products one after the other, each row major, of dims and of further sums."""

    terms: tuple[Term, ...]

    @property
    def size(self) -> int:
        """The number of positions."""
        return sum(math.prod(factor.size for factor in term) for term in self.terms)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Every dim, as often as it occurs, from left to right."""
        return tuple(inner for term in self.terms for factor in term for inner in factor.factors)

    @property
    def covers(self) -> Tensor:
        """For each of ``factors``, which positions belong to it, booleans (factors, size)."""
        covers: Tensor = torch.block_diag(*map(_covers, self.terms))  # type: ignore[no-untyped-call]
        return covers


def _covers(term: Term) -> Tensor:
    """The same of a product."""
    before, after = 1, math.prod(factor.size for factor in term)
    rows = []
    for factor in term:
        after //= factor.size
        rows.append(factor.covers.repeat_interleave(after, dim=1).tile(before))
        before *= factor.size
    return torch.cat(rows)
