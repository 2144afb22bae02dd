"""What `align` and `match_activations` share: scales in balance before the match, those of the reference after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.alignment.balance import balance
from wsframework.alignment.descent import State
from wsframework.alignment.pieces import cut
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError
from wsframework.spaces import Symmetry, Weights

Match = Callable[[State], tuple[State, Tensor]]
"""From networks in balance to where they are aligned, and the sweeps that it took, (batch,)."""


@dataclass(frozen=True, eq=False)
class Distances:
    """Euclidean distances of networks from their reference, float64 of shape (batch,)."""

    before: Tensor
    after: Tensor


@dataclass(frozen=True, eq=False)
class Alignment:
    """Networks aligned to a reference.

    Attributes:
        weights: the aligned networks; each computes what it did.
        symmetries: one group element a network, ``symmetries[i].act(original) == aligned``.
        distances: from the reference, before and after.
        sweeps: how often dims were gone through until nothing changed, by network, (batch,); 0 where activations alone
            decided.
    """

    weights: Weights
    symmetries: tuple[Symmetry, ...]
    distances: Distances
    sweeps: Tensor


def brought(
    weights: Weights, reference: Weights | Mapping[str, Tensor], match: Match, counted: frozenset[str] | None = None
) -> Alignment:
    """Every network where ``match`` brings it, with the scales of the reference; ``counted`` as in `State.of`."""
    goal = reference_of(weights, reference)
    if not len(weights):
        none = torch.zeros(0, dtype=torch.float64)
        return Alignment(weights, (), Distances(none, none), none.long())
    scales, goal_scales = balance(weights.space, weights.x), balance(weights.space, goal)
    values, aims = _balanced(scales, weights.x), _balanced(goal_scales, goal)
    found, sweeps = match(State.of(weights.space, values, aims, counted))
    total = goal_scales.repeated(len(weights)).unscaled() @ found.so_far @ scales
    x = total.act(weights.x)
    distances = Distances(_distance(weights.x, goal), _distance(x, goal))
    return Alignment(Weights(weights.space, x), tuple(total[i] for i in range(len(x))), distances, sweeps)


def reference_of(weights: Weights, reference: Weights | Mapping[str, Tensor]) -> Tensor:
    """The reference's coordinates, (1 or batch, size)."""
    if not isinstance(reference, Weights):
        reference = Weights(weights.space, weights.space.flatten(reference).reshape(1, -1))
    if reference.space != weights.space:
        raise SpaceError("networks can only be aligned to a reference of their own weight space; these two differ")
    if len(reference) not in (1, len(weights)):
        raise SpaceError(
            f"{len(weights)} networks are aligned to one reference or to {len(weights)}; {len(reference)} were given"
        )
    return reference.x.to(weights.x)


def _balanced(scales: Symmetries, x: Tensor) -> list[Tensor]:
    """Pieces of weights in balance, in at least single precision."""
    return cut(scales.space, scales.act(x.detach().to(torch.promote_types(x.dtype, torch.float32))))


def _distance(x: Tensor, goal: Tensor) -> Tensor:
    distance: Tensor = torch.linalg.vector_norm((x.detach() - goal.detach()).double(), dim=-1)
    return distance
