"""The canonical form is a representative: the same for all networks that a symmetry makes of one."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from named_spaces import NAMED
from torch import Tensor

from wsframework.alignment.balance import balance, bounded
from wsframework.alignment.canonical_form import canonical
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.strategies import mlp_space, mlp_spaces, symmetries, weight_spaces, weights

spaces = weight_spaces() | mlp_spaces(gauge="sign") | mlp_spaces(gauge="scale") | NAMED


def close(a: Tensor, b: Tensor) -> bool:
    return bool(((a - b).norm(dim=-1) <= 1e-7 * b.norm(dim=-1)).all())


def quickly_in_balance(space: WeightSpace) -> bool:
    """Where a scale acts on an entry in three places or more, the descent can end before the balance is reached."""
    scaled = {d.name for d in space.dims if d.gauge == "scale"}
    places = [[o.dim for o in block.occurrences if o.exponent] for block in space.blocks()]
    return all(dims.count(name) <= 2 for dims in places for name in scaled)


@given(spaces, st.data())
def test_all_that_a_symmetry_makes_of_a_network_has_one_form(space: WeightSpace, data: st.DataObject) -> None:
    assume(quickly_in_balance(space))
    x, g = data.draw(weights(space)), data.draw(symmetries(space))
    form = canonical(Weights(space, x))
    assert close(canonical(Weights(space, g.act(x))).weights.x, form.weights.x)
    assert close(canonical(form.weights).weights.x, form.weights.x)


@given(spaces, st.data())
def test_the_form_is_made_by_an_element_of_the_group(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space))
    form = canonical(Weights(space, x))
    for g, before, after in zip(form.symmetries, x, form.weights.x, strict=True):
        assert torch.allclose(g.act(before), after, rtol=1e-12, atol=0)
        gauges = {d.name: d.gauge for d in space.dims if d.gauge}
        for name, factor in g.factors.items():
            assert (factor.abs() == 1).all() if gauges[name] == "sign" else (factor > 0).all()
        for name, size in space.free.items():
            assert g.permutations[name].sort(-1).values.eq(torch.arange(size)).all()


@given(spaces, st.data())
def test_no_scales_have_a_smaller_norm(space: WeightSpace, data: st.DataObject) -> None:
    if bounded(space):
        x, g = data.draw(weights(space)), data.draw(symmetries(space))
        least = balance(space, x).act(x).norm(dim=1)
        assert (least <= g.act(x).norm(dim=1) + 1e-9).all()


def test_two_layers_in_balance_have_equal_norms() -> None:
    space = mlp_space((3, 5, 2), bias=False, gauge="scale")
    x = canonical(Weights(space, torch.randn(4, space.size, dtype=torch.float64))).weights.parameters()
    assert torch.allclose(x["layers.0.weight"].norm(dim=2), x["layers.1.weight"].norm(dim=1))


def test_weights_that_nothing_holds_get_the_root_mean_square_one() -> None:
    space = WeightSpace.parse("free h:scale=3\nfixed i=4\nw h^1 i\nvariance h^2")
    x = canonical(Weights(space, torch.randn(4, space.size, dtype=torch.float64))).weights.parameters()
    mean = (x["w"].square().sum(2) + 2 * x["variance"].square()) / 6
    assert torch.allclose(mean, torch.ones(4, 3, dtype=torch.float64))


def test_single_precision_is_enough_where_keys_lie_apart() -> None:
    space = mlp_space((3, 4, 2), gauge="sign")
    x = torch.randn(1, space.size, generator=torch.Generator().manual_seed(0))
    g = space.random_symmetry(torch.Generator().manual_seed(1))
    forms = [canonical(Weights(space, some)).weights.x for some in (x, g.act(x))]
    assert forms[0].dtype == torch.float32
    assert torch.equal(*forms)


@pytest.mark.parametrize("gauge", [None, "sign", "scale"])
def test_weights_of_zero_stay_as_they_are(gauge: str | None) -> None:
    space = mlp_space((2, 3, 4, 1), gauge=gauge)
    x = torch.zeros(2, space.size)
    assert torch.equal(canonical(Weights(space, x)).weights.x, x)
