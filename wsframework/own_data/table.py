"""`Table`: a CSV file as text, and what is wrong with its shape."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wsframework.errors import DataError, nearest_file

OTHER_SEPARATORS = {";": "';'", "\t": "tabs"}


@dataclass(frozen=True)
class Row:
    """One row of a table: the line of the file that it begins in, and its cells."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The cells of a file, without the blanks around them.

    Attributes:
        source: the file, as the user named it.
        names: of the columns.
        rows: those with a cell for every column.
        in_names, in_rows: what is wrong with the names, and with rows of another length; one sentence each.
    """

    source: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    in_names: tuple[str, ...]
    in_rows: tuple[str, ...]


def read_table(path: Path) -> Table:
    """The table in the CSV file ``path``: UTF-8, columns separated by commas, their names in the first line.

    Raises:
        DataError: where there is no such file, or it is no table.
    """
    source, text = str(path), _text(path)
    rows = list(_rows(source, text))
    while rows and _empty(rows[-1]):
        rows.pop()
    if not rows:
        raise DataError(source, ["the file is empty; its first line has the names of the columns"])
    header, *rows = rows
    _check_separator(source, header)
    names, width = header.cells, len(header.cells)
    if not rows:
        raise DataError(source, [*_in_names(names), "there are no rows below the names of the columns"])
    in_rows = [_length(row, width) for row in rows if len(row.cells) != width]
    return Table(
        source, names, tuple(r for r in rows if len(r.cells) == width), tuple(_in_names(names)), tuple(in_rows)
    )


def _text(path: Path) -> str:
    """The file's text.

    Raises:
        DataError: where there is none.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(str(path), [f"there is no such file{nearest_file(path, '.csv')}"]) from None
    except IsADirectoryError:
        raise DataError(str(path), ["this is a folder; name a CSV file in it"]) from None
    except OSError as error:
        raise DataError(str(path), [f"the file can't be read: {error.strerror}"]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(str(path), [f"line {line}: this is not UTF-8 text; save the file as UTF-8"]) from None


def _rows(source: str, text: str) -> Iterator[Row]:
    """All rows, empty ones among them.

    Raises:
        DataError: where quotes do not close, or a cell has no end.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield Row(line, tuple(cell.strip() for cell in cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(source, [f"line {line}: this is not CSV ({error}); is a quotation mark missing?"]) from None


def _empty(row: Row) -> bool:
    return not any(row.cells) and len(row.cells) < 2


def _check_separator(source: str, header: Row) -> None:
    for separator, name in OTHER_SEPARATORS.items():
        if len(header.cells) == 1 and separator in header.cells[0]:
            raise DataError(source, [f"line 1: the columns look separated by {name}; separate them by ','"])


def _in_names(names: tuple[str, ...]) -> list[str]:
    unnamed = [
        f"column {i} has no name; if it numbers the rows, leave it out" for i, name in enumerate(names, 1) if not name
    ]
    several = [
        f"{count} columns are called {name!r}; each has a name of its own"
        for name, count in Counter(names).items()
        if name and count > 1
    ]
    return unnamed + several


def _length(row: Row, width: int) -> str:
    if _empty(row):
        return f"line {row.line}: empty; remove the line"
    return f"line {row.line}: {len(row.cells)} cells, where line 1 names {width} columns"
