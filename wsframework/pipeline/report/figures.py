"""The report's figures: curves of loss and metric, and forest plots. One colour an initializer throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from wsframework.pipeline.report import drawing
from wsframework.pipeline.report.contents import Figure
from wsframework.pipeline.report.forest import comparisons, speedups

Scores = Mapping[str, Any]

COLOURS = ("#3f90da", "#ffa90e", "#832db6", "#5c9a5c", "#a96b59", "#e76300", "#b9ac70", "#717581", "#3bb6c4")
"""Petroff 2021 (arXiv:2107.02270), its red set apart for the reference, two tones changed to be told apart on white."""
BASELINE = "#000000"
VARIANT, CONTROL, REPEATED = "--", ":", "-."
"""Dashes: of rows such as "x (best of 8)", of controls, and of colours used a second time."""
CURVES = 4.6, 4.4
"""Width and height of a figure of curves, in inches."""


def draw_figures(scores: Scores, folder: Path) -> list[Figure]:
    """Draws what the scores hold, writes ``folder/*.png``, and returns the figures in the report's order."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(drawing.SETTINGS):
        drawn = [_loss(scores, "support"), _loss(scores, "query"), _metric(scores)]
        colours = {name: style["color"] for name, style in styles(scores).items()}
        if scores.get("speedup"):
            drawn.append(speedups(scores, colours))
        if scores["comparisons"]:
            drawn.append(comparisons(scores, colours))
        return [drawing.saved(stem, shows, canvas, folder) for stem, shows, canvas in drawn]


def styles(scores: Scores) -> dict[str, dict[str, Any]]:
    """Colour, dash and width of every initializer's line; the reference is thick and lies below the others."""
    special = {scores["reference"]: drawing.REFERENCE, scores["baseline"]: BASELINE}
    plain = list(dict.fromkeys(_plain(n) for n in scores["curves"] if _plain(n) not in special))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(plain)} | special
    found: dict[str, dict[str, Any]] = {}
    for name in scores["curves"]:
        dash = REPEATED if _plain(name) in plain[len(COLOURS) :] else "-"
        dash = CONTROL if scores["roles"].get(name) == "control" else dash
        dash = VARIANT if name != _plain(name) else dash
        thick = name == scores["reference"]
        width, order = (3.2, 2.0) if thick else (1.3, 2.1)
        found[name] = {"color": colours[_plain(name)], "linestyle": dash, "linewidth": width, "zorder": order}
    return found


def _plain(name: str) -> str:
    return name.partition(" (")[0]


def _loss(scores: Scores, of: str) -> tuple[str, str, drawing.Canvas]:
    quantity = {"support": "train_loss", "query": "query_loss"}[of]
    canvas, axes = drawing.blank(*CURVES)
    _lines(axes, scores, quantity, log=True)
    axes.set_title(f"{of} loss", loc="left")
    _legend(canvas, axes, scores, quantity)
    return f"{of}_loss", f"Mean {of} loss {_over(scores)}", canvas


def _metric(scores: Scores) -> tuple[str, str, drawing.Canvas]:
    name, higher = scores["metric"]["name"], scores["metric"]["higher_is_better"]
    canvas, axes = drawing.blank(*CURVES)
    _lines(axes, scores, "query_metric", log=not higher)
    axes.set_title(f"query {name}", loc="left")
    _legend(canvas, axes, scores, "query_metric")
    return "metric", f"Mean {name} on query data, {_over(scores)}", canvas


def _over(scores: Scores) -> str:
    return f"over {scores['n']} tasks never seen, with intervals; epoch 0 is before any step."


def _lines(axes: Axes, scores: Scores, quantity: str, log: bool) -> None:
    means: list[float] = []
    for name, style in styles(scores).items():
        figures = scores["curves"][name][quantity]
        epochs = range(len(figures["mean"]))
        marker = "o" if len(epochs) == 1 else None
        axes.plot(epochs, figures["mean"], label=name, marker=marker, **style)
        if None not in figures["low"] and None not in figures["high"]:
            axes.fill_between(epochs, figures["low"], figures["high"], color=style["color"], alpha=0.1, linewidth=0)
        means += figures["mean"]
    _scale(axes, [m for m in means if m is not None], log)
    axes.set_xlabel("epochs of fine-tuning (0: before any step)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _scale(axes: Axes, means: Sequence[float], log: bool) -> None:
    """Limits by the means alone: one wide interval must not press all curves flat."""
    positive = [m for m in means if m > 0]
    if log and positive:
        axes.set_yscale("log")
        axes.set_ylim(min(positive) / 1.6, max(positive) * 1.6)
    elif means:
        margin = 0.05 * (max(means) - min(means)) or 0.05
        axes.set_ylim(min(means) - margin, max(means) + margin)


def _legend(canvas: drawing.Canvas, axes: Axes, scores: Scores, quantity: str) -> None:
    """Below, in the order in which the curves begin, the highest first."""
    start = {n: c[quantity]["mean"][0] or 0.0 for n, c in scores["curves"].items()}
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    names = sorted(handles, key=lambda n: start[n], reverse=True)
    canvas.legend([handles[n] for n in names], names, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
