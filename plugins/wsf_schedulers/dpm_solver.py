"""DPM-Solver++ of second order: what is left of the way, from the clean estimates of two steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wsf_schedulers.process import Discrete
from wsframework.parts.interfaces import Denoise


class DpmSolver(Discrete):
    """DPM-Solver++ 2M, multistep of second order with data prediction: `ddim`'s process in a tenth of the steps.

    With ``lambda = log(alpha/sigma)``, ``h = lambda_s - lambda_t`` and the step before as long as ``r h``,
    ``x_s = sigma_s/sigma_t x_t - alpha_s (exp(-h) - 1) D``, ``D = x_0 + (x_0 - x_0 of the step before) / (2 r)``.
    The first step, which has no estimate before, and the last one, where ``h`` has no end, take ``D = x_0``.

    Options:
        steps: T, the number of noise levels in training; also the steps of sampling, unless fewer are asked for.
        schedule: how noise grows.
        beta_start, beta_end: where betas begin and end, unless cosine; None means 0.1/T and 20/T (1e-4 and 0.02 at
            T = 1000).
    """

    name = "dpm_solver"
    paper = "Lu et al. 2022, arXiv:2211.01095"

    def step(
        self, denoise: Denoise, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: torch.Generator | None
    ) -> tuple[Tensor, Any]:
        """One step of algorithm 2 of the paper; the carry is the estimate before, and its lambda."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.alpha_sigma(t), self.alpha_sigma(s)
        x_0, at = denoise(x_t, t), (alpha_t / sigma_t).log()
        guess = x_0
        if carry is not None and s > 0:
            before, was = carry
            guess = x_0 + (x_0 - before) * ((alpha_s / sigma_s).log() - at) / (2 * (at - was))
        shrunk = sigma_s / sigma_t
        return shrunk * x_t + (alpha_s - shrunk * alpha_t) * guess, (x_0, at)
