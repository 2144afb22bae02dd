"""``tasks.csv``: which file is which network, and what task it was trained for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from wsframework.errors import alike, nearest
from wsframework.own_data.columns import numbers
from wsframework.own_data.table import Table, read_table
from wsframework.zoos.states import SUFFIXES

ID = re.compile(r"\w[\w.-]*")
"""What a network may be called: so that a file can have its name."""
FIGURES = ("loss", "metric")
OWN = ("file", "task", "id", *FIGURES)
"""The columns that have a meaning of their own; all others are the task's code."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The rows of a file of tasks.

    Attributes:
        files: of each network, as the file names them.
        ids: what each network is called; without a column ``id``, as its file without the suffix.
        tasks: the task of each network, by name.
        codes: of each network's task, (networks, numbers).
        figures: ``loss`` and ``metric``, those of them that there are columns of, (networks,).
    """

    files: tuple[str, ...]
    ids: tuple[str, ...]
    tasks: tuple[str, ...]
    codes: Tensor
    figures: dict[str, Tensor]

    @property
    def task_index(self) -> list[int]:
        """For each network, the position of its task among the different ones."""
        order = {name: i for i, name in enumerate(dict.fromkeys(self.tasks))}
        return [order[name] for name in self.tasks]


def read_listing(path: Path, mistakes: list[str]) -> Listing | None:
    """What the CSV file ``path`` says; mistakes are added to ``mistakes``, and with any of the columns there is none.

    Raises:
        DataError: where it is no table at all.
    """
    table = read_table(path)
    mistakes += [*table.in_names, *table.in_rows]
    lacking = [name for name in OWN[:2] if name not in table.names]
    mistakes += [f"{path.name}: there is no column {name!r}{nearest(name, table.names)}" for name in lacking]
    if lacking or table.in_names:
        return None
    files = _cells(table, "file")
    ids = _cells(table, "id") if "id" in table.names else tuple(Path(file).stem for file in files)
    code = [i for i, name in enumerate(table.names) if name not in OWN]
    figures = {n: numbers(table, [table.names.index(n)], mistakes)[:, 0] for n in FIGURES if n in table.names}
    found = Listing(files, ids, _cells(table, "task"), numbers(table, code, mistakes), figures)
    mistakes += _mistakes(found)
    return found


def _cells(table: Table, name: str) -> tuple[str, ...]:
    column = table.names.index(name)
    return tuple(row.cells[column] for row in table.rows)


def _mistakes(listing: Listing) -> Iterator[str]:
    for what, words in (("file", listing.files), ("id", listing.ids)):
        yield from (f"{count} rows have the {what} {word!r}" for word, count in Counter(words).items() if count > 1)
    for name in listing.ids:
        if not ID.fullmatch(name):
            yield f"{name!r} is no id of a network: one has letters, digits, '_', '-' and '.'; add a column 'id'"
    codes: dict[str, list[float]] = {}
    for task, code in zip(listing.tasks, listing.codes.tolist(), strict=True):
        if codes.setdefault(task, code) != code:
            yield f"task {task!r} has several codes ({codes[task]} and {code}); a task has one"


def found_files(paths: Sequence[Path], mistakes: list[str]) -> dict[str, Path]:
    """The files of state dicts that ``paths`` name, by the names that a listing may give them.

    Of a folder, all that have a fitting suffix, named from there; else the file itself, by its name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            mistakes.append(f"{path}: there is no such file or folder")
        inside = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES) if path.is_dir() else []
        for file in inside if path.is_dir() else [path] if path.exists() else []:
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            if found.setdefault(name, file) != file:
                mistakes.append(f"two files are called {name!r}: {found[name]} and {file}")
    return found


def matched(listing: Listing, files: dict[str, Path], mistakes: list[str]) -> list[Path | None]:
    """The file of each row, None where there is none; a file without a row is a mistake as well."""
    mistakes += [
        f"{name!r} is listed, and not there{alike(name, files)}" for name in listing.files if name not in files
    ]
    mistakes += [f"{files[name]} is there, and not listed" for name in files if name not in listing.files]
    return [files.get(name) for name in listing.files]
