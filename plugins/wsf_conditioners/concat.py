"""`Concat`: several conditioners side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wsframework.parts.interfaces import TaskConditioner
from wsframework.parts.statistics import Statistics
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape


class Concat(TaskConditioner):
    """The embeddings of several conditioners, one after the other; each of them has features of its own.

    It claims to be invariant where all of them do.

    Arguments:
        shape: of the tasks.
        parts: the conditioners; without any, nothing is known of a task.
    """

    name = "concat"
    lengths: tuple[int, ...]

    def __init__(self, shape: TaskShape, *, parts: Sequence[TaskConditioner] = ()) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.size = sum(part.size for part in parts)
        self.symmetry = "invariant" if all(part.symmetry == "invariant" for part in parts) else None
        self.lengths = tuple(len(part.describe(blank(shape))) for part in parts)

    def describe(self, task: Task) -> Tensor:
        """The features of all, (features,)."""
        return torch.cat([torch.zeros(0, device=task.support.x.device), *(part.describe(task) for part in self._parts)])

    def called(self, task: Task) -> Sequence[str]:
        """What each says of its features; those that it has no words for are numbered."""
        pairs = zip(self._parts, self.lengths, strict=True)
        return [words for part, length in pairs for words in told(part, task, length)]

    def statistics(self, features: Tensor) -> Statistics:
        """Each one's own, of its features."""
        found = (part.statistics(own) for part, own in self._shares(features))
        return Statistics.joined([Statistics.of(features[:, :0]), *found])

    def forward(self, features: Tensor) -> Tensor:
        """Standardised features (batch, features) to (batch, size)."""
        return torch.cat([features[:, :0], *(part(own) for part, own in self._shares(features))], -1)

    @property
    def _parts(self) -> list[TaskConditioner]:
        return list(self.parts)  # type: ignore[arg-type]

    def _shares(self, features: Tensor) -> list[tuple[TaskConditioner, Tensor]]:
        """Each conditioner with its features, (tasks, its features)."""
        shares = torch.split(features, list(self.lengths), -1) if self.lengths else ()
        return list(zip(self._parts, shares, strict=True))


def blank(shape: TaskShape) -> Task:
    """A task of ``shape`` with a single example of zeros, to count features by."""
    data = Data(torch.zeros(1, *shape.inputs), torch.zeros(1, *shape.outputs))
    code = torch.zeros(shape.code) if shape.code else None
    return Task("blank", shape, data, data, OBJECTIVES["regression"], code, "a task")


def told(part: TaskConditioner, task: Task, length: int) -> list[str]:
    """What a conditioner says of each of its ``length`` features."""
    words = list(part.called(task))
    return words + [f"number {i + 1} of {part.name!r}" for i in range(len(words), length)]
