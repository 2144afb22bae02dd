"""Who beats whom on how many tasks, as tables that can be seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wsframework.pipeline.report.contents import Cell, Row, Section, Table

Wins = Mapping[str, Mapping[str, float]]
MOMENTS = {"before": "before any step", "last": "after the last epoch"}


def wins_section(wins: Mapping[str, Wins], tasks: int) -> Section:
    """A table for each moment that ``wins`` holds."""
    told = (
        f"The share of the {tasks} tasks on which the row's query loss is lower than the column's; a tie is half a "
        "win. It counts tasks, not by how much: an initializer can win on most of them and lose by the mean."
    )
    return Section("Who beats whom", [told], [_table(found, MOMENTS[moment]) for moment, found in wins.items()])


def _table(wins: Wins, when: str) -> Table:
    rows = tuple(Row((Cell(name), *_cells(name, wins))) for name in wins)
    return Table((when, *wins), rows)


def _cells(name: str, wins: Wins) -> Iterator[Cell]:
    for column in wins:
        share = wins[name].get(column)
        yield Cell("") if share is None else Cell(_percent(share), shade=share)


def _percent(share: float) -> str:
    """Whole percents, but 0 and 100 only where they are exact.

    >>> _percent(0.5), _percent(0.996), _percent(1.0), _percent(0.003)
    ('50 %', '> 99 %', '100 %', '< 1 %')
    """
    if 0 < share < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"
