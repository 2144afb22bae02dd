"""Honest objectives keep the promise of `judges`, however few examples there are, and whatever their vote is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from wsframework.tasks import OBJECTIVES, Data, Objective, Task, TaskShape
from wsframework.testing.promises.objective import fault_of_objective

SHAPE = TaskShape((1,), (1,))


@dataclass(frozen=True)
class Huber:
    """Huber's loss, the median error, and the median of several networks as their vote."""

    metric: str = "median absolute error"
    higher_is_better: bool = False

    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        return huber_loss(outputs, y.expand_as(outputs), reduction="none").mean(-1)

    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs - y).abs().mean(-1).median(-1).values

    def vote(self, outputs: Tensor) -> Tensor:
        return outputs.median(-3).values


@pytest.mark.parametrize("objective", [Huber(), OBJECTIVES["regression"]])
@pytest.mark.parametrize("points", [1, 7])
def test_an_honest_objective_has_no_fault(objective: Objective, points: int) -> None:
    for seed in range(30):
        torch.default_generator.manual_seed(seed)
        data = Data(torch.randn(points, 1), 0.1 * torch.randn(points, 1))
        assert fault_of_objective(Task("small", SHAPE, data, data, objective)) == ""
