"""`gaussians`: splits, class counts, the geometry of each arrangement, its sentences."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_tasks.gaussians import Gaussians

from wsframework.errors import PartError
from wsframework.tasks import Data, Task, TaskSplits

SEEDS = st.integers(0, 2**40)
SIZES = st.integers(0, 6)
ARRANGEMENTS = st.sampled_from(["opposite", "scattered", "rings"])


def draw(seen: int, validation: int, held_out: int, seed: int = 0, **options: Any) -> TaskSplits:
    return Gaussians(**options).draw(seen, validation, held_out, torch.Generator().manual_seed(seed))


def class_means(data: Data, classes: int) -> Tensor:
    return torch.stack([data.x[data.y == k].mean(0) for k in range(classes)])


def same(a: Task, b: Task) -> bool:
    pairs = ((a.support.x, b.support.x), (a.support.y, b.support.y), (a.query.x, b.query.x), (a.query.y, b.query.y))
    return a.name == b.name and all(torch.equal(x, y) for x, y in pairs)


@settings(max_examples=25)
@given(one=st.tuples(SIZES, SIZES, SIZES), two=st.tuples(SIZES, SIZES, SIZES), arrangement=ARRANGEMENTS, seed=SEEDS)
def test_a_split_does_not_depend_on_the_sizes_of_any(one, two, arrangement, seed):
    options = {"points": 6, "query": 4, "arrangement": arrangement}
    a, b = (draw(*sizes, seed=seed, **options) for sizes in (one, two))
    for split, n, m in zip(("seen", "validation", "held_out"), one, two, strict=True):
        assert len(getattr(a, split)) == n
        assert len(getattr(b, split)) == m
        assert all(same(x, y) for x, y in zip(getattr(a, split), getattr(b, split), strict=False))


@settings(max_examples=15)
@given(arrangement=ARRANGEMENTS, seed=SEEDS)
def test_tasks_and_their_data_are_disjoint(arrangement, seed):
    splits = draw(5, 5, 5, seed=seed, arrangement=arrangement, points=8, query=8)
    tasks = [*splits.seen, *splits.validation, *splits.held_out]
    rows = [tuple(row) for t in tasks for data in (t.support, t.query) for row in data.x.tolist()]
    assert len(set(rows)) == len(rows) == 15 * 16
    assert len({t.name for t in tasks}) == 15


def test_another_seed_draws_other_tasks():
    one, two, again = (draw(2, 0, 0, seed=seed) for seed in (0, 1, 0))
    assert same(one.seen[1], again.seen[1])
    assert not same(one.seen[1], two.seen[1])


@settings(max_examples=40)
@given(
    classes=st.integers(2, 6),
    dimension=st.integers(2, 4),
    points=st.integers(6, 60),
    query=st.integers(6, 60),
    imbalance=st.floats(0, 5),
    arrangement=ARRANGEMENTS,
    seed=SEEDS,
)
def test_every_class_occurs_and_counts_sum(classes, dimension, points, query, imbalance, arrangement, seed):
    family = Gaussians(
        classes=classes, dimension=dimension, points=points, query=query, imbalance=imbalance, arrangement=arrangement
    )
    (task,) = family.draw(1, 0, 0, torch.Generator().manual_seed(seed)).seen
    assert task.shape == family.shape
    for data, count in ((task.support, points), (task.query, query)):
        assert data.x.shape == (count, dimension)
        assert data.x.isfinite().all()
        counts = torch.bincount(data.y, minlength=classes)
        assert len(counts) == classes
        assert counts.sum() == count
        assert counts.min() >= 1
        if imbalance == 0:
            assert counts.max() - counts.min() <= 1


@settings(max_examples=20)
@given(classes=st.integers(2, 4), imbalance=st.floats(0.5, 3), seed=SEEDS)
def test_imbalance_is_of_the_task_so_support_and_query_agree(classes, imbalance, seed):
    (task,) = draw(1, 0, 0, seed=seed, classes=classes, imbalance=imbalance, points=2000, query=1000).seen
    support, query = (torch.bincount(d.y, minlength=classes) / len(d) for d in (task.support, task.query))
    assert (support - query).abs().max() < classes / 1000 + 1e-3


def test_log_fractions_spread_as_imbalance_says():
    tasks = draw(300, 0, 0, imbalance=0.5, points=2000, query=2).seen
    counts = torch.stack([torch.bincount(t.support.y, minlength=2) for t in tasks]).double()
    log_odds = (counts[:, 0] / counts[:, 1]).log()
    assert log_odds.std().item() == pytest.approx(0.5 * math.sqrt(2), rel=6 / math.sqrt(600))
    assert abs(log_odds.mean().item()) < 5 * 0.5 * math.sqrt(2 / 300)


@settings(max_examples=25)
@given(dimension=st.integers(1, 5), separation=st.floats(0.5, 10), seed=SEEDS)
def test_opposite_means_lie_twice_the_separation_apart(dimension, separation, seed):
    options = {"dimension": dimension, "separation": separation, "points": 4, "query": 4, "spread": (0.0, 0.0)}
    for task in draw(3, 0, 0, seed=seed, **options).seen:
        first, second = class_means(task.support, 2)
        assert (first - second).norm().item() == pytest.approx(2 * separation, rel=1e-4)


@settings(max_examples=25)
@given(classes=st.integers(3, 7), dimension=st.integers(2, 4), seed=SEEDS)
def test_several_opposite_means_spread_evenly_over_a_circle(classes, dimension, seed):
    options = {"classes": classes, "dimension": dimension, "points": classes, "query": classes, "spread": (0.0, 0.0)}
    (task,) = draw(1, 0, 0, seed=seed, separation=2.0, **options).seen
    means = class_means(task.support, classes).double()
    radii = means - means.mean(0)
    assert torch.allclose(radii.norm(dim=-1), torch.tensor(2.0, dtype=torch.float64), atol=1e-5)
    neighbours = (radii * radii.roll(1, 0)).sum(-1)
    assert torch.allclose(neighbours, torch.tensor(4 * math.cos(2 * math.pi / classes)).double(), atol=1e-4)


def test_directions_have_no_preference():
    tasks = draw(600, 0, 0, dimension=3, points=2, query=2, spread=(0.0, 0.0), separation=1.0).seen
    u = torch.stack([t.support.x[0] - t.support.x[1] for t in tasks]).double() / 2
    assert (u.mean(0).abs() < 5 / math.sqrt(3 * 600)).all()
    second = u.T @ u / len(u)
    assert torch.allclose(second, torch.eye(3, dtype=torch.float64) / 3, atol=5 * 0.3 / math.sqrt(600))


@settings(max_examples=15)
@given(low=st.floats(0.1, 1), width=st.floats(0, 2), seed=SEEDS)
def test_spread_is_the_standard_deviation_of_every_class(low, width, seed):
    (task,) = draw(1, 0, 0, seed=seed, spread=(low, low + width), points=4000, query=2).seen
    for k in range(2):
        deviation = task.support.x[task.support.y == k].double().std(0)
        error = 1 + 5 / math.sqrt(4000)
        assert low / error <= deviation.min()
        assert deviation.max() <= (low + width) * error


@settings(max_examples=20)
@given(classes=st.integers(2, 4), dimension=st.integers(2, 4), separation=st.floats(0.5, 5), seed=SEEDS)
def test_rings_lie_at_growing_distance_from_one_centre(classes, dimension, separation, seed):
    options = {"classes": classes, "dimension": dimension, "separation": separation, "spread": (0.0, 0.0)}
    (task,) = draw(1, 0, 0, seed=seed, arrangement="rings", points=60 * classes, query=classes, **options).seen
    x, y = task.support.x.double(), task.support.y
    centre = _centre(x[y == 0])
    radii = (x - centre).norm(dim=-1)
    assert torch.allclose(radii, separation * (y + 1.0).double(), rtol=1e-3)


def _centre(x: Tensor) -> Tensor:
    """Of the sphere through x: |x|^2 = 2 c x + constant, by least squares."""
    columns = torch.cat([2 * x, torch.ones(len(x), 1, dtype=x.dtype)], -1)
    return torch.linalg.lstsq(columns, x.square().sum(-1, keepdim=True)).solution[:-1, 0]


@settings(max_examples=20)
@given(modes=st.integers(1, 4), seed=SEEDS)
def test_scattered_classes_have_as_many_modes_as_asked(modes, seed):
    (task,) = draw(
        1, 0, 0, seed=seed, arrangement="scattered", modes=modes, points=300, query=2, spread=(0.0, 0.0)
    ).seen
    for k in range(2):
        assert len(torch.unique(task.support.x[task.support.y == k], dim=0)) == modes


def test_scattered_means_have_the_deviation_of_the_separation():
    tasks = draw(500, 0, 0, arrangement="scattered", separation=3.0, points=2, query=2, spread=(0.0, 0.0)).seen
    means = torch.cat([t.support.x for t in tasks]).double()
    assert means.std().item() == pytest.approx(3.0, rel=5 / math.sqrt(2 * means.numel()))
    assert abs(means.mean().item()) < 5 * 3 / math.sqrt(means.numel())


@given(modes=st.integers(2, 5), arrangement=st.sampled_from(["opposite", "rings"]))
def test_modes_need_the_scattered_arrangement(modes, arrangement):
    with pytest.raises(PartError, match=f"modes = {modes} needs arrangement = 'scattered', not '{arrangement}'"):
        Gaussians(modes=modes, arrangement=arrangement)


@given(classes=st.integers(2, 9), points=st.integers(1, 10), query=st.integers(1, 10))
def test_every_class_needs_a_point_of_each_kind(classes, points, query):
    assume(min(points, query) < classes)
    with pytest.raises(PartError, match=f"{classes} classes need at least {classes} support and query points"):
        Gaussians(classes=classes, points=points, query=query)


def test_a_line_has_two_ends():
    with pytest.raises(PartError, match="3 opposite classes need dimension = 2 or more"):
        Gaussians(classes=3, dimension=1)
    assert len(draw(1, 0, 0, classes=3, dimension=1, arrangement="scattered").seen) == 1
