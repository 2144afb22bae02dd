"""Aligned networks compute what they did, are no further from the reference, and where it is provable, are on it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from named_spaces import ATTENTION, GROUPED, NAMED, RECURRENT
from torch import Tensor

from wsframework.alignment.anchors import start
from wsframework.alignment.balance import balance, bounded
from wsframework.alignment.descent import State, anchored, sweep
from wsframework.alignment.matching import Alignment, align
from wsframework.alignment.pieces import cut
from wsframework.errors import SpaceError
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.strategies import mlp_space, mlp_spaces, symmetries, weight_spaces, weights

spaces = weight_spaces() | mlp_spaces() | mlp_spaces(gauge="sign") | NAMED


def moved(space: WeightSpace, x: Tensor, data: st.DataObject) -> Tensor:
    return torch.stack([data.draw(symmetries(space)).act(row) for row in x])


@given(spaces, st.data())
def test_the_symmetry_reproduces_the_aligned_weights(space: WeightSpace, data: st.DataObject) -> None:
    x, y = data.draw(weights(space)), data.draw(weights(space, batch=1))
    found = align(Weights(space, x), Weights(space, y), restarts=1, generator=torch.Generator().manual_seed(0))
    for g, before, after in zip(found.symmetries, x, found.weights.x, strict=True):
        assert torch.allclose(g.act(before), after, rtol=1e-13, atol=0)
    assert torch.allclose(found.distances.before, (x - y).norm(dim=1))
    assert torch.allclose(found.distances.after, (found.weights.x - y).norm(dim=1))
    if not any(d.gauge == "scale" for d in space.dims):
        assert all(torch.equal(g.act(b), a) for g, b, a in zip(found.symmetries, x, found.weights.x, strict=True))
        assert (found.distances.after <= found.distances.before + 1e-9).all()


@settings(max_examples=40)
@given(spaces, st.data())
def test_the_objective_never_falls(space: WeightSpace, data: st.DataObject) -> None:
    x, y = data.draw(weights(space)), data.draw(weights(space, batch=1))
    state = State.of(space, cut(space, x), cut(space, y))
    better = anchored(state)
    for _ in range(3):
        assert (better.objective >= state.objective).all()
        assert torch.allclose(better.so_far.act(x) @ y[0], better.objective, rtol=1e-9, atol=1e-9)
        state, (better, changed) = better, sweep(better, list(space.free))
        assert torch.equal(changed, better.objective > state.objective)


@given(spaces, st.data())
def test_a_moved_network_is_brought_back_where_that_is_certain(space: WeightSpace, data: st.DataObject) -> None:
    assume(start(space, frozenset(space.shapes)).certain and bounded(space))
    y = data.draw(weights(space, batch=2))
    x = moved(space, y, data)
    found = align(Weights(space, x), Weights(space, y))
    assert (found.distances.after <= 1e-6 * found.weights.x.norm(dim=1)).all()


@pytest.mark.parametrize("space", [ATTENTION, RECURRENT, mlp_space((3, 5, 4, 3, 2), gauge="scale")])
def test_real_architectures_are_certain(space: WeightSpace) -> None:
    assert start(space, frozenset(space.shapes)).certain


def test_grouped_channels_are_found_though_nothing_is_certain() -> None:
    y = torch.randn(20, GROUPED.size, generator=torch.Generator().manual_seed(0))
    x = torch.stack([GROUPED.random_symmetry(torch.Generator().manual_seed(k)).act(row) for k, row in enumerate(y)])
    found = align(Weights(GROUPED, x), Weights(GROUPED, y), restarts=2)
    assert (found.distances.after < 1e-5).float().mean() > 0.9


@pytest.mark.parametrize("gauge", [None, "sign", "scale"])
@pytest.mark.parametrize("hidden", [2, 3, 4])
def test_noisy_copies_of_perceptrons_are_found(hidden: int, gauge: str | None) -> None:
    space = mlp_space((6, *[12] * hidden, 3), gauge=gauge)
    random = torch.Generator().manual_seed(hidden)
    y = torch.randn(1, space.size, generator=random)
    noisy = y + 0.05 * torch.randn(20, space.size, generator=random)
    x = torch.stack([space.random_symmetry(random).act(row) for row in noisy])
    found = align(Weights(space, x), Weights(space, y))
    assert (found.distances.after < 0.15 * y.norm()).float().mean() > 0.9


@settings(max_examples=15)
@given(spaces, st.data())
def test_a_batch_is_aligned_as_one_by_one(space: WeightSpace, data: st.DataObject) -> None:
    x, y = data.draw(weights(space, batch=3)), data.draw(weights(space, batch=1))

    def aligned(rows: Tensor) -> Alignment:
        return align(Weights(space, rows), Weights(space, y), generator=torch.Generator().manual_seed(1), restarts=1)

    together, apart = aligned(x), [aligned(row.unsqueeze(0)) for row in x]
    assert torch.allclose(together.weights.x, torch.cat([one.weights.x for one in apart]), rtol=1e-9, atol=1e-9)
    assert together.sweeps.tolist() == [int(one.sweeps) for one in apart]


def test_a_reference_for_each_network_is_compared_with_its_own() -> None:
    space = mlp_space((4, 6, 5, 2), gauge="sign")
    x, y = (torch.randn(3, space.size, generator=torch.Generator().manual_seed(k)) for k in (0, 1))
    pairs = align(Weights(space, x), Weights(space, y))
    for k in range(3):
        one = align(Weights(space, x[k : k + 1]), space.unflatten(y[k]))
        assert torch.allclose(one.weights.x[0], pairs.weights.x[k])


def test_restarts_never_hurt() -> None:
    space = mlp_space((2, 6, 6, 6, 1))
    x = torch.randn(20, space.size, generator=torch.Generator().manual_seed(0))
    reference = Weights(space, torch.randn(1, space.size, generator=torch.Generator().manual_seed(1)))
    after = [
        align(Weights(space, x), reference, restarts=n, generator=torch.Generator().manual_seed(2)).distances.after
        for n in (0, 3)
    ]
    assert (after[1] <= after[0] + 1e-5).all()
    assert (after[1] < after[0] - 1e-3).any()


def test_half_precision_stays_half_precision() -> None:
    space = mlp_space((4, 6, 2))
    x = torch.randn(2, space.size).bfloat16()
    found = align(Weights(space, x), Weights(space, x.flip(0)))
    assert found.weights.x.dtype == torch.bfloat16


def test_what_does_not_fit_is_refused() -> None:
    space = mlp_space((2, 3, 1))
    three = Weights(space, torch.zeros(3, space.size))
    with pytest.raises(SpaceError, match="these two differ"):
        align(three, Weights(mlp_space((2, 4, 1)), torch.zeros(1, mlp_space((2, 4, 1)).size)))
    with pytest.raises(SpaceError, match="3 networks are aligned to one reference or to 3; 2 were given"):
        align(three, Weights(space, torch.zeros(2, space.size)))
    with pytest.raises(SpaceError, match="restarts=-1"):
        align(three, three, restarts=-1)
    with pytest.raises(SpaceError, match="missing"):
        align(three, {})


def test_what_is_not_compared_only_moves_along() -> None:
    space = WeightSpace.parse("free h=5\nfixed i=2\nw h i\nvariance h")
    y = torch.randn(1, space.size, generator=torch.Generator().manual_seed(0))
    x = space.random_symmetry(torch.Generator().manual_seed(1)).act(y)
    x[:, 10:] += 100 * torch.arange(5)
    found = align(Weights(space, x), Weights(space, y), compare=["w"])
    assert torch.equal(found.weights.x[:, :10], y[:, :10])
    assert torch.equal(found.symmetries[0].act(x[0]), found.weights.x[0])
    with pytest.raises(SpaceError, match="did you mean 'variance'"):
        align(Weights(space, x), Weights(space, y), compare=["varance"])


def test_weights_of_zero_stay_finite() -> None:
    space = mlp_space((2, 3, 4, 1), gauge="scale")
    found = align(Weights(space, torch.zeros(2, space.size)), Weights(space, torch.zeros(1, space.size)))
    assert torch.equal(found.weights.x, torch.zeros(2, space.size))
    assert balance(space, torch.zeros(1, space.size)).factors["hidden1"].eq(1).all()
