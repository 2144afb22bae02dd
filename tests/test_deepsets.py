"""`deepsets`, `orbit`, `layer`, `coordinate`: claims over many spaces, dependences, other widths, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_equivariant.canonical import CanonicalForm
from wsf_equivariant.deepsets import Deepsets
from wsf_equivariant.functional import Functional
from wsf_equivariant.normalisation import Layer, Orbit
from wsf_flat.coordinate import Coordinate

from wsframework.errors import PartError, SpaceError
from wsframework.parts.interfaces import WeightEncoder
from wsframework.spaces import WeightSpace
from wsframework.testing.equivariance import assert_equivariant, equivariance_error
from wsframework.testing.strategies import mlp_space, mlp_spaces, weight_spaces, weights

SEEDS = st.integers(0, 2**32 - 1)
SMALL = {"width": 12, "edge_width": 8, "blocks": 2}
F32, F64 = torch.float32, torch.float64

RECURRENT = WeightSpace.parse(
    """
    free hidden=5
    fixed in=2 out=3
    enter   hidden in
    loop    hidden hidden
    scale   hidden
    bias    hidden
    leave   out hidden
    skip    out in"""
)
PACKED = """
    free hidden={}
    fixed in=2 out=1
    weight  (hidden + hidden) in
    loop    (hidden + hidden) hidden
    leave   out hidden
    bias    out"""


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randomized(space: WeightSpace, condition_size: int = 3, seed: int = 0, **options: Any) -> Deepsets:
    """A small float64 denoiser whose parameters are all random."""
    denoiser = Deepsets(space, condition_size, **(SMALL | options)).double()
    g = random(seed)
    for p in denoiser.parameters():
        p.data = torch.randn(p.shape, generator=g, dtype=F64) / max(p.shape[-1], 1) ** 0.5
    return denoiser


def conditions(batch: int, size: int = 3, seed: int = 1, dtype: torch.dtype = F64) -> tuple[Tensor, Tensor]:
    g = random(seed)
    return torch.rand(batch, generator=g, dtype=dtype), torch.randn(batch, size, generator=g, dtype=dtype)


def inputs(space: WeightSpace, batch: int = 3, size: int = 3, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(batch, space.size, generator=random(seed + 1), dtype=F64), *conditions(batch, size, seed)


def check_equivariance(denoiser: Deepsets, space: WeightSpace, size: int, seed: int, dtype: torch.dtype) -> None:
    t, condition = conditions(2, size, seed, dtype)
    assert_equivariant(lambda x: denoiser(x, t, condition, space), space, dtype=dtype, draws=2, generator=random(seed))


@settings(max_examples=40)
@given(space=mlp_spaces(), condition_size=st.integers(0, 3), heads=st.sampled_from([0, 0, 3]), seed=SEEDS)
def test_it_commutes_with_every_permutation_of_neurons(space, condition_size, heads, seed):
    denoiser = randomized(space, condition_size, seed, heads=heads)
    check_equivariance(denoiser, space, condition_size, seed, F64)
    check_equivariance(denoiser.float(), space, condition_size, seed, F32)
    assert Deepsets.symmetry == "equivariant"


@pytest.mark.parametrize("space", [RECURRENT, WeightSpace.parse(PACKED.format(4))], ids=["loops", "sums"])
def test_loops_sums_and_skips_keep_equivariance(space):
    check_equivariance(randomized(space), space, 3, 0, F64)


@pytest.mark.parametrize("heads", [0, 4])
@pytest.mark.parametrize(
    "space",
    [mlp_space((2, 4, 3)), mlp_space((2, 3, 4, 1)), mlp_space((1, 3, 2, 3, 2), bias=False), RECURRENT],
    ids=["shallow", "deep", "without biases", "loops"],
)
def test_every_output_depends_on_every_input(space, heads):
    denoiser = randomized(space, heads=heads, blocks=3)
    x_t, t, condition = inputs(space, batch=1)

    def first(x_t: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return denoiser(x_t[None], t[None], condition[None], space)[0]

    for jacobian in torch.autograd.functional.jacobian(first, (x_t[0], t[0], condition[0])):
        assert (jacobian.abs() > 1e-12).all()


def test_inputs_and_outputs_are_told_apart():
    space = mlp_space((2, 4, 3))
    wider = WeightSpace.parse(str(space).replace("fixed in=2", "free in=2"))
    x_t, t, condition = inputs(space)
    denoiser = randomized(space)
    g = next(g for g in map(wider.random_symmetry, map(random, range(99))) if g.permutations["in"].tolist() == [1, 0])
    assert equivariance_error(lambda x: denoiser(x, t, condition, space), wider, x_t, g) > 1e-3


@pytest.mark.parametrize("heads", [0, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [(2, 5, 3), (2, 3, 4, 2)])
def test_a_gradient_reaches_every_parameter_of_a_new_denoiser(layers, bias, heads):
    space = mlp_space(layers, bias)
    denoiser = Deepsets(space, 3, **(SMALL | {"heads": heads})).double()
    denoiser(*inputs(space), space).square().sum().backward()
    for name, parameter in denoiser.named_parameters():
        assert parameter.grad is not None, name
        alone = len(space.free) == 1 and name == "depth.weight"  # one layer of neurons has no depth to tell
        assert alone or parameter.grad.abs().max() > 0, name


def test_a_state_dict_carries_the_whole_denoiser():
    space = mlp_space((2, 3, 4, 1))
    one, other = randomized(space, seed=0), randomized(space, seed=1)
    assert not torch.equal(one(*inputs(space), space), other(*inputs(space), space))
    other.load_state_dict(one.state_dict(), strict=True)
    assert torch.equal(one(*inputs(space), space), other(*inputs(space), space))


@settings(max_examples=15)
@given(space=mlp_spaces(), heads=st.sampled_from([0, 3]), seed=SEEDS)
def test_members_of_a_batch_do_not_see_one_another(space, heads, seed):
    denoiser = randomized(space, heads=heads)
    x_t, t, condition = inputs(space, seed=seed)
    alone = torch.cat([denoiser(x_t[[i]], t[[i]], condition[[i]], space) for i in range(3)])
    assert torch.allclose(alone, denoiser(x_t, t, condition, space), rtol=1e-9, atol=1e-12)


@settings(max_examples=20)
@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=4), seed=SEEDS)
def test_one_denoiser_serves_other_widths_and_depths(widths, seed):
    denoiser, space = randomized(mlp_space((2, 4, 4, 3))), mlp_space((2, *widths, 3))
    out = denoiser(*inputs(space, seed=seed), space)
    assert out.shape == (3, space.size)
    assert out.isfinite().all()
    check_equivariance(denoiser, space, 3, seed, F64)


@given(width=st.integers(1, 9))
@settings(max_examples=10)
def test_summands_find_their_matrices_at_every_width(width):
    denoiser, space = randomized(WeightSpace.parse(PACKED.format(4))), WeightSpace.parse(PACKED.format(width))
    check_equivariance(denoiser, space, 3, 0, F64)


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        (mlp_space((2, 4, 4, 3)), "deepsets: no matrices for 'hidden.weight'.*did you mean"),
        (mlp_space((5, 4, 3)), "'input.weight' has 5 entries over 1 free dims here, and 2 over 1 where"),
        (WeightSpace.parse("free h=2 v[h]=3\nw h v"), "deepsets: no matrices for 'w'"),
    ],
)
def test_a_space_that_it_does_not_know_is_refused(space, sentence):
    denoiser = randomized(mlp_space((2, 4, 3)))
    with pytest.raises(SpaceError, match=sentence):
        denoiser(*inputs(space), space)


def test_parameters_of_one_role_and_different_form_are_refused():
    with pytest.raises(SpaceError, match="'w' has 2 entries over 1 free dims here, and 3 over 1 where"):
        Deepsets(WeightSpace.parse("free h=2\nfixed a=2 b=3\nfirst h a as w\nsecond h b as w"), 0)


def test_any_role_can_name_a_matrix():
    space = WeightSpace.parse("free h=2\nfixed a=2\nkeys h a\nvalues h\na.b h\na_b h\ntype a")
    check_equivariance(randomized(space), space, 3, 0, F64)


def test_heads_share_the_width():
    with pytest.raises(PartError, match="heads = 5 do not share width = 64 evenly"):
        Deepsets(mlp_space((2, 4, 3)), 0, heads=5)


def fitted(encoder: type[WeightEncoder], space: WeightSpace, dtype: torch.dtype, seed: int) -> WeightEncoder:
    """Fitted on weights whose every coordinate has a mean and a scale of its own."""
    x = torch.randn(20, space.size, generator=random(seed), dtype=dtype)
    x = 3 * torch.randn(space.size, generator=random(seed + 1), dtype=dtype) + x * torch.rand(
        space.size, generator=random(seed + 2), dtype=dtype
    )
    made = encoder(space).to(dtype)
    made.fit(x, space)
    return made


ENCODERS = st.sampled_from([Orbit, Layer, Coordinate])


@settings(max_examples=60)
@given(data=st.data(), encoder=ENCODERS, space=mlp_spaces() | weight_spaces(), seed=SEEDS)
def test_decoding_undoes_encoding(data, encoder, space, seed):
    x = data.draw(weights(space))
    made = fitted(encoder, space, F64, seed)
    z = made.encode(x, space)
    assert made.latent(space) == space
    assert torch.allclose(made.decode(z, space), x, rtol=1e-10, atol=1e-10)


@settings(max_examples=60)
@given(encoder=st.sampled_from([Orbit, Layer]), space=mlp_spaces() | weight_spaces(), seed=SEEDS)
def test_pooled_statistics_keep_the_symmetry(encoder, space, seed):
    assert encoder.symmetry == "equivariant"
    for dtype in (F64, F32):
        made = fitted(encoder, space, dtype, seed)
        assert_equivariant(lambda x, m=made: m.encode(x, space), space, dtype=dtype, draws=2, generator=random(seed))
        assert_equivariant(lambda z, m=made: m.decode(z, space), space, dtype=dtype, draws=2, generator=random(seed))


@settings(max_examples=20)
@given(space=mlp_spaces(widths=(2, 8)), seed=SEEDS)
def test_statistics_of_each_coordinate_break_it(space, seed):
    assert Coordinate.symmetry is None
    made = fitted(Coordinate, space, F64, seed)
    moving = (space.random_symmetry(random(s)) for s in range(99))
    g = next(g for g in moving if not torch.equal(g.index, torch.arange(space.size)))
    x = torch.randn(2, space.size, generator=random(seed), dtype=F64)
    assert equivariance_error(lambda x: made.encode(x, space), space, x, g) > 1e-6


@settings(max_examples=30)
@given(encoder=ENCODERS, space=mlp_spaces(), seed=SEEDS)
def test_latents_of_the_zoo_are_standardised(encoder, space, seed):
    x = 5 + 2 * torch.randn(50, space.size, generator=random(seed), dtype=F64)
    made = encoder(space).double()
    made.fit(x, space)
    z = made.encode(x, space)
    assert z.mean().item() == pytest.approx(0, abs=1e-9)
    assert z.square().mean().item() == pytest.approx(1, rel=1e-9)
    if encoder is Layer:
        values = space.unflatten(z)
        for role in {p.role for p in space.parameters}:
            pooled = torch.cat([values[p.name].flatten() for p in space.parameters if p.role == role])
            assert pooled.mean().item() == pytest.approx(0, abs=1e-9)
            assert pooled.square().mean().item() == pytest.approx(1, rel=1e-9)


def test_what_never_varies_is_left_unscaled():
    space = mlp_space((2, 3, 1))
    for encoder in (Orbit, Layer, Coordinate):
        made = encoder(space)
        made.fit(torch.ones(4, space.size), space)
        assert torch.equal(made.encode(torch.full((1, space.size), 3.0), space), torch.full((1, space.size), 2.0))


@pytest.mark.parametrize("encoder", [Orbit, Layer, Coordinate])
def test_statistics_keep_their_precision_whatever_the_zoos(encoder):
    space = mlp_space((2, 3, 1))
    x = torch.randn(9, space.size, generator=random(0), dtype=F64)
    single, double = encoder(space), encoder(space).double()
    for made in (single, double):
        made.fit(x, space)
    assert single.mean.dtype == F32
    assert torch.allclose(single.decode(x, space), double.decode(x, space), atol=1e-5)


@settings(max_examples=20)
@given(encoder=st.sampled_from([Orbit, Layer]), widths=st.lists(st.integers(1, 9), min_size=2, max_size=4), seed=SEEDS)
def test_pooled_statistics_serve_other_widths_and_depths(encoder, widths, seed):
    made, other = fitted(encoder, mlp_space((2, 4, 4, 3)), F64, seed), mlp_space((2, *widths, 3))
    x = torch.randn(2, other.size, generator=random(seed), dtype=F64)
    z = made.encode(x, other)
    assert torch.allclose(made.decode(z, other), x, atol=1e-10)
    bias = slice(other.offsets["layers.0.bias"], other.offsets["layers.0.bias"] + widths[0])
    mean, std = (made.decode(torch.full_like(z, value), other)[:, bias] for value in (0.0, 1.0))
    assert torch.allclose(mean, mean[0, 0])  # neurons share their statistics
    assert torch.allclose(std, std[0, 0])


def test_a_role_without_statistics_is_named():
    made = Orbit(mlp_space((2, 4, 3)))
    with pytest.raises(SpaceError, match="orbit: no statistics for 'hidden"):
        made.encode(torch.zeros(1, mlp_space((2, 4, 4, 3)).size), mlp_space((2, 4, 4, 3)))


@pytest.mark.parametrize("encoder", [Orbit, Layer, Coordinate])
def test_a_state_dict_carries_the_statistics(encoder):
    space = mlp_space((2, 4, 3))
    one, other = fitted(encoder, space, F32, 0), encoder(space)
    other.load_state_dict(one.state_dict(), strict=True)
    x = torch.randn(2, space.size, generator=random(0))
    assert torch.equal(one.encode(x, space), other.encode(x, space))
    assert not torch.equal(encoder(space).encode(x, space), one.encode(x, space))


def test_the_plugin_offers_them():
    import wsf_equivariant

    assert {Deepsets, Functional, Orbit, Layer, CanonicalForm} <= set(wsf_equivariant.wsf_parts())
    assert set(Deepsets.options()) == {"width", "blocks", "edge_width", "heads"}
