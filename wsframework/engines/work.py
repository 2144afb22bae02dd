"""What an engine is given: all that the blocks of a zoo are made of, small enough to be sent anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import PartConfig, TasksSection, ZooSection
from wsframework.device import one_thread
from wsframework.parts.interfaces import Architecture, TaskFamily
from wsframework.parts.registry import Registry
from wsframework.randomness import generator
from wsframework.spaces import Weights
from wsframework.tasks import Task, TaskBatch, TaskShape
from wsframework.training import Budget, Moment, calibrated, support_losses, train_networks
from wsframework.zoo import Snapshot
from wsframework.zoo_store import along


class Trained(NamedTuple):
    """One block: networks x (networks, size), their support losses and task numbers (networks,), and its seconds.

    ``further`` are weights and losses along the training, as a shard calls them (`zoo_store.along`).
    """

    x: Tensor
    loss: Tensor
    task_index: Tensor
    seconds: float
    further: Mapping[str, Tensor]


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

    def __getstate__(self) -> dict[str, Any]:
        """The recipe alone, for another process: drawn tasks are thousands of tensors, each of them an open file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def trained(self, block: int) -> Trained:
        """Block number ``block``, trained on one thread."""
        start = time.perf_counter()
        size, seen = self.zoo.block, self.seen
        index = torch.arange(block * size, (block + 1) * size) % len(seen)
        with one_thread():
            *way, end = train_block(
                self.architecture, [seen[i] for i in index], self.zoo, generator(self.seed, "zoo", block)
            )
        return Trained(end.weights.x, end.loss, index, time.perf_counter() - start, _further(way))


def train_block(
    architecture: Architecture, tasks: Sequence[Task], section: ZooSection, generator: torch.Generator
) -> list[Snapshot]:
    """One network for each task, side by side: after each epoch of ``section.checkpoints``, and at the end."""
    shape, batch, wanted = tasks[0].shape, TaskBatch.of(tasks), {*section.checkpoints, section.epochs}
    x = architecture.initialize(shape, len(tasks), generator)
    budget = Budget.of_epochs(section.epochs, section.lr, section.batch, batch.support.x.shape[1])
    reached = _epochs(x, train_networks(architecture, shape, x, batch, budget, generator))
    return [_snapshot(architecture, shape, epoch, x, batch) for epoch, x in reached if epoch in wanted]


def _epochs(x: Tensor, moments: Iterator[Moment]) -> Iterator[tuple[int, Tensor]]:
    """The networks x (networks, size) as they begin, and after each epoch; valid until the next."""
    epoch = 0
    yield epoch, x
    for moment in moments:
        if moment.epoch_ends:
            epoch += 1
            yield epoch, moment.x


def _snapshot(architecture: Architecture, shape: TaskShape, epoch: int, x: Tensor, batch: TaskBatch) -> Snapshot:
    """The networks x (tasks, size) with the statistics of their inputs, and their losses on all support data."""
    x = calibrated(architecture, shape, x, batch.support.x)
    return Snapshot(epoch, Weights(architecture.space(shape), x), support_losses(architecture, shape, x, batch))


def _further(way: Sequence[Snapshot]) -> dict[str, Tensor]:
    """The tensors of a shard that hold ``way``."""
    return {name: value for s in way for name, value in zip(along(s.epoch), (s.weights.x, s.loss), strict=True)}
