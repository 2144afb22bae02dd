"""The example `permutation_training`: no value is changed, and the order of values is enough to learn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import wsframework as wsf
from wsframework.randomness import generator
from wsframework.testing.strategies import weights

PATH = Path(__file__).parent.parent / "examples" / "permutation_training.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example, imported."""
    spec = importlib.util.spec_from_file_location("permutation_training", PATH)
    assert spec
    assert spec.loader
    sys.modules["permutation_training"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(space: wsf.WeightSpace, x: Tensor) -> list[Tensor]:
    """The values of each parameter, in order of size."""
    return [value.flatten().sort().values for value in space.unflatten(x).values()]


def same(found: list[Tensor], wanted: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_a_network_learns_without_a_new_value(example: ModuleType) -> None:
    split = example.digits()
    found, again = (example.compare(split, 0, epochs=3, every=10) for _ in range(2))
    trained = found.element.act(found.start)
    assert same(values(example.NEURONS, trained), values(example.NEURONS, found.start))
    assert not torch.equal(trained, found.start)
    assert found.permuted > 0.6 > 0.3 > max(found.initial, found.shuffled)  # chance is 0.1
    assert found.permuted == example.accuracy(trained, split) == again.permuted
    assert torch.equal(trained, again.element.act(again.start))


def test_permutations_of_neurons_are_permutations_of_entries_that_change_nothing(example: ModuleType) -> None:
    split = example.digits()
    x = example.draw(generator(0, "initial"))
    g = example.NEURONS.random_symmetry(generator(0, "neurons"))
    assert example.change(x, split, generator(0, "neurons")) < 1e-12
    assert same(values(example.NEURONS, g.act(x)), values(example.NEURONS, x))
    places = torch.arange(example.NEURONS.size, dtype=torch.float64)  # no value is there twice
    entries = example.ordering(g.act(places), places)  # the same element in the larger group
    assert torch.equal(entries.index, g.index)


@settings(max_examples=20)
@given(st.data())
def test_the_order_of_one_is_put_on_the_values_of_another(example: ModuleType, data: st.DataObject) -> None:
    free, start = data.draw(weights(example.ENTRIES, batch=2))
    moved = example.ordering(free, start).act(start)
    assert same(values(example.NEURONS, moved), values(example.NEURONS, start))
    for a, b in zip(*(example.ENTRIES.unflatten(x).values() for x in (moved, free)), strict=True):
        assert torch.equal(a.argsort(), b.argsort())
