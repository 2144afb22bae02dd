"""Sums and products are read off the coordinates of their positions, in whatever way they nest."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wsframework.tracing.factoring import Unwritable, expression
from wsframework.tracing.sums import Factor, Sum, Term

SIZES = (2, 3, 4, 2)
DIMS = [(size, True) for size in SIZES]
Position = tuple[dict[int, int], tuple[int, ...]]
"""The index in each dim, and what an invariant says."""


@st.composite
def sums(draw: st.DrawFn, dims: frozenset[int] = frozenset(range(4)), depth: int = 2) -> Sum:
    return Sum(tuple(draw(st.lists(products(dims, depth), min_size=1, max_size=3))))


@st.composite
def products(draw: st.DrawFn, dims: frozenset[int], depth: int) -> Term:
    """Products in which no dim is twice."""
    own = draw(st.lists(st.sampled_from(sorted(dims)), unique=True, max_size=2)) if dims else []
    factors: list[Factor | Sum] = [Factor(dim, SIZES[dim]) for dim in own]
    factors += [Factor(None, size) for size in draw(st.lists(st.integers(1, 3), max_size=1))]
    if depth and draw(st.booleans()):
        factors.append(draw(sums(dims - set(own), depth - 1)))
    return tuple(draw(st.permutations(factors))) or (Factor(None, 1),)


def positions(written: Sum) -> list[Position]:
    return [(place, (number, *mark)) for number, term in enumerate(written.terms) for place, mark in product(term)]


def product(term: Term) -> list[Position]:
    found: list[Position] = [({}, ())]
    for factor in term:
        if isinstance(factor, Sum):
            inner = positions(factor)
        else:
            indices = range(factor.size)
            inner = [({}, (i,)) if factor.dim is None else ({factor.dim: i}, ()) for i in indices]
        found = [(place | more, mark + further) for place, mark in found for more, further in inner]
    return found


def colours(marks: list[tuple[int, ...]]) -> np.ndarray:
    numbers: dict[tuple[int, ...], int] = {}
    return np.array([numbers.setdefault(mark, len(numbers)) for mark in marks])


@given(sums())
def test_every_nesting_is_written(written: Sum) -> None:
    places, marks = map(list, zip(*positions(written), strict=True))
    again = expression(places, colours(marks), DIMS)
    assert [place for place, _ in positions(again)] == places
    assert again.size == written.size == len(places)


@given(sums(), st.data())
def test_any_other_order_is_written_as_it_is_or_not_at_all(written: Sum, data: st.DataObject) -> None:
    there = positions(written)
    first, second = (data.draw(st.integers(0, len(there) - 1)) for _ in range(2))
    there[first], there[second] = there[second], there[first]
    places, marks = map(list, zip(*there, strict=True))
    with contextlib.suppress(Unwritable):
        again = expression(places, colours(marks), DIMS)
        assert [place for place, _ in positions(again)] == places


@given(sums())
def test_each_factor_covers_the_positions_that_have_its_dim(written: Sum) -> None:
    covers = written.covers
    assert covers.shape == (len(written.factors), written.size)
    for dim in range(len(SIZES)):
        rows = covers[[factor.dim == dim for factor in written.factors]]
        assert torch.equal(rows.sum(0), torch.tensor([int(dim in place) for place, _ in positions(written)]))
    assert all(int(row.sum()) % factor.size == 0 for row, factor in zip(covers, written.factors, strict=True))


def test_invariants_forbid_what_coordinates_allow() -> None:
    """Two elements that are alike but for a mark on the second of their positions."""
    places = [{0: 0}, {0: 0}, {0: 1}, {0: 1}]
    assert expression(places, np.array([0, 1, 0, 1]), DIMS) == Sum(((Factor(0, 2), Factor(None, 2)),))
    for different in ([0, 1, 1, 0], [0, 1, 0, 2], [0, 1, 2, 3]):
        with pytest.raises(Unwritable) as caught:
            expression(places, np.array(different), DIMS)
        assert caught.value.dims == {0}
