"""`Scale`: weights in units of their orbit's deviation, over networks of several spaces."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsframework.models.given import Given
from wsframework.models.orbit_places import OrbitPlaces
from wsframework.spaces import WeightSpace


class Scale(nn.Module):
    """``(w_j - mu_k) / sigma_k`` for a coordinate j of orbit k, whose mean and deviation all spaces share."""

    mean: Tensor
    std: Tensor

    def __init__(self, places: OrbitPlaces) -> None:
        super().__init__()
        self.places = places
        self.register_buffer("mean", torch.zeros(len(places)))
        self.register_buffer("std", torch.ones(len(places)))

    def fit(self, given: Given) -> None:
        """Means and deviations over all networks; an orbit that never varies is left unscaled."""
        count, total, square = torch.zeros(3, len(self.places), dtype=torch.float64)
        for part in given.parts:
            index = self.places.of(part.space, torch.device("cpu"))
            for x in (piece.cpu().double() for piece in part.pieces()):
                count.index_add_(0, index, torch.full_like(x[0], len(x)))
                total.index_add_(0, index, x.sum(0))
                square.index_add_(0, index, x.square().sum(0))
        mean = total / count
        std = (square / count - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6 * mean.abs(), std, torch.ones_like(std)))

    def forward(self, x: Tensor, space: WeightSpace) -> Tensor:
        """x (batch, size) to its like."""
        index = self.places.of(space, x.device)
        return (x - self.mean[index]) / self.std[index]
