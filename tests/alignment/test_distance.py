"""Distances between networks do not see symmetries, and augmentation makes nothing but them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from named_spaces import NAMED

from wsframework.alignment import augment, mix_up, quotient_distance
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.strategies import mlp_space, symmetries, weight_spaces, weights

spaces = weight_spaces() | NAMED


@pytest.mark.parametrize("gauge", [None, "sign", "scale"])
def test_a_network_is_at_distance_zero_from_all_that_symmetries_make_of_it(gauge: str | None) -> None:
    space = mlp_space((3, 8, 8, 2), gauge=gauge)
    a = Weights(space, torch.randn(4, space.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    found = quotient_distance(augment(a, torch.Generator().manual_seed(1)), a)
    assert found.shape == (4, 4)
    assert found.diagonal().max() < 1e-6
    assert (found + 100 * torch.eye(4)).min() > 1
    assert torch.allclose(found, quotient_distance(a, a), atol=1)


@settings(max_examples=10)
@given(spaces, st.data())
def test_the_distance_is_symmetric_and_no_greater_than_without_alignment(
    space: WeightSpace, data: st.DataObject
) -> None:
    a, b = (Weights(space, data.draw(weights(space))) for _ in range(2))
    found = quotient_distance(a, b)
    assert torch.equal(found, quotient_distance(b, a).T)
    assert torch.allclose(quotient_distance(a, a).diagonal(), torch.zeros(len(a), dtype=torch.float64), atol=1e-6)
    if not any(d.gauge == "scale" for d in space.dims):
        assert (found <= torch.cdist(a.x, b.x) + 1e-5).all()
    one = quotient_distance(a, b, generator=torch.Generator().manual_seed(0), restarts=1)
    assert torch.equal(one, quotient_distance(a, b, generator=torch.Generator().manual_seed(0), restarts=1))


def test_distances_of_nothing_and_of_two_spaces() -> None:
    space, other = mlp_space((2, 3, 1)), mlp_space((2, 4, 1))
    some, none = Weights(space, torch.zeros(2, space.size)), Weights(space, torch.zeros(0, space.size))
    assert quotient_distance(some, none).shape == (2, 0)
    assert quotient_distance(none, some).shape == (0, 2)
    with pytest.raises(SpaceError, match="these two differ"):
        quotient_distance(some, Weights(other, torch.zeros(1, other.size)))


@given(spaces, st.data())
def test_a_batch_of_symmetries_acts_and_composes_as_each_of_them(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space, batch=2))
    g, h = (Symmetries.random(space, 2, torch.Generator().manual_seed(k)) for k in (0, 1))
    for k in range(2):
        assert torch.equal(g.act(x)[k], g[k].act(x[k]))
        assert torch.allclose((g @ h).act(x)[k], (g[k] @ h[k]).act(x[k]), rtol=1e-12)
        assert torch.allclose((g @ h)[k].act(x[k]), g[k].act(h[k].act(x[k])), rtol=1e-12)


@given(spaces, st.data())
def test_augmented_networks_are_random_elements_of_the_group_away(space: WeightSpace, data: st.DataObject) -> None:
    x = data.draw(weights(space, batch=2))
    moved = augment(Weights(space, x), torch.Generator().manual_seed(0)).x
    expected = Symmetries.random(space, 2, torch.Generator().manual_seed(0))
    assert torch.equal(moved, torch.stack([expected[k].act(x[k]) for k in range(2)]))
    permuted = augment(Weights(space, x), torch.Generator().manual_seed(0), gauge=False).x
    assert torch.equal(permuted.sort(-1).values, x.sort(-1).values)
    assert data.draw(symmetries(space)).space == space


def test_augmented_networks_differ_and_every_order_is_as_likely() -> None:
    space = WeightSpace.parse("free h=3\nw h")
    moved = augment(Weights(space, torch.tensor([[1.0, 2.0, 3.0]]).repeat(6000, 1)), torch.Generator().manual_seed(0)).x
    counts = torch.unique(moved, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 150


def test_mixtures_lie_between_a_network_and_another_one() -> None:
    space = WeightSpace.parse("free h=4\nfixed i=1\nw h i\nv i h")
    x = torch.randn(5, space.size, generator=torch.Generator().manual_seed(0))
    mixed = mix_up(Weights(space, x), torch.Generator().manual_seed(1), align=False).x
    for k, row in enumerate(mixed):
        shares = [torch.linalg.lstsq((x[k] - y).unsqueeze(1), (row - y).unsqueeze(1)) for y in x]
        exact = [
            bool(torch.allclose((x[k] - y) * s.solution[0], row - y, atol=1e-5)) for y, s in zip(x, shares, strict=True)
        ]
        assert any(
            e and 0 <= s.solution.item() <= 1 for j, (e, s) in enumerate(zip(exact, shares, strict=True)) if j != k
        )


def test_mixtures_of_copies_of_one_network_are_that_network() -> None:
    space = mlp_space((3, 8, 8, 2), gauge="sign")
    x = torch.randn(1, space.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).repeat(3, 1)
    copies = augment(Weights(space, x), torch.Generator().manual_seed(1))
    assert torch.allclose(mix_up(copies, torch.Generator().manual_seed(2)).x, copies.x)
    assert not torch.allclose(mix_up(copies, torch.Generator().manual_seed(2), align=False).x, copies.x, atol=0.1)
    with pytest.raises(SpaceError, match="1 can't be"):
        mix_up(Weights(space, x[:1]))
