"""`mlp_unet`: shapes, what the output depends on, what the layer sets commute with, what is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wsf_flat.layer_sets import LayerSets, layer_sets
from wsf_flat.mlp_unet import MlpUnet

from wsframework.errors import PartError, SpaceError
from wsframework.spaces import WeightSpace

PLAIN = WeightSpace.parse(
    """
    free hidden1=5
    fixed in=2 out=3
    layers.0.weight  hidden1 in   as input.weight
    layers.0.bias    hidden1      as input.bias
    layers.1.weight  out hidden1  as output.weight
    layers.1.bias    out          as output.bias"""
)


def deep(layers: int, width: int) -> WeightSpace:
    """An MLP with ``layers`` hidden-to-hidden layers of one width."""
    dims = " ".join(f"h{i}={width}" for i in range(layers + 1))
    lines = [f"free {dims}", "fixed in=2 out=1", "first.weight h0 in", "first.bias h0"]
    for i in range(layers):
        lines += [f"mid{i}.weight h{i + 1} h{i} as hidden.weight", f"mid{i}.bias h{i + 1} as hidden.bias"]
    return WeightSpace.parse("\n".join([*lines, f"last.weight out h{layers}", "last.bias out"]))


def randomize(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    for p in module.parameters():
        p.data = torch.randn(p.shape, generator=generator, dtype=p.dtype) / max(p.shape[-1], 1) ** 0.5
    return module


def inputs(space: WeightSpace, condition_size: int, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x_t = torch.randn(4, space.size, generator=generator, dtype=torch.float64)
    condition = torch.randn(4, condition_size, generator=generator, dtype=torch.float64)
    return x_t, torch.rand(4, generator=generator, dtype=torch.float64), condition


def relative(a: Tensor, b: Tensor) -> float:
    return float(((a - b).norm() / b.norm()).detach())


@settings(deadline=None, max_examples=20)
@given(
    width=st.integers(16, 40),
    levels=st.integers(1, 3),
    blocks=st.integers(1, 2),
    embedding=st.integers(2, 9),
    condition_size=st.integers(0, 4),
    sets=st.booleans(),
)
def test_output_has_the_shape_of_the_input(width, levels, blocks, embedding, condition_size, sets):
    space = deep(2, 3)
    denoiser = MlpUnet(
        space,
        condition_size,
        width=width,
        levels=levels,
        blocks=blocks,
        embedding=embedding,
        equivariant_modules=sets,
    ).double()
    x_t, t, condition = inputs(space, condition_size)
    out = denoiser(x_t, t, condition, space)
    assert out.shape == x_t.shape
    assert out.isfinite().all()


@pytest.mark.parametrize("sets", [False, True])
def test_every_output_depends_on_every_input(sets):
    space = deep(2, 3)
    denoiser = randomize(MlpUnet(space, 3, width=16, embedding=8, equivariant_modules=sets).double())
    x_t, t, condition = inputs(space, 3)

    def first(x_t: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        return denoiser(x_t[None], t[None], condition[None], space)[0]

    for jacobian in torch.func.jacrev(first, argnums=(0, 1, 2))(x_t[0], t[0], condition[0]):
        assert (jacobian.abs() > 1e-12).all()


@pytest.mark.parametrize("sets", [False, True])
def test_a_gradient_reaches_every_parameter_of_a_new_denoiser(sets):
    space = deep(2, 3)
    denoiser = MlpUnet(space, 3, width=16, equivariant_modules=sets).double()
    denoiser(*inputs(space, 3), space).square().sum().backward()
    for name, parameter in denoiser.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_a_state_dict_carries_the_whole_denoiser():
    space = deep(2, 3)
    one = randomize(MlpUnet(space, 3, width=16, equivariant_modules=True).double())
    other = MlpUnet(space, 3, width=16, equivariant_modules=True).double()
    other.load_state_dict(one.state_dict(), strict=True)
    assert torch.equal(one(*inputs(space, 3), space), other(*inputs(space, 3), space))


def test_members_of_a_batch_do_not_see_one_another():
    denoiser = randomize(MlpUnet(PLAIN, 2, width=16).double())
    x_t, t, condition = inputs(PLAIN, 2)
    alone = torch.cat([denoiser(x_t[[i]], t[[i]], condition[[i]], PLAIN) for i in range(4)])
    assert relative(alone, denoiser(x_t, t, condition, PLAIN)) < 1e-12


def test_it_is_not_equivariant_and_does_not_claim_to_be():
    denoiser = randomize(MlpUnet(PLAIN, 2, width=16).double())
    x_t, t, condition = inputs(PLAIN, 2)
    g = PLAIN.random_symmetry(torch.Generator().manual_seed(0))
    assert not torch.equal(g.index, torch.arange(PLAIN.size))
    assert relative(denoiser(g.act(x_t), t, condition, PLAIN), g.act(denoiser(x_t, t, condition, PLAIN))) > 0.1
    assert MlpUnet.symmetry is None


@settings(deadline=None, max_examples=30)
@given(layers=st.integers(2, 4), width=st.integers(1, 5), seed=st.integers(0, 1000))
def test_layer_sets_commute_with_permuting_whole_layers(layers, width, seed):
    space = deep(layers, width)
    sets = layer_sets(space)
    module = randomize(LayerSets(sets, 3, rank=6).double(), seed)
    x, _, c = inputs(space, 3, seed)
    generator = torch.Generator().manual_seed(seed)
    source = torch.arange(space.size)
    for positions in sets:
        source[positions] = positions[torch.randperm(layers, generator=generator)]
    assert relative(module(x[:, source], c), module(x, c)[:, source]) < 1e-12


def test_layer_sets_mix_the_layers_of_a_set_and_leave_the_rest():
    space = deep(2, 3)
    sets = layer_sets(space)
    module = randomize(LayerSets(sets, 3, rank=6).double())
    x, _, c = inputs(space, 3)
    jacobian = torch.func.jacrev(lambda x: module(x[None], c[:1])[0])(x[0])
    inside = torch.zeros(space.size, dtype=torch.bool)
    for positions in sets:
        first, second = positions
        assert (jacobian[first][:, second].abs() > 1e-12).all()
        inside[positions.flatten()] = True
    assert [space.shapes[f"mid0.{kind}"] for kind in ("weight", "bias")] == [(3, 3), (3,)]
    assert inside.sum() == 2 * (9 + 3)
    assert torch.equal(module(x, c)[:, ~inside], x[:, ~inside])


def test_equivariant_modules_are_refused_where_no_two_layers_have_one_shape():
    with pytest.raises(PartError, match=r"has no two of them \(input.weight 5x2, input.bias 5, "):
        MlpUnet(PLAIN, 2, equivariant_modules=True)


def test_a_space_of_another_size_is_refused():
    denoiser = MlpUnet(PLAIN, 2, width=16).double()
    with pytest.raises(SpaceError, match=f"built for {PLAIN.size} coordinates, and this space has {deep(1, 3).size}"):
        denoiser(*inputs(deep(1, 3), 2), deep(1, 3))


def test_levels_that_leave_no_channels_are_refused():
    with pytest.raises(PartError, match=r"mlp_unet: width = 4 halved 2 times .* a width of at least 8"):
        MlpUnet(PLAIN, 2, width=4, levels=3)


def test_the_plugin_offers_it():
    import wsf_flat

    assert MlpUnet in list(wsf_flat.wsf_parts())
    assert set(MlpUnet.options()) == {"width", "levels", "blocks", "embedding", "equivariant_modules"}
