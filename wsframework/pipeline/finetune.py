"""The fine-tuning stage: every initializer's weights, at the same budget, in the same minibatch order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from einops import rearrange
from torch import Tensor

from wsframework.config.sections import FinetuneSection
from wsframework.parts.interfaces import Architecture
from wsframework.pipeline.curves import Curves
from wsframework.randomness import generator
from wsframework.tasks import Task, TaskBatch, TaskShape
from wsframework.training import Budget, calibrated, query_scores, support_losses, train_networks

CHUNK = 256
EVALUATIONS = 60


def finetune(
    name: str,
    architecture: Architecture,
    tasks: Sequence[Task],
    x: Tensor,
    section: FinetuneSection,
    seed: int,
) -> Curves:
    """Train x (tasks, draws, size), each row on its task's support data, and record the way.

    Minibatch order depends on the seed, the tasks and the draw's number only, not on the initializer nor on how many
    draws there are, so that initializers are compared pairwise, and the best of several with its own first draw.
    """
    count, draws, _ = x.shape
    records = [
        _finetune_chunk(architecture, tasks[at : at + CHUNK], x[at : at + CHUNK, k], section,
                        generator(seed, "finetune", k * count + at))
        for k in range(draws)
        for at in range(0, count, CHUNK)
    ]  # fmt: skip
    merged = {
        key: rearrange(torch.cat([r.tensors[key] for r in records]), "(draws tasks) at -> tasks draws at", draws=draws)
        for key in records[0].tensors
    }
    return Curves.from_tensors(name, records[0].steps, merged)


class _Record:
    """The figures of one chunk of networks as they train."""

    def __init__(self, architecture: Architecture, shape: TaskShape, tasks: TaskBatch, steps: int, x: Tensor) -> None:
        self.architecture, self.shape, self.batch = architecture, shape, tasks
        self.steps = evaluation_steps(steps)
        self.rows: dict[str, list[Tensor]] = {
            key: [] for key in ("train_loss", "query_loss", "query_metric", "epoch_loss", "step_loss")
        }
        self._minibatch: list[Tensor] = []
        self._at_epoch(x)
        self.rows["step_loss"].append(self._loss(x))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Every figure, (networks, length)."""
        return {key: torch.stack(values, -1) for key, values in self.rows.items()}

    def after(self, step: int, epoch_ends: bool, x: Tensor, losses: Tensor) -> None:
        """Note what a gradient step gave."""
        self._minibatch.append(losses)
        if epoch_ends:
            self.rows["epoch_loss"].append(torch.stack(self._minibatch).mean(0))
            self._minibatch = []
            self._at_epoch(x)
        if step in self.steps:
            self.rows["step_loss"].append(self.rows["train_loss"][-1] if epoch_ends else self._loss(x))

    def _at_epoch(self, x: Tensor) -> None:
        self.rows["train_loss"].append(self._loss(x))
        x = calibrated(self.architecture, self.shape, x, self.batch.support.x)
        loss, score = query_scores(self.architecture, self.shape, x, self.batch)
        self.rows["query_loss"].append(loss)
        self.rows["query_metric"].append(score)

    def _loss(self, x: Tensor) -> Tensor:
        return support_losses(self.architecture, self.shape, x, self.batch)


def _finetune_chunk(
    architecture: Architecture, tasks: Sequence[Task], x: Tensor, section: FinetuneSection, order: torch.Generator
) -> _Record:
    batch = TaskBatch.of(tasks)
    budget = _budget(section, batch)
    record = _Record(architecture, tasks[0].shape, batch, budget.steps, x)
    for moment in train_networks(architecture, tasks[0].shape, x, batch, budget, order):
        last = moment.step == budget.steps
        record.after(moment.step, moment.epoch_ends or last, moment.x, moment.losses)
    return record


def _budget(section: FinetuneSection, batch: TaskBatch) -> Budget:
    points = batch.support.x.shape[1]
    budget = Budget.of_epochs(section.epochs, section.lr, section.batch, points, section.drop_last)
    return replace(budget, steps=section.steps) if section.steps else budget


def finetuned(
    architecture: Architecture, tasks: Sequence[Task], x: Tensor, section: FinetuneSection, seed: int
) -> Tensor:
    """Where the same budget takes x, (tasks, size): calibrated networks; minibatch order as with every initializer."""
    batch, shape = TaskBatch.of(tasks), tasks[0].shape
    order = generator(seed, "pictures")
    for moment in train_networks(architecture, shape, x, batch, _budget(section, batch), order):
        reached = moment.x
    return calibrated(architecture, shape, reached, batch.support.x)


def evaluation_steps(budget: int) -> tuple[int, ...]:
    """Step numbers at which the support loss is taken: every early step, then evenly on a log scale, and the last."""
    ratio = budget ** (1 / EVALUATIONS)
    grid: Iterator[int] = (round(ratio**k) for k in range(EVALUATIONS + 1))
    early = range(min(budget, EVALUATIONS // 3) + 1)
    return tuple(sorted({*early, *(step for step in grid if step <= budget), budget}))
