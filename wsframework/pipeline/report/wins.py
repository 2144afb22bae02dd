"""Who beats whom on how many tasks, as tables that can be seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wsframework.pipeline.report.contents import Cell, Row, Section, Table
from wsframework.pipeline.report.findings import level

Scores = Mapping[str, Any]
MOMENTS = {"before": "before any step", "last": "after the last epoch"}


def wins_section(scores: Scores) -> Section:
    """A table for each moment of ``scores["wins"]``."""
    told = (
        f"The share of the {scores['n']} tasks on which the row's query loss is lower than the column's, with "
        f"{level(scores)} intervals; ties count for neither. It counts tasks, not by how much: an initializer can win "
        "on most of them and lose by the mean. Bold: lower on average of logarithms, after Holm's correction for "
        f"{scores['family']['comparisons']} comparisons."
    )
    return Section("Who beats whom", [told], [_table(scores, moment) for moment in MOMENTS])


def _table(scores: Scores, moment: str) -> Table:
    names = tuple(scores["wins"])
    rows = tuple(Row((Cell(name), *_cells(scores, name, moment))) for name in names)
    return Table((MOMENTS[moment], *names), rows)


def _cells(scores: Scores, name: str, moment: str) -> Iterator[Cell]:
    for column in scores["wins"]:
        if column == name:
            yield Cell("")
            continue
        share, better = (scores[key][name][column][moment] for key in ("wins", "better"))
        spread = f"{100 * share['low']:.0f}–{100 * share['high']:.0f}"
        yield Cell(_percent(share["mean"]), spread, better, shade=share["mean"])


def _percent(share: float) -> str:
    """Whole percents, but 0 and 100 only where they are exact.

    >>> _percent(0.5), _percent(0.996), _percent(1.0), _percent(0.003)
    ('50 %', '> 99 %', '100 %', '< 1 %')
    """
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
