"""The conditioner over raw examples: their order, their places, their number, and the draws of training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_conditioners.example_set import ExampleSet

from wsframework.errors import PartError
from wsframework.tasks import Data, Task, TaskShape
from wsframework.testing.subject import randomised
from wsframework.testing.task_strategies import KINDS, made_task

SHAPE = TaskShape((3,), (2,), code=4)
IMAGES = TaskShape((1, 2, 3), (3,))
FORMS: list[dict[str, Any]] = [
    {},
    {"inducing": 3},
    {"pool": "attention", "blocks": 0},
    {"inducing": 2, "pool": "attention", "blocks": 1},
]
forms = st.sampled_from(FORMS)
shapes = st.sampled_from([SHAPE, IMAGES])
seeds = st.integers(0, 2**16)


def conditioner(shape: TaskShape = SHAPE, seed: int = 0, **options: Any) -> ExampleSet:
    """A small one, with random parameters, as it answers."""
    sizes = {"width": 8, "size": 5, "examples": 12, "kept": 16, "heads": 2}
    made = ExampleSet(shape, **(sizes | options))
    randomised(made, torch.Generator().manual_seed(seed))
    return made.eval()


def sequences(seed: int, points: int = 6) -> Task:
    """A task with a label of two at each of four positions."""
    generator = torch.Generator().manual_seed(seed)
    task = made_task(TaskShape((4,), (4, 2)), "regression", points, seed)
    y = torch.randint(2, (points, 4), generator=generator)
    return replace(task, support=Data(task.support.x, y))


@settings(max_examples=20)
@given(shape=shapes, kind=st.sampled_from(KINDS), points=st.integers(1, 40), seed=seeds)
def test_features_are_the_same_in_any_order_to_the_last_bit(shape, kind, points, seed):
    part, task = ExampleSet(shape, examples=4, kept=8), made_task(shape, kind, points, seed)
    order = torch.randperm(points, generator=torch.Generator().manual_seed(seed))
    moved = replace(task, support=Data(task.support.x[order], task.support.y[order]))
    assert torch.equal(part.describe(task), part.describe(moved))


@settings(max_examples=20)
@given(form=forms, shape=shapes, kind=st.sampled_from(KINDS), points=st.integers(1, 20), seed=seeds)
def test_the_network_does_not_see_in_which_places_the_examples_of_a_class_stand(form, shape, kind, points, seed):
    part = conditioner(shape, seed, examples=20, kept=20, **form)
    features = part.describe(made_task(shape, kind, points, seed))
    places = features.reshape(part.places.groups, 20, -1)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
    moved = places[:, order].flatten()
    torch.testing.assert_close(part(moved[None]), part(features[None]), rtol=1e-4, atol=1e-5)


@settings(max_examples=20)
@given(form=forms, points=st.integers(1, 12), more=st.integers(1, 20), seed=seeds)
def test_empty_places_and_what_stands_in_them_do_not_matter(form, points, more, seed):
    part = conditioner(seed=seed, kept=12, **form)
    wider = conditioner(seed=seed, kept=12 + more, **form)
    wider.load_state_dict(part.state_dict())
    features = torch.stack([of.describe(made_task(SHAPE, "classification", points, seed)) for of in (part, part)])
    rows, taken = part.places.read(features)
    other = torch.cat([torch.where(taken.unsqueeze(-1), rows, 7.0), taken.unsqueeze(-1)], -1).flatten(1)
    torch.testing.assert_close(part(other), part(features), rtol=1e-4, atol=1e-5)
    more_places = wider.describe(made_task(SHAPE, "classification", points, seed))[None]
    torch.testing.assert_close(wider(more_places), part(features[:1]), rtol=1e-4, atol=1e-5)


@settings(max_examples=15)
@given(form=forms, seed=seeds)
def test_every_example_of_a_class_is_seen_up_to_as_many_as_it_looks_at(form, seed):
    part = conditioner(seed=seed, examples=6, kept=10, **form)
    task = made_task(SHAPE, "classification", 40, seed)
    features = part.describe(task)[None].requires_grad_()
    out = part(features)
    (gradient,) = torch.autograd.grad((out * torch.randn_like(out)).sum(), features)
    seen = gradient.reshape(2, 10, -1)[..., :-1].abs().sum(-1) > 0
    assert seen[:, :6].all()
    assert not seen[:, 6:].any()


def test_in_training_it_sees_other_examples_at_every_step_and_never_an_empty_place():
    part = conditioner(examples=6, kept=10).train()
    features = part.describe(made_task(SHAPE, "classification", 14, 0)).repeat(400, 1).requires_grad_()
    torch.manual_seed(0)
    (gradient,) = torch.autograd.grad(part(features).square().sum(), features)
    seen = gradient.reshape(400, 2, 10, -1)[..., :-1].abs().sum(-1) > 0
    taken = part.places.read(features)[1]
    assert not (seen & ~taken).any()
    assert (seen.any(0) == taken[0]).all()
    assert set(seen.sum(-1).flatten().tolist()) == set(range(1, 7))


def test_a_task_by_few_examples_has_as_many_features_as_one_by_many():
    part = conditioner()
    few, many = (part.describe(made_task(SHAPE, "classification", points, 0)) for points in (2, 100))
    assert few.shape == many.shape
    assert part(torch.stack([few, many])).isfinite().all()
    none = made_task(SHAPE, "classification", 2, 0)
    nothing = replace(none, support=Data(none.support.x[:0], none.support.y[:0]))
    assert part(part.describe(nothing)[None]).isfinite().all()


def test_it_knows_nothing_of_code_and_text():
    part, task = conditioner(), made_task(SHAPE, "classification", 9, 0)
    blind = replace(task, code=None, text="")
    assert torch.equal(part.describe(task), part.describe(blind))


def test_labels_at_positions_stay_together_as_one_example():
    part = conditioner(TaskShape((4,), (4, 2)))
    rows, taken = part.places.read(part.describe(sequences(0))[None])
    assert taken.sum() == 6
    assert torch.equal(rows[taken][:, 4:].reshape(-1, 2).sum(-1), torch.ones(24))
    again = sequences(0).support
    assert {tuple(row) for row in rows[taken][:, :4].tolist()} == {tuple(row) for row in again.x.tolist()}


@settings(max_examples=15)
@given(kind=st.sampled_from(KINDS), seed=seeds)
def test_all_examples_share_one_scale_and_places_are_left_alone(kind, seed):
    part = conditioner(kept=20)
    features = torch.stack([part.describe(made_task(SHAPE, kind, 8 + k, seed + k)) for k in range(5)])
    known = part.statistics(features)
    before, after = part.places.read(features), part.places.read(known.standardise(features))
    assert torch.equal(before[1], after[1])
    examples = after[0][after[1]]
    torch.testing.assert_close(examples.mean(0), torch.zeros(5), rtol=0, atol=1e-5)
    torch.testing.assert_close(examples.std(0, correction=0), torch.ones(5), rtol=1e-4, atol=0)
    assert ((features >= known.low) & (features <= known.high)).all()
    assert len(part.called(made_task(SHAPE, kind, 8, seed))) == features.shape[1]


def test_heads_that_do_not_share_the_width_are_refused_where_there_is_attention():
    ExampleSet(SHAPE, width=6, heads=4)
    for options in ({"inducing": 2}, {"pool": "attention"}):
        with pytest.raises(PartError, match="heads = 4 do not share width = 6"):
            ExampleSet(SHAPE, width=6, heads=4, **options)


def test_targets_that_may_tell_the_answer_are_refused():
    task = made_task(SHAPE, "regression", 5, 0)
    other = replace(task, support=Data(task.support.x, torch.zeros(5, 7)))
    with pytest.raises(PartError, match=r"examples with 7 targets .* 2 outputs"):
        ExampleSet(SHAPE).describe(other)
