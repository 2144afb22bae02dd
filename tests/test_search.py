"""The search keeps the best candidate of every sampler step, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tiny import REGISTRY, tiny
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.parts.interfaces import Initializer, Setting
from wsframework.pipeline.single import Run
from wsframework.prior import Prior
from wsframework.tasks import Task, TaskBatch
from wsframework.training import network_losses

RUN = Run(tiny(), REGISTRY, Path("nowhere"), "cpu")
TASKS = RUN.splits.held_out[:5]


def prior(steps: int) -> Prior:
    """An untrained prior with random parameters, sampled in ``steps`` steps."""
    torch.manual_seed(0)
    made = Prior(replace(RUN.design, steps=steps), RUN.family.shape, REGISTRY)
    made.fit_features(made.raw_features(RUN.splits.seen))
    return made.eval()


def search(found: Prior, candidates: int) -> Initializer:
    """A search in ``found``."""
    part = cast(Initializer, build(REGISTRY, "initializer", PartConfig("search", {"candidates": candidates})))
    given: dict[str, Any] = dict.fromkeys(Setting.__dataclass_fields__)
    part.fit(Setting(**given | {"prior": found}))
    return part


def losses(x: Tensor, tasks: Sequence[Task]) -> Tensor:
    """Support loss of each row."""
    support = TaskBatch.of(tasks).support
    return network_losses(RUN.architecture, RUN.family.shape, RUN.space, x, support, tasks[0].objective)


def test_one_candidate_and_one_step_is_a_plain_draw() -> None:
    found = prior(1)
    x = search(found, 1).weights(TASKS, 1, torch.Generator().manual_seed(3))[:, 0]
    plain = found.sample_features(found.describe(TASKS), torch.Generator().manual_seed(3))
    assert torch.allclose(x, plain)


def test_it_is_at_least_as_good_as_every_candidate_of_the_first_step() -> None:
    found, k = prior(4), 6
    x = search(found, k).weights(TASKS, 1, torch.Generator().manual_seed(4))[:, 0]
    noise = found.start(len(TASKS) * k, torch.Generator().manual_seed(4))
    with torch.no_grad():
        embedding = found.conditioner(found.describe(TASKS)).repeat_interleave(k, 0)
        first = found.encoder.decode(found.estimate(noise, torch.ones(()), embedding), found.space)
    for place in range(k):
        assert (losses(x, TASKS) <= losses(first[place::k], TASKS) + 1e-6).all()


def test_later_steps_improve_on_the_first_and_go_on_from_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step's candidates are ``alpha_s kept + sigma_s eps``, with eps new for each of them."""
    found, k = prior(4), 6
    seen: list[tuple[Tensor, Tensor]] = []
    estimate = found.estimate

    def noted(x_t: Tensor, t: Tensor, embedding: Tensor) -> Tensor:
        seen.append((x_t, estimate(x_t, t, embedding)))
        return seen[-1][1]

    monkeypatch.setattr(found, "estimate", noted)
    x = search(found, k).weights(TASKS, 1, torch.Generator().manual_seed(6))[:, 0]
    assert len(seen) == 4
    generator, times = torch.Generator().manual_seed(6), found.scheduler.times(4)
    support = [found.encoder.decode(x_0, found.space).reshape(len(TASKS), k, -1) for _, x_0 in seen]
    by_step = torch.stack([torch.stack([losses(rows[:, i], TASKS) for i in range(k)], 1) for rows in support], 1)
    for step, (x_t, _) in enumerate(seen):
        alpha, sigma = found.scheduler.alpha_sigma(times[step])
        kept = _best(seen[:step], by_step[:, :step]) if step else torch.zeros(len(TASKS), found.latent.size)
        expected = alpha * kept.repeat_interleave(k, 0) + sigma * found.start(len(TASKS) * k, generator)
        assert torch.allclose(x_t, expected if step else expected / sigma, atol=1e-5), step
    assert torch.allclose(losses(x, TASKS), by_step.amin((1, 2)), atol=1e-5)
    assert (by_step[:, 1:].amin((1, 2)) < by_step[:, 0].amin(1)).any()


def _best(seen: Sequence[tuple[Tensor, Tensor]], by_step: Tensor) -> Tensor:
    """Of all the estimates so far, each task's with the lowest of the losses by_step (tasks, steps, candidates)."""
    tasks, _, candidates = by_step.shape
    estimates = torch.stack([x_0.reshape(tasks, candidates, -1) for _, x_0 in seen], 1).flatten(1, 2)
    return estimates[torch.arange(tasks), by_step.flatten(1).argmin(1)]


def test_equal_generators_find_the_same_and_draws_differ() -> None:
    part = search(prior(3), 4)
    first, second = (part.weights(TASKS, 2, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first[:, 0], first[:, 1])
