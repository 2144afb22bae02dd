"""Schedulers that go back through a discrete process level by level: DDPM (ancestral) and DDIM."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor

from wsf_schedulers.noise import Schedule
from wsf_schedulers.process import Beta, Count, Discrete
from wsframework.parts.interfaces import Denoise
from wsframework.parts.values import Least, Most


class Ddim(Discrete):
    """Denoising diffusion implicit models over a T-step process; fewer sampling steps allowed.

    ``x_s = alpha_s x0 + sqrt(sigma_s^2 - eta^2 v) eps_hat + eta sqrt(v) z``, v the ancestral variance.

    Options:
        steps: T, the number of noise levels in training.
        schedule: how noise grows.
        beta_start, beta_end: where betas begin and end, unless cosine; None means 0.1/T and 20/T (1e-4 and 0.02 at
            T = 1000), so that little signal is left at T however small T is.
        eta: 0 is deterministic, 1 ancestral.
    """

    name = "ddim"
    paper = "Song et al. 2021, arXiv:2010.02502"

    def __init__(
        self,
        *,
        steps: Count = 50,
        schedule: Schedule = "cosine",
        beta_start: Beta | None = None,
        beta_end: Beta | None = None,
        eta: Annotated[float, Least(0), Most(1)] = 0.0,
    ) -> None:
        super().__init__(steps=steps, schedule=schedule, beta_start=beta_start, beta_end=beta_end)
        self.eta = eta

    def step(
        self, denoise: Denoise, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: torch.Generator | None
    ) -> tuple[Tensor, Any]:
        """One step of eq. 12 of the DDIM paper."""
        alpha_t, sigma_t = self.alpha_sigma(t)
        alpha_s, sigma_s = self.alpha_sigma(s)
        x_0 = denoise(x_t, t)
        eps = (x_t - alpha_t * x_0) / sigma_t
        variance = (sigma_s / sigma_t) ** 2 * (1 - (alpha_t / alpha_s) ** 2)
        noise = torch.randn(x_t.shape, generator=generator, dtype=x_t.dtype).to(x_t.device)
        direction = (sigma_s**2 - self.eta**2 * variance).clamp(min=0).sqrt()
        return alpha_s * x_0 + direction * eps + self.eta * variance.sqrt() * noise, None


class Ddpm(Ddim):
    """Denoising diffusion probabilistic models: the paper's process, sampled ancestrally.

    Options:
        steps: T, the number of noise levels in training.
        schedule: how noise grows.
        beta_start, beta_end: where betas begin and end, unless cosine; None means 0.1/T and 20/T (1e-4 and 0.02 at
            T = 1000).
    """

    name = "ddpm"
    paper = "Ho et al. 2020, arXiv:2006.11239"

    def __init__(
        self,
        *,
        steps: Count = 50,
        schedule: Schedule = "cosine",
        beta_start: Beta | None = None,
        beta_end: Beta | None = None,
    ) -> None:
        super().__init__(steps=steps, schedule=schedule, beta_start=beta_start, beta_end=beta_end, eta=1.0)
