"""`wsf bench alignment`, small: what is measured, and that its spaces are those of its networks."""

from __future__ import annotations

import pytest
import torch

from wsframework.benchmarks import benchmark
from wsframework.benchmarks.alignment import run
from wsframework.benchmarks.alignment.networks import Residual, perceptron, space_of
from wsframework.errors import RequestError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("network", [perceptron(6, 3), Residual(5)], ids=["perceptron", "residual"])
def test_the_spaces_hold_symmetries_of_the_networks(network: torch.nn.Module) -> None:
    network.double().train()(torch.randn(50, 1, 8, 8).double())  # statistics that differ
    network.eval()
    x = torch.randn(7, 1, 8, 8).double()
    before = network(x)
    space = space_of(network)
    network.load_state_dict(space.random_symmetry(torch.Generator().manual_seed(0)).act(network.state_dict()))
    assert torch.allclose(network(x), before, atol=1e-10)
    assert set(space.free.values()) == {5 if isinstance(network, Residual) else 6}


def test_barriers_stand_beside_those_without_alignment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsframework.benchmarks.alignment.zoo.find_spec", lambda _: None)
    threads = torch.get_num_threads()
    table = run(networks=4, epochs=4, channels=(4,), width=64)
    assert torch.get_num_threads() == threads
    *barriers, zoo, nearer, rival = table.rows
    for before, *aligned in zip(barriers[::3], barriers[1::3], barriers[2::3], strict=True):
        for after, way in zip(aligned, ("weights", "activations"), strict=True):
            assert after.name.replace(f"aligned by {way}", "as they come") == before.name
            assert after.ratio == pytest.approx(after.value / before.value)
    assert barriers[1].ratio < 0.9
    assert barriers[2].ratio < 0.9
    assert "4 perceptrons" in zoo.name
    assert nearer.ratio < 1
    assert rival.note == "not installed"


def test_it_is_found_by_name_and_refuses_a_single_network() -> None:
    assert benchmark("alignment") is run
    with pytest.raises(RequestError, match="a zoo of 1 networks"):
        run(networks=1)
