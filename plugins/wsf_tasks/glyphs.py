"""`Glyphs`: letters and digits of many fonts, each a function from a place to the signed distance of its outline."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from wsf_tasks.dealt import dealt
from wsf_tasks.distances import examples, scan
from wsf_tasks.independent import seeded
from wsframework.errors import RequestError
from wsframework.parts.interfaces import TaskFamily
from wsframework.parts.values import Least, Most
from wsframework.tasks import OBJECTIVES, Data, Task, TaskShape, TaskSplits

CHARACTERS = string.ascii_letters + string.digits
FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-BoldOblique", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-BoldItalic", "-Italic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "BolIta", "Italic")),
    *("cmb10", "cmr10", "cmss10", "cmti10", "cmtt10"),
)
"""Names of fonts that matplotlib brings along and that have all characters."""

HALF = 0.75
PIXELS = 48


class Glyphs(TaskFamily):
    """How far is a place in [-1, 1]^2 from the outline of a letter or a digit, and on which side? Negative is inside.

    The 62 characters of each of the 21 fonts that matplotlib brings along, every one as large as fits
    [-0.75, 0.75]^2. A fifth of the fonts is held out whole, and another fifth is for validation. Half of the examples
    lie near the outline. The code is a coarse scan: the distances at the centres of few cells.

    Arguments:
        scan: cells of the scan along each side; 0 leaves tasks without a code.
        points: support examples a task.
        query: query examples a task.
    """

    name = "glyphs"
    paper = "Park et al. 2019, arXiv:1901.05103"

    def __init__(
        self,
        *,
        scan: Annotated[int, Least(0), Most(32)] = 6,
        points: Annotated[int, Least(1)] = 256,
        query: Annotated[int, Least(1)] = 256,
    ) -> None:
        self.scan, self.points, self.query = scan, points, query

    @property
    def shape(self) -> TaskShape:
        """A place in, to the right and up; a distance out."""
        return TaskShape((2,), (1,), self.scan**2)

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Splits of the fonts, then characters of each split's own, each with a seed of its own.

        Raises:
            RequestError: where the fonts of a split have fewer characters than asked for.
        """
        fonts = dealt(FONTS, round(len(FONTS) / 5), generator)
        drawn = (
            f"Held-out characters are of the fonts {', '.join(fonts['held_out'])}, those for validation of "
            f"{', '.join(fonts['validation'])}, and seen ones of the {len(fonts['seen'])} other fonts."
        )
        return seeded(
            lambda split, count, stream: self._tasks(fonts[split], count, stream),
            (seen, validation, held_out),
            generator,
            drawn,
        )

    def _tasks(self, fonts: Sequence[str], count: int, generator: torch.Generator) -> list[Task]:
        """``count`` characters of ``fonts``, no two of them the same."""
        there = len(fonts) * len(CHARACTERS)
        if count > there:
            raise RequestError(f"{count} characters of the fonts {', '.join(fonts)} were asked for; they have {there}")
        numbers = torch.randperm(there, generator=generator)[:count].tolist()
        chosen = [(fonts[n // len(CHARACTERS)], CHARACTERS[n % len(CHARACTERS)]) for n in numbers]
        return [self._task(font, character, generator) for font, character in chosen]

    def _task(self, font: str, character: str, generator: torch.Generator) -> Task:
        edges = outline(font, character)

        def distance(p: Tensor) -> Tensor:
            return signed_distance(p, edges)

        return Task(
            name=f"{font}-{character}",
            shape=self.shape,
            support=examples(distance, 2, self.points, generator),
            query=examples(distance, 2, self.query, generator),
            objective=OBJECTIVES["regression"],
            code=scan(distance, 2, self.scan) if self.scan else None,
            text=f"the character {character!r} of the font {font}",
        )

    def canvas(self, task: Task) -> Data:
        """A square of pixels, row by row from the upper left, and their distances."""
        font, _, character = task.name.rpartition("-")
        across = torch.linspace(-1, 1, PIXELS)
        x = torch.cartesian_prod(-across, across).flip(-1)
        return Data(x, signed_distance(x, outline(font, character)).unsqueeze(-1))

    def picture(self, outputs: Tensor) -> Tensor:
        """Ink where the distance is negative, (height, width) in [0, 1]."""
        return (PIXELS / 2 * outputs + 0.5).clamp(0, 1).reshape(PIXELS, PIXELS)


@lru_cache(maxsize=2048)
def outline(font: str, character: str) -> Tensor:
    """The edges of a character's outline, curves as short lines, from where to where: (edges, 2, 2)."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    contours = TextPath((0, 0), character, size=100, prop=FontProperties(fname=file)).to_polygons()
    edges = torch.cat([_edges(torch.from_numpy(np.array(contour))) for contour in contours])
    low, high = edges.amin((0, 1)), edges.amax((0, 1))
    return ((edges - (low + high) / 2) * (2 * HALF / (high - low).max())).float()


def _edges(contour: Tensor) -> Tensor:
    """Of a closed contour (corners, 2), without those that have no length."""
    edges = torch.stack([contour, contour.roll(-1, 0)], 1)
    return edges[(edges[:, 0] != edges[:, 1]).any(-1)]


def signed_distance(p: Tensor, edges: Tensor) -> Tensor:
    """Distances of places (points, 2) to the nearest of ``edges`` (edges, 2, 2), negative inside: (points,).

    Inside is where the outline winds around the place, counted by the edges that a ray to the right crosses.
    """
    start, along = edges[:, 0], edges[:, 1] - edges[:, 0]
    from_start = p[:, None] - start
    share = ((from_start * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
    distance = torch.linalg.vector_norm(from_start - share[..., None] * along, dim=-1).amin(1)
    side = along[:, 0] * from_start[..., 1] - along[:, 1] * from_start[..., 0]
    up = (from_start[..., 1] >= 0) & (p[:, None, 1] < edges[:, 1, 1]) & (side > 0)
    down = (from_start[..., 1] < 0) & (p[:, None, 1] >= edges[:, 1, 1]) & (side < 0)
    winding = (up.int() - down.int()).sum(1)
    return torch.where(winding != 0, -distance, distance)
