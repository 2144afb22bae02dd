"""What an engine is given: all that the blocks of a zoo are made of, small enough to be sent anywhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

import torch
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import PartConfig, TasksSection, ZooSection
from wsframework.device import one_thread
from wsframework.parts.interfaces import Architecture, TaskFamily
from wsframework.parts.registry import Registry
from wsframework.randomness import generator
from wsframework.tasks import Task, TaskBatch
from wsframework.training import Budget, calibrated, support_losses, train_networks


class Trained(NamedTuple):
    """One block: networks x (networks, size), their support losses and task numbers (networks,), and its seconds."""

    x: Tensor
    loss: Tensor
    task_index: Tensor
    seconds: float


@dataclass(frozen=True, eq=False)
class Work:
    """A zoo's recipe. Whoever holds it can train any block, and gets the same numbers on the same kind of machine.

    Attributes:
        registry: where the parts are looked up.
        tasks, network, zoo: sections of a config.
        seed: the root of all randomness.
    """

    registry: Registry
    tasks: TasksSection
    network: PartConfig
    zoo: ZooSection
    seed: int

    @cached_property
    def architecture(self) -> Architecture:
        """What is trained."""
        return cast(Architecture, build(self.registry, "architecture", self.network))

    @cached_property
    def seen(self) -> Sequence[Task]:
        """The tasks that networks are trained for, drawn once a process."""
        family = cast(TaskFamily, build(self.registry, "task_family", self.tasks.part))
        tasks = self.tasks
        return family.draw(tasks.seen, tasks.validation, tasks.held_out, generator(self.seed, "tasks")).seen

    def trained(self, block: int) -> Trained:
        """Block number ``block``, trained on one thread."""
        start = time.perf_counter()
        size, seen = self.zoo.block, self.seen
        index = torch.arange(block * size, (block + 1) * size) % len(seen)
        with one_thread():
            x, loss = train_block(
                self.architecture, [seen[i] for i in index], self.zoo, generator(self.seed, "zoo", block)
            )
        return Trained(x, loss, index, time.perf_counter() - start)


def train_block(
    architecture: Architecture, tasks: Sequence[Task], section: ZooSection, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One network for each task, side by side: weights (tasks, size) and final support losses (tasks,)."""
    shape, batch = tasks[0].shape, TaskBatch.of(tasks)
    x = architecture.initialize(shape, len(tasks), generator)
    budget = Budget.of_epochs(section.epochs, section.lr, section.batch, batch.support.x.shape[1])
    for moment in train_networks(architecture, shape, x, batch, budget, generator):
        x = moment.x
    x = calibrated(architecture, shape, x, batch.support.x)
    return x, support_losses(architecture, shape, x, batch)
