"""Denoisers on the spaces of networks that are in use: their claims hold, and what is coupled is seen to be."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from networks import NETWORKS
from torch import Tensor

from wsframework.config.building import as_config, build
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import WeightSpace
from wsframework.testing.equivariance import TOLERANCES, equivariance_error
from wsframework.testing.gauges import turning
from wsframework.tracing import examine

SMALL: dict[str, dict[str, Any]] = {
    "functional": {"width": 4, "blocks": 2, "context": 8},
    "deepsets": {"width": 4, "blocks": 3, "edge_width": 4},
    "graph": {"width": 4, "edge_width": 4, "layers": 3},
    "gauged": {"inner": {"use": "functional", "width": 4, "blocks": 1, "context": 8}},
}
"""Every denoiser that serves each space, and options that make it small.

What passes between neighbours alone takes three rounds to reach all that a weight is coupled to.
"""
F64 = torch.float64
QUICK = ("convolutional", "residual_network", "grouped_query_attention", "gru_from_gates")
CASES = [
    pytest.param(name, network, marks=() if name == "functional" and network in QUICK else pytest.mark.slow)
    for name in SMALL
    for network in NETWORKS
]


@cache
def space_of(network: str) -> WeightSpace:
    found = NETWORKS[network]()
    return examine(found.module.eval(), found.args, carry=found.carry).space


def denoiser_of(name: str, space: WeightSpace) -> Denoiser:
    torch.manual_seed(0)
    config = as_config({"use": name, **SMALL[name]})
    return build(load_registry(), "denoiser", config, space, 2).double()  # type: ignore[no-any-return]


def inputs(space: WeightSpace) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    shapes = ((2, space.size), (2,), (2, 2))
    x, t, c = (torch.rand(*shape, generator=g, dtype=F64) for shape in shapes)
    return 2 * x - 1, t, c


@pytest.mark.parametrize(("name", "network"), CASES)
def test_it_is_equivariant(name, network):
    space = space_of(network)
    denoiser, (x, t, c) = denoiser_of(name, space), inputs(space)
    turned = turning(space, denoiser.gauges, 2)
    g = turned @ space.random_symmetry(torch.Generator().manual_seed(2), gauge=False)
    for dtype in (F64, torch.float32):
        own, given = denoiser.to(dtype), (t.to(dtype), c.to(dtype))
        error = equivariance_error(lambda v, own=own, given=given: own(v, *given, space), space, x.to(dtype), g)
        assert error <= TOLERANCES[dtype]


@pytest.mark.parametrize(("name", "network"), CASES)
def test_after_training_each_coordinate_sees_others_of_its_parameter(name, network):
    """A map of single weights passes every test of equivariance, as it sees no coupling."""
    space = space_of(network)
    denoiser, (x, t, c) = denoiser_of(name, space), inputs(space)
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=1e-3)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward((denoiser(x, t, c, space) - x).square().mean())
        optimizer.step()
    x.requires_grad_()
    out = space.unflatten(denoiser(x, t, c, space)[:1])
    for parameter, value in out.items():
        (gradient,) = torch.autograd.grad(value.flatten()[0], x, retain_graph=True)
        first = space.offsets[parameter]
        seen = gradient[0, first : first + value.numel()]
        assert value.numel() < 3 or (seen[1:].abs() > 1e-14).any(), f"{parameter} sees itself alone"
        assert (gradient[0].abs() > 1e-14).sum() > value.numel() or len(out) < 2, f"{parameter} sees no other one"
        assert not gradient[1].any()
