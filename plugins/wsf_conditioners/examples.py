"""The raw examples of a task as one vector: rows in places of their own, in an order that tells nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from wsf_conditioners.moments import classes
from wsframework.errors import PartError
from wsframework.parts.statistics import Statistics
from wsframework.tasks import Data, TaskShape


def rows(data: Data, shape: TaskShape) -> Tensor:
    """Every example as its inputs, and then its classes, one-hot, or its targets: (points, inputs + outputs), float32.

    Raises:
        PartError: where the targets are not what a network puts out, and may tell its answers.
    """
    y, outputs = data.y, math.prod(shape.outputs)
    y = y if y.is_floating_point() else nn.functional.one_hot(y, classes(shape))
    if y.flatten(1).shape[1] != outputs:
        raise PartError(
            f"examples with {y.flatten(1).shape[1]} targets were to be looked at, where a network has {outputs} "
            "outputs: these targets are for an objective of the tasks' own; conditioner 'code' describes tasks "
            "without them"
        )
    return torch.cat([data.x.flatten(1).float(), y.flatten(1).float()], 1)


def shuffled(examples: Tensor) -> Tensor:
    """Rows (points, n) in an order at random that depends on which rows there are, not on the order they came in."""
    plain = np.ascontiguousarray(examples.cpu().numpy() + 0.0)  # +0 for -0: equal rows are equal bytes
    order = np.argsort(plain.view(np.dtype((np.void, plain.shape[1] * plain.itemsize))).ravel())
    drawn = torch.randperm(len(order), generator=torch.Generator().manual_seed(len(order)))
    return examples[torch.as_tensor(order)[drawn].to(examples.device)]


@dataclass(frozen=True)
class Places:
    """Where examples stand in a vector: ``kept`` places for each group, each with a row and with 1 if it is taken.

    Groups are the classes, where examples have one each; else all examples are in the first one.
    """

    shape: TaskShape
    kept: int

    @property
    def groups(self) -> int:
        """How many there are."""
        return classes(self.shape) if len(self.shape.outputs) == 1 else 1

    @property
    def row(self) -> int:
        """Numbers of an example, without the one for its place."""
        return math.prod(self.shape.inputs) + math.prod(self.shape.outputs)

    def filled(self, data: Data) -> Tensor:
        """The examples, of each group ``kept`` at most: (groups * kept * (row + 1),), zeros in empty places."""
        found, y = rows(data, self.shape), data.y
        apart = not y.is_floating_point() and y.dim() == 1
        vector = found.new_zeros(self.groups, self.kept, self.row + 1)
        for group in range(self.groups if apart else 1):
            mine = shuffled(found[y == group] if apart else found)[: self.kept]
            vector[group, : len(mine), :-1] = mine
            vector[group, : len(mine), -1] = 1
        return vector.flatten()

    def read(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (batch, groups, kept, row), and which places are taken, (batch, groups, kept), from the vectors."""
        places = features.reshape(len(features), self.groups, self.kept, self.row + 1)
        return places[..., :-1], places[..., -1] > 0.5

    def statistics(self, features: Tensor) -> Statistics:
        """One scale for each number of an example, over all of all tasks; whether places are taken has none."""
        found, taken = self.read(features)
        known = Statistics.of(found[taken] if taken.any() else found.flatten(0, 2))
        zero, one = features.new_zeros(1), features.new_ones(1)
        low, high = known.low.clamp(max=0), known.high.clamp(min=0)  # an empty place is within
        values = ((known.mean, zero), (known.deviation, one), (low, zero), (high, one))
        return Statistics(*(torch.cat(pair).repeat(self.groups * self.kept) for pair in values))

    def called(self) -> list[str]:
        """What the numbers are, in words."""
        inputs, outputs = math.prod(self.shape.inputs), math.prod(self.shape.outputs)
        example = [f"input {i + 1} of an example" for i in range(inputs)]
        example += [f"answer {j + 1} of an example" for j in range(outputs)]
        return [*example, "whether there is an example"] * (self.groups * self.kept)
