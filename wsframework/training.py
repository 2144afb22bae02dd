"""The one batched trainer of many small networks: zoo building, fine-tuning and baselines all use it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wsframework.allocation import keep_freed_memory
from wsframework.footprint import passes
from wsframework.parts.interfaces import Architecture
from wsframework.spaces import WeightSpace
from wsframework.tasks import Data, Differential, Objective, TaskBatch, TaskShape


@dataclass(frozen=True)
class Budget:
    """How long every network trains: Adam at ``lr`` for ``steps`` minibatches of ``batch`` examples.

    The last minibatch of a pass may be smaller, or is left out with ``drop_last``, as in torch's ``DataLoader``.
    """

    steps: int
    lr: float
    batch: int
    drop_last: bool = False

    @classmethod
    def of_epochs(cls, epochs: int, lr: float, batch: int, points: int, drop_last: bool = False) -> Budget:
        """The budget of ``epochs`` passes over ``points`` examples."""
        return cls(epochs * _minibatches(points, batch, drop_last), lr, batch, drop_last)


@dataclass(frozen=True, eq=False)
class Moment:
    """The state after a gradient step.

    Attributes:
        step: steps taken so far, from 1.
        epoch_ends: whether the last minibatch of an epoch was just used.
        x: the networks, flat (networks, size); valid until the next step.
        losses: loss of each network on the minibatch, before the step, (networks,).
    """

    step: int
    epoch_ends: bool
    x: Tensor
    losses: Tensor


def train_networks(
    architecture: Architecture,
    shape: TaskShape,
    x: Tensor,
    tasks: TaskBatch,
    budget: Budget,
    generator: torch.Generator,
) -> Iterator[Moment]:
    """Train every row of ``x`` (networks, size) on its own task of ``tasks``, all in one program.

    The networks do not interact: one backward pass through the sum of their losses gives each its own
    gradient, and Adam works coordinate by coordinate. ``x`` itself is left as it is. The order of
    minibatches depends on the generator alone, so equal generators mean equal orders.
    """
    keep_freed_memory()
    space = architecture.space(shape)
    x = x.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=budget.lr, fused=True)
    points = tasks.support.x.shape[1]
    per_epoch = _minibatches(points, budget.batch, budget.drop_last)
    for step in range(budget.steps):
        place = step % per_epoch
        if place == 0:
            shuffled = _shuffle(tasks.support, generator)
        chosen = slice(place * budget.batch, (place + 1) * budget.batch)
        minibatch = Data(shuffled.x[:, chosen], shuffled.y[:, chosen])
        losses = network_losses(architecture, shape, space, x, minibatch, tasks.objective)
        (x.grad,) = torch.autograd.grad(losses.sum(), x)
        optimizer.step()
        yield Moment(step + 1, place == per_epoch - 1, x.detach(), losses.detach())


def network_losses(
    architecture: Architecture, shape: TaskShape, space: WeightSpace, x: Tensor, data: Data, objective: Objective
) -> Tensor:
    """Mean training loss of each network x (networks, size) on its own data (networks, points, ...): (networks,).

    Networks compute as they do in training (`Architecture.apply_training`).
    """
    parameters = space.unflatten(x)

    def function(inputs: Tensor) -> Tensor:
        return architecture.apply_training(shape, parameters, inputs)

    return _example_losses(function, data, objective).mean(-1)


@torch.no_grad()
def network_scores(
    architecture: Architecture, shape: TaskShape, space: WeightSpace, x: Tensor, data: Data, objective: Objective
) -> tuple[Tensor, Tensor]:
    """Mean loss and metric of each network's answers, given after training, to its own data: both (networks,)."""
    outputs = architecture.apply(shape, space.unflatten(x), data.x)
    return objective.losses(outputs, data.y).mean(-1), objective.score(outputs, data.y)


@torch.no_grad()
def support_losses(architecture: Architecture, shape: TaskShape, x: Tensor, tasks: TaskBatch) -> Tensor:
    """Mean training loss of each network x (networks, size) on all support data of its task: (networks,)."""
    space, support, objective = architecture.space(shape), tasks.support, tasks.objective
    return torch.cat(
        [
            network_losses(architecture, shape, space, x[some], Data(support.x[some], support.y[some]), objective)
            for some in passes(architecture, shape, len(x), support.x.shape[1])
        ]
    )


@torch.no_grad()
def query_scores(architecture: Architecture, shape: TaskShape, x: Tensor, tasks: TaskBatch) -> tuple[Tensor, Tensor]:
    """Mean loss and metric of each calibrated network x (networks, size) on its task's query data: both (networks,)."""
    space, query = architecture.space(shape), tasks.query
    found = [
        network_scores(architecture, shape, space, x[some], Data(query.x[some], query.y[some]), tasks.objective)
        for some in passes(architecture, shape, len(x), query.x.shape[1])
    ]
    losses, scores = zip(*found, strict=True)
    return torch.cat(losses), torch.cat(scores)


@torch.no_grad()
def network_outputs(architecture: Architecture, shape: TaskShape, x: Tensor, inputs: Tensor) -> Tensor:
    """Answers of networks x (networks, size), given after training, to their own inputs (networks, points, *inputs)."""
    space, slices = architecture.space(shape), passes(architecture, shape, len(x), inputs.shape[1])
    return torch.cat([architecture.apply(shape, space.unflatten(x[some]), inputs[some]) for some in slices])


@torch.no_grad()
def calibrated(architecture: Architecture, shape: TaskShape, x: Tensor, inputs: Tensor) -> Tensor:
    """Networks x (networks, size) with the statistics of their inputs (networks, points, *inputs)."""
    slices = passes(architecture, shape, len(x), inputs.shape[1])
    return torch.cat([architecture.calibrate(shape, x[some], inputs[some]) for some in slices])


def _example_losses(function: Callable[[Tensor], Tensor], data: Data, objective: Objective) -> Tensor:
    """Training loss of every example, (networks, points)."""
    if not isinstance(objective, Differential):
        return objective.losses(function(data.x), data.y)
    wanted = torch.is_grad_enabled()
    with torch.enable_grad():  # for the derivatives by the inputs
        losses = objective.residuals(function, data.x, data.y)
    return losses if wanted else losses.detach()


def _minibatches(points: int, batch: int, drop_last: bool) -> int:
    """Minibatches of one pass; the only one is never left out."""
    return max(points // batch, 1) if drop_last else math.ceil(points / batch)


def _shuffle(data: Data, generator: torch.Generator) -> Data:
    """Every network's examples in a random order of its own, drawn anew for each epoch."""
    networks, points = data.x.shape[:2]
    order = _orders(networks, points, generator).to(data.x.device)
    return Data(_in_order(data.x, order), _in_order(data.y, order))


def _orders(networks: int, points: int, generator: torch.Generator) -> Tensor:
    """A random permutation of the points for each network, (networks, points).

    Random integers that end in the point's number are sorted: ten times faster than `torch.argsort`.
    """
    bits = (points - 1).bit_length()
    keys = torch.randint(2 ** (62 - bits), (networks, points), generator=generator) << bits | torch.arange(points)
    order: Tensor = torch.from_numpy(np.sort(keys.numpy(), axis=-1)) & (2**bits - 1)
    return order


def _in_order(values: Tensor, order: Tensor) -> Tensor:
    """Each network's ``values`` (networks, points, ...) in its own order (networks, points)."""
    if values.stride(0) == 0:  # one tensor that all networks share
        return values[0][order]
    starts = torch.arange(0, order.numel(), order.shape[1], device=order.device).unsqueeze(-1)
    return values.flatten(0, 1).index_select(0, (starts + order).flatten()).reshape(values.shape)
