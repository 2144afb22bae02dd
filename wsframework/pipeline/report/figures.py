"""The report's figures: curves of loss and metric, bars of speed-up. One colour an initializer throughout."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from wsframework.pipeline.report.contents import Figure
from wsframework.pipeline.report.numbers import number

Scores = Mapping[str, Any]

COLOURS = ("#3f90da", "#ffa90e", "#832db6", "#5c9a5c", "#a96b59", "#e76300", "#b9ac70", "#717581", "#3bb6c4")
"""Petroff 2021 (arXiv:2107.02270), its red set apart for the reference, two tones changed to be told apart on white."""
REFERENCE, BASELINE = "#bd1f01", "#000000"
VARIANT, CONTROL, REPEATED = "--", ":", "-."
"""Dashes: of rows such as "x (best of 8)", of controls, and of colours used a second time."""
SETTINGS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "svg.hashsalt": "wsframework",
}


def draw_figures(scores: Scores, folder: Path) -> list[Figure]:
    """Draws what the scores hold, writes ``folder/*.png``, and returns the figures in the report's order."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(SETTINGS):
        drawn = [_losses(scores), _metric(scores)]
        if scores.get("speedup"):
            drawn.append(_speedups(scores))
        return [saved(stem, shows, canvas, folder) for stem, shows, canvas in drawn]


def styles(scores: Scores) -> dict[str, dict[str, Any]]:
    """Colour, dash and width of every initializer's line; the reference is thick and lies below the others."""
    special = {scores["reference"]: REFERENCE, scores["baseline"]: BASELINE}
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


def _losses(scores: Scores) -> tuple[str, str, Canvas]:
    canvas, (support, query) = blank(2, width=10.5)
    for axes, quantity, title in ((support, "train_loss", "support"), (query, "query_loss", "query")):
        _lines(axes, scores, quantity, log=True)
        axes.set_title(f"{title} loss", loc="left")
    _legend(query, scores, "query_loss", highest_first=True)
    return "loss", f"Mean loss {_over(scores)}", canvas


def _metric(scores: Scores) -> tuple[str, str, Canvas]:
    name, higher = scores["metric"]["name"], scores["metric"]["higher_is_better"]
    canvas, (axes,) = blank(1, width=7)
    _lines(axes, scores, "query_metric", log=not higher)
    axes.set_title(f"query {name}", loc="left")
    _legend(axes, scores, "query_metric", highest_first=True)
    return "metric", f"Mean {name} on query data, {_over(scores)}", canvas


def _speedups(scores: Scores) -> tuple[str, str, Canvas]:
    speeds = scores["speedup"]
    names = sorted(speeds, key=lambda n: speeds[n]["median"] or 0)
    canvas, (axes,) = blank(1, width=7, height=0.9 + 0.27 * len(names))
    for place, name in enumerate(names):
        _bar(axes, place, speeds[name], styles(scores)[name]["color"])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xscale("log")
    axes.set_xlim(0.9, 1.6 * max([2.0, *(s["median_high"] or s["median"] or 1 for s in speeds.values())]))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×")
    axes.grid(False, axis="y")
    axes.set_title(f"speed-up over {scores['baseline']}", loc="left")
    return "speedup", "Median over tasks of the step budget over the steps needed; lines are intervals.", canvas


def _bar(axes: Axes, place: int, speed: Mapping[str, Any], colour: str) -> None:
    median, low, high = (speed[key] for key in ("median", "median_low", "median_high"))
    if median is None:
        axes.text(1.03, place, f"below 1: never on {100 * speed['never']:.0f} % of tasks", va="center", color="#666666")
        return
    axes.barh(place, median - 0.9, left=0.9, color=colour, height=0.62)
    if high is not None:
        axes.plot([low or 0.9, high], [place, place], color="#222222", linewidth=1.2)
    axes.text(1.04 * max(median, high or 0), place, f"{number(median)}×", va="center")


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


def _legend(axes: Axes, scores: Scores, quantity: str, highest_first: bool) -> None:
    """To the right, in the order in which the curves begin."""
    start = {n: c[quantity]["mean"][0] or 0.0 for n, c in scores["curves"].items()}
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    names = sorted(handles, key=lambda n: start[n], reverse=highest_first)
    axes.legend([handles[n] for n in names], names, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def blank(columns: int, width: float, height: float = 3.6) -> tuple[Canvas, list[Axes]]:
    """An empty figure of ``columns`` axes side by side; sizes in inches."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    axes = canvas.subplots(1, columns, squeeze=False)
    return canvas, list(axes[0])


def saved(stem: str, shows: str, canvas: Canvas, folder: Path) -> Figure:
    """The figure, written as ``folder/STEM.png`` too."""
    canvas.savefig(folder / f"{stem}.png", dpi=160, metadata={"Software": None})
    drawing = io.BytesIO()
    canvas.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(stem, shows, drawing.getvalue())
