"""Splits of tasks that are drawn one by one."""

from __future__ import annotations

from collections.abc import Callable

import torch

from wsframework.tasks import Split, Task, TaskSplits

SPLITS: tuple[Split, ...] = ("seen", "validation", "held_out")
Draw = Callable[[Split, str, torch.Generator], Task]
"""A task from its split, its name, and the split's generator."""


def independent(draw: Draw, counts: tuple[int, int, int], generator: torch.Generator, drawn: str) -> TaskSplits:
    """Tasks of each split; each has a seed of its own, so that its tasks don't depend on the others' sizes.

    Arguments:
        draw: one task.
        counts: how many tasks are seen, for validation, and held out.
        generator: of the seeds.
        drawn: the sentence of the splits.
    """
    seeds = torch.randint(2**62, (3,), generator=generator).tolist()
    streams = [torch.Generator().manual_seed(seed) for seed in seeds]
    tasks = {
        split: [draw(split, f"{split}-{i}", stream) for i in range(count)]
        for split, count, stream in zip(SPLITS, counts, streams, strict=True)
    }
    return TaskSplits(seen=tasks["seen"], validation=tasks["validation"], held_out=tasks["held_out"], drawn=drawn)
