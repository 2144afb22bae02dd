"""Whether a generated network lies in the same basin as the zoo network nearest to it: the barrier between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.alignment import align, barrier, canonical
from wsframework.parts.interfaces import Architecture
from wsframework.spaces import Weights
from wsframework.tasks import Task, TaskBatch
from wsframework.training import support_losses

POINTS = 11
"""Of a line, its ends among them."""


def nearest_aligned(x: Weights, zoo: Weights) -> tuple[Weights, Tensor]:
    """The network of the zoo nearest to each of x, as it lies and aligned to it.

    All networks are first aligned to one of the zoo, and the nearest is looked for there; it is then aligned to x
    itself. The place of each is in the scales of least norm (`canonical`).

    Returns:
        the aligned networks, as many as x, and the positions in the zoo of those they are, (networks,).
    """
    anchor = canonical(Weights(zoo.space, zoo.x[:1])).weights
    ours, theirs = (align(canonical(given).weights, anchor).weights.x for given in (x, zoo))
    index = torch.cdist(ours.double(), theirs.double()).argmin(1)
    return align(Weights(zoo.space, zoo.x[index]), x).weights, index


def barriers(architecture: Architecture, tasks: Sequence[Task], a: Weights, b: Weights) -> Tensor:
    """The loss barrier on each task's support data between the network of a and that of b in its row: (tasks,)."""
    space, heights = a.space, []
    for task, ours, theirs in zip(tasks, a.x, b.x, strict=True):
        support = task.support.repeated(POINTS)
        batch = TaskBatch(support, support, task.objective)

        def loss(line: dict[str, Tensor], task: Task = task, batch: TaskBatch = batch) -> Tensor:
            return support_losses(architecture, task.shape, space.flatten(line), batch)

        start, end = space.unflatten(ours), space.unflatten(theirs)
        heights.append(barrier(loss, start, end, POINTS, batched=True).height)
    return torch.tensor(heights, dtype=torch.float64)
