"""The design of Karras et al. for data of deviation 1, in coordinates of deviation 1."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from wsf_schedulers.process import Count
from wsframework.errors import PartError
from wsframework.parts.interfaces import Denoise, Scheduler
from wsframework.parts.values import Least, Most

Positive = Annotated[float, Least(0, strict=True)]


class Edm(Scheduler):
    """Elucidated diffusion: ``x_0 + n eps`` for noise n up to 80, all of it times ``1 / sqrt(1 + n^2)``.

    This is the paper's noised form times its ``c_in``, where latents have deviation 1 (``sigma_data``), as encoders
    leave them: ``alpha = 1 / sqrt(1 + n^2)``, ``sigma = n / sqrt(1 + n^2)``. With ``train.predict = "v"`` the clean
    estimate ``alpha x_t - sigma v`` is the paper's ``c_skip x + c_out F``, where ``F = -v``, and the loss of v has
    the paper's weight, ``1 / c_out^2`` on the estimate. Time is ``log(1 + n/sigma_min)`` in units of its end, to which
    the paper's ``c_noise`` is linear but for the least noise. In training n is log-normal; sampling takes steps
    even in ``n^(1/rho)``, along ``d(x_t/alpha)/dn = eps``.

    Options:
        steps: of sampling, unless others are asked for; training knows no grid.
        solver: of first order, or of second, which asks the denoiser twice a step, but for the last.
        sigma_min, sigma_max: the least and the most noise of sampling; the last step leads from the least to none.
        rho: how much shorter steps get with less noise.
        p_mean, p_std: of log n in training. The paper's mean, -1.2 for data of deviation 0.5, is -0.5 here.
    """

    name = "edm"
    paper = "Karras et al. 2022, arXiv:2206.00364"

    def __init__(
        self,
        *,
        steps: Count = 18,
        solver: Literal["euler", "heun"] = "heun",
        sigma_min: Positive = 0.002,
        sigma_max: Positive = 80.0,
        rho: Positive = 7.0,
        p_mean: Annotated[float, Least(-20), Most(20)] = -0.5,
        p_std: Positive = 1.2,
    ) -> None:
        if sigma_min >= sigma_max:
            raise PartError(f"edm: sigma_min = {sigma_min:g} should be smaller than sigma_max = {sigma_max:g}")
        self.steps, self.solver, self.rho = steps, solver, rho
        self.sigma_min, self.sigma_max, self.p_mean, self.p_std = sigma_min, sigma_max, p_mean, p_std
        self.end = math.log1p(sigma_max / sigma_min)

    def noise(self, t: Tensor) -> Tensor:
        """n at times t (any shape)."""
        return self.sigma_min * torch.expm1(t * self.end)

    def time(self, noise: Tensor) -> Tensor:
        """The inverse of `noise`."""
        return torch.log1p(noise / self.sigma_min) / self.end

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """``1 / sqrt(1 + n^2)``, ``n / sqrt(1 + n^2)``."""
        noise = self.noise(t)
        alpha = (1 + noise**2).rsqrt()
        return alpha, noise * alpha

    def times(self, steps: int | None = None) -> Tensor:
        """The paper's equation 5: even in ``n^(1/rho)`` from the most noise to the least, and then 0."""
        most, least = self.sigma_max ** (1 / self.rho), self.sigma_min ** (1 / self.rho)
        noise = torch.linspace(most, least, self.steps if steps is None else steps, dtype=torch.float64) ** self.rho
        return torch.cat([self.time(noise), torch.zeros(1)]).float()

    def draw_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Times of log-normal noise, (count,); what exceeds ``sigma_max`` counts as it."""
        return self.time((self.p_mean + self.p_std * torch.randn(count, generator=generator)).exp()).clamp(max=1)

    def step(
        self, denoise: Denoise, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: torch.Generator | None
    ) -> tuple[Tensor, Any]:
        """Algorithm 1 of the paper: Heun's step, or Euler's, without noise added. The last one is Euler's."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.alpha_sigma(t), self.alpha_sigma(s)
        here, way = x_t / alpha_t, self.noise(s) - self.noise(t)
        eps = (x_t - alpha_t * denoise(x_t, t)) / sigma_t
        x_s = alpha_s * (here + way * eps)
        if self.solver == "heun" and s > 0:
            there = (x_s - alpha_s * denoise(x_s, s)) / sigma_s
            x_s = alpha_s * (here + way * (eps + there) / 2)
        return x_s, None
