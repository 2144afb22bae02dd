"""What a task's objective has to be like: its losses, its metric, and its vote."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.tasks import Objective, Task


def fault_of_objective(task: Task) -> str:
    """What is wrong with the objective of a task, or nothing; it is tried on the task's query data."""
    objective, y = task.objective, task.query.y
    if not isinstance(objective, Objective):
        return "the objective lacks a method of `Objective`"
    if not (isinstance(objective.metric, str) and objective.metric.strip()):
        return f"the metric has no name, but {objective.metric!r}"
    outputs = torch.randn(len(y), *task.shape.outputs, requires_grad=True)
    losses = objective.losses(outputs, y)
    if losses.shape[0] != len(y):
        return f"losses have the shape {tuple(losses.shape)}"
    if not losses.isfinite().all():
        return "a loss is not finite"
    if not objective.score(outputs, y).isfinite().all():
        return "the metric is not finite"
    (gradient,) = torch.autograd.grad(losses.sum(), outputs, allow_unused=True)
    if gradient is None or not gradient.any():
        return "the loss has no gradient to outputs"
    small = 0.1 * outputs.detach()
    return _fault_of_loss(task, small) or _fault_of_several(task, small)


def _fault_of_loss(task: Task, outputs: Tensor) -> str:
    """What is wrong with the losses of small outputs, or nothing."""
    objective, y = task.objective, task.query.y
    losses = objective.losses(outputs, y)
    if not objective.losses(1000 * outputs, y).isfinite().all():
        return "the loss is not finite for outputs of the size of 100"
    if not _near(objective.losses(outputs[:1], y[:1]), losses[:1]):
        return "the loss of an example depends on other examples"
    if not torch.equal(y.roll(1, 0), y) and torch.equal(objective.losses(outputs, y.roll(1, 0)), losses):
        return "the loss does not depend on the labels or targets"
    lower = _descended(task, outputs)
    if objective.losses(lower, y).mean() >= losses.mean():  # steps of this length lead past a minimum that is so near
        return ""
    before, after = (objective.score(o, y).mean() for o in (outputs, lower))
    worse = after < before if objective.higher_is_better else after > before
    return f"the loss falls where the {objective.metric} goes from {before:.3g} to {after:.3g}" if worse else ""


def _descended(task: Task, outputs: Tensor, steps: int = 10) -> Tensor:
    """Outputs with smaller losses, by steps along the sign of the gradient."""
    for _ in range(steps):
        free = outputs.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(task.objective.losses(free, task.query.y).sum(), free)
        outputs = free.detach() - 0.05 * gradient.sign()
    return outputs


def _fault_of_several(task: Task, outputs: Tensor) -> str:
    """What is wrong with the answers for several networks at once, as zoos and evaluation ask for them, or nothing."""
    objective, y = task.objective, task.query.y
    networks = torch.stack([outputs, outputs.flip(0), 2 * outputs])
    for name, judged in (("losses", objective.losses), ("metrics", objective.score)):
        together, alone = judged(networks, y.expand(3, *y.shape)), torch.stack([judged(one, y) for one in networks])
        if not _near(together, alone):
            return f"{name} of several networks at once are not those of each"
    voted = objective.vote(torch.stack(3 * [outputs]))  # in memory of their own: torch's median misreads a view
    if voted.shape != outputs.shape:
        return f"the vote of three networks, each {tuple(outputs.shape)}, has the shape {tuple(voted.shape)}"
    agreed = _near(objective.losses(voted, y), objective.losses(outputs, y))
    return "" if agreed else "three networks that agree vote for something else"


def _near(found: Tensor, expected: Tensor) -> bool:
    return found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-6)
