"""What counts how much in the denoising loss: times by their noise, and coordinates by their orbit."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.config.sections import TrainSection
from wsframework.prior import Prior
from wsframework.spaces import WeightSpace, orbits


class Weighing:
    """The mean of squared errors of what a denoiser of ``prior`` says, weighted as ``train`` asks for it."""

    def __init__(self, prior: Prior, train: TrainSection) -> None:
        self.prior, self.train = prior, train
        self.of_coordinates = by_orbit(prior.latent).to(prior.device) if train.average == "orbits" else None

    def loss(self, error: Tensor, t: Tensor) -> Tensor:
        """Of errors (batch, size) at times t (batch,)."""
        squares = error.square()
        if self.train.weighting == "min_snr":
            squares = squares * self.min_snr(t).unsqueeze(-1)
        if self.of_coordinates is not None:
            squares = squares * self.of_coordinates
        return squares.mean()

    def min_snr(self, t: Tensor) -> Tensor:
        """``min(SNR, gamma)``, ``SNR = alpha^2 / sigma^2``, on squared errors of x_0; here for those of the prediction.

        Hang et al. 2023, arXiv:2303.09556: ``min(SNR, gamma) / SNR`` for noise, ``min(SNR, gamma) / (SNR + 1)`` for v
        where the variance is preserved. An error of v is one of x_0 over sigma, as one of eps is over sigma / alpha.
        """
        alpha, sigma = self.prior.scheduler.alpha_sigma(t)
        gamma, predict = self.train.min_snr_gamma, self.prior.design.predict
        if predict == "epsilon":
            return (gamma * (sigma / alpha).square()).clamp(max=1)
        if predict == "v":
            return torch.minimum(alpha.square(), gamma * sigma.square())
        return (alpha / sigma).square().clamp(max=gamma)


def by_orbit(space: WeightSpace) -> Tensor:
    """Weights (size,) of mean 1 by which each orbit counts as much as any other, however many coordinates it has."""
    index = orbits(space).index
    sizes = torch.bincount(index)
    weights: Tensor = space.size / (len(sizes) * sizes[index].float())
    return weights
