"""`Reptile`: one start for every task, from which few gradient steps go far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from wsframework.parts.interfaces import Initializer, Setting
from wsframework.parts.values import Least, Most
from wsframework.tasks import Task, TaskBatch
from wsframework.training import Budget, train_networks

Count = Annotated[int, Least(1)]


class Reptile(Initializer):
    """First-order meta-learning: a start that moves towards where training on seen tasks leads from it.

    Each step trains ``batch`` copies of the start x for ``inner`` gradient steps, each on the support data of a seen
    task of its own, to x_i; then ``x <- x + rate * mean_i (x_i - x)``, with ``rate`` falling to zero along a line.
    It learns from the seen tasks' data, and needs neither zoo nor descriptors.

    Arguments:
        steps: moves of the start.
        inner: gradient steps on each task, with Adam.
        lr: rate of Adam.
        rate: how far the start moves at first, as a share of the way.
        batch: tasks a step.
        points: support examples of each task a gradient step.
    """

    name = "reptile"
    paper = "Nichol et al. 2018, arXiv:1803.02999"

    def __init__(
        self,
        *,
        steps: Count = 1000,
        inner: Count = 10,
        lr: Annotated[float, Least(0, strict=True)] = 0.01,
        rate: Annotated[float, Least(0, strict=True), Most(1)] = 1.0,
        batch: Count = 32,
        points: Count = 32,
    ) -> None:
        self.steps, self.rate, self.batch = steps, rate, batch
        self.budget = Budget(inner, lr, points)

    def fit(self, setting: Setting) -> None:
        """Moves the start, from a random network."""
        x = setting.architecture.initialize(setting.shape, 1, setting.generator)[0].to(setting.features)
        for step in range(self.steps):
            rate = self.rate * (1 - step / self.steps)
            x = x + rate * (self._trained(x, setting).mean(0) - x)
        self.x = x

    def _trained(self, x: Tensor, setting: Setting) -> Tensor:
        """Copies of ``x`` (size,) after training, each on another random seen task: (batch, size)."""
        seen = setting.zoo.tasks
        chosen = torch.randint(len(seen), (self.batch,), generator=setting.generator).tolist()
        tasks = TaskBatch.of([seen[place] for place in chosen]).to(x.device)
        starts = x.expand(self.batch, -1)
        *_, last = train_networks(setting.architecture, setting.shape, starts, tasks, self.budget, setting.generator)
        return last.x

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """One answer for all tasks: (tasks, draws, size)."""
        return self.x.expand(len(tasks), draws, -1)
