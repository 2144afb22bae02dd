"""`Bar`: how near to a zoo, and to one network of it alone, networks that are no copies hardly ever are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from wsframework.audit.nearest import Nearest

TAIL = 0.01
"""The share of the zoo's own networks that lie below the bar, at most; one of them, where there are few."""
ALONE = 0.5
"""Where the nearest is nearer than this part of the second nearest, it may be the source; for pictures, Gu et al. 2023
(arXiv:2310.02664) take a third."""
EXACT = 1e-3
"""Distances below this part of the largest that a network of the zoo has are those of the same network."""


@dataclass(frozen=True)
class Bar:
    """Two thresholds, each an order statistic of the zoo's own networks, themselves left out.

    Attributes:
        distance: a network nearer to the zoo than that is *near*.
        ratio: where the nearest is nearer than that part of the second nearest, it is *alone*; at most `ALONE`.
        exact: a network that is no farther than that from one of the zoo is that one, alone or not.
        peers: of how many networks of the zoo these are.
        rank: the number of the order statistic, from 1.
        duplicates: of the zoo's networks, how many were left aside as they have a double in it.
    """

    distance: float
    ratio: float
    exact: float
    peers: int
    rank: int
    duplicates: int

    @classmethod
    def of(cls, peers: Nearest) -> Bar:
        """That of the zoo's own networks."""
        exact = EXACT * peers.distance.max().item() if len(peers.distance) else 0.0
        kept = peers.distance > exact
        count = int(kept.sum())
        rank = min(max(1, int(TAIL * count)), max(count, 1))
        distance, ratio = (_statistic(values[kept], rank) for values in (peers.distance, peers.ratio))
        return cls(distance, min(ratio, ALONE), exact, count, rank, len(kept) - count)

    def near(self, found: Nearest) -> Tensor:
        """Which networks lie nearer to the zoo than its own do, (networks,)."""
        return found.distance < self.distance

    def copies(self, found: Nearest) -> Tensor:
        """Which of those lie near one network alone, (networks,)."""
        return self.near(found) & ((found.ratio < self.ratio) | (found.distance <= self.exact))

    def chance(self, count: int, networks: int) -> float:
        """How probable it is that ``count`` or more of so many networks pass, where they are like the zoo's own.

        Networks that are drawn alike fall below the order statistic ``rank`` of ``peers`` with a probability that
        has a beta distribution; how many of them do, a beta-binomial one.
        """
        if not self.peers:
            return 1.0
        return float(stats.betabinom.sf(count - 1, networks, self.rank, self.peers + 1 - self.rank))

    def least(self, networks: int, level: float) -> int | None:
        """The least count that is less probable than ``level``; None where none is."""
        return next((k for k in range(1, networks + 1) if self.chance(k, networks) < level), None)


def _statistic(values: Tensor, rank: int) -> float:
    return float(values.kthvalue(rank).values) if len(values) else -torch.inf
