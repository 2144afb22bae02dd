"""Of several draws: the best on support data is the best, and a vote is of all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny import REGISTRY, tiny
from torch import Tensor

from wsframework import footprint
from wsframework.pipeline.several import best_on_support, vote
from wsframework.pipeline.single import Run
from wsframework.tasks import TaskBatch
from wsframework.training import network_losses, network_scores

RUN = Run(tiny(), REGISTRY, Path("nowhere"), "cpu")
TASKS = RUN.judged
DRAWS = 5


@pytest.fixture
def x() -> Tensor:
    """Random networks (tasks, draws, size)."""
    rows = RUN.architecture.initialize(RUN.family.shape, len(TASKS) * DRAWS, torch.Generator().manual_seed(0))
    return 3 * rows.reshape(len(TASKS), DRAWS, -1)


def support_losses(x: Tensor) -> Tensor:
    """Of every draw of x (tasks, draws, size): (tasks, draws)."""
    support, objective = TaskBatch.of(TASKS).support, TASKS[0].objective
    columns = [
        network_losses(RUN.architecture, RUN.family.shape, RUN.space, row, support, objective) for row in x.unbind(1)
    ]
    return torch.stack(columns, 1)


def test_the_best_on_support_data_is_the_best(x: Tensor) -> None:
    chosen = best_on_support(RUN.architecture, TASKS, x)
    assert chosen.shape == (len(TASKS), 1, RUN.space.size)
    losses = support_losses(x)
    assert torch.equal(chosen[:, 0], x[torch.arange(len(TASKS)), losses.argmin(1)])
    assert (losses.argmin(1) != 0).any()
    assert (losses.argmin(1) != losses.argmax(1)).all()


def test_the_choice_knows_nothing_of_the_query_data(x: Tensor) -> None:
    other = [replace(task, query=replace(task.query, y=1 - task.query.y)) for task in TASKS]
    assert torch.equal(best_on_support(RUN.architecture, other, x), best_on_support(RUN.architecture, TASKS, x))


def test_the_order_of_draws_does_not_count(x: Tensor) -> None:
    back = x.flip(1)
    assert torch.equal(best_on_support(RUN.architecture, TASKS, back), best_on_support(RUN.architecture, TASKS, x))
    there, again = (vote(RUN.architecture, TASKS, draws) for draws in (x, back))
    for name in ("single_loss", "single_metric", "vote_loss", "vote_metric"):
        assert torch.allclose(getattr(there, name), getattr(again, name)), name


def test_a_vote_is_the_mean_of_the_probabilities(x: Tensor) -> None:
    found = vote(RUN.architecture, TASKS, x)
    assert found.members == DRAWS
    for i, task in enumerate(TASKS):
        data = task.query.x.expand(DRAWS, *task.query.x.shape)
        p = RUN.architecture.apply(task.shape, RUN.space.unflatten(x[i]), data).softmax(-1).mean(0)
        right = p[torch.arange(len(task.query)), task.query.y]
        assert torch.allclose(found.vote_loss[i], -right.log().mean(), atol=1e-5)
        assert torch.allclose(found.vote_metric[i], (p.argmax(-1) == task.query.y).float().mean())


def test_single_figures_are_means_over_the_members(x: Tensor) -> None:
    found, query, objective = vote(RUN.architecture, TASKS, x), TaskBatch.of(TASKS).query, TASKS[0].objective
    given = [(RUN.architecture, RUN.family.shape, RUN.space, row, query, objective) for row in x.unbind(1)]
    losses, metrics = (torch.stack(column).mean(0) for column in zip(*(network_scores(*g) for g in given), strict=True))
    assert torch.allclose(found.single_loss, losses, atol=1e-5)
    assert torch.allclose(found.single_metric, metrics)


def test_a_vote_does_not_depend_on_how_many_go_at_once(x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    together = vote(RUN.architecture, TASKS, x)
    monkeypatch.setattr(footprint, "NUMBERS", 1)
    alone = vote(RUN.architecture, TASKS, x)
    for name in ("single_loss", "single_metric", "vote_loss", "vote_metric"):
        torch.testing.assert_close(getattr(alone, name), getattr(together, name))


def test_one_member_votes_as_it_is(x: Tensor) -> None:
    found = vote(RUN.architecture, TASKS, x[:, :1])
    assert torch.allclose(found.vote_loss, found.single_loss, atol=1e-6)
    assert torch.equal(found.vote_metric, found.single_metric)
