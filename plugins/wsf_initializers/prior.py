"""The prior as an initializer, the same with wrong descriptors, and the hypernetwork."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor

from wsframework.config.sections import PartConfig
from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Initializer, Setting
from wsframework.parts.values import Least
from wsframework.prior import Prior
from wsframework.tasks import Task

CHUNK = 512


class PriorInitializer(Initializer):
    """The run's trained prior: ``w ~ p(w | task)``."""

    name = "prior"
    paper = "Task-Conditioned Diffusion Models in Weight Space for Rapid Transfer"

    def fit(self, setting: Setting) -> None:
        """Take the run's prior."""
        if setting.prior is None:
            raise NotApplicable("this run trains no prior")
        self.prior: Prior = setting.prior

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Independent draws for each task."""
        return _draw(self.prior, self.descriptors(tasks, generator), draws, generator)

    def descriptors(self, tasks: Sequence[Task], generator: torch.Generator) -> Tensor:
        """Standardised descriptors, (tasks, features)."""
        return self.prior.describe(tasks)


class ShuffledPrior(PriorInitializer):
    """The same prior told of another of the tasks each time: what is left without the right condition."""

    name = "shuffled"
    role = "control"

    def descriptors(self, tasks: Sequence[Task], generator: torch.Generator) -> Tensor:
        """The descriptors handed on in a random cycle, so that no task (of two or more) keeps its own."""
        features = super().descriptors(tasks, generator)
        order = torch.randperm(len(tasks), generator=generator)
        handed_on = torch.empty_like(order)
        handed_on[order] = order.roll(1)
        return features[handed_on]


class Hypernetwork(Initializer):
    """The run's denoiser without diffusion: one pass from noise, trained on the tasks' own loss alone.

    It is the control that separates equivariance from diffusion, and the strongest rival.

    Options:
        steps: training steps; 0 takes as many as the prior.
    """

    name = "hypernetwork"
    paper = "Ha et al. 2017, arXiv:1609.09106"

    def __init__(self, *, steps: Annotated[int, Least(0)] = 0) -> None:
        self.steps = steps

    def fit(self, setting: Setting) -> None:
        """Train a second set of the prior's parts on the output loss."""
        changes = {"predict": "clean", "denoise_weight": 0.0, "output_weight": 1.0, "unroll": 1}
        self.prior = setting.train_prior(changes | _steps(self.steps), {"steps": 1})

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """One pass for each draw's noise."""
        return _draw(self.prior, self.prior.describe(tasks), draws, generator)


class Denoising(Hypernetwork):
    """The run's parts trained on the denoising loss alone, and sampled along the whole grid: the plain method.

    Options:
        steps: training steps; 0 takes as many as the prior.
    """

    name = "denoising"
    paper = "Task-Conditioned Diffusion Models in Weight Space for Rapid Transfer, section 3.4"

    def fit(self, setting: Setting) -> None:
        """Train a second set of the prior's parts without the output term."""
        self.prior = setting.train_prior(_plain(self.steps), {"steps": 0})


class Flat(Hypernetwork):
    """The paper's parts: weights normalised by coordinate, a flat MLP U-Net, the denoising loss alone.

    Options:
        steps: training steps; 0 takes as many as the prior.
    """

    name = "flat"
    paper = "Task-Conditioned Diffusion Models in Weight Space for Rapid Transfer, sections 3.1 to 3.4"

    def fit(self, setting: Setting) -> None:
        """Train a prior of the paper's parts on the same zoo."""
        parts = {"encoder": PartConfig("coordinate"), "denoiser": PartConfig("mlp_unet"), "steps": 0}
        self.prior = setting.train_prior(_plain(self.steps), parts)


def _plain(steps: int) -> dict[str, Any]:
    return {"denoise_weight": 1.0, "output_weight": 0.0, "unroll": 0} | _steps(steps)


def _steps(steps: int) -> dict[str, Any]:
    return {"steps": steps, "epochs": 0} if steps else {}


def _draw(prior: Prior, features: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    rows = features.repeat_interleave(draws, 0)
    x = torch.cat([prior.sample_features(part, generator) for part in torch.split(rows, CHUNK)])
    return x.reshape(len(features), draws, -1)
