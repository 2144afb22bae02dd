"""The measure finds what is wrong, and passes what is right."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import WeightSpace, orbits
from wsframework.testing.equivariance import (
    TOLERANCES,
    assert_equivariant,
    assert_invariant,
    equivariance_error,
    invariance_error,
)
from wsframework.testing.strategies import mlp_space, symmetries, weight_spaces, weights

SPACE = mlp_space((2, 8, 3))
SCALED = mlp_space((2, 8, 3), gauge="scale")


def orbit_centred(x: Tensor) -> Tensor:
    """Equivariant, and uses more than its own coordinate."""
    found = orbits(SPACE)
    means = torch.stack([x[:, found.index == k].mean(1) for k in range(len(found.keys))], 1)
    return torch.tanh(x) - means[:, found.index]


@pytest.mark.parametrize("dtype", list(TOLERANCES))
@pytest.mark.parametrize("function", [orbit_centred, torch.exp, lambda x: x, torch.zeros_like])
def test_equivariant_maps_pass(function: object, dtype: torch.dtype) -> None:
    assert_equivariant(function, SPACE, dtype=dtype)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", list(TOLERANCES))
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.flip(-1),
        lambda x: x * torch.linspace(0.999, 1.0, x.shape[-1], dtype=x.dtype),
        lambda x: x.cumsum(-1),
        lambda x: x + x.new_tensor([1e-2] + [0.0] * (x.shape[-1] - 1)),
        lambda x: x / 0 * 0,
        lambda x: torch.ones_like(x).cumsum(-1),
    ],
)
def test_others_are_refuted(function: object, dtype: torch.dtype) -> None:
    with pytest.raises(AssertionError, match="not equivariant: relative error"):
        assert_equivariant(function, SPACE, dtype=dtype)  # type: ignore[arg-type]


def test_a_gauge_asks_for_more() -> None:
    assert_equivariant(torch.tanh, SCALED)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(torch.tanh, SCALED, gauge=True)
    assert_equivariant(lambda x: 3 * x, SCALED, gauge=True)


def test_invariance_is_judged_alike() -> None:
    assert_invariant(lambda x: x.square().sum(-1), SPACE)
    assert_invariant(lambda x: orbits(SPACE).mean(x), SPACE)
    with pytest.raises(AssertionError, match="not invariant"):
        assert_invariant(lambda x: x[:, 0], SPACE)


@settings(deadline=None, max_examples=50)
@given(weight_spaces(), st.data())
def test_the_error_is_relative(space: WeightSpace, data: st.DataObject) -> None:
    g, x = data.draw(symmetries(space)), data.draw(weights(space))
    constant = torch.randn(space.size, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    one, many = (equivariance_error(lambda x, k=k: k * (x + constant), space, x, g) for k in (1.0, 1e6))
    assert many == pytest.approx(one)
    assert invariance_error(lambda x: 0 * x, space, x, g) == 0


LARGE = orbits(SPACE).index == 0
"""The coordinates of one orbit, of the first weight."""


@pytest.mark.parametrize("size", [1e2, 1e5, 1e12])
def test_a_large_parameter_does_not_hide_a_small_one(size: float) -> None:
    scale, small = torch.where(LARGE, size, 1.0).double(), torch.zeros(SPACE.size, dtype=torch.float64)
    assert_equivariant(lambda x: scale * x, SPACE)
    SPACE.unflatten(small)["layers.1.weight"][0, 0] = 0.3 * size * 1e-12  # a view: too small for the norm of all
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: scale * x + small, SPACE)


@pytest.mark.parametrize("dtype", list(TOLERANCES))
def test_the_rounding_of_large_sums_is_allowed_in_small_parameters(dtype: torch.dtype) -> None:
    def rounded(x: Tensor) -> Tensor:
        total = (1e6 * x).sum(-1, keepdim=True)
        return torch.where(LARGE, 1e6 * x, x + total - 1e6 * x.sum(-1, keepdim=True))

    assert_equivariant(rounded, SPACE, dtype=dtype, draws=20)


def test_x_of_another_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="coordinates"):
        equivariance_error(lambda x: x, SPACE, torch.ones(1, 3), SPACE.identity_symmetry())


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x[:, :3], r"the function gives \(2, 3\) where weights are \(2, 51\)"),
        (lambda x: x.sum(), r"the function gives \(\) where weights are \(2, 51\)"),
        (lambda x: x[:1], r"the function gives \(1, 51\) where weights are \(2, 51\)"),
        (lambda x: [x], r"the function gives no tensor but a list, weights are \(2, 51\)"),
        (lambda x: None, r"the function gives no tensor but a NoneType"),
    ],
)
def test_an_answer_that_lives_elsewhere_is_refused_in_a_sentence(function: Any, sentence: str) -> None:
    with pytest.raises(SpaceError, match=sentence):
        assert_equivariant(function, SPACE)


def test_an_invariant_answer_is_a_tensor_of_one_shape() -> None:
    with pytest.raises(SpaceError, match="the function gives no tensor but a float"):
        assert_invariant(lambda x: 1.0, SPACE)
    with pytest.raises(SpaceError, match="as before"):
        assert_invariant(lambda x: x.flatten()[: 1 + int(x.flatten().argmax())], SPACE)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"draws": 0}, "try nothing"),
        ({"batch": 0}, "try nothing"),
        ({"dtype": torch.float16}, "no tolerance is known"),
        ({"space": mlp_space((2, 1, 3))}, "every function passes"),
        ({"space": "free h=3"}, "WeightSpace.parse"),
    ],
)
def test_what_would_try_nothing_is_refused(changes: dict[str, Any], sentence: str) -> None:
    space = changes.pop("space", SPACE)
    with pytest.raises(SpaceError, match=sentence):
        assert_equivariant(lambda x: x.flip(-1), space, **changes)


def test_a_function_that_changes_its_input_is_told_so() -> None:
    with pytest.raises(AssertionError, match="changes its input in place"):
        assert_equivariant(lambda x: x.mul_(2), SPACE)


def test_the_usual_draws_refute_a_reversal() -> None:
    """It commutes with the identity and with itself, which are a third of the permutations of three elements."""
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x.flip(1), WeightSpace.parse("free hidden=3\nfixed in=2\nweight hidden in"))


@pytest.mark.parametrize("seed", range(20))
def test_no_dim_is_left_alone_by_chance(seed: int) -> None:
    space = WeightSpace.parse("free first=2 second=2 inner[second]=2\nfirst first\nsecond second inner")
    for gains in ([1, 2, 1, 1, 1, 1], [1, 1, 1, 1, 2, 2], [1, 1, 1, 2, 1, 2]):
        generator = torch.Generator().manual_seed(seed)
        with pytest.raises(AssertionError, match="not equivariant"):
            assert_equivariant(
                lambda x, gains=gains: x * torch.tensor(gains).to(x), space, draws=1, generator=generator
            )
