"""Conditioners: what they say of a task, and what they can't see."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_conditioners.code import Code
from wsf_conditioners.embedding import MeanEmbedding
from wsf_conditioners.moments import Moments, moments_length
from wsf_conditioners.none import Unconditional

from wsframework.errors import PartError
from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape

KINDS = [Moments, MeanEmbedding, Code, Unconditional]
SHAPE = TaskShape((3,), (2,), code=4)


def make_task(seed: int, points: int = 12, kind: str = "classification", shape: TaskShape = SHAPE) -> Task:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(points, *shape.inputs, generator=generator)
    if kind == "classification":
        y = torch.randint(shape.outputs[0], (points,), generator=generator)
    else:
        y = torch.randn(points, *shape.outputs, generator=generator)
    code = torch.randn(shape.code, generator=generator)
    return Task(f"t{seed}", shape, Data(x, y), Data(x[:0], y[:0]), OBJECTIVES[kind], code=code)


def reordered(task: Task, order: torch.Tensor) -> Task:
    support = Data(task.support.x[order], task.support.y[order])
    return Task(task.name, task.shape, support, task.query, task.objective, code=task.code)


@pytest.mark.parametrize("conditioner", KINDS)
@pytest.mark.parametrize("kind", ["classification", "regression"])
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), points=st.integers(1, 30))
def test_order_of_examples_does_not_matter(
    conditioner: type[TaskConditioner], kind: str, seed: int, points: int
) -> None:
    part = conditioner(SHAPE)
    task = make_task(seed, points, kind)
    order = torch.randperm(points, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(part.describe(task), part.describe(reordered(task, order)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("conditioner", KINDS)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_forward_takes_what_describe_gives(conditioner: type[TaskConditioner], kind: str) -> None:
    part = conditioner(SHAPE)
    features = torch.stack([part.describe(make_task(seed, kind=kind)) for seed in range(5)])
    assert features.dtype == torch.float32
    assert features.isfinite().all()
    assert part(features).shape == (5, part.size)


@pytest.mark.parametrize("conditioner", [Moments, MeanEmbedding, Code])
def test_embedding_depends_on_every_task(conditioner: type[TaskConditioner]) -> None:
    part = conditioner(SHAPE, size=7)
    embedding = part(torch.stack([part.describe(make_task(seed)) for seed in range(4)]))
    assert part.size == 7
    assert torch.cdist(embedding, embedding).triu(1)[0, 1:].min() > 0


def test_moments_are_share_mean_and_deviation_of_each_class() -> None:
    task = make_task(3, points=40)
    blocks = Moments(SHAPE).describe(task)[:14].reshape(2, -1)
    for k in range(2):
        mine = task.support.x[task.support.y == k]
        expected = torch.cat([torch.tensor([len(mine) / 40]), mine.mean(0), mine.std(0, correction=0)])
        torch.testing.assert_close(blocks[k], expected)


def test_regression_moments_hold_the_correlation() -> None:
    task = make_task(5, points=50, kind="regression")
    x, y = task.support.x, task.support.y
    matrix = torch.corrcoef(torch.cat([x, y], dim=1).T)
    found = Moments(SHAPE).describe(task)[10:16].reshape(3, 2)
    torch.testing.assert_close(found, matrix[:3, 3:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("conditioner", [Moments, MeanEmbedding])
def test_a_class_without_examples_has_zeros(conditioner: type[TaskConditioner]) -> None:
    task = make_task(0)
    only = Task("one", SHAPE, Data(task.support.x, torch.zeros(12, dtype=torch.long)), task.query, task.objective)
    features = conditioner(SHAPE).describe(only)
    assert not features[7:14].any()
    assert features[:7].any()
    assert features.isfinite().all()
    assert not features[moments_length(SHAPE) + 64 :].any()


def test_constant_coordinates_give_no_nan() -> None:
    task = make_task(0, kind="regression")
    still = Task("still", SHAPE, Data(torch.ones(12, 3), task.support.y), task.query, task.objective)
    assert Moments(SHAPE).describe(still).isfinite().all()


def test_embedding_tells_apart_what_moments_confuse() -> None:
    """Two modes at +-1 against one Gaussian of the same mean and deviation."""
    shape = TaskShape((1,), (2,))
    generator = torch.Generator().manual_seed(0)
    modes = torch.tensor([-1.0, 1.0]).repeat(500)[:, None]
    bell = torch.randn(1000, 1, generator=generator)
    bell = (bell - bell.mean()) / bell.std(correction=0)
    y = torch.zeros(1000, dtype=torch.long)
    objective = OBJECTIVES["classification"]
    tasks = [Task("t", shape, Data(x, y), Data(x[:0], y[:0]), objective) for x in (modes, bell)]
    part = Moments(shape)
    torch.testing.assert_close(part.describe(tasks[0]), part.describe(tasks[1]))
    wider = MeanEmbedding(shape, bandwidth=1.0)
    assert (wider.describe(tasks[0]) - wider.describe(tasks[1])).norm() > 0.5


def test_kernel_of_mean_features_is_gaussian() -> None:
    """2 <phi(x), phi(y)> / features estimates exp(-|x - y|^2 / (2 bandwidth^2))."""
    shape = TaskShape((2,), (1,))
    part = MeanEmbedding(shape, features=20_000, bandwidth=2.0)
    objective = OBJECTIVES["classification"]
    label = torch.zeros(1, dtype=torch.long)
    points = [torch.tensor([[0.3, -0.5]]), torch.tensor([[1.5, 1.0]])]
    phi = [part.describe(Task("t", shape, Data(x, label), Data(x, label), objective))[-20_000:] for x in points]
    expected = torch.exp(-(points[0] - points[1]).square().sum() / 8)
    torch.testing.assert_close(2 * (phi[0] @ phi[1]) / 20_000, expected, atol=0.03, rtol=0)


def test_frequencies_come_from_the_seed_and_travel_with_the_state() -> None:
    task = make_task(1)
    first, same, other = MeanEmbedding(SHAPE, seed=1), MeanEmbedding(SHAPE, seed=1), MeanEmbedding(SHAPE, seed=2)
    assert torch.equal(first.describe(task), same.describe(task))
    assert not torch.equal(first.describe(task), other.describe(task))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first.describe(task), other.describe(task))


def test_code_looks_at_the_code_alone() -> None:
    task = make_task(2)
    assert task.code is not None
    assert torch.equal(Code(SHAPE).describe(task), task.code)


def test_code_of_tasks_without_one_is_refused_in_a_sentence() -> None:
    with pytest.raises(PartError, match="have no code; 'moments'"):
        Code(TaskShape((2,), (2,)))
    nameless = make_task(0)
    bare = Task("bare", SHAPE, nameless.support, nameless.query, nameless.objective)
    with pytest.raises(PartError, match="task 'bare' has none"):
        Code(SHAPE).describe(bare)


def test_moments_say_what_each_of_them_is() -> None:
    task = make_task(0)
    x, y = task.support.x.double(), task.support.y
    told = dict(zip(Moments(SHAPE).called(task), Moments(SHAPE).describe(task).tolist(), strict=False))
    assert told["share of class 1"] == pytest.approx(float((y == 1).double().mean()))
    assert told["mean of input 3 in class 0"] == pytest.approx(float(x[y == 0, 2].mean()))
    assert told["deviation of input 1 in class 1"] == pytest.approx(float(x[y == 1, 0].std(correction=0)))
    task = make_task(0, kind="regression")
    x, y = task.support.x.double(), task.support.y.double()
    told = dict(zip(MeanEmbedding(SHAPE).called(task), MeanEmbedding(SHAPE).describe(task).tolist(), strict=False))
    assert told["mean of target 2"] == pytest.approx(float(y[:, 1].mean()))
    assert told["deviation of input 3"] == pytest.approx(float(x[:, 2].std(correction=0)))
    pair = torch.stack([x[:, 2], y[:, 0]])
    assert told["correlation of input 3 and target 1"] == pytest.approx(float(torch.corrcoef(pair)[0, 1]), rel=1e-5)
