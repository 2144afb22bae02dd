"""Priors of any shape that have seen tasks and no training: quick to make, and they draw."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from tiny import REGISTRY, tiny

from wsframework.config.sections import PartConfig
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.prior_config import Origin
from wsframework.randomness import generator
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape

DESIGN = Run(tiny(), REGISTRY, Path("nowhere"), "cpu").design


def task(shape: TaskShape, objective: str, seed: int, points: int = 12) -> Task:
    """A task of random examples."""
    random = generator(seed, "task")
    x = torch.randn(points, *shape.inputs, generator=random)
    y = torch.arange(points) % shape.outputs[0]
    if objective == "regression":
        y = torch.randn(points, *shape.outputs, generator=random)
    code = torch.randn(shape.code, generator=random)
    return Task(f"task-{seed}", shape, Data(x, y), Data(x[:0], y[:0]), OBJECTIVES[objective], code)


@cache
def prior(inputs: int = 2, outputs: int = 2, objective: str = "classification", code: int = 0) -> Prior:
    """A prior for such tasks, described by their code where they have one; its zero initialisations are undone."""
    design = replace(DESIGN, conditioner=PartConfig("code")) if code else DESIGN
    shape = TaskShape((inputs,), (outputs,), code)
    torch.manual_seed(0)
    made = Prior(design, shape, REGISTRY, Origin(objective, 3, 30))
    made.encoder.fit(torch.randn(16, made.space.size), made.space)
    made.fit_features(made.raw_features([task(shape, objective, seed) for seed in range(30)]))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return made.eval()
