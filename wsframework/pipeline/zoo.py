"""The zoo stage: train a block of networks at a time, keep each as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from wsframework.config.sections import ZooSection
from wsframework.parts.interfaces import Architecture
from wsframework.randomness import generator
from wsframework.spaces import Weights
from wsframework.tasks import Task, TaskBatch
from wsframework.training import Budget, calibrated, support_losses, train_networks
from wsframework.zoo import Zoo
from wsframework.zoo_store import ZooStore


def build_zoo(
    store: ZooStore, architecture: Architecture, tasks: Sequence[Task], section: ZooSection, seed: int
) -> Iterator[int]:
    """Train the blocks that ``store`` lacks; yields the number of networks that it holds after each.

    Network i is trained for task ``i mod len(tasks)``. A block's numbers depend on the seed, the block's number
    and the recipe only: the last block is filled up with networks that are trained and then dropped.
    """
    lacking = missing(store, section)
    for block, count in enumerate(_counts(section)):
        if block in lacking:
            start = time.perf_counter()
            index = torch.arange(block * section.block, (block + 1) * section.block) % len(tasks)
            x, loss = train_block(architecture, [tasks[i] for i in index], section, generator(seed, "zoo", block))
            store.append(block, x[:count], loss[:count], index[:count], time.perf_counter() - start)
        yield block * section.block + count


def missing(store: ZooStore, section: ZooSection) -> list[int]:
    """The blocks that ``store`` does not hold, or holds too few networks of: the last one of a smaller zoo."""
    held, listed = store.blocks(), store.listed()
    return [b for b, count in enumerate(_counts(section)) if b not in held or listed[b].count < count]


def _counts(section: ZooSection) -> list[int]:
    """How many networks of each block belong to the zoo."""
    return [min(section.block, section.size - start) for start in range(0, section.size, section.block)]


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


def load_zoo(store: ZooStore, tasks: Sequence[Task], section: ZooSection) -> Zoo:
    """The first ``section.size`` networks that ``store`` holds, with their tasks."""
    tensors = store.load(range(len(_counts(section))))
    x, index, loss = (tensors[name][: section.size] for name in ("x", "task_index", "loss"))
    return Zoo(Weights(store.space(), x), index, tasks, loss)
