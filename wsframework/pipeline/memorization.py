"""The audit stage: whether what the prior gives for tasks never seen are networks of its zoo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsframework.audit import audit, largest_overlap
from wsframework.audit.auditing import Overlap
from wsframework.config.sections import AuditSection
from wsframework.parts.interfaces import Architecture
from wsframework.spaces import Weights
from wsframework.tasks import Task
from wsframework.training import network_outputs
from wsframework.zoo import Zoo

POINTS = 100
"""Query examples of each task on which mistakes are compared."""
WORK = 2**31
"""Weights times examples that answers are computed with: what bounds how many of the zoo's mistakes are looked at."""


def memorization(
    architecture: Architecture, tasks: Sequence[Task], x: Tensor, zoo: Zoo, section: AuditSection, seed: int
) -> dict[str, Any]:
    """The facts of the audit of weights x (tasks, draws, size), of each task the first draw.

    Mistakes are compared where tasks have classes: those of a sample on its own task's query data, and those of the
    zoo's networks, evenly spread over it, on the same data.
    """
    some, rows = _spread(len(x), section.samples), _spread(len(zoo), section.zoo)
    judged, kept = [tasks[i] for i in some], Weights(zoo.weights.space, zoo.weights.rows(rows))
    homes = [zoo.tasks[i] for i in zoo.task_index[rows].tolist()]
    overlap = _overlap(architecture, judged, homes, kept) if tasks[0].objective.metric == "accuracy" else None
    samples = Weights(kept.space, x[some, 0])
    return audit(samples, kept, candidates=section.candidates, overlap=overlap, seed=seed).facts()


def _overlap(architecture: Architecture, tasks: Sequence[Task], homes: Sequence[Task], zoo: Weights) -> Overlap:
    """Of networks for ``tasks``, or of the zoo's own on their ``homes``, with some of the zoo."""
    count = max(1, WORK // (8 * len(tasks) * POINTS * zoo.space.size))
    compared = _spread(len(zoo), count)

    def overlap(networks: Tensor, own: Tensor | None) -> Tensor:
        asked = tasks if own is None else [homes[i] for i in own.tolist()]
        found = []
        for i, (row, task) in enumerate(zip(networks, asked, strict=True)):
            others = compared if own is None else compared[compared != own[i]]
            wrong = _wrong(architecture, task, torch.cat([row.unsqueeze(0), zoo.x[others]]))
            found.append(largest_overlap(wrong[:1], wrong[1:]))
        return torch.cat(found)

    return overlap


def _wrong(architecture: Architecture, task: Task, x: Tensor) -> Tensor:
    """Where networks x (networks, size) err on query data of the task: (networks, points)."""
    data = task.query.limited(POINTS)
    outputs = network_outputs(architecture, task.shape, x, data.repeated(len(x)).x)
    return (outputs.argmax(-1) != data.y).flatten(1)


def _spread(length: int, most: int) -> Tensor:
    """So many numbers below ``length``, evenly spread (0: all of them)."""
    if not most or most >= length:
        return torch.arange(length)
    return torch.linspace(0, length - 1, most, dtype=torch.float64).round().long()
