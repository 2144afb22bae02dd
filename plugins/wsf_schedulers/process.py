"""The discrete variance-preserving process that `ddpm`, `ddim` and `dpm_solver` share, and each way back from it."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsf_schedulers.noise import Schedule, cumulative
from wsframework.errors import PartError
from wsframework.parts.interfaces import Scheduler
from wsframework.parts.values import Least, Most

Count = Annotated[int, Least(1)]
Beta = Annotated[float, Least(0, strict=True), Most(1, strict=True)]


class Discrete(Scheduler):
    """``alpha = sqrt(abar_k)``, ``sigma = sqrt(1 - abar_k)`` on T levels; how to go back is left open.

    Arguments:
        steps: T, the number of noise levels in training.
        schedule: how noise grows.
        beta_start, beta_end: where betas begin and end, unless cosine; None means 0.1/T and 20/T.
    """

    def __init__(
        self,
        *,
        steps: Count = 50,
        schedule: Schedule = "cosine",
        beta_start: Beta | None = None,
        beta_end: Beta | None = None,
    ) -> None:
        self.steps = steps
        start = 0.1 / steps if beta_start is None else beta_start
        end = min(20 / steps, 0.999) if beta_end is None else beta_end
        if start > end:
            raise PartError(
                f"{self.name}: beta_start = {start:g} is larger than beta_end = {end:g}; noise must not fall"
            )
        self.abar = cumulative(schedule, steps, start, end)

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``sqrt(abar_k)``, ``sqrt(1 - abar_k)`` at the level k nearest to ``t * T``."""
        level = (t * self.steps).round().long().clamp(0, self.steps)
        abar = self.abar.to(t.device)[level]
        return abar.sqrt().to(t.dtype), (1 - abar).sqrt().to(t.dtype)

    def times(self, steps: int | None = None) -> Tensor:
        """Levels spread evenly from T to 0, as k/T."""
        count = self.steps if steps is None else min(steps, self.steps)
        return torch.linspace(self.steps, 0, count + 1, dtype=torch.float64).round().float() / self.steps
