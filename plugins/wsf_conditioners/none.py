"""`Unconditional`: nothing is known of the task."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import Task, TaskShape


class Unconditional(TaskConditioner):
    """No features and an embedding of length 0: the prior over the whole zoo, whatever the task.

    Arguments:
        shape: of the tasks.
    """

    name = "none"
    symmetry = "invariant"
    size = 0

    def __init__(self, shape: TaskShape) -> None:
        super().__init__()
        self.shape = shape

    def describe(self, task: Task) -> Tensor:
        """No features: shape (0,)."""
        return torch.zeros(0, device=task.support.x.device)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, 0) to (batch, 0)."""
        return features.new_zeros(features.shape[0], 0)
