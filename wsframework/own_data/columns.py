"""Columns of a table as tensors: numbers, or classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from wsframework.own_data.table import Table

NAMED = 5
"""At most so many values are written out in a sentence."""
LARGEST = torch.finfo(torch.float32).max


def numbers(table: Table, columns: Sequence[int], mistakes: list[str]) -> Tensor:
    """The columns as float32, (rows, columns); what is no finite number becomes a mistake, and 0."""
    found = torch.zeros(len(table.rows), len(columns), dtype=torch.float64)
    for place, column in enumerate(columns):
        values = [_number(row.cells[column]) for row in table.rows]
        wrong = [(row.line, value) for row, value in zip(table.rows, values, strict=True) if isinstance(value, str)]
        mistakes += _wrong(table, column, wrong)
        found[:, place] = torch.tensor([0.0 if isinstance(v, str) else v for v in values], dtype=torch.float64)
    return found.float()


def classes(table: Table, column: int, count: int | None, mistakes: list[str]) -> tuple[Tensor, tuple[str, ...]]:
    """The column's classes as indices (rows,), and what each of them is called in the file.

    Classes are in the order of their numbers where all of them are numbers, else in that of their names.

    Arguments:
        count: how many there should be, if that can be told from the table.
    """
    name, cells = table.names[column], [row.cells[column] for row in table.rows]
    present = [cell for cell in cells if not _missing(cell)]
    value: Callable[[str], Any] = float if all(map(is_number, present)) else str
    called = {value(cell): cell for cell in reversed(present)}
    index = {found: i for i, found in enumerate(sorted(called))}
    names = tuple(called[found] for found in index)
    if cells and count is not None and len(names) != count:
        mistakes.append(_other_count(name, names, count))
    lines = [row.line for row in table.rows if _missing(row.cells[column])]
    mistakes += [f"line {line}, column {name!r}: the class is missing" for line in lines]
    return torch.tensor([0 if _missing(cell) else index[value(cell)] for cell in cells]), names


def listed(values: Sequence[str]) -> str:
    """The first of the values, in quotes."""
    return ", ".join(map(repr, values[:NAMED])) + (", ..." if len(values) > NAMED else "")


def _number(cell: str) -> float | str:
    """The number that a cell holds, or what is wrong with it."""
    value = _float(cell)
    if value is None:
        return f"is {cell!r}, which is no number{_point([cell])}" if cell else "is empty; every cell has a number"
    if not math.isfinite(value):
        return f"is {cell!r}; every cell has a finite number"
    return value if abs(value) <= LARGEST else f"is {cell!r}, beyond the largest number of 32 bits, {LARGEST:.2g}"


def _point(cells: Sequence[str]) -> str:
    """What to do about decimal commas, where they are the only mistake."""
    return "; write the decimal point as '.'" if all(is_number(cell.replace(",", ".")) for cell in cells) else ""


def _float(cell: str) -> float | None:
    try:
        return float(cell) if "_" not in cell else None  # Python reads 1_0 as ten; tables do not mean that
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Whether a cell holds a finite number."""
    value = _float(cell)
    return value is not None and math.isfinite(value)


def _missing(cell: str) -> bool:
    return cell.lower() in ("", "nan")


def _wrong(table: Table, column: int, wrong: Sequence[tuple[int, str]]) -> Iterator[str]:
    """A sentence for each wrong cell; a single one for a column without any number."""
    name, cells = table.names[column] or column + 1, list(dict.fromkeys(row.cells[column] for row in table.rows))
    if len(table.rows) > 1 and not any(map(is_number, cells)):
        hint = _point(cells) or "; leave it out, or write it as numbers"
        yield f"column {name!r} has no number in it ({listed(cells)}){hint}"
        return
    yield from (f"line {line}, column {name!r}: the cell {what}" for line, what in wrong)


def _other_count(name: str, found: Sequence[str], count: int) -> str:
    have = "one class only" if len(found) == 1 else f"{len(found)} classes" if found else "no class"
    return f"column {name!r} has {have} ({listed(found)}); the prior tells {count} apart"
