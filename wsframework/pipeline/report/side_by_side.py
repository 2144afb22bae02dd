"""The report of several runs side by side: their priors first, then every initializer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from wsframework.pipeline.report import drawing
from wsframework.pipeline.report.ablation import turned
from wsframework.pipeline.report.contents import Cell, Figure, Row, Section, Table, row
from wsframework.pipeline.report.figures import COLOURS
from wsframework.pipeline.report.findings import compared, level
from wsframework.pipeline.report.numbers import duration
from wsframework.pipeline.report.rendering import rendered
from wsframework.pipeline.report.tables import figure_cell, loss_cell, metric_cell, speed_cell, times_cell

Found = Mapping[str, Any]

QUANTITIES = {"before": "loss before any step", "area": "area under support loss", "speedup": "speed-up (mean)"}


def write_comparison(found: Found, folder: Path) -> Path:
    """Writes ``report.md``, ``report.html`` and ``figures/priors.png`` into ``folder``.

    Arguments:
        found: ``runs`` with the figures of each, ``groups`` of those that are comparable, ``reasons`` why others are
            not, ``paired`` comparisons with the first of a group, and the ``command``.

    Returns:
        The path of ``report.html``.
    """
    told = "Runs are comparable where they were judged on the same tasks, to the last bit, by the same fine-tuning."
    drawn = draw_priors(found, folder / "figures")
    sections = [
        Section("What was found", [told, *found["reasons"]], listed=True, lead=_lead(found)),
        Section("The prior of each run", tables=[priors_table(found)], figures=[drawn]),
        Section("Every initializer of each run", tables=[initializers_table(found)]),
        Section("Runs", tables=[_runs_table(found)]),
        Section("To repeat it", code=str(found["command"])),
    ]
    return rendered(f"{len(found['runs'])} runs side by side", sections, folder)


def priors_table(found: Found) -> Table:
    """A row for each run, comparable ones together."""
    runs, rows = found["runs"], []
    for group in found["groups"]:
        rows.append(Row((Cell(_heading(group, runs)),), heading=True))
        rows += [_prior(label, found) for label in group]
    columns = ("run", *QUANTITIES.values(), "after the last epoch", "metric before", "against the first")
    caption = (
        "Support loss from the prior of each run, mean over tasks with intervals; speed-up over that run's own random "
        "initialisation. Only rows under one heading may be compared. Against the first of them: how many times lower "
        "the loss before any step is (geometric mean over tasks, paired; below 1: higher). Bold: the interval shows it "
        "to be lower; worse: higher; ?: neither."
    )
    return Table(columns, tuple(rows), caption)


def initializers_table(found: Found) -> Table:
    """What each run has of each initializer: before any step, over the course, speed-up."""
    runs, rows = found["runs"], []
    names = dict.fromkeys(name for run in runs.values() for name in run["curves"])
    for quantity, title in QUANTITIES.items():
        rows.append(Row((Cell(title),), heading=True))
        rows += [Row((Cell(n), *(_cell(run, n, quantity) for run in runs.values()))) for n in names]
    return Table(("initializer", *runs), tuple(rows), "Columns of runs that are not comparable stand for themselves.")


def draw_priors(found: Found, folder: Path) -> Figure:
    """The three figures of each run's prior, with its other initializers faint behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = found["runs"]
    colours = {label: COLOURS[k % len(COLOURS)] for k, group in enumerate(found["groups"]) for label in group}
    with mpl.rc_context(drawing.SETTINGS):
        canvas = drawing.Canvas(figsize=(5.2, 0.6 + len(QUANTITIES) * (0.7 + 0.3 * len(runs))), layout="constrained")
        for axes, (quantity, title) in zip(canvas.subplots(len(QUANTITIES)), QUANTITIES.items(), strict=True):
            for height, (label, run) in enumerate(runs.items()):
                _line(axes, run, quantity, height, colours[label])
            axes.set_xscale("log")
            axes.set_yticks(range(len(runs)), list(runs))
            axes.set_ylim(len(runs) - 0.4, -0.6)
            axes.set_title(title, loc="left")
        shows = (
            "The prior of each run with its interval (dots; one colour: comparable), and behind it the other "
            "initializers of that run (strokes)."
        )
        return drawing.saved("priors", shows, canvas, folder)


def _line(axes: Axes, run: Found, quantity: str, height: int, colour: str) -> None:
    """One run: strokes for the others, and a dot with its interval for the prior."""
    others = [mean for n in run["curves"] if n != run["reference"] and (mean := _ends(run, n, quantity)[0])]
    axes.plot(others, [height] * len(others), "|", color="#999999", markersize=9)
    mean, low, high = _ends(run, run["reference"], quantity)
    if mean:
        axes.plot([low or mean, high or mean], [height, height], color=colour, linewidth=2)
        axes.plot([mean], [height], "o", color=colour)


def _lead(found: Found) -> list[str]:
    """Of each group whether and how its priors differ, or that there is nothing to compare."""
    told = []
    for first, *others in found["groups"]:
        run = found["runs"][first]
        for label in (n for n in others if n in found["paired"]):
            times = turned(found["paired"][label]["before"]["train_loss"])
            told.append(f"Against {first}, the support loss from the prior of {label} before any step is ")
            told[-1] += f"{compared(times, level(run))}, paired over {run['n']} tasks."
    return told or ["No two of these runs are comparable: their figures stand beside each other, and prove nothing."]


def _heading(group: Sequence[str], runs: Found) -> str:
    digest = runs[group[0]]["conditions"]["tasks"]
    return f"tasks {digest[:12]}" if digest else "tasks unknown"


def _prior(label: str, found: Found) -> Row:
    run = found["runs"][label]
    name, metric = run["reference"], run["metric"]["name"]
    if name not in run["curves"]:
        return Row((Cell(label), Cell(f"no {name} among its initializers")), span=True)
    curves, cells = run["curves"][name], [_cell(run, name, quantity) for quantity in QUANTITIES]
    last = loss_cell(curves["train_loss"], run["budget"]["epochs"])
    value = metric_cell(curves["query_metric"], 0, metric)
    against = found["paired"].get(label)
    compared = times_cell(turned(against["before"]["train_loss"])) if against else Cell("–")
    return Row((Cell(label), *cells, last, Cell(f"{metric} {value.text}", value.detail), compared))


def _cell(run: Found, name: str, quantity: str) -> Cell:
    if name not in run["curves"]:
        return Cell("–")
    if quantity == "before":
        return loss_cell(run["curves"][name]["train_loss"], 0)
    if quantity == "area":
        return figure_cell(run["area"][name]["train_loss"])
    speed = run.get("speedup", {}).get(name)
    return speed_cell(speed) if speed else Cell("–")


def _ends(run: Found, name: str, quantity: str) -> tuple[float | None, float | None, float | None]:
    if name not in run["curves"]:
        return None, None, None
    if quantity == "before":
        mean, low, high = (run["curves"][name]["train_loss"][end][0] for end in ("mean", "low", "high"))
    else:
        figure = run["area"][name]["train_loss"] if quantity == "area" else run.get("speedup", {}).get(name, {})
        mean, low, high = (figure.get(end) for end in ("mean", "low", "high"))
    return mean, low, high


def _runs_table(found: Found) -> Table:
    """What each run was."""
    rows = []
    for label, run in found["runs"].items():
        last = run["seed"] + run["repeats"] - 1
        seeds = f"{run['seed']}" if run["repeats"] == 1 else f"{run['seed']} to {last}"
        sizes = f"{run['n']:,}", f"{run['budget']['steps']:,}"
        rows.append(row(label, run["name"], seeds, *sizes, duration(run["seconds"]), run["wsframework"]))
    return Table(("run", "config", "seed", "tasks", "steps", "time", "wsframework"), tuple(rows))
