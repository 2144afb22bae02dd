"""`Pretrained`: one network for all seen tasks, whose last layer is linear in the descriptor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Initializer, Setting
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace
from wsframework.tasks import Data, Task, TaskBatch
from wsframework.training import network_losses


def output_index(space: WeightSpace) -> Tensor:
    """Flat positions of the parameters whose role begins with ``output.``: (outputs,), maybe none."""
    shapes, offsets = space.shapes, space.offsets
    chosen = [p.name for p in space.parameters if p.role.startswith("output.")]
    spans = [torch.arange(offsets[name], offsets[name] + torch.Size(shapes[name]).numel()) for name in chosen]
    return torch.cat(spans) if spans else torch.empty(0, dtype=torch.long)


class Trunk(nn.Module):
    """``x(d) = base + P A d``: a network's coordinates, the output layer's linear in the descriptor d.

    P puts the output layer's coordinates in their places; A is zero at first.
    """

    outputs: Tensor

    def __init__(self, base: Tensor, outputs: Tensor, features: int) -> None:
        super().__init__()
        self.base = nn.Parameter(base)
        self.slope = nn.Parameter(base.new_zeros(features, len(outputs)))
        self.register_buffer("outputs", outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Descriptors (tasks, features) to networks (tasks, size)."""
        x = self.base.expand(len(features), -1)
        return x.index_add(1, self.outputs, features @ self.slope)


class Pretrained(Initializer):
    """One network trained on all seen tasks together: a shared trunk, and a last layer that the descriptor sets.

    A control: it learns from the seen tasks' data and needs no zoo. Trained with Adam, its rate falling to
    zero along a cosine, on the tasks' own loss; each step takes ``batch`` tasks and ``points`` support
    examples of each.

    Arguments:
        steps: gradient steps.
        lr: rate of Adam at the start.
        batch: tasks a step.
        points: support examples of each task a step.
    """

    name = "pretrained"
    role = "control"

    def __init__(
        self,
        *,
        steps: Annotated[int, Least(1)] = 2000,
        lr: Annotated[float, Least(0, strict=True)] = 0.003,
        batch: Annotated[int, Least(1)] = 64,
        points: Annotated[int, Least(1)] = 32,
    ) -> None:
        self.steps, self.lr, self.batch, self.points = steps, lr, batch, points

    def fit(self, setting: Setting) -> None:
        """Trains trunk and last layer.

        Raises:
            NotApplicable: where the architecture names no output layer.
        """
        space = setting.architecture.space(setting.shape)
        outputs = output_index(space)
        if len(outputs) == 0:
            raise NotApplicable(
                "'pretrained' sets the last layer, and no parameter of this network has a role such as 'output.weight'."
            )
        base = setting.architecture.initialize(setting.shape, 1, setting.generator)[0].to(setting.features)
        self.describe = setting.describe
        self.trunk = Trunk(base, outputs, setting.features.shape[1])
        self._train(setting, space)

    def _train(self, setting: Setting, space: WeightSpace) -> None:
        tasks = TaskBatch.of(setting.zoo.tasks)
        optimizer = torch.optim.Adam(self.trunk.parameters(), lr=self.lr)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        for _ in range(self.steps):
            chosen = torch.randint(len(setting.features), (self.batch,), generator=setting.generator)
            data = self._examples(tasks, chosen, setting.generator)
            x = self.trunk(setting.features[chosen])
            losses = network_losses(setting.architecture, setting.shape, space, x, data, tasks.objective)
            optimizer.zero_grad()
            torch.autograd.backward(losses.mean())
            optimizer.step()
            decay.step()

    def _examples(self, tasks: TaskBatch, chosen: Tensor, generator: torch.Generator) -> Data:
        """Support examples of each chosen task, drawn with replacement: (batch, points, ...)."""
        count = tasks.support.x.shape[1]
        places = torch.randint(count, (len(chosen), self.points), generator=generator)
        return Data(tasks.support.x[chosen[:, None], places], tasks.support.y[chosen[:, None], places])

    @torch.no_grad()
    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Trunk and the last layer of each task's descriptor, repeated: (tasks, draws, size)."""
        x: Tensor = self.trunk(self.describe(tasks))
        return x.unsqueeze(1).expand(-1, draws, -1)
