"""The full group of networks that are in use, known in closed form."""

from __future__ import annotations

import copy

import pytest
import torch
from networks import NETWORKS, Network
from torch.func import functional_call
from torch.utils import _pytree as pytree

from wsframework.spaces import WeightSpace
from wsframework.tracing import examine

TOLERANCE = 1e-12
QUICK = (
    "perceptron", "implicit_representation", "convolutional", "depthwise_separable", "grouped_convolution",
    "residual_perceptron", "residual_network", "shared_layer", "skip_by_concatenation", "packed_attention",
    "attention_packed_by_heads", "partly_rotary_attention",
    "encoder_layer", "grouped_query_attention", "tied_language_model", "gru_from_gates", "two_lstms",
    "spectral_norm", "a_layer_beside_its_negative", "heads_scored_by_vectors",
)  # fmt: skip
"""One of each kind; the others are for the slow suite."""


def chains(space: WeightSpace) -> list[tuple[tuple[int, ...], str | None]]:
    """The free dims, each as its size and those of the dims that it is within, with its gauge."""
    found = []
    for dim in space.dims:
        sizes, at = [dim.size], dim.within
        while at is not None:
            sizes.append(space.dim(at).size)
            at = space.dim(at).within
        if dim.free:
            found.append((tuple(sizes), dim.gauge))
    return sorted(found, key=str)


def expected(network: Network) -> list[tuple[tuple[int, ...], str | None]]:
    dims = [dim if isinstance(dim, tuple) else (dim,) for dim in network.dims]
    return sorted(zip(dims, network.gauges or [None] * len(dims), strict=True), key=str)


def assert_acts(network: Network, space: WeightSpace) -> None:
    """Demand that the module itself computes the same with its state moved."""
    module = copy.deepcopy(network.module).double().eval()
    args = pytree.tree_map(lambda x: x.double() if x.is_floating_point() else x, network.args)
    state = {name: value.detach() for name, value in module.state_dict().items()}
    generator = torch.Generator().manual_seed(1)
    moved = space.random_symmetry(generator).act(state)
    with torch.no_grad():
        before, after = (functional_call(module, s, args, tie_weights=False) for s in (state, moved))
    for one, other in zip(pytree.tree_leaves(before), pytree.tree_leaves(after), strict=True):
        torch.testing.assert_close(other, one, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
def test_full_group(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    found = examine(network.module.eval(), network.args, carry=network.carry)
    if network.gauges is None:
        assert [c for c, _ in chains(found.space)] == [c for c, _ in expected(network)]
    else:
        assert chains(found.space) == expected(network)
    assert found.error <= TOLERANCE
    assert not found.space.notes
    assert WeightSpace.parse(str(found.space)) == found.space
    if not name.startswith("routed"):  # torch has no kernel of it for double precision
        assert_acts(network, found.space)
