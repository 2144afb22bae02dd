"""`TaskFamily`: tasks, and how to draw them."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from wsframework.parts.interfaces.part import Part
from wsframework.tasks import Data, Task, TaskShape, TaskSplits


class TaskFamily(Part):
    """Draws tasks: seen, validation and held out, disjoint."""

    kind = "task_family"

    @property
    @abstractmethod
    def shape(self) -> TaskShape:
        """Sizes of the inputs, outputs and code of every task of this family."""

    @abstractmethod
    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Disjoint splits of the given sizes; where it can be, the seen tasks come first out of the generator.

        Raises:
            RequestError: where the family has fewer tasks than asked for.
        """

    def canvas(self, task: Task) -> Data | None:
        """Inputs whose outputs make a picture of a network for ``task``, and the right outputs; None: there is none.

        With a single input, reports draw the outputs over it, as a curve; else `picture` says what they look like.
        """
        return None

    def picture(self, outputs: Tensor) -> Tensor:
        """Outputs (points, *outputs) on a canvas as an image, (height, width) or (height, width, 3), in [0, 1].

        This default takes them as a square, row by row, -1 for black and 1 for white.
        """
        side = math.isqrt(len(outputs))
        return ((outputs.reshape(side, side, -1).squeeze(-1) + 1) / 2).clamp(0, 1)
