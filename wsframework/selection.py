"""Choosing among draws by what they make of a task's support data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsframework.parts.interfaces import Architecture
from wsframework.tasks import Data, Task
from wsframework.training import network_scores

DRAWS = 512
"""At most so many are drawn at once."""
EXAMPLES = 2**18
"""At most about so many go through networks at once, those of all networks together."""


@torch.no_grad()
def support_scores(architecture: Architecture, task: Task, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss and metric of networks x (draws, size) on the task's support data: both (draws,)."""
    space, shape = architecture.space(task.shape), task.shape
    data = Data(task.support.x.to(x.device), task.support.y.to(x.device))
    found = [
        network_scores(architecture, shape, space, rows, _repeated(data, len(rows)), task.objective)
        for rows in torch.split(x, max(1, EXAMPLES // max(1, len(data))))
    ]
    losses, scores = zip(*found, strict=True)
    return torch.cat(losses), torch.cat(scores)


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


def _repeated(data: Data, count: int) -> Data:
    return Data(data.x.expand(count, *data.x.shape), data.y.expand(count, *data.y.shape))
