"""The prior as an initializer, the same with wrong descriptors, and the hypernetwork."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Initializer, Setting
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

    def __init__(self, *, steps: int = 0) -> None:
        self.steps = steps

    def fit(self, setting: Setting) -> None:
        """Train a second set of the prior's parts on the output loss."""
        changes = {"steps": self.steps} if self.steps else {}
        self.prior = setting.train_prior(predict="clean", denoise_weight=0.0, output_weight=1.0, unroll=1, **changes)

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """One pass for each draw's noise."""
        return _draw(self.prior, self.prior.describe(tasks), draws, generator, steps=1)


def _draw(prior: Prior, features: Tensor, draws: int, generator: torch.Generator, steps: int | None = None) -> Tensor:
    rows = features.repeat_interleave(draws, 0)
    x = torch.cat([prior.sample_features(part, generator, steps) for part in torch.split(rows, CHUNK)])
    return x.reshape(len(features), draws, -1)
