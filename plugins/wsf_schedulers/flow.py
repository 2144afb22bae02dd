"""Flow matching along straight lines from noise to data."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from wsf_schedulers.process import Count
from wsframework.parts.interfaces import Denoise, Scheduler


class Flow(Scheduler):
    """Flow matching, or rectified flow: ``x_t = (1 - t) x_0 + t eps``, and back along ``dx/dt = eps - x_0``.

    With ``train.predict = "v"`` the denoiser learns this velocity, as in both papers. Times are drawn uniformly.

    Options:
        steps: of sampling, unless others are asked for; training knows no grid.
        solver: of first order, or of second, which asks the denoiser twice a step, but for the last.
    """

    name = "flow"
    paper = "Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003"
    variance_preserving = False

    def __init__(self, *, steps: Count = 50, solver: Literal["euler", "heun"] = "euler") -> None:
        self.steps, self.solver = steps, solver

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``1 - t``, ``t``."""
        return 1 - t, t

    def velocity(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``eps - x_0``, at every time."""
        return -torch.ones_like(t), torch.ones_like(t)

    def times(self, steps: int | None = None) -> Tensor:
        """Evenly spread from 1 to 0."""
        return torch.linspace(1, 0, (self.steps if steps is None else steps) + 1)

    def draw_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Training times ~ U(0, 1], (count,)."""
        return 1 - torch.rand(count, generator=generator)

    def step(
        self, denoise: Denoise, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: torch.Generator | None
    ) -> tuple[Tensor, Any]:
        """Euler's step, or Heun's: by the mean of the velocities at both ends. The last one is Euler's."""
        velocity = (x_t - denoise(x_t, t)) / t
        x_s = x_t + (s - t) * velocity
        if self.solver == "heun" and s > 0:
            x_s = x_t + (s - t) * (velocity + (x_s - denoise(x_s, s)) / s) / 2
        return x_s, None
