"""Batch normalisation, by kept statistics or by those of the inputs (Ioffe & Szegedy 2015, arXiv:1502.03167)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from einops import rearrange
from torch import Tensor, nn

from wsframework.spaces import WeightSpace

EPSILON = 1e-5
MOMENTUM = 0.1
KEPT = ("weight", "bias", "running_mean", "running_var")

Norm = Callable[[str, Tensor], Tensor]
"""Normalises images (points, networks * channels, height, width), given the name of the layer."""


class BatchNorm(nn.Module):
    """``(x - mean) / sqrt(var + 1e-5) * weight + bias`` for each channel.

    It keeps a running mean and a running biased variance, and no counter. A variance below zero, as a sampled one may
    be, counts as zero.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) to the same shape; in training by the statistics of x."""
        if not self.training:
            kept = self.running_mean, self.running_var.clamp(min=0)
            return torch.batch_norm(x, self.weight, self.bias, *kept, False, 0.0, EPSILON, False)
        with torch.no_grad():
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
            self.running_mean.lerp_(mean, MOMENTUM)
            self.running_var.lerp_(variance, MOMENTUM)
        return normalised(x, self.weight, self.bias)


def normalised(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Each channel of x (points, channels, height, width) by its own statistics."""
    return torch.batch_norm(x, weight, bias, None, None, True, 0.0, EPSILON, False)


def normalised_by(x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Each channel of x (points, channels, height, width) by given statistics, which have gradients like all else."""
    scale = weight * torch.rsqrt(variance.clamp(min=0) + EPSILON)
    shift = bias - mean * scale
    return x * rearrange(scale, "c -> c 1 1") + rearrange(shift, "c -> c 1 1")


def by_kept(parameters: Mapping[str, Tensor]) -> Norm:
    """After training: by what each network keeps, parameters (networks, *)."""
    return lambda name, h: normalised_by(h, *(parameters[f"{name}.{kind}"].flatten() for kind in KEPT))


def by_inputs(parameters: Mapping[str, Tensor]) -> Norm:
    """In training: by the statistics of what comes in."""
    return lambda name, h: normalised(h, *(parameters[f"{name}.{kind}"].flatten() for kind in KEPT[:2]))


def calibrated(space: WeightSpace, x: Tensor, run: Callable[[Mapping[str, Tensor], Norm], object]) -> Tensor:
    """Networks x (networks, size) with the statistics that ``run(parameters, norm)`` meets, layer after layer."""
    x = x.clone()
    parameters = space.unflatten(x)

    def norm(name: str, h: Tensor) -> Tensor:
        variance, mean = torch.var_mean(h, (0, 2, 3), correction=0)
        parameters[f"{name}.running_mean"].copy_(mean.reshape(len(x), -1))
        parameters[f"{name}.running_var"].copy_(variance.reshape(len(x), -1))
        return by_kept(parameters)(name, h)

    run(parameters, norm)
    return x


def lines(name: str, dim: str, role: str, gauge: str = "") -> list[str]:
    """Of a space: a gauge of the channels is carried by weight and bias."""
    factors = {"weight": gauge, "bias": gauge, "running_mean": "", "running_var": ""}
    return [f"{name}.{kind} {dim}{factor} as {role}.{kind}" for kind, factor in factors.items()]
