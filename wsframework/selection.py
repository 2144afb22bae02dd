"""Choosing among draws by what they make of a task's support data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from wsframework.footprint import passes
from wsframework.parts.interfaces import Architecture
from wsframework.tasks import Data, Task
from wsframework.training import network_losses, network_scores

DRAWS = 512
"""At most so many are drawn at once."""


@torch.no_grad()
def support_scores(architecture: Architecture, task: Task, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean training loss and metric of networks x (draws, size) on the task's support data: both (draws,)."""
    space, shape = architecture.space(task.shape), task.shape
    found: list[tuple[Tensor, Tensor]] = []
    for some in passes(architecture, shape, len(x), len(task.support)):
        data = _repeated(task.support, len(x[some]), x.device)
        losses = network_losses(architecture, shape, space, x[some], data, task.objective)
        rows = architecture.calibrate(shape, x[some], data.x)
        found.append((losses, network_scores(architecture, shape, space, rows, data, task.objective)[1]))
    return torch.cat([losses for losses, _ in found]), torch.cat([scores for _, scores in found])


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


def _repeated(data: Data, count: int, device: torch.device) -> Data:
    x, y = data.x.to(device), data.y.to(device)
    return Data(x.expand(count, *x.shape), y.expand(count, *y.shape))
