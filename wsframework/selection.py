"""Choosing among draws by what they make of a task's support data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsframework.parts.interfaces import Architecture
from wsframework.tasks import Task, TaskBatch
from wsframework.training import calibrated, query_scores, support_losses

DRAWS = 512
"""At most so many are drawn at once."""


def losses_on_support(architecture: Architecture, task: Task, x: Tensor) -> Tensor:
    """Mean training loss of networks x (draws, size) on the task's support data: (draws,)."""
    return support_losses(architecture, task.shape, x, _on_support(task, x))


def support_scores(architecture: Architecture, task: Task, x: Tensor) -> tuple[Tensor, Tensor]:
    """The same, and their metric there once they are calibrated on it: both (draws,)."""
    tasks = _on_support(task, x)
    rows = calibrated(architecture, task.shape, x, tasks.support.x)
    _, metric = query_scores(architecture, task.shape, rows, tasks)
    return support_losses(architecture, task.shape, x, tasks), metric


def best(draw: Callable[[int], Tensor], judge: Callable[[Tensor], Tensor], n: int, k: int) -> Tensor:
    """``n`` rows, each the one with the lowest loss of ``k`` draws; no more than `DRAWS` are held at once.

    Arguments:
        draw: gives so many draws, (count, size).
        judge: gives the losses (count,) of draws; one that is no number counts as infinite.
    """
    kept: list[tuple[float, Tensor]] = []
    for numbers in torch.split(torch.arange(n * k), DRAWS):
        x = draw(len(numbers))
        losses = judge(x).nan_to_num(nan=torch.inf) if k > 1 else x.new_zeros(len(x))
        for number, loss, row in zip(numbers.tolist(), losses.tolist(), x, strict=True):
            if number % k == 0:
                kept.append((loss, row.clone()))
            elif loss < kept[-1][0]:
                kept[-1] = loss, row.clone()
    return torch.stack([row for _, row in kept])


def _on_support(task: Task, x: Tensor) -> TaskBatch:
    """The task for each of networks x (draws, size), its support data in the place of query data, too."""
    support = task.support.to(x.device).repeated(len(x))
    return TaskBatch(support, support, task.objective)
