"""What networks put out is counted once for equal architectures, and passes cover all networks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from wsf_networks.mlp import Mlp

from wsframework import footprint
from wsframework.footprint import activations, passes
from wsframework.tasks import TaskShape

SHAPE = TaskShape((3,), (2,))


class Built(Mlp):
    """A perceptron that notes how often it is built, with an attribute of any kind."""

    built = 0

    def __init__(self, *, widths: tuple[int, ...] = (4,), further: Any = None) -> None:
        super().__init__(widths=widths)
        self.further = further

    def network(self, shape: TaskShape) -> nn.Module:
        type(self).built += 1
        return super().network(shape)


@pytest.fixture(autouse=True)
def none_counted() -> None:
    Built.built = 0
    footprint._counted.cache_clear()


def test_equal_architectures_are_counted_once() -> None:
    assert len({activations(Built(widths=(4, 5)), SHAPE) for _ in range(3)}) == 1
    assert Built.built == 1


def test_others_are_counted_anew() -> None:
    found = [activations(Built(widths=(width,)), SHAPE) for width in (4, 5, 6)]
    assert found == sorted(set(found))
    assert activations(Built(), TaskShape((3,), (7,))) > found[0]
    assert Built.built == 4


def test_an_attribute_without_a_hash_does_no_harm() -> None:
    first, second = Built(further=[1]), Built(further=[2])
    assert len({activations(one, SHAPE) for one in (first, second, first)}) == 1
    assert Built.built == 2


@given(networks=st.integers(1, 40), points=st.integers(1, 9), numbers=st.integers(1, 500))
def test_passes_cover_all_networks_in_order(networks: int, points: int, numbers: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(footprint, "NUMBERS", numbers)
        slices = list(passes(Mlp(), SHAPE, networks, points))
    every = list(range(networks))
    assert [i for some in slices for i in every[some]] == every
    at_once = slices[0].stop - slices[0].start
    assert at_once == 1 or at_once * points * activations(Mlp(), SHAPE) <= numbers
