"""Search along the prior's sampler: of many candidates the best on support data goes on, at every step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor

from wsf_initializers.prior import PriorInitializer
from wsframework.parts.values import Least
from wsframework.tasks import Data, Task, TaskBatch
from wsframework.training import network_losses

CHUNK = 64


class Search(PriorInitializer):
    """Draws from the prior, chosen at every sampler step by their loss on the task's support data.

    At time t each task has several candidates x_t. Of their clean estimates, and of those of the steps before,
    the one with the lowest support loss is kept; noise is added to it anew to reach the next time,
    ``alpha_s x_0 + sigma_s eps``, once for each candidate. As many denoiser passes as best-of-k with
    k = candidates, or as k = candidates * steps draws of a one-step network: compare it with that.

    Options:
        candidates: a task, at every step.
    """

    name = "search"
    paper = ""

    def __init__(self, *, candidates: Annotated[int, Least(1)] = 8) -> None:
        self.candidates = candidates

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Independent searches for each task."""
        features = self.descriptors(tasks, generator)
        found = []
        for start in range(0, len(tasks), CHUNK):
            chunk = slice(start, start + CHUNK)
            rows = [self._search(tasks[chunk], features[chunk], generator) for _ in range(draws)]
            found.append(torch.stack(rows, 1))
        return torch.cat(found)

    @torch.no_grad()
    def _search(self, tasks: Sequence[Task], features: Tensor, generator: torch.Generator) -> Tensor:
        """One search for each task: weights (tasks, size)."""
        prior, k = self.prior, self.candidates
        embedding = prior.conditioner(features).repeat_interleave(k, 0)
        support = self._support(tasks)
        lowest = torch.full((len(tasks),), torch.inf, device=prior.device)
        kept = torch.zeros(len(tasks), prior.latent.size, device=prior.device)
        x_t = prior.start(len(tasks) * k, generator)
        for t, s in pairwise(prior.sampler.times(prior.design.steps or None).to(prior.device)):
            x_0 = prior.estimate(x_t, t, embedding)
            losses = self._losses(x_0, support, tasks[0]).reshape(-1, k)
            loss, place = losses.min(1)
            chosen = x_0.reshape(len(tasks), k, -1)[torch.arange(len(tasks)), place]
            kept = torch.where((loss < lowest).unsqueeze(-1), chosen, kept)
            lowest = torch.minimum(loss, lowest)
            alpha_s, sigma_s = prior.scheduler.alpha_sigma(s)
            x_t = alpha_s * kept.repeat_interleave(k, 0) + sigma_s * prior.start(len(x_t), generator)
        return prior.encoder.decode(kept, prior.space)

    def _support(self, tasks: Sequence[Task]) -> Data:
        """Support data of every candidate, (tasks * candidates, points, ...)."""
        data = TaskBatch.of(tasks).to(self.prior.device).support
        return Data(data.x.repeat_interleave(self.candidates, 0), data.y.repeat_interleave(self.candidates, 0))

    def _losses(self, x_0: Tensor, support: Data, task: Task) -> Tensor:
        """Support loss of every decoded candidate; one that is no number counts as infinite."""
        prior = self.prior
        x = prior.encoder.decode(x_0, prior.space)
        losses = network_losses(prior.architecture, prior.shape, prior.space, x, support, task.objective)
        return losses.nan_to_num(nan=torch.inf)
