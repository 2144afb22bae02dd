"""Forest plots: a line for each initializer, with its mean and interval, beside the line of no difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from wsframework.pipeline.report.drawing import Canvas, blank
from wsframework.pipeline.report.numbers import number

Scores = Mapping[str, Any]
Drawn = tuple[str, str, Canvas]

FAINT = "#666666"


@dataclass(frozen=True)
class Entry:
    """A mean with its interval, if there is one; ``place`` is its height, ``hollow`` how its dot is drawn."""

    place: float
    mean: float
    low: float | None
    high: float | None
    colour: str
    hollow: bool = False


def speedups(scores: Scores, colours: Mapping[str, str]) -> Drawn:
    """The mean speed-up from every initializer, the largest above."""
    speeds = scores["speedup"]
    names = sorted(speeds, key=lambda n: float(speeds[n]["mean"] or 0))
    entries = [Entry(k, *_ends(speeds[n], "mean", "low", "high"), colours[n]) for k, n in enumerate(names)]
    canvas, axes = _plot(names, entries)
    for place, name in enumerate(names):
        axes.text(1.03, place, _told(speeds[name]), transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.set_title(f"speed-up over {scores['baseline']}", loc="left")
    shows = (
        f"Mean speed-up over tasks with its interval: the budget of {scores['budget']['steps']} steps over the steps "
        f"needed to reach {scores['baseline']}'s final support loss. A task that never gets there counts as 0."
    )
    return "speedup", shows, canvas


def comparisons(scores: Scores, colours: Mapping[str, str]) -> Drawn:
    """How many times lower the reference's support loss is than each of the others', before and after."""
    found, reference = scores["comparisons"], scores["reference"]
    names = sorted(found, key=lambda n: float(found[n]["before"]["train_loss"]["times"] or 0))
    entries = []
    for place, name in enumerate(names):
        for moment, shift in (("before", 0.15), ("last", -0.15)):
            ends = _ends(found[name][moment]["train_loss"], "times", "times_low", "times_high")
            entries.append(Entry(place + shift, *ends, colours[name], hollow=moment == "last"))
    canvas, axes = _plot(names, entries)
    axes.set_title(f"support loss: {reference} against each of them", loc="left")
    axes.set_xlabel(f"times lower from {reference} (left of the line: higher)")
    shows = (
        f"How many times lower the support loss from {reference} is, with intervals, paired over tasks: full dots "
        "before any step, hollow ones after the last epoch. Right of the line it is lower, left of it higher."
    )
    return "against", shows, canvas


def _ends(found: Mapping[str, Any], *keys: str) -> tuple[float, float | None, float | None]:
    mean, low, high = (found[key] for key in keys)
    return float(mean or 0), low, high


def _told(speed: Mapping[str, Any]) -> str:
    never = f", never {100 * speed['never']:.3g} %" if speed["never"] else ""
    return f"{number(speed['mean'])}×{never}"


def _plot(names: Sequence[str], entries: Sequence[Entry]) -> tuple[Canvas, Axes]:
    """The entries on a logarithmic axis, with a line at 1; what lies left of it all begins at the edge."""
    canvas, axes = blank(5.2, 1.0 + 0.29 * len(names))
    ends = [value for e in entries for value in (e.mean, e.low, e.high) if value and value > 0]
    least, most = min([0.7, *ends]) / 1.25, 1.25 * max([2.0, *ends])
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    axes.axvline(1, color=FAINT, linewidth=1)
    for e in entries:
        if e.high is not None:
            axes.plot([max(e.low or 0, least), max(e.high, least)], [e.place] * 2, color=e.colour, linewidth=1.6)
        face = "white" if e.hollow else e.colour
        axes.plot([max(e.mean, least)], [e.place], "o", color=e.colour, markerfacecolor=face, clip_on=False)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×" if x < 1 else f"{x:,.0f}×")
    axes.grid(False, axis="y")
    return canvas, axes
