"""Initializers that know nothing of the task: a random network, a zoo network, the zoo's mean."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.parts.interfaces import Initializer, Setting
from wsframework.tasks import Task


class Random(Initializer):
    """The architecture's own random initialisation, anew for every draw."""

    name = "random"
    role = "untrained"

    def fit(self, setting: Setting) -> None:
        """Keeps the architecture; nothing is learned."""
        self.architecture = setting.architecture
        self.shape = setting.shape

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Independent initialisations: (tasks, draws, size)."""
        x = self.architecture.initialize(self.shape, len(tasks) * draws, generator)
        return x.reshape(len(tasks), draws, -1)


class Member(Initializer):
    """A network drawn from the zoo, whatever it was trained for."""

    name = "member"

    def fit(self, setting: Setting) -> None:
        """Keeps the zoo's networks."""
        self.zoo = setting.zoo.weights

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Networks drawn uniformly, with replacement: (tasks, draws, size)."""
        drawn = torch.randint(len(self.zoo), (len(tasks), draws), generator=generator)
        return self.zoo.rows(drawn.flatten()).reshape(*drawn.shape, -1)


class Mean(Initializer):
    """The mean of the zoo's networks, coordinate by coordinate."""

    name = "mean"

    def fit(self, setting: Setting) -> None:
        """Averages the zoo."""
        total = sum(x.double().sum(0) for x in setting.zoo.weights.pieces())
        self.x = torch.as_tensor(total / len(setting.zoo)).float()

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """One answer for all tasks: (tasks, draws, size)."""
        return self.x.expand(len(tasks), draws, -1)
