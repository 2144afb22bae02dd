"""Where networks draw the line: classes over the plane, for tasks of two inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.tasks import OBJECTIVES, Task

SIDE, MARGIN = 64, 0.08
"""Cells along each side, and the room around the examples as a share of their extent."""
DOTS = 80
"""So many of the query examples are shown."""
COLOURS = torch.tensor(
    [[63, 144, 218], [255, 169, 14], [131, 45, 182], [92, 154, 92], [169, 107, 89], [59, 182, 196]]
).div(255)
"""Of the classes, in turn: a part of Petroff 2021 (arXiv:2107.02270)."""
PALE, DARK = 0.5, 0.75
"""How much of the colour a cell has, and a dot."""


def lies_in_the_plane(task: Task) -> bool:
    """Whether the task is to classify points of the plane."""
    return task.shape.inputs == (2,) and len(task.shape.outputs) == 1 and task.objective == OBJECTIVES["classification"]


def grid(task: Task) -> Tensor:
    """Centres of cells over all examples of the task, rows from the top, (SIDE * SIDE, 2)."""
    low, high = _extent(task)
    across = low + (high - low) * ((torch.arange(SIDE).unsqueeze(-1) + 0.5) / SIDE)
    return torch.stack([across[:, 0].repeat(SIDE), across[:, 1].flip(0).repeat_interleave(SIDE)], -1)


def regions(task: Task, outputs: Tensor) -> Tensor:
    """Logits (SIDE * SIDE, classes) on the grid as an image (SIDE, SIDE, 3): colours mixed by probability."""
    share = outputs.softmax(-1).nan_to_num(1 / outputs.shape[-1])
    image = 1 - PALE * share @ (1 - _colours(outputs.shape[-1]))
    return dotted(task, image.reshape(SIDE, SIDE, 3))


def examples(task: Task) -> Tensor:
    """The examples alone, on white: (SIDE, SIDE, 3)."""
    return dotted(task, torch.ones(SIDE, SIDE, 3))


def dotted(task: Task, image: Tensor) -> Tensor:
    """The image with query examples on it, each a dot of its class's colour."""
    found, data = image.clone(), task.query.limited(DOTS)
    low, high = _extent(task)
    at = ((data.x - low) / (high - low) * SIDE).long().clamp(1, SIDE - 2)
    for (column, row), colour in zip(at.tolist(), DARK * _colours(task.shape.outputs[0])[data.y], strict=True):
        found[SIDE - 1 - row : SIDE + 1 - row, column : column + 2] = colour
    return found


def _extent(task: Task) -> tuple[Tensor, Tensor]:
    """The lower left and the upper right corner, (2,) each."""
    x = torch.cat([task.support.x, task.query.x])
    low, high = x.amin(0), x.amax(0)
    room = MARGIN * (high - low) + 1e-6
    return low - room, high + room


def _colours(classes: int) -> Tensor:
    return COLOURS[torch.arange(classes) % len(COLOURS)]
