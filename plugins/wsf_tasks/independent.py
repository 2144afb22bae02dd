"""Splits whose tasks don't depend on the sizes of the others."""

from __future__ import annotations

from collections.abc import Callable

import torch

from wsframework.tasks import Split, Task, TaskSplits

SPLITS: tuple[Split, ...] = ("seen", "validation", "held_out")
Draw = Callable[[Split, str, torch.Generator], Task]
"""A task from its split, its name, and the split's generator."""
DrawAll = Callable[[Split, int, torch.Generator], list[Task]]
"""So many tasks from their split and its generator."""


def independent(draw: Draw, counts: tuple[int, int, int], generator: torch.Generator, drawn: str) -> TaskSplits:
    """Tasks of each split, drawn one by one with the split's own seed.

    Arguments:
        draw: one task.
        counts: how many tasks are seen, for validation, and held out.
        generator: of the seeds.
        drawn: the sentence of the splits.
    """
    return seeded(
        lambda split, count, stream: [draw(split, f"{split}-{i}", stream) for i in range(count)],
        counts,
        generator,
        drawn,
    )


def seeded(draw: DrawAll, counts: tuple[int, int, int], generator: torch.Generator, drawn: str) -> TaskSplits:
    """The same of tasks that are drawn all together."""
    seeds = torch.randint(2**62, (3,), generator=generator).tolist()
    seen, validation, held_out = (
        draw(split, count, torch.Generator().manual_seed(seed))
        for split, count, seed in zip(SPLITS, counts, seeds, strict=True)
    )
    return TaskSplits(seen, validation, held_out, drawn)
