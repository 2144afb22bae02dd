"""The nearest network of a zoo, whatever the order of neurons, their signs and scales."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.alignment import align
from wsframework.alignment.balance import balance
from wsframework.audit.invariants import sorted_orbits
from wsframework.errors import SpaceError
from wsframework.spaces import Weights

AT_ONCE = 2**23
"""Coordinates that are aligned in one batch."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """What is nearest to each of some networks; each (networks,).

    Attributes:
        distance: to the nearest network of the zoo, float64.
        second: to the second nearest.
        around: mean distance to all that it was aligned with.
        index: of the nearest.
        proven: whether the lower bounds of all networks that were not aligned exceed ``distance``.
    """

    distance: Tensor
    second: Tensor
    around: Tensor
    index: Tensor
    proven: Tensor

    @property
    def ratio(self) -> Tensor:
        """Of the two distances, from 0 to 1: near 0 where one network is by far the nearest; 1 where both are 0."""
        return torch.where(self.second > 0, self.distance / self.second, 1.0)


class Targets:
    """The networks of a zoo, ready to be searched.

    Each network that is looked for is aligned with as many ``candidates`` as are asked for: those whose
    `sorted_orbits` are nearest. A network that is left out lies at least as far away as its lower bound says.

    Raises:
        SpaceError: for fewer than two networks.
    """

    def __init__(self, zoo: Weights) -> None:
        if len(zoo) < 2:
            raise SpaceError(f"a zoo has a nearest network and a second one; this one has {len(zoo)}")
        self.weights = balanced(zoo)
        self.features = sorted_orbits(zoo.space, self.weights.x)

    def __len__(self) -> int:
        return len(self.weights)

    def nearest(self, weights: Weights, candidates: int) -> Nearest:
        """What is nearest to each of ``weights``.

        Raises:
            SpaceError: where they have another space than the zoo.
        """
        if weights.space != self.weights.space:
            raise SpaceError("samples and zoo have different weight spaces; only networks of one space are compared")
        found = balanced(weights)
        bounds = self._bounds(sorted_orbits(found.space, found.x))
        return self._nearest(found, bounds, candidates)

    def among(self, rows: Tensor, candidates: int) -> Nearest:
        """What is nearest to the zoo's own networks at ``rows`` (some,), themselves left out."""
        bounds = self._bounds(self.features[rows])
        bounds[torch.arange(len(rows)), rows] = torch.inf
        return self._nearest(Weights(self.weights.space, self.weights.x[rows]), bounds, candidates)

    def _bounds(self, features: Tensor) -> Tensor:
        """Lower bounds of the distances between features (networks, size) and the zoo: (networks, zoo)."""
        return torch.cdist(features, self.features, compute_mode="donot_use_mm_for_euclid_dist").double()

    def _nearest(self, found: Weights, bounds: Tensor, candidates: int) -> Nearest:
        count = min(max(candidates, 2), len(self))
        least, chosen = bounds.sort(1)
        distances = torch.where(least[:, :count].isinf(), torch.inf, self._distances(found.x, chosen[:, :count]))
        two, place = distances.topk(2, largest=False)
        beyond = least[:, count] if count < len(self) else torch.full((len(found),), torch.inf)
        index = chosen.gather(1, place[:, :1]).squeeze(1)
        around = torch.where(distances.isinf(), torch.nan, distances).nanmean(1)
        return Nearest(two[:, 0], two[:, 1], around, index, beyond >= two[:, 0])

    def _distances(self, x: Tensor, chosen: Tensor) -> Tensor:
        """Distances (networks, candidates) of each network x to those ``chosen`` for it, in their best alignment."""
        space, per = self.weights.space, chosen.shape[1]
        rows = torch.arange(len(x)).repeat_interleave(per)
        found = []
        for some in torch.split(torch.arange(len(rows)), max(1, AT_ONCE // space.size)):
            goal = Weights(space, self.weights.x[chosen.flatten()[some]])
            found.append(align(Weights(space, x[rows[some]]), goal).distances.after)
        return torch.cat(found).reshape(len(x), per) if found else torch.zeros(0, per, dtype=torch.float64)


def balanced(weights: Weights) -> Weights:
    """The same networks with the scales of least norm; in double precision, in which they are so to the last digit."""
    x = weights.x.detach().cpu().double()
    return Weights(weights.space, balance(weights.space, x).act(x))
