"""What a report is made of, before it is Markdown or HTML: sections of sentences, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One entry of a table; ``detail`` stands smaller beside it, ``strong`` is the best of its column.

    ``shade``, from 0 to 1, is how much of a colour lies behind it.
    """

    text: str
    detail: str = ""
    strong: bool = False
    shade: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of a table; ``heading`` rows divide it, ``span`` rows have one cell over all columns but the first."""

    cells: tuple[Cell, ...]
    heading: bool = False
    span: bool = False


@dataclass(frozen=True)
class Table:
    """Column names and rows, with a sentence that says how to read them."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    caption: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawn figure: file name stem under ``figures/``, what it shows, and its SVG.

    ``photo``: its colours are those of what it shows, so that a dark page may not turn them.
    """

    stem: str
    shows: str
    svg: bytes
    photo: bool = False


@dataclass(frozen=True)
class Section:
    """A titled part of the report. ``lead`` is what to read first; ``code`` is shown as it would be typed."""

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    code: str = ""
    listed: bool = False
    lead: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        """The part's name within the page.

        >>> Section("Table 1 of the paper").anchor
        'table-1-of-the-paper'
        """
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


def row(*texts: str) -> Row:
    """A plain row."""
    return Row(tuple(Cell(text) for text in texts))
