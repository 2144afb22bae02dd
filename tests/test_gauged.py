"""`gauged`: any denoiser turns with signs and scales; smoothly; and encoders and training know of gauges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY, made
from torch import Tensor
from wsf_equivariant.gauged import Gauged
from wsf_equivariant.normalisation import Orbit

from wsframework.config.building import as_config, build
from wsframework.config.sections import TrainSection
from wsframework.errors import PartError, SpaceError
from wsframework.parts.interfaces import Denoiser
from wsframework.pipeline.single import Run
from wsframework.pipeline.train import MOVED, shown
from wsframework.prior import Prior
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.equivariance import TOLERANCES, equivariance_error
from wsframework.testing.gauges import turning
from wsframework.testing.strategies import mlp_space
from wsframework.testing.subject import randomised

F64 = torch.float64
SEEDS = st.integers(0, 2**16)
INNER: dict[str, dict[str, Any]] = {
    "functional": {"width": 4, "blocks": 1, "context": 8},
    "deepsets": {"width": 4, "blocks": 1, "edge_width": 4},
    "graph": {"width": 4, "edge_width": 4, "layers": 1},
    "mlp_unet": {"width": 8, "embedding": 8},
}
SIREN: dict[str, Any] = {"use": "siren", "widths": [4], "omega": 1.0}


def denoiser_of(space: WeightSpace, name: str, **options: bool) -> Gauged:
    torch.manual_seed(0)
    config = as_config({"use": "gauged", "inner": {"use": name, **INNER[name]}, **options})
    denoiser: Gauged = build(REGISTRY, "denoiser", config, space, 2)
    return randomised(denoiser, torch.Generator().manual_seed(1))


def inputs(space: WeightSpace, seed: int, batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    shapes = ((batch, space.size), (batch, 2))
    x, c = (torch.randn(shape, generator=g, dtype=F64) for shape in shapes)
    return x, torch.rand(batch, generator=g, dtype=F64), c


def error(denoiser: Denoiser, space: WeightSpace, seed: int, dtype: torch.dtype, permuted: bool) -> float:
    x, t, c = (value.to(dtype) for value in inputs(space, seed))
    g = turning(space, ("sign", "scale"), seed)
    g = g @ space.random_symmetry(torch.Generator().manual_seed(seed), gauge=False) if permuted else g
    return equivariance_error(lambda v: denoiser.to(dtype)(v, t, c, space), space, x, g)


@pytest.mark.parametrize("gauge", ["sign", "scale"])
@pytest.mark.parametrize("name", INNER)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3), bias=st.booleans(), seed=SEEDS)
@settings(deadline=None, max_examples=3)
def test_any_denoiser_becomes_equivariant_to_gauges(name, gauge, sizes, bias, seed):
    space = mlp_space((2, *sizes, 2), bias, gauge)
    denoiser = denoiser_of(space, name, scales=True)
    for dtype, bound in TOLERANCES.items():
        assert error(denoiser, space, seed, dtype, permuted=name != "mlp_unet") <= bound


@pytest.mark.parametrize("gauge", ["sign", "scale"])
@pytest.mark.parametrize("name", INNER)
def test_alone_it_is_not(name, gauge):
    space = mlp_space((2, 4, 3, 2), gauge=gauge)
    denoiser = denoiser_of(space, name, scales=True)
    assert error(denoiser.inner, space, 3, F64, permuted=False) > 1e-2
    assert error(denoiser, space, 3, F64, permuted=False) <= TOLERANCES[F64]


def test_each_gauge_is_an_option_and_so_is_its_claim():
    space = mlp_space((2, 4, 2), gauge="scale")
    for scales, gauges in ((False, ("sign",)), (True, ("sign", "scale"))):
        denoiser = denoiser_of(space, "functional", scales=scales)
        assert denoiser.gauges == gauges
        assert (error(denoiser, space, 3, F64, permuted=False) <= TOLERANCES[F64]) == scales
    assert denoiser_of(space, "mlp_unet").symmetry is None
    assert denoiser_of(space, "graph").symmetry == "equivariant"


def test_it_is_smooth_where_a_neuron_changes_its_sign():
    """From a network to the one with a neuron turned, through the one without it: a choice of signs would jump."""
    space = mlp_space((2, 3, 2), gauge="sign")
    denoiser = denoiser_of(space, "functional").double()
    x, t, c = inputs(space, 0, 1)
    parts = {name: value.clone() for name, value in space.unflatten(x).items()}
    for name, axis in (("layers.0.weight", 1), ("layers.0.bias", 1), ("layers.1.weight", 2)):
        parts[name].select(axis, 0).zero_()
    without = space.flatten(parts)
    path = without + torch.linspace(-1, 1, 401, dtype=F64).unsqueeze(1) * (x - without)
    with torch.no_grad():
        moved = denoiser(path, t.expand(401), c.expand(401, -1), space)
    assert (moved[1:] - moved[:-1]).norm(dim=1).max() < 0.05 * (moved - moved.mean(0)).norm(dim=1).max()


def test_a_neuron_that_only_neurons_touch_has_a_frame():
    space = mlp_space((2, 3, 4, 2), bias=False, gauge="sign")
    denoiser = denoiser_of(space, "functional").double()
    x, t, _ = inputs(space, 0)
    assert denoiser.frame is not None
    nu, _ = denoiser.frame(x, t, space)
    assert nu.abs().min() > 0


def test_an_orbit_that_it_does_not_know_is_refused_by_name():
    denoiser = denoiser_of(mlp_space((2, 3, 2), gauge="sign"), "graph")
    assert denoiser.frame is not None
    other = mlp_space((3, 3, 2), gauge="sign")
    x, t, _ = inputs(other, 0)
    with pytest.raises(SpaceError, match="no factor for"):
        denoiser.frame(x.float(), t.float(), other)


@pytest.mark.parametrize("means", ["all", "still"])
def test_latents_turn_with_weights_where_means_are_still(means):
    space = mlp_space((2, 4, 1), gauge="sign")
    zoo = 1 + torch.randn(50, space.size, generator=torch.Generator().manual_seed(0), dtype=F64)
    encoder, g = Orbit(space, means=means).double(), turning(space, ("sign",), 0)
    encoder.fit(zoo, space)
    turns = torch.allclose(encoder.encode(g.act(zoo), space), g.act(encoder.encode(zoo, space)))
    assert turns == (means == "still")
    bias = space.unflatten(encoder.encode(zoo, space))["layers.1.bias"]
    assert bias.mean().abs() < 1e-6  # no sign acts on it


RUN = Run(made({"network": SIREN, "encoder": {"use": "orbit", "means": "still"}}), REGISTRY, Path("nowhere"), "cpu")


@pytest.mark.parametrize("encoder", [{"use": "orbit"}, {"use": "coordinate"}, {"use": "canonical"}])
def test_an_encoder_that_moves_signs_is_refused(encoder):
    for own in (encoder, {"use": "layer", "means": "still"}):
        changes = {"network": SIREN, "encoder": own, "denoiser": {"use": "gauged"}}
        design = Run(made(changes), REGISTRY, Path("nowhere"), "cpu").design
        if own is encoder:
            with pytest.raises(PartError, match="denoiser 'gauged' is equivariant to signs of neurons, but latents"):
                Prior(design, RUN.family.shape, REGISTRY)
        else:
            assert Prior(design, RUN.family.shape, REGISTRY).denoiser.gauges == ("sign",)


def test_with_augmentation_encoders_are_fitted_to_moved_networks():
    space = mlp_space((1, 8, 1), gauge="sign")
    zoo = Weights(space, 3 + torch.randn(4, space.size, generator=torch.Generator().manual_seed(0)))
    plain = shown(zoo, TrainSection(augment=False), torch.Generator())
    moved = shown(zoo, TrainSection(augment=True), torch.Generator().manual_seed(0))
    assert torch.equal(plain, zoo.x)
    assert len(moved) == MOVED
    assert torch.allclose(moved.abs().sort(1).values, zoo.x.repeat(MOVED // 4, 1).abs().sort(1).values)
    turned = space.unflatten(moved)["layers.0.bias"] < 0
    assert 0.3 < turned.float().mean() < 0.7
