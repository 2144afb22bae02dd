"""Tasks: what a network is trained for, and what a user could know of it beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from wsframework.errors import RequestError


@dataclass(frozen=True)
class TaskShape:
    """The sizes that a network for the task must have.

    Attributes:
        inputs: shape of one example.
        outputs: shape of one answer: for classification, the number of classes.
        code: length of the task's code, 0 where tasks have none.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    code: int = 0


@dataclass(frozen=True, eq=False)
class Data:
    """Examples of one task: ``x`` (points, *inputs), ``y`` (points, *outputs).

    Class indices have the outputs' shape without its last axis, that of classes: (points,), or one index at every
    position, (points, length).

    For an objective of a family's own, ``y`` has a row a point, of whatever its methods read.
    """

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return self.x.shape[0]

    def limited(self, count: int) -> Data:
        """``count`` examples at most, spread evenly over their order (0: all of them)."""
        if not count or count >= len(self):
            return self
        kept = torch.linspace(0, len(self) - 1, count).round().long()
        return Data(self.x[kept], self.y[kept])

    def repeated(self, count: int) -> Data:
        """The same examples for each of ``count`` networks, as views: ``x`` (count, points, *inputs), ``y`` alike."""
        return Data(self.x.expand(count, *self.x.shape), self.y.expand(count, *self.y.shape))

    def to(self, device: torch.device) -> Data:
        """The same examples on another device."""
        return Data(self.x.to(device), self.y.to(device))


@runtime_checkable
class Objective(Protocol):
    """A task's loss and metric.

    It has a ``metric``, its name as reports print it, and ``higher_is_better`` says which way that is good."""

    @property
    def metric(self) -> str:
        """The metric's name."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Which way the metric is good."""
        ...

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Loss of every example: outputs (..., points, *outputs), y (..., points, ...) to (..., points)."""
        ...

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The metric, averaged over points: shape (...)."""
        ...

    def vote(self, outputs: Tensor) -> Tensor:
        """What several networks say together: outputs (..., networks, points, *outputs), averaged over networks."""
        ...


@runtime_checkable
class Differential(Objective, Protocol):
    """An objective whose training loss needs the network as a function: of a differential equation, the residual.

    ``losses`` and ``score`` then judge outputs against a known answer."""

    def residuals(self, function: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """Training loss of every example: x (..., points, *inputs), y (..., points, ...) to (..., points).

        ``function`` maps inputs like x to outputs (..., points, *outputs), and an example's outputs depend on that
        example alone, so that derivatives of their sum are derivatives of each.
        """
        ...


@dataclass(frozen=True)
class Classification:
    """Cross-entropy of logits (natural log); the metric is accuracy, in [0, 1]."""

    metric: str = "accuracy"
    higher_is_better: bool = True

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """``-log softmax(outputs)[y]``: outputs (..., points, classes), y (..., points) to (..., points)."""
        log_p = outputs.mT.log_softmax(-2)  # classes before points: far faster than over a short last axis
        return -log_p.take_along_dim(y.unsqueeze(-2), -2).squeeze(-2)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The share of points whose largest logit is the label's."""
        return (outputs.argmax(-1) == y).float().mean(-1)

    def vote(self, outputs: Tensor) -> Tensor:
        """The logarithm of the mean probabilities."""
        return outputs.log_softmax(-1).logsumexp(-3) - math.log(outputs.shape[-3])


@dataclass(frozen=True)
class Regression:
    """Mean squared error over the output's coordinates; the metric is the same quantity."""

    metric: str = "mse"
    higher_is_better: bool = False

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """``mean (outputs - y)^2`` over the output's coordinates: (..., points, d) twice to (..., points)."""
        return (outputs - y).square().mean(-1)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Mean squared error over points."""
        return self.losses(outputs, y).mean(-1)

    def vote(self, outputs: Tensor) -> Tensor:
        """The mean answer."""
        return outputs.mean(-3)


@dataclass(frozen=True)
class Unstated:
    """No objective: of tasks that are known by a name and a code, and whose data are elsewhere."""

    metric: str = ""
    higher_is_better: bool = True

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Nothing can be said.

        Raises:
            RequestError: always.
        """
        raise RequestError("this task has no objective: it is known by its name and code alone")

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """As `losses`."""
        return self.losses(outputs, y)

    def vote(self, outputs: Tensor) -> Tensor:
        """As `losses`."""
        return self.losses(outputs, outputs)


@dataclass(frozen=True)
class Tokens:
    """Cross-entropy of logits at every position, averaged over positions; the metric is accuracy over positions."""

    metric: str = "accuracy"
    higher_is_better: bool = True

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Mean of ``-log softmax(outputs)[y]`` over positions: (..., points, length, classes) to (..., points)."""
        return Classification().losses(outputs, y).mean(-1)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        """The share of positions, of all points, whose largest logit is the label's."""
        return Classification().score(outputs, y).mean(-1)

    def vote(self, outputs: Tensor) -> Tensor:
        """The logarithm of the mean probabilities: outputs (..., networks, points, length, classes)."""
        return outputs.log_softmax(-1).logsumexp(-4) - math.log(outputs.shape[-4])


OBJECTIVES: dict[str, Objective] = {
    "classification": Classification(),
    "regression": Regression(),
    "tokens": Tokens(),
}
IN_ROWS = ("classification", "regression")
"""The objectives whose examples are rows of a table, each with one answer."""


def objective_name(objective: Objective) -> str:
    """The name in `OBJECTIVES`; empty for an objective of a family's own."""
    return next((name for name, known in OBJECTIVES.items() if known == objective), "")


@dataclass(frozen=True, eq=False)
class Task:
    """Support data to train on, query data to judge on, an objective, and what is known beforehand.

    Attributes:
        name: unique within a family and split.
        shape: sizes of inputs, outputs and code.
        support: examples that a network for this task is trained on.
        query: other examples of the same task, never trained on.
        objective: loss and metric.
        code: a description that needs no data (a digit code, coefficients), of shape (shape.code,).
        text: a description in words, or empty.
        facts: further figures about how the task was drawn; never seen by a conditioner.
        classes: what the class indices stand for, where they have names.
    """

    name: str
    shape: TaskShape
    support: Data
    query: Data
    objective: Objective
    code: Tensor | None = None
    text: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    @classmethod
    def described(
        cls, name: str, shape: TaskShape, code: Tensor | None = None, text: str = "", objective: Objective | None = None
    ) -> Task:
        """A task that is known by its description alone: its data have no points."""
        empty = Data(torch.empty(0, *shape.inputs), torch.empty(0, *shape.outputs))
        return cls(name, shape, empty, empty, objective or Unstated(), code, text)


Split = Literal["seen", "validation", "held_out"]


@dataclass(frozen=True, eq=False)
class TaskSplits:
    """Disjoint sets of tasks, and how they were drawn (one sentence, printed in reports)."""

    seen: Sequence[Task]
    validation: Sequence[Task]
    held_out: Sequence[Task]
    drawn: str


@dataclass(frozen=True, eq=False)
class TaskBatch:
    """Tasks of one shape side by side: what the batched trainer takes.

    Attributes:
        support, query: data with a leading axis of tasks. Where all tasks share one tensor (the same
            images under different labels), the batch holds an expanded view of it, not copies.
    """

    support: Data
    query: Data
    objective: Objective

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> TaskBatch:
        """The batch of ``tasks``, which must have data of equal shapes."""
        return cls(
            Data(_stack([t.support.x for t in tasks]), _stack([t.support.y for t in tasks])),
            Data(_stack([t.query.x for t in tasks]), _stack([t.query.y for t in tasks])),
            tasks[0].objective,
        )

    def to(self, device: torch.device) -> TaskBatch:
        """The same batch on another device."""
        return TaskBatch(self.support.to(device), self.query.to(device), self.objective)


def some_inputs(tasks: Sequence[Task], most: int) -> Tensor:
    """Support inputs of tasks evenly spread, (points, *inputs): ``most`` of them, or as many as there are."""
    chosen = torch.linspace(0, len(tasks) - 1, min(len(tasks), most)).round().long().tolist()
    return torch.cat([tasks[i].support.limited(max(1, most // len(chosen))).x for i in chosen])


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    if all(t is first for t in tensors):
        return first.expand(len(tensors), *first.shape)
    return torch.stack(list(tensors))
