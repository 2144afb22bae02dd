"""Pictures of what networks say: beside the truth, before any step and after fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from wsframework.config.sections import FinetuneSection
from wsframework.parts.interfaces import Architecture, TaskFamily
from wsframework.pipeline.finetune import finetuned
from wsframework.pipeline.plane import examples, grid, lies_in_the_plane, regions
from wsframework.pipeline.stage import StageCache, Staged
from wsframework.store import load_tensors, remove_file, save_tensors
from wsframework.tasks import Task

SHOWN = 3
"""So many tasks are shown, the first ones."""
SHOWN_FILE = "shown.safetensors"
"""Where a run's folder keeps what was shown."""


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


@dataclass(frozen=True, eq=False)
class View:
    """How the networks of one task are looked at.

    Attributes:
        x: inputs (points, *inputs).
        truth, at: as in `Shown`.
        seen: makes of outputs (points, *outputs) what is shown of them, shaped as ``truth``.
    """

    x: Tensor
    truth: Tensor
    at: Tensor | None
    seen: Callable[[Tensor], Tensor]


def view(family: TaskFamily, task: Task) -> View | None:
    """By the family's canvas, or over the plane where a task is to classify its points; None: there is no way."""
    canvas = family.canvas(task)
    if canvas is None:
        return View(grid(task), examples(task), None, partial(regions, task)) if lies_in_the_plane(task) else None
    if canvas.x[0].numel() == 1:
        return View(canvas.x, canvas.y.flatten(1), canvas.x.flatten(), lambda outputs: outputs.flatten(1))
    return View(canvas.x, family.picture(canvas.y), None, family.picture)


def can_show(family: TaskFamily, tasks: Sequence[Task]) -> bool:
    """Whether there is a view of each of these tasks."""
    return all(view(family, task) is not None for task in tasks)


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
        way = view(family, task)
        assert way is not None
        said = [
            {name: way.seen(_outputs(architecture, task, x[place], way.x)) for name, x in stage.items()}
            for stage in (before, after)
        ]
        found.append(Shown(task.text or task.name, way.at, way.truth, *said))
    return found


def _outputs(architecture: Architecture, task: Task, x: Tensor, inputs: Tensor) -> Tensor:
    """Of one network (size,) at inputs (points, *inputs): (points, *outputs)."""
    parameters = architecture.space(task.shape).unflatten(x.unsqueeze(0))
    return architecture.apply(task.shape, parameters, inputs.unsqueeze(0)).squeeze(0)


def save_shown(pictures: Sequence[Shown], path: Path) -> None:
    """One safetensors file, or, of no pictures, none."""
    if not pictures:
        return remove_file(path)
    tensors: dict[str, Tensor] = {}
    for place, one in enumerate(pictures):
        tensors |= {f"{place}.truth": one.truth, **({} if one.at is None else {f"{place}.at": one.at})}
        tensors |= {f"{place}.before.{name}": values for name, values in one.before.items()}
        tensors |= {f"{place}.after.{name}": values for name, values in one.after.items()}
    names = {"tasks": [one.task for one in pictures], "initializers": list(pictures[0].before)}
    return save_tensors(path, tensors, {key: json.dumps(value) for key, value in names.items()})


def load_shown(path: Path) -> list[Shown]:
    """What `save_shown` wrote."""
    if not path.exists():
        return []
    tensors, told = load_tensors(path)
    names = json.loads(told["initializers"])

    def of(place: int, stage: str) -> dict[str, Tensor]:
        return {name: tensors[f"{place}.{stage}.{name}"] for name in names}

    return [
        Shown(task, tensors.get(f"{k}.at"), tensors[f"{k}.truth"], of(k, "before"), of(k, "after"))
        for k, task in enumerate(json.loads(told["tasks"]))
    ]
