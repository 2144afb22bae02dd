"""Networks moved by a symmetry are brought back by what their neurons do, whatever they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import NETWORKS
from torch import Tensor, nn

from wsframework.alignment import Alignment, augment, match_activations
from wsframework.errors import SpaceError, TraceError
from wsframework.spaces import Weights, WeightSpace
from wsframework.testing.architectures import KnownModule, modules
from wsframework.tracing import trace

QUICK = ("encoder_layer",)
"""A residual stream, and dims within dims; the others are for the slow suite."""


def randomised(module: nn.Module, space: WeightSpace) -> Weights:
    """The module's weights with noise, in double precision: norms begin as the identity, which hides what moves."""
    own = Weights.from_state_dicts(space, [module.state_dict()]).x.double()
    noise = torch.rand(own.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Weights(space, own + 0.3 * noise)


def matched(module: nn.Module, space: WeightSpace, args: tuple[Any, ...], seed: int) -> tuple[Weights, Alignment]:
    """A network, and two of its images under random symmetries after they were matched to it."""
    own = randomised(module, space)
    copies = augment(Weights(space, own.x.repeat(2, 1)), torch.Generator().manual_seed(seed))
    found = match_activations(module, copies, own, args)
    for g, before, after in zip(found.symmetries, copies.x, found.weights.x, strict=True):
        torch.testing.assert_close(g.act(before), after, rtol=1e-12, atol=0)
    return own, found


def assert_brought_back(own: Weights, found: Alignment) -> None:
    assert (found.distances.before > 1e-2).all()
    assert (found.distances.after <= 1e-9 * own.x.norm()).all()


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS]
)
def test_a_moved_network_is_brought_back(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    space = trace(network.module, network.args, carry=network.carry)
    assert_brought_back(*matched(network.module, space, network.args, 1))


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(modules(), st.integers(0, 2**32 - 1))
def test_so_are_modules_put_together_at_random(known: KnownModule, seed: int) -> None:
    many = torch.randn(20, *known.args[0].shape[1:], generator=torch.Generator().manual_seed(seed))
    own, found = matched(known.module, trace(known.module, (many,)), (many,), seed)
    assert (found.distances.after <= 1e-9 * own.x.norm()).all()


def perceptron() -> tuple[nn.Module, WeightSpace]:
    module = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
    return module, WeightSpace.parse(
        "free h:sign=6\nfixed i=3 o=2\n0.weight h^1 i\n0.bias h^1\n2.weight o h^1\n2.bias o"
    )


def test_a_stated_space_serves_as_well_and_may_have_less_freedom() -> None:
    module, signed = perceptron()
    plain = WeightSpace.parse(str(signed).replace(":sign", "").replace("^+1", ""))
    args = (torch.randn(30, 3),)
    for space in (signed, plain):
        assert_brought_back(*matched(module, space, args, 2))


def test_noisy_copies_are_found_and_the_function_stays() -> None:
    module, space = perceptron()
    own, x = randomised(module, space), torch.randn(50, 3)
    noise = 0.05 * torch.randn(20, space.size, generator=torch.Generator().manual_seed(1))
    copies = augment(Weights(space, own.x + noise), torch.Generator().manual_seed(2))
    found = match_activations(module, copies, own, x)
    assert (found.distances.after < 1.01 * noise.norm(dim=1)).float().mean() > 0.9
    for before, after in zip(copies, found.weights, strict=True):
        torch.testing.assert_close(outputs(module, after, x), outputs(module, before, x))


def outputs(module: nn.Module, state: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return torch.func.functional_call(module.double(), dict(state), (x.double(),))


class Masked(nn.Module):
    """Causal attention with one head, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.key, self.out = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.into(x))
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        scores = (h @ self.key(h).transpose(1, 2)).masked_fill(future, float("-inf"))
        out: Tensor = self.out(scores.softmax(-1) @ h)
        return out


def test_a_mask_is_no_hindrance() -> None:
    module, args = Masked(), (torch.randn(3, 4, 3),)
    assert_brought_back(*matched(module, trace(module, args), args, 0))


def test_a_tensor_of_nothing_but_neurons_is_no_hindrance() -> None:
    """Instance norm repeats its weight for every image: neither examples nor places are left beside the channels."""
    module = nn.Sequential(nn.Conv1d(3, 6, 2), nn.InstanceNorm1d(6, affine=True), nn.ReLU(), nn.Conv1d(6, 2, 1))
    args = (torch.randn(4, 3, 5),)
    assert_brought_back(*matched(module, trace(module, args), args, 0))


def test_each_network_may_have_a_reference_of_its_own() -> None:
    module, space = perceptron()
    x, own = torch.randn(30, 3), randomised(module, space)
    two = Weights(space, torch.cat([own.x, own.x.flip(1)]))
    found = match_activations(module, augment(two, torch.Generator().manual_seed(0)), two, x)
    assert (found.distances.after < 1e-9).all()
    assert len(match_activations(module, Weights(space, own.x[:0]), own, x).weights) == 0


def test_the_module_is_left_as_it_is() -> None:
    module, space = perceptron()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    matched(module, space, (torch.randn(9, 3),), 0)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_what_does_not_fit_is_refused() -> None:
    module, space = perceptron()
    own, x = randomised(module, space), torch.randn(9, 3)
    with pytest.raises(SpaceError, match=r"Sequential has no parameter '0.weight', which its space has"):
        match_activations(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), own, own, x)
    with pytest.raises(SpaceError, match=r"'0.weight' has shape \(5, 3\) in Sequential, and \(6, 3\) in its space"):
        match_activations(nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)), own, own, x)
    with pytest.raises(SpaceError, match="signs of h change the module's function"):
        match_activations(nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)), own, own, x)
    with pytest.raises(SpaceError, match="activations that carry dim 'h' are not numbers"):
        match_activations(module, own, own, x * float("nan"))
    with pytest.raises(SpaceError, match="max_sweeps=-1"):
        match_activations(module, own, own, x, max_sweeps=-1)
    with pytest.raises(TraceError, match="can't be run on these inputs"):
        match_activations(module, own, own, torch.randn(9, 4))


def test_a_space_that_moves_apart_what_the_module_moves_as_one_is_refused() -> None:
    module = nn.Sequential(nn.Conv1d(1, 4, 2), nn.Tanh(), nn.Flatten(), nn.Linear(8, 2))
    text = "free c=4\nfixed image=1 k=2 place=2 o=2\n0.weight c image k\n0.bias c\n3.weight o ({})\n3.bias o"
    right, wrong = (WeightSpace.parse(text.format(order)) for order in ("c place", "place c"))
    args = (torch.randn(9, 1, 3),)
    assert_brought_back(*matched(module, right, args, 0))
    with pytest.raises(SpaceError, match=r"dim .c. of the space, at .3\.weight., doesn.t move what"):
        match_activations(module, randomised(module, wrong), randomised(module, wrong), args)
