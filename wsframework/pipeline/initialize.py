"""The initializing stage: what each initializer makes of the tasks that nobody saw."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import Config, PartConfig
from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Architecture, Initializer, Setting
from wsframework.parts.registry import Registry
from wsframework.randomness import generator
from wsframework.spaces import Weights, WeightSpace
from wsframework.store import load_tensors, save_tensors
from wsframework.tasks import Task, TaskBatch
from wsframework.training import calibrated


@dataclass(frozen=True, eq=False)
class Initial:
    """The weights that one initializer gives.

    Attributes:
        x: (tasks, draws, size); empty where it is not applicable.
        reason: why it is not applicable, or empty.
    """

    x: Tensor
    reason: str = ""

    def save(self, path: Path) -> None:
        """One safetensors file."""
        save_tensors(path, {"x": self.x.contiguous()}, {"reason": self.reason})

    @classmethod
    def load(cls, path: Path) -> Initial:
        """What `save` wrote."""
        tensors, metadata = load_tensors(path)
        return cls(tensors["x"], metadata["reason"])


def initialize(
    name: str, config: Config, registry: Registry, tasks: Sequence[Task], setting: Callable[[], Setting]
) -> Initial:
    """Fit the initializer ``name`` and draw from it for every task; more draws where the best of them is asked for."""
    part = PartConfig(name, config.compare.options.get(name, {}))
    initializer = cast(Initializer, build(registry, "initializer", part))
    draws = config.sample.draws
    if name in config.compare.best_of:
        draws = max(draws, config.sample.best_of)
    try:
        given = setting()
        initializer.fit(given)
        x = initializer.weights(tasks, draws, generator(config.seed, "initialize", name))
    except NotApplicable as error:
        return Initial(torch.zeros(0), str(error))
    return Initial(_calibrated(given.architecture, tasks, x.detach().cpu()))


def _calibrated(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Tensor:
    """Draws x (tasks, draws, size) with the statistics of their tasks' support inputs, whatever they came with."""
    inputs = TaskBatch.of(tasks).support.x
    return torch.stack([calibrated(architecture, tasks[0].shape, row, inputs) for row in x.unbind(1)], 1)


def save_samples(space: WeightSpace, tasks: Sequence[Task], x: Tensor, folder: Path) -> None:
    """``folder/TASK/K.safetensors`` for draws x (tasks, draws, size): each one a state dict, and no others."""
    if folder.exists():
        shutil.rmtree(folder)
    for task, rows in zip(tasks, x, strict=True):
        (folder / task.name).mkdir(parents=True, exist_ok=True)
        for k, state in enumerate(Weights(space, rows)):
            save_tensors(folder / task.name / f"{k}.safetensors", state, {})
