"""Collapse is 0 at a simplex, moves with what is moved, and is found in networks that end in a linear layer."""

from dataclasses import astuple, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import REGISTRY
from torch import Tensor
from wsf_networks.mlp import Mlp

from wsframework.errors import NotApplicable
from wsframework.measures.collapse import collapse
from wsframework.measures.penultimate import penultimate
from wsframework.parts.interfaces import Architecture
from wsframework.tasks import TaskShape

POINTS = 6


def simplex(classes: int, width: int, seed: int) -> Tensor:
    """Corners (classes, width) of a simplex around some point, turned at random."""
    g = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(width, width, generator=g, dtype=torch.float64)).Q
    corners = torch.eye(classes, width, dtype=torch.float64) - 1 / classes * (torch.arange(width) < classes)
    return 3 * corners @ turn


def labels(classes: int) -> Tensor:
    return torch.arange(classes).repeat(POINTS)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(0, 4), st.integers(0, 10**6))
def test_a_simplex_is_full_collapse(classes: int, further: int, seed: int) -> None:
    corners, y = simplex(classes, classes + further, seed), labels(classes)
    found = collapse((corners + 5)[y], y, 0.1 * corners + 2)
    assert found is not None
    assert max(astuple(found)) < 1e-9


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 5), st.floats(0.01, 1), st.integers(0, 10**6))
def test_each_measure_sees_its_own_deviation(classes: int, by: float, seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    corners, y = simplex(classes, classes + 2, seed), labels(classes)
    spread = by * torch.randn(POINTS // 2, classes, classes + 2, generator=g, dtype=torch.float64)
    noise = torch.cat([spread, -spread]).flatten(0, 1)  # without a mean within any class
    noisy = collapse(corners[y] + noise, y, corners)
    assert noisy is not None
    assert noisy.within > 0
    assert max(astuple(replace(noisy, within=0.0))) < 1e-9
    turned = collapse(corners[y], y, corners + by * torch.randn(corners.shape, generator=g, dtype=torch.float64))
    assert turned is not None
    assert turned.duality > 0
    assert max(astuple(replace(turned, duality=0.0))) < 1e-9


def test_within_is_the_trace_of_its_definition() -> None:
    g = torch.Generator().manual_seed(0)
    y, h = labels(3), torch.randn(18, 5, generator=g, dtype=torch.float64)
    found = collapse(h, y, torch.randn(3, 5, generator=g))
    means = torch.stack([h[y == c].mean(0) for c in range(3)])
    inner = (h - means[y]).T @ (h - means[y]) / len(h)
    centred = means - means.mean(0)
    outer = torch.linalg.pinv(centred.T @ centred / 3, rtol=1e-10)
    assert found is not None
    assert found.within == pytest.approx(float((inner @ outer).trace() / 3))


def test_one_class_alone_has_none() -> None:
    assert collapse(torch.randn(4, 3), torch.zeros(4).long(), torch.randn(2, 3)) is None
    assert collapse(torch.ones(4, 3), torch.tensor([0, 1, 0, 1]), torch.randn(2, 3)) is None


@pytest.mark.parametrize("part", ["mlp", "cnn", "resnet"])
def test_features_with_the_readout_give_the_outputs(part: str) -> None:
    architecture: Architecture = REGISTRY.get("architecture", part)()
    shape = TaskShape((4,), (3,)) if part == "mlp" else TaskShape((1, 8, 8), (3,))
    g = torch.Generator().manual_seed(0)
    x, inputs = architecture.initialize(shape, 2, g), torch.randn(2, 5, *shape.inputs, generator=g)
    features, readout = penultimate(architecture, shape, x, inputs)
    state = architecture.space(shape).unflatten(x)
    outputs = architecture.apply(shape, state, inputs)
    linear = features @ readout.mT
    bias = outputs - linear
    torch.testing.assert_close(bias, bias[:, :1].expand_as(bias), atol=1e-5, rtol=1e-5)


class Squared(Mlp):
    """Its outputs are no linear layer's."""

    def network(self, shape: TaskShape) -> torch.nn.Module:
        return torch.nn.Sequential(super().network(shape), torch.nn.Softplus())


def test_a_network_without_a_last_linear_layer_says_so() -> None:
    shape = TaskShape((4,), (3,))
    with pytest.raises(NotApplicable, match="last linear layer"):
        penultimate(Squared(), shape, torch.zeros(1, Mlp().space(shape).size), torch.randn(1, 3, 4))
