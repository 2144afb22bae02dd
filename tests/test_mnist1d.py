"""`mnist1d`: signals whose digit can be told, knobs that do what they say, and the global generator left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from wsf_tasks.mnist1d import KNOBS, Mnist1d, signals, turned

from wsframework.errors import PartError
from wsframework.tasks import TaskSplits

SMALL = {"points": 20, "query": 20}


def draw(seed: int, sizes: tuple[int, int, int], **options: Any) -> TaskSplits:
    return Mnist1d(**{**SMALL, **options}).draw(*sizes, torch.Generator().manual_seed(seed))


def made(count: int, seed: int = 0, **knobs: float) -> torch.Tensor:
    return signals(count, {**KNOBS, **knobs}, torch.Generator().manual_seed(seed))


def test_labels_follow_the_code_and_the_signal() -> None:
    (task,) = draw(0, (1, 0, 0)).seen
    assert task.code is not None
    for data in (task.support, task.query):
        assert data.y.tolist() == (task.code > 0).long().repeat_interleave(2).tolist()
    still = {"corr_noise_scale": 0.0, "iid_noise_scale": 0.0, "shear_scale": 0.0, "scale_coeff": 0.0}
    x = made(4, max_translation=2, **still)
    nearest = torch.cdist(x[:, 1:].flatten(0, 1), x[:, 0]).argmin(1)
    assert (nearest == torch.arange(10).repeat_interleave(3)).double().mean() > 0.8


@pytest.mark.parametrize("knob", ["corr_noise_scale", "iid_noise_scale", "scale_coeff", "shear_scale"])
def test_a_knob_makes_signals_differ_more(knob: str) -> None:
    still = dict.fromkeys(("corr_noise_scale", "iid_noise_scale", "scale_coeff", "shear_scale"), 0.0)
    little, much = (made(8, **{**still, "max_translation": 2, knob: 2 * KNOBS[knob] * share}) for share in (0.1, 1.0))
    assert much.var(1).mean() > little.var(1).mean()


def test_knobs_of_a_task_are_its_code() -> None:
    splits = draw(1, (3, 2, 2), tasks="knobs")
    tasks = [*splits.seen, *splits.validation, *splits.held_out]
    for task in tasks:
        assert task.code is not None
        assert task.facts == turned(task.code)
        assert 2 <= task.facts["max_translation"] <= 60
        assert all(0 <= task.facts[knob] <= 2 * usual for knob, usual in KNOBS.items() if knob != "max_translation")
        assert task.support.y.bincount().tolist() == [2] * 10
    assert turned(torch.full((5,), 0.5)) == pytest.approx({**KNOBS, "max_translation": 31})


def test_the_global_generator_of_numpy_is_left_alone() -> None:
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    one = draw(2, (1, 0, 0)).seen[0]
    assert np.random.rand() == expected
    assert torch.equal(one.support.x, draw(2, (1, 0, 0)).seen[0].support.x)


def test_impossible_options_are_sentences() -> None:
    with pytest.raises(PartError, match="points = 25 and query = 20 must be multiples of 10"):
        Mnist1d(points=25, query=20)
    with pytest.raises(PartError, match="needs tasks = 'codes', not 'knobs'"):
        Mnist1d(tasks="knobs", distance=2)
