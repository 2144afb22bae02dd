"""The paper's normalisation (section 3.1): every coordinate by its own mean and deviation over the zoo."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.parts.interfaces import WeightEncoder
from wsframework.spaces import WeightSpace


class Coordinate(WeightEncoder):
    """``(w_j - mu_j) / sigma_j`` for every coordinate j; breaks permutation equivariance, as in the paper."""

    name = "coordinate"
    paper = "Task-Conditioned Diffusion Models in Weight Space for Rapid Transfer, section 3.1"
    mean: Tensor
    std: Tensor

    def __init__(self, space: WeightSpace) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(space.size))
        self.register_buffer("std", torch.ones(space.size))

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """mu_j and sigma_j (with 1/N) over the networks; a coordinate that never varies is left unscaled."""
        self.mean.copy_(x.mean(0))
        std = x.std(0, correction=0)
        self.std.copy_(torch.where(std > 0, std, torch.ones_like(std)))

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """``(x - mu) / sigma``."""
        return (x - self.mean) / self.std

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """``z sigma + mu``."""
        return z * self.std + self.mean
