"""Initializers from a task's descriptor without a network between: retrieval and linear regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from torch import Tensor

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Initializer, Setting
from wsframework.parts.values import Least
from wsframework.spaces import Weights
from wsframework.tasks import Task


def network_features(setting: Setting, name: str) -> Tensor:
    """The standardised descriptor of the task of each zoo network, (networks, features).

    Raises:
        NotApplicable: where the conditioner gives descriptors without features.
    """
    if setting.features.shape[1] == 0:
        raise NotApplicable(f"{name!r} goes by the tasks' descriptors, and this run's conditioner gives none.")
    return setting.features[setting.zoo.task_index.to(setting.features.device)]


class Nearest(Initializer):
    """The zoo network whose task's standardised descriptor is nearest in Euclidean distance."""

    name = "nearest"

    def fit(self, setting: Setting) -> None:
        """Keeps the zoo beside its descriptors.

        Raises:
            NotApplicable: where tasks have no descriptor.
        """
        self.features = network_features(setting, self.name)
        self.zoo = setting.zoo.weights
        self.describe = setting.describe

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """The nearest network, repeated: (tasks, draws, size)."""
        distances = torch.cdist(self.describe(tasks).to(self.features), self.features)
        return self.zoo.rows(distances.argmin(1)).unsqueeze(1).expand(-1, draws, -1)


class Ridge(Initializer):
    """Ridge regression from the standardised descriptor to the weights.

    With descriptors D and weights X of the zoo's networks, both centred: ``A = (D'D + alpha I)^-1 D'X``.

    Arguments:
        alpha: weight of the penalty; larger is nearer to the zoo's mean.
    """

    name = "ridge"
    paper = "Hoerl & Kennard 1970"

    describe: Callable[[Sequence[Task]], Tensor]

    def __init__(self, *, alpha: Annotated[float, Least(0, strict=True)] = 1.0) -> None:
        self.alpha = alpha

    def fit(self, setting: Setting) -> None:
        """Solves for A in float64.

        Raises:
            NotApplicable: where tasks have no descriptor.
        """
        features = network_features(setting, self.name).double()
        self.describe = setting.describe
        self.center = features.mean(0)
        features = features - self.center
        x_sum, cross = _sums(setting.zoo.weights, features)
        self.mean = x_sum / len(features)
        gram = features.T @ features
        penalty = self.alpha * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        self.coefficients = torch.linalg.solve(gram + penalty, cross)

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """The predicted weights in float32, repeated: (tasks, draws, size)."""
        features = self.describe(tasks).to(self.center) - self.center
        x: Tensor = (self.mean + features @ self.coefficients).float()
        return x.unsqueeze(1).expand(-1, draws, -1)


def _sums(weights: Weights, features: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of all networks (size,), and D'X for centred ``features`` (networks, features), in float64."""
    total, cross, start = torch.zeros(()), torch.zeros(()), 0
    for piece in weights.pieces():
        x = piece.double()
        total = total + x.sum(0)
        cross = cross + features[start : start + len(x)].T @ x
        start += len(x)
    return total, cross
