"""Fine-tuning is fair: one order of minibatches for everybody, and figures of the networks that were trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import REGISTRY, tiny
from torch import Tensor

from wsframework.config.sections import FinetuneSection
from wsframework.pipeline import finetune as stage
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.finetune import evaluation_steps, finetune
from wsframework.pipeline.single import Run
from wsframework.tasks import TaskBatch
from wsframework.training import Budget, network_losses, network_scores, train_networks

SECTION = FinetuneSection(epochs=2, batch=5, lr=0.03)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tiny(), REGISTRY, tmp_path_factory.mktemp("run"), "cpu")


def starts(whole: Run, draws: int, seed: int = 0) -> Tensor:
    """Random networks (tasks, draws, size); the first draws are the same however many there are."""
    rows = [
        whole.architecture.initialize(whole.family.shape, len(whole.judged), torch.Generator().manual_seed(seed + k))
        for k in range(draws)
    ]
    return torch.stack(rows, 1)


def tuned(whole: Run, x: Tensor, name: str = "it", seed: int = 3, section: FinetuneSection = SECTION) -> Curves:
    return finetune(name, whole.architecture, whole.judged, x, section, seed)


def assert_same(a: Curves, b: Curves) -> None:
    assert a.steps == b.steps
    for name, value in a.to_tensors().items():
        assert torch.equal(value, b.to_tensors()[name]), name


def part(curves: Curves, draw: int) -> Curves:
    """The curves of one draw."""
    return Curves.from_tensors("it", curves.steps, {k: v[:, draw : draw + 1] for k, v in curves.to_tensors().items()})


def test_two_initializers_with_the_same_weights_have_the_same_curves(whole: Run) -> None:
    x = starts(whole, 1)
    assert_same(tuned(whole, x, "one"), tuned(whole, x, "another"))
    assert not torch.equal(tuned(whole, x).train_loss, tuned(whole, x, seed=4).train_loss)


def test_a_draw_is_trained_alike_however_many_there_are(whole: Run) -> None:
    one, three = tuned(whole, starts(whole, 1)), tuned(whole, starts(whole, 3))
    assert (three.tasks, three.draws) == (len(whole.judged), 3)
    assert_same(one, part(three, 0))
    assert_same(part(tuned(whole, starts(whole, 2)), 1), part(three, 1))


def test_draws_differ_in_their_order(whole: Run) -> None:
    x = starts(whole, 1).expand(-1, 2, -1)
    first, second = (part(tuned(whole, x), k) for k in range(2))
    assert torch.equal(first.train_loss[..., 0], second.train_loss[..., 0])
    assert not torch.equal(first.train_loss[..., -1], second.train_loss[..., -1])


def test_chunks_join_in_the_order_of_the_tasks(whole: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    x = starts(whole, 2)
    at_once = tuned(whole, x)
    monkeypatch.setattr(stage, "CHUNK", 3)
    chunked = tuned(whole, x)
    for name in ("train_loss", "query_loss", "query_metric"):
        before = chunked.to_tensors()[name][..., 0]
        assert torch.allclose(before, at_once.to_tensors()[name][..., 0]), name
    assert torch.equal(chunked.train_loss[:3], tuned(whole, x).train_loss[:3])


def test_the_figures_are_those_of_training_by_hand(whole: Run) -> None:
    x, tasks = starts(whole, 1)[:, 0], TaskBatch.of(whole.judged)
    budget = Budget.of_epochs(2, 0.03, 5, tasks.support.x.shape[1])
    order = stage.generator(3, "finetune", 0)
    *_, last = train_networks(whole.architecture, whole.family.shape, x, tasks, budget, order)
    found = tuned(whole, x.unsqueeze(1))
    for index, networks in ((0, x), (-1, last.x)):
        given = whole.architecture, whole.family.shape, whole.space, networks
        loss = network_losses(*given, tasks.support, tasks.objective)
        query_loss, metric = network_scores(*given, tasks.query, tasks.objective)
        assert torch.allclose(found.train_loss[:, 0, index], loss, atol=1e-6)
        assert torch.allclose(found.step_loss[:, 0, index], loss, atol=1e-6)
        assert torch.allclose(found.query_loss[:, 0, index], query_loss, atol=1e-6)
        assert torch.allclose(found.query_metric[:, 0, index], metric)
    assert found.steps[-1] == budget.steps
    assert found.epoch_loss.shape[-1] == 2


def test_a_budget_of_steps_ends_in_the_middle_of_a_pass(whole: Run) -> None:
    found = tuned(whole, starts(whole, 1), section=replace(SECTION, epochs=0, steps=7))
    assert found.steps[-1] == 7
    assert found.train_loss.shape[-1] == 3  # before, after the first pass of 5, and at the end
    assert torch.equal(found.train_loss[..., -1], found.step_loss[..., -1])


def test_fewer_examples_are_all_that_is_seen(whole: Run) -> None:
    few = [replace(task, support=task.support.limited(4)) for task in whole.judged]
    assert all(len(task.support) == 4 for task in few)
    ends = [task.support.limited(2).x for task in whole.judged]
    assert all(torch.equal(x, task.support.x[[0, -1]]) for x, task in zip(ends, whole.judged, strict=True))
    assert all(task.support.limited(n) is task.support for task in whole.judged for n in (0, 24, 100))


@pytest.mark.parametrize("budget", [1, 2, 19, 20, 60, 140, 5000])
def test_evaluations_are_dense_at_first_and_include_the_end(budget: int) -> None:
    steps = evaluation_steps(budget)
    assert steps[: min(budget, 20) + 1] == tuple(range(min(budget, 20) + 1))
    assert steps == tuple(sorted(set(steps)))
    assert steps[-1] == budget
    assert len(steps) <= 82
