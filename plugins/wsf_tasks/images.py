"""`Images`: patches of photographs, each a function from a place to a brightness or a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from wsf_tasks.dealt import dealt
from wsf_tasks.grid import grid
from wsf_tasks.independent import seeded
from wsframework.errors import RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

COLOURED = (
    "astronaut",
    "chelsea",
    "coffee",
    "hubble_deep_field",
    "immunohistochemistry",
    "retina",
    "rocket",
    "stereo_motorcycle",
)
GREY = ("brick", "camera", "cell", "clock", "coins", "grass", "gravel", "moon")
"""Names in `skimage.data`: the photographs that the package itself brings along."""


class Images(TaskFamily):
    """Which brightness, or which colour, lies where in a patch of a photograph?

    A network takes a place in [-1, 1]^2, row first, to grey or to red, green and blue in [-1, 1]. Of each patch's
    pixels some are support data, the others query data. The photographs are those that scikit-image brings along,
    8 in colour and, for grey, 8 more. A fifth of them is held out whole, and another fifth is for validation.

    The code is a thumbnail, as one has of a picture before one has the picture: means over the cells of a grid.

    Arguments:
        size: pixels along each side of a patch.
        colour: three outputs, from the photographs in colour alone, in place of one.
        share: share of the pixels that is support data.
        thumbnail: cells along each side of the thumbnail; 0 leaves tasks without a code.
        shrink: so many pixels along each side of a photograph become one, by their mean, before patches are cut.
        contrast: least standard deviation of a patch.
    """

    name = "images"
    paper = "van der Walt et al. 2014, arXiv:1407.6245 (photographs); Sitzmann et al. 2020, arXiv:2006.09661"

    def __init__(
        self,
        *,
        size: Annotated[int, Least(4), Most(32)] = 16,
        colour: bool = False,
        share: Annotated[float, Least(0.05), Most(0.95)] = 0.5,
        thumbnail: Annotated[int, Least(0), Most(16)] = 4,
        shrink: Annotated[int, Least(1), Most(8)] = 4,
        contrast: Annotated[float, Least(0.01), Most(0.5)] = 0.05,
    ) -> None:
        self.size, self.colour, self.share = size, colour, share
        self.thumbnail, self.shrink, self.contrast = thumbnail, shrink, contrast

    @property
    def shape(self) -> TaskShape:
        """A place in, one or three brightnesses out, a thumbnail of as many channels."""
        channels = 3 if self.colour else 1
        return TaskShape((2,), (channels,), channels * self.thumbnail**2)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of the photographs, then patches of each split's own, each with a seed of its own.

        Raises:
            RequestError: where photographs have fewer patches than asked for, or scikit-image is not installed.
        """
        names = COLOURED if self.colour else COLOURED + GREY
        own = dealt(names, round(len(names) / 5), generator)
        drawn = (
            f"Held-out patches are cut from {', '.join(own['held_out'])}, those for validation from "
            f"{', '.join(own['validation'])}, and seen ones from the {len(own['seen'])} other photographs."
        )
        return seeded(
            lambda split, count, stream: self._tasks(own[split], count, stream),
            (seen, validation, held_out),
            generator,
            drawn,
        )

    def _tasks(self, names: Sequence[str], count: int, generator: torch.Generator) -> list[Task]:
        """``count`` patches of the photographs ``names``; no two of them are the same."""
        photos = {name: photograph(name, self.colour, self.shrink) for name in names}
        corners = [corners_of(name, self.colour, self.shrink, self.size, self.contrast) for name in names]
        places = [(name, *corner) for name, own in zip(names, corners, strict=True) for corner in own]
        if count > len(places):
            raise RequestError(
                f"{count} patches of {', '.join(names)} were asked for; of {self.size} x {self.size} pixels with "
                f"contrast {self.contrast:g} and shrink = {self.shrink} they have {len(places)}"
            )
        cut = [Patch(*places[i]) for i in torch.randperm(len(places), generator=generator)[:count].tolist()]
        return [self._task(patch, patch.of(photos[patch.photograph], self.size), generator) for patch in cut]

    def _task(self, patch: Patch, pixels: Tensor, generator: torch.Generator) -> Task:
        """The task of ``pixels`` (channels, size, size) in [0, 1]."""
        x, y = grid(self.size), 2 * pixels.flatten(1).T - 1
        order = torch.randperm(len(x), generator=generator)
        support, query = order.tensor_split([max(1, round(self.share * len(x)))])
        return Task(
            name=f"{patch.photograph}-{patch.row}-{patch.column}",
            shape=self.shape,
            support=Data(x[support], y[support]),
            query=Data(x[query], y[query]),
            objective=OBJECTIVES["regression"],
            code=self._code(2 * pixels - 1),
            text=f"{self.size} x {self.size} pixels of the photograph {patch.photograph!r}, from row {patch.row} and "
            f"column {patch.column}",
        )

    def canvas(self, task: Task) -> Data:
        """The centres of all pixels, and what is there."""
        name, row, column = task.name.rsplit("-", 2)
        pixels = Patch(name, int(row), int(column)).of(photograph(name, self.colour, self.shrink), self.size)
        return Data(grid(self.size), 2 * pixels.flatten(1).T - 1)

    def _code(self, pixels: Tensor) -> Tensor | None:
        """The thumbnail of ``pixels`` (channels, size, size), flat."""
        return functional.adaptive_avg_pool2d(pixels, self.thumbnail).flatten() if self.thumbnail else None


@dataclass(frozen=True)
class Patch:
    """A square of a photograph, by its upper left corner."""

    photograph: str
    row: int
    column: int

    def of(self, photo: Tensor, size: int) -> Tensor:
        """Its pixels, (channels, size, size)."""
        return photo[:, self.row : self.row + size, self.column : self.column + size]


@lru_cache(maxsize=64)
def photograph(name: str, colour: bool, shrink: int) -> Tensor:
    """The photograph of that name in `skimage.data`, (channels, height, width) in [0, 1].

    Grey is the luma of ITU-R BT.601, and every pixel the mean of ``shrink`` times ``shrink`` of them.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise RequestError(
            "the photographs of 'images' are those of scikit-image, which is not installed: "
            "pip install 'wsframework[data]'"
        ) from error
    found = getattr(data, name)()
    photo = torch.as_tensor(found[0] if isinstance(found, tuple) else found).float() / 255
    channels = photo.movedim(-1, 0) if photo.dim() == 3 else photo[None]
    if not colour and len(channels) == 3:
        channels = torch.tensordot(torch.tensor([0.299, 0.587, 0.114]), channels, dims=1)[None]
    return functional.avg_pool2d(channels, shrink)


@lru_cache(maxsize=64)
def corners_of(name: str, colour: bool, shrink: int, size: int, contrast: float) -> list[tuple[int, int]]:
    """Where patches with contrast begin, row and column, at every fourth of a side."""
    photo, step = photograph(name, colour, shrink).double(), size // 4
    mean, square = (functional.avg_pool2d(values, size, step) for values in (photo, photo.square()))
    deviation = (square - mean.square()).clamp(min=0).sqrt().mean(0)
    return [(step * row, step * column) for row, column in (deviation >= contrast).nonzero().tolist()]
