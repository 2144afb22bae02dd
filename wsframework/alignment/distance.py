"""`quotient_distance`: how far networks are from one another, whatever the order of their neurons."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.alignment.balance import balance
from wsframework.alignment.matching import align
from wsframework.errors import SpaceError
from wsframework.spaces import Weights


def quotient_distance(a: Weights, b: Weights, *, generator: torch.Generator | None = None, restarts: int = 0) -> Tensor:
    """Euclidean distances between networks, each pair in its best alignment: float64 of shape (len(a), len(b)).

    The least distance over permutations and signs, between the scales of least norm (`canonical`) of both. What
    alignment finds is a local optimum, so the figure is an upper bound of that least distance; of the bounds
    from aligning a to b and b to a the smaller one is given, so that the distance is symmetric.

    Arguments:
        a, b: networks of one space; the same batch twice is allowed.
        generator, restarts: as in `align`.

    Raises:
        SpaceError: if the two have different spaces.
    """
    if a.space != b.space:
        raise SpaceError("distances are between networks of one weight space; these two differ")
    a, b = (first := _balanced(a)), first if b is a else _balanced(b)
    seed = 0 if generator is None else int(torch.randint(2**62, (), generator=generator))
    there = _one_way(a, b, generator, seed, restarts)
    return torch.minimum(there, there.T if a.x is b.x else _one_way(b, a, generator, seed, restarts).T)


def _one_way(a: Weights, b: Weights, generator: torch.Generator | None, seed: int, restarts: int) -> Tensor:
    """Distances (len(a), len(b)) of every a, aligned to one b after the other."""
    columns = []
    for row in b.x:
        random = generator and torch.Generator().manual_seed(seed)
        found = align(a, Weights(b.space, row.unsqueeze(0)), generator=random, restarts=restarts)
        columns.append(found.distances.after)
    return torch.stack(columns, 1) if columns else torch.zeros(len(a), 0, dtype=torch.float64)


def _balanced(weights: Weights) -> Weights:
    return Weights(weights.space, balance(weights.space, weights.x).act(weights.x))
