"""What several draws for one task are good for: the best of them on support data, and their vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.parts.interfaces import Architecture
from wsframework.selection import losses_on_support
from wsframework.tasks import Task
from wsframework.training import network_outputs


@dataclass(frozen=True, eq=False)
class Vote:
    """Query figures of several networks a task, alone and together, before any step; each (tasks,).

    Attributes:
        single_loss, single_metric: mean over the networks.
        vote_loss, vote_metric: of their combined answer (`Objective.vote`).
        members: how many networks.
    """

    single_loss: Tensor
    single_metric: Tensor
    vote_loss: Tensor
    vote_metric: Tensor
    members: int


@torch.no_grad()
def best_on_support(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Tensor:
    """Of the draws x (tasks, draws, size), the one with the lowest support loss: (tasks, 1, size)."""
    rows = []
    for task, draws in zip(tasks, x, strict=True):
        losses = losses_on_support(architecture, task, draws)
        rows.append(draws[losses.argmin()].unsqueeze(0))
    return torch.stack(rows)


@torch.no_grad()
def vote(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Vote:
    """What the draws x (tasks, draws, size) say of the query data, one by one and together."""
    figures = []
    for task, draws in zip(tasks, x, strict=True):
        data, objective = task.query.repeated(len(draws)), task.objective
        outputs = network_outputs(architecture, task.shape, draws, data.x)
        together = objective.vote(outputs)
        figures.append(
            torch.stack(
                [
                    objective.losses(outputs, data.y).mean(),
                    objective.score(outputs, data.y).mean(),
                    objective.losses(together, task.query.y).mean(),
                    objective.score(together, task.query.y),
                ]
            )
        )
    single_loss, single_metric, vote_loss, vote_metric = torch.stack(figures, -1)
    return Vote(single_loss, single_metric, vote_loss, vote_metric, x.shape[1])
