"""What a prior asks of the noise process: that its sampler goes back through it, and that its prediction tells x_0."""

from __future__ import annotations

import torch

from wsframework.errors import PartError
from wsframework.parts.interfaces import Scheduler

SAME = 1e-4
"""How far alpha and sigma of one process may be apart, for rounding."""


def check_sampler(trained: Scheduler, sampler: Scheduler) -> None:
    """Nothing, where both mean the same noised latents by every time.

    Raises:
        PartError: where they don't.
    """
    t = torch.cat([trained.times(), sampler.times(), torch.linspace(0, 1, 101)])
    here, there = (torch.stack(scheduler.alpha_sigma(t)) for scheduler in (trained, sampler))
    apart = (here - there).abs().amax(0)
    if not (apart <= SAME).all():
        k = int(apart.nan_to_num(torch.inf).argmax())
        raise PartError(
            f"scheduler {sampler.name!r} can't sample for this prior, which is trained on the noise of "
            f"{trained.name!r}: at time {t[k]:.3g}, alpha is {there[0, k]:.3g} in the one and {here[0, k]:.3g} in the "
            "other; name a scheduler of the same noise schedule, with the same options for it"
        )


def check_prediction(predict: str, scheduler: Scheduler) -> None:
    """Nothing, where what the denoiser predicts tells the clean latent at every time.

    Raises:
        PartError: for noise, where a time has nothing but noise.
    """
    alpha, _ = scheduler.alpha_sigma(torch.ones(()))
    if predict == "epsilon" and alpha == 0:
        raise PartError(
            f"predict = 'epsilon' tells nothing of x_0 at time 1, where scheduler {scheduler.name!r} leaves noise "
            "alone; predict 'v' or 'clean'"
        )
