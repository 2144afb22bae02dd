"""The images family: whole photographs are withheld, and a task's pixels are those of its patch."""

from __future__ import annotations

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional
from wsf_tasks.grid import grid
from wsf_tasks.images import COLOURED, GREY, Images, photograph

from wsframework.errors import RequestError
from wsframework.tasks import Task, TaskSplits


def draw(family: Images, sizes: tuple[int, int, int], seed: int) -> TaskSplits:
    return family.draw(*sizes, torch.Generator().manual_seed(seed))


def patch_of(task: Task, size: int) -> torch.Tensor:
    """Its pixels (channels, size, size) in [0, 1], put together from support and query data."""
    x, y = torch.cat([task.support.x, task.query.x]), torch.cat([task.support.y, task.query.y])
    cells = ((x + 1) * size / 2).long()
    pixels = torch.full((y.shape[1], size, size), torch.nan)
    pixels[:, cells[:, 0], cells[:, 1]] = (y.T + 1) / 2
    return pixels


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 2**40), colour=st.booleans())
def test_no_photograph_is_in_two_splits(seed: int, colour: bool) -> None:
    splits = draw(Images(colour=colour, size=32), (20, 8, 8), seed)
    parts = [{task.name.split("-")[0] for task in part} for part in (splits.seen, splits.validation, splits.held_out)]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert all(name in splits.drawn for name in parts[1] | parts[2])


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 2**40), colour=st.booleans(), size=st.integers(4, 32), share=st.floats(0.05, 0.95))
def test_a_task_has_every_pixel_of_its_patch_once_and_the_right_way_up(
    seed: int, colour: bool, size: int, share: float
) -> None:
    (task,) = draw(Images(colour=colour, size=size, share=share), (1, 0, 0), seed).seen
    name, row, column = task.name.split("-")
    photo = photograph(name, colour, 4)[:, int(row) : int(row) + size, int(column) : int(column) + size]
    assert torch.allclose(patch_of(task, size), photo, atol=1e-6)
    assert len(task.support) == round(share * size**2)


def test_the_code_is_what_a_smaller_picture_shows() -> None:
    (task,) = draw(Images(size=16, thumbnail=4, colour=True), (1, 0, 0), 3).seen
    assert task.code is not None
    small = functional.avg_pool2d(patch_of(task, 16), 4)
    assert torch.allclose(task.code, 2 * small.flatten() - 1, atol=1e-5)
    assert Images(thumbnail=0).shape.code == 0


def test_every_photograph_is_there_without_a_download() -> None:
    for name in COLOURED + GREY:
        photo = photograph(name, name in COLOURED, 8)
        assert photo.min() >= 0
        assert photo.max() <= 1
        assert min(photo.shape[1:]) >= 32


def test_the_grid_has_the_pixels_of_a_square_row_by_row() -> None:
    assert torch.equal(grid(2), torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]))


def test_too_many_patches_are_refused_with_their_number() -> None:
    with pytest.raises(RequestError, match=r"5000 patches of .* were asked for; .* they have \d+$"):
        draw(Images(size=32), (0, 0, 5000), 1)


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    photograph.cache_clear()
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(RequestError, match=r"not installed: pip install 'wsframework\[data\]'"):
        draw(Images(), (1, 0, 0), 1)
