"""The symmetries are a group, act linearly, and leave the functions of networks unchanged."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from wsframework.errors import SpaceError
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.testing.equivariance import invariance_error
from wsframework.testing.strategies import mlp_spaces, symmetries, weight_spaces, weights

EXACT = 1e-12


NESTED = WeightSpace.parse(
    """
    free a=3 b[a]:scale=3 c[b]:sign=2
    fixed f=2
    free d[f]=3 e[d]=2
    w (a b^+1 c^-1) (f d e)
    v (c a b^2 + a) e f d
    """
)


def close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=EXACT, atol=EXACT)


@settings(deadline=None)
@given(weight_spaces() | st.just(NESTED), st.data())
def test_group_axioms(space: WeightSpace, data: st.DataObject) -> None:
    f, g, h = (data.draw(symmetries(space)) for _ in range(3))
    x = data.draw(weights(space))
    one = space.identity_symmetry()
    assert torch.equal(one.act(x), x)
    assert close((f @ g).act(x), f.act(g.act(x)))
    assert same(f @ (g @ h), (f @ g) @ h)
    assert same(f @ one, f)
    assert same(one @ f, f)
    assert same(f @ f.inverse(), one)
    assert same(f.inverse() @ f, one)
    assert close(f.inverse().act(f.act(x)), x)


def same(f: Symmetry, g: Symmetry) -> bool:
    """Equal elements, not only equal actions."""
    return all(torch.equal(p, g.permutations[n]) for n, p in f.permutations.items()) and all(
        close(v, g.factors[n]) for n, v in f.factors.items()
    )


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_an_element_is_a_permutation_and_a_scale(space: WeightSpace, data: st.DataObject) -> None:
    g, x = data.draw(symmetries(space)), data.draw(weights(space))
    assert g.index.sort().values.tolist() == list(range(space.size))
    assert close(g.act(x), x[..., g.index] * g.scale)
    gauges = {d.name: d.gauge for d in space.dims if d.gauge}
    assert g.factors.keys() == gauges.keys()
    for name, value in g.factors.items():
        assert (value.abs() == 1).all() if gauges[name] == "sign" else (value > 0).all()
    only_permutes = data.draw(symmetries(space, gauge=False))
    assert torch.equal(only_permutes.act(x).sort(-1).values, x.sort(-1).values)


@settings(deadline=None)
@given(weight_spaces(), st.data(), st.floats(-3, 3))
def test_the_action_is_linear(space: WeightSpace, data: st.DataObject, a: float) -> None:
    g, x, y = data.draw(symmetries(space)), *(data.draw(weights(space, batch=2)) for _ in range(2))
    assert close(g.act(a * x + y), a * g.act(x) + g.act(y))


@settings(deadline=None)
@given(weight_spaces(), st.data())
def test_state_dicts_move_as_flat_vectors_do(space: WeightSpace, data: st.DataObject) -> None:
    g, x = data.draw(symmetries(space)), data.draw(weights(space))
    for flat in (x, x[0]):
        state = dict(reversed(space.unflatten(flat).items()))
        moved = g.act(state)
        assert list(moved) == list(state)
        assert close(space.flatten(moved), g.act(flat))


def test_a_state_dict_keeps_its_dtypes_and_integers_exactly() -> None:
    space = WeightSpace.parse("free h=4\nweight h\ncount h\nflag h\nnumber ()")
    state = {
        "weight": torch.randn(4, dtype=torch.bfloat16),
        "count": torch.arange(4) + 2**53 + 1,
        "flag": torch.tensor([True, False, False, True]),
        "number": torch.tensor(2**60 + 1),
    }
    g = space.random_symmetry(torch.Generator().manual_seed(1))
    moved = g.act(state)
    assert {n: v.dtype for n, v in moved.items()} == {n: v.dtype for n, v in state.items()}
    order = g.permutations["h"]
    assert all(torch.equal(moved[n], state[n][order]) for n in ("weight", "count", "flag"))
    assert moved["number"] == state["number"]


def test_inner_elements_move_with_their_outer_one_and_among_themselves() -> None:
    """A wreath product: in every outer element another permutation."""
    space = WeightSpace.parse("free outer=3 inner[outer]=3\nw (outer inner)\nv inner outer")
    x = torch.arange(3.0)[:, None] * 10 + torch.arange(3.0)
    state = {"w": x.flatten(), "v": x.T}
    found = set()
    for seed in range(200):
        moved = space.random_symmetry(torch.Generator().manual_seed(seed)).act(state)
        assert torch.equal(moved["w"].reshape(3, 3), moved["v"].T)
        assert (moved["v"] // 10 == (moved["v"] // 10)[:1]).all()
        found.add(tuple((moved["v"] % 10).T.flatten().tolist()))
    assert len(found) > 100  # of the 6^3 there are; were inner permuted alike everywhere, there would be 6


def test_elements_of_two_spaces_are_not_composed() -> None:
    a, b = (WeightSpace.parse(f"free h={n}\nw h") for n in (2, 3))
    with pytest.raises(SpaceError, match="two different weight spaces"):
        a.random_symmetry().compose(b.random_symmetry())


def same_function(space: WeightSpace, data: st.DataObject, function: object) -> None:
    x = data.draw(weights(space, batch=1))[0]
    g = space.random_symmetry(torch.Generator().manual_seed(data.draw(st.integers(0, 999))))
    error = invariance_error(lambda flat: function(space.unflatten(flat)), space, x, g)  # type: ignore[operator]
    assert error < 1e-11, error


ACTIVATIONS = {"scale": functional.relu, "sign": torch.tanh, None: functional.gelu}


@pytest.mark.parametrize("gauge", [None, "sign", "scale"])
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_perceptron_computes_the_same(gauge: str | None, data: st.DataObject) -> None:
    space = data.draw(mlp_spaces(gauge=gauge))  # type: ignore[arg-type]
    count = sum(name.endswith("weight") for name in space.shapes)
    inputs = torch.randn(5, space.dim("in").size, dtype=torch.float64)

    def network(p: dict[str, Tensor]) -> Tensor:
        x = inputs
        for k in range(count):
            x = functional.linear(x, p[f"layers.{k}.weight"], p.get(f"layers.{k}.bias"))
            x = ACTIVATIONS[gauge](x) if k < count - 1 else x
        return x

    same_function(space, data, network)


SIZES = st.integers(1, 4)


@settings(deadline=None, max_examples=40)
@given(st.data(), SIZES, SIZES, SIZES)
def test_attention_computes_the_same(data: st.DataObject, heads: int, key: int, value: int) -> None:
    """Heads move; inside each, keys and values move, and trade their scale with queries and outputs."""
    space = WeightSpace.parse(
        f"""
        free heads={heads} key[heads]:scale={key} value[heads]:scale={value}
        fixed model=5
        q.weight    (heads key^+1) model
        q.bias      (heads key^+1)
        kv.weight   (heads key^-1 + heads value^+1) model
        kv.bias     (heads key^-1 + heads value^+1)
        out.weight  model (heads value^-1)
        """
    )
    x = torch.randn(6, 5, dtype=torch.float64)

    def attend(p: dict[str, Tensor]) -> Tensor:
        q = (x @ p["q.weight"].T + p["q.bias"]).reshape(6, heads, key)
        kv = x @ p["kv.weight"].T + p["kv.bias"]
        k, v = kv[:, : heads * key].reshape(6, heads, key), kv[:, heads * key :].reshape(6, heads, value)
        scores = torch.einsum("ihk,jhk->hij", q, k).softmax(-1)
        return torch.einsum("hij,jhv->ihv", scores, v).reshape(6, -1) @ p["out.weight"].T

    same_function(space, data, attend)


@settings(deadline=None, max_examples=30)
@given(st.data(), SIZES, SIZES, SIZES)
def test_a_grouped_convolution_computes_the_same(data: st.DataObject, group: int, into: int, out: int) -> None:
    """Channels into a group depend on it, but the group's own axis is another one."""
    space = WeightSpace.parse(
        f"""
        free group={group} into[group]:sign={into} out[group]:sign={out}
        fixed image=2 k=3 answer=4
        first   (group into^+1) image k
        grouped (group out^+1) into^-1 k
        last    answer (group out^-1)
        """
    )
    image = torch.randn(1, 2, 9, dtype=torch.float64)

    def network(p: dict[str, Tensor]) -> Tensor:
        x = torch.tanh(functional.conv1d(image, p["first"]))
        x = torch.tanh(functional.conv1d(x, p["grouped"], groups=group))
        return p["last"] @ x.mean((0, 2))

    same_function(space, data, network)


@settings(deadline=None, max_examples=30)
@given(st.data(), SIZES)
def test_an_lstm_computes_the_same(data: st.DataObject, hidden: int) -> None:
    space = WeightSpace.parse(
        f"""
        free h={hidden}
        fixed in=3 out=2
        cell.weight_ih (h + h + h + h) in
        cell.weight_hh (h + h + h + h) h
        cell.bias_ih   (h + h + h + h)
        cell.bias_hh   (h + h + h + h)
        read           out h
        """
    )
    cell = nn.LSTMCell(3, hidden).double()
    inputs = torch.randn(4, 1, 3, dtype=torch.float64)

    def network(p: dict[str, Tensor]) -> Tensor:
        state = (torch.zeros(1, hidden, dtype=torch.float64),) * 2
        own = {n.removeprefix("cell."): v for n, v in p.items() if n.startswith("cell.")}
        for x in inputs:
            state = torch.func.functional_call(cell, own, (x, state))
        return p["read"] @ state[0][0]

    same_function(space, data, network)


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(2, 5))
def test_a_wrong_space_changes_the_function(data: st.DataObject, hidden: int) -> None:
    """The tests above can fail: a dim that is free in name only is found out."""
    space = WeightSpace.parse(f"free in=3 h={hidden}\nfixed out=2\na h in\nb out h")
    inputs = torch.randn(5, 3, dtype=torch.float64)
    x = data.draw(weights(space, batch=1))[0]
    g = space.identity_symmetry()
    g.permutations["in"].copy_(torch.tensor([1, 2, 0]))
    error = invariance_error(
        lambda flat: torch.tanh(inputs @ space.unflatten(flat)["a"].T) @ space.unflatten(flat)["b"].T, space, x, g
    )
    assert error > 1e-3
