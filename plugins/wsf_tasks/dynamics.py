"""`Dynamics`: differential equations to be solved by a network, each task with coefficients of its own."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from wsf_tasks.equations import EQUATIONS, Residual
from wsf_tasks.independent import independent
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least
from wsframework.tasks import Data, Split, Task, TaskShape, TaskSplits

Count = Annotated[int, Least(1)]
PIXELS = 64


class Dynamics(TaskFamily):
    """Networks that are solutions: trained by the equation's residual, judged by the distance to what solves it.

    ``oscillator``: ``u'' + 2 zeta omega u' + omega^2 u = 0`` in [0, 1], with initial values of unit energy.
    ``heat``: ``u_t = alpha u_xx`` on [-1, 1] x [0, 1], from three waves. ``burgers``: ``u_t + u u_x = nu u_xx`` on the
    same, from ``-a sin(pi x)``. The code is what defines the equation and its conditions: all the coefficients.

    Training never sees a solution: the loss of an example is the squared residual there, plus ``weight`` times the
    squared violation of initial and boundary values. It needs a network with a second derivative, such as one of
    ``tanh``, and a conditioner that describes a task by its code.

    Options:
        equation: as above.
        points: places a task at which the residual is made small.
        query: other places, at which the network is judged.
        weight: how much initial and boundary values weigh in the training loss.
    """

    name = "dynamics"
    paper = "Raissi et al. 2017, arXiv:1711.10561"

    def __init__(
        self,
        *,
        equation: Literal["oscillator", "heat", "burgers"] = "oscillator",
        points: Count = 100,
        query: Count = 100,
        weight: Annotated[float, Least(0, strict=True)] = 10.0,
    ) -> None:
        self.equation, self.points, self.query = EQUATIONS[equation], points, query
        self.objective = Residual(self.equation, weight)

    @property
    def shape(self) -> TaskShape:
        """Time, or place and time, in; one value out; a code of all coefficients."""
        return TaskShape((len(self.equation.inputs),), (1,), len(self.equation.coefficients))

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Independent tasks; each split has a seed of its own, so that its tasks don't depend on the others' sizes."""
        drawn = "Coefficients of all splits were drawn independently from one distribution."
        return independent(self._task, (seen, validation, held_out), generator, drawn)

    def canvas(self, task: Task) -> Data:
        """Times; or places, row by row, over all times; and the solution there."""
        assert task.code is not None
        ends = zip(self.equation.low, self.equation.high, strict=True)
        axes = [torch.linspace(low, high, PIXELS) for low, high in ends]
        x = torch.cartesian_prod(*axes).reshape(-1, len(axes))
        return Data(x, self.equation.solution(x, task.code.expand(len(x), -1)))

    def _task(self, split: Split, name: str, generator: torch.Generator) -> Task:
        c = self.equation.draw(generator)
        support, query = (self._data(count, c, generator) for count in (self.points, self.query))
        values = dict(zip(self.equation.coefficients, c.tolist(), strict=True))
        told = ", ".join(f"{key} = {value:.3g}" for key, value in values.items())
        text = f"{self.equation.written}, with {told}"
        return Task(name, self.shape, support, query, self.objective, code=c, text=text, facts=values)

    def _data(self, count: int, c: Tensor, generator: torch.Generator) -> Data:
        """Places drawn evenly from the box of inputs; of each the solution and, again and again, the coefficients."""
        low, high = torch.tensor(self.equation.low), torch.tensor(self.equation.high)
        x = low + (high - low) * torch.rand(count, len(low), generator=generator)
        return Data(x, torch.cat([self.equation.solution(x, c.expand(count, -1)), c.expand(count, -1)], dim=1))
