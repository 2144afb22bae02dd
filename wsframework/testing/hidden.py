"""What a part may not look at in a task, exchanged: query data, facts, name, names of classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from wsframework.tasks import Data, Task


def _other_query(task: Task) -> Task:
    """Other inputs, fewer examples, and those of the last classes, or with large targets, only."""
    x, y = task.query.x, task.query.y
    order = torch.argsort(y.flatten(1)[:, 0] if y.dim() > 1 else y, descending=True)
    kept = order[: max(len(y) // 2, 1)]
    return replace(task, query=Data(1 - 2 * x[kept], y[kept]))


def _no_facts(task: Task) -> Task:
    return replace(task, facts={})


def _other_facts(task: Task) -> Task:
    return replace(task, facts={**{name: -1 - value for name, value in task.facts.items()}, "other": 1.0})


def _other_name(task: Task) -> Task:
    return replace(task, name="other")


def _other_classes(task: Task) -> Task:
    return replace(task, classes=tuple(f"class {k}" for k in range(task.shape.outputs[0])))


EXCHANGES: tuple[tuple[str, Callable[[Task], Task]], ...] = (
    ("query data", _other_query),
    ("facts", _no_facts),
    ("facts", _other_facts),
    ("name", _other_name),
    ("names of classes", _other_classes),
)
"""What is exchanged, and how; the task that comes out shares the rest with the one that goes in."""
