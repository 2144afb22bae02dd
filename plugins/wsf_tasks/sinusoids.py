"""`Sinusoids`: sine waves, each known from a handful of points."""

from __future__ import annotations

import math
from typing import Annotated

import torch

from wsf_tasks.independent import independent
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

Count = Annotated[int, Least(1)]
REACH, PIXELS = 5, 128


class Sinusoids(TaskFamily):
    """Few-shot regression of sine waves: ``y = a sin(x - p)``, a ~ U(0.1, 5), p ~ U(0, pi), x ~ U(-5, 5).

    No two waves of these intervals are one function.

    Options:
        points: support examples a task: its shots.
        query: query examples a task.
        noise: standard deviation of what is added to the support targets; query targets have none.
        code: whether tasks are known by their code (a, p), and their text says it; otherwise by support data alone.
    """

    name = "sinusoids"
    paper = "Finn et al. 2017, arXiv:1703.03400"

    def __init__(
        self, *, points: Count = 10, query: Count = 100, noise: Annotated[float, Least(0)] = 0.0, code: bool = False
    ) -> None:
        self.points, self.query, self.noise, self.code = points, query, noise, code

    @property
    def shape(self) -> TaskShape:
        """One input, one output; a code of two numbers, or none."""
        return TaskShape((1,), (1,), 2 if self.code else 0)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Independent waves; those of a split don't depend on the others' sizes."""
        drawn = "Amplitudes and phases of all splits were drawn independently, uniformly."
        return independent(self._task, (seen, validation, held_out), generator, drawn)

    def canvas(self, task: Task) -> Data:
        """The wave, over all places that examples are drawn from."""
        x = torch.linspace(-REACH, REACH, PIXELS).unsqueeze(1)
        return Data(x, task.facts["amplitude"] * torch.sin(x - task.facts["phase"]))

    def _task(self, split: Split, name: str, generator: torch.Generator) -> Task:
        u, v = torch.rand(2, generator=generator).tolist()
        amplitude, phase = 0.1 + 4.9 * u, math.pi * v
        return Task(
            name=name,
            shape=self.shape,
            support=_examples(self.points, amplitude, phase, self.noise, generator),
            query=_examples(self.query, amplitude, phase, 0.0, generator),
            objective=OBJECTIVES["regression"],
            code=torch.tensor([amplitude, phase]) if self.code else None,
            text=f"the wave {amplitude:.3g} sin(x - {phase:.3g})" if self.code else f"a wave by {self.points} points",
            facts={"amplitude": amplitude, "phase": phase},
        )


def _examples(count: int, amplitude: float, phase: float, noise: float, generator: torch.Generator) -> Data:
    """Examples x, y (count, 1) of a wave."""
    x = REACH * (2 * torch.rand(count, 1, generator=generator) - 1)
    y = amplitude * torch.sin(x - phase) + noise * torch.randn(count, 1, generator=generator)
    return Data(x, y)
