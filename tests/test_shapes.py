"""Shapes and glyphs: their targets are signed distances, and what is held out was not seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path
from torch import Tensor
from wsf_tasks.distances import examples
from wsf_tasks.glyphs import CHARACTERS, FONTS, Glyphs, outline, signed_distance
from wsf_tasks.shapes import Shapes
from wsf_tasks.solids import KINDS, PARAMETERS, drawn, solid, union

from wsframework.errors import RequestError
from wsframework.parts.interfaces import TaskFamily

SEEDS = st.integers(0, 2**40)
PAIRS = st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS))
HALF = len(PARAMETERS) // 2


def places(seed: int, dimension: int, count: int = 60) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(count, dimension, generator=generator, dtype=torch.float64) - 1


def gradient(distance: Callable[[Tensor], Tensor], p: Tensor) -> tuple[Tensor, Tensor]:
    """Distances (points,), and how they change with the place, (points, dimension)."""
    p = p.clone().requires_grad_()
    d = distance(p)
    return d.detach(), torch.autograd.grad(d.sum(), p)[0]


def assert_is_a_distance(distance: Callable[[Tensor], Tensor], p: Tensor) -> None:
    """Its slope is one, and so far along it lies the surface."""
    d, slope = gradient(distance, p)
    assert torch.allclose(slope.norm(dim=-1), torch.ones(len(p), dtype=p.dtype), atol=1e-6)
    assert distance(p - d[:, None] * slope).abs().max() < 1e-6


@settings(deadline=None, max_examples=15)
@given(pair=PAIRS, seed=SEEDS)
def test_a_solid_is_a_signed_distance(pair: tuple[str, str], seed: int) -> None:
    parameters = drawn(pair, torch.Generator().manual_seed(seed)).double()
    for own in (parameters[:HALF], parameters[HALF:-1]):
        assert_is_a_distance(lambda p, own=own: solid(p, own), places(seed, 3))  # type: ignore[misc]


@settings(deadline=None, max_examples=15)
@given(pair=PAIRS, seed=SEEDS)
def test_a_union_is_inside_where_a_solid_is_and_never_farther_than_it_says(pair: tuple[str, str], seed: int) -> None:
    parameters, p = drawn(pair, torch.Generator().manual_seed(seed)).double(), places(seed, 3)
    d, slope = gradient(lambda at: union(at, parameters), p)
    smaller = torch.minimum(solid(p, parameters[:HALF]), solid(p, parameters[HALF:-1]))
    assert (d <= smaller).all()
    assert (d >= smaller - parameters[-1] / 4 - 1e-12).all()
    assert slope.norm(dim=-1).max() <= 1 + 1e-9


@settings(deadline=None, max_examples=15)
@given(pair=PAIRS, seed=SEEDS)
def test_a_union_lies_within_the_cube(pair: tuple[str, str], seed: int) -> None:
    parameters, p = drawn(pair, torch.Generator().manual_seed(seed)).double(), places(seed, 3)
    on_faces = p / p.abs().amax(-1, keepdim=True)
    assert union(on_faces, parameters).min() > 0


@settings(deadline=None, max_examples=15)
@given(font=st.sampled_from(FONTS), character=st.sampled_from(CHARACTERS), seed=SEEDS)
def test_a_glyph_is_a_signed_distance_and_inside_where_its_ink_is(font: str, character: str, seed: int) -> None:
    edges, p = outline(font, character).double(), places(seed, 2)
    assert_is_a_distance(lambda at: signed_distance(at, edges), p)
    starts = [0, *((edges[1:, 0] != edges[:-1, 1]).any(-1).nonzero().flatten() + 1).tolist(), len(edges)]
    contours = [Path(edges[a:b, 0].numpy(), closed=False) for a, b in pairwise(starts)]
    crossed = sum(torch.as_tensor(contour.contains_points(p.numpy())).int() for contour in contours)
    assert torch.equal(signed_distance(p, edges) < 0, crossed % 2 == 1)
    assert edges.abs().max() == pytest.approx(0.75)


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS, count=st.integers(100, 200))
def test_half_of_the_examples_lie_near_the_surface(seed: int, count: int) -> None:
    found = examples(lambda p: p.norm(dim=-1) - 0.5, 3, count, torch.Generator().manual_seed(seed))
    assert torch.allclose(found.y[:, 0], found.x.norm(dim=-1) - 0.5)
    assert found.y.shape == (count, 1)
    even, near = found.y[:, 0].abs().split([count - count // 2, count // 2])
    assert near.mean() < even.mean() / 4
    assert not examples(lambda p: p[:, 0], 2, 1, torch.Generator()).y.isnan().any()


def parts(family: TaskFamily, seed: int, sizes: tuple[int, int, int] = (12, 6, 6)) -> list[set[str]]:
    """The kinds, or the fonts, of the tasks of each split."""
    splits = family.draw(*sizes, torch.Generator().manual_seed(seed))
    named = (splits.seen, splits.validation, splits.held_out)
    return [{task.text.rpartition(" of the font ")[2] for task in split} for split in named]


@pytest.mark.parametrize("family", [Shapes(points=4, query=4), Glyphs(points=4, query=4)], ids=lambda f: f.name)
@settings(deadline=None, max_examples=4)
@given(seed=SEEDS)
def test_pairs_of_kinds_and_whole_fonts_are_withheld(family: TaskFamily, seed: int) -> None:
    kinds = parts(family, seed)
    assert sum(map(len, kinds)) == len(set().union(*kinds))


def test_more_characters_than_there_are_are_refused_with_their_number() -> None:
    with pytest.raises(RequestError, match=r"249 characters of the fonts .* were asked for; they have 248"):
        Glyphs().draw(1, 0, 249, torch.Generator())


@pytest.mark.parametrize("family", [Shapes(points=4, query=4), Glyphs(points=4, query=4)], ids=lambda f: f.name)
def test_a_picture_shows_the_shape_on_white(family: TaskFamily) -> None:
    (task,) = family.draw(1, 0, 0, torch.Generator().manual_seed(1)).seen
    canvas = family.canvas(task)
    assert canvas is not None
    shown = family.picture(canvas.y)
    assert shown.min() >= 0
    assert shown.max() == 1
    assert 0.02 < (shown < 0.9).float().mean() < 0.6
    assert (family.picture(canvas.y.abs() + 1) == 1).all()
