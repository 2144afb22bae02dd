"""`Code`: an MLP over the task's code, for tasks that are known without any data."""

from __future__ import annotations

from torch import Tensor

from wsf_conditioners.perceptron import Count, perceptron
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import Task, TaskShape


class Code(TaskConditioner):
    """An MLP over ``task.code``; it never looks at data.

    Arguments:
        shape: of the tasks.
        width: hidden units of the MLP.
        size: length of the embedding.

    Raises:
        PartError: where the tasks have no code.
    """

    name = "code"
    symmetry = "invariant"

    def __init__(self, shape: TaskShape, *, width: Count = 64, size: Count = 64) -> None:
        super().__init__()
        if shape.code == 0:
            raise PartError(
                "conditioner 'code' was asked for, but these tasks have no code; 'moments' describes them by their data"
            )
        self.shape = shape
        self.size = size
        self.mlp = perceptron(shape.code, width, size)

    def describe(self, task: Task) -> Tensor:
        """The code in float32, (shape.code,).

        Raises:
            PartError: where this task's code is missing or has another length.
        """
        if task.code is None or task.code.shape != (self.shape.code,):
            has = "none" if task.code is None else f"one of shape {tuple(task.code.shape)}"
            raise PartError(
                f"conditioner 'code' expects a code of {self.shape.code} numbers; task {task.name!r} has {has}"
            )
        return task.code.float()

    def forward(self, features: Tensor) -> Tensor:
        """Standardised codes (batch, code) to (batch, size)."""
        embedding: Tensor = self.mlp(features)
        return embedding
