"""Synthetic Gaussian classification (the paper's section 4), from trivial to hard."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor

from wsf_tasks.independent import independent
from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least
from wsframework.tasks import OBJECTIVES, Data, Split, Task, TaskShape, TaskSplits

Arrangement = Literal["opposite", "scattered", "rings"]
Count = Annotated[int, Least(1)]
Length = Annotated[float, Least(0)]


class Gaussians(TaskFamily):
    """Classes made of Gaussian modes, or of rings, in a plane or a space; a new arrangement every task.

    ``opposite``: class means at ``c + separation * u_k``, c ~ N(0, I), with the unit vectors u_k evenly spread
    (two classes: u and -u; on a line, no more than these). ``scattered``: every mode's mean
    ~ N(0, separation^2 I). ``rings``: class k lies at distance ``separation * (k + 1)`` from c in a random
    direction, so that no line separates the classes.

    Options:
        classes: number of classes.
        dimension: coordinates of an example.
        arrangement: as above.
        separation: how far apart, in units of the input.
        spread: standard deviation of a mode, drawn uniformly from this interval for each mode.
        modes: Gaussian modes a class (``scattered`` only).
        points: support examples a task.
        query: query examples a task.
        imbalance: class fractions are softmax(imbalance * N(0, I)); 0 gives equal classes.
    """

    name = "gaussians"

    def __init__(
        self,
        *,
        classes: Annotated[int, Least(2)] = 2,
        dimension: Count = 2,
        arrangement: Arrangement = "opposite",
        separation: Length = 4.0,
        spread: tuple[Length, Length] = (1.0, 1.0),
        modes: Count = 1,
        points: Count = 200,
        query: Count = 200,
        imbalance: Length = 0.0,
    ) -> None:
        if modes > 1 and arrangement != "scattered":
            raise PartError(f"gaussians: modes = {modes} needs arrangement = 'scattered', not {arrangement!r}")
        if arrangement == "opposite" and dimension == 1 and classes > 2:
            raise PartError(f"gaussians: a line has two ends; {classes} opposite classes need dimension = 2 or more")
        if min(points, query) < classes:
            raise PartError(f"gaussians: {classes} classes need at least {classes} support and query points")
        if spread[0] > spread[1]:
            raise PartError(f"gaussians: spread = {list(spread)} is no interval; its ends are the other way round")
        self.classes, self.dimension, self.arrangement = classes, dimension, arrangement
        self.separation, self.spread, self.modes = separation, spread, modes
        self.points, self.query, self.imbalance = points, query, imbalance

    @property
    def shape(self) -> TaskShape:
        """One coordinate a dimension in, one logit a class out."""
        return TaskShape((self.dimension,), (self.classes,))

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Independent tasks; those of a split don't depend on the others' sizes."""
        drawn = "Tasks of all splits were drawn independently from one distribution."
        return independent(self._task, (seen, validation, held_out), generator, drawn)

    def _task(self, split: Split, name: str, generator: torch.Generator) -> Task:
        means = self._means(generator)
        low, high = self.spread
        deviations = low + (high - low) * torch.rand(self.classes, self.modes, generator=generator)
        fractions = torch.softmax(self.imbalance * torch.randn(self.classes, generator=generator), 0)
        support, query = (self._examples(n, means, deviations, fractions, generator) for n in (self.points, self.query))
        return Task(name, self.shape, support, query, OBJECTIVES["classification"])

    def _means(self, generator: torch.Generator) -> Tensor:
        """Means of all modes, (classes, modes, dimension)."""
        if self.arrangement == "scattered":
            return self.separation * torch.randn(self.classes, self.modes, self.dimension, generator=generator)
        center = torch.randn(self.dimension, generator=generator)
        if self.arrangement == "rings":
            return center.expand(self.classes, 1, self.dimension)
        directions = _spread_directions(self.classes, self.dimension, generator)
        return (center + self.separation * directions).unsqueeze(1)

    def _examples(
        self, count: int, means: Tensor, deviations: Tensor, fractions: Tensor, generator: torch.Generator
    ) -> Data:
        y = torch.repeat_interleave(torch.arange(self.classes), _counts(count, fractions))
        mode = torch.randint(self.modes, (count,), generator=generator)
        noise = torch.randn(count, self.dimension, generator=generator) * deviations[y, mode].unsqueeze(-1)
        x = means[y, mode] + noise
        if self.arrangement == "rings":
            direction = torch.nn.functional.normalize(torch.randn(x.shape, generator=generator), dim=-1)
            x = x + self.separation * (y + 1).unsqueeze(-1) * direction
        return Data(x, y)


def _spread_directions(classes: int, dimension: int, generator: torch.Generator) -> Tensor:
    """Unit vectors evenly spread on a circle in a random plane, (classes, dimension); on a line, both ends."""
    frame = torch.linalg.qr(torch.randn(dimension, min(2, dimension), generator=generator)).Q
    angle = 2 * math.pi * (torch.arange(classes) / classes + torch.rand((), generator=generator))
    if dimension == 1:
        sign = torch.randint(2, (), generator=generator) * 2 - 1
        return (sign * (-1.0) ** torch.arange(classes)).unsqueeze(-1)
    directions: Tensor = torch.stack([angle.cos(), angle.sin()], -1) @ frame.T
    return directions


def _counts(count: int, fractions: Tensor) -> Tensor:
    """``count`` examples shared out by ``fractions`` (largest remainders), at least one a class."""
    spare = count - len(fractions)
    shares = fractions * spare
    counts = shares.floor().long()
    rest = spare - int(counts.sum())
    counts[(shares - counts).argsort(descending=True)[:rest]] += 1
    return counts + 1
