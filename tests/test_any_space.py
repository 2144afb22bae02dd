"""`graph` and `deepsets` on spaces of every kind: equivariance, what an output depends on, sizes never seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from tracing.networks import NETWORKS
from wsf_equivariant.deepsets import Deepsets
from wsf_graph.denoiser import GraphDenoiser

from wsframework.errors import SpaceError
from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import WeightSpace
from wsframework.testing.equivariance import assert_equivariant
from wsframework.testing.subject import randomised
from wsframework.tracing import trace

F32, F64 = torch.float32, torch.float64
CONVOLUTIONS = """
    fixed image=2 k=3 cells=2 classes=2
    free c1={} c2={} {}
    first.weight   c1 image k as first.weight
    first.bias     c1 as first.bias
    second.weight  c2 c1 k as conv.weight
    second.bias    c2 as conv.bias
    {}
    last.weight    classes (c{} cells) as last.weight"""
DEEPER = "third.weight  c3 c2 k as conv.weight\n    third.bias    c3 as conv.bias"
SPACES = {
    "kernels": CONVOLUTIONS.format(3, 4, "", "", 2),
    "heads": """
        free model=4 heads=3 key[heads]=2 value[heads]=3
        fixed in=2
        enter  model in
        qkv    (heads (key + key + value)) model
        bias   (heads (key + key + value))
        out    model (heads value)
        gain   ()""",
    "heads apart": """
        free heads=3 key[heads]=2 value[heads]=3
        fixed model=2
        q  model key heads
        m  heads value key
        b  (heads key) (heads value)
        g  heads heads""",
    "gates": "free h=4\nfixed in=2 gates=3\nw (gates h) in\nu (gates h) h\nb (gates h)\no in h",
    "experts": "free e=3 h[e]=2\nfixed in=2 out=2\nup e h in\nbias e h\ndown e out h\ngate in e\nscale e",
    "within fixed": "fixed gates=2 in=3\nfree unit[gates]=3\nw (gates unit) in\nu (gates unit) (gates unit)",
    "three": "free a=2 b=3 c=2\nfixed in=2\nx a in\ny b in\nz c in\nbilinear a b c",
}
DENOISERS: dict[type[Denoiser], dict[str, Any]] = {
    GraphDenoiser: {"width": 12, "edge_width": 16, "layers": 3},
    Deepsets: {"width": 12, "edge_width": 8, "blocks": 3},
}

by_denoiser = pytest.mark.parametrize("part", DENOISERS, ids=lambda part: part.name)
by_space = pytest.mark.parametrize("space", [WeightSpace.parse(text) for text in SPACES.values()], ids=list(SPACES))


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(part: type[Denoiser], space: WeightSpace) -> Denoiser:
    """A small denoiser whose parameters are all random, in float64."""
    return randomised(part(space, 2, **DENOISERS[part]), random(0)).double()  # type: ignore[call-arg]


def called(denoiser: Denoiser, x: Tensor, space: WeightSpace) -> Tensor:
    t, c = torch.rand(1, generator=random(1)), torch.randn(1, 2, generator=random(2))
    return denoiser(x, t.to(x).expand(len(x)), c.to(x).expand(len(x), -1), space)


def check_equivariance(denoiser: Denoiser, space: WeightSpace) -> None:
    for dtype in (F64, F32):
        denoiser.to(dtype)
        assert_equivariant(lambda x: called(denoiser, x, space), space, dtype=dtype, draws=2, generator=random(3))
    denoiser.double()


def jacobian(denoiser: Denoiser, space: WeightSpace, x: Tensor) -> Tensor:
    """What each coordinate of the answer owes to each of x (size,): (size, size), a member of a batch for each row."""
    many = x.expand(space.size, -1).clone().requires_grad_()
    called(denoiser, many, space).diagonal().sum().backward()
    assert many.grad is not None
    return many.grad


def train(denoiser: Denoiser, space: WeightSpace) -> None:
    """Three steps towards noise."""
    optimizer, x = torch.optim.Adam(denoiser.parameters(), lr=1e-2), torch.randn(4, space.size, dtype=F64)
    for _ in range(3):
        optimizer.zero_grad()
        (called(denoiser, x, space) - x.flip(0)).square().mean().backward()
        optimizer.step()


@by_space
@by_denoiser
def test_it_serves_the_space_and_keeps_its_symmetry_in_training(part, space):
    denoiser = made(part, space)
    train(denoiser, space)
    check_equivariance(denoiser, space)


@by_space
@by_denoiser
def test_every_output_depends_on_every_input(part, space):
    found = jacobian(made(part, space), space, torch.randn(space.size, generator=random(4), dtype=F64))
    assert (found.abs() > 1e-12).all()


MATRICES = {"kernels": "second.weight", "heads": "out", "heads apart": "b", "gates": "u", "three": "bilinear"}


@pytest.mark.parametrize("trained", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MATRICES)
@by_denoiser
def test_weights_of_its_row_and_of_its_column_say_other_things_than_the_rest(part, name, trained):
    """Where all of an orbit are equal, only a layer that tells rows and columns tells their weights' derivatives."""
    space = WeightSpace.parse(SPACES[name])
    denoiser = made(part, space)
    if trained:
        train(denoiser, space)
    found = jacobian(denoiser, space, torch.full((space.size,), 0.3, dtype=F64))
    places = space.unflatten(torch.arange(space.size))[MATRICES[name]]
    places = places[(..., *[0] * (places.dim() - 2))]
    row, column, rest = (found[places[0, 1], places[at]] for at in ((0, -1), (-1, 1), (-1, -1)))
    assert (row - rest).abs() > 1e-9
    assert (column - rest).abs() > 1e-9


@by_denoiser
def test_convolutions_of_widths_and_a_depth_never_seen_are_served(part):
    denoiser = made(part, WeightSpace.parse(CONVOLUTIONS.format(3, 4, "", "", 2)))
    check_equivariance(denoiser, WeightSpace.parse(CONVOLUTIONS.format(5, 2, "c3=6", DEEPER, 3)))


@by_denoiser
def test_positions_on_fixed_dims_are_told_apart(part):
    space = WeightSpace.parse(SPACES["kernels"])
    denoiser, x = made(part, space), torch.randn(1, space.size, generator=random(4), dtype=F64)
    taps = torch.arange(space.size)
    for place in space.unflatten(torch.arange(space.size)).values():
        if place.dim() == 3:
            taps[place] = place.flip(-1)
    assert (called(denoiser, x[:, taps], space) - called(denoiser, x, space)[:, taps]).abs().max() > 1e-3


@by_denoiser
def test_dims_within_others_have_to_be_known(part):
    denoiser = made(part, WeightSpace.parse("free key=2\nb key"))
    space = WeightSpace.parse("free heads=3 key[heads]=2\nb (heads key)")
    with pytest.raises(SpaceError, match="within"):
        called(denoiser, torch.zeros(1, space.size, dtype=F64), space)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@by_denoiser
def test_it_serves_the_networks_that_are_in_use(part, name):
    torch.manual_seed(0)
    network = NETWORKS[name]()
    space = trace(network.module, network.args, carry=network.carry)
    denoiser = made(part, space)
    check_equivariance(denoiser, space)
    train(denoiser, space)
    check_equivariance(denoiser, space)
    assert (jacobian(denoiser, space, torch.randn(space.size, dtype=F64)) != 0).all()
