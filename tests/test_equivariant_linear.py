"""`EquivariantLinear`: it commutes with every symmetry, it has all maps that do, and its gradient is right."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_equivariant.linear import blocks
from wsf_equivariant.linear.layer import EquivariantLinear
from wsf_equivariant.linear.sources import REPEATS, layout

from wsframework.errors import SpaceError
from wsframework.spaces import Symmetry, WeightSpace
from wsframework.testing.equivariance import TOLERANCES, assert_equivariant, equivariance_error
from wsframework.testing.strategies import mlp_space, mlp_spaces, weight_spaces

F64 = torch.float64
SEEDS = st.integers(0, 2**16)
WITHIN_FIXED = "fixed gates=2 in=3\nfree unit[gates]=3\nw (gates unit) in\nu (gates unit) (gates unit)\nb (gates unit)"


def served(space: WeightSpace) -> bool:
    """Whether no parameter has a dim more often than layers take it."""
    counts = [[o.dim for o in b.occurrences].count(d) for b in space.blocks() for d in space.free]
    return max(counts, default=0) <= REPEATS


SPACES = mlp_spaces(widths=(1, 6)) | weight_spaces(max_dims=4, max_parameters=3, max_size=150).filter(served)

HEADS = """
    free model=4 heads=3 key[heads]=2
    fixed in=2
    q (heads key) model
    b (heads key)
    o model (heads key)
    e in model"""
RECURRENT = """
    free hidden=4
    fixed in=2 gates=3
    w (gates hidden) in
    u (gates hidden) hidden
    b (gates hidden)
    o in hidden"""
CUBIC = "free hidden=4\nfixed k=2\nt hidden hidden hidden\nu hidden hidden k\nv hidden\ns ()"


def layer_of(space: WeightSpace, channels: tuple[int, int] = (1, 1), context: int = 0, **options: str):
    torch.manual_seed(0)
    return EquivariantLinear(space, *channels, context, **options).double()


def on_coordinates(layer: EquivariantLinear, space: WeightSpace, x: Tensor, context: Tensor | None = None) -> Tensor:
    """The layer on one channel, x (batch, size) to (batch, size)."""
    order = layout(space).order
    out = torch.empty_like(x.t())
    out[order] = layer(x.t()[order].unsqueeze(-1).contiguous(), space, context)[..., 0]
    return out.t()


@given(SPACES, SEEDS)
@settings(deadline=None, max_examples=15)
def test_layout_has_every_coordinate_once(space, seed):
    assert torch.equal(layout(space).order.sort().values, torch.arange(space.size))


@given(SPACES, SEEDS, st.sampled_from([None, "relu", "silu"]))
@settings(deadline=None, max_examples=15)
def test_it_commutes_with_permutations(space, seed, activation):
    g = torch.Generator().manual_seed(seed)
    layer, context = layer_of(space, context=2, activation=activation), torch.randn(2, 2, generator=g, dtype=F64)
    x, symmetry = torch.randn(2, space.size, generator=g, dtype=F64), space.random_symmetry(g, gauge=False)
    error = equivariance_error(lambda v: on_coordinates(layer, space, v, context), space, x, symmetry)
    assert error <= TOLERANCES[F64]


@pytest.mark.parametrize("text", [HEADS, RECURRENT, CUBIC, WITHIN_FIXED])
def test_it_commutes_where_dims_depend_and_repeat(text):
    space = WeightSpace.parse(text)
    layer = layer_of(space)
    assert_equivariant(lambda v: on_coordinates(layer, space, v), space)


@pytest.mark.parametrize(
    ("text", "maps"),
    [
        ("free a=4 b=5\nw a b\nv b", 10),
        ("free hidden=5\nw hidden hidden\nb hidden", 27),
        ("free heads=3 key[heads]=3 model=4\nw (heads key) model\nb (heads key)\no heads", 25),
        ("free hidden=6\nt hidden hidden hidden\ns ()", 214),
    ],
)
def test_it_has_every_equivariant_map(text, maps):
    """The equivariant maps have as many dimensions as pairs of coordinates have orbits."""
    space = WeightSpace.parse(text)
    assert orbits_of_pairs(space) == maps
    layer = layer_of(space)
    unit = torch.eye(space.size, dtype=F64)
    rows = []
    with torch.no_grad():
        for entry in range(layer.matrices.numel()):
            layer.matrices.zero_()[entry] = 1
            found = on_coordinates(layer, space, unit)
            rows.append((found - on_coordinates(layer, space, torch.zeros_like(unit))).flatten())
    assert torch.linalg.matrix_rank(torch.stack(rows)) == maps


def orbits_of_pairs(space: WeightSpace) -> int:
    """How many orbits pairs of coordinates have under the permutations of the space, by exhaustion."""
    places = torch.arange(space.size, dtype=F64).unsqueeze(0)
    found = [space.random_symmetry(torch.Generator().manual_seed(seed), gauge=False) for seed in range(12)]
    moves = [Symmetry.act(g, places)[0].long() for g in found]
    label, before = torch.arange(space.size**2).view(space.size, -1), None
    while before is None or not torch.equal(label, before):
        before = label.clone()
        for move in (*moves, *(m.argsort() for m in moves)):
            label = torch.minimum(label, label[move][:, move])
    return len(label.unique())


@pytest.mark.parametrize("activation", [None, "relu", "silu"])
@pytest.mark.parametrize("text", [HEADS, RECURRENT, CUBIC, str(mlp_space((2, 3, 4, 2)))])
def test_its_gradient_is_that_of_its_values(text, activation):
    space = WeightSpace.parse(text)
    layer = layer_of(space, (2, 3), 2, activation=activation)
    g = torch.Generator().manual_seed(2)
    state = torch.randn(space.size, 2, 2, generator=g, dtype=F64, requires_grad=True)
    context = torch.randn(2, 2, generator=g, dtype=F64, requires_grad=True)
    torch.autograd.gradcheck(lambda s, c, _: layer(s, space, c), (state, context, layer.matrices), fast_mode=True)


def test_a_block_in_pieces_is_the_same(monkeypatch):
    space = mlp_space((3, 8, 9, 2))
    layer = layer_of(space, (2, 3), activation="silu")
    state = torch.randn(space.size, 2, 2, dtype=F64, requires_grad=True)

    def values() -> list[Tensor]:
        layer.zero_grad(), setattr(state, "grad", None)
        out = layer(state, space)
        torch.autograd.backward(out.square().sum())
        return [out, state.grad, layer.matrices.grad]

    whole = values()
    for size in (5, 40, 100):
        monkeypatch.setattr(blocks, "CHUNK", size)
        assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(whole, values(), strict=True))


def test_a_depth_and_widths_never_seen_have_their_matrices():
    built, other = mlp_space((2, 3, 4, 5, 2)), mlp_space((2, 7, 1, 6, 9, 8, 2))
    layer = layer_of(built)
    assert_equivariant(lambda v: on_coordinates(layer, other, v), other)


def test_parameters_of_one_role_are_treated_alike():
    """Two layers of one role between dims of one size: exchanging all about them exchanges what comes out."""
    space = WeightSpace.parse("free a=3 b=4\nfixed in=2\nw a in\nv b a as w2\nu b a as w2\no in b")
    layer = layer_of(space)
    x = torch.randn(1, space.size, dtype=F64)
    parts = space.unflatten(x)
    swapped = space.flatten(parts | {"v": parts["u"], "u": parts["v"]})
    out, other = (space.unflatten(on_coordinates(layer, space, value)) for value in (x, swapped))
    assert torch.allclose(out["v"], other["u"])
    assert torch.allclose(out["o"], other["o"])
    assert not torch.allclose(out["v"], out["u"])


def test_what_several_of_one_role_are_given_reaches_each_of_them():
    """One of two parameters of one role on the same dims sees itself, the other one, and both ways of seeing differ."""
    space = WeightSpace.parse("free a=3 b=4\nv b a as w\nu b a as w")
    layer = layer_of(space)
    x = torch.zeros(1, space.size, dtype=F64)
    base, moved = on_coordinates(layer, space, x), x.clone()
    moved[0, 0] = 1
    own, other = space.unflatten(on_coordinates(layer, space, moved) - base).values()
    assert own[0, 0, 0].abs() > 1e-6
    assert other[0, 0, 0].abs() > 1e-6
    assert not torch.allclose(own, other)


def test_a_dim_that_repeats_too_often_is_refused_by_name():
    space = WeightSpace.parse("free h=2\nw h h h h")
    with pytest.raises(SpaceError, match="parameter 'w' has dim 'h' 4 times"):
        layer_of(space)


def test_a_role_without_a_matrix_is_refused_by_name():
    layer = layer_of(mlp_space((2, 3, 2)))
    other = mlp_space((2, 3, 4, 2))
    with pytest.raises(SpaceError, match=r"no matrix for 'hidden\.weight"):
        layer(torch.randn(other.size, 1, 1, dtype=F64), other)
