"""`mlp`: the batched form against the module, the initialisation against torch's, the space against the function."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wsf_networks.mlp import Mlp

from wsframework.tasks import TaskShape

SEEDS = st.integers(0, 2**40)
ACTIVATIONS = ["relu", "tanh", "gelu", "silu"]

mlps = st.builds(
    Mlp,
    widths=st.lists(st.integers(1, 8), max_size=3).map(tuple),
    activation=st.sampled_from(ACTIVATIONS),
    bias=st.booleans(),
)
inputs_of = st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple)
shapes = st.builds(TaskShape, inputs_of, st.lists(st.integers(1, 4), min_size=1, max_size=2).map(tuple))


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(mlp=mlps, shape=shapes, networks=st.integers(1, 3), points=st.integers(1, 5), shared=st.booleans(), seed=SEEDS)
@settings(max_examples=60)
def test_the_batched_form_is_the_module_row_by_row(mlp, shape, networks, points, shared, seed):
    space = mlp.space(shape)
    x = mlp.initialize(shape, networks, random(seed)).double()
    inputs = torch.randn(1 if shared else networks, points, *shape.inputs, generator=random(seed), dtype=torch.float64)
    inputs = inputs.expand(networks, *inputs.shape[1:])
    outputs = mlp.apply(shape, space.unflatten(x), inputs)
    assert outputs.shape == (networks, points, *shape.outputs)
    for i in range(networks):
        module = mlp.network(shape).double()
        module.load_state_dict(space.unflatten(x[i]), strict=True)
        assert torch.allclose(outputs[i], module(inputs[i]), rtol=1e-12, atol=1e-14)


@given(mlp=mlps, shape=shapes, seed=SEEDS)
@settings(max_examples=20)
def test_the_batched_form_changes_neither_inputs_nor_weights(mlp, shape, seed):
    x = mlp.initialize(shape, 2, random(seed))
    inputs = torch.randn(2, 3, *shape.inputs, generator=random(seed))
    kept = x.clone(), inputs.clone()
    mlp.apply(shape, mlp.space(shape).unflatten(x), inputs)
    assert torch.equal(x, kept[0])
    assert torch.equal(inputs, kept[1])


@given(mlp=mlps, shape=shapes)
@settings(max_examples=40)
def test_the_space_names_and_shapes_the_state_dict(mlp, shape):
    state = mlp.network(shape).state_dict()
    assert mlp.space(shape).shapes == {name: tuple(value.shape) for name, value in state.items()}
    assert list(mlp.space(shape).free.values()) == list(mlp.widths)


@given(mlp=mlps, shape=shapes, seed=SEEDS)
@settings(max_examples=40)
def test_permuted_neurons_compute_the_same_function(mlp, shape, seed):
    space = mlp.space(shape)
    x = torch.randn(1, space.size, generator=random(seed), dtype=torch.float64)
    inputs = torch.randn(1, 7, *shape.inputs, generator=random(seed + 1), dtype=torch.float64)
    moved = space.random_symmetry(random(seed)).act(x)
    outputs, after = (mlp.apply(shape, space.unflatten(w), inputs) for w in (x, moved))
    assert torch.allclose(outputs, after, rtol=1e-10, atol=1e-12)


def test_permuting_inputs_or_outputs_would_change_the_function():
    mlp, shape = Mlp(widths=(4,)), TaskShape((2,), (3,))
    x = torch.randn(1, mlp.space(shape).size, generator=random(0))
    p = mlp.space(shape).unflatten(x)
    inputs = torch.randn(1, 7, 2, generator=random(1))
    outputs = mlp.apply(shape, p, inputs)
    assert not torch.allclose(outputs, mlp.apply(shape, p | {"layers.0.weight": p["layers.0.weight"].flip(-1)}, inputs))
    assert not torch.allclose(outputs, mlp.apply(shape, p | {"layers.1.weight": p["layers.1.weight"].flip(-2)}, inputs))


@given(mlp=mlps, shape=shapes, seed=SEEDS)
@settings(max_examples=30)
def test_initialisation_depends_on_the_generator_alone(mlp, shape, seed):
    one, two, other = (mlp.initialize(shape, 3, random(s)) for s in (seed, seed, seed + 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert len(torch.unique(one, dim=0)) == 3


@pytest.mark.parametrize("widths", [(), (32,), (16, 8)])
def test_initialisation_has_torchs_distribution(widths):
    """Uniform within the bounds of `torch.nn.Linear`: each parameter's extent, mean, deviation and quartiles."""
    mlp, shape, count = Mlp(widths=widths), TaskShape((5,), (3,)), 4000
    drawn = mlp.space(shape).unflatten(mlp.initialize(shape, count, random(0)))
    for name, module in mlp.network(shape).named_modules():
        for kind in ("weight", "bias") if isinstance(module, torch.nn.Linear) else ():
            bound = 1 / math.sqrt(module.in_features)
            u = drawn[f"{name}.{kind}"].flatten(1).double() / bound
            error = 6 / math.sqrt(u.numel())
            assert u.abs().max() <= 1
            assert u.abs().max() > 0.99
            assert abs(u.mean().item()) < error
            assert u.square().mean().item() == pytest.approx(1 / 3, abs=error)
            assert (u < -0.5).double().mean().item() == pytest.approx(0.25, abs=error)
            reference = getattr(module, kind).detach()
            assert reference.abs().max() <= bound
    x = mlp.initialize(shape, count, random(0))
    correlations = torch.corrcoef(x.T) - torch.eye(x.shape[1])
    assert correlations.abs().max() < 7 / math.sqrt(count)


def test_an_image_is_flattened_and_one_layer_is_linear():
    mlp, shape = Mlp(widths=()), TaskShape((2, 3), (1,))
    weight = torch.arange(6.0).reshape(1, 1, 6)
    inputs = torch.ones(1, 1, 2, 3)
    outputs = mlp.apply(shape, {"layers.0.weight": weight, "layers.0.bias": torch.ones(1, 1)}, inputs)
    assert outputs.item() == 16


def test_the_plugin_offers_it():
    import wsf_networks

    assert Mlp in list(wsf_networks.wsf_parts())
    assert set(Mlp.options()) == {"widths", "activation", "bias"}
