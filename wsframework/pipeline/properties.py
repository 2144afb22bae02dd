"""What networks are like beside their loss: calibration, diversity, neural collapse, and how they lie to the zoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wsframework.errors import NotApplicable
from wsframework.measures.calibration import reliability
from wsframework.measures.collapse import Collapse, collapse
from wsframework.measures.connection import barriers, nearest_aligned
from wsframework.measures.diversity import disagreement, quotient_distances
from wsframework.measures.penultimate import penultimate
from wsframework.parts.interfaces import Architecture
from wsframework.spaces import Weights
from wsframework.tasks import Classification, Task
from wsframework.training import network_outputs
from wsframework.zoo import Zoo

FEW, CANDIDATES, NUMBERS = 32, 256, 2**22
"""What is costly is measured on so many tasks, the first; a nearest network is looked for among so many of the zoo,
and fewer where they have so many weights together."""

Measured = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Properties:
    """Of several networks a task.

    Attributes:
        values: a number a task by measure, (tasks,), float64; NaN where a task has none. ``reliability`` and
            ``vote_reliability`` are sums as `reliability` gives them, (tasks, bins, 3).
        reasons: why a measure is not applicable.
    """

    values: Measured
    reasons: Mapping[str, str] = field(default_factory=dict)


@torch.no_grad()
def of_draws(architecture: Architecture, tasks: Sequence[Task], x: Tensor, zoo: Callable[[], Zoo]) -> Properties:
    """Of draws x (tasks, draws, size) for judged tasks, before any step; ``zoo`` gives that which they came from."""
    space = architecture.space(tasks[0].shape)
    few, first = tasks[:FEW], Weights(space, x[:FEW, 0])
    return _each(
        {
            "calibration": lambda: _reliabilities(architecture, tasks, x),
            "disagreement": lambda: _disagreements(architecture, tasks, x),
            "weight_distance": lambda: {"weight_distance": _distances(architecture, few, x)},
            "collapse": lambda: _collapses(architecture, few, first.x),
            "barrier": lambda: _barriers(architecture, few, first, zoo()),
        }
    )


@torch.no_grad()
def of_zoo(architecture: Architecture, zoo: Callable[[], Zoo]) -> Properties:
    """Of trained networks, each on the task that it was trained for; what draws are to be read against."""

    def some() -> tuple[list[Task], Tensor]:
        index = torch.linspace(0, len(zoo()) - 1, min(2 * FEW, len(zoo()))).long()
        return [zoo().tasks[i] for i in zoo().task_index[index]], zoo().weights.x[index]

    return _each(
        {
            "calibration": lambda: _reliabilities(architecture, some()[0], some()[1].unsqueeze(1)),
            "weight_distance": lambda: {"weight_distance": _among(Weights(zoo().weights.space, some()[1]))},
            "collapse": lambda: _collapses(architecture, *some()),
        }
    )


def _each(measures: Mapping[str, Callable[[], Measured]]) -> Properties:
    values: dict[str, Tensor] = {}
    reasons = {}
    for name, measure in measures.items():
        try:
            values |= measure()
        except NotApplicable as error:
            reasons[name] = str(error)
    return Properties(values, reasons)


def _classifies(tasks: Sequence[Task], what: str) -> None:
    if not isinstance(tasks[0].objective, Classification):
        raise NotApplicable(f"{what} of classifiers, and these tasks are judged by {tasks[0].objective.metric}")


def _reliabilities(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Measured:
    """On query data, of single networks (all draws' points together) and of their mean probabilities."""
    _classifies(tasks, "calibration is one")
    alone, together = [], []
    for task, draws in zip(tasks, x, strict=True):
        query = task.query.repeated(len(draws))
        p = network_outputs(architecture, task.shape, draws, query.x).softmax(-1)
        alone.append(reliability(p, query.y).sum(0))
        together.append(reliability(p.mean(0), task.query.y))
    found = {"reliability": torch.stack(alone)}
    return found | ({"vote_reliability": torch.stack(together)} if x.shape[1] > 1 else {})


def _several(x: Tensor) -> None:
    if x.shape[1] < 2:
        raise NotApplicable(
            "one draw a task does not differ from others; `sample.draws` or `sample.best_of` gives more"
        )


def _disagreements(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Measured:
    """On query data, of all pairs of draws."""
    _several(x)
    rows = []
    for task, draws in zip(tasks, x, strict=True):
        outputs = network_outputs(architecture, task.shape, draws, task.query.repeated(len(draws)).x)
        rows.append(disagreement(outputs, task.objective.metric == "accuracy").double())
    return {"disagreement": torch.stack(rows)}


def _distances(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Tensor:
    """Between the first two draws of each task."""
    _several(x)
    space = architecture.space(tasks[0].shape)
    one, other = (Weights(space, x[: len(tasks), k]) for k in (0, 1))
    return quotient_distances(one, other)


def _among(weights: Weights) -> Tensor:
    """Between each network and the next."""
    if len(weights) < 2:
        raise NotApplicable("one network alone has no distance")
    return quotient_distances(Weights(weights.space, weights.x[:-1]), Weights(weights.space, weights.x[1:]))


def _collapses(architecture: Architecture, tasks: Sequence[Task], x: Tensor) -> Measured:
    """On support data, of one network a task, x (tasks, size)."""
    _classifies(tasks, "neural collapse is one")
    inputs = torch.stack([task.support.x for task in tasks])
    features, readout = penultimate(architecture, tasks[0].shape, x, inputs)
    found = [collapse(h, task.support.y, w) for h, task, w in zip(features, tasks, readout, strict=True)]
    parts = Collapse.__dataclass_fields__
    columns = {n: [torch.nan if one is None else getattr(one, n) for one in found] for n in parts}
    return {f"collapse_{n}": torch.tensor(column, dtype=torch.float64) for n, column in columns.items()}


def _barriers(architecture: Architecture, tasks: Sequence[Task], x: Weights, zoo: Zoo) -> Measured:
    """Between one draw a task and the zoo network nearest to it, aligned and as it lies."""
    most = max(1, min(CANDIDATES, NUMBERS // x.space.size))
    index = torch.linspace(0, len(zoo) - 1, min(most, len(zoo))).long()
    candidates = Weights(x.space, zoo.weights.x[index])
    aligned, place = nearest_aligned(x, candidates)
    return {
        "barrier": barriers(architecture, tasks, x, aligned),
        "barrier_unaligned": barriers(architecture, tasks, x, Weights(x.space, candidates.x[place])),
        "zoo_distance": quotient_distances(x, aligned),
    }


def pooled_properties(runs: Sequence[Properties]) -> Properties:
    """Of all ``runs``, what every one of them has; the first reason that any has."""
    names = [name for name in runs[0].values if all(name in run.values for run in runs)]
    reasons: dict[str, str] = {}
    for run in reversed(runs):
        reasons |= run.reasons
    return Properties({name: torch.cat([run.values[name] for run in runs]) for name in names}, reasons)
