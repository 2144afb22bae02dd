"""Two layers that denoisers share: the embedding of time, and FiLM, by which a network is told of it."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor, nn


class TimeEmbedding(nn.Module):
    """tau(t): sines and cosines of 1000 t at geometric frequencies, then a two-layer MLP with SiLU.

    Reference: Ho et al. 2020, arXiv:2006.11239 (section 3.3 and appendix B).

    Arguments:
        size: length of the embedding, at least 2.
    """

    frequencies: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        half = size // 2
        exponents = torch.arange(half, dtype=torch.float64) / max(half - 1, 1)
        self.register_buffer("frequencies", torch.exp(-math.log(10_000) * exponents).float(), persistent=False)
        self.mlp = nn.Sequential(nn.Linear(2 * half, size), nn.SiLU(), nn.Linear(size, size))

    def forward(self, t: Tensor) -> Tensor:
        """Times t (batch,) in [0, 1] to (batch, size)."""
        angles = rearrange(1000 * t.to(self.frequencies), "batch -> batch 1") * self.frequencies
        embedding: Tensor = self.mlp(torch.cat([angles.sin(), angles.cos()], dim=-1))
        return embedding


class Film(nn.Module):
    """Feature-wise linear modulation: ``h (1 + scale(c)) + shift(c)``.

    Reference: Perez et al. 2018, arXiv:1709.07871.

    Arguments:
        condition_size: length of c.
        channels: length of the last axis of h.
    """

    def __init__(self, condition_size: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(condition_size, 2 * channels)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        """h (batch, ..., channels), c (batch, condition_size): c acts alike along the middle axes of h."""
        modulation: Tensor = self.linear(c)
        scale, shift = modulation.reshape(c.shape[0], *(1,) * (h.dim() - 2), -1).chunk(2, dim=-1)
        return torch.addcmul(shift, h, 1 + scale)
