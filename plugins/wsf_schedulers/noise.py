"""Noise schedules: the cumulative signal share ``abar_k`` of a T-step variance-preserving process."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Schedule = Literal["linear", "cosine", "sigmoid"]


def cumulative(schedule: Schedule, steps: int, beta_start: float, beta_end: float) -> Tensor:
    """``abar_k = prod_{i<=k} (1 - beta_i)`` for k = 0..steps, float64; ``abar_0 = 1``.

    ``linear``: beta_i rises linearly from beta_start to beta_end (Ho et al. 2020).
    ``cosine``: ``abar_k = f(k)/f(0)``, ``f(k) = cos^2((k/T + 0.008)/1.008 * pi/2)``, beta_i at most 0.999
    (Nichol and Dhariwal 2021).
    ``sigmoid``: beta_i rises from beta_start to beta_end as the logistic function does from -6 to 6 (Xu et al. 2022,
    arXiv:2203.02923).
    """
    if schedule == "linear":
        beta = torch.linspace(beta_start, beta_end, steps, dtype=torch.float64)
    elif schedule == "sigmoid":
        rise = torch.linspace(-6, 6, steps, dtype=torch.float64).sigmoid()
        beta = beta_start + (beta_end - beta_start) * rise
    else:
        k = torch.arange(steps + 1, dtype=torch.float64) / steps
        f = torch.cos((k + 0.008) / 1.008 * math.pi / 2) ** 2
        beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)])
