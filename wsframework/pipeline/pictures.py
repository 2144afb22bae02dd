"""Pictures of what networks say: beside the truth, before any step and after fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.config.sections import FinetuneSection
from wsframework.parts.interfaces import Architecture, TaskFamily
from wsframework.pipeline.finetune import finetuned
from wsframework.pipeline.stage import StageCache, Staged
from wsframework.store import load_tensors, save_tensors
from wsframework.tasks import Data, Task

SHOWN = 3
"""So many tasks are shown, the first ones."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What the networks of every initializer say of one task.

    Attributes:
        task: its description.
        at: for curves, the inputs (points,) that they run over; None: all below are images.
        truth: the right outputs (points, outputs), or an image (height, width) or (height, width, 3).
        before, after: of each initializer, shaped as ``truth``: before any step and after fine-tuning.
    """

    task: str
    at: Tensor | None
    truth: Tensor
    before: Mapping[str, Tensor]
    after: Mapping[str, Tensor]


def can_show(family: TaskFamily, tasks: Sequence[Task]) -> bool:
    """Whether the family has a canvas for each of these tasks."""
    return all(family.canvas(task) is not None for task in tasks)


def all_finetuned(
    cache: StageCache,
    made_from: str,
    architecture: Architecture,
    tasks: Sequence[Task],
    before: Mapping[str, Tensor],
    section: FinetuneSection,
    seed: int,
) -> Staged[dict[str, Tensor]]:
    """Where fine-tuning takes the networks of each initializer, (tasks, size); kept as ``pictures.safetensors``."""
    return cache.stage(
        "pictures",
        made_from,
        lambda: {name: finetuned(architecture, tasks, x, section, seed) for name, x in before.items()},
        lambda after, folder: save_tensors(folder / "pictures.safetensors", after),
        lambda folder: load_tensors(folder / "pictures.safetensors")[0],
    )


@torch.no_grad()
def look(
    family: TaskFamily,
    architecture: Architecture,
    tasks: Sequence[Task],
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
) -> list[Shown]:
    """What networks ``before`` and ``after`` fine-tuning, each (tasks, size), say of these tasks."""
    found = []
    for place, task in enumerate(tasks):
        canvas = family.canvas(task)
        assert canvas is not None
        said = [
            {name: _seen(family, canvas, _outputs(architecture, task, x[place], canvas)) for name, x in stage.items()}
            for stage in (before, after)
        ]
        at = canvas.x.flatten() if _is_curve(canvas) else None
        found.append(Shown(task.text or task.name, at, _seen(family, canvas, canvas.y), *said))
    return found


def _outputs(architecture: Architecture, task: Task, x: Tensor, canvas: Data) -> Tensor:
    """Of one network (size,) on a canvas: (points, *outputs)."""
    parameters = architecture.space(task.shape).unflatten(x.unsqueeze(0))
    return architecture.apply(task.shape, parameters, canvas.x.unsqueeze(0)).squeeze(0)


def _seen(family: TaskFamily, canvas: Data, outputs: Tensor) -> Tensor:
    return outputs.flatten(1) if _is_curve(canvas) else family.picture(outputs)


def _is_curve(canvas: Data) -> bool:
    return canvas.x[0].numel() == 1
