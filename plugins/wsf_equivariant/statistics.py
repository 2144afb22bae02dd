"""`statistics`: how the weights of each layer are distributed."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsframework.parts.interfaces import Architecture, Features
from wsframework.parts.values import Least, Most
from wsframework.tasks import TaskShape


class Statistics(Features):
    """Mean, standard deviation and quantiles of every parameter: of a layer's weights, and of its biases.

    Gradient boosting on these is the baseline of its paper, and hard to beat. Scales and signs change them.

    Options:
        quantiles: which, from 0 (the least weight) to 1 (the greatest); between two weights, on a straight line.
    """

    name = "statistics"
    symmetry = "invariant"
    paper = "Unterthiner et al. 2020, arXiv:2002.11448"

    def __init__(
        self,
        architecture: Architecture,
        shape: TaskShape,
        *,
        quantiles: tuple[Annotated[float, Least(0), Most(1)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0),
    ) -> None:
        super().__init__()
        self.space, self.quantiles = architecture.space(shape), quantiles
        self.size = len(self.space.parameters) * (2 + len(quantiles))

    def forward(self, x: Tensor) -> Tensor:
        """Networks (batch, weights) to a mean, a deviation and the quantiles, parameter by parameter: (batch, size)."""
        return torch.cat([self._of(value.reshape(len(x), -1)) for value in self.space.unflatten(x).values()], 1)

    def _of(self, rows: Tensor) -> Tensor:
        """Of the weights (batch, n) of one parameter: (batch, 2 + quantiles)."""
        ordered = rows.sort(1).values  # sums in the order of size are the same for all orders of the neurons
        mean = ordered.mean(1, keepdim=True)
        variance = (ordered - mean).square().mean(1, keepdim=True)
        std = torch.where(variance > 0, variance, 1).sqrt() * (variance > 0)
        places = [q * (rows.shape[1] - 1) for q in self.quantiles]
        between = [ordered[:, int(p)].lerp(ordered[:, min(int(p) + 1, rows.shape[1] - 1)], p % 1) for p in places]
        return torch.cat([mean, std, *(value.unsqueeze(1) for value in between)], 1)
