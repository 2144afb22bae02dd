"""Guidance: what it is at scale 1 and 0 and between, what it drops in training, what it claims."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY, TABLES
from torch import Tensor
from wsf_equivariant.guided import Guided

from wsframework.config.building import build
from wsframework.config.resolving import resolve
from wsframework.config.sections import PartConfig
from wsframework.errors import PartError
from wsframework.spaces import WeightSpace
from wsframework.testing.strategies import mlp_space
from wsframework.testing.subject import randomised

SPACE = mlp_space((2, 3, 2))
INNERS = [PartConfig("deepsets", {"width": 4, "blocks": 1}), PartConfig("mlp_unet", {"width": 8, "levels": 1})]
Call = tuple[Tensor, Tensor, Tensor, WeightSpace]


def guided(inner: PartConfig = INNERS[0], seed: int = 0, **options: Any) -> Guided:
    made: Guided = build(REGISTRY, "denoiser", PartConfig("guided", {"inner": inner, **options}), SPACE, 3)
    randomised(made, torch.Generator().manual_seed(seed))
    return made.eval()


def call(seed: int, batch: int = 3) -> Call:
    generator = torch.Generator().manual_seed(seed)
    x_t, c = torch.randn(batch, SPACE.size, generator=generator), torch.randn(batch, 3, generator=generator)
    return x_t, torch.rand(batch, generator=generator), c, SPACE


@settings(max_examples=10)
@given(inner=st.sampled_from(INNERS), seed=st.integers(0, 2**16))
def test_at_scale_one_it_is_the_inner_denoiser_and_at_zero_the_one_that_is_told_nothing(inner, seed):
    part, (x_t, t, c, space) = guided(inner, seed, scale=1.0), call(seed)
    assert torch.equal(part(x_t, t, c, space), part.inner(x_t, t, c, space))
    part.scale = 0.0
    assert torch.equal(part(x_t, t, c, space), part.inner(x_t, t, part.none.expand(3, -1), space))


@settings(max_examples=10)
@given(inner=st.sampled_from(INNERS), scale=st.floats(0, 5), seed=st.integers(0, 2**16))
def test_it_goes_on_in_a_straight_line_from_no_condition_over_the_condition(inner, scale, seed):
    part, inputs = guided(inner, seed), call(seed)
    answers = []
    for part.scale in (0.0, 1.0, scale):
        answers.append(part(*inputs))
    expected = answers[0] + scale * (answers[1] - answers[0])
    torch.testing.assert_close(answers[2], expected, rtol=1e-4, atol=1e-4)


def test_in_training_it_drops_as_many_conditions_as_it_was_asked_to_and_is_not_guided():
    part, (x_t, t, c, space) = guided(dropout=0.3, scale=4.0).train(), call(0, 3000)
    torch.manual_seed(0)
    out = part(x_t, t, c, space)
    told, untold = part.inner(x_t, t, c, space), part.inner(x_t, t, part.none.expand(3000, -1), space)
    kept, dropped = ((out - answer).abs().amax(1) < 1e-5 for answer in (told, untold))
    assert (kept ^ dropped).all()
    assert float(dropped.float().mean()) == pytest.approx(0.3, abs=0.04)
    out.square().sum().backward()
    assert part.none.grad is not None
    assert part.none.grad.abs().min() > 0


def test_without_dropout_it_trains_the_inner_denoiser_alone():
    part, inputs = guided(dropout=0.0).train(), call(0)
    assert torch.equal(part(*inputs), part.inner(*inputs))


@pytest.mark.parametrize(("inner", "claim"), [(INNERS[0], "equivariant"), (INNERS[1], None)])
def test_it_claims_what_the_inner_denoiser_claims(inner, claim):
    assert guided(inner).symmetry == claim
    assert guided(PartConfig("guided", {"inner": inner})).symmetry == claim


def test_what_it_holds_of_weights_is_what_the_inner_denoiser_holds():
    part, inputs = guided(), call(0)
    assert torch.equal(part.channels(*inputs), part.inner.channels(*inputs))


def test_without_a_condition_there_is_nothing_to_guide_by():
    with pytest.raises(PartError, match="no condition to guide by"):
        Guided(SPACE, 0)


def test_a_misspelt_inner_denoiser_is_told_with_the_nearest_word():
    tables = {**TABLES, "denoiser": {"use": "guided", "inner": {"use": "deepset"}, "scle": 2.0}}
    config, mistakes = resolve(tables, REGISTRY)
    assert config is None
    assert any("denoiser.inner.use = 'deepset'" in m and "did you mean 'deepsets'" in m for m in mistakes)
    assert any("denoiser.scle = 2.0" in m and "did you mean 'scale'" in m for m in mistakes)
