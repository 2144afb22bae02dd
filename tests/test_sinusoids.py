"""`sinusoids`: the waves, their splits, and what conditioners make of a handful of points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_conditioners.embedding import MeanEmbedding
from wsf_conditioners.moments import Moments
from wsf_tasks.sinusoids import Sinusoids

from wsframework.parts.interfaces import TaskConditioner
from wsframework.tasks import TaskSplits

SEEDS = st.integers(0, 2**40)
SIZES = st.tuples(*[st.integers(0, 5)] * 3)


def draw(seed: int, sizes: tuple[int, int, int], **options: Any) -> TaskSplits:
    return Sinusoids(**options).draw(*sizes, torch.Generator().manual_seed(seed))


@settings(max_examples=20)
@given(seed=SEEDS, code=st.booleans(), points=st.integers(1, 12), query=st.integers(1, 20))
def test_targets_are_those_of_the_wave(seed: int, code: bool, points: int, query: int) -> None:
    for task in draw(seed, (2, 1, 1), code=code, points=points, query=query).seen:
        a, p = task.facts["amplitude"], task.facts["phase"]
        assert 0.1 <= a <= 5
        assert 0 <= p <= math.pi
        assert (len(task.support), len(task.query)) == (points, query)
        for data in (task.support, task.query):
            assert data.x.abs().max() <= 5
            torch.testing.assert_close(data.y, (a * torch.sin(data.x.double() - p)).float(), rtol=1e-4, atol=1e-5)
        assert (task.code is not None) == code == (f"{a:.3g} sin" in task.text)
        assert task.code is None or torch.equal(task.code, torch.tensor([a, p]))


@settings(max_examples=10)
@given(seed=SEEDS, points=st.integers(1, 12))
def test_the_canvas_is_the_wave_over_all_places(seed: int, points: int) -> None:
    """Of a task that has noisy examples: query targets lie on the curve, which runs through wherever they are."""
    family = Sinusoids(points=points, query=20, noise=1.0)
    (task,) = family.draw(1, 0, 0, torch.Generator().manual_seed(seed)).seen
    x, y = (values.flatten().numpy() for values in (family.canvas(task).x, family.canvas(task).y))
    assert (x[0], x[-1]) == (-5, 5)
    assert (x[1:] > x[:-1]).all()
    asked = task.query.x.flatten().numpy()
    torch.testing.assert_close(torch.as_tensor(np.interp(asked, x, y)).float(), task.query.y[:, 0], rtol=0, atol=0.01)


@settings(max_examples=10)
@given(seed=SEEDS, one=SIZES, two=SIZES)
def test_a_split_does_not_depend_on_the_sizes_of_any(seed, one, two) -> None:
    a, b = draw(seed, one), draw(seed, two)
    for split in ("seen", "validation", "held_out"):
        for x, y in zip(getattr(a, split), getattr(b, split), strict=False):
            assert x.facts == y.facts
            assert torch.equal(x.support.y, y.support.y)


def test_noise_is_of_the_support_alone() -> None:
    (task,) = draw(3, (1, 0, 0), points=4000, noise=0.5).seen
    errors = [d.y - task.facts["amplitude"] * torch.sin(d.x - task.facts["phase"]) for d in (task.support, task.query)]
    assert errors[0].std().item() == pytest.approx(0.5, rel=5 / math.sqrt(2 * 4000))
    assert errors[1].abs().max() < 1e-4


def told(conditioner: TaskConditioner) -> float:
    """The share of the variance of (a sin p, a cos p) that a linear map of descriptions gives, on waves not fitted."""
    tasks = draw(0, (400, 0, 0), points=20).seen
    x = torch.stack([conditioner.describe(t) for t in tasks]).double()
    x = torch.cat([(x - x.mean(0)) / (x.std(0) + 1e-3), torch.ones(len(x), 1)], 1)
    a, p = torch.tensor([[t.facts["amplitude"], t.facts["phase"]] for t in tasks]).double().T
    y = torch.stack([a * p.sin(), a * p.cos()], 1)
    slope = torch.linalg.solve(x[:300].T @ x[:300] + 10 * torch.eye(x.shape[1]), x[:300].T @ y[:300])
    left = (x[300:] @ slope - y[300:]).square().mean() / (y[300:] - y[:300].mean(0)).square().mean()
    return 1 - left.item()


def test_conditioners_tell_the_wave_from_its_points() -> None:
    """Moments say something of a wave; random features of (x, y) say nearly all."""
    shape = Sinusoids().shape
    assert told(Moments(shape)) > 0.2
    assert told(MeanEmbedding(shape)) > 0.8
