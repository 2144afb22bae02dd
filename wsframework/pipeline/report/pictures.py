"""The figure of what networks say: a row an initializer; of each task a column before any step, and one after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from torch import Tensor

from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.report import drawing
from wsframework.pipeline.report.contents import Figure

STAGES = ("before any step", "after fine-tuning")
TRUTH = "#9a9a9a"
CELL, GAP, LABEL = 0.8, 0.06, 1.55
"""In inches: a picture's side, the space between pictures, and the room for the names of rows."""
HEAD = 0.45


def draw_pictures(pictures: Sequence[Shown], folder: Path) -> Figure:
    """Draws all of them as one figure, and writes ``folder/pictures.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(pictures[0].before)
    columns, rows = len(STAGES) * len(pictures), 1 + len(names)
    step = CELL + GAP
    with mpl.rc_context({**drawing.SETTINGS, "axes.grid": False, "font.size": 8}):
        canvas = drawing.Canvas(figsize=(LABEL + columns * step, HEAD + rows * step))
        width, height = canvas.get_size_inches()
        for k in range(rows * columns):
            row, column = divmod(k, columns)
            left, bottom = LABEL + column * step, height - HEAD - (row + 1) * step
            axes = canvas.add_axes((left / width, bottom / height, CELL / width, CELL / height))
            _fill(axes, pictures[column // len(STAGES)], row, column % len(STAGES), names)
            _label(axes, ["truth", *names][row], row, column)
        tasks = "; ".join(shown.task for shown in pictures)
        shows = f"What networks say of the first tasks judged, {' and '.join(STAGES)}, from the left: {tasks}."
        return drawing.saved("pictures", shows, canvas, folder, photo=True)


def _label(axes: Axes, name: str, row: int, column: int) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if column == 0:
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
    if row == 0:
        axes.set_title(STAGES[column % len(STAGES)].replace(" ", "\n", 1), fontsize=7)


def _fill(axes: Axes, shown: Shown, row: int, stage: int, names: Sequence[str]) -> None:
    """The truth in the first row, then what the network of each initializer says."""
    values = (shown.after if stage else shown.before)[names[row - 1]] if row else None
    if shown.at is not None:
        return _curve(axes, shown.at, shown.truth, values)
    image = shown.truth if values is None else values
    axes.spines[:].set_visible(False)
    axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="none")
    return None


def _curve(axes: Axes, at: Tensor, truth: Tensor, values: Tensor | None) -> None:
    """Values (points, outputs), if any, over the truth; what leaves its range by more than half of it is cut off."""
    order = at.argsort()
    axes.plot(at[order], truth[order], color=TRUTH, linewidth=3)
    if values is not None:
        axes.plot(at[order], values[order], color=drawing.REFERENCE, linewidth=1)
    low, high = float(truth.min()), float(truth.max())
    margin = (high - low) / 2 or 0.5
    axes.set_ylim(low - margin, high + margin)
