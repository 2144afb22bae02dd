"""From a CSV file to a task that a prior serves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from torch import Tensor

from wsframework.errors import DataError, RequestError, nearest
from wsframework.own_data.columns import classes, is_number, listed, numbers
from wsframework.own_data.table import Table, read_table
from wsframework.prior import Prior
from wsframework.tasks import IN_ROWS, OBJECTIVES, Data, Task


def read_task(path: Path | str, prior: Prior, label: str | Sequence[str] = "label") -> Task:
    """The task whose support data are the rows of a CSV file; it has no query data.

    Columns other than the labels are the inputs, in the file's order. Labels of a classification are numbers or
    names; ``task.classes`` says which class has which index.

    Arguments:
        path: of the file: UTF-8, separated by commas, the columns' names in the first line.
        prior: which the task is for.
        label: the column of the classes; for a regression, the columns of the answer, in order.

    Raises:
        DataError: with one sentence for each mistake of the file.
        RequestError: where such tasks can't be read from a CSV, or labels are named for another number of answers.
    """
    labels = [label] if isinstance(label, str) else list(label)
    _check_labels(prior, labels)
    table = read_table(Path(path))
    mistakes = list(table.in_names)
    columns = _columns(table, labels, math.prod(prior.shape.inputs), mistakes)
    mistakes += table.in_rows
    read = _read(table, columns, prior, mistakes) if columns else None
    if read is None or mistakes:
        raise DataError(table.source, mistakes)
    x, y, names = read
    support = Data(x.reshape(-1, *prior.shape.inputs), y)
    objective = OBJECTIVES[prior.origin.objective]
    return Task(Path(path).stem, prior.shape, support, Data(support.x[:0], y[:0]), objective, classes=names)


@dataclass(frozen=True)
class _Columns:
    """Positions of the columns."""

    inputs: list[int]
    labels: list[int]


def _check_labels(prior: Prior, labels: Sequence[str]) -> None:
    objective, outputs = prior.origin.objective, math.prod(prior.shape.outputs)
    if objective not in IN_ROWS:
        have = "labels at every position" if objective else "an objective of their own"
        raise RequestError(
            f"a CSV holds tasks of classification or regression; this prior's have {have}: "
            "make a wsframework.Task in Python, and sample for that"
        )
    count = 1 if objective == "classification" else outputs
    if len(set(labels)) != count or len(labels) != count:
        columns = "1 column" if count == 1 else f"{count} columns, in order"
        raise RequestError(f"the label of this prior's tasks is in {columns}; named were {listed(labels)}")


def _columns(table: Table, labels: Sequence[str], inputs: int, mistakes: list[str]) -> _Columns | None:
    """Which columns are what; None where a label is not there, or several columns are called so."""
    absent = [label for label in labels if label not in table.names]
    mistakes += [_absent(label, table) for label in absent]
    if absent or any(table.names.count(label) > 1 for label in labels):
        return None
    places = [table.names.index(label) for label in labels]
    others = [i for i in range(len(table.names)) if i not in places]
    if len(others) != inputs:
        found = listed([table.names[i] for i in others])
        mistakes.append(f"columns besides the label: {len(others)} ({found}), where the prior takes {inputs}")
    return _Columns(others, places)


def _absent(label: str, table: Table) -> str:
    close = get_close_matches(label, table.names, n=1)
    hint = nearest(label, close) if close else f"; there are {listed(table.names)}"
    if any(map(is_number, table.names)):
        return f"there is no column {label!r}{hint}. Is line 1, which should name the columns, data already?"
    return f"there is no column {label!r}{hint} (another column of labels is named with --label)"


def _read(table: Table, columns: _Columns, prior: Prior, mistakes: list[str]) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """Inputs (rows, columns), labels (rows,) or (rows, *outputs), and what the classes are called."""
    outputs = prior.shape.outputs
    if prior.origin.objective == "classification":
        count = None if table.in_rows else outputs[0]  # rows that could not be read may hold the others
        y, names = classes(table, columns.labels[0], count, mistakes)
    else:
        y, names = numbers(table, columns.labels, mistakes).reshape(-1, *outputs), ()
    return numbers(table, columns.inputs, mistakes), y, names
