"""The report of an ablation: one table with a row for each variant, and one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from wsframework.pipeline.report import drawing
from wsframework.pipeline.report.contents import Cell, Figure, Row, Section, Table, row
from wsframework.pipeline.report.facts import facts_table
from wsframework.pipeline.report.figures import COLOURS
from wsframework.pipeline.report.findings import level
from wsframework.pipeline.report.numbers import duration, number
from wsframework.pipeline.report.rendering import rendered
from wsframework.pipeline.report.tables import loss_cell, metric_cell, times_cell

Scores = Mapping[str, Any]


def write_ablation_report(scores: Scores, folder: Path) -> Path:
    """Writes ``report.md``, ``report.html`` and ``figures/ablation.png`` into ``folder``.

    Arguments:
        scores: what `evaluate` says of the variants, with ``variants``, ``runs``, ``cost`` and ``versions``.

    Returns:
        The path of ``report.html``.
    """
    sections = [
        Section("What was found", [_finding(scores), *scores["notes"]], listed=True),
        Section("Every variant", tables=[variants_table(scores)], figures=[draw_ablation(scores, folder / "figures")]),
        Section("Cost", tables=[_cost_table(scores)]),
        Section("Versions", tables=[facts_table(scores["versions"], ("of", "version"))]),
        Section("To repeat it, in this folder", code=str(scores["command"])),
    ]
    return rendered(f"Ablation {scores['name']}", sections, folder)


def variants_table(scores: Scores) -> Table:
    """A row for each variant: what it is, what it cost, its prior's figures, and the comparison with the first."""
    metric, epochs = scores["metric"]["name"], _epochs(scores)
    axes = list(next(iter(scores["variants"].values()))["labels"])
    columns = (
        *axes,
        "denoiser parameters",
        "zoo",
        *("loss before any step" if k == 0 else f"after epoch {k}" for k in epochs),
        *([f"best of {_best_of(scores)}, before"] if _best_of(scores) else []),
        f"{metric} before",
        "training of the prior",
        "against the first",
    )
    caption = (
        f"Mean support loss and query {metric} of the priors over the same {scores['n']} tasks never seen, with "
        f"{level(scores)} intervals. Against the first: how many times lower the loss before any step is than that of "
        f"{scores['reference']!r} (geometric mean over tasks, paired; below 1: higher). Bold: the interval shows it to "
        "be lower; worse: shows it to be higher; ?: shows neither."
    )
    return Table(columns, tuple(_row(name, scores, epochs) for name in scores["variants"]), caption)


def draw_ablation(scores: Scores, folder: Path) -> Figure:
    """Loss before any step of each variant, with intervals, on a logarithmic scale."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(scores["variants"])
    first = [next(iter(v["labels"].values())) for v in scores["variants"].values()]
    colours = dict(zip(dict.fromkeys(first), COLOURS * len(first), strict=False))
    with mpl.rc_context(drawing.SETTINGS):
        canvas, axes = drawing.blank(7, 0.9 + 0.3 * len(names))
        for place, name in enumerate(names):
            mean, low, high = (scores["curves"][name]["train_loss"][end][0] for end in ("mean", "low", "high"))
            axes.plot([mean], [place], "o", color=colours[first[place]])
            if low is not None and high is not None:
                axes.plot([low, high], [place, place], color=colours[first[place]])
        axes.set_xscale("log")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_title("support loss before any step", loc="left")
        shows = f"Mean over {scores['n']} tasks never seen, with {level(scores)} intervals."
        return drawing.saved("ablation", shows, canvas, folder)


def _row(name: str, scores: Scores, epochs: Sequence[int]) -> Row:
    variant, curves = scores["variants"][name], scores["curves"][name]
    best = [_best_cell(name, scores)] if _best_of(scores) else []
    return Row(
        (
            *(Cell(label) for label in variant["labels"].values()),
            Cell(f"{variant['denoiser_parameters']:,}"),
            Cell(f"{variant['zoo_size']:,}"),
            *(loss_cell(curves["train_loss"], k, k == 0 and name == _leader(scores)) for k in epochs),
            *best,
            metric_cell(curves["query_metric"], 0, scores["metric"]["name"]),
            Cell(duration(variant["prior_seconds"])),
            times_cell(turned(scores["comparisons"][name]["before"]["train_loss"]))
            if name in scores["comparisons"]
            else Cell("the first"),
        )
    )


def _cost_table(scores: Scores) -> Table:
    rows = [row(name, duration(cost["seconds"])) for name, cost in scores["cost"].items()]
    return Table(("variant", "time"), tuple(rows), "All stages of each run; a zoo that runs share counts in each.")


def turned(found: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison of losses from the other side: how many times lower theirs is than ours."""
    times = {"times": found["times"], "times_low": found["times_high"], "times_high": found["times_low"]}
    inverse = {name: None if value is None else 1 / value for name, value in times.items()}
    return {**inverse, "better": found["worse"], "worse": found["better"]}


def _epochs(scores: Scores) -> list[int]:
    last = scores["budget"]["epochs"]
    return sorted({0, min(1, last), last})


def _best_of(scores: Scores) -> str:
    """The number of draws of which runs report the best, where they all do; or empty."""
    found = {_best_name(run).removeprefix("prior (best of ").removesuffix(")") for run in scores["runs"].values()}
    return found.pop() if len(found) == 1 else ""


def _best_name(run: Scores) -> str:
    names: list[str] = [name for name in run["curves"] if name.startswith("prior (best of ")]
    return names[0] if names else ""


def _best_cell(name: str, scores: Scores) -> Cell:
    run = scores["runs"][name]
    return loss_cell(run["curves"][_best_name(run)]["train_loss"], 0)


def _leader(scores: Scores) -> str:
    losses: dict[str, float] = {n: scores["curves"][n]["train_loss"]["mean"][0] for n in scores["variants"]}
    return min(losses, key=lambda name: losses[name])


def _finding(scores: Scores) -> str:
    leader = _leader(scores)
    loss = number(scores["curves"][leader]["train_loss"]["mean"][0])
    told = f"The prior of {leader!r} has the lowest mean support loss before any step on {scores['n']} tasks: {loss}."
    if leader not in scores["comparisons"]:
        return f"{told} It is the variant that the others are compared with."
    found = turned(scores["comparisons"][leader]["before"]["train_loss"])
    ends = [number(found[end]) for end in ("times_low", "times_high")]
    interval = f" ({level(scores)} interval {' to '.join(ends)})" if found["times_low"] is not None else ""
    times = number(found["times"])
    return f"{told} Paired over tasks, that is {times} times lower than {scores['reference']!r}{interval}."
