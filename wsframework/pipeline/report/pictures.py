"""The figure of what networks say: a column an initializer; of each task one row before any step, and one after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from torch import Tensor

from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.report.contents import Figure
from wsframework.pipeline.report.figures import REFERENCE, SETTINGS, saved

ROWS = ("before any step", "after fine-tuning")
TRUTH = "#9a9a9a"


def draw_pictures(pictures: Sequence[Shown], folder: Path) -> Figure:
    """Draws all of them as one figure, and writes ``folder/pictures.png``."""
    names = list(pictures[0].before)
    with mpl.rc_context({**SETTINGS, "axes.grid": False, "font.size": 7}):
        rows = len(ROWS) * len(pictures)
        canvas = Canvas(figsize=(1.1 * (1 + len(names)) + 0.3, 1.1 * rows + 0.3), layout="constrained")
        axes = canvas.subplots(rows, 1 + len(names), squeeze=False)
        for place, shown in enumerate(pictures):
            for stage, label in enumerate(ROWS):
                _row(axes[len(ROWS) * place + stage], shown, shown.after if stage else shown.before, label)
        for column, name in enumerate(["truth", *names]):
            axes[0][column].set_title(name)
        tasks = "; ".join(shown.task for shown in pictures)
        return saved("pictures", f"What networks say of the first tasks judged, from above: {tasks}.", canvas, folder)


def _row(axes: Sequence[Axes], shown: Shown, said: Mapping[str, Tensor], label: str) -> None:
    """The truth, and then what each network says."""
    for each, values in zip(axes, [None, *said.values()], strict=True):
        if shown.at is None:
            each.imshow((shown.truth if values is None else values).numpy(), cmap="gray", vmin=0, vmax=1)
        else:
            _curve(each, shown.at, shown.truth, values)
        each.set_xticks([])
        each.set_yticks([])
    axes[0].set_ylabel(label)


def _curve(axes: Axes, at: Tensor, truth: Tensor, values: Tensor | None) -> None:
    """Values (points, outputs), if any, over the truth; what leaves its range by more than half of it is cut off."""
    order = at.argsort()
    axes.plot(at[order], truth[order], color=TRUTH, linewidth=3)
    if values is not None:
        axes.plot(at[order], values[order], color=REFERENCE, linewidth=1)
    low, high = float(truth.min()), float(truth.max())
    margin = (high - low) / 2 or 0.5
    axes.set_ylim(low - margin, high + margin)
