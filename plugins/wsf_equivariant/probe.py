"""`probe`: a network is what it answers."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from wsframework.errors import PartError
from wsframework.parts.interfaces import Architecture, Features
from wsframework.parts.values import Least
from wsframework.tasks import TaskShape

FEEDBACK = 0.5
"""How far answers move the next input, where they are about as large as inputs."""


class Probe(Features):
    """The answers of a network to a few inputs. What leaves its function as it is leaves these, signs and scales too.

    With `turns`, the network is interrogated: what it is asked next depends on what it answered last. A sequence
    (length, features) then loses its first position, and gets a new last one; any other input is replaced. Either is
    drawn beforehand, and moved by the answer through a fixed random matrix.

    Options:
        inputs: normal draws them, N(0, 1); tasks takes those of the networks' own tasks, evenly spread.
        points: how many inputs, each of which begins an interrogation of its own.
        turns: how often each of them is followed by an answer; 1 asks no further.
        learned: whether inputs are parameters that a model trains along with itself.
        seed: of all that is drawn.
    """

    name = "probe"
    symmetry = "invariant"
    gauge = True
    paper = "Herrmann et al. 2024, arXiv:2403.11998"

    feedback: Tensor

    def __init__(
        self,
        architecture: Architecture,
        shape: TaskShape,
        *,
        inputs: Literal["normal", "tasks"] = "normal",
        points: Annotated[int, Least(1)] = 32,
        turns: Annotated[int, Least(1)] = 1,
        learned: bool = False,
        seed: Annotated[int, Least(0)] = 0,
    ) -> None:
        super().__init__()
        architecture.network(shape)  # or a sentence that there is none to ask
        self.architecture, self.shape, self.taken = architecture, shape, inputs == "tasks"
        self.size = turns * points * prod(shape.outputs)
        self.window = len(shape.inputs) == 2
        generator, outputs = torch.Generator().manual_seed(seed), prod(shape.outputs)
        begun = torch.randn(points, *shape.inputs, generator=generator)
        further = shape.inputs[1:] if self.window else shape.inputs
        self.begun = nn.Parameter(begun, requires_grad=learned)
        drawn = [torch.randn(further, generator=generator) for _ in range(turns - 1)]
        self.next = nn.ParameterList(nn.Parameter(new, requires_grad=learned) for new in drawn)
        feedback = torch.randn(outputs, *further, generator=generator)
        self.register_buffer("feedback", FEEDBACK * feedback / outputs**0.5)

    def fit(self, x: Tensor, inputs: Tensor) -> None:
        """Take inputs of tasks, if these are to be asked about.

        Raises:
            PartError: where there are none.
        """
        if not self.taken:
            return
        if not len(inputs):
            raise PartError(
                "probe: inputs = 'tasks' takes them from the data of tasks, and these networks come without"
            )
        kept = torch.linspace(0, len(inputs) - 1, len(self.begun)).round().long()
        self.begun.data.copy_(inputs[kept])

    def forward(self, x: Tensor) -> Tensor:
        """Networks (batch, weights) to their answers, turn by turn: (batch, size)."""
        parameters = self.architecture.space(self.shape).unflatten(x)
        asked = self.begun.to(x).expand(len(x), *self.begun.shape)
        told = [self.architecture.apply(self.shape, parameters, asked)]
        for new in self.next:
            asked = self._following(asked, new.to(x), told[-1])
            told.append(self.architecture.apply(self.shape, parameters, asked))
        return torch.cat([answer.flatten(1) for answer in told], 1)

    def _following(self, asked: Tensor, new: Tensor, answer: Tensor) -> Tensor:
        """The next inputs, like ``asked`` (batch, points, *inputs), after the answers (batch, points, *outputs)."""
        moved = new + torch.tensordot(answer.flatten(2).tanh(), self.feedback.to(answer), dims=1)
        return torch.cat([asked[:, :, 1:], moved.unsqueeze(2)], 2) if self.window else moved
